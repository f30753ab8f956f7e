//! The path of the authentication methods of a user.

use std::iter;

use crate::schema::METHOD_TYPES;

/// The methods below `authentication` of a user: all of them or those of one type, or one by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::graph) struct MethodsPath {
    pub(in crate::graph) segment: &'static str,
    /// The type, unless methods of every type are listed.
    pub(in crate::graph) of_type: Option<&'static str>,
    pub(in crate::graph) id: Option<String>,
}

impl MethodsPath {
    pub(in crate::graph) fn parse(segments: &[&str]) -> Option<Self> {
        let (name, id) = match segments {
            [name] => (name, None),
            [name, id] => (name, Some((*id).to_owned())),
            _ => return None,
        };
        let by_type = METHOD_TYPES
            .iter()
            .map(|(segment, name)| (*segment, Some(*name)));
        let mut known = iter::once(("methods", None)).chain(by_type);
        let (segment, of_type) = known.find(|(segment, _)| segment.eq_ignore_ascii_case(name))?;
        Some(Self {
            segment,
            of_type,
            id,
        })
    }
}
