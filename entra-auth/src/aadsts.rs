use std::sync::LazyLock;

use crate::ErrorKind;

/// What is known about one of Entra's error numbers, the digits of `AADSTS…`.
///
/// ```
/// use entra_auth::Aadsts;
/// let expired = Aadsts::lookup(7000222).ok_or("a known number")?;
/// assert_eq!(expired.oauth_error(), Some("invalid_client"));
/// assert!(!expired.is_retryable());
/// assert!(expired.fix().contains("add a new secret"));
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aadsts {
    code: u32,
    name: &'static str,
    oauth_error: Option<&'static str>,
    retryable: bool,
    class: Class,
    cause: Option<&'static str>,
    fix: Option<&'static str>,
}

impl Aadsts {
    /// The entry of a number, if it is known.
    #[must_use]
    pub fn lookup(code: u32) -> Option<&'static Self> {
        TABLE
            .binary_search_by_key(&code, |entry| entry.code)
            .ok()
            .map(|at| &TABLE[at])
    }

    /// Every known number, in ascending order.
    #[must_use]
    #[inline]
    pub fn all() -> &'static [Self] {
        &TABLE
    }

    /// The number.
    #[must_use]
    pub const fn code(&self) -> u32 {
        self.code
    }

    /// Entra's own name for it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The OAuth error that usually comes with it; none when it only shows on a sign-in page.
    #[must_use]
    pub const fn oauth_error(&self) -> Option<&'static str> {
        self.oauth_error
    }

    /// Whether the same request may succeed later without any change.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// What happened, in a few words.
    #[must_use]
    pub const fn summary(&self) -> &'static str {
        self.class.summary()
    }

    /// Why it happens, for the numbers that integrators meet most.
    #[must_use]
    pub const fn cause(&self) -> Option<&'static str> {
        self.cause
    }

    /// What to do about it.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        match self.fix {
            Some(fix) => fix,
            None => self.class.fix(),
        }
    }

    pub(crate) const fn class(&self) -> Class {
        self.class
    }

    fn parse(line: &'static str) -> Option<Self> {
        let mut columns = line.split('\t');
        let code = columns.next()?.parse().ok()?;
        let name = columns.next()?;
        let mut text = || columns.next().filter(|text| !text.is_empty());
        let (oauth_error, retryable) = (text(), text().is_some());
        Some(Self {
            code,
            name,
            oauth_error,
            retryable,
            class: Class::parse(text()?)?,
            cause: text(),
            fix: text(),
        })
    }
}

/// The subject of an error response. It decides the kind of error, and the summary of numbers without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    App,
    Certificate,
    Client,
    Consent,
    Device,
    DeviceCode,
    Federated,
    Federation,
    Grant,
    Interaction,
    Policy,
    Redirect,
    Request,
    Resource,
    Secret,
    Service,
    Tenant,
    Throttled,
    User,
}

impl Class {
    /// The class of an error whose number is not in the table.
    pub(crate) fn of_oauth_error(oauth_error: &str) -> Self {
        match oauth_error {
            "invalid_client" => Self::Client,
            "unauthorized_client" => Self::App,
            "invalid_scope" | "invalid_resource" => Self::Resource,
            "invalid_grant" => Self::Grant,
            "interaction_required" | "login_required" => Self::Interaction,
            "consent_required" => Self::Consent,
            "access_denied" => Self::Policy,
            "invalid_tenant" | "invalid_instance" => Self::Tenant,
            "temporarily_unavailable" | "server_error" => Self::Service,
            "authorization_pending" | "slow_down" | "expired_token" | "bad_verification_code" => {
                Self::DeviceCode
            }
            _ => Self::Request,
        }
    }

    pub(crate) const fn kind(self) -> ErrorKind {
        match self {
            Self::Client | Self::Secret | Self::Certificate | Self::Federated => {
                ErrorKind::InvalidClient
            }
            Self::Interaction | Self::Consent | Self::Grant => ErrorKind::InteractionRequired,
            Self::Throttled => ErrorKind::Throttled,
            Self::Service => ErrorKind::Service,
            Self::App
            | Self::Device
            | Self::DeviceCode
            | Self::Federation
            | Self::Policy
            | Self::Redirect
            | Self::Request
            | Self::Resource
            | Self::Tenant
            | Self::User => ErrorKind::Rejected,
        }
    }

    pub(crate) const fn summary(self) -> &'static str {
        match self {
            Self::App => "application was rejected",
            Self::Certificate => "certificate or assertion is invalid",
            Self::Client => "client credential is invalid",
            Self::Consent => "consent is missing",
            Self::Device => "device was rejected",
            Self::DeviceCode => "device code is invalid",
            Self::Federated => "federated token is invalid",
            Self::Federation => "sign-in through another identity provider failed",
            Self::Grant => "authorization code or refresh token is invalid",
            Self::Interaction => "user has to sign in interactively",
            Self::Policy => "policy blocks the token",
            Self::Redirect => "redirect URI is invalid",
            Self::Request => "token request is invalid",
            Self::Resource => "scope is invalid",
            Self::Secret => "client secret is invalid",
            Self::Service => "sign-in service failed",
            Self::Tenant => "tenant is invalid",
            Self::Throttled => "sign-in service asked to slow down",
            Self::User => "user was rejected",
        }
    }

    pub(crate) const fn fix(self) -> &'static str {
        match self {
            Self::App => {
                "compare client id and tenant with the registration's Overview page, and check that the application is enabled"
            }
            Self::Certificate => {
                "check that the certificate is registered on this application and has not expired, and that its private key signs the assertion"
            }
            Self::Client => {
                "send a valid secret, certificate or federated token of this application"
            }
            Self::Consent => "have an administrator grant consent under API permissions",
            Self::Device => {
                "the user or IT must register, enable or repair the device; the app can only say so"
            }
            Self::DeviceCode => "start another device sign-in",
            Self::Federated => {
                "compare issuer, subject and audience of the token with the federated credential"
            }
            Self::Federation => {
                "check the setup of the federation, and look up the correlation id in the other provider's log"
            }
            Self::Grant => "start a new sign-in and redeem its code at once",
            Self::Interaction => "send the user through an interactive sign-in",
            Self::Policy => {
                "an administrator finds the policy in the sign-in log by the correlation id and changes it or admits this identity"
            }
            Self::Redirect => {
                "register the address under Authentication exactly as the app sends it"
            }
            Self::Request => "correct the parameter that the service's message names",
            Self::Resource => {
                "request one resource as {resource}/.default, by the name it has in this tenant"
            }
            Self::Secret => {
                "in App registrations > Certificates & secrets add a new secret and use its Value"
            }
            Self::Service => {
                "try again later; if the error persists, check Entra's service health and give the correlation id to support"
            }
            Self::Tenant => {
                "check the tenant id or domain, and that the sign-in host belongs to the tenant's cloud"
            }
            Self::Throttled => {
                "wait as long as the response says, and use one token for many calls"
            }
            Self::User => {
                "an administrator finds the account's state in the sign-in log by the correlation id"
            }
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "app" => Self::App,
            "certificate" => Self::Certificate,
            "client" => Self::Client,
            "consent" => Self::Consent,
            "device" => Self::Device,
            "device_code" => Self::DeviceCode,
            "federated" => Self::Federated,
            "federation" => Self::Federation,
            "grant" => Self::Grant,
            "interaction" => Self::Interaction,
            "policy" => Self::Policy,
            "redirect" => Self::Redirect,
            "request" => Self::Request,
            "resource" => Self::Resource,
            "secret" => Self::Secret,
            "service" => Self::Service,
            "tenant" => Self::Tenant,
            "throttled" => Self::Throttled,
            "user" => Self::User,
            _ => return None,
        })
    }
}

/// One line per number, ascending; parsed at the first error, so a program without any pays nothing.
const SOURCE: &str = include_str!("aadsts.tsv");

static TABLE: LazyLock<Vec<Aadsts>> = LazyLock::new(|| rows().filter_map(Aadsts::parse).collect());

#[inline]
fn rows() -> impl Iterator<Item = &'static str> {
    SOURCE.lines().filter(|line| !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_row_is_read_and_the_numbers_ascend_without_doubles() {
        assert_eq!(Aadsts::all().len(), rows().count());
        assert!(
            Aadsts::all()
                .windows(2)
                .all(|pair| pair[0].code < pair[1].code)
        );
        for entry in Aadsts::all() {
            assert_eq!(Aadsts::lookup(entry.code), Some(entry));
        }
        assert_eq!(Aadsts::lookup(0), None);
        assert_eq!(Aadsts::lookup(u32::MAX), None);
    }

    #[test]
    fn every_text_is_one_trimmed_line_that_goes_into_a_sentence() {
        for entry in Aadsts::all() {
            let texts = [entry.cause(), Some(entry.fix()), Some(entry.summary())];
            for text in texts.into_iter().flatten() {
                assert_eq!(text, text.trim(), "{}", entry.code);
                assert!(text.len() > 10, "{}: {text}", entry.code);
                assert!(
                    text.ends_with(|last: char| last.is_alphanumeric() || ")}\"`".contains(last)),
                    "{}: {text}",
                    entry.code
                );
                assert!(
                    text.starts_with(|first: char| !first.is_whitespace()),
                    "{}",
                    entry.code
                );
            }
            assert_eq!(
                entry.cause.is_some(),
                entry.fix.is_some(),
                "{}: cause and fix come together",
                entry.code
            );
        }
        assert!(
            Aadsts::all()
                .iter()
                .filter(|entry| entry.cause.is_some())
                .count()
                >= 120
        );
    }

    #[test]
    fn numbers_known_from_reports_have_cause_and_fix() {
        for code in [
            9_010_010, 650_053, 650_051, 7_000_229, 1_001_010, 700_222, 7_002_138, 70_025, 500_014,
            700_038, 530_084, 900_439, 50_052, 900_941, 500_341, 9_002_331, 9_002_346, 500_200,
            65_006, 90_135, 500_111, 500_277, 500_581, 501_314, 50_201, 130_500, 392_700, 399_284,
            700_081, 530_003, 1_002_016, 500_571, 28_000,
        ] {
            let entry = Aadsts::lookup(code).unwrap();
            assert!(entry.cause().is_some() && !entry.is_retryable(), "{code}");
        }
        // The secret is valid, so the fix must not ask for another one.
        let missing = Aadsts::lookup(7_000_229).unwrap();
        assert!(missing.cause().unwrap().contains("no service principal"));
        assert_eq!(missing.class().kind(), ErrorKind::Rejected);
    }

    #[test]
    fn the_kind_of_error_agrees_with_the_oauth_error() {
        for entry in Aadsts::all() {
            match entry.oauth_error {
                Some("temporarily_unavailable") => assert!(
                    matches!(
                        entry.class.kind(),
                        ErrorKind::Service | ErrorKind::Throttled
                    ),
                    "{}",
                    entry.code
                ),
                Some("server_error") => {
                    assert_eq!(entry.class.kind(), ErrorKind::Service, "{}", entry.code);
                }
                Some("interaction_required" | "login_required") => assert_eq!(
                    entry.class.kind(),
                    ErrorKind::InteractionRequired,
                    "{}",
                    entry.code
                ),
                _ => {}
            }
        }
    }

    #[test]
    fn the_catalogue_agrees_with_the_facts() {
        let Ok(folder) = std::env::var("ENTRA_FACTS") else {
            println!("skipped: ENTRA_FACTS does not name a folder with aadsts-errors.json");
            return;
        };
        let text =
            std::fs::read_to_string(std::path::Path::new(&folder).join("aadsts-errors.json"))
                .unwrap();
        let facts: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        // Numbers that only reports know are beside those of the documentation.
        let ours: BTreeMap<u64, _> = Aadsts::all()
            .iter()
            .map(|entry| (u64::from(entry.code), entry))
            .collect();
        for fact in &facts {
            let code = fact["code"].as_u64().unwrap();
            let entry = ours[&code];
            assert_eq!(fact["oauth_error"].as_str(), entry.oauth_error, "{code}");
            assert_eq!(
                fact["retryable"].as_bool().unwrap(),
                entry.retryable,
                "{code}"
            );
            assert_eq!(fact["name"].as_str().unwrap(), entry.name, "{code}");
            if fact["common"].as_bool() == Some(true) {
                assert!(entry.cause.is_some(), "{code} has a text of its own");
            }
        }
        println!("checked {} numbers", facts.len());
    }
}
