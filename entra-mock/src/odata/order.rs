//! `$orderby`.

use std::cmp::Ordering;

use super::error::GraphError;
use crate::{
    collation::SortKey,
    schema::{EntityType, Mode, Type},
    store::Object,
};

/// A checked `$orderby`: properties, each ascending or descending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    by: Vec<Criterion>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Criterion {
    property: &'static str,
    value: Type,
    descending: bool,
}

impl Order {
    /// Reads and checks an `$orderby`. Together with `$filter` it is an advanced query.
    pub(crate) fn parse(
        text: &str,
        entity: &EntityType,
        advanced: bool,
        filtered: bool,
    ) -> Result<Self, GraphError> {
        let mut by = Vec::new();
        for part in text.split(',') {
            let mut words = part.split_whitespace();
            let (path, direction, rest) = (words.next(), words.next(), words.next());
            let descending = match direction.map(str::to_ascii_lowercase).as_deref() {
                None | Some("asc") => false,
                Some("desc") => true,
                Some(_) => return Err(syntax(text)),
            };
            let (Some(path), None) = (path, rest) else {
                return Err(syntax(text));
            };
            let first = path.split('/').next().unwrap_or_default();
            let Some(property) = entity.property(first) else {
                return Err(GraphError::no_property(
                    "Invalid orderby clause",
                    first,
                    entity.name,
                ));
            };
            let mode = entity
                .order
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(path))
                .map_or(Mode::No, |(_, mode)| *mode);
            let rejected = match mode {
                Mode::No => true,
                Mode::Basic => entity.directory && filtered && !advanced,
                Mode::Advanced => !advanced,
            };
            if rejected {
                return Err(GraphError::unsupported_query(
                    "Sorting not supported for current query.",
                ));
            }
            by.push(Criterion {
                property: property.name,
                value: property.value,
                descending,
            });
        }
        Ok(Self { by })
    }

    pub(crate) fn keys<'a>(&self, object: &'a Object) -> Vec<SortKey<'a>> {
        self.by
            .iter()
            .map(|by| object.sort_key(by.property, by.value))
            .collect()
    }

    /// The property that is compared first, its type, and whether the order is descending.
    pub(crate) fn first(&self) -> Option<(&'static str, Type, bool)> {
        let by = self.by.first()?;
        Some((by.property, by.value, by.descending))
    }

    /// Whether one property alone decides about the order.
    pub(crate) fn is_simple(&self) -> bool {
        self.by.len() == 1
    }

    pub(crate) fn properties(&self) -> impl Iterator<Item = &str> {
        self.by.iter().map(|by| by.property)
    }

    pub(crate) fn compare(&self, left: &[SortKey<'_>], right: &[SortKey<'_>]) -> Ordering {
        self.by
            .iter()
            .zip(left.iter().zip(right))
            .map(|(by, (left, right))| {
                let ordering = left.compare(right);
                if by.descending {
                    ordering.reverse()
                } else {
                    ordering
                }
            })
            .find(|ordering| ordering.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

fn syntax(text: &str) -> GraphError {
    GraphError::bad_request(format!("Invalid orderby clause: Syntax error in '{text}'."))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::store::Kind;

    fn parse(kind: Kind, text: &str, advanced: bool, filtered: bool) -> Result<Order, GraphError> {
        Order::parse(text, kind.entity(), advanced, filtered)
    }

    #[test]
    fn default_mode_sorts_users_by_name_only() {
        assert!(parse(Kind::User, "displayName desc", false, false).is_ok());
        assert!(parse(Kind::User, "userPrincipalName asc", false, false).is_ok());
        for (kind, text, filtered) in [
            (Kind::User, "displayName", true),
            (Kind::User, "createdDateTime", false),
            (Kind::Application, "displayName", false),
        ] {
            let error = parse(kind, text, false, filtered).unwrap_err();
            assert_eq!(error.code, "Request_UnsupportedQuery", "{text}");
            assert!(parse(kind, text, true, filtered).is_ok(), "{text}");
        }
        assert_eq!(
            parse(Kind::User, "jobTitle", true, false).unwrap_err().code,
            "Request_UnsupportedQuery"
        );
        assert!(parse(Kind::DirectoryAudit, "activityDateTime desc", false, true).is_ok());
    }

    #[test]
    fn malformed_or_unknown_orders_are_a_400() {
        for text in [
            "",
            "displayName up",
            "displayName desc now",
            "displayName,",
            "colour",
        ] {
            assert_eq!(
                parse(Kind::User, text, true, false).unwrap_err().code,
                "Request_BadRequest",
                "{text}"
            );
        }
    }

    #[test]
    fn nulls_sort_first_and_case_is_ignored() {
        let order = parse(
            Kind::User,
            "displayName,userPrincipalName desc",
            false,
            false,
        )
        .unwrap();
        let keys = |value: Value| -> Vec<SortKey<'static>> {
            let object = Object::from(value.as_object().cloned().unwrap());
            order
                .keys(&object)
                .into_iter()
                .map(SortKey::into_owned)
                .collect()
        };
        let no_values = keys(json!({}));
        let a1 = keys(json!({"displayName": "a", "userPrincipalName": "1"}));
        let a2 = keys(json!({"displayName": "A", "userPrincipalName": "2"}));
        let b = keys(json!({"displayName": "B"}));
        assert_eq!(order.compare(&no_values, &a1), Ordering::Less);
        assert_eq!(order.compare(&a2, &a1), Ordering::Less);
        assert_eq!(order.compare(&a1, &b), Ordering::Less);
        assert_eq!(order.compare(&b, &b), Ordering::Equal);
    }
}
