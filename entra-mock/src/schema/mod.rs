//! What Graph v1.0 says about each entity: its properties, which come back without `$select`, and
//! which operators `$filter` takes on them.
//!
//! The tables are facts from Microsoft's public metadata and documentation in a form of our own;
//! nothing in them is shared with the SDK under test.

use crate::store::Kind;

mod application;
mod assignment;
mod audit;
mod device;
mod grant;
mod group;
mod organization;
mod service_principal;
mod sign_in;
mod sku;
mod user;

/// One entity type.
#[derive(Debug)]
pub(crate) struct Entity {
    /// The type's name without its namespace: `user`.
    pub(crate) name: &'static str,
    /// Where it is listed, as it stands in `@odata.context`: `users`.
    pub(crate) set: &'static str,
    /// Whether it is a directory object, for which the advanced-query rules hold.
    pub(crate) directory: bool,
    /// Whether it may carry properties that the type does not declare (directory extensions).
    pub(crate) open: bool,
    pub(crate) properties: &'static [Property],
    pub(crate) rules: &'static [Rule],
    /// What `$orderby` takes, and in which mode.
    pub(crate) order: &'static [(&'static str, Mode)],
    /// What `$search` splits into words; other properties are searched by their beginning.
    pub(crate) search: &'static [&'static str],
    /// Every relationship the type has, served or not.
    pub(crate) navigation: &'static [&'static str],
}

impl Entity {
    pub(crate) fn of(kind: Kind) -> &'static Self {
        match kind {
            Kind::User => &user::USER,
            Kind::Group => &group::GROUP,
            Kind::Application => &application::APPLICATION,
            Kind::ServicePrincipal => &service_principal::SERVICE_PRINCIPAL,
            Kind::Device => &device::DEVICE,
            Kind::AppRoleAssignment => &assignment::ASSIGNMENT,
            Kind::OAuth2PermissionGrant => &grant::GRANT,
            Kind::Organization => &organization::ORGANIZATION,
            Kind::SubscribedSku => &sku::SKU,
            Kind::SignIn => &sign_in::SIGN_IN,
            Kind::DirectoryAudit => &audit::AUDIT,
        }
    }

    pub(crate) fn property(&self, name: &str) -> Option<&'static Property> {
        self.properties
            .iter()
            .find(|property| property.name == name)
    }

    pub(crate) fn rule(&self, path: &str) -> Option<&'static Rule> {
        // The fifteen extension attributes share one row, written with an N.
        let stem = path.trim_end_matches(|last: char| last.is_ascii_digit());
        if stem.ends_with("/extensionAttribute") {
            let number = path[stem.len()..].parse::<u8>().unwrap_or_default();
            return (1..=15).contains(&number).then(|| {
                self.rules
                    .iter()
                    .find(|rule| rule.path.strip_suffix('N') == Some(stem))
            })?;
        }
        self.rules.iter().find(|rule| rule.path == path)
    }

    /// The type's name as Graph's messages have it.
    pub(crate) fn title(&self) -> String {
        let mut name = self.name.to_owned();
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        name
    }
}

/// One declared property.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Property {
    pub(crate) name: &'static str,
    pub(crate) value: Type,
    pub(crate) many: bool,
    pub(crate) returned: Returned,
}

/// When a property comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Returned {
    /// Unless `$select` leaves it out.
    Always,
    /// When `$select` names it.
    OnSelect,
    /// When `$select` names it, and only for a single object.
    OnSelectAlone,
    /// Not at all; it can only be filtered.
    Never,
}

/// The type of a value, as far as `$filter` cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Text,
    Boolean,
    Int,
    Date,
    Guid,
    Complex,
}

/// Which kind of query something is allowed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Never.
    No,
    /// Always.
    Basic,
    /// With `ConsistencyLevel: eventual` and `$count=true`.
    Advanced,
}

/// What `$filter` takes on one path; `in` goes wherever `eq` does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// Segments separated by slashes, `any` for the elements of a collection.
    pub(crate) path: &'static str,
    pub(crate) leaf: Type,
    pub(crate) eq: Mode,
    pub(crate) starts_with: Mode,
    /// `ge` and `le`.
    pub(crate) range: Mode,
    /// Comparing with `null`.
    pub(crate) null: Mode,
}

/// The only paths that take `endsWith`, and only in an advanced query.
pub(crate) const ENDS_WITH: [&str; 4] = [
    "mail",
    "otherMails/any",
    "userPrincipalName",
    "proxyAddresses/any",
];

/// Whether a name is that of a directory or schema extension, which any open type may carry:
/// `extension_{appId}_name` or `ext{8 characters}_name`.
pub(crate) fn is_extension(name: &str) -> bool {
    let schema = |rest: &str| {
        rest.split_once('_').is_some_and(|(owner, name)| {
            owner.len() == 8
                && owner.chars().all(|char| char.is_ascii_alphanumeric())
                && !name.is_empty()
        })
    };
    name.starts_with("extension_") || name.strip_prefix("ext").is_some_and(schema)
}

impl Property {
    const fn new(name: &'static str, value: Type) -> Self {
        Self {
            name,
            value,
            many: false,
            returned: Returned::OnSelect,
        }
    }

    const fn many(mut self) -> Self {
        self.many = true;
        self
    }

    const fn shown(mut self) -> Self {
        self.returned = Returned::Always;
        self
    }

    const fn alone(mut self) -> Self {
        self.returned = Returned::OnSelectAlone;
        self
    }

    const fn never(mut self) -> Self {
        self.returned = Returned::Never;
        self
    }
}

const fn text(name: &'static str) -> Property {
    Property::new(name, Type::Text)
}

const fn boolean(name: &'static str) -> Property {
    Property::new(name, Type::Boolean)
}

const fn int(name: &'static str) -> Property {
    Property::new(name, Type::Int)
}

const fn date(name: &'static str) -> Property {
    Property::new(name, Type::Date)
}

const fn guid(name: &'static str) -> Property {
    Property::new(name, Type::Guid)
}

const fn complex(name: &'static str) -> Property {
    Property::new(name, Type::Complex)
}

const fn rule(
    path: &'static str,
    leaf: Type,
    eq: Mode,
    starts_with: Mode,
    range: Mode,
    null: Mode,
) -> Rule {
    Rule {
        path,
        leaf,
        eq,
        starts_with,
        range,
        null,
    }
}

#[cfg(test)]
mod tests;
