//! The example of a product with several connections and passwords of its own.

use std::{sync::Arc, time::Duration};

use entra_auth::{
    SignInClient,
    user::{ClientAuthentication, StartOptions},
};
use entra_core::{Clock, Environment, ManualClock, Secret};
use entra_graph::{
    connection::{Check, ConnectionReport},
    registration::{AppRegistration, Audience, MemorySink},
};
use entra_mock::{FakeTenant, Fault};

use crate::{
    journal::{assert_no_findings, writes},
    multi_idp_login::{
        accounts::{Accounts, NextStep},
        check_set, embedded, find_tenant,
        form::{self, Form},
        from_env, listen, local_password,
        sample::{LOCAL_USER, Organizations},
        serve, setup, site,
        visit::{Visitor, visit},
    },
};

async fn story(passwords: bool) -> (Organizations, String) {
    let organizations = Organizations::start().await.unwrap();
    let (socket, url) = listen(0).await.unwrap();
    let mut out = Vec::new();
    let routes = embedded(&organizations, &url, passwords, &mut out)
        .await
        .unwrap();
    let server = tokio::spawn(serve(socket, routes));
    visit(&url, &organizations, &mut out).await.unwrap();
    server.abort();
    assert_no_findings(&organizations.contoso);
    assert_no_findings(&organizations.fabrikam);
    (organizations, String::from_utf8(out).unwrap())
}

#[tokio::test]
async fn each_user_signs_in_with_the_own_connection_or_password() {
    let (organizations, story) = story(true).await;
    let contacts = organizations.contoso.requests().to("/users/$count");
    contacts.assert_count(1);
    for (line, times) in [
        ("+ registration \"Contact Center\"", 2),
        ("+ registration \"Contact Center contacts\"", 1),
        ("POST /                          303  to /home", 1),
        ("POST /fabrikam                  303  to /home", 1),
        (
            "GET /home                       200  Hello, Adele of Contoso",
            1,
        ),
        (
            "GET /home                       200  Hello, Adele of Fabrikam",
            1,
        ),
        (
            "POST /password                  401  Enter your password",
            1,
        ),
        ("POST /password                  303  to /home", 1),
        ("GET /home                       200  Hello, Robin", 1),
        // After each sign-out the home page leads to the front page.
        ("GET /home                       303  to /", 3),
        (
            "POST /                          403  You do not have access",
            1,
        ),
    ] {
        assert_eq!(story.matches(line).count(), times, "{line}: {story}");
    }
    let tenant = organizations.fabrikam.id();
    assert!(story.contains(&format!("Connection Fabrikam: tenant {tenant}")));
    assert!(!story.contains("code="), "{story}");
}

#[tokio::test]
async fn without_passwords_a_login_without_connection_gets_no_password_page() {
    let (_organizations, story) = story(false).await;
    assert!(
        story.contains(
            "POST /sign-in                   200  No organization is set up for this login"
        )
    );
    assert!(!story.contains("/password"), "{story}");
}

#[tokio::test]
async fn the_number_of_contacts_is_that_of_a_count_over_all_users() {
    let organizations = Organizations::start().await.unwrap();
    let mut out = Vec::new();
    let contacts = organizations.contacts(&mut out).await.unwrap();
    let graph = setup::administrator(&organizations.contoso).unwrap();
    let users = graph.users().list().items().try_collect::<Vec<_>>().await;
    assert_eq!(contacts, u64::try_from(users.unwrap().len()).unwrap());
}

#[tokio::test]
async fn a_second_apply_of_both_registrations_sends_reads_only() {
    let tenant = FakeTenant::start().await;
    let graph = setup::administrator(&tenant).unwrap();
    let mut sink = MemorySink::new().clock(tenant.clock());
    let blueprints = [
        setup::sign_in(setup::REDIRECT_URI).unwrap(),
        setup::contacts().unwrap(),
    ];
    let mut clients = Vec::new();
    for blueprint in &blueprints {
        let applied = setup::apply(&graph, blueprint, &mut sink, &mut Vec::new()).await;
        clients.push(applied.unwrap().client_id().to_owned());
    }
    assert_ne!(clients[0], clients[1], "each has a registration of its own");
    tenant.forget_requests();
    for blueprint in &blueprints {
        let again = setup::apply(&graph, blueprint, &mut sink, &mut Vec::new()).await;
        assert_eq!(again.unwrap().changes(), []);
    }
    assert_eq!(writes(&tenant), Vec::<String>::new());
}

#[test]
fn the_guides_are_those_of_the_blueprints() {
    for (blueprint, guide) in [
        (
            setup::sign_in(setup::REDIRECT_URI).unwrap(),
            include_str!("../../multi_idp_login/GUIDE.md"),
        ),
        (
            setup::contacts().unwrap(),
            include_str!("../../multi_idp_login/CONTACTS.md"),
        ),
    ] {
        assert_eq!(
            guide,
            blueprint.guide().to_markdown(),
            "run the example with `--step guide`, for the contacts with `--contacts`"
        );
    }
}

/// The form of a connection whose redirect URI is the address of the product itself.
async fn filled_in() -> (FakeTenant, Form) {
    let tenant = FakeTenant::start().await;
    let blueprint = setup::sign_in(setup::REDIRECT_URI).unwrap();
    let form = form_of(&tenant, "contoso", &blueprint, setup::REDIRECT_URI).await;
    (tenant, form)
}

/// The form of a connection that an administrator has registered by a blueprint.
async fn form_of(
    tenant: &FakeTenant,
    name: &str,
    blueprint: &AppRegistration,
    redirect_uri: &str,
) -> Form {
    let graph = setup::administrator(tenant).unwrap();
    let mut sink = MemorySink::new().clock(tenant.clock());
    let applied = setup::apply(&graph, blueprint, &mut sink, &mut Vec::new())
        .await
        .unwrap();
    let (_, secret) = sink.secrets().last().unwrap();
    Form {
        name: name.to_owned(),
        title: "Contoso".to_owned(),
        tenant: tenant.id().to_string(),
        domain: String::new(),
        client: applied.client_id().to_owned(),
        secret: secret.value().clone(),
        redirect_uri: redirect_uri.to_owned(),
        cloud: tenant.cloud(),
        clock: Arc::new(tenant.clock()),
    }
}

async fn report(form: &Form, tenant: &FakeTenant) -> ConnectionReport {
    let reader = setup::administrator(tenant).unwrap();
    form.test().reader(&reader).run().await
}

#[tokio::test]
async fn a_form_without_tenant_id_finds_the_tenant_by_a_domain() {
    let (tenant, form) = filled_in().await;
    for entered in ["", " ", "organizations", "common"] {
        let mut form = form.clone();
        form.tenant = entered.to_owned();
        form.domain = "Contoso.com".to_owned();
        let connection = form.connection().await.unwrap();
        assert_eq!(connection.tenant, tenant.id(), "{entered:?}");
    }
    let found = form::find_tenant(&tenant.cloud(), "contoso.com").await;
    assert_eq!(found.unwrap(), tenant.id());
    let error = form::find_tenant(&tenant.cloud(), "unknown.example").await;
    let error = error.unwrap_err().to_string();
    assert_eq!(
        error,
        "there is no organization with the domain unknown.example"
    );
    let error = form::find_tenant(&tenant.cloud(), "organizations").await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("organizations is not a domain"),
        "{error}"
    );
}

#[tokio::test]
async fn an_outage_is_not_taken_for_an_unknown_domain() {
    let tenant = FakeTenant::start().await;
    for status in [429, 500, 503] {
        tenant.inject(
            Fault::on("/.well-known/openid-configuration")
                .times(1)
                .status(status),
        );
        let error = form::find_tenant(&tenant.cloud(), "contoso.com").await;
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains(&format!("returned {status}; try again later")),
            "{error}"
        );
    }
    let found = form::find_tenant(&tenant.cloud(), "contoso.com").await;
    assert_eq!(found.unwrap(), tenant.id());
}

#[tokio::test]
async fn a_form_with_neither_tenant_id_nor_domain_asks_for_them_and_explains_50194() {
    let (tenant, form) = filled_in().await;
    for entered in ["", "organizations"] {
        let mut form = form.clone();
        form.tenant = entered.to_owned();
        let error = form.connection().await.unwrap_err().to_string();
        for text in [
            "connection Contoso: the directory (tenant) ID is missing",
            "AADSTS50194",
            "fix:   enter the Directory (tenant) ID",
        ] {
            assert!(error.contains(text), "{error}");
        }
    }
    // The page for the user, and the finding of the connection test.
    let client = SignInClient::builder(
        "organizations",
        form.client.parse::<entra_core::ClientId>().unwrap(),
        ClientAuthentication::secret(form.secret.clone()),
    )
    .redirect_uri(setup::REDIRECT_URI)
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .any_tenant()
    .build()
    .unwrap();
    let (url, _) = client.start(&StartOptions::default()).unwrap();
    let page = tenant.try_sign_in_at(url.as_str(), "adele@contoso.com");
    assert_eq!(page.unwrap_err().aadsts_code(), Some(50_194));
    for alias in ["organizations", "common"] {
        let mut form = form.clone();
        form.tenant = alias.to_owned();
        let report = report(&form, &tenant).await;
        let found = report.errors().find(|finding| finding.code == Some(50_194));
        let found = found.unwrap_or_else(|| panic!("{alias}: {report}"));
        assert_eq!(found.check, Check::Configuration);
        assert!(
            found.fix.as_ref().unwrap().contains("tenant's id"),
            "{report}"
        );
    }
}

#[tokio::test]
async fn a_registration_for_any_organization_finds_the_tenant_by_a_sign_in() {
    let tenant = FakeTenant::start().await;
    let (socket, url) = listen(0).await.unwrap();
    let redirect_uri = site::urls(&url).unwrap().callback();
    let blueprint = setup::sign_in(&redirect_uri).unwrap();
    let blueprint = blueprint.audience(Audience::AnyTenant);
    let mut form = form_of(&tenant, "contoso", &blueprint, &redirect_uri).await;
    form.tenant = String::new();
    let server = tokio::spawn(serve(socket, find_tenant::routes(&url, &form).unwrap()));
    let (mut visitor, mut out) = (Visitor::new(&url), Vec::new());
    let page = visitor.get("/", &mut out).await.unwrap().body;
    assert!(page.contains("The tenant ID is missing"), "{page}");
    let page = visitor
        .sign_in_from(
            "/auth/sign-in/contoso?return=/",
            &tenant,
            "adele@contoso.com",
            &mut out,
        )
        .await
        .unwrap()
        .body;
    assert!(page.contains("Is this your organization?"), "{page}");
    assert!(page.contains(&tenant.id().to_string()), "{page}");
    // It is shown to the user who signed in, and not stored for others.
    let page = Visitor::new(&url).get("/", &mut out).await.unwrap().body;
    assert!(!page.contains(&tenant.id().to_string()), "{page}");
    server.abort();
}

#[tokio::test]
async fn a_registration_for_one_organization_is_not_found_by_a_sign_in_and_the_page_explains_50194()
{
    let tenant = FakeTenant::start().await;
    let (socket, url) = listen(0).await.unwrap();
    let redirect_uri = site::urls(&url).unwrap().callback();
    let blueprint = setup::sign_in(&redirect_uri).unwrap();
    let mut form = form_of(&tenant, "contoso", &blueprint, &redirect_uri).await;
    form.tenant = String::new();
    let server = tokio::spawn(serve(socket, find_tenant::routes(&url, &form).unwrap()));
    let (mut visitor, mut out) = (Visitor::new(&url), Vec::new());
    let page = visitor.get("/", &mut out).await.unwrap().body;
    assert!(
        page.contains("AADSTS50194") && page.contains("App registrations &gt; Overview"),
        "{page}"
    );
    let start = "/auth/sign-in/contoso?return=/";
    let start = visitor.get(start, &mut out).await.unwrap();
    let shown = tenant.try_sign_in_at(&start.location, "adele@contoso.com");
    assert_eq!(shown.unwrap_err().aadsts_code(), Some(50_194));
    // The error without a tenant names the fix as well.
    let error = form.connection().await.unwrap_err().to_string();
    assert!(error.contains("--step find-tenant"), "{error}");
    server.abort();
}

/// Two organizations of one cloud, or two registrations of one tenant: their sign-ins are at one host.
#[tokio::test]
async fn connections_at_one_sign_in_host_share_the_address_of_the_product() {
    let tenant = FakeTenant::start().await;
    let (socket, url) = listen(0).await.unwrap();
    let redirect_uri = site::urls(&url).unwrap().callback();
    assert_eq!(redirect_uri, format!("{url}/"));
    let accounts = Accounts::new(false, Arc::new(tenant.clock()) as Arc<dyn Clock>).unwrap();
    let mut connections = Vec::new();
    for (name, user) in [
        ("headquarters", "adele@contoso.com"),
        ("branches", "felix@contoso.com"),
    ] {
        let blueprint = setup::sign_in(&redirect_uri).unwrap();
        let blueprint = blueprint.unique_name(format!("contact-center-{name}"));
        let form = form_of(&tenant, name, &blueprint, &redirect_uri).await;
        connections.push(form.connection().await.unwrap());
        accounts.add(user, user, name);
    }
    assert_ne!(connections[0].client, connections[1].client);
    let clock: Arc<dyn Clock> = Arc::new(tenant.clock());
    let accounts = Arc::new(accounts);
    let routes = site::routes(
        &url,
        &connections,
        Arc::clone(&accounts),
        Arc::clone(&clock),
        String::new(),
    );
    let server = tokio::spawn(serve(socket, routes.unwrap()));
    let mut out = Vec::new();
    for (connection, user, status) in [
        ("headquarters", "adele@contoso.com", 200),
        ("branches", "felix@contoso.com", 200),
        ("headquarters", "felix@contoso.com", 403),
        ("branches", "adele@contoso.com", 403),
    ] {
        let mut visitor = Visitor::new(&url);
        let page = visitor.sign_in(connection, &tenant, user, &mut out).await;
        let page = page.unwrap();
        assert_eq!(page.status, status, "{user} at {connection}: {}", page.body);
    }
    let mut visitor = Visitor::new(&url);
    for (connection, user) in [
        ("headquarters", "adele@contoso.com"),
        ("branches", "felix@contoso.com"),
    ] {
        let page = visitor.sign_in(connection, &tenant, user, &mut out).await;
        assert!(page.unwrap().body.contains(user), "{user}");
    }
    server.abort();

    // The sign-in of another cloud gets an address of its own, as a shared one could leak codes (mix-up).
    let mut elsewhere = connections[1].clone();
    elsewhere.cloud = entra_core::Cloud::us_government();
    let connections = [connections[0].clone(), elsewhere];
    let error = site::routes(&url, &connections, accounts, clock, String::new());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("at another login host"), "{error}");
}

#[tokio::test]
async fn the_address_of_the_product_itself_is_a_redirect_uri_with_its_slash() {
    let (tenant, form) = filled_in().await;
    let good = report(&form, &tenant).await;
    assert!(good.passed(), "{good}");
    assert!(good.of(Check::RedirectUri).next().is_some());
    let mut without = form.clone();
    without.redirect_uri = setup::REDIRECT_URI.trim_end_matches('/').to_owned();
    let report = report(&without, &tenant).await;
    let finding = report.errors().next().unwrap();
    assert_eq!(finding.check, Check::RedirectUri);
    assert!(
        finding
            .why
            .as_ref()
            .unwrap()
            .contains("differs by the slash at the end"),
        "{report}"
    );
    let urls = site::urls("https://contact.example.com").unwrap();
    assert_eq!(urls.callback(), setup::REDIRECT_URI);
}

#[tokio::test]
async fn ids_that_are_still_empty_are_named_by_the_connection_test() {
    let (tenant, mut form) = filled_in().await;
    (form.tenant, form.client) = (String::new(), String::new());
    let report = report(&form, &tenant).await;
    let errors: Vec<&str> = report
        .errors()
        .map(|finding| finding.what.as_str())
        .collect();
    assert_eq!(
        errors,
        [
            "configuration not filled in: the tenant is \"\"",
            "configuration not filled in: the client id is \"\"",
        ]
    );
    let form = from_env(&Environment::default(), setup::REDIRECT_URI).unwrap();
    let error = form.connection().await.unwrap_err().to_string();
    assert!(
        error.contains("the application (client) ID is invalid"),
        "{error}"
    );
}

#[tokio::test]
async fn a_secret_in_the_field_of_an_id_is_not_repeated() {
    let (tenant, entered) = filled_in().await;
    for field in ["tenant", "client", "domain"] {
        let mut form = entered.clone();
        let secret = "canary~Zyx5e1fXyz".to_owned();
        match field {
            "tenant" => form.tenant = secret,
            "client" => form.client = secret,
            _ => (form.tenant, form.domain) = (String::new(), secret),
        }
        let found = report(&form, &tenant).await;
        let json = serde_json::to_string(&found).unwrap();
        let shown = format!("{form:?} {:?} {found} {found:?} {json}", form.test());
        assert!(!shown.contains("canary"), "{field}: {shown}");
        let error = form.connection().await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("invalid"), "{shown}");
        assert!(!shown.contains("canary"), "{field}: {shown}");
    }
}

#[tokio::test]
async fn a_connection_signs_in_only_the_users_that_are_assigned_to_it() {
    let organizations = Organizations::start().await.unwrap();
    let (socket, url) = listen(0).await.unwrap();
    let mut out = Vec::new();
    let routes = embedded(&organizations, &url, true, &mut out)
        .await
        .unwrap();
    let server = tokio::spawn(serve(socket, routes));
    // A user of Fabrikam takes the user name that is assigned to Contoso.
    let clara = organizations.fabrikam.user("clara@fabrikam.com");
    clara.set("userPrincipalName", "adele@contoso.com".into());
    let mut visitor = Visitor::new(&url);
    let page = visitor
        .sign_in(
            "fabrikam",
            &organizations.fabrikam,
            "adele@contoso.com",
            &mut out,
        )
        .await
        .unwrap();
    assert_eq!(page.status, 403, "{}", page.body);
    // After the first sign-in the object ID counts: a new user with the name does not get the account.
    let mut visitor = Visitor::new(&url);
    let adele = "adele@contoso.com";
    let page = visitor
        .sign_in("contoso", &organizations.contoso, adele, &mut out)
        .await;
    assert_eq!(page.unwrap().status, 200);
    let user = organizations.contoso.user(adele);
    user.set("userPrincipalName", "married@contoso.com".into());
    let clara = organizations.contoso.user("clara@contoso.com");
    clara.set("userPrincipalName", adele.into());
    for (name, status) in [(adele, 403), ("married@contoso.com", 200)] {
        let mut visitor = Visitor::new(&url);
        let page = visitor
            .sign_in("contoso", &organizations.contoso, name, &mut out)
            .await;
        assert_eq!(page.unwrap().status, status, "{name}");
    }
    server.abort();
}

#[tokio::test]
async fn a_password_form_of_another_site_is_rejected() {
    let organizations = Organizations::start().await.unwrap();
    let (socket, url) = listen(0).await.unwrap();
    let mut out = Vec::new();
    let routes = embedded(&organizations, &url, true, &mut out)
        .await
        .unwrap();
    let server = tokio::spawn(serve(socket, routes));
    let password = organizations.password.expose_secret();
    let form = [("login", LOCAL_USER), ("password", password)];
    // 127.0.0.1 is another origin than localhost.
    let other = url.replace("localhost", "127.0.0.1");
    let page = Visitor::new(&other)
        .post("/password", &form, &mut out)
        .await
        .unwrap();
    assert_eq!(page.status, 403);
    let page = Visitor::new(&url)
        .post("/password", &form, &mut out)
        .await
        .unwrap();
    assert_eq!(page.status, 303);
    server.abort();
}

#[test]
fn a_login_is_blocked_for_a_minute_after_five_wrong_passwords() {
    let clock = ManualClock::new();
    let accounts = Accounts::new(true, Arc::new(clock.clone()) as Arc<dyn Clock>).unwrap();
    let (right, wrong) = (Secret::from("canary-right"), Secret::from("canary-wrong"));
    accounts
        .add_with_password("robin@example.com", "Robin", &right)
        .unwrap();
    let enter = |password: &Secret| accounts.with_password(" Robin@example.com", password);
    assert_eq!(enter(&right).as_deref(), Some("Robin"));
    for _ in 0..5 {
        assert_eq!(enter(&wrong), None);
    }
    assert_eq!(enter(&right), None, "blocked");
    clock.advance(Duration::from_secs(30));
    for _ in 0..5 {
        assert_eq!(enter(&wrong), None, "it does not extend the block");
    }
    clock.advance(Duration::from_secs(31));
    assert_eq!(enter(&right).as_deref(), Some("Robin"));
    assert_eq!(accounts.with_password("other@example.com", &right), None);
    assert!(!format!("{accounts:?}").contains("canary"));
    assert_eq!(
        accounts.next_step("unknown@example.com"),
        NextStep::Password
    );
}

#[tokio::test]
async fn a_sign_out_leaves_no_session_of_a_password_behind() {
    let organizations = Organizations::start().await.unwrap();
    let (socket, url) = listen(0).await.unwrap();
    let mut out = Vec::new();
    let routes = embedded(&organizations, &url, true, &mut out)
        .await
        .unwrap();
    let server = tokio::spawn(serve(socket, routes));
    let password = organizations.password.expose_secret();
    let form = [("login", LOCAL_USER), ("password", password)];
    let (contoso, adele) = (&organizations.contoso, "adele@contoso.com");
    let mut visitor = Visitor::new(&url);
    let page = visitor.post("/password", &form, &mut out).await.unwrap();
    assert_eq!((page.status, page.location.as_str()), (303, "/home"));
    let page = visitor.sign_in("contoso", contoso, adele, &mut out).await;
    assert!(page.unwrap().body.contains("Hello, Adele of Contoso"));
    // A password page that is still open in another tab does not change the user.
    let page = visitor.post("/password", &form, &mut out).await.unwrap();
    assert_eq!((page.status, page.location.as_str()), (303, "/"));
    visitor.post("/auth/sign-out", &[], &mut out).await.unwrap();
    let page = visitor.get("/home", &mut out).await.unwrap();
    assert_eq!((page.status, page.location.as_str()), (303, "/"));
    server.abort();
}

#[test]
fn the_password_of_a_file_with_the_line_ends_of_windows_is_the_typed_one() {
    let of = |text: &str| {
        let environment = Environment::from_pairs([("CONTACT_CENTER_PASSWORD", text)]);
        local_password(&environment).map(|password| password.expose_secret().to_owned())
    };
    assert_eq!(of("canary one\r").as_deref(), Some("canary one"));
    assert_eq!(of(" canary \r\n").as_deref(), Some(" canary "));
    assert_eq!(of("\r\n"), None);
}

#[test]
fn the_variables_that_are_missing_are_named_together() {
    let error = check_set(&Environment::default()).unwrap_err().to_string();
    assert!(
        error.contains("AZURE_CLIENT_ID, AZURE_CLIENT_SECRET are not set"),
        "{error}"
    );
    let environment = Environment::from_pairs([
        ("AZURE_CLIENT_ID", "66666666-7777-8888-9999-000000000000\r"),
        ("AZURE_CLIENT_SECRET", "canary\r"),
    ]);
    check_set(&environment).unwrap();
    let form = from_env(&environment, "http://localhost/").unwrap();
    assert_eq!(form.secret.expose_secret(), "canary");
}
