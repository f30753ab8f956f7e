//! The order of the checks, and what each needs of the ones before.

use std::{sync::Arc, time::Duration};

use entra_core::{AccessToken, ClientId, Cloud, Guid, HttpTransport, TokenCredential};

use super::{
    api,
    codes::{self, Rejection},
    consent_response,
    consents::{self, Scope},
    credential::{self, Presented, SignInResult},
    directory::{Directory, Known},
    finding::{Check, Finding, Severity},
    license, permissions,
    probe::{Authorized, SignInService},
    redirects::{self, SendsCredential},
    report::ConnectionReport,
    settings::ConnectionTest,
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
    ///
    /// What a replica may not know yet is looked at again, as [`replication_wait`](Self::replication_wait) says.
    pub async fn run(self) -> ConnectionReport {
        let start = self.clock.monotonic();
        let mut pauses = PAUSES.into_iter();
        loop {
            let began = self.clock.elapsed(start);
            let mut run = Run {
                test: &self,
                findings: Vec::new(),
                consent_response: None,
                left: self.wait.saturating_sub(began),
                age: Age::Unknown,
                is_late: false,
            };
            Box::pin(run.all()).await;
            let patience = run.patience();
            if began >= patience {
                run.findings.extend(run.consent_response);
                return ConnectionReport::new(run.findings);
            }
            let pause = Duration::from_secs(pauses.next().unwrap_or(LONGEST_PAUSE));
            let left = patience.saturating_sub(self.clock.elapsed(start));
            self.clock.sleep(pause.min(left)).await;
        }
    }
}

struct Run<'t> {
    test: &'t ConnectionTest,
    findings: Vec<Finding>,
    /// What the response to the admin consent says.
    consent_response: Option<Finding>,
    /// How long the sign-in may wait for replication.
    left: Duration,
    age: Age,
    /// Whether two sources disagree as they do until the slower one has a change.
    is_late: bool,
}

/// How old what the test looks at is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    /// Something is so new that a replica may not have it.
    New,
    /// Nothing tells it.
    Unknown,
    /// There is no such application, so that nothing can tell it.
    Absent,
    Old,
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
        let Some(connection) = self.connect().await else {
            self.judge_consent_response(None);
            self.not_reached();
            return;
        };
        self.judge_consent_response(connection.tenant.guid);
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
            directory = match &own {
                Some(own) => Directory::read(own, connection.client).await,
                None => Directory::unknown("there is no token to read the directory with"),
            };
        }
        self.age = self.age_of(&directory);
        // A replica can have the service principal before its application.
        self.is_late = directory.application.is_no()
            && self.reader_wrote()
            && !directory.is_registered_elsewhere(connection.tenant.guid);
        if token.is_some() {
            if directory.principal.is_no() {
                self.age = Age::New;
                self.is_late = true;
            }
            directory.forget_absence();
            said = directory.findings(&client_id, &tenant);
            for one in said
                .iter_mut()
                .filter(|one| one.severity == Severity::Error)
            {
                *one = still_signed_in(one);
            }
        } else if self.test.reader.is_none() {
            said = directory.findings(&client_id, &tenant);
        }
        self.findings.extend(said);
        for (platform, uri) in &self.test.redirects {
            if let Some(finding) = redirects::form(uri) {
                self.findings.push(finding);
                continue;
            }
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
        let signs_in = !self.test.application.is_empty() || !self.test.apis.is_empty();
        if connection.tenant.id.is_alias() && signs_in {
            tenant::names_none(&connection.tenant.id, &mut self.findings);
        }
        let graph = connection.cloud.graph().as_str();
        let needs = self.test.application.iter();
        let needs: Vec<String> = needs
            .map(|need| Scope::without_root(need, graph).to_owned())
            .collect();
        if credential.is_some() || !needs.is_empty() {
            self.is_late |= permissions::is_late(&needs, token.as_ref(), &directory);
            let found = permissions::application(&needs, token.as_ref(), &directory);
            self.findings.extend(found);
        }
        let reader = self.test.reader.as_ref().or(own.as_ref());
        let delegated = self.test.delegated.iter();
        let wanted = consents::Wanted {
            scopes: delegated.map(|need| Scope::read(need, graph)).collect(),
            by_sub: self.test.by_sub,
            users: &self.test.users,
        };
        self.findings
            .extend(consents::findings(&wanted, reader, &directory).await);
        if let (Some(credential), true) = (&credential, token.is_some()) {
            self.findings.extend(presented.expiry(&directory));
            for api in &self.test.apis {
                let found = api::finding(api, credential, &directory).await;
                self.findings.push(found);
            }
        }
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
        let needs_logs = needs
            .iter()
            .any(|need| need.eq_ignore_ascii_case(license::LOGS))
            || wanted
                .scopes
                .iter()
                .any(|scope| scope.is_of_graph(license::LOGS));
        if needs_logs {
            let clients = own.iter().chain(self.test.reader.as_ref());
            self.findings.push(license::of_logs(clients).await);
        }
    }

    /// Judges the response to the admin consent, by the tenant that was found: one that was entered as a domain has its ID in
    /// the metadata only.
    fn judge_consent_response(&mut self, found: Option<Guid>) {
        let entered = self.test.tenant.as_ref().map(|typed| typed.text().trim());
        let entered = entered.and_then(|text| text.parse::<Guid>().ok());
        let query = self.test.consent_response.as_deref();
        self.consent_response =
            query.map(|query| consent_response::finding(query, found.or(entered)));
    }

    /// Whether the reader wrote a registration a moment ago, perhaps this one.
    fn reader_wrote(&self) -> bool {
        let reader = self.test.reader.as_ref();
        reader.is_some_and(|reader| reader.wrote_within(WROTE_JUST_NOW))
    }

    /// How old the application, its secrets and its grants are.
    fn age_of(&self, directory: &Directory) -> Age {
        let since = self.test.clock.now() - REPLICATION;
        if self.reader_wrote() || directory.is_newer_than(since) {
            return Age::New;
        }
        let is_absent = directory.application.is_no() && directory.principal.is_no();
        match &directory.application {
            // An object id in its place is no client id that is new.
            Known::No if is_absent && directory.mistaken.is_none() => Age::Absent,
            Known::Unknown(_) => Age::Unknown,
            _ => Age::Old,
        }
    }

    /// How long after the start of the test its errors may come from a replica that lags behind.
    fn patience(&self) -> Duration {
        let errors = || {
            self.findings
                .iter()
                .filter(|one| one.severity == Severity::Error)
        };
        // By a wrong clock, ages say nothing.
        if errors().any(|one| one.check == Check::Clock) {
            return Duration::ZERO;
        }
        let lags = |check: Check| errors().any(|one| one.check == check && !one.settled);
        let may_lag = self.is_late || LAGGING.into_iter().any(lags);
        // A grant of delegated permissions has no date, however old the application is.
        let is_unconsented = lags(Check::Consent);
        let is_ungranted = self.is_late || is_unconsented || lags(Check::Permission);
        let longest = match self.age {
            Age::New if may_lag => self.test.wait,
            Age::Unknown if is_ungranted => UNDATED,
            Age::Old if is_unconsented => UNDATED,
            Age::Absent if may_lag => ONE_SLOW_REPLICA,
            _ => Duration::ZERO,
        };
        longest.min(self.test.wait)
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
        let what = match self.test.application.is_empty() {
            true => "tokens for an API",
            false => "application permissions",
        };
        Finding::error(
            Check::Configuration,
            format!("{what} need a credential, and the product has none"),
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
            false => self.left,
        };
        let scope = connection.cloud.graph_scope();
        match credential::sign_in(credential, &scope, &*self.test.clock, wait).await {
            SignInResult::Accepted { token, waited } => {
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
            SignInResult::Rejected {
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
            SignInResult::Rejected { error, .. } => {
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
}

/// What the directory says is wrong with an application to which Entra issues tokens.
fn still_signed_in(error: &Finding) -> Finding {
    Finding::unknown(
        error.check,
        format!("wait: {}, but Entra still issues tokens to it", error.what),
    )
    .because("it was changed a moment ago, and either the directory or the sign-in does not have the change yet")
    .fix("run the test again in some minutes")
}

/// Stands for the tenant where it could not be read.
const NO_TENANT: &str = "contoso.com";
/// How long replication takes at most, with a margin.
const REPLICATION: entra_core::time::Duration = entra_core::time::Duration::minutes(10);
/// How long after a write of the reader's own it counts as new.
const WROTE_JUST_NOW: Duration = Duration::from_secs(5 * 60);
/// How long a missing permission is looked for if nothing says how old application and grants are, and a missing consent to
/// a delegated one in any case.
const UNDATED: Duration = Duration::from_secs(30);
/// How long an application is looked for of which nothing is known: one slow replica is no reason to wait for long.
const ONE_SLOW_REPLICA: Duration = Duration::from_secs(3);
/// Seconds between the looks at what may be new; in all two minutes.
const PAUSES: [u64; 5] = [2, 8, 20, 30, 60];
const LONGEST_PAUSE: u64 = 60;
/// What is found by something that another replica may have already. The rest is in the settings, in the service or, as
/// the sign-in waits by itself, in the credential.
const LAGGING: [Check; 7] = [
    Check::Application,
    Check::ServicePrincipal,
    Check::Permission,
    Check::Consent,
    Check::Assignment,
    Check::RedirectUri,
    Check::Api,
];
