//! The entity types of Graph v1.0: properties, queries, relationships, operations and permissions.
//!
//! The tables are facts from Microsoft's public metadata and documentation (`tables/`), in this
//! crate's own form. Nothing in them is shared with the SDK under test.

mod administrative_unit;
mod app_management_policy;
mod application;
mod application_template;
mod assignment;
mod attribute_set;
mod audit;
mod authentication_method;
mod conditional_access_policy;
mod contact;
mod csdl;
mod device;
mod directory_role;
mod domain;
mod domain_federation;
mod facts;
mod federated_credential;
mod grant;
mod group;
mod invitation;
mod kind;
mod named_location;
mod operation;
mod organization;
mod property;
mod provisioning;
mod registration;
mod relationship;
mod risk_detection;
mod risky_user;
mod risky_user_history;
mod role_assignment;
mod role_definition;
mod security_attribute;
mod service_principal;
mod shared_rules;
mod sign_in;
mod sku;
mod subscription;
mod text_form;
mod user;

pub(crate) use authentication_method::{METHOD_TYPES, METHODS_BY_TYPE};
pub(crate) use csdl::{document as metadata_document, roots};
pub(crate) use domain_federation::DOMAIN_OF;
pub(crate) use facts::{Mismatch, is_required, mismatches, written_members};
pub(crate) use federated_credential::APPLICATION_OF;
pub(crate) use operation::{ANY_OBJECT, Operation};
pub(crate) use property::{Mode, Property, Returned, Rule, Type, Writable};
pub(crate) use relationship::{Context, Relation, Relationship, Source};
pub(crate) use security_attribute::{ATTRIBUTE_OF, WIRE_ID};
pub(crate) use text_form::TextForm;

use kind::kinds;
use property::{boolean, complex, date, guid, int, rule, text};

kinds! {
    User = user::USER;
    Group = group::GROUP;
    Application = application::APPLICATION;
    ServicePrincipal = service_principal::SERVICE_PRINCIPAL;
    Device = device::DEVICE;
    AdministrativeUnit = administrative_unit::ADMINISTRATIVE_UNIT;
    AppManagementPolicy = app_management_policy::APP_MANAGEMENT_POLICY;
    TenantAppManagementPolicy = app_management_policy::TENANT_APP_MANAGEMENT_POLICY;
    ApplicationTemplate = application_template::APPLICATION_TEMPLATE;
    FederatedCredential = federated_credential::FEDERATED_CREDENTIAL;
    DirectoryRole = directory_role::DIRECTORY_ROLE;
    ConditionalAccessPolicy = conditional_access_policy::CONDITIONAL_ACCESS_POLICY;
    Domain = domain::DOMAIN;
    DomainFederation = domain_federation::DOMAIN_FEDERATION;
    RoleDefinition = role_definition::ROLE_DEFINITION;
    RoleAssignment = role_assignment::ROLE_ASSIGNMENT;
    Invitation = invitation::INVITATION;
    NamedLocation = named_location::NAMED_LOCATION;
    AttributeSet = attribute_set::ATTRIBUTE_SET;
    SecurityAttribute = security_attribute::SECURITY_ATTRIBUTE;
    AllowedValue = security_attribute::ALLOWED_VALUE;
    OrgContact = contact::CONTACT;
    AppRoleAssignment = assignment::ASSIGNMENT;
    OAuth2PermissionGrant = grant::GRANT;
    Organization = organization::ORGANIZATION;
    SubscribedSku = sku::SKU;
    Subscription = subscription::SUBSCRIPTION;
    SignIn = sign_in::SIGN_IN;
    DirectoryAudit = audit::AUDIT;
    UserRegistrationDetails = registration::REGISTRATION;
    ProvisioningObjectSummary = provisioning::PROVISIONING;
    RiskyUser = risky_user::RISKY_USER;
    RiskyUserHistoryItem = risky_user_history::RISKY_USER_HISTORY;
    RiskDetection = risk_detection::RISK_DETECTION;
}

/// Everything about one entity type.
///
/// A new type is one file with a value of this type, and its line above. Nothing else in the crate
/// depends on the kind, so a missing decision is a missing field and does not compile.
#[derive(Debug)]
pub(crate) struct EntityType {
    /// The name of the type without its namespace: `user`.
    pub(crate) name: &'static str,
    /// The collection, as in `@odata.context`: `users`.
    pub(crate) set: &'static str,
    /// The list of the control API, or `None` if the type is below `/objects` only.
    #[cfg_attr(
        not(feature = "server"),
        expect(dead_code, reason = "only the server has a control API")
    )]
    pub(crate) control_path: Option<&'static str>,
    /// Whether the rules of advanced queries apply to it.
    pub(crate) directory: bool,
    /// Whether it can have properties that the type does not declare (directory extensions).
    pub(crate) open: bool,
    /// Whether it derives from `directoryObject`: found by its id alone, and available as a cast.
    pub(crate) object: bool,
    pub(crate) id: IdForm,
    /// The property, in addition to `id`, that identifies one object.
    pub(crate) key: Option<&'static str>,
    /// Other unique properties.
    pub(crate) unique: &'static [Unique],
    /// The time property by which a log is ordered.
    pub(crate) log_time: Option<&'static str>,
    pub(crate) premium: Premium,
    /// The query options of a list.
    pub(crate) list_options: &'static [&'static str],
    /// The query options of a single object.
    pub(crate) object_options: &'static [&'static str],
    /// The page sizes, or `None` if a list has only one page.
    pub(crate) pages: Option<PageSizes>,
    pub(crate) visibility: Visibility,
    pub(crate) deletion: Deletion,
    pub(crate) behavior: Behavior,
    pub(crate) creators: Creators,
    /// What an object of the type is as a security principal, or `None` if it is none.
    pub(crate) principal: Option<Principal>,
    /// How an object of the type stands for an application, or `None` if it does not.
    pub(crate) application: Option<ApplicationForm>,
    pub(crate) activities: Activities,
    pub(crate) properties: &'static [Property],
    pub(crate) rules: &'static [Rule],
    /// The properties of `$orderby`, and their modes.
    pub(crate) order: &'static [(&'static str, Mode)],
    /// The properties that `$search` splits into words. It compares the start of all others.
    pub(crate) search: &'static [&'static str],
    /// Every relationship of the type, supported or not.
    pub(crate) navigation: &'static [&'static str],
    /// The supported relationships.
    pub(crate) relationships: &'static [Relationship],
    /// The supported operations with their permissions.
    pub(crate) operations: &'static [Operation],
}

/// The form of an id in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdForm {
    Guid,
    /// The alternate key is accepted as well: a user principal name.
    GuidOrKey,
    /// The id of a user, which this object shares.
    OfUser,
    /// Any text, in lower case.
    Text,
    /// Any text, unchanged.
    CaseSensitive,
    /// None: there is one object, and its path is that of its collection.
    Single,
}

/// Whether reading needs a premium licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Premium {
    No,
    Always,
    /// Documented only for filters: a filter on the audit log is rejected without P1.
    WhenFiltered,
}

/// The permissions that show an object in a list or relationship. Without one of them a caller sees
/// only its id and type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visibility {
    /// Permissions that show the whole object.
    pub(crate) full: &'static [&'static str],
    /// Delegated permissions that show the signed-in user's own object.
    pub(crate) own: &'static [&'static str],
    /// Permissions that show a basic profile.
    pub(crate) basic: &'static [&'static str],
}

/// The objects among which a value is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unique {
    /// Objects of the same type; the value also identifies one object in a path.
    AlternateKey(&'static str),
    /// Objects of the same type.
    InType(&'static str),
    /// All objects of the directory.
    InDirectory(&'static str),
}

/// The users who create objects of a type with a delegated permission, without a directory role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Creators {
    Administrators,
    /// Every member: the default of the tenant's authorization policy.
    Members,
}

/// A type of objects that app roles and directory roles are assigned to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Principal {
    /// The value of `principalType` of an app role assignment.
    pub(crate) name: &'static str,
    /// The value in `allowedMemberTypes` of a role. Groups count as users.
    pub(crate) member_type: &'static str,
    /// The audits of its app role assignments.
    pub(crate) category: &'static str,
    pub(crate) add: &'static str,
    pub(crate) remove: &'static str,
    /// The property that must be true for a directory role, or `None` if every object can have one.
    pub(crate) role_flag: Option<&'static str>,
    /// Whether the groups of an object can be limited to security groups.
    pub(crate) checks_security_groups: bool,
}

/// The part of a type that stands for an application: its registration, or its service principal.
/// `Application.ReadWrite.OwnedBy` covers these types.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ApplicationForm {
    /// The audits of its credentials.
    pub(crate) add_credentials: &'static str,
    pub(crate) remove_credentials: &'static str,
    /// The property of the tenant's app management policy that restricts it.
    pub(crate) restrictions: &'static str,
}

/// What a DELETE does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deletion {
    /// Deletes the object permanently.
    Hard,
    /// Moves it to the deleted items for 30 days.
    Soft {
        /// The parameters of `restore` in beta.
        restored_with: &'static [&'static str],
    },
    /// Moves Microsoft 365 groups to the deleted items, and deletes security groups permanently.
    SoftIfUnified,
}

/// The rules of create and update in addition to the declared ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behavior {
    /// No rules beyond the declared properties and relationships.
    AsDeclared,
    /// The rules of users: names, passwords and mail.
    User,
    /// The rules of groups: types and addresses.
    Group,
    /// The rules of app management policies: what they restrict.
    AppManagementPolicy,
    /// The rules of application registrations: roles, scopes, URIs and credentials.
    Application,
    /// The rules of service principals: one for each application.
    ServicePrincipal,
    /// The rules of delegated permission grants: one for each client, resource and user.
    PermissionGrant,
    /// Creates a guest instead of the object itself.
    Invitation,
    /// The rules of activated directory roles: their template.
    DirectoryRole,
    /// The rules of role definitions: what custom ones allow.
    RoleDefinition,
    /// The rules of role assignments: principal and scope.
    RoleAssignment,
    /// The rules of sets of custom security attributes: their name.
    AttributeSet,
    /// The rules of custom security attributes: name, type, values.
    SecurityAttribute,
    /// The rules of predefined values: each once.
    AllowedValue,
    /// The rules of domains: names, verification, one default domain.
    Domain,
    /// The rules of federation settings: one for each verified domain.
    DomainFederation,
}

/// The names of changes of one type in the directory's audit log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Activities {
    pub(crate) category: &'static str,
    pub(crate) add: &'static str,
    pub(crate) update: &'static str,
    pub(crate) delete: &'static str,
    pub(crate) purge: &'static str,
    pub(crate) restore: &'static str,
    pub(crate) add_member: &'static str,
    pub(crate) remove_member: &'static str,
    pub(crate) add_owner: &'static str,
    pub(crate) remove_owner: &'static str,
    /// The change of values of custom security attributes, of the category `AttributeManagement`;
    /// `None` for types without.
    pub(crate) attribute_values: Option<&'static str>,
    /// The properties with the ids of the objects that an audit names instead of the object itself.
    pub(crate) named: &'static [&'static str],
}

/// The number of items on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageSizes {
    pub(crate) default: usize,
    pub(crate) most: usize,
}

impl Activities {
    const fn of(category: &'static str) -> Self {
        Self {
            category,
            add: "Add object",
            update: "Update object",
            delete: "Delete object",
            purge: "Hard Delete object",
            restore: "Restore object",
            add_member: "Add member",
            remove_member: "Remove member",
            add_owner: "Add owner",
            remove_owner: "Remove owner",
            attribute_values: None,
            named: &[],
        }
    }
}

impl Visibility {
    const fn with(full: &'static [&'static str]) -> Self {
        Self {
            full,
            own: &[],
            basic: &[],
        }
    }
}

const ALL_OPTIONS: &[&str] = &[
    "$count", "$expand", "$filter", "$orderby", "$search", "$select", "$top",
];
const CHILD_OPTIONS: &[&str] = &["$count", "$filter", "$select", "$top"];
const OBJECT_OPTIONS: &[&str] = &["$select", "$expand", "$count"];
const SELECT_ONLY: &[&str] = &["$select"];
const DIRECTORY_PAGES: Option<PageSizes> = Some(PageSizes {
    default: 100,
    most: 999,
});
const LOG_PAGES: Option<PageSizes> = Some(PageSizes {
    default: 1_000,
    most: 1_000,
});

impl EntityType {
    /// The path of one object, as in the table of operations.
    pub(crate) fn object_path(&self) -> String {
        if self.id == IdForm::Single {
            return format!("/{}", self.set);
        }
        format!("/{}/{{id}}", self.set)
    }

    /// Returns every unique property, and whether it is unique among objects of all types.
    pub(crate) fn unique(&self) -> impl Iterator<Item = (bool, &'static str)> + use<> {
        let others = self.unique.iter().map(|unique| match *unique {
            Unique::AlternateKey(name) | Unique::InType(name) => (false, name),
            Unique::InDirectory(name) => (true, name),
        });
        self.key.map(|key| (false, key)).into_iter().chain(others)
    }

    pub(crate) fn property(&self, name: &str) -> Option<&'static Property> {
        self.properties
            .iter()
            .find(|property| property.name.eq_ignore_ascii_case(name))
    }

    /// The types that derive from it and have properties of their own.
    pub(crate) fn derived_types(&self) -> Vec<&'static str> {
        let derived = self.properties.iter().filter_map(|item| item.derived);
        let mut types: Vec<&str> = derived.collect();
        types.sort_unstable();
        types.dedup();
        types
    }

    /// Returns a supported relationship.
    pub(crate) fn relationship(&self, name: &str) -> Option<&'static Relationship> {
        self.relationships
            .iter()
            .find(|relationship| relationship.name.eq_ignore_ascii_case(name))
    }

    /// Returns the name of a relationship, supported or not, in the spelling of the schema.
    pub(crate) fn navigation(&self, name: &str) -> Option<&'static str> {
        self.navigation
            .iter()
            .copied()
            .find(|other| other.eq_ignore_ascii_case(name))
    }

    pub(crate) fn rule(&self, path: &str) -> Option<&'static Rule> {
        // The fifteen extension attributes share one row, written with an N.
        let stem = path.trim_end_matches(|last: char| last.is_ascii_digit());
        if stem.to_ascii_lowercase().ends_with("/extensionattribute") {
            let number = path[stem.len()..].parse::<u8>().unwrap_or_default();
            return (1..=15).contains(&number).then(|| {
                self.rules.iter().find(|rule| {
                    rule.path
                        .strip_suffix('N')
                        .is_some_and(|path| path.eq_ignore_ascii_case(stem))
                })
            })?;
        }
        self.rules
            .iter()
            .find(|rule| rule.path.eq_ignore_ascii_case(path))
    }

    /// The type's name in Graph's messages.
    pub(crate) fn title(&self) -> String {
        let mut name = self.name.to_owned();
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        name
    }
}

/// The template of applications that are not in the gallery (page "applicationTemplate: instantiate").
pub(crate) const ANY_APPLICATION: &str = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621";

/// The id of the only object of a type.
pub(crate) const SINGLE_ID: &str = "00000000-0000-0000-0000-000000000000";

/// The only paths that support `endsWith`, and only in an advanced query.
pub(crate) const ENDS_WITH: [&str; 4] = [
    "mail",
    "otherMails/any",
    "userPrincipalName",
    "proxyAddresses/any",
];

/// Whether a name is a directory or schema extension, which any open type can have:
/// `extension_{appId}_name` or `ext{8 characters}_name`, in any letter case.
pub(crate) fn is_extension(name: &str) -> bool {
    let schema = |rest: &str| {
        rest.split_once('_').is_some_and(|(owner, name)| {
            owner.len() == 8
                && owner.chars().all(|char| char.is_ascii_alphanumeric())
                && !name.is_empty()
        })
    };
    let after = |prefix: &str| {
        let (start, rest) = name.split_at_checked(prefix.len())?;
        start.eq_ignore_ascii_case(prefix).then_some(rest)
    };
    after("extension_").is_some() || after("ext").is_some_and(schema)
}

#[cfg(test)]
mod tests;
