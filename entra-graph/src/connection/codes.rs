//! What a rejected sign-in means, by Entra's error number.

use entra_core::{CredentialError, CredentialErrorKind, CredentialMaterial};

use super::{
    credential::Presented,
    directory::{Directory, Known, no_principal},
    finding::{Check, Finding},
    jwt,
};

/// What a rejection is judged by.
#[derive(Debug)]
pub(super) struct Rejection<'a> {
    pub(super) error: &'a CredentialError,
    pub(super) directory: &'a Directory,
    pub(super) presented: &'a Presented<'a>,
    pub(super) client_id: &'a str,
    pub(super) tenant: &'a str,
    /// Whether the test runs elsewhere than the product.
    pub(super) elsewhere: bool,
    /// By how many seconds this machine's clock is ahead.
    pub(super) skew: Option<i64>,
    /// Whether the directory's own finding says it already.
    pub(super) is_said: bool,
}

impl Rejection<'_> {
    /// The findings of a rejected sign-in.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let name = self.directory.name().unwrap_or(self.client_id);
        let finding = match self.error.code() {
            Some(700_016) => self.once(self.directory.not_here(self.client_id, self.tenant)),
            Some(7_000_229 | 1_001_010) => self.once(no_principal(name)),
            Some(7_000_112) => self.once(disabled(name)),
            Some(7_000_215) => vec![self.presented.wrong_secret(self.directory)],
            Some(7_000_222) => vec![self.presented.expired_secret(self.directory)],
            Some(700_027) => vec![self.presented.unknown_certificate(self.directory)],
            Some(1_000_502 | 7_000_274 | 7_000_277) => vec![self.presented.out_of_date().unwrap_or_else(|| {
                Finding::error(Check::Credential, "the certificate is not valid on this date")
                    .fix("renew the certificate, upload it under Certificates & secrets > Certificates, then switch to it")
            })],
            Some(700_024) => self.clock(),
            Some(code @ (70_021 | 70_025 | 700_211 | 700_212 | 700_213 | 7_002_138)) => vec![self.federated(code)],
            Some(700_025) => vec![public_with_secret()],
            Some(7_000_216 | 7_000_218) => vec![
                Finding::error(Check::Credential, "wrong platform, or secret missing: the application must send a credential")
                    .fix("Certificates & secrets > add a secret; or Authentication > move the URI to Mobile and desktop applications"),
            ],
            Some(53_000..=53_011 | 530_001..=530_099) => self.policy(),
            Some(501_051) => vec![accepted(name), self.assignment(name)],
            Some(50_194 | 50_059) => vec![
                Finding::error(Check::Configuration, "a single-tenant app at /common: the tenant is missing in the address")
                    .because("the sign-in address names no tenant")
                    .fix("use the tenant's id in place of common, or change Authentication > Supported account types"),
            ],
            Some(500_011 | 650_052 | 500_014 | 50_001) => vec![accepted(name)],
            // These come before the credential is judged, so they say nothing about it.
            Some(90_014 | 900_144 | 1_002_012 | 70_011) => vec![
                Finding::unknown(Check::Credential, "Entra rejected the request before it judged the credential"),
            ],
            _ => vec![self.other()],
        };
        finding
            .into_iter()
            .map(|finding| match finding.severity {
                super::Severity::Ok => finding,
                _ => finding.of(self.error),
            })
            .collect()
    }

    fn once(&self, finding: Finding) -> Vec<Finding> {
        if self.is_said {
            Vec::new()
        } else {
            vec![finding]
        }
    }

    fn clock(&self) -> Vec<Finding> {
        // The difference to the service's clock was reported already.
        if self.skew.is_some_and(|skew| skew.abs() > 300) {
            return Vec::new();
        }
        vec![
            Finding::error(Check::Clock, "clock wrong: the assertion is not within its time by Entra's clock")
                .because(causes(self.error))
                .fix("set the clock and keep it set by NTP; if it is off by whole hours, local time is taken for UTC"),
        ]
    }

    fn federated(&self, code: u32) -> Finding {
        let claims = match self.presented.material {
            Some(CredentialMaterial::Assertion(jwt)) => jwt::claims(jwt.expose_secret()),
            _ => None,
        };
        let claims = claims.unwrap_or_default();
        let (what, claim) = match code {
            700_211 => ("issuer", "iss"),
            700_212 => ("audience", "aud"),
            _ => ("subject", "sub"),
        };
        let stored: Vec<String> = match &self.directory.federated {
            Known::Yes(all) => all
                .iter()
                .filter_map(|one| match code {
                    700_211 => one.issuer.clone(),
                    700_212 => one.audiences.as_ref().map(|all| all.join(" ")),
                    _ => one.subject.clone(),
                })
                .collect(),
            _ => Vec::new(),
        };
        let presented = jwt::list(&claims, claim).join(" ");
        let case_only = stored
            .iter()
            .any(|one| one != &presented && one.eq_ignore_ascii_case(&presented));
        let headline = match (code, case_only) {
            (70_025, _) => "the application has no federated credential".to_owned(),
            (70_021, _) => {
                "no federated credential of the application matches the federated token".to_owned()
            }
            (7_002_138, _) | (_, true) => format!(
                "case differs: the {what} of the federated token is spelt in other letters than the stored one"
            ),
            _ => format!("the {what} of the federated token differs from the stored one"),
        };
        let stored = match stored.is_empty() {
            true => "(not known to this test)".to_owned(),
            false => format!("\"{}\"", stored.join("\", \"")),
        };
        let fix = match code {
            70_025 => {
                "Certificates & secrets > Federated credentials > Add credential, with issuer and subject of the token"
            }
            700_212 => {
                "Certificates & secrets > Federated credentials: the audience is api://AzureADTokenExchange on both sides"
            }
            700_211 => {
                "Certificates & secrets > Federated credentials > edit the issuer, as the token has it"
            }
            _ => {
                "Certificates & secrets > Federated credentials > spell the subject as the token does"
            }
        };
        Finding::error(Check::Credential, headline)
            .because(format!("presented: \"{presented}\", stored: {stored}"))
            .fix(fix)
            .call(match code {
                70_025 => "POST /applications/{id}/federatedIdentityCredentials",
                _ => "PATCH /applications/{id}/federatedIdentityCredentials/{id}",
            })
    }

    fn policy(&self) -> Vec<Finding> {
        let name = self.directory.name().unwrap_or(self.client_id);
        let log = "Sign-in logs > Service principal sign-ins, by the correlation id";
        let finding = match self.elsewhere {
            true => Finding::unknown(Check::Policy, "not known from here: a conditional access policy blocks the place where this test runs")
                .because("the product runs in another place, to which the policy may not apply; the credential is right")
                .fix(format!("run the test where the product runs; the policy is named in {log}")),
            false => Finding::error(Check::Policy, "blocked by policy: conditional access does not allow this sign-in; the credential is RIGHT")
                .because("a policy for workload identities blocks this network or this application")
                .fix(format!("Conditional Access > exclude the application, or add this network to the named location; the policy is named in {log}")),
        };
        vec![accepted(name), finding]
    }

    fn assignment(&self, name: &str) -> Finding {
        Finding::error(
            Check::Assignment,
            format!("assignment missing: application \"{name}\" is not assigned to the API, which requires assignment"),
        )
        .fix("in the API's registration add an app role for applications, then API permissions > add it > Grant admin consent")
        .call("POST /servicePrincipals/{API}/appRoleAssignedTo")
    }

    fn other(&self) -> Finding {
        let error = self.error;
        let why = causes(error);
        let finding = match error.kind() {
            _ if error.is_transient() => Finding::unknown(
                Check::Credential,
                "the sign-in service did not judge the credential: it failed or asked to wait",
            ),
            CredentialErrorKind::Configuration | CredentialErrorKind::Unavailable => {
                Finding::error(Check::Credential, "the credential cannot be used as it is")
            }
            CredentialErrorKind::Protocol => Finding::unknown(
                Check::Credential,
                "the response of the sign-in service is not one of Entra",
            ),
            _ => Finding::error(Check::Credential, "Entra rejected the sign-in"),
        };
        let finding = finding.because(why);
        match error.fix() {
            Some(fix) => finding.fix(fix),
            None => finding,
        }
    }
}

pub(super) fn accepted(name: &str) -> Finding {
    Finding::ok(
        Check::Credential,
        format!("the credential of \"{name}\" is accepted"),
    )
}

pub(super) fn public_with_secret() -> Finding {
    Finding::error(
        Check::RedirectUri,
        "secret not allowed: the application is a public client there, but a secret is sent",
    )
    .because("the redirect URI is registered for Mobile and desktop applications")
    .fix("drop the secret, or Authentication > move the URI to the platform Web")
    .call("PATCH /applications/{id} web.redirectUris")
}

fn disabled(name: &str) -> Finding {
    Finding::error(
        Check::Application,
        format!("application \"{name}\" is disabled by an administrator"),
    )
    .fix("Enterprise applications > Properties > set Enabled for users to sign in to Yes")
    .call("PATCH /servicePrincipals/{id} {\"accountEnabled\": true}")
}

/// The text of the causes: the error of the credential itself names only application and tenant.
pub(super) fn causes(error: &CredentialError) -> String {
    let mut texts = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        let text = source.to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
        next = source.source();
    }
    if texts.is_empty() {
        texts.push(error.to_string());
    }
    texts.join(": ")
}
