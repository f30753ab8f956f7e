//! The credential: what is wrong with it before it is sent, whether Entra accepts it, and until when.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use entra_core::{
    AccessToken, CertificateOutline, Clock, CredentialError, CredentialMaterial, SecretOutline,
    SignInMethod, Timestamp, TokenCredential, TokenRequest,
};

use super::{
    directory::Directory,
    finding::{Check, Finding},
};
use crate::{
    lag::is_sign_in_lag,
    objects::types::{KeyCredential, PasswordCredential},
};

/// The outcome of signing in with a credential.
#[derive(Debug)]
pub(super) enum SignInResult {
    Accepted {
        token: AccessToken,
        /// How long it took until Entra accepted it, if not at once.
        waited: Option<Duration>,
    },
    Rejected {
        error: CredentialError,
        /// Whether it was accepted in between: replication goes on.
        unsettled: bool,
    },
}

/// Signs in, and waits out replication if something may be too new.
pub(super) async fn sign_in(
    credential: &Arc<dyn TokenCredential>,
    scope: &str,
    clock: &dyn Clock,
    wait: Duration,
) -> SignInResult {
    let request = TokenRequest::new([scope]).with_force_refresh();
    let (mut waited, mut accepted_in_a_row) = (Duration::ZERO, 0);
    let mut was_accepted = false;
    for delay in DELAYS.iter().map(|seconds| Duration::from_secs(*seconds)) {
        match credential.token(&request).await {
            Ok(token) => {
                accepted_in_a_row += 1;
                was_accepted = true;
                // One success after a failure may come from a replica that is ahead of the others.
                if waited.is_zero() || accepted_in_a_row == SETTLED {
                    return SignInResult::Accepted {
                        token,
                        waited: (!waited.is_zero()).then_some(waited),
                    };
                }
            }
            Err(error) => {
                accepted_in_a_row = 0;
                let may_lag = error.code().is_some_and(is_sign_in_lag);
                if !may_lag || waited + delay > wait {
                    return SignInResult::Rejected {
                        error,
                        unsettled: was_accepted,
                    };
                }
            }
        }
        clock.sleep(delay).await;
        waited += delay;
    }
    match credential.token(&request).await {
        Ok(token) => SignInResult::Accepted {
            token,
            waited: Some(waited),
        },
        Err(error) => SignInResult::Rejected {
            error,
            unsettled: was_accepted,
        },
    }
}

/// What the test knows of the credential.
#[derive(Debug)]
pub(super) struct Presented<'a> {
    pub(super) method: Option<SignInMethod>,
    pub(super) material: Option<&'a CredentialMaterial>,
    pub(super) now: Timestamp,
}

impl Presented<'_> {
    pub(super) fn secret(&self) -> Option<SecretOutline> {
        match (&self.method, self.material) {
            (Some(SignInMethod::Secret(outline)), _) => Some(*outline),
            (_, Some(CredentialMaterial::Secret(secret))) => Some(SecretOutline::of(secret)),
            _ => None,
        }
    }

    pub(super) const fn certificate(&self) -> Option<&CertificateOutline> {
        match &self.method {
            Some(SignInMethod::Certificate(outline)) => Some(outline),
            _ => None,
        }
    }

    /// Whether the secret may be this one: its value begins with the hint. `None` if that is not known.
    fn has_hint(&self, secret: &PasswordCredential) -> Option<bool> {
        let Some(CredentialMaterial::Secret(value)) = self.material else {
            return None;
        };
        let hint = secret.hint.as_deref().filter(|hint| !hint.is_empty())?;
        Some(value.expose_secret().starts_with(hint))
    }

    /// A certificate out of date, which is known without Entra.
    pub(super) fn out_of_date(&self) -> Option<Finding> {
        let certificate = self.certificate()?;
        let thumbprint = &certificate.thumbprint_sha1;
        let what = if self.now > certificate.not_after {
            format!(
                "certificate {thumbprint} is not valid on this date: it expired on {}",
                certificate.not_after.date()
            )
        } else if self.now < certificate.not_before {
            format!(
                "certificate {thumbprint} is not valid on this date: it starts on {}",
                certificate.not_before.date()
            )
        } else {
            return None;
        };
        Some(
            Finding::error(Check::Credential, what)
                .because("Entra accepts a certificate within its validity only")
                .fix("renew the certificate, upload it under Certificates & secrets > Certificates, then switch to it; check the clock if it should be valid")
                .call("POST /applications/{id}/addKey"),
        )
    }

    /// Entra rejected the secret (7000215).
    pub(super) fn wrong_secret(&self, directory: &Directory) -> Finding {
        let application = directory.application.yes();
        let known: Vec<&PasswordCredential> = application
            .and_then(|one| one.password_credentials.as_ref())
            .into_iter()
            .flatten()
            .collect();
        let again = "Certificates & secrets > New client secret, copy the Value (shown once), then remove the unused one";
        let call = "POST /applications/{id}/addPassword";
        let Some(outline) = self.secret() else {
            return Finding::error(Check::Credential, "the secret is wrong")
                .fix(again)
                .call(call);
        };
        if outline.is_guid {
            let id = match self.material {
                Some(CredentialMaterial::Secret(value)) => value.expose_secret().trim(),
                _ => "",
            };
            let is_it =
                |known: Option<&str>| known.is_some_and(|known| known.eq_ignore_ascii_case(id));
            let of = known
                .iter()
                .find(|secret| is_it(secret.key_id.as_deref()))
                .and_then(|secret| secret.display_name.as_deref())
                .map_or_else(String::new, |name| format!(" of the secret \"{name}\""));
            let other = application.and_then(|one| {
                if is_it(one.app_id.as_deref()) {
                    Some("Application (client) ID")
                } else if is_it(Some(&one.id)) {
                    Some("Object ID")
                } else {
                    None
                }
            });
            let (pasted, why) = match other {
                Some(other) => (
                    other,
                    "it is on the overview of the application; only the Value of a secret signs in",
                ),
                None => (
                    "Secret ID",
                    "the portal shows the Secret ID beside the Value; only the Value signs in",
                ),
            };
            return Finding::error(
                Check::Credential,
                format!("\"{pasted}\" pasted in place of \"Value\": the secret is a GUID{of}"),
            )
            .because(why)
            .fix("Certificates & secrets > make a new secret and copy its Value; it is shown only once")
            .call(call);
        }
        let mut forms = vec![format!("it has {} characters", outline.length)];
        let mut damaged = false;
        for (is, form) in [
            (
                outline.has_white_space_around,
                "starts or ends with white space or a line feed",
            ),
            (outline.is_percent_encoded, "is percent-encoded"),
            (outline.is_quoted, "stands in quotation marks"),
            (
                outline.length < SHORTEST,
                "is shorter than any secret of Entra, so it was cut off",
            ),
        ] {
            if is {
                damaged = true;
                forms.push(form.to_owned());
            }
        }
        let mut why = forms.join(", ");
        let hints: Vec<bool> = known
            .iter()
            .filter_map(|secret| self.has_hint(secret))
            .collect();
        if !hints.is_empty() && hints.iter().all(|fits| !fits) {
            why.push_str("; the 3-character hint of the stored secrets does not fit, so it may belong to another application");
        } else if hints.iter().any(|fits| *fits) {
            why.push_str("; it begins like a stored secret, so it was cut off or changed");
        } else if known.is_empty() && application.is_some() {
            why.push_str("; the application has no secret at all");
        }
        let finding = Finding::error(
            Check::Credential,
            match damaged {
                true => "wrong secret: it was damaged when it was copied",
                false => "wrong secret: Entra does not know it for this application",
            },
        )
        .because(why)
        .call(call);
        match damaged {
            true => finding.fix(format!(
                "paste the Value again as one line; if it is gone: {again}"
            )),
            false => finding.fix(again),
        }
    }

    /// Entra says that the secret has expired (7000222).
    pub(super) fn expired_secret(&self, directory: &Directory) -> Finding {
        let application = directory.application.yes();
        let known = application.and_then(|one| one.password_credentials.as_ref());
        let expired = known.into_iter().flatten().filter(|secret| {
            secret.end_date_time.is_some_and(|end| end <= self.now)
                && self.has_hint(secret) != Some(false)
        });
        let mut what = "the client secret has expired".to_owned();
        if let Some(secret) = expired.max_by_key(|secret| secret.end_date_time)
            && let Some(end) = secret.end_date_time
        {
            what = format!("the client secret expired on {}", end.date());
            if let Some(hint) = secret.hint.as_deref() {
                what.push_str(&format!(" (hint \"{hint}\")"));
            }
        }
        Finding::error(Check::Credential, what)
            .because("its end date has passed")
            .fix("Certificates & secrets > New client secret, put its Value in place, then remove the old one")
            .call("POST /applications/{id}/addPassword")
    }

    /// Entra does not know the certificate (700027).
    pub(super) fn unknown_certificate(&self, directory: &Directory) -> Finding {
        let given = self
            .certificate()
            .map_or("the certificate", |one| one.thumbprint_sha1.as_str());
        let registered: Vec<String> = directory
            .application
            .yes()
            .and_then(|one| one.key_credentials.as_ref())
            .into_iter()
            .flatten()
            .filter(|key| key.usage.as_deref() != Some("Sign"))
            .filter_map(thumbprint)
            .collect();
        let why = match (directory.application.yes().is_some(), registered.is_empty()) {
            (true, true) => "the application has no certificate".to_owned(),
            (true, false) => format!("registered are: {}", registered.join(", ")),
            (false, _) => {
                "it is not among those of the application, or its entry there has expired"
                    .to_owned()
            }
        };
        let what = if registered.iter().any(|one| one == given) {
            format!(
                "wrong key: certificate {given} is registered, but its entry has expired or the key is another one"
            )
        } else {
            format!("unknown certificate: {given} is not uploaded to the application")
        };
        Finding::error(Check::Credential, what)
            .because(why)
            .fix("Certificates & secrets > Certificates > Upload certificate (the public part, .cer)")
            .call("PATCH /applications/{id} keyCredentials for the first one, POST /applications/{id}/addKey after that")
    }

    /// How long the accepted credential is valid, and what lies beside it.
    pub(super) fn expiry(&self, directory: &Directory) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some(certificate) = self.certificate() {
            findings.push(certificate_until(certificate, directory, self.now));
        }
        let application = directory.application.yes();
        let is_expired = |end: Option<Timestamp>| end.is_some_and(|end| end <= self.now);
        let secrets = application.and_then(|one| one.password_credentials.as_ref());
        if self.secret().is_some() {
            // A service principal can have secrets of its own.
            let principal = directory.principal.yes();
            let of_principal = principal.and_then(|one| one.password_credentials.as_ref());
            // The hint of another secret contradicts the value.
            let possible: Vec<&PasswordCredential> = [secrets, of_principal]
                .into_iter()
                .flatten()
                .flatten()
                .filter(|one| !is_expired(one.end_date_time) && self.has_hint(one) != Some(false))
                .collect();
            let fitting: Vec<_> = possible
                .iter()
                .filter(|one| self.has_hint(one) == Some(true))
                .collect();
            let used = match (fitting.as_slice(), possible.as_slice()) {
                ([one], _) => Some(**one),
                ([], [one]) => Some(*one),
                _ => None,
            };
            match used.and_then(|secret| Some((secret, secret.end_date_time?))) {
                Some((secret, end)) => {
                    let name = secret.display_name.as_deref().unwrap_or("without a name");
                    findings.push(until("client secret", name, end, self.now));
                }
                None => findings.push(
                    Finding::unknown(
                        Check::Expiry,
                        "it is not known until when the client secret is valid",
                    )
                    .because(
                        "the test may not read the secrets, or not exactly one of them can be the one that is used",
                    ),
                ),
            }
        }
        let keys = application.and_then(|one| one.key_credentials.as_ref());
        let old_keys = keys.into_iter().flatten();
        let old_keys = old_keys.filter(|key| is_expired(key.end_date_time));
        let old_secrets = secrets.into_iter().flatten();
        let old_secrets = old_secrets.filter(|secret| is_expired(secret.end_date_time));
        let left_behind = old_secrets.count() + old_keys.count();
        if left_behind > 0 {
            findings.push(
                Finding::note(
                    Check::Expiry,
                    format!("{left_behind} expired credential(s) beside the valid one"),
                )
                .fix("Certificates & secrets > remove the old one")
                .call("POST /applications/{id}/removePassword"),
            );
        }
        findings
    }
}

/// Until when Entra accepts the certificate: until it ends, or its entry in the registration does, which can be earlier.
fn certificate_until(
    certificate: &CertificateOutline,
    directory: &Directory,
    now: Timestamp,
) -> Finding {
    let application = directory.application.yes();
    let principal = directory.principal.yes();
    let entries = [
        application.and_then(|one| one.key_credentials.as_ref()),
        principal.and_then(|one| one.key_credentials.as_ref()),
    ];
    let own = entries.into_iter().flatten().flatten().filter(|key| {
        thumbprint(key).is_some_and(|one| one.eq_ignore_ascii_case(&certificate.thumbprint_sha1))
    });
    // Of several entries for one certificate the last to end counts.
    let entry = own.filter_map(|key| key.end_date_time).max();
    let end = entry.map_or(certificate.not_after, |entry| {
        entry.min(certificate.not_after)
    });
    let finding = until("certificate", &certificate.thumbprint_sha1, end, now);
    match entry {
        Some(entry) if entry < certificate.not_after => finding.because(format!(
            "the certificate itself is valid until {}, its entry in the registration is not",
            certificate.not_after.date()
        )),
        Some(_) => finding,
        None => finding.because(
            "this is the date of the certificate itself; the test may not read its entry in the registration, which can end earlier",
        ),
    }
}

fn until(what: &str, name: &str, end: Timestamp, now: Timestamp) -> Finding {
    let days = (end - now).whole_days();
    let text = format!(
        "{what} {name} is valid until {}, {days} days left",
        end.date()
    );
    if days < SOON {
        Finding::warning(Check::Expiry, text)
            .fix("Certificates & secrets > add a new one, put it in place, then remove the old one")
    } else {
        Finding::ok(Check::Expiry, text)
    }
}

/// The SHA-1 thumbprint of a registered certificate, in upper-case hexadecimal.
fn thumbprint(key: &KeyCredential) -> Option<String> {
    let identifier = key.custom_key_identifier.as_deref()?;
    if identifier.len() == 40 && identifier.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(identifier.to_ascii_uppercase());
    }
    let bytes = STANDARD.decode(identifier).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02X}")).collect())
}

/// Seconds between tries; in all two minutes.
const DELAYS: [u64; 6] = [5, 10, 15, 20, 30, 40];
/// So many successes in a row mean that replication is done.
const SETTLED: u32 = 3;
/// Entra's secret values have 40 characters today, and never fewer than this.
const SHORTEST: usize = 16;
/// From so many days on, the end is worth a warning.
const SOON: i64 = 30;

#[cfg(test)]
mod tests {
    use entra_core::{Secret, parse_rfc3339};
    use serde_json::{Value, json};

    use super::{
        super::{directory::Known, finding::Severity},
        *,
    };

    const THUMBPRINT: &str = "5A1FE6E7D3C6B1B0A59B7F3A2C1D0E9F8A7B6C5D";

    fn at(text: &str) -> Timestamp {
        parse_rfc3339(text).unwrap()
    }

    /// A directory with credentials at the application and at its service principal.
    fn directory(application: &Value, principal: &Value) -> Directory {
        let mut directory = Directory::unknown("not read");
        let of = |properties: &Value| {
            let mut object = json!({ "id": "f0b0b335-1d71-4883-8f98-567911bfdca6" });
            object["passwordCredentials"] = properties["secrets"].clone();
            object["keyCredentials"] = properties["keys"].clone();
            object
        };
        let application = serde_json::from_value(of(application)).unwrap();
        directory.application = Known::Yes(application);
        let principal = serde_json::from_value(of(principal)).unwrap();
        directory.principal = Known::Yes(principal);
        directory
    }

    fn expiry(presented: &Presented<'_>, directory: &Directory) -> (Severity, String) {
        let findings = presented.expiry(directory);
        (findings[0].severity, findings[0].what.clone())
    }

    #[test]
    fn a_certificate_ends_with_its_entry_if_that_is_earlier() {
        let outline = CertificateOutline::new(
            THUMBPRINT,
            at("2026-01-01T00:00:00Z"),
            at("2028-12-01T00:00:00Z"),
        );
        let presented = Presented {
            method: Some(SignInMethod::Certificate(outline)),
            material: None,
            now: at("2026-12-01T00:00:00Z"),
        };
        let key = |thumbprint: &str, end: &str| json!({ "customKeyIdentifier": thumbprint, "usage": "Verify", "endDateTime": end });
        let other = key(&"0".repeat(40), "2026-12-02T00:00:00Z");
        let early = key(THUMBPRINT, "2026-12-04T00:00:00Z");
        let same = key(THUMBPRINT, "2028-12-01T00:00:00Z");
        let none = json!({});
        for (keys, severity, says) in [
            (
                json!([&other, &early]),
                Severity::Warning,
                "2026-12-04, 3 days left",
            ),
            (
                json!([&other, &same]),
                Severity::Ok,
                "2028-12-01, 731 days left",
            ),
            (
                json!([&early, &same]),
                Severity::Ok,
                "2028-12-01, 731 days left",
            ),
            (json!([&other]), Severity::Ok, "2028-12-01, 731 days left"),
        ] {
            let keys = json!({ "keys": keys });
            for directory in [directory(&keys, &none), directory(&none, &keys)] {
                let (found, what) = expiry(&presented, &directory);
                assert!(found == severity && what.ends_with(says), "{keys}: {what}");
            }
        }
        // The date of the certificate itself is said to be that.
        let unknown = presented.expiry(&Directory::unknown("not read"));
        let why = unknown[0].why.as_ref().unwrap();
        assert!(why.contains("of the certificate itself"), "{why}");
    }

    #[test]
    fn the_end_of_another_secret_is_not_that_of_the_one_in_use() {
        let material = CredentialMaterial::Secret(Secret::from("abc-canary-of-a-secret-value"));
        let presented = Presented {
            method: None,
            material: Some(&material),
            now: at("2026-12-01T00:00:00Z"),
        };
        let secret = |name: &str, hint: &str, end: &str| {
            let secret = json!({ "displayName": name, "hint": hint, "endDateTime": end });
            json!({ "secrets": [secret] })
        };
        let none = json!({});
        let own = secret("own", "abc", "2027-12-01T00:00:00Z");
        let other = secret("other", "xyz", "2029-12-01T00:00:00Z");
        let without_hint = secret("old", "", "2027-12-01T00:00:00Z");
        for (application, principal, severity) in [
            (&own, &none, Severity::Ok),
            (&other, &none, Severity::Unknown),
            (&other, &own, Severity::Ok),
            (&own, &own, Severity::Unknown),
            (&without_hint, &none, Severity::Ok),
            (&without_hint, &other, Severity::Ok),
            (&without_hint, &without_hint, Severity::Unknown),
        ] {
            let directory = directory(application, principal);
            let (found, what) = expiry(&presented, &directory);
            assert_eq!(found, severity, "{application} {principal}: {what}");
            assert!(
                found == Severity::Unknown || what.contains("2027-12-01"),
                "{what}"
            );
        }
    }
}
