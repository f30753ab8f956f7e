//! The order of the checks, and what each needs of the ones before.

use std::{sync::Arc, time::Duration};

use entra_core::{
    AccessToken, ClientId, Cloud, Guid, HttpTransport, TenantId, TokenCredential, TokenRequest,
    url::form_urlencoded,
};

use super::{
    codes::{self, Rejection},
    credential::{self, Presented, SignedIn},
    directory::{Directory, Known},
    finding::{Check, Finding, Severity},
    jwt, license, permissions,
    probe::{Authorized, SignInService},
    redirects::{self, SendsCredential},
    report::ConnectionReport,
    settings::{Api, ConnectionTest},
    tenant::{self, FoundTenant},
    users,
};
use crate::{
    client::{GraphClient, default_transport},
    typed_id::TypedId,
};

impl ConnectionTest {
    /// Runs the test. It only reads, and needs no permission: what it may not read is unknown, or read by the
    /// [`reader`](Self::reader).
    pub async fn run(self) -> ConnectionReport {
        let mut run = Run {
            test: &self,
            findings: Vec::new(),
        };
        Box::pin(run.all()).await;
        ConnectionReport::new(run.findings)
    }
}

struct Run<'t> {
    test: &'t ConnectionTest,
    findings: Vec<Finding>,
}

/// The connection, once its settings have the right form and the tenant is found.
struct Connection {
    cloud: Cloud,
    transport: Arc<dyn HttpTransport>,
    service: SignInService,
    tenant: FoundTenant,
    client: Guid,
}

impl Run<'_> {
    async fn all(&mut self) {
        self.consent_response();
        let Some(connection) = self.connect().await else {
            self.not_reached();
            return;
        };
        let mut directory = match &self.test.reader {
            Some(reader) => Directory::read(reader, connection.client).await,
            None => Directory::unknown("no reader"),
        };
        let client_id = connection.client.to_string();
        let tenant = connection.tenant.id.to_string();
        let credential = self.credential(&connection);
        let presented = Presented {
            method: credential
                .as_ref()
                .and_then(|credential| credential.description().method),
            material: self.test.material.as_ref(),
            now: self.test.clock.now(),
        };
        let mut said = directory.findings(&client_id, &tenant);
        let mut token = None;
        let mut judged_by_page = None;
        if let Some(credential) = &credential {
            let is_wrong = said.iter().any(|one| one.severity == Severity::Error);
            token = self
                .sign_in(credential, &connection, &presented, &directory, is_wrong)
                .await;
        }
        let own = token
            .as_ref()
            .and_then(|_| self.own_client(&connection, credential.as_ref()));
        if self.test.reader.is_none() {
            match &own {
                Some(own) => directory = Directory::read(own, connection.client).await,
                None => {
                    directory = Directory::unknown("there is no token to read the directory with")
                }
            }
            said = directory.findings(&client_id, &tenant);
            if own.is_some() {
                // Entra issued a token, so what the application itself does not find is there.
                said.retain(|one| one.severity != Severity::Error);
            }
        }
        self.findings.extend(said);
        for (platform, uri) in &self.test.redirects {
            let response = self.authorize(&connection, uri, &directory).await;
            if let Authorized::Page(code) = response
                && code != 50_011
            {
                judged_by_page = Some(code);
            }
            let sends = match credential.is_some() || self.test.material.is_some() {
                true => SendsCredential::Yes,
                false if self.test.no_secret => SendsCredential::No,
                false => SendsCredential::Unknown,
            };
            let found = redirects::judge(*platform, uri, &response, &directory, sends);
            self.findings.extend(found);
        }
        if let Some(code) = judged_by_page {
            self.page(code, &directory, &client_id, &tenant);
        }
        self.application_unknown(&directory, &client_id, token.is_some());
        if credential.is_some() || !self.test.application.is_empty() {
            let found =
                permissions::application(&self.test.application, token.as_ref(), &directory);
            self.findings.extend(found);
        }
        self.findings.extend(permissions::delegated(
            &self.test.delegated,
            self.test.by_sub,
            &directory,
        ));
        if let (Some(credential), true) = (&credential, token.is_some()) {
            self.findings.extend(presented.expiry(&directory));
            for api in &self.test.apis {
                self.api(api, credential, &directory).await;
            }
        }
        let reader = self.test.reader.as_ref().or(own.as_ref());
        self.findings
            .extend(users::findings(&self.test.users, reader, &directory).await);
        for user in self.test.users.iter().filter(|user| user.contains('@')) {
            let account_type = connection.service.account_type(user).await;
            if account_type.as_deref() == Some("Federated") {
                self.findings.push(
                    Finding::note(
                        Check::Service,
                        format!("{user} signs in at a federated provider"),
                    )
                    .because("the domain is federated, so the sign-in page is not Microsoft's")
                    .fix("test the sign-in of users in a browser only; passwords cannot be tested"),
                );
            }
        }
        let found = users::claims(&self.test.users, self.test.group_claims, reader, &directory);
        self.findings.extend(found.await);
        let mut needs = self.test.application.iter().chain(&self.test.delegated);
        if needs.any(|need| need == license::LOGS) {
            let clients = own.iter().chain(self.test.reader.as_ref());
            self.findings.push(license::of_logs(clients).await);
        }
    }

    /// Checks the form of the settings and finds the tenant.
    async fn connect(&mut self) -> Option<Connection> {
        let text = self.test.tenant.as_ref().map(TypedId::text);
        let tenant = tenant::read_tenant(text);
        let client = self.test.client_id.as_ref().map(TypedId::text);
        let client = match &tenant {
            Ok(tenant) => tenant::read_client_id(client, tenant),
            Err(_) => tenant::read_client_id(client, &NO_TENANT.parse().ok()?),
        };
        let transport = match self.test.transport.clone() {
            Some(transport) => Ok(transport),
            None => default_transport(),
        };
        let transport = match transport {
            Ok(transport) => Some(transport),
            Err(error) => {
                self.findings
                    .push(Finding::error(Check::Configuration, error.to_string()));
                None
            }
        };
        let (tenant, client) = match (tenant, client) {
            (Ok(tenant), Ok(client)) => (tenant, client),
            (tenant, client) => {
                self.findings.extend(tenant.err().map(|finding| *finding));
                self.findings.extend(client.err().map(|finding| *finding));
                return None;
            }
        };
        let transport = transport?;
        let cloud = self.test.cloud.clone().unwrap_or_else(Cloud::public);
        let clock = Arc::clone(&self.test.clock);
        let service = SignInService::new(cloud.clone(), Arc::clone(&transport), clock);
        let found =
            tenant::discover(&service, &*self.test.clock, &tenant, &mut self.findings).await?;
        Some(Connection {
            cloud,
            transport,
            service,
            tenant: found,
            client,
        })
    }

    /// What stays unknown without a tenant.
    fn not_reached(&mut self) {
        for (check, what) in [
            (
                Check::Credential,
                "it is not known whether the credential is accepted",
            ),
            (
                Check::Permission,
                "it is not known whether the permissions are granted",
            ),
        ] {
            self.findings
                .push(Finding::unknown(check, what).because("the checks before it failed"));
        }
    }

    fn credential(&mut self, connection: &Connection) -> Option<Arc<dyn TokenCredential>> {
        if let Some(credential) = &self.test.credential {
            return Some(Arc::clone(credential));
        }
        let (Some(material), Some(factory)) = (&self.test.material, &self.test.factory) else {
            self.findings.push(self.no_credential());
            return None;
        };
        let tenant = &connection.tenant.id;
        if tenant.is_alias() {
            self.findings.push(
                Finding::unknown(
                    Check::Credential,
                    "it is not known whether the credential is accepted",
                )
                .because(format!(
                    "an application signs in to one tenant, and {tenant} names none"
                )),
            );
            return None;
        }
        match factory.credential(tenant, ClientId::from(connection.client), material) {
            Ok(credential) => Some(credential),
            Err(error) => {
                let presented = Presented {
                    method: None,
                    material: Some(material),
                    now: self.test.clock.now(),
                };
                let finding = match presented.secret() {
                    Some(_) => presented.wrong_secret(&Directory::unknown("not read")),
                    None => {
                        Finding::error(Check::Credential, "the credential cannot be used as it is")
                            .because(codes::causes(&error))
                    }
                };
                let fix = error.fix().map(str::to_owned);
                self.findings.push(match (finding.fix.is_some(), fix) {
                    (false, Some(fix)) => finding.fix(fix),
                    _ => finding,
                });
                None
            }
        }
    }

    /// What it means that the test was given no credential.
    fn no_credential(&self) -> Finding {
        if !self.test.no_secret {
            return Finding::unknown(
                Check::Credential,
                "it is not known whether a credential is accepted",
            )
            .because("the test was given none");
        }
        if self.test.application.is_empty() && self.test.apis.is_empty() {
            return Finding::ok(
                Check::Credential,
                "no credential is needed: the product is a public client",
            );
        }
        Finding::error(
            Check::Configuration,
            "application permissions need a credential, and the product has none",
        )
        .because("Entra issues a token without a signed-in user only for a secret, certificate or federated credential")
        .fix("Certificates & secrets > add a certificate or secret, or use delegated permissions")
    }

    /// Signs in and judges a rejection.
    async fn sign_in(
        &mut self,
        credential: &Arc<dyn TokenCredential>,
        connection: &Connection,
        presented: &Presented<'_>,
        directory: &Directory,
        is_said: bool,
    ) -> Option<AccessToken> {
        if let Some(finding) = presented.out_of_date() {
            self.findings.push(finding);
            return None;
        }
        let client_id = connection.client.to_string();
        let name = directory.name().unwrap_or(&client_id).to_owned();
        let now = self.test.clock.now();
        // A secret ID never becomes a secret, and an old secret of an old application has been replicated. When a
        // certificate or federated credential was added is not known, as neither has a date of its own for that.
        let in_vain = presented
            .secret()
            .is_some_and(|secret| secret.is_guid || directory.is_older_than(now - REPLICATION));
        let wait = match in_vain || is_said {
            true => Duration::ZERO,
            false => self.test.wait,
        };
        let scope = connection.cloud.graph_scope();
        match credential::sign_in(credential, &scope, &*self.test.clock, wait).await {
            SignedIn::Accepted { token, waited } => {
                self.findings.push(codes::accepted(&name));
                if let Some(waited) = waited {
                    self.findings.push(
                        Finding::note(
                            Check::Credential,
                            format!(
                                "accepted after {} s only: application or credential is new",
                                waited.as_secs()
                            ),
                        )
                        .fix("wait some minutes after a change; nothing is wrong"),
                    );
                }
                Some(token)
            }
            SignedIn::Rejected {
                error,
                unsettled: true,
            } => {
                self.findings.push(
                    Finding::unknown(Check::Credential, "wait: Entra accepts the credential at times, so it is still being replicated")
                        .of(&error)
                        .fix("run the test again in some minutes"),
                );
                None
            }
            SignedIn::Rejected { error, .. } => {
                let rejection = Rejection {
                    error: &error,
                    directory,
                    presented,
                    client_id: &client_id,
                    tenant: &connection.tenant.id.to_string(),
                    elsewhere: self.test.elsewhere,
                    skew: connection.tenant.skew,
                    is_said,
                };
                self.findings.extend(rejection.findings());
                None
            }
        }
    }

    fn own_client(
        &self,
        connection: &Connection,
        credential: Option<&Arc<dyn TokenCredential>>,
    ) -> Option<GraphClient> {
        GraphClient::builder(Arc::clone(credential?))
            .cloud(connection.cloud.clone())
            .transport(Arc::clone(&connection.transport))
            .clock(Arc::clone(&self.test.clock))
            .build()
            .ok()
    }

    /// Asks for a code without a page, where the product's own request would not be wrong.
    async fn authorize(
        &self,
        connection: &Connection,
        uri: &str,
        directory: &Directory,
    ) -> Authorized {
        let is_missing = directory.principal.is_no() && directory.application.is_no();
        if is_missing {
            return Authorized::Unknown("the application is not in this tenant".to_owned());
        }
        let tenant = connection.tenant.id.to_string();
        let client = connection.client.to_string();
        let service = &connection.service;
        service.authorize(&tenant, &client, uri, "openid").await
    }

    /// An error page of the sign-in, which comes before the redirect URI.
    fn page(&mut self, code: u32, directory: &Directory, client_id: &str, tenant: &str) {
        let is_said = self.findings.iter().any(|one| {
            one.severity == Severity::Error
                && matches!(one.check, Check::Application | Check::ServicePrincipal)
        });
        let error = entra_core::CredentialError::new(
            entra_core::CredentialErrorKind::Rejected,
            format!("the sign-in page shows AADSTS{code}"),
        )
        .with_code(code);
        let presented = Presented {
            method: None,
            material: None,
            now: self.test.clock.now(),
        };
        let rejection = Rejection {
            error: &error,
            directory,
            presented: &presented,
            client_id,
            tenant,
            elsewhere: self.test.elsewhere,
            skew: None,
            is_said,
        };
        let found = rejection.findings().into_iter();
        self.findings
            .extend(found.filter(|one| one.severity == Severity::Error));
    }

    /// Says what is not known of the application, if nothing else does.
    fn application_unknown(&mut self, directory: &Directory, client_id: &str, signed_in: bool) {
        let is_said = self
            .findings
            .iter()
            .any(|one| matches!(one.check, Check::Application | Check::ServicePrincipal));
        if is_said {
            return;
        }
        self.findings.push(match signed_in {
            true => Finding::ok(
                Check::ServicePrincipal,
                format!("application {client_id} has a service principal here"),
            ),
            false => {
                let why = match &directory.application {
                    Known::Unknown(why) => why.clone(),
                    _ => "the sign-in was rejected before".to_owned(),
                };
                Finding::unknown(
                    Check::Application,
                    format!("it is not known whether application {client_id} is in this tenant"),
                )
                .because(why)
            }
        });
    }

    /// Gets a token for another API and judges its version.
    async fn api(
        &mut self,
        api: &Api,
        credential: &Arc<dyn TokenCredential>,
        directory: &Directory,
    ) {
        if !api.is_identifier() {
            self.findings.push(
                Finding::error(
                    Check::Api,
                    "the identifier of an API is neither a URI nor a client id",
                )
                .because("it is neither sent nor repeated, because it may be a secret")
                .fix("Expose an API > copy the Application ID URI"),
            );
            return;
        }
        let name = &api.identifier;
        let request = TokenRequest::new([format!("{name}/.default")]).with_force_refresh();
        let error = match credential.token(&request).await {
            Ok(token) => {
                self.findings.push(token_version(api, &token));
                return;
            }
            Err(error) => error,
        };
        let application = directory.name().unwrap_or("the application").to_owned();
        let finding = match error.code() {
            Some(500_011) => Finding::error(
                Check::Api,
                format!("the API {name} was not found: its name is misspelt, or it has no service principal in this tenant"),
            )
            .fix("Expose an API > compare the Application ID URI; an API of another organization needs consent in this tenant first"),
            Some(650_052) => Finding::error(Check::Api, format!("the API {name} has no service principal in this tenant"))
                .fix("consent to the API once: open its admin consent URL as an administrator"),
            Some(500_014 | 50_001) => Finding::error(Check::Api, format!("the API {name} is disabled in this tenant"))
                .fix("Enterprise applications > the API > Properties > Enabled for users to sign in > Yes"),
            Some(501_051) => Finding::error(
                Check::Assignment,
                format!("assignment missing: application \"{application}\" is not assigned to {name}"),
            )
            .because("the API requires assignment, also of applications")
            .fix("in the API's registration add an app role for applications, then API permissions > add it > Grant admin consent")
            .call("POST /servicePrincipals/{API}/appRoleAssignedTo"),
            _ => Finding::unknown(Check::Api, format!("there is no token for the API {name}"))
                .because(codes::causes(&error)),
        };
        self.findings.push(finding.of(&error));
    }

    /// Judges the response to the admin consent.
    fn consent_response(&mut self) {
        let Some(query) = &self.test.consent_response else {
            return;
        };
        let query = query.trim_start_matches('?');
        let get = |name: &str| {
            form_urlencoded::parse(query.as_bytes())
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        let tenant: Option<TenantId> = get("tenant").and_then(|tenant| tenant.parse().ok());
        let expected = self
            .test
            .tenant
            .as_ref()
            .and_then(|typed| typed.text().parse::<TenantId>().ok());
        let expected = expected.and_then(|tenant| tenant.guid());
        self.findings.push(match (get("error"), get("admin_consent"), tenant.and_then(|one| one.guid())) {
            (Some(error), ..) => Finding::error(Check::Consent, "the administrator's consent was not given")
                .because(get("error_description").unwrap_or(error))
                .fix("open the admin consent URL again as a Privileged Role Administrator or Global Administrator"),
            (None, Some(given), Some(tenant)) if given.eq_ignore_ascii_case("true") => {
                match expected {
                    Some(expected) if expected != tenant => Finding::error(
                        Check::Consent,
                        format!("the wrong directory: consent was given in the tenant {tenant}"),
                    )
                    .because(format!("the connection is for the tenant {expected}"))
                    .fix("sign in with an account of the right directory and consent again"),
                    _ => Finding::ok(Check::Consent, format!("admin consent done in the tenant {tenant}")),
                }
            }
            _ => Finding::unknown(Check::Consent, "the response to the admin consent is not complete"),
        });
    }
}

fn token_version(api: &Api, token: &AccessToken) -> Finding {
    let name = &api.identifier;
    let Some(claims) = jwt::claims(token.expose_secret()) else {
        return Finding::unknown(Check::Api, format!("the token for {name} cannot be read"));
    };
    let version = match jwt::text(&claims, "ver") {
        "1.0" => 1,
        "2.0" => 2,
        _ => return Finding::unknown(Check::Api, format!("the token for {name} names no version")),
    };
    let issuer = jwt::text(&claims, "iss");
    match api.token_version {
        Some(expected) if expected != version => Finding::error(
            Check::Api,
            format!("token version: {name} gets tokens of version {version}, and accepts version {expected}"),
        )
        .because(format!("the issuer is {issuer}, the audience {}", jwt::list(&claims, "aud").join(" ")))
        .fix(format!(
            "App registrations > the API > Manifest > api.requestedAccessTokenVersion = {}",
            if expected == 2 { "2" } else { "null" }
        ))
        .call("PATCH /applications/{id} {\"api\": {\"requestedAccessTokenVersion\": …}}"),
        _ => Finding::ok(Check::Api, format!("{name} gets tokens of version {version}"))
            .because(format!("the issuer is {issuer}")),
    }
}

/// Stands for the tenant where it could not be read.
const NO_TENANT: &str = "contoso.com";
/// How long replication takes at most, with a margin.
const REPLICATION: entra_core::time::Duration = entra_core::time::Duration::minutes(10);
