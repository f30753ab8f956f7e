//! What an app management policy allows of a new certificate.

use entra_core::{Timestamp, format_rfc3339, time::Duration};
use serde_json::{Value, json};

use super::{
    super::parts::Certificate,
    rules::{SPARE, has_exemptions},
};
use crate::{
    areas::{applications::NewCertificate, x509},
    objects::types::{AppKeyCredentialRestrictionType, KeyCredentialConfiguration},
};

/// What an app management policy says about certificates; nothing if it could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct CertificatePolicy {
    /// How long a new certificate may sign in.
    longest: Option<Duration>,
    /// Whether it has to come from an authority that the policy names.
    trusted_only: bool,
}

/// A certificate that is to be added. Two of them are the same whatever their limits, which depend on the time.
#[derive(Clone, Debug)]
pub(in super::super) struct NewKey {
    certificate: Certificate,
    /// From when to when it is to sign in, if the policy allows less than its own validity.
    limits: Option<(Timestamp, Timestamp)>,
}

impl PartialEq for NewKey {
    fn eq(&self, other: &Self) -> bool {
        self.certificate == other.certificate
    }
}

impl CertificatePolicy {
    pub(super) fn of(
        restrictions: &[KeyCredentialConfiguration],
        created: Option<Timestamp>,
    ) -> Self {
        let mut policy = Self::default();
        for restriction in restrictions {
            if !restriction.applies_to_created(created) {
                continue;
            }
            let exempts = has_exemptions(restriction.exclude_actors.as_deref());
            let kind = restriction.restriction_type.as_ref();
            match kind.map(AppKeyCredentialRestrictionType::as_str) {
                Some("asymmetricKeyLifetime") => {
                    let longest = restriction
                        .longest_lifetime()
                        .and_then(|longest| Duration::try_from(longest).ok())
                        // A caller that is exempt may add a shorter one too, unless nothing is left of it.
                        .filter(|longest| !exempts || *longest > SPARE);
                    policy.longest = policy.longest.into_iter().chain(longest).min();
                }
                // Whether this caller is exempt is not known, so Graph decides.
                Some("trustedCertificateAuthority") if exempts => {}
                Some("trustedCertificateAuthority") => policy.trusted_only = true,
                _ => {}
            }
        }
        policy
    }

    /// The certificate within what the policy allows. The start is set by Graph's clock too, so a limit is kept with some
    /// minutes to spare.
    ///
    /// # Errors
    /// Why the policy does not allow it.
    pub(in super::super) fn fit(
        &self,
        certificate: &Certificate,
        now: Timestamp,
    ) -> Result<NewKey, String> {
        let der = certificate.der();
        let name = &certificate.name;
        if self.trusted_only && x509::is_self_signed(&der) {
            return Err(format!(
                "the tenant's app management policy takes certificates of trusted authorities only, so {name:?} cannot be added; use one of these, or a federated credential"
            ));
        }
        let mut new = NewKey {
            certificate: certificate.clone(),
            limits: None,
        };
        let (Some(longest), Some((from, to))) = (self.longest, x509::validity(&der)) else {
            return Ok(new);
        };
        if to - from <= longest {
            return Ok(new);
        }
        // Whole seconds, as certificates have them.
        let start = now.replace_nanosecond(0).unwrap_or(now).max(from);
        let end = start
            .checked_add(longest - SPARE)
            .map_or(to, |end| end.min(to));
        if end <= start {
            return Err(format!(
                "the tenant's app management policy allows no lifetime for the certificate {name:?}, which is valid until {}; use a federated credential, or another certificate",
                to.date()
            ));
        }
        new.limits = Some((start, end));
        Ok(new)
    }

    /// What is not known of a certificate under this policy.
    pub(in super::super) fn doubt(&self, certificate: &Certificate) -> Option<String> {
        self.trusted_only.then(|| {
            format!(
                "the tenant's app management policy takes certificates of trusted authorities only; whether that of {:?} is one of them is not known",
                certificate.name
            )
        })
    }
}

impl NewKey {
    pub(in super::super) fn name(&self) -> &str {
        &self.certificate.name
    }

    /// Whether a list of certificates has it.
    pub(in super::super) fn is_among(&self, keys: &[Value], now: Timestamp) -> bool {
        self.certificate.is_among(keys, now)
    }

    /// The DER in base64.
    pub(in super::super) fn key(&self) -> &str {
        &self.certificate.key
    }

    /// What a plan shows.
    pub(in super::super) fn line(&self) -> String {
        let name = self.name();
        match self.limits {
            Some((_, end)) => format!(
                "certificate {name:?} until {}, as long as the tenant's policy allows",
                end.date()
            ),
            None => format!("certificate {name:?}"),
        }
    }

    /// What `addKey` takes.
    pub(in super::super) fn request(&self) -> NewCertificate {
        let new = NewCertificate::from_key(self.certificate.key.clone(), self.name());
        match self.limits {
            Some((start, end)) => new.starts(start).expires(end),
            None => new,
        }
    }

    /// The entry of the list of certificates.
    pub(in super::super) fn entry(&self) -> Value {
        let mut entry = json!({
            "type": "AsymmetricX509Cert", "usage": "Verify", "key": self.key(), "displayName": self.name(),
        });
        if let Some((start, end)) = self.limits {
            entry["startDateTime"] = json!(format_rfc3339(start));
            entry["endDateTime"] = json!(format_rfc3339(end));
        }
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::types::{
        AppManagementPolicyActorExemptions, CustomSecurityAttributeExemption,
    };

    const PEM: &str = include_str!("../../../../entra-mock/src/keys/client.test-cert.pem");

    fn now() -> Timestamp {
        entra_core::parse_rfc3339("2026-01-31T12:00:00Z").unwrap()
    }

    #[test]
    fn a_certificate_ends_as_late_as_the_shortest_limit_allows() {
        let certificate = Certificate::from_pem("first", PEM).unwrap();
        let limits = [180, 90, 365].map(KeyCredentialConfiguration::limits);
        let policy = CertificatePolicy::of(&limits, Some(now()));
        let new = policy.fit(&certificate, now()).unwrap();
        let (start, end) = new.limits.unwrap();
        assert_eq!(start, now());
        assert_eq!(end, now() + Duration::days(90) - SPARE);
        assert_eq!(new.entry()["endDateTime"], "2026-05-01T11:55:00Z");
        assert!(new.line().contains("until 2026-05-01"), "{}", new.line());
        // It does not depend on the time which step it is.
        let later = policy.fit(&certificate, now() + Duration::DAY).unwrap();
        assert_eq!(new, later);

        let none = CertificatePolicy::of(&[KeyCredentialConfiguration::limits(0)], Some(now()));
        let why = none.fit(&certificate, now()).unwrap_err();
        assert!(why.contains("allows no lifetime"), "{why}");
        for open in [
            CertificatePolicy::default(),
            CertificatePolicy::of(&[KeyCredentialConfiguration::limits(50_000)], Some(now())),
        ] {
            assert_eq!(open.fit(&certificate, now()).unwrap().limits, None);
        }
    }

    /// Whether a caller is exempt is not known, and the shorter one is right for both.
    #[test]
    fn a_limit_that_exempts_some_callers_counts_as_well() {
        let certificate = Certificate::from_pem("first", PEM).unwrap();
        let exempting = |days| {
            let attribute = CustomSecurityAttributeExemption::default();
            let exempt = AppManagementPolicyActorExemptions::default()
                .custom_security_attributes([attribute]);
            KeyCredentialConfiguration::limits(days).exclude_actors(exempt)
        };
        let policy = CertificatePolicy::of(&[exempting(90)], Some(now()));
        let new = policy.fit(&certificate, now()).unwrap();
        let (_, end) = new.limits.unwrap();
        assert_eq!(end, now() + Duration::days(90) - SPARE);
        let none = CertificatePolicy::of(&[exempting(0)], Some(now()));
        assert_eq!(none.fit(&certificate, now()).unwrap().limits, None);
    }

    #[test]
    fn a_self_signed_certificate_is_of_no_trusted_authority() {
        let certificate = Certificate::from_pem("first", PEM).unwrap();
        let trusted = KeyCredentialConfiguration::default()
            .restriction_type(AppKeyCredentialRestrictionType::from(
                "trustedCertificateAuthority",
            ))
            .state(crate::objects::types::AppManagementRestrictionState::Enabled);
        let policy = CertificatePolicy::of(&[trusted], Some(now()));
        let why = policy.fit(&certificate, now()).unwrap_err();
        assert!(why.contains("trusted authorities only"), "{why}");
        assert!(policy.doubt(&certificate).is_some());
        assert!(CertificatePolicy::default().doubt(&certificate).is_none());
    }
}
