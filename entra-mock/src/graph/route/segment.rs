//! What one segment of a path says: keys, names of functions and actions, percent-encoding.

use std::borrow::Cow;

use crate::{
    odata::GraphError,
    schema::{IdForm, Kind, Operation},
};

/// Whether a type has a documented operation of that name below its objects.
pub(crate) fn documents(kind: Kind, name: &str) -> bool {
    let entity = kind.entity();
    entity.operations.iter().any(|operation| {
        operation
            .path
            .strip_prefix(entity.object_path().as_str())
            .and_then(|rest| rest.strip_prefix('/'))
            .is_some_and(|rest| rest.eq_ignore_ascii_case(name))
    })
}

/// Returns the action of that name of a kind, if it is documented and changes something.
pub(crate) fn command(kind: Kind, segment: &str) -> Option<&'static str> {
    let name = unqualified(segment);
    let entity = kind.entity();
    entity.operations.iter().find_map(|operation| {
        let action = operation
            .path
            .strip_prefix(entity.object_path().as_str())?
            .strip_prefix('/')?;
        let changes = operation.method == "POST" || (operation.method, action) == ("PUT", "logo");
        // POST to a relationship creates an item.
        (changes && action.eq_ignore_ascii_case(name) && entity.relationship(name).is_none())
            .then_some(action)
    })
}

/// Parses `'value'` or `name='value'`; a quote in the value is doubled.
pub(crate) fn quoted_key(text: &str) -> Option<(Option<&str>, String)> {
    let (property, quoted) = match text.split_once('=') {
        Some((name, value)) if !name.starts_with('\'') => (Some(name.trim()), value),
        _ => (None, text),
    };
    let value = quoted
        .trim()
        .strip_prefix('\'')?
        .strip_suffix('\'')?
        .replace("''", "'");
    Some((property, value))
}

/// Whether a segment after a collection is its documented `delta` function.
pub(crate) fn is_delta(kind: Kind, segment: &str) -> bool {
    let entity = kind.entity();
    let documented = |path: &str| {
        path.strip_prefix('/')
            .and_then(|path| path.strip_prefix(entity.set))
            .is_some_and(|rest| rest == "/delta")
    };
    is_named_delta(segment) && entity.operations.iter().any(|row| documented(row.path))
}

/// Whether a segment is the function `delta`, with or without its namespace and parentheses.
pub(crate) fn is_named_delta(segment: &str) -> bool {
    let name = segment.strip_suffix("()").unwrap_or(segment);
    unqualified(name).eq_ignore_ascii_case("delta")
}

/// Returns the action of `/directoryObjects` of that name.
pub(crate) fn set_action(segment: &str) -> Option<&'static str> {
    let name = unqualified(segment);
    [
        "getAvailableExtensionProperties",
        "getByIds",
        "validateProperties",
    ]
    .into_iter()
    .find(|action| action.eq_ignore_ascii_case(name))
}

/// Returns the name of a type or function that a segment qualifies by its namespace. A user
/// principal name such as `graph.admin@contoso.com` only starts like one.
pub(crate) fn qualified(segment: &str) -> Option<&str> {
    ["microsoft.graph.", "graph."]
        .into_iter()
        .find_map(|namespace| {
            let (start, name) = segment.split_at_checked(namespace.len())?;
            start.eq_ignore_ascii_case(namespace).then_some(name)
        })
        .filter(|name| !name.contains('@'))
}

/// Returns the name of a function or an action with or without its namespace.
pub(crate) fn unqualified(segment: &str) -> &str {
    qualified(segment).unwrap_or(segment)
}

/// Writes `$Count`, `$REF` and `$value` in lower case: names in paths are case-insensitive.
pub(crate) fn system_segment(segment: Cow<'_, str>) -> Cow<'_, str> {
    ["$count", "$ref", "$value"]
        .into_iter()
        .find(|name| name.eq_ignore_ascii_case(&segment))
        .map_or(segment, Cow::Borrowed)
}

/// Returns the documented action of a collection of that name.
pub(crate) fn action_of_set(kind: Kind, segment: &str) -> Option<&'static str> {
    let name = unqualified(segment);
    let entity = kind.entity();
    let length = entity.set.len() + name.len() + 2;
    let is_action = |row: &&Operation| row.path.len() == length && row.method == "POST";
    let actions = entity.operations.iter().filter(is_action);
    let mut names = actions.filter_map(|row| {
        let rest = row.path.strip_prefix('/')?.strip_prefix(entity.set)?;
        rest.strip_prefix('/').filter(|name| !name.contains('/'))
    });
    names.find(|action| action.eq_ignore_ascii_case(name))
}

/// Functions and actions of a collection are at the place of a key. Those of types are not
/// supported.
pub(crate) fn is_operation(segment: &str) -> bool {
    const NAMES: [&str; 5] = [
        "delta",
        "getByIds",
        "validateProperties",
        "getAvailableExtensionProperties",
        "getUserOwnedObjects",
    ];
    segment.starts_with('$')
        || qualified(segment).is_some()
        || segment.ends_with(')')
        || NAMES.iter().any(|name| name.eq_ignore_ascii_case(segment))
}

/// Directory objects have GUIDs; a user can also be addressed by user principal name.
pub(crate) fn check_id(kind: Kind, id: &str) -> Result<(), GraphError> {
    if kind.entity().id == IdForm::Guid && id.parse::<entra_core::Guid>().is_err() {
        return Err(GraphError::bad_request(format!(
            "Invalid object identifier '{id}'."
        )));
    }
    Ok(())
}

/// Returns an id in the spelling of the directory.
pub(crate) fn guid(id: &str) -> Result<String, GraphError> {
    id.parse::<entra_core::Guid>()
        .map(|id| id.to_string())
        .map_err(|_| GraphError::bad_request(format!("Invalid object identifier '{id}'.")))
}

/// Decodes percent-encoding. A plus sign is literal in a path.
pub(crate) fn decode(segment: &str) -> Option<Cow<'_, str>> {
    if !segment.contains('%') {
        return Some(Cow::Borrowed(segment));
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let hex = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}
