//! Re-checks that fail for a reason other than the user: the sessions of all users go on.

use std::{sync::Arc, time::Duration};

use axum::{Router, http::StatusCode};
use entra_auth::{
    AssertionRequest, Certificate, ClientAssertion, ClientSecretCredential, SignInClient,
    TokenCache,
    store::{EncryptedStore, EncryptionKey},
    user::{ClientAuthentication, UserCredential},
    web::{AccessDenied, Authorize, SignInContext, WebSignIn},
};
#[cfg(feature = "default-credential")]
use entra_auth::{
    Environment, developer_tools::AzureCliCredential, workload_identity::ClientAssertionCredential,
};
#[cfg(feature = "default-credential")]
use entra_core::ScriptedTransport;
use entra_core::{
    Clock as _, CredentialError, CredentialErrorKind, HttpTransport, ManualClock, Secret,
    TokenCredential, TokenRequest, TransportError, bytes::Bytes, http, time,
};
use entra_mock::{App, FakeTenant, Fault};

#[cfg(feature = "default-credential")]
use crate::tools::Tools;
use crate::{
    stores::Shelf,
    support::{CLIENT, TENANT, graph, response},
    web::{ADELE, admit_by_user_name, register, site, urls},
    web_browser::Browser,
    web_session::Table,
};

const INTERVAL: Duration = Duration::from_secs(15 * 60);
const MINUTE: Duration = Duration::from_secs(60);

/// Replicas of one site, which share the sessions and the tokens.
struct Replicas {
    tenant: FakeTenant,
    app: App,
    sessions: Arc<Table>,
    tokens: Arc<Shelf>,
}

/// What one replica has for itself.
struct Setup<A> {
    authentication: ClientAuthentication,
    clock: ManualClock,
    token_key: u8,
    check: A,
}

impl Replicas {
    async fn new() -> Self {
        let tenant = FakeTenant::start().await;
        let app = register(&tenant);
        Self {
            tenant,
            app,
            sessions: Arc::default(),
            tokens: Shelf::new(),
        }
    }

    fn setup(&self) -> Setup<impl Authorize + use<>> {
        Setup {
            authentication: ClientAuthentication::secret(self.app.secret()),
            clock: self.tenant.clock(),
            token_key: 1,
            check: admit_by_user_name,
        }
    }

    fn replica(&self, setup: Setup<impl Authorize>) -> Router {
        let cache = TokenCache::builder()
            .store(Arc::clone(&self.tokens))
            .encryption_key(EncryptionKey::new([setup.token_key; 32]))
            .build();
        let client =
            SignInClient::builder(self.tenant.id(), self.app.client_id(), setup.authentication)
                .name("contoso")
                .redirect_uri(urls().callback())
                .scopes(["User.Read"])
                .cloud(self.tenant.cloud())
                .clock(setup.clock.clone())
                .cache(&cache)
                .build()
                .unwrap();
        let sessions: Arc<dyn EncryptedStore> = Arc::clone(&self.sessions) as _;
        let sign_in = WebSignIn::builder(urls(), client)
            .authorize(setup.check)
            .store(sessions, [EncryptionKey::new([2; 32])])
            .clock(setup.clock)
            .build();
        site(&sign_in.unwrap())
    }

    /// A browser whose user has signed in at a replica.
    async fn signed_in(&self, replica: &Router) -> Browser {
        let mut browser = Browser::default();
        let response = browser
            .sign_in(replica, &self.tenant, "/auth/sign-in", ADELE)
            .await;
        assert_eq!(response.location(), "/", "{}", response.body);
        browser
    }

    fn advance(&self, by: Duration) {
        self.tenant.clock().advance(by);
    }

    fn token_requests(&self) -> u64 {
        self.tenant.requests().to("/token").count()
    }

    /// At the faulty replica the user stays signed in though the check is due; at the other one, the next
    /// check succeeds.
    async fn session_survives(&self, faulty: &Router, healthy: &Router, browser: &mut Browser) {
        assert_eq!(browser.open(faulty, "/").await.body, ADELE);
        self.advance(MINUTE * 2);
        let before = self.token_requests();
        assert_eq!(browser.open(healthy, "/").await.body, ADELE);
        assert_eq!(self.token_requests(), before + 1, "it was checked");
        self.advance(MINUTE);
        assert_eq!(browser.open(healthy, "/").await.body, ADELE);
        assert_eq!(self.token_requests(), before + 1, "and confirmed");
    }
}

#[tokio::test]
async fn a_replica_that_cannot_read_the_token_store_signs_no_user_out() {
    for what in ["hangs", "fails", "other key"] {
        let site = Replicas::new().await;
        let healthy = site.replica(site.setup());
        let mut browser = site.signed_in(&healthy).await;
        site.advance(INTERVAL);
        let mut setup = site.setup();
        match what {
            "hangs" => site.tokens.hang(true),
            "fails" => site.tokens.fail(true),
            _ => setup.token_key = 3,
        }
        let faulty = site.replica(setup);
        let before = site.token_requests();
        assert_eq!(browser.open(&faulty, "/").await.body, ADELE, "{what}");
        assert_eq!(site.token_requests(), before, "{what}: it has no token");
        site.tokens.hang(false);
        site.tokens.fail(false);
        site.advance(MINUTE * 2);
        assert_eq!(browser.open(&healthy, "/").await.body, ADELE, "{what}");
        assert_eq!(site.token_requests(), before + 1, "{what}: it was checked");
    }
}

#[tokio::test]
async fn an_emptied_token_store_ends_no_session() {
    let site = Replicas::new().await;
    let (one, two) = (site.replica(site.setup()), site.replica(site.setup()));
    let mut browser = site.signed_in(&one).await;
    site.tokens.entries.lock().unwrap().clear();
    // Each check writes the token again that the replica has in memory.
    for replica in [&one, &two, &one] {
        site.advance(INTERVAL);
        let before = site.token_requests();
        assert_eq!(browser.open(replica, "/").await.body, ADELE);
        assert_eq!(site.token_requests(), before + 1, "it was checked");
    }
}

#[tokio::test]
async fn a_replica_without_the_token_postpones_the_check_after_a_loss_of_the_store() {
    let site = Replicas::new().await;
    let (one, two) = (site.replica(site.setup()), site.replica(site.setup()));
    let mut browser = site.signed_in(&one).await;
    site.tokens.entries.lock().unwrap().clear();
    // The first check is at a replica that has never seen the user.
    site.advance(INTERVAL);
    site.session_survives(&two, &one, &mut browser).await;
    site.advance(INTERVAL);
    let before = site.token_requests();
    assert_eq!(browser.open(&two, "/").await.body, ADELE);
    assert_eq!(site.token_requests(), before + 1, "it has the token now");

    // No replica has the token any more: the user signs in again when the check is too late.
    site.tokens.entries.lock().unwrap().clear();
    let restarted = site.replica(site.setup());
    site.advance(INTERVAL);
    for _ in 0..60 {
        assert_eq!(browser.open(&restarted, "/").await.body, ADELE);
        site.advance(MINUTE);
    }
    assert_eq!(browser.open(&restarted, "/").await.body, "not signed in");
}

#[tokio::test]
async fn an_earlier_sign_out_does_not_hide_that_the_store_lost_a_token() {
    let site = Replicas::new().await;
    let (one, two) = (site.replica(site.setup()), site.replica(site.setup()));
    let mut earlier = site.signed_in(&one).await;
    let response = earlier.post(&one, "/auth/sign-out", "", false).await;
    assert!(response.location().contains("/logout?"));
    let mark = site.tokens.entries.lock().unwrap().clone();
    assert_eq!(mark.len(), 1, "the mark of the sign-out");
    site.advance(Duration::from_secs(7 * 24 * 3600));
    let mut browser = site.signed_in(&one).await;
    // The tokens are evicted, and the mark is not.
    site.tokens.entries.lock().unwrap().clone_from(&mark);
    site.advance(INTERVAL);
    site.session_survives(&two, &one, &mut browser).await;
}

#[tokio::test]
async fn a_revoked_user_is_signed_out_at_replicas_that_have_never_seen_the_user() {
    let site = Replicas::new().await;
    let (one, two) = (site.replica(site.setup()), site.replica(site.setup()));
    let (mut browser, mut other) = (site.signed_in(&one).await, site.signed_in(&one).await);
    site.tenant.user(ADELE).revoke_sessions();
    site.advance(INTERVAL);
    // The first check has the token removed, so the second one finds none.
    assert_eq!(browser.open(&one, "/").await.body, "not signed in");
    assert_eq!(other.open(&two, "/").await.body, "not signed in");
}

#[tokio::test]
async fn tokens_that_the_store_did_not_take_at_the_sign_in_are_found_by_other_replicas_later() {
    let site = Replicas::new().await;
    let (one, two) = (site.replica(site.setup()), site.replica(site.setup()));
    site.tokens.fail(true);
    let mut browser = site.signed_in(&one).await;
    site.tokens.fail(false);
    while site.tokens.entries.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    site.advance(INTERVAL);
    let before = site.token_requests();
    assert_eq!(browser.open(&two, "/").await.body, ADELE);
    assert_eq!(site.token_requests(), before + 1, "it was checked");
}

#[tokio::test]
async fn a_rejected_credential_of_one_replica_ends_no_session() {
    let site = Replicas::new().await;
    let healthy = site.replica(site.setup());
    let mut browser = site.signed_in(&healthy).await;
    let mut setup = site.setup();
    setup.authentication = ClientAuthentication::secret(Secret::from("another-secret-value"));
    let faulty = site.replica(setup);
    site.advance(INTERVAL);
    site.session_survives(&faulty, &healthy, &mut browser).await;
    // The user is disabled: each replica ends the session.
    site.advance(INTERVAL);
    site.tenant.user(ADELE).disable();
    assert_eq!(browser.open(&healthy, "/").await.body, "not signed in");
    assert_eq!(browser.open(&faulty, "/").await.body, "not signed in");
}

/// A source of assertions whose own sign-in is rejected, such as by a policy for workloads.
#[derive(Debug)]
struct Blocked(CredentialErrorKind, u32);

#[async_trait::async_trait]
impl ClientAssertion for Blocked {
    async fn assertion(&self, _: &AssertionRequest) -> Result<Secret, CredentialError> {
        let error = CredentialError::new(self.0, "the workload is blocked");
        Err(error.with_code(self.1).with_claims("{}"))
    }
}

#[tokio::test]
async fn an_error_of_the_source_of_assertions_is_not_taken_for_one_of_the_user() {
    use CredentialErrorKind as Kind;
    // Of a user, these numbers end sessions: a policy, a second factor, a disabled account, no sign-in.
    for (kind, code) in [
        (Kind::Rejected, 53_003),
        (Kind::InteractionRequired, 50_076),
        (Kind::Rejected, 50_057),
        (Kind::InteractionRequired, 70_043),
    ] {
        let site = Replicas::new().await;
        let healthy = site.replica(site.setup());
        let mut browser = site.signed_in(&healthy).await;
        let mut setup = site.setup();
        setup.authentication = ClientAuthentication::assertion(Blocked(kind, code));
        let faulty = site.replica(setup);
        site.advance(INTERVAL);
        site.session_survives(&faulty, &healthy, &mut browser).await;
        // A new sign-in there fails for the application, and does not start again with its claims.
        let page = Browser::default()
            .sign_in(&faulty, &site.tenant, "/auth/sign-in", ADELE)
            .await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{code}");
        assert!(page.body.contains(&code.to_string()), "{}", page.body);
    }
}

#[tokio::test]
async fn a_token_without_an_assertion_needs_no_sign_in_of_the_user() {
    let site = Replicas::new().await;
    let account =
        serde_json::json!({ "home_account_id": "adele.home", "tenant": site.tenant.id() });
    let source = Blocked(CredentialErrorKind::InteractionRequired, 50_076);
    let user = UserCredential::builder(
        serde_json::from_value(account).unwrap(),
        site.app.client_id(),
        ClientAuthentication::assertion(source),
        "a-refresh-token",
    )
    .cloud(site.tenant.cloud())
    .clock(site.tenant.clock())
    .build()
    .unwrap();
    let error = user.token(&TokenRequest::new(["User.Read"])).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), CredentialErrorKind::Rejected);
    assert_eq!((error.code(), error.claims()), (Some(50_076), None));
}

/// A sign-in service whose policy for workloads blocks the application.
#[derive(Debug)]
struct BlockingService;

#[async_trait::async_trait]
impl HttpTransport for BlockingService {
    async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let body = r#"{"error":"invalid_grant","error_description":"AADSTS53003: Blocked.","error_codes":[53003]}"#;
        Ok(response(400, body))
    }
}

/// The check asks the directory as the application, not as the user, and at one replica it gets no token.
async fn sessions_survive_a_check_with(directory: Arc<dyn TokenCredential>) {
    let site = Replicas::new().await;
    let healthy = site.replica(site.setup());
    let mut browser = site.signed_in(&healthy).await;
    let setup = site.setup();
    let faulty = site.replica(Setup {
        authentication: setup.authentication,
        clock: setup.clock,
        token_key: setup.token_key,
        check: move |context: SignInContext| {
            let directory = Arc::clone(&directory);
            async move {
                directory.token(&graph()).await?;
                admit_by_user_name(context).await
            }
        },
    });
    site.advance(INTERVAL);
    site.session_survives(&faulty, &healthy, &mut browser).await;
}

#[tokio::test]
async fn a_policy_that_blocks_the_application_of_the_check_ends_no_session() {
    let directory = ClientSecretCredential::builder(TENANT, CLIENT, "s3cr3t")
        .transport(Arc::new(BlockingService))
        .build()
        .unwrap();
    sessions_survive_a_check_with(Arc::new(directory)).await;
}

/// The numbers of the source of assertions, of the host and of the developer's own session.
#[cfg(feature = "default-credential")]
#[tokio::test]
async fn an_identity_of_the_check_that_is_not_the_users_ends_no_session() {
    use CredentialErrorKind as Kind;
    let mut directories: Vec<Arc<dyn TokenCredential>> = Vec::new();
    for (kind, code) in [
        (Kind::Rejected, 53_003),
        (Kind::InteractionRequired, 70_043),
    ] {
        let source = Blocked(kind, code);
        let directory = ClientAssertionCredential::builder(TENANT, CLIENT, source)
            .transport(Arc::new(BlockingService))
            .build();
        directories.push(Arc::new(directory.unwrap()));
    }
    let body = r#"{"message":"AADSTS53003: Blocked."}"#;
    let host = ScriptedTransport::new().then(400, &[], body.to_owned());
    let (environment, clock) = (Environment::default(), ManualClock::new());
    let directory = crate::managed_identity::builder(&environment, &host, &clock).build();
    directories.push(Arc::new(directory.unwrap()));
    for code in [50_076, 70_043] {
        let tool = Tools::new().complain(&format!("ERROR: AADSTS{code}: no"));
        let directory = AzureCliCredential::builder(&environment).process_runner(tool);
        directories.push(Arc::new(directory.build().unwrap()));
    }
    for directory in directories {
        sessions_survive_a_check_with(directory).await;
    }
}

#[tokio::test]
async fn an_expired_secret_ends_no_session_within_an_hour() {
    let site = Replicas::new().await;
    let replica = site.replica(site.setup());
    let mut browser = site.signed_in(&replica).await;
    site.app.remove_secret();
    site.advance(INTERVAL);
    for _ in 0..60 {
        assert_eq!(browser.open(&replica, "/").await.body, ADELE);
        site.advance(MINUTE);
    }
    let page = browser.open(&replica, "/").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    let renewed = site.app.with_secret();
    let mut setup = site.setup();
    setup.authentication = ClientAuthentication::secret(renewed.secret());
    site.advance(MINUTE);
    let replica = site.replica(setup);
    assert_eq!(browser.open(&replica, "/").await.body, ADELE);
}

#[tokio::test]
async fn a_replica_with_a_certificate_and_a_clock_ahead_ends_no_session() {
    let site = Replicas::new().await;
    let pem = site.tenant.test_certificate_pem();
    let _app = site.app.with_certificate(&pem);
    let with_clock = |clock: ManualClock| {
        let certificate = Certificate::from_pem(pem.clone()).unwrap();
        let mut setup = site.setup();
        setup.authentication = ClientAuthentication::certificate(certificate);
        setup.clock = clock;
        site.replica(setup)
    };
    let healthy = with_clock(site.tenant.clock());
    let ahead = site.tenant.clock().now() + time::Duration::minutes(20);
    let faulty = with_clock(ManualClock::at(ahead));
    let mut browser = site.signed_in(&healthy).await;
    let before = site.token_requests();
    assert_eq!(browser.open(&faulty, "/").await.body, ADELE);
    assert!(site.token_requests() > before, "a check is due there");
    assert_eq!(browser.open(&healthy, "/").await.body, ADELE);
    site.advance(INTERVAL);
    let before = site.token_requests();
    assert_eq!(browser.open(&healthy, "/").await.body, ADELE);
    assert_eq!(site.token_requests(), before + 1);
}

#[tokio::test]
async fn an_id_token_of_an_unknown_key_ends_no_session() {
    let site = Replicas::new().await;
    let replica = site.replica(site.setup());
    let mut browser = site.signed_in(&replica).await;
    // The replica reads the keys through a cache that has not seen the rollover.
    site.tenant.publish_next_signing_key();
    site.tenant.switch_signing_key();
    site.tenant
        .inject(Fault::on("/discovery/v2.0/keys").stale_keys());
    site.advance(INTERVAL);
    assert_eq!(browser.open(&replica, "/").await.body, ADELE);
    site.tenant.clear_faults();
    site.advance(INTERVAL);
    assert_eq!(browser.open(&replica, "/").await.body, ADELE);
}

/// A check that returns a user which cannot be stored, once the user is signed in.
struct Unstorable;

#[derive(serde::Deserialize)]
struct Unserializable(bool);

impl serde::Serialize for Unserializable {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            true => Err(serde::ser::Error::custom("not storable")),
            false => serializer.serialize_str(ADELE),
        }
    }
}

#[async_trait::async_trait]
impl Authorize for Unstorable {
    type User = Unserializable;

    async fn authorize(&self, context: SignInContext) -> Result<Unserializable, AccessDenied> {
        Ok(Unserializable(context.is_recheck))
    }
}

#[tokio::test]
async fn a_user_of_the_check_that_cannot_be_stored_ends_no_session() {
    let site = Replicas::new().await;
    let healthy = site.replica(site.setup());
    let mut browser = site.signed_in(&healthy).await;
    let setup = site.setup();
    let faulty = site.replica(Setup {
        authentication: setup.authentication,
        clock: setup.clock,
        token_key: setup.token_key,
        check: Unstorable,
    });
    site.advance(INTERVAL);
    site.session_survives(&faulty, &healthy, &mut browser).await;
}

#[tokio::test]
async fn a_page_does_not_wait_for_a_check_that_hangs() {
    let site = Replicas::new().await;
    let replica = site.replica(site.setup());
    let mut browser = site.signed_in(&replica).await;
    let setup = site.setup();
    let slow_check = site.replica(Setup {
        authentication: setup.authentication,
        clock: setup.clock,
        token_key: setup.token_key,
        check: |context: SignInContext| async move {
            if context.is_recheck {
                std::future::pending::<()>().await;
            }
            admit_by_user_name(context).await
        },
    });
    site.advance(INTERVAL);
    tokio::time::pause();
    let started = tokio::time::Instant::now();
    assert_eq!(browser.open(&slow_check, "/").await.body, ADELE);
    assert!(started.elapsed() < Duration::from_secs(20));
    tokio::time::resume();
    site.advance(INTERVAL);
    let hang = Fault::on("/token").delay(Duration::from_secs(300));
    site.tenant.inject(hang);
    tokio::time::pause();
    let started = tokio::time::Instant::now();
    assert_eq!(browser.open(&replica, "/").await.body, ADELE);
    assert!(started.elapsed() < Duration::from_secs(6));
    // The next one does not ask before a minute has passed.
    let started = tokio::time::Instant::now();
    assert_eq!(browser.open(&replica, "/").await.body, ADELE);
    assert!(started.elapsed() < Duration::from_secs(1));
}
