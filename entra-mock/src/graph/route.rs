//! Parses paths.

mod dns_records;
mod membership_action;
mod methods_path;
mod photo_path;
mod registration_summary;
mod segment;
mod tenant_name;

use std::{borrow::Cow, collections::BTreeSet, sync::OnceLock};

pub(super) use dns_records::DnsRecords;
pub(super) use membership_action::Action;
pub(super) use methods_path::MethodsPath;
pub(super) use photo_path::PhotoPath;
pub(super) use registration_summary::{BY_FEATURE, BY_METHOD, RegistrationSummary};
pub(super) use segment::{decode, guid, qualified};
pub(super) use tenant_name::TenantName;

use segment::{
    action_of_set, check_id, command, documents, is_delta, is_named_delta, is_operation,
    quoted_key, set_action, system_segment,
};

use crate::{
    odata::GraphError,
    permissions::Caller,
    schema::{Deletion, IdForm, Kind, Relationship, SINGLE_ID},
};

/// What a path below the version addresses.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Route {
    pub(super) root: Root,
    pub(super) target: Target,
    /// Whether the path started with `/me`.
    pub(super) me: bool,
}

/// The collection or object at the start of a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Root {
    Set(Kind),
    Object(Kind, ObjectKey),
    /// `/directoryObjects`.
    AnySet,
    /// `/directoryObjects/{id}`.
    Any(String),
    /// `/directory/deletedItems/microsoft.graph.{type}`.
    DeletedSet(Kind),
    /// `/directory/deletedItems/{id}`.
    Deleted(String),
}

/// How an object is addressed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ObjectKey {
    /// `id`, the alternate key, or `None` if the value can be either.
    pub(super) property: Option<&'static str>,
    pub(super) value: String,
}

/// What the path addresses there.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Target {
    /// The items of a collection: the root's own, or those of one of its relationships.
    List {
        relationship: Option<&'static Relationship>,
        cast: Option<Kind>,
    },
    /// The number of items.
    Count {
        relationship: Option<&'static Relationship>,
        cast: Option<Kind>,
    },
    /// The root itself.
    Object,
    /// The target of a single-valued relationship, or one of many by its id.
    Related {
        relationship: &'static Relationship,
        id: Option<String>,
    },
    /// A membership action of the root.
    Action(Action),
    /// `$ref` of a relationship, or of one of its items.
    Reference {
        relationship: &'static Relationship,
        id: Option<String>,
    },
    /// A profile photo.
    Photo(PhotoPath),
    /// The changes of a collection (`delta`).
    Delta(Kind),
    /// The changes of objects of several types (`delta` of directory objects).
    ObjectsDelta,
    /// The directory extensions of an application, or one of them.
    Extensions(Option<String>),
    /// The authentication methods of a user, or one of them.
    AuthenticationMethods(MethodsPath),
    /// The DNS records of a domain.
    DnsRecords(DnsRecords),
    /// The classifications of the delegated permissions of a service principal, or one of them.
    PermissionClassifications(Option<String>),
    /// Provisioning of a service principal or an application, with the segments after `synchronization`.
    Synchronization(Vec<String>),
    /// The licences of a user with their service plans.
    LicenseDetails,
    /// How many users registered which methods or features.
    RegistrationSummary(RegistrationSummary),
    /// The scoped role members of an administrative unit, or one of them.
    ScopedRoleMembers(Option<String>),
    /// How many users and contacts are below the root.
    TransitiveReports,
    /// The role assignments of a principal and of its groups.
    TransitiveRoleAssignments,
    /// The templates of directory roles, or one of them.
    RoleTemplates(Option<String>),
    /// The public information of a tenant.
    TenantInformation(TenantName),
    /// A documented action of an object or a collection.
    Command(&'static str),
}

impl Route {
    /// Parses a path. Returns `None` if it is not supported.
    pub(super) fn parse(path: &str) -> Result<Option<Self>, GraphError> {
        let segments: Option<Vec<Cow<'_, str>>> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| decode(segment).map(system_segment))
            .collect();
        let segments =
            segments.ok_or_else(|| GraphError::bad_request("The request URI is not valid."))?;
        let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
        let Some((&first, rest)) = segments.split_first() else {
            return Ok(None);
        };
        if first.eq_ignore_ascii_case("me") {
            let key = ObjectKey {
                property: Some("id"),
                value: String::new(),
            };
            return Ok(
                below(Root::Object(Kind::User, key), rest).map(|route| Self { me: true, ..route })
            );
        }
        if let Some((set, rest)) = joined_segments(first, rest) {
            return Self::of_set(&set, rest);
        }
        if first.eq_ignore_ascii_case("tenantRelationships") {
            let [call] = rest else {
                return Ok(None);
            };
            return Ok(TenantName::parse(call).map(|name| Self {
                root: Root::AnySet,
                target: Target::TenantInformation(name),
                me: false,
            }));
        }
        if first.eq_ignore_ascii_case("roleManagement")
            && let [application, name] = rest
            && application.eq_ignore_ascii_case("directory")
            && name.eq_ignore_ascii_case("transitiveRoleAssignments")
        {
            return Ok(Some(Self {
                root: Root::AnySet,
                target: Target::TransitiveRoleAssignments,
                me: false,
            }));
        }
        if first.eq_ignore_ascii_case("reports")
            && let [area, call] = rest
            && area.eq_ignore_ascii_case("authenticationMethods")
            && let Some(summary) = RegistrationSummary::parse(call)?
        {
            return Ok(Some(Self {
                root: Root::Set(Kind::UserRegistrationDetails),
                target: Target::RegistrationSummary(summary),
                me: false,
            }));
        }
        if first.eq_ignore_ascii_case("directoryRoleTemplates") {
            return Self::of_role_templates(rest);
        }
        if first.eq_ignore_ascii_case("directory") {
            return Self::of_deleted(rest);
        }
        Self::of_set(first, rest)
    }

    /// Parses `deletedItems` and the segments after it.
    fn of_deleted(rest: &[&str]) -> Result<Option<Self>, GraphError> {
        let Some((_, rest)) = rest
            .split_first()
            .filter(|(name, _)| name.eq_ignore_ascii_case("deletedItems"))
        else {
            return Ok(None);
        };
        let cast = |segment: &str| {
            Kind::of_type(qualified(segment)?)
                .filter(|kind| kind.entity().deletion != Deletion::Hard)
        };
        let list = |kind, target| Self {
            root: Root::DeletedSet(kind),
            target,
            me: false,
        };
        Ok(match rest {
            [name] if qualified(name).is_some() => {
                cast(name).map(|kind| list(kind, Self::list(kind).target))
            }
            [name, "$count"] => cast(name).map(|kind| {
                let target = Target::Count {
                    relationship: None,
                    cast: None,
                };
                list(kind, target)
            }),
            [name] if name.eq_ignore_ascii_case("getUserOwnedObjects") => Some(Self {
                root: Root::AnySet,
                target: Target::Command("getUserOwnedObjects"),
                me: false,
            }),
            [id] => Some(Self {
                root: Root::Deleted(guid(id)?),
                target: Target::Object,
                me: false,
            }),
            [id, name] if name.eq_ignore_ascii_case("restore") => Some(Self {
                root: Root::Deleted(guid(id)?),
                target: Target::Command("restore"),
                me: false,
            }),
            _ => None,
        })
    }

    fn of_role_templates(rest: &[&str]) -> Result<Option<Self>, GraphError> {
        let id = match rest {
            [] => None,
            [id] if !is_operation(id) => Some(guid(id)?),
            _ => return Ok(None),
        };
        Ok(Some(Self {
            root: Root::Set(Kind::RoleDefinition),
            target: Target::RoleTemplates(id),
            me: false,
        }))
    }

    /// Replaces `/me` by the signed-in user. An application-only token has none.
    pub(super) fn resolve_me(mut self, caller: &Caller) -> Result<Self, GraphError> {
        if self.me {
            let user = caller.user_id.clone().ok_or_else(|| {
                GraphError::new(
                    400,
                    "BadRequest",
                    "/me request is only valid with delegated authentication flow.",
                )
            })?;
            self.root = Root::Object(
                Kind::User,
                ObjectKey {
                    property: Some("id"),
                    value: user,
                },
            );
        }
        Ok(self)
    }

    fn of_set(first: &str, rest: &[&str]) -> Result<Option<Self>, GraphError> {
        // `users('a@b')` and `applications(appId='…')` have their key in the same segment.
        let (name, inline) = match first.split_once('(') {
            Some((name, rest)) => (name, rest.strip_suffix(')')),
            None => (first, None),
        };
        if name.eq_ignore_ascii_case("directoryObjects") {
            if let (None, [name]) = (inline, rest)
                && let Some(action) = set_action(name)
            {
                return Ok(Some(Self {
                    root: Root::AnySet,
                    target: Target::Command(action),
                    me: false,
                }));
            }
            if let (None, [name]) = (inline, rest)
                && is_named_delta(name)
            {
                return Ok(Some(Self {
                    root: Root::AnySet,
                    target: Target::ObjectsDelta,
                    me: false,
                }));
            }
            let (id, target) = match (inline, rest) {
                (None, [id]) if !is_operation(id) => ((*id).to_owned(), Target::Object),
                (None, [id, name]) => match Action::named(name) {
                    Some(action) => (guid(id)?, Target::Action(action)),
                    None => return Ok(None),
                },
                _ => return Ok(None),
            };
            return Ok(Some(Self {
                root: Root::Any(id),
                target,
                me: false,
            }));
        }
        let Some(kind) = Kind::of_set(name).filter(|kind| kind.is_addressed()) else {
            return Ok(None);
        };
        if kind.entity().id == IdForm::Single {
            let key = ObjectKey {
                property: Some("id"),
                value: SINGLE_ID.to_owned(),
            };
            return Ok((first == name && rest.is_empty()).then_some(Self {
                root: Root::Object(kind, key),
                target: Target::Object,
                me: false,
            }));
        }
        if let Some(inline) = inline {
            return Ok(
                inline_key(kind, inline).and_then(|key| below(Root::Object(kind, key), rest))
            );
        }
        if first.contains('(') {
            return Ok(None);
        }
        if let [name] = rest
            && let Some(action) = action_of_set(kind, name)
        {
            return Ok(Some(Self {
                target: Target::Command(action),
                ..Self::list(kind)
            }));
        }
        match rest {
            [] => Ok(Some(Self::list(kind))),
            ["$count"] => Ok(Some(Self {
                target: Target::Count {
                    relationship: None,
                    cast: None,
                },
                ..Self::list(kind)
            })),
            [name] if is_delta(kind, name) => Ok(Some(Self {
                target: Target::Delta(kind),
                ..Self::list(kind)
            })),
            [key, ..] if is_operation(key) => Ok(None),
            [key, rest @ ..] => {
                let key = match template_key(kind, key) {
                    Some(key) => key,
                    None => {
                        check_id(kind, key)?;
                        ObjectKey {
                            property: None,
                            value: (*key).to_owned(),
                        }
                    }
                };
                Ok(below(Root::Object(kind, key), rest))
            }
        }
    }

    fn list(kind: Kind) -> Self {
        Self {
            root: Root::Set(kind),
            target: Target::List {
                relationship: None,
                cast: None,
            },
            me: false,
        }
    }
}

/// Parses `roleTemplateId=…`, the form of the key of a directory role in a segment of its own.
fn template_key(kind: Kind, segment: &str) -> Option<ObjectKey> {
    let (name, value) = segment.split_once('=')?;
    let property = kind.entity().key.filter(|_| kind == Kind::DirectoryRole)?;
    name.eq_ignore_ascii_case(property).then(|| ObjectKey {
        property: Some(property),
        value: value.to_owned(),
    })
}

/// Parses a collection of two or three segments, such as `auditLogs/signIns`, and the segments after
/// it.
fn joined_segments<'a>(first: &str, rest: &'a [&'a str]) -> Option<(String, &'a [&'a str])> {
    static STARTS: OnceLock<BTreeSet<&'static str>> = OnceLock::new();
    let sets = || Kind::ALL.iter().map(|kind| kind.entity().set);
    let starts = STARTS.get_or_init(|| {
        let starts = sets().filter_map(|set| Some(set.split_once('/')?.0));
        starts.collect()
    });
    if !starts.iter().any(|start| start.eq_ignore_ascii_case(first)) {
        return None;
    }
    (1..=2).find_map(|count| {
        let (joined, rest) = rest.split_at_checked(count)?;
        let parent = format!("{first}/{}", joined[..count - 1].join("/"));
        let parent = parent.trim_end_matches('/');
        let (last, _) = joined[count - 1]
            .split_once('(')
            .unwrap_or((joined[count - 1], ""));
        Kind::of_set(&format!("{parent}/{last}"))?;
        Some((format!("{parent}/{}", joined[count - 1]), rest))
    })
}

/// Parses the segments after an object.
fn below(root: Root, rest: &[&str]) -> Option<Route> {
    let Root::Object(kind, _) = &root else {
        return None;
    };
    let Some((&name, rest)) = rest.split_first() else {
        return Some(Route {
            root,
            target: Target::Object,
            me: false,
        });
    };
    if let (Some(action), []) = (Action::find(*kind, name), rest) {
        return Some(Route {
            root,
            target: Target::Action(action),
            me: false,
        });
    }
    if documents(*kind, name)
        && let Some(path) = PhotoPath::parse(name, rest)
    {
        return Some(Route {
            root,
            target: Target::Photo(path),
            me: false,
        });
    }
    if name.eq_ignore_ascii_case("transitiveReports")
        && documents(*kind, "transitiveReports/$count")
    {
        return (rest == ["$count"]).then_some(Route {
            root,
            target: Target::TransitiveReports,
            me: false,
        });
    }
    let of_member = name.eq_ignore_ascii_case("scopedRoleMemberOf");
    if (of_member || name.eq_ignore_ascii_case("scopedMembers")) && documents(*kind, name) {
        return rest.is_empty().then_some(Route {
            root,
            target: Target::ScopedRoleMembers(None),
            me: false,
        });
    }
    if name.eq_ignore_ascii_case("scopedRoleMembers") && documents(*kind, name) {
        let target = match rest {
            [] => Target::ScopedRoleMembers(None),
            [id] => Target::ScopedRoleMembers(Some((*id).to_owned())),
            _ => return None,
        };
        return Some(Route {
            root,
            target,
            me: false,
        });
    }
    if name.eq_ignore_ascii_case("extensionProperties") && documents(*kind, name) {
        let target = match rest {
            [] => Target::Extensions(None),
            [id] => Target::Extensions(Some((*id).to_owned())),
            _ => return None,
        };
        return Some(Route {
            root,
            target,
            me: false,
        });
    }
    if name.eq_ignore_ascii_case("delegatedPermissionClassifications") && documents(*kind, name) {
        let target = match rest {
            [] => Target::PermissionClassifications(None),
            [id] => Target::PermissionClassifications(Some((*id).to_owned())),
            _ => return None,
        };
        return Some(Route {
            root,
            target,
            me: false,
        });
    }
    if name.eq_ignore_ascii_case("synchronization")
        && kind.entity().navigation.contains(&"synchronization")
        && !rest.is_empty()
    {
        let segments = rest.iter().map(|segment| (*segment).to_owned()).collect();
        return Some(Route {
            root,
            target: Target::Synchronization(segments),
            me: false,
        });
    }
    if name.eq_ignore_ascii_case("authentication")
        && *kind == Kind::User
        && let Some(path) = MethodsPath::parse(rest)
    {
        return Some(Route {
            root,
            target: Target::AuthenticationMethods(path),
            me: false,
        });
    }
    if let (true, Some(list), []) = (documents(*kind, name), DnsRecords::named(name), rest) {
        return Some(Route {
            root,
            target: Target::DnsRecords(list),
            me: false,
        });
    }
    if name.eq_ignore_ascii_case("licenseDetails") && documents(*kind, name) && rest.is_empty() {
        return Some(Route {
            root,
            target: Target::LicenseDetails,
            me: false,
        });
    }
    // A POST to a relationship creates an object in it.
    if kind.entity().relationship(name).is_none()
        && let (Some(command), []) = (command(*kind, name), rest)
    {
        return Some(Route {
            root,
            target: Target::Command(command),
            me: false,
        });
    }
    if let Some((name, key)) = name.split_once('(') {
        let relationship = kind.entity().relationship(name)?;
        let (property, key) = quoted_key(key.strip_suffix(')')?)?;
        let known = property.is_none_or(|name| Some(name) == relationship.item_key || name == "id");
        return (known && rest.is_empty()).then_some(Route {
            root,
            target: Target::Related {
                relationship,
                id: Some(key),
            },
            me: false,
        });
    }
    let relationship = kind.entity().relationship(name)?;
    let cast_of = |segment: &str| Kind::of_type(qualified(segment)?);
    let single = !relationship.many;
    // Only objects of several types are cast; an item of one type can be named like a type.
    let typed = |segment: &str| relationship.polymorphic && qualified(segment).is_some();
    let target = match rest {
        [] if single => Target::Related {
            relationship,
            id: None,
        },
        [] => Target::List {
            relationship: Some(relationship),
            cast: None,
        },
        ["$count"] if !single => Target::Count {
            relationship: Some(relationship),
            cast: None,
        },
        [cast] if !single && typed(cast) => Target::List {
            relationship: Some(relationship),
            cast: Some(cast_of(cast)?),
        },
        [cast, "$count"] if !single && typed(cast) => Target::Count {
            relationship: Some(relationship),
            cast: Some(cast_of(cast)?),
        },
        [id] if !single
            && !id.starts_with('$')
            && (!relationship.polymorphic || has_items(relationship)) =>
        {
            Target::Related {
                relationship,
                id: Some((*id).to_owned()),
            }
        }
        ["$ref"] if relationship.written().is_some() => Target::Reference {
            relationship,
            id: None,
        },
        [id, "$ref"] if !single && relationship.written().is_some() && !is_operation(id) => {
            Target::Reference {
                relationship,
                id: Some((*id).to_owned()),
            }
        }
        _ => return None,
    };
    Some(Route {
        root,
        target,
        me: false,
    })
}

/// Whether one object of a relationship with several types can be read below it.
fn has_items(relationship: &Relationship) -> bool {
    let path = format!("{}/{{id}}", relationship.path());
    crate::permissions::operation("GET", &path).is_some()
}

/// Parses the key of an object that is in the segment of its collection.
fn inline_key(kind: Kind, text: &str) -> Option<ObjectKey> {
    let (property, value) = quoted_key(text)?;
    let property = match property {
        None => None,
        Some(name) => Some(
            ["id"]
                .into_iter()
                .chain(kind.alternate_keys())
                .find(|key| key.eq_ignore_ascii_case(name))?,
        ),
    };
    Some(ObjectKey { property, value })
}

#[cfg(test)]
mod tests;
