//! Types of entra-graph without a case, and why they show no secret.

use crate::Reason;

const DIRECTORY: &str =
    "names, ids and addresses of the directory, which a program reads to show them";
const SETTINGS: &str = "names and settings of an app registration, which any administrator sees";
const TABLE: &str = "a line of a table that this crate has in its sources";
const CONDITION: &str =
    "names of properties and values of the directory to compare with, as a program sets them";
const COUNTS: &str = "counts and ids of directory objects";
const MARKER: &str =
    "a trait, or a type without a value: what is possible with a property or a row";
const UNREACHABLE: &str = "an intermediate form of requests and responses, which no program gets";

/// Types of fields that show nothing, so that a type of them alone does not either.
pub(crate) const FIELDS: &[Reason] = &[
    (
        "Body",
        "its `Debug` shows names and lengths; the case of NewUser formats one with a password",
    ),
    (
        "GraphClient",
        "it has a case of its own, with a secret in its credential",
    ),
    ("Operation", TABLE),
    ("Reference", DIRECTORY),
];

pub(crate) const WITHOUT_CASE: &[Reason] = &[
    ("GetByIds", DIRECTORY),
    ("MemberCheck", DIRECTORY),
    ("GroupNames", DIRECTORY),
    ("SubscriptionResource", DIRECTORY),
    ("Change", DIRECTORY),
    ("Changed", DIRECTORY),
    ("LinkChange", DIRECTORY),
    ("RemovedReason", DIRECTORY),
    (
        "ErrorDetail",
        "the parts of an error response that a program may show; the body has a case",
    ),
    (
        "Governor",
        "numbers and the size of the tenant; it implements Debug by hand",
    ),
    ("Key", DIRECTORY),
    ("AdditionalData", DIRECTORY),
    ("Json", DIRECTORY),
    (
        "SecretBuffer",
        "its length alone, by an implementation of its own",
    ),
    ("Expanded", DIRECTORY),
    ("PageBody", UNREACHABLE),
    ("NewBody", UNREACHABLE),
    ("FoundBy", UNREACHABLE),
    (
        "LifecycleNotification",
        "ids of a subscription and its tenant, and what happened to it",
    ),
    (
        "ResourceContent",
        "its length alone, by an implementation of its own",
    ),
    ("DirectoryObject", DIRECTORY),
    ("OtherObject", DIRECTORY),
    (
        "CustomSecurityAttributes",
        "names of attribute sets alone, by an implementation of its own",
    ),
    (
        "CustomSecurityAttributeValue",
        "nothing, by an implementation of its own",
    ),
    ("EntityInfo", TABLE),
    ("Filter", CONDITION),
    ("Order", CONDITION),
    ("Search", CONDITION),
    ("NavigationProperty", CONDITION),
    ("Countable", MARKER),
    ("Expandable", MARKER),
    ("Filterable", MARKER),
    ("Orderable", MARKER),
    ("Searchable", MARKER),
    ("Selectable", MARKER),
    ("Toppable", MARKER),
    ("CreateOnly", MARKER),
    ("ReadOnly", MARKER),
    ("Required", MARKER),
    ("UpdateOnly", MARKER),
    ("UpdateRequired", MARKER),
    ("Writable", MARKER),
    ("Operation", TABLE),
    ("place::reference::Reference", DIRECTORY),
    ("PermissionAdvice", "names of permissions, which are public"),
    ("AppliedSecret", SETTINGS),
    ("AuditFinding", SETTINGS),
    ("ExpiringCredential", SETTINGS),
    ("Line", SETTINGS),
    ("ScopeBlueprint", SETTINGS),
    ("AppRoleBlueprint", SETTINGS),
    (
        "registration::parts::credentials::Certificate",
        "the public part of a certificate",
    ),
    ("FederatedCredential", SETTINGS),
    ("Lifetime", "a span of time, as the blueprint has it"),
    (
        "MissingRight",
        "names of operations and permissions, which are public",
    ),
    ("Rotated", "ids of secrets and times, but no value"),
    (
        "RotatedCertificate",
        "ids of certificates and times, but no key",
    ),
    ("Verification", SETTINGS),
    ("registration::verify::Check", SETTINGS),
    ("SyncChange", DIRECTORY),
    (
        "SyncNote",
        "what was met at a kind of objects, with messages of errors, which have cases",
    ),
    ("HeldRemovals", COUNTS),
    ("HeldObjects", COUNTS),
    ("HeldMembers", COUNTS),
    (
        "ApprovalToken",
        "a digest of the removals that it approves, which is printed for the administrator",
    ),
    ("SyncSummary", COUNTS),
    ("DryRun", COUNTS),
];
