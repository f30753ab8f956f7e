//! Issuers, and the tenant in an issuer.

use entra_core::{Guid, url::Url};

/// The issuer in the metadata of a sign-in service, or of one of its keys.
#[derive(Debug)]
pub(super) struct Issuer {
    before: String,
    tenant: Tenant,
    after: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Tenant {
    /// The issuer names no tenant: another provider than Entra.
    None,
    One(Guid),
    /// A placeholder for any tenant's GUID.
    Any,
}

/// The result of comparing a token's `iss`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// This issuer, for this tenant if it has tenants.
    Yes(Option<Guid>),
    /// The same sign-in service, for another tenant.
    OtherTenant(Guid),
    No,
}

impl Issuer {
    /// An issuer of Entra: a segment of its path is the tenant's GUID, or a placeholder for it.
    pub(super) fn of_tenant(text: &str) -> Option<Self> {
        if let Some((before, after)) = around_placeholder(text) {
            return Some(Self::new(before, Tenant::Any, after));
        }
        let url = Url::parse(text).ok()?;
        let segment = url
            .path_segments()?
            .find(|segment| segment.parse::<Guid>().is_ok())?;
        let at = text.rfind(segment)?;
        let (before, rest) = text.split_at(at);
        let after = rest.get(segment.len()..)?;
        Some(Self::new(before, Tenant::One(segment.parse().ok()?), after))
    }

    /// Any other issuer, which is compared exactly.
    pub(super) fn plain(text: &str) -> Self {
        Self::new(text, Tenant::None, "")
    }

    /// Whether it is a template for every tenant.
    pub(super) fn is_template(&self) -> bool {
        self.tenant == Tenant::Any
    }

    /// The tenant of the issuer, if it names one.
    pub(super) fn tenant(&self) -> Option<Guid> {
        match self.tenant {
            Tenant::One(tenant) => Some(tenant),
            Tenant::None | Tenant::Any => None,
        }
    }

    /// Compares with a token's `iss`: exactly, except for the placeholder of the tenant.
    pub(super) fn compare(&self, iss: &str) -> Match {
        if self.tenant == Tenant::None {
            return match iss == self.before {
                true => Match::Yes(None),
                false => Match::No,
            };
        }
        let found = iss
            .strip_prefix(self.before.as_str())
            .and_then(|rest| rest.strip_suffix(self.after.as_str()))
            .and_then(|found| {
                let tenant: Guid = found.parse().ok()?;
                // One spelling only, so that nothing but the GUID differs.
                found
                    .bytes()
                    .all(|byte| !byte.is_ascii_uppercase())
                    .then_some(tenant)
            });
        match (found, &self.tenant) {
            (Some(found), Tenant::Any) => Match::Yes(Some(found)),
            (Some(found), Tenant::One(tenant)) if found == *tenant => Match::Yes(Some(found)),
            (Some(found), _) => Match::OtherTenant(found),
            (None, _) => Match::No,
        }
    }

    fn new(before: &str, tenant: Tenant, after: &str) -> Self {
        Self {
            before: before.to_owned(),
            tenant,
            after: after.to_owned(),
        }
    }
}

fn around_placeholder(text: &str) -> Option<(&str, &str)> {
    let at = text
        .as_bytes()
        .windows(PLACEHOLDER.len())
        .position(|window| window.eq_ignore_ascii_case(PLACEHOLDER.as_bytes()))?;
    Some((text.get(..at)?, text.get(at + PLACEHOLDER.len()..)?))
}

const PLACEHOLDER: &str = "{tenantid}";

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaa-1111-1111-1111-111111111111";
    const B: &str = "bbbbbbbb-1111-1111-1111-111111111111";

    fn compare(issuer: &str, iss: &str) -> Match {
        Issuer::of_tenant(issuer).unwrap().compare(iss)
    }

    #[test]
    fn a_template_matches_every_tenant_and_nothing_else() {
        for template in [
            "https://login.example/{tenantid}/v2.0",
            "https://login.example/{TenantId}/v2.0",
        ] {
            let yes = compare(template, &format!("https://login.example/{A}/v2.0"));
            assert_eq!(yes, Match::Yes(A.parse().ok()));
            for iss in [
                "https://login.example/{tenantid}/v2.0".to_owned(),
                "https://login.example//v2.0".to_owned(),
                format!("https://login.example/{A}/v2.0/"),
                format!("https://login.example/{A}/"),
                format!("https://login.example/{A}/x/v2.0"),
                format!("https://login.example/{}/v2.0", A.to_uppercase()),
                format!("https://login.example.evil/{A}/v2.0"),
                format!("http://login.example/{A}/v2.0"),
            ] {
                assert_eq!(compare(template, &iss), Match::No, "{iss}");
            }
        }
    }

    #[test]
    fn an_issuer_of_one_tenant_matches_it_and_reports_another_tenant() {
        let own = format!("https://sts.example/{A}/");
        assert_eq!(compare(&own, &own), Match::Yes(A.parse().ok()));
        let other = format!("https://sts.example/{B}/");
        assert_eq!(
            compare(&own, &other),
            Match::OtherTenant(B.parse().unwrap())
        );
        assert_eq!(
            compare(&own, &format!("https://sts.example/{A}")),
            Match::No
        );
        // An external tenant has its GUID in the host as well.
        let external = format!("https://{A}.login.example/{A}/v2.0");
        assert_eq!(compare(&external, &external), Match::Yes(A.parse().ok()));
        assert_eq!(
            compare(&external, &format!("https://{B}.login.example/{B}/v2.0")),
            Match::No
        );
    }

    #[test]
    fn an_entra_issuer_has_its_tenant_in_the_path() {
        assert!(Issuer::of_tenant("https://login.example/common/v2.0").is_none());
        assert!(Issuer::of_tenant("login").is_none());
        assert_eq!(
            Issuer::plain("https://id.example").compare("https://id.example"),
            Match::Yes(None)
        );
        assert_eq!(
            Issuer::plain("https://id.example").compare("https://id.example/"),
            Match::No
        );
    }
}
