//! The example of a product that members of one group sign in to.

use entra_auth::{
    SignInClient,
    user::{ClientAuthentication, StartOptions},
    web::RouteUrls,
};
use entra_core::Environment;
use entra_graph::{
    connection::{Check, ConnectionTest, Finding, Severity},
    registration::{AppRegistration, EnvFile, MemorySink},
};
use entra_mock::FakeTenant;

use crate::{
    journal::{assert_no_findings, writes},
    sso_group_gate::{
        embedded, from_env, listen, sample, serve,
        setup::{self, ADDRESS, SCOPES},
        site,
        visit::{Visitor, visit},
    },
};

async fn story(form_post: bool) -> String {
    let tenant = FakeTenant::start().await;
    let (socket, url) = listen(0).await.unwrap();
    let mut out = Vec::new();
    let routes = embedded(&tenant, &url, form_post, &mut out).await.unwrap();
    let server = tokio::spawn(serve(socket, routes));
    visit(&url, &tenant, &mut out).await.unwrap();
    server.abort();
    tenant.requests().to("/checkMemberGroups").assert_count(2);
    assert_no_findings(&tenant);
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn one_run_goes_from_an_unknown_product_to_users_who_enter_if_they_are_in_the_group() {
    for form_post in [false, true] {
        let story = story(form_post).await;
        let method = if form_post { "POST" } else { "GET" };
        let callback = format!("{method} /auth/callback");
        for (line, times) in [
            ("+ registration \"Helpdesk\"", 1),
            ("+ secret \"Helpdesk sign-in\", 24 months", 1),
            ("+ admin consent for Microsoft Graph profile (delegated)", 1),
            ("200  You may enter", 1),
            ("403  You do not have access", 1),
            ("oauth2/v2.0/logout", 1),
            (callback.as_str(), 2),
        ] {
            assert_eq!(story.matches(line).count(), times, "{line}: {story}");
        }
        // After the sign-out the desk redirects to the sign-in again.
        let redirects = story.matches("GET /desk                     303").count();
        assert_eq!(redirects, 2 + 1, "{story}");
        assert!(!story.contains("code="), "{story}");
    }
}

#[tokio::test]
async fn a_second_apply_sends_reads_only_and_fills_a_saved_file_once() {
    let tenant = FakeTenant::start().await;
    let graph = setup::administrator(&tenant).unwrap();
    let blueprint = setup::blueprint(ADDRESS).unwrap();
    let name = format!("entra-gate-{}-{}.env", tenant.id(), std::process::id());
    let path = std::env::temp_dir().join(name);
    // A configuration that was saved before the registration existed.
    std::fs::write(
        &path,
        "AZURE_TENANT_ID=\nAZURE_CLIENT_ID=\nAZURE_CLIENT_SECRET=\n",
    )
    .unwrap();
    let mut file = EnvFile::new(&path).clock(tenant.clock());
    let mut out = Vec::new();
    let first = setup::apply(&graph, &blueprint, &mut file, &mut out)
        .await
        .unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    tenant.forget_requests();
    let again = setup::apply(&graph, &blueprint, &mut file, &mut out)
        .await
        .unwrap();
    assert_eq!(again.changes(), []);
    assert_eq!(writes(&tenant), Vec::<String>::new());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    std::fs::remove_file(&path).unwrap();
    // What is printed is what is done, also if the file is lost.
    out.clear();
    let renewed = setup::apply(&graph, &blueprint, &mut file, &mut out)
        .await
        .unwrap();
    assert_eq!(renewed.secrets().len(), 1);
    let plan = String::from_utf8(out).unwrap();
    assert!(
        plan.contains("+ secret \"") && !plan.contains("nothing to change"),
        "{plan}"
    );
    std::fs::remove_file(&path).unwrap();

    let variables = text.lines().filter_map(|line| line.split_once('='));
    let variables: Vec<(&str, &str)> = variables
        .filter(|(name, _)| name.starts_with("AZURE_"))
        .collect();
    assert_eq!(variables.len(), 4, "each variable is there once");
    let environment = Environment::from_pairs(variables);
    let connection = from_env(&environment).unwrap();
    assert_eq!(connection.client.to_string(), first.client_id());
    assert_eq!(connection.tenant, tenant.id());
    assert!(connection.secret.expose_secret().len() > 10);
}

#[tokio::test]
async fn a_plan_beside_a_file_of_another_program_says_what_stops_it() {
    let tenant = FakeTenant::start().await;
    let graph = setup::administrator(&tenant).unwrap();
    let blueprint = setup::blueprint(ADDRESS).unwrap();
    let name = format!(
        "entra-gate-other-{}-{}.env",
        tenant.id(),
        std::process::id()
    );
    let path = std::env::temp_dir().join(name);
    let text = "AZURE_CLIENT_SECRET=of-another-program\n";
    std::fs::write(&path, text).unwrap();
    let mut file = EnvFile::new(&path).clock(tenant.clock());
    let planned = blueprint.plan_with(&graph, &mut file).await;
    let kept = std::fs::read_to_string(&path).unwrap();
    let applied = setup::apply(&graph, &blueprint, &mut file, &mut Vec::new()).await;
    std::fs::remove_file(&path).unwrap();
    let plan = planned.unwrap().to_string();
    assert_eq!(kept, text);
    assert!(plan.contains("+ registration \"Helpdesk\""), "{plan}");
    assert!(plan.contains("! the sink of the secrets failed:"), "{plan}");
    assert!(!plan.contains("of-another-program"), "{plan}");
    assert!(
        applied
            .unwrap_err()
            .to_string()
            .contains("use another file")
    );
}

#[test]
fn the_guide_is_that_of_the_blueprint() {
    assert_eq!(
        include_str!("../../sso_group_gate/GUIDE.md"),
        setup::blueprint(ADDRESS).unwrap().guide().to_markdown(),
        "run the example with `--step guide`"
    );
}

#[tokio::test]
async fn a_group_that_the_tenant_does_not_have_is_named_to_the_administrator() {
    let tenant = FakeTenant::start().await;
    let (socket, url) = listen(0).await.unwrap();
    let mut out = Vec::new();
    let mut connection = sample::set_up(&tenant, &url, &mut out).await.unwrap();
    connection.group = Some("5d0f3c1e-1d71-4883-8f98-567911bfdca6".parse().unwrap());
    let urls = RouteUrls::at(&format!("{url}/auth")).unwrap();
    let routes = site::routes(&urls, connection, false, String::new()).unwrap();
    let server = tokio::spawn(serve(socket, routes));
    let page = Visitor::new(&url)
        .sign_in(&tenant, "adele@contoso.com", &mut out)
        .await
        .unwrap()
        .body;
    server.abort();
    assert!(
        page.contains("Helpdesk is not set up completely."),
        "{page}"
    );
    assert!(
        page.contains("The tenant has no group 5d0f3c1e-1d71-4883-8f98-567911bfdca6"),
        "{page}"
    );
}

#[tokio::test]
async fn a_group_with_hidden_membership_is_named_to_the_administrator() {
    let tenant = FakeTenant::start().await;
    let (socket, url) = listen(0).await.unwrap();
    let mut out = Vec::new();
    let connection = sample::set_up(&tenant, &url, &mut out).await.unwrap();
    let group = connection.group.unwrap().to_string();
    tenant
        .set_property("groups", &group, "visibility", "HiddenMembership".into())
        .unwrap();
    let urls = RouteUrls::at(&format!("{url}/auth")).unwrap();
    let routes = site::routes(&urls, connection, false, String::new()).unwrap();
    let server = tokio::spawn(serve(socket, routes));
    // A member of it, which Graph does not show.
    let page = Visitor::new(&url)
        .sign_in(&tenant, "adele@contoso.com", &mut out)
        .await
        .unwrap()
        .body;
    server.abort();
    assert!(page.contains("has hidden membership"), "{page}");
    assert!(!page.contains("Add adele@contoso.com"), "{page}");
}

/// A registration and a connection test that knows it.
async fn registered(blueprint: &AppRegistration) -> (FakeTenant, ConnectionTest) {
    let tenant = FakeTenant::start().await;
    let graph = setup::administrator(&tenant).unwrap();
    let mut sink = MemorySink::new().clock(tenant.clock());
    let applied = setup::apply(&graph, blueprint, &mut sink, &mut Vec::new())
        .await
        .unwrap();
    let test = ConnectionTest::of(tenant.id().to_string(), applied.client_id())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .reader(&graph);
    (tenant, test)
}

/// The findings about the object id in tokens.
async fn about_oid(test: ConnectionTest) -> Vec<Finding> {
    let report = test.run().await;
    let findings = report.of(Check::Claims);
    let about = findings.filter(|finding| finding.what.contains("no oid"));
    about.cloned().collect()
}

#[tokio::test]
async fn a_sign_in_that_does_not_request_profile_is_an_error_that_names_the_fix() {
    let (_tenant, test) = registered(&setup::blueprint(ADDRESS).unwrap()).await;
    let complete = test.clone().needs_delegated(SCOPES);
    assert_eq!(about_oid(complete).await, []);
    let without: Vec<&str> = SCOPES.into_iter().filter(|one| *one != "profile").collect();
    let test = test.needs_delegated(without);
    let report = test.clone().run().await;
    assert_eq!(report.exit_code(), 1, "{report}");
    let [finding] = &about_oid(test.clone()).await[..] else {
        panic!("one finding");
    };
    assert_eq!(finding.severity, Severity::Error);
    let fix = finding.fix.as_ref().unwrap();
    assert!(
        fix.contains("openid and profile") && fix.contains("OpenId permissions > profile"),
        "{fix}"
    );
    // A product that reads `sub` needs no profile, and one without OpenID Connect has no ID token.
    let by_sub = test.identifies_users_by_sub();
    assert_eq!(about_oid(by_sub).await, []);
}

#[tokio::test]
async fn a_product_without_openid_is_not_asked_for_profile() {
    let (_tenant, test) = registered(&setup::blueprint(ADDRESS).unwrap()).await;
    let test = test.needs_delegated(["GroupMember.Read.All"]);
    assert_eq!(about_oid(test).await, []);
}

/// The administrator ticked `openid` only, and the product requests both.
#[tokio::test]
async fn admin_consent_without_profile_is_a_warning_and_its_tokens_have_no_oid() {
    let blueprint = AppRegistration::new("Helpdesk")
        .web_redirect_uri("https://helpdesk.example.com/auth/callback")
        .delegated(["openid", "email"])
        .grant_admin_consent();
    let (_tenant, test) = registered(&blueprint).await;
    let test = test.needs_delegated(["openid", "profile", "email"]);
    let [finding] = &about_oid(test).await[..] else {
        panic!("one finding");
    };
    assert_eq!(finding.severity, Severity::Warning);
    assert!(
        finding.why.as_ref().unwrap().contains("AADSTS90094"),
        "{finding:#}"
    );
    assert!(
        finding
            .fix
            .as_ref()
            .unwrap()
            .contains("OpenId permissions > profile")
    );
    // With both granted, nothing is said.
    let blueprint = blueprint.delegated(["profile"]);
    let (_tenant, test) = registered(&blueprint).await;
    let test = test.needs_delegated(["openid", "profile", "email"]);
    assert_eq!(about_oid(test).await, []);
}

#[tokio::test]
async fn a_plan_of_a_blueprint_without_profile_warns_that_no_oid_comes() {
    let tenant = FakeTenant::start().await;
    let graph = setup::administrator(&tenant).unwrap();
    for (scopes, warnings) in [
        (vec!["openid", "email"], 1),
        (vec!["openid", "profile", "email"], 0),
        (vec!["GroupMember.Read.All"], 0),
    ] {
        let blueprint = AppRegistration::new("Helpdesk").delegated(scopes.clone());
        let plan = blueprint.plan(&graph).await.unwrap();
        assert_eq!(plan.warnings().count(), warnings, "{scopes:?}");
        assert_eq!(plan.to_string().contains("have no oid"), warnings == 1);
    }
}

#[tokio::test]
async fn the_wrong_directory_stops_the_plan_and_is_named_by_the_connection_test() {
    // The tenant that the administrator's browser was signed in to, and the one that was meant.
    let wrong = FakeTenant::builder()
        .company("Fabrikam", "fabrikam.com")
        .random_seed(2)
        .start()
        .await;
    let graph = setup::administrator(&wrong).unwrap();
    let right = FakeTenant::start().await;
    let blueprint = setup::blueprint(ADDRESS).unwrap();
    for directory in [right.id().to_string(), "contoso.com".to_owned()] {
        let blueprint = blueprint.clone().directory(&directory);
        let plan = blueprint.plan(&graph).await.unwrap();
        let stops: Vec<&str> = plan.stops().collect();
        assert_eq!(stops.len(), 1, "{plan}");
        assert!(stops[0].contains("wrong directory"), "{plan}");
        assert!(stops[0].contains(&directory) && stops[0].contains(&wrong.id().to_string()));
        let mut sink = MemorySink::new().clock(wrong.clock());
        let error = plan.apply(&mut sink).await.unwrap_err().to_string();
        assert!(error.contains("wrong directory"), "{error}");
        assert_eq!(writes(&wrong), Vec::<String>::new());
    }
    for directory in [wrong.id().to_string(), "FABRIKAM.com".to_owned()] {
        let plan = blueprint.clone().directory(directory).plan(&graph).await;
        assert_eq!(plan.unwrap().stops().count(), 0);
    }

    // Registered there all the same, the product does not find its application in the other tenant.
    let plan = blueprint.plan(&graph).await.unwrap();
    let mut sink = MemorySink::new().clock(wrong.clock());
    let applied = plan.apply(&mut sink).await.unwrap();
    let report = ConnectionTest::of(right.id().to_string(), applied.client_id())
        .cloud(right.cloud())
        .clock(right.clock())
        .reader(&setup::administrator(&right).unwrap())
        .run()
        .await;
    let error = report.errors().next().unwrap();
    assert_eq!(error.check, Check::Application);
    assert!(error.what.contains("not in this tenant"), "{report}");
    assert!(error.fix.is_some());
}

#[tokio::test]
async fn a_sign_in_without_the_tenant_id_shows_aadsts_50194() {
    let tenant = FakeTenant::start().await;
    let mut out = Vec::new();
    let url = "http://localhost:1";
    let connection = sample::set_up(&tenant, url, &mut out).await.unwrap();
    let client = SignInClient::builder(
        "organizations",
        connection.client,
        ClientAuthentication::secret(connection.secret.clone()),
    )
    .redirect_uri("http://localhost:1/auth/callback")
    .cloud(connection.cloud.clone())
    .clock(tenant.clock())
    .any_tenant()
    .build()
    .unwrap();
    let (address, _) = client.start(&StartOptions::default()).unwrap();
    let page = tenant
        .try_sign_in_at(address.as_str(), "adele@contoso.com")
        .unwrap_err();
    assert_eq!(page.aadsts_code(), Some(50_194), "{page:?}");
}

#[test]
fn the_environment_needs_a_secret_and_a_valid_group() {
    let missing = from_env(&Environment::default()).unwrap_err().to_string();
    assert!(
        missing.contains("AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET are not set"),
        "{missing}"
    );
    let environment = Environment::from_pairs([
        ("AZURE_TENANT_ID", "contoso.com"),
        ("AZURE_CLIENT_ID", "66666666-7777-8888-9999-000000000000"),
    ]);
    let missing = from_env(&environment).unwrap_err().to_string();
    assert!(
        missing.contains("AZURE_CLIENT_SECRET is not set"),
        "{missing}"
    );
    let environment = environment.with("AZURE_CLIENT_SECRET", "canary");
    assert!(from_env(&environment).unwrap().group.is_none());
    let wrong = from_env(&environment.with("ENTRA_GROUP_ID", "Support"));
    let wrong = wrong.unwrap_err().to_string();
    assert!(
        wrong.contains("ENTRA_GROUP_ID is not the object ID"),
        "{wrong}"
    );
}

#[test]
fn the_redirect_uri_of_the_test_is_the_registered_one() {
    for url in [
        ADDRESS,
        "https://helpdesk.contoso.com/",
        "http://localhost:3000",
    ] {
        let blueprint = setup::blueprint(url).unwrap().to_json().unwrap();
        let callback = setup::callback(url).unwrap();
        assert!(blueprint.contains(&format!("{callback:?}")), "{blueprint}");
    }
}
