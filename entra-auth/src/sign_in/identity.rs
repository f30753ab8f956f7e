use std::fmt;

use entra_core::{Cloud, Guid, ObjectId, TenantId, Timestamp, url::Url};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    claim::{is_true, number, texts},
    error::SignInError,
    groups::{GroupSettings, Groups},
    kind::SignInErrorKind,
};

/// The identity of a signed-in user, from a validated ID token.
///
/// Key your data by [`oid`](Self::oid) and [`tid`](Self::tid) together: they never change and are
/// never assigned to another user. Display name, user name and e-mail address are for display, not
/// for decisions. It can be stored in a session; `Debug` shows the two ids only. Every text may be
/// written by users: escape it for display.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Identity {
    /// The user's object id in the tenant: the same for every application. Another provider than Entra can
    /// write any: it is then no user of a directory.
    pub oid: ObjectId,
    /// The tenant that the user signed in to, as a GUID.
    pub tid: TenantId,
    /// An id of the user that differs between applications.
    pub sub: String,
    /// The issuer of the token.
    pub issuer: String,
    /// The name to show.
    pub name: Option<String>,
    /// The user name (UPN); it can change and be assigned to another user later.
    pub username: Option<String>,
    /// The e-mail address, and whether it is verified.
    pub email: Option<Email>,
    /// The application's roles that the user has, by assignment or by a group. A registration that
    /// emits groups as roles puts group names here, which are not app roles, unless the connection
    /// has [`groups_as_roles`](super::SignInClientBuilder::groups_as_roles).
    pub roles: Vec<String>,
    /// The groups in the token.
    pub groups: Groups,
    /// The authentication methods (`amr`), such as `pwd` and `mfa`; empty if the token has none.
    pub amr: Vec<String>,
    /// When the user signed in (`auth_time`), if the token has it.
    pub auth_time: Option<Timestamp>,
    /// Whether the user is a guest in the tenant.
    pub is_guest: bool,
    /// The home tenant of the account, if it is another one and the token names it.
    pub home_tenant: Option<TenantId>,
    /// The session at Entra, which a front-channel sign-out names; an optional claim.
    pub sid: Option<String>,
    /// The opaque hint by which a sign-out finds this account; an optional claim.
    pub login_hint: Option<String>,
    claims: Map<String, Value>,
    /// Whether Entra wrote the claims. `None` in a session of an earlier version.
    #[serde(default)]
    by_entra: Option<bool>,
}

/// An e-mail address with its trust caveat.
///
/// The administrator of any tenant can write any unverified address into a profile. Never use one to
/// link accounts, grant access or identify a user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Email {
    /// Entra confirms that the domain's owner issued the address (`xms_edov`, or a verified
    /// address). Only Entra can verify an address.
    Verified(String),
    /// The address is not verified.
    Unverified(String),
}

impl Identity {
    /// Both ids as one text, to key data by: `{tid}/{oid}`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}", self.tid, self.oid)
    }

    /// All claims of the token.
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// One claim, such as one that a claims mapping adds.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }

    /// Whether the user has this app role.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|known| known == role)
    }

    /// Reads the claims of a validated token, and the home account of the client information.
    pub(super) fn read(
        claims: Map<String, Value>,
        home: Option<(Guid, Guid)>,
        settings: GroupSettings,
    ) -> Result<Self, SignInError> {
        let missing = |what| SignInError::with_detail(SignInErrorKind::TokenRejected, what);
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let owned = |name: &str| text(name).map(str::to_owned);
        let oid: ObjectId = text("oid")
            .and_then(|oid| oid.parse().ok())
            .ok_or_else(|| missing("the ID token has no object id (oid)"))?;
        let tid: Guid = text("tid")
            .and_then(|tid| tid.parse().ok())
            .ok_or_else(|| missing("the ID token has no tenant id (tid)"))?;
        // A user of the home tenant has the same object id in both.
        if home.is_some_and(|(uid, utid)| utid == tid && uid != oid.guid()) {
            return Err(missing(
                "the ID token and the client information beside it name different users",
            ));
        }
        let guest_home = guest_home(text("idp"), tid, home);
        let is_guest = match claims.get("acct").and_then(number) {
            Some(account) => account == 1,
            None => guest_home.is_some(),
        };
        Ok(Self {
            oid,
            tid: TenantId::from(tid),
            sub: owned("sub").ok_or_else(|| missing("the ID token has no subject (sub)"))?,
            issuer: owned("iss").ok_or_else(|| missing("the ID token has no issuer (iss)"))?,
            name: owned("name"),
            username: owned("preferred_username").or_else(|| owned("upn")),
            email: email(&claims),
            roles: settings.roles(texts(&claims, "roles")),
            groups: settings.groups(&claims),
            amr: texts(&claims, "amr"),
            auth_time: claims
                .get("auth_time")
                .and_then(number)
                .and_then(|seconds| Timestamp::from_unix_timestamp(seconds).ok()),
            is_guest,
            home_tenant: guest_home.flatten().map(TenantId::from),
            sid: owned("sid"),
            login_hint: owned("login_hint"),
            claims,
            by_entra: Some(true),
        })
    }
}

impl Identity {
    /// Only Entra verifies addresses and knows object ids; another provider could claim any.
    pub(super) fn of_another_provider(mut self) -> Self {
        self.by_entra = Some(false);
        self.email = self.email.map(|email| match email {
            Email::Verified(address) | Email::Unverified(address) => Email::Unverified(address),
        });
        self
    }

    /// With the entry that an identity of an earlier version lacks, from a connection to Entra.
    pub(super) fn completed_at_entra(mut self) -> Self {
        self.by_entra.get_or_insert(true);
        self
    }

    /// Whether Entra wrote the claims, so that the object id is that of a user in a directory. Without the
    /// entry it is decided by the issuer: no other provider has one at these hosts.
    pub(super) fn is_of_entra(&self) -> bool {
        self.by_entra.unwrap_or_else(|| self.has_issuer_of_entra())
    }

    /// Whether the issuer is the user's tenant at a sign-in service of Entra. Azure AD B2C is none of them: an
    /// administrator's policy there can write any object id.
    pub(super) fn has_issuer_of_entra(&self) -> bool {
        let Ok(issuer) = Url::parse(&self.issuer) else {
            return false;
        };
        let tenant = issuer.path_segments().and_then(|mut path| path.next());
        if tenant != Some(self.tid.to_string().as_str()) {
            return false;
        }
        let host = issuer.host_str().unwrap_or_default();
        let clouds = [Cloud::public(), Cloud::us_government(), Cloud::china()];
        host.ends_with(".ciamlogin.com")
            || clouds.iter().any(|cloud| {
                cloud.authority().host_str() == Some(host)
                    || cloud.authority_aliases().iter().any(|name| name == host)
            })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("oid", &self.oid)
            .field("tid", &self.tid)
            .field("is_guest", &self.is_guest)
            .finish_non_exhaustive()
    }
}

impl Email {
    /// The address if it is verified.
    #[must_use]
    pub fn verified(&self) -> Option<&str> {
        match self {
            Self::Verified(address) => Some(address),
            Self::Unverified(_) => None,
        }
    }

    /// The address for display or messages, verified or not.
    #[must_use]
    pub fn address(&self) -> &str {
        match self {
            Self::Verified(address) | Self::Unverified(address) => address,
        }
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Verified(_) => "Email::Verified",
            Self::Unverified(_) => "Email::Unverified",
        })
    }
}

/// Whether the home tenant of the account is another one, and which, if the token names it.
fn guest_home(idp: Option<&str>, tid: Guid, home: Option<(Guid, Guid)>) -> Option<Option<Guid>> {
    if let Some((_, utid)) = home.filter(|(_, utid)| *utid != tid) {
        return Some(Some(utid));
    }
    let idp = idp?;
    let tenant = idp
        .split('/')
        .find_map(|segment| segment.parse::<Guid>().ok());
    match tenant {
        Some(tenant) if tenant == tid => None,
        Some(tenant) => Some(Some(tenant)),
        // Personal accounts come from live.com and are at home in a tenant of their own.
        None if tid.to_string() == PERSONAL_ACCOUNTS_TENANT => None,
        None => Some(None),
    }
}

fn email(claims: &Map<String, Value>) -> Option<Email> {
    let verified_primary = texts(claims, "verified_primary_email");
    let address = claims.get("email").and_then(Value::as_str);
    let Some(address) = address.filter(|address| !address.is_empty()) else {
        return verified_primary.into_iter().next().map(Email::Verified);
    };
    let same = |known: &String| known.eq_ignore_ascii_case(address);
    let is_verified = verified_primary.iter().any(same)
        || texts(claims, "verified_secondary_email").iter().any(same)
        || claims.get("xms_edov").is_some_and(is_true);
    Some(match is_verified {
        true => Email::Verified(address.to_owned()),
        false => Email::Unverified(address.to_owned()),
    })
}

/// The tenant of personal Microsoft accounts.
const PERSONAL_ACCOUNTS_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OID: &str = "44444444-4444-4444-4444-444444444444";
    const TID: &str = "11111111-1111-1111-1111-111111111111";
    const HOME: &str = "22222222-2222-2222-2222-222222222222";

    fn read(more: &Value, home: Option<(&str, &str)>) -> Result<Identity, SignInError> {
        let mut claims = json!({ "oid": OID, "tid": TID, "sub": "s", "iss": "i" });
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let Value::Object(claims) = claims else {
            unreachable!()
        };
        let home = home.map(|(uid, utid)| (uid.parse().unwrap(), utid.parse().unwrap()));
        Identity::read(claims, home, GroupSettings::default())
    }

    #[expect(clippy::needless_pass_by_value, reason = "reads as `with(json!(..))`")]
    fn with(more: Value) -> Identity {
        read(&more, None).unwrap()
    }

    #[test]
    fn an_address_is_verified_only_by_a_claim_of_entra() {
        let of = |claims: Value| with(claims).email;
        let verified = |address: &str| Some(Email::Verified(address.to_owned()));
        let unverified = |address: &str| Some(Email::Unverified(address.to_owned()));
        let table = [
            (json!({}), None),
            (json!({ "email": "" }), None),
            (json!({ "email": ["a@b.c"] }), None),
            (json!({ "email": "a@b.c" }), unverified("a@b.c")),
            (
                json!({ "email": "a@b.c", "xms_edov": false }),
                unverified("a@b.c"),
            ),
            (
                json!({ "email": "a@b.c", "xms_edov": "0" }),
                unverified("a@b.c"),
            ),
            (
                json!({ "email": "a@b.c", "xms_edov": [true] }),
                unverified("a@b.c"),
            ),
            (
                json!({ "email": "a@b.c", "xms_edov": true }),
                verified("a@b.c"),
            ),
            (
                json!({ "email": "a@b.c", "xms_edov": 1 }),
                verified("a@b.c"),
            ),
            (
                json!({ "email": "a@b.c", "xms_edov": "1" }),
                verified("a@b.c"),
            ),
            (
                json!({ "email": "a@b.c", "xms_edov": "True" }),
                verified("a@b.c"),
            ),
            (
                json!({ "email": "a@b.c", "email_verified": true }),
                unverified("a@b.c"),
            ),
            (
                json!({ "email": "a@b.c", "verified_primary_email": ["x@b.c"] }),
                unverified("a@b.c"),
            ),
            (
                json!({ "email": "A@b.c", "verified_secondary_email": ["a@B.c"] }),
                verified("A@b.c"),
            ),
            (
                json!({ "verified_primary_email": ["x@b.c"] }),
                verified("x@b.c"),
            ),
        ];
        for (claims, expected) in table {
            assert_eq!(of(claims.clone()), expected, "{claims}");
        }
    }

    #[test]
    fn a_guest_is_recognized_by_the_account_type_or_by_another_home_tenant() {
        let sts = |tenant: &str| json!({ "idp": format!("https://sts.windows.net/{tenant}/") });
        let table = [
            (json!({}), None, false, None),
            (json!({}), Some((OID, TID)), false, None),
            (json!({}), Some((HOME, HOME)), true, Some(HOME)),
            (sts(HOME), None, true, Some(HOME)),
            (sts(TID), None, false, None),
            (json!({ "idp": "live.com" }), None, true, None),
            (
                json!({ "idp": "live.com", "tid": PERSONAL_ACCOUNTS_TENANT }),
                None,
                false,
                None,
            ),
            (json!({ "idp": "mail" }), None, true, None),
            (json!({ "acct": 1 }), None, true, None),
            (json!({ "acct": "1" }), None, true, None),
            (json!({ "acct": 0 }), Some((HOME, HOME)), false, Some(HOME)),
        ];
        for (claims, home, guest, tenant) in table {
            let identity = read(&claims, home).unwrap();
            assert_eq!(identity.is_guest, guest, "{claims} {home:?}");
            let found = identity.home_tenant.map(|tenant| tenant.to_string());
            assert_eq!(found.as_deref(), tenant, "{claims} {home:?}");
        }
    }

    #[test]
    fn a_response_that_names_two_users_is_rejected() {
        let error = read(&json!({}), Some((HOME, TID))).unwrap_err();
        assert_eq!(error.kind(), SignInErrorKind::TokenRejected);
    }

    #[test]
    fn a_token_without_ids_is_rejected() {
        for bad in [
            json!({ "oid": null }),
            json!({ "oid": "me" }),
            json!({ "tid": "contoso.com" }),
            json!({ "tid": 5 }),
            json!({ "sub": null }),
            json!({ "iss": null }),
        ] {
            let error = read(&bad, None).unwrap_err();
            assert_eq!(error.kind(), SignInErrorKind::TokenRejected, "{bad}");
        }
    }

    #[test]
    fn optional_claims_of_another_type_are_ignored() {
        let identity = with(json!({
            "name": "Ada", "upn": "ada@contoso.example", "roles": ["Reader", 5], "amr": "pwd",
            "auth_time": "1767322000", "sid": "s-1", "login_hint": "O.x", "mine": { "a": 1 },
        }));
        assert_eq!(identity.username.as_deref(), Some("ada@contoso.example"));
        assert!(identity.has_role("Reader") && !identity.has_role("Writer"));
        assert_eq!((identity.roles.len(), identity.amr.len()), (1, 1));
        assert_eq!(identity.auth_time.unwrap().unix_timestamp(), 1_767_322_000);
        assert_eq!(identity.sid.as_deref(), Some("s-1"));
        assert_eq!(identity.claim("mine"), Some(&json!({ "a": 1 })));
        assert_eq!(identity.key(), format!("{TID}/{OID}"));
        let odd = with(json!({ "name": 5, "auth_time": 1e300, "roles": {}, "acct": "x" }));
        assert_eq!((odd.name, odd.auth_time, odd.is_guest), (None, None, false));
    }

    #[test]
    fn an_identity_can_be_serialized_and_debug_shows_no_name() {
        let identity = with(json!({ "name": "Canary", "email": "canary@b.c", "xms_edov": true }));
        let stored = serde_json::to_string(&identity).unwrap();
        let restored: Identity = serde_json::from_str(&stored).unwrap();
        assert_eq!(restored, identity);
        let shown = format!("{identity:?} {:?}", identity.email);
        assert!(!shown.to_lowercase().contains("canary"), "{shown}");
    }

    #[test]
    fn an_identity_of_an_earlier_version_is_of_entra_by_its_issuer() {
        for (issuer, expected) in [
            (
                format!("https://login.microsoftonline.com/{TID}/v2.0"),
                true,
            ),
            (format!("https://sts.windows.net/{TID}/"), true),
            (format!("https://{TID}.ciamlogin.com/{TID}/v2.0"), true),
            (format!("https://evil.example/{TID}/v2.0"), false),
            (
                format!("https://login.microsoftonline.com.evil.example/{TID}/v2.0"),
                false,
            ),
            (
                format!("https://login.microsoftonline.com@evil.example/{TID}/v2.0"),
                false,
            ),
            ("i".to_owned(), false),
            // Policies of Azure AD B2C can write any object id.
            (format!("https://contoso.b2clogin.com/{TID}/v2.0/"), false),
            (
                format!("https://login.microsoftonline.com/tfp/{TID}/p/v2.0/"),
                false,
            ),
            // A tenant answers for its own users only.
            (
                format!("https://login.microsoftonline.com/{HOME}/v2.0"),
                false,
            ),
        ] {
            let identity = with(json!({ "iss": issuer }));
            assert!(identity.is_of_entra());
            assert!(!identity.clone().of_another_provider().is_of_entra());
            let mut stored = serde_json::to_value(&identity).unwrap();
            stored.as_object_mut().unwrap().remove("by_entra").unwrap();
            let earlier: Identity = serde_json::from_value(stored).unwrap();
            assert_eq!(earlier.is_of_entra(), expected, "{issuer}");
            // The host of a custom cloud is not known, but its connection is.
            assert!(earlier.clone().completed_at_entra().is_of_entra());
            let other = earlier.of_another_provider().completed_at_entra();
            assert!(!other.is_of_entra());
        }
    }
}
