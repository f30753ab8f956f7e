//! Replication lag: which errors after a write of our own only say that a replica has not seen it yet.
//!
//! A write that Graph confirmed may be unknown to the replica that serves the next request. This shows as 400, 403, 404
//! and 409, with the codes and messages of real errors. What tells them apart is the kind of call, the response, and
//! how long ago the write was: the same response outside of the window is real, and so is every one without such a write.

use std::time::Duration;

use entra_core::{Idempotency, http::Method};

use crate::error::{Error, ErrorKind};

/// What a rejected call does, which decides what lag looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallKind {
    /// Reads an object or a list.
    Read,
    /// Changes the object that was written.
    Update,
    /// Deletes the object or link that was written.
    Delete,
    /// Adds a part to the object that was written: a secret, a federated credential.
    Add,
    /// Links two objects of which one or both were written: a member, an app role assignment, a grant.
    Assign,
    /// Removes a secret or key that was added.
    RemoveCredential,
    /// Creates an object that refers to what was written.
    Create,
    /// Creates the service principal of the application that was written.
    CreateServicePrincipal,
    /// Creates application and service principal from a template.
    Instantiate,
    /// Uses a permission that was granted.
    #[allow(dead_code, reason = "for callers that grant permissions to themselves")]
    UsePermission,
    /// Requests a token with the application or credential that was written. The code is the number of the AADSTS error.
    #[allow(dead_code, reason = "for callers that sign in with what they wrote")]
    Token,
}

/// A rejected call, as the rule sees it.
#[derive(Clone, Debug)]
pub(crate) struct Rejection<'a> {
    pub(crate) call: CallKind,
    pub(crate) status: u16,
    pub(crate) code: Option<&'a str>,
    /// The codes of the error's details.
    pub(crate) details: Vec<&'a str>,
    pub(crate) text: &'a str,
    /// How long ago this program wrote what the call depends on; `None` if it did not.
    pub(crate) age: Option<Duration>,
}

/// What a rejection means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lag {
    /// A real error.
    No,
    /// Lag: the same request succeeds later.
    Wait,
    /// Lag: it succeeds later, with a new token.
    WaitForToken,
    /// The request may have succeeded although the response says no: look for its result, do not repeat it.
    LookForResult,
}

/// Tells lag from a real error.
#[inline]
pub(crate) fn judge(rejection: &Rejection<'_>) -> Lag {
    let Some(age) = rejection.age else {
        return Lag::No;
    };
    RULES
        .iter()
        .find(|rule| age <= rule.window && rule.matches(rejection))
        .map_or(Lag::No, |rule| rule.means)
}

impl CallKind {
    /// The kind of a call, from its method and its path below the version.
    #[inline]
    pub(crate) fn of(method: &Method, idempotency: Idempotency, path: &str) -> Self {
        let segments = in_collection(path);
        let last = segments.last().copied().unwrap_or_default();
        // A raw request may have it in any case.
        let is = |known: &str| last.eq_ignore_ascii_case(known);
        match *method {
            _ if idempotency == Idempotency::Safe => Self::Read,
            Method::GET | Method::HEAD => Self::Read,
            Method::DELETE => Self::Delete,
            _ if LINKS.iter().any(|known| is(known)) => Self::Assign,
            Method::PATCH | Method::PUT => Self::Update,
            _ if is("removePassword") || is("removeKey") => Self::RemoveCredential,
            _ if is("forceDelete") => Self::Delete,
            _ if is("instantiate") => Self::Instantiate,
            _ if is("servicePrincipals") => Self::CreateServicePrincipal,
            _ if segments.len() == 1 => Self::Create,
            _ => Self::Add,
        }
    }
}

impl<'a> Rejection<'a> {
    /// What Graph rejected, if the error is that; `age` is how long ago the write was that the call depends on.
    #[inline]
    pub(crate) fn of(error: &'a Error, age: Option<Duration>) -> Option<Self> {
        // A write that was made, whatever the reads after it say.
        if error.kind() == ErrorKind::NotSettled {
            return None;
        }
        let (operation, method, path) = error.call()?;
        Some(Self {
            call: CallKind::of(method, operation.idempotency, path),
            status: error.status()?.as_u16(),
            code: error.code(),
            details: error
                .details()
                .iter()
                .filter_map(|detail| detail.code.as_deref())
                .collect(),
            text: error.message(),
            age,
        })
    }
}

impl Error {
    /// Whether this is only replication lag, if this program wrote what the request depends on that long ago.
    ///
    /// A replica of the directory that has not seen a write yet returns 400, 403, 404 or 409 with the text of a real
    /// error. `true` means that the same request succeeds later. `false` for every error outside of the
    /// time in which lag was seen, 2 to 10 minutes depending on the call, and for errors that lag does not
    /// cause.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use std::time::Duration;
    /// let error = graph.user("unknown@contoso.com").get().send().await.unwrap_err();
    /// assert!(error.is_lag(Duration::from_secs(5)));
    /// assert!(!error.is_lag(Duration::from_secs(3600)));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn is_lag(&self, age: Duration) -> bool {
        Rejection::of(self, Some(age)).is_some_and(|rejection| judge(&rejection) == Lag::Wait)
    }
}

/// A response that is lag in a call of one of these kinds, up to an age of the write.
struct Rule {
    calls: &'static [CallKind],
    statuses: &'static [u16],
    sign: Sign,
    window: Duration,
    means: Lag,
}

/// Whether a sign-in that was rejected with this AADSTS code can be one that comes too early: a replica of the sign-in
/// service does not know the application, its credential or its assignment yet.
#[cfg(feature = "connection")]
pub(crate) fn is_sign_in_lag(code: u32) -> bool {
    let code = code.to_string();
    TOKEN_CODES.contains(&code.as_str())
}

/// What in a response is characteristic.
enum Sign {
    /// One of these codes, of the error or of its details, in any case.
    Code(&'static [&'static str]),
    /// The message contains this, in any case.
    Text(&'static str),
    /// The status says enough.
    Any,
}

impl Rule {
    #[inline]
    fn matches(&self, rejection: &Rejection<'_>) -> bool {
        let sign = match self.sign {
            Sign::Any => true,
            Sign::Text(part) => rejection.text.to_ascii_lowercase().contains(part),
            Sign::Code(known) => rejection
                .code
                .into_iter()
                .chain(rejection.details.iter().copied())
                .any(|code| known.iter().any(|one| one.eq_ignore_ascii_case(code))),
        };
        sign && self.calls.contains(&rejection.call) && self.statuses.contains(&rejection.status)
    }
}

const fn rule(
    calls: &'static [CallKind],
    statuses: &'static [u16],
    sign: Sign,
    window: Duration,
) -> Rule {
    Rule {
        calls,
        statuses,
        sign,
        window,
        means: Lag::Wait,
    }
}

/// What was seen of applications, service principals, users and groups in public reports and in tools that retry on it.
static RULES: &[Rule] = {
    use CallKind::{
        Add, Assign, Create, CreateServicePrincipal, Delete, Instantiate, Read, RemoveCredential,
        Token, Update, UsePermission,
    };
    &[
        // The application exists by then, so a second request would create a second one.
        Rule {
            means: Lag::LookForResult,
            ..rule(&[Instantiate], &[404], Sign::Any, LONG)
        },
        rule(&[Read, Update, Add, Assign], &[404], ABSENT, LONG),
        rule(
            &[Delete, Create, CreateServicePrincipal],
            &[404],
            ABSENT,
            SHORT,
        ),
        // The twin of an application for personal accounts is created after it.
        rule(
            &[Update, Add],
            &[409],
            Sign::Code(&["Error_MsaAppDoesNotExist"]),
            LONG,
        ),
        // The scope or app role was disabled by the update before.
        rule(
            &[Update],
            &[400],
            Sign::Text("unless disabled first"),
            SHORT,
        ),
        // The restore of a service principal needs its application too.
        rule(
            &[CreateServicePrincipal, Add],
            &[400],
            Sign::Code(&["NoBackingApplicationObject"]),
            SHORT,
        ),
        rule(
            &[CreateServicePrincipal, Add],
            &[400],
            Sign::Text("does not reference a valid application object"),
            SHORT,
        ),
        // It reads like a missing permission.
        rule(
            &[CreateServicePrincipal],
            &[403],
            Sign::Text("the backing application"),
            SHORT,
        ),
        rule(
            &[Assign],
            &[400],
            Sign::Text("not a valid reference update"),
            LONG,
        ),
        // The app role was added, or the last one for users was disabled, by an update before.
        rule(
            &[Assign],
            &[400],
            Sign::Text("permission being assigned was not found"),
            SHORT,
        ),
        rule(
            &[Assign, Add, Create, Update],
            &[400],
            Sign::Text("does not exist or one of its queried reference-property objects"),
            LONG,
        ),
        rule(
            &[Create],
            &[400],
            Sign::Text("one or more property values specified are invalid"),
            SHORT,
        ),
        rule(
            &[RemoveCredential],
            &[400, 404],
            Sign::Text("no credentials found to be removed"),
            SHORT,
        ),
        rule(&[RemoveCredential], &[404], ABSENT, SHORT),
        rule(
            &[Delete],
            &[400],
            Sign::Text("removed object references do not exist"),
            SHORT,
        ),
        // Writes on one object that overtake each other.
        rule(
            &[
                Update,
                Delete,
                Add,
                Assign,
                RemoveCredential,
                Create,
                CreateServicePrincipal,
            ],
            &[400, 409],
            Sign::Code(&["Directory_ConcurrencyViolation"]),
            SHORT,
        ),
        rule(&[Token], &[400, 401], Sign::Code(&TOKEN_CODES), LONG),
        Rule {
            means: Lag::WaitForToken,
            ..rule(
                &[UsePermission],
                &[403],
                Sign::Code(&["Authorization_RequestDenied"]),
                LONG,
            )
        },
    ]
};

/// The codes with which the directory says that it has no such object.
const ABSENT: Sign = Sign::Code(&[
    "Request_ResourceNotFound",
    "ResourceNotFound",
    "Directory_ObjectNotFound",
]);

/// Unknown application, service principal, secret, certificate and federated credential, an older version of a federated
/// credential, and an app role assignment that is required and not known yet.
const TOKEN_CODES: [&str; 12] = [
    "700016", "7000229", "1001010", "7000215", "700027", "70021", "70025", "700211", "700212",
    "700213", "7002138", "501051",
];

/// The segments of a path from its collection on, without the version and what the collection is in.
fn in_collection(path: &str) -> Vec<&str> {
    let all: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let is_container = |part: &&str| {
        let mut known = CONTAINERS.iter();
        known.any(|one| one.eq_ignore_ascii_case(part))
    };
    let containers = all.iter().take_while(|part| is_container(part)).count();
    // A collection can have the name of a container, as that of conditional access policies.
    let start = containers.min(all.len().saturating_sub(1));
    all[start..].to_vec()
}

/// Segments that hold collections and are no object: versions, and singletons.
const CONTAINERS: [&str; 7] = [
    "beta",
    "v1.0",
    "directory",
    "identity",
    "conditionalAccess",
    "policies",
    "roleManagement",
];

/// The last segments of paths that link objects.
const LINKS: [&str; 6] = [
    "$ref",
    "appRoleAssignedTo",
    "appRoleAssignments",
    "oauth2PermissionGrants",
    "roleAssignments",
    "scopedRoleMembers",
];

/// Seconds as a rule, one or two minutes at worst.
const SHORT: Duration = Duration::from_secs(2 * 60);
/// More than five minutes were seen for new principals.
pub(crate) const LONG: Duration = Duration::from_secs(10 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn judged(call: CallKind, status: u16, code: &str, text: &str, age: Option<Duration>) -> Lag {
        // Graph's own code comes first, the specific one in the details.
        let (code, details) = match code.split_once('/') {
            Some((code, detail)) => (code, vec![detail]),
            None => (code, Vec::new()),
        };
        judge(&Rejection {
            call,
            status,
            code: Some(code).filter(|code| !code.is_empty()),
            details,
            text,
            age,
        })
    }

    #[test]
    fn lag_and_real_errors_are_told_apart_by_call_response_and_age() {
        use CallKind::*;
        let absent = "Request_ResourceNotFound";
        let bad = "Request_BadRequest";
        let reference = "Resource 'a' does not exist or one of its queried reference-property objects are not present.";
        let invalid = "One or more property values specified are invalid.";
        let cases: &[(CallKind, u16, &str, &str, Lag)] = &[
            (Read, 404, absent, reference, Lag::Wait),
            (Read, 404, "REQUEST_RESOURCENOTFOUND", "", Lag::Wait),
            (Read, 404, "MailboxNotEnabledForRESTAPI", "", Lag::No),
            (Read, 404, "", "", Lag::No),
            (Read, 403, "Authorization_RequestDenied", "", Lag::No),
            (Read, 400, bad, reference, Lag::No),
            (Update, 404, absent, "", Lag::Wait),
            (Update, 409, "Error_MsaAppDoesNotExist", "", Lag::Wait),
            (
                Update,
                400,
                bad,
                "Property appRoles cannot be deleted or updated unless disabled first.",
                Lag::Wait,
            ),
            (Update, 400, bad, reference, Lag::Wait),
            (Update, 400, bad, "Property 'x' is read-only.", Lag::No),
            (Update, 400, bad, invalid, Lag::No),
            (
                Update,
                409,
                "Request_MultipleObjectsWithSameKeyValue",
                "",
                Lag::No,
            ),
            (Update, 409, "Directory_ConcurrencyViolation", "", Lag::Wait),
            (Update, 400, "Directory_ConcurrencyViolation", "", Lag::Wait),
            (Delete, 404, absent, "", Lag::Wait),
            (
                Delete,
                400,
                bad,
                "One or more removed object references do not exist for the following modified properties: 'owners'.",
                Lag::Wait,
            ),
            (
                Add,
                404,
                absent,
                "Resource 'app-fic' does not exist",
                Lag::Wait,
            ),
            (Add, 409, bad, "", Lag::No),
            (
                Add,
                400,
                "Request_BadRequest/NoBackingApplicationObject",
                "",
                Lag::Wait,
            ),
            (Assign, 404, absent, "", Lag::Wait),
            (Assign, 400, bad, "Not a valid reference update.", Lag::Wait),
            (Assign, 400, bad, reference, Lag::Wait),
            (
                Assign,
                400,
                bad,
                "Permission being assigned was not found on application",
                Lag::Wait,
            ),
            (
                Assign,
                400,
                bad,
                "Permission being assigned already exists on the object",
                Lag::No,
            ),
            (
                Assign,
                400,
                bad,
                "One or more added object references already exist for the following modified properties: 'members'.",
                Lag::No,
            ),
            (
                RemoveCredential,
                400,
                bad,
                "No credentials found to be removed.",
                Lag::Wait,
            ),
            (
                RemoveCredential,
                404,
                "",
                "No credentials found to be removed.",
                Lag::Wait,
            ),
            (RemoveCredential, 404, absent, "", Lag::Wait),
            (Create, 400, bad, invalid, Lag::Wait),
            (Create, 400, bad, reference, Lag::Wait),
            (
                Create,
                400,
                "Request_BadRequest/ObjectConflict",
                "Another object with the same value for property uniqueName already exists.",
                Lag::No,
            ),
            (
                CreateServicePrincipal,
                400,
                "Request_BadRequest/NoBackingApplicationObject",
                "",
                Lag::Wait,
            ),
            (
                CreateServicePrincipal,
                400,
                bad,
                "The appId 'a' of the service principal does not reference a valid application object.",
                Lag::Wait,
            ),
            (
                CreateServicePrincipal,
                403,
                "Authorization_RequestDenied",
                "When using this permission, the backing application of the service principal being created must in the local tenant",
                Lag::Wait,
            ),
            (
                CreateServicePrincipal,
                403,
                "Authorization_RequestDenied",
                "Insufficient privileges to complete the operation.",
                Lag::No,
            ),
            (
                CreateServicePrincipal,
                409,
                "Request_MultipleObjectsWithSameKeyValue",
                "",
                Lag::No,
            ),
            (Instantiate, 404, absent, "", Lag::LookForResult),
            (Instantiate, 400, bad, reference, Lag::No),
            (
                UsePermission,
                403,
                "Authorization_RequestDenied",
                "",
                Lag::WaitForToken,
            ),
            (
                UsePermission,
                403,
                "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
                "",
                Lag::No,
            ),
            (Token, 400, "700016", "", Lag::Wait),
            (Token, 401, "7000215", "", Lag::Wait),
            (Token, 401, "700027", "", Lag::Wait),
            (Token, 400, "70021", "", Lag::Wait),
            (Token, 401, "70025", "", Lag::Wait),
            (Token, 401, "700211", "", Lag::Wait),
            (Token, 401, "700212", "", Lag::Wait),
            (Token, 401, "700213", "", Lag::Wait),
            (Token, 401, "7002138", "", Lag::Wait),
            (Token, 401, "7000229", "", Lag::Wait),
            (Token, 400, "1001010", "", Lag::Wait),
            (Token, 400, "501051", "", Lag::Wait),
            (Token, 400, "50105", "", Lag::No),
            (Token, 401, "7000222", "", Lag::No),
            (Token, 400, "50034", "", Lag::No),
            (Read, 500, absent, "", Lag::No),
            (Read, 429, "TooManyRequests", "", Lag::No),
        ];
        for (call, status, code, text, expected) in cases {
            let at = |age| judged(*call, *status, code, text, age);
            let case = format!("{call:?} {status} {code} {text}");
            assert_eq!(at(Some(MINUTE)), *expected, "{case}");
            assert_eq!(at(Some(11 * MINUTE)), Lag::No, "{case}, long after");
            assert_eq!(at(None), Lag::No, "{case}, not after our write");
        }
    }

    /// The rule for tokens and the connection test go by one list.
    #[cfg(feature = "connection")]
    #[test]
    fn a_code_of_a_sign_in_that_may_come_too_early_is_lag_everywhere() {
        for code in [
            70_021, 70_025, 501_051, 700_016, 700_027, 700_211, 700_212, 700_213, 1_001_010,
            7_000_215, 7_000_229, 7_002_138,
        ] {
            assert!(is_sign_in_lag(code), "{code}");
            let text = code.to_string();
            let rule = judged(CallKind::Token, 401, &text, "", Some(MINUTE));
            assert_eq!(rule, Lag::Wait, "{code}");
        }
        assert_eq!(TOKEN_CODES.len(), 12);
        // Disabled, expired, a clock that is wrong, a policy, a user who is not assigned, no tenant.
        for code in [
            7_000_112, 7_000_222, 700_024, 53_003, 50_105, 50_034, 90_002,
        ] {
            assert!(!is_sign_in_lag(code), "{code}");
            let text = code.to_string();
            let rule = judged(CallKind::Token, 401, &text, "", Some(MINUTE));
            assert_eq!(rule, Lag::No, "{code}");
        }
    }

    #[test]
    fn a_new_principal_may_lag_longer_than_a_disabled_scope() {
        let age = Some(5 * MINUTE);
        let text = "Not a valid reference update";
        assert_eq!(judged(CallKind::Assign, 400, "", text, age), Lag::Wait);
        let text = "cannot be deleted or updated unless disabled first";
        assert_eq!(judged(CallKind::Update, 400, "", text, age), Lag::No);
    }

    #[test]
    fn the_kind_of_a_call_is_read_from_method_and_path() {
        use CallKind::*;
        let cases = [
            ("GET", "/users/a", Read),
            ("DELETE", "/groups/a/members/b/$ref", Delete),
            ("POST", "/domains/contoso.com/forceDelete", Delete),
            ("POST", "/groups/a/members/$ref", Assign),
            ("PUT", "/users/a/manager/$ref", Assign),
            ("POST", "/groups/a/members/$REF", Assign),
            ("POST", "/serviceprincipals", CreateServicePrincipal),
            ("POST", "/servicePrincipals/a/appRoleAssignedTo", Assign),
            ("POST", "/oauth2PermissionGrants", Assign),
            ("POST", "/roleManagement/directory/roleAssignments", Assign),
            ("PATCH", "/applications/a", Update),
            ("PATCH", "/oauth2PermissionGrants/a", Update),
            ("POST", "/applications/a/addPassword", Add),
            (
                "POST",
                "/applications(appId='a')/removePassword",
                RemoveCredential,
            ),
            ("POST", "/applications/a/federatedIdentityCredentials", Add),
            ("POST", "/users", Create),
            ("POST", "/beta/users", Create),
            ("POST", "/directory/administrativeUnits", Create),
            ("POST", "/directory/administrativeUnits/a/extensions", Add),
            ("POST", "/directory/deletedItems/a/restore", Add),
            ("POST", "/v1.0/policies/appManagementPolicies", Create),
            ("POST", "/identity/conditionalAccess/policies", Create),
            ("POST", "/roleManagement/directory/roleDefinitions", Create),
            ("POST", "/rolemanagement/directory/roledefinitions", Create),
            ("POST", "/domains/contoso.com/federationConfiguration", Add),
            ("POST", "/servicePrincipals/a/synchronization/jobs", Add),
            ("POST", "/servicePrincipals", CreateServicePrincipal),
            ("POST", "/applicationTemplates/a/instantiate", Instantiate),
        ];
        for (method, path, expected) in cases {
            let method = method.parse().unwrap();
            let class = Idempotency::of(&method);
            assert_eq!(
                CallKind::of(&method, class, path),
                expected,
                "{method} {path}"
            );
        }
        let action = CallKind::of(
            &Method::POST,
            Idempotency::Safe,
            "/users/a/checkMemberGroups",
        );
        assert_eq!(action, Read);
    }
}
