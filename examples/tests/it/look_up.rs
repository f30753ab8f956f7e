//! The example of a phone system: look-ups in stage one, portals in stage two.

use std::{collections::BTreeSet, time::Duration};

use entra_core::{Environment, http::Method};
use entra_graph::{
    GraphClient, User,
    connection::{Check, ConnectionReport, Severity},
    registration::{AppRegistration, EnvFile, MemorySink, Plan},
};
use entra_mock::FakeTenant;
use serde_json::json;

use crate::{
    journal::{assert_no_findings, writes},
    user_lookup::{
        connection::{self, Connection},
        embedded, line, listen, lookup, phone, serve,
        setup::{self, ADDRESS, Stage},
        visit,
    },
};

fn changes(plan: &Plan) -> Vec<String> {
    plan.changes().map(ToString::to_string).collect()
}

/// Applies a stage for the address of the blueprint.
async fn apply(
    graph: &GraphClient,
    stage: Stage,
    sink: &mut MemorySink,
) -> entra_graph::registration::Applied {
    let blueprint = stage.blueprint(ADDRESS).unwrap();
    setup::apply(graph, &blueprint, sink, &mut Vec::new())
        .await
        .unwrap()
}

#[tokio::test]
async fn one_run_goes_from_an_unknown_phone_system_to_look_ups_and_portals() {
    let tenant = FakeTenant::start().await;
    let (socket, url) = listen(0).await.unwrap();
    let mut out = Vec::new();
    let texts = ["adele", "felix@", "+43 1"];
    let routes = embedded(&tenant, &url, &texts, &mut out).await.unwrap();
    let server = tokio::spawn(serve(socket, routes));
    visit(&url, &tenant, &mut out).await.unwrap();
    server.abort();
    let out = String::from_utf8(out).unwrap();
    for line in [
        "+ registration \"Phone System\"",
        "+ secret \"directory look-up\", longest",
        "\"adele\": 1 user\n  Adele         adele@contoso.com         +49 89 5550100, +49 171 5550100",
        "\"felix@\": 1 user",
        "\"+43 1\": 1 user\n  Bruno",
        "GET /user                       200  Hello, Felix",
        "403  You do not have access",
        "GET /manager                    200  Directory",
    ] {
        assert!(out.contains(line), "{line}\n{out}");
    }
    assert!(!out.contains("code="), "{out}");
    assert_no_findings(&tenant);
}

#[tokio::test]
async fn a_second_apply_of_both_stages_sends_reads_only() {
    let tenant = FakeTenant::start().await;
    let graph = setup::administrator(&tenant).unwrap();
    let mut sink = MemorySink::new().clock(tenant.clock());
    for stage in [Stage::LookUp, Stage::SignIn] {
        let before = apply(&graph, stage, &mut sink).await;
        assert!(!before.changes().is_empty());
        tenant.forget_requests();
        let again = apply(&graph, stage, &mut sink).await;
        assert_eq!(again.changes(), []);
        assert_eq!(writes(&tenant), Vec::<String>::new());
    }
    assert_eq!(sink.secrets().count(), 1, "both stages share the secret");
}

#[tokio::test]
async fn the_plan_of_stage_two_has_the_portals_and_their_permissions_only() {
    let tenant = FakeTenant::start().await;
    let graph = setup::administrator(&tenant).unwrap();
    let mut sink = MemorySink::new().clock(tenant.clock());
    let first = apply(&graph, Stage::LookUp, &mut sink).await;
    let plan = Stage::SignIn.blueprint(ADDRESS).unwrap();
    let plan = plan.plan(&graph).await.unwrap();
    let mut changes = changes(&plan);
    changes.sort_unstable();
    assert_eq!(
        changes,
        [
            "+ admin consent for Microsoft Graph User.Read (delegated)",
            "+ admin consent for Microsoft Graph openid (delegated)",
            "+ admin consent for Microsoft Graph profile (delegated)",
            "+ permission Microsoft Graph User.Read (delegated)",
            "+ permission Microsoft Graph openid (delegated)",
            "+ permission Microsoft Graph profile (delegated)",
            "+ web redirect URI https://phone.example.com/manager/auth/callback",
            "+ web redirect URI https://phone.example.com/user/auth/callback",
        ]
    );
    let second = apply(&graph, Stage::SignIn, &mut sink).await;
    assert_eq!(first.client_id(), second.client_id());
}

#[tokio::test]
async fn look_ups_find_the_users_that_a_count_over_all_users_finds() {
    let tenant = FakeTenant::builder().users(150).start().await;
    let graph = setup::administrator(&tenant).unwrap();
    let mut sink = MemorySink::new().clock(tenant.clock());
    let applied = apply(&graph, Stage::LookUp, &mut sink).await;
    let all_users = graph
        .users()
        .list()
        .select((User::DISPLAY_NAME, User::MAIL, User::USER_PRINCIPAL_NAME))
        .items()
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    assert!(all_users.len() >= 150);
    let mut numbers = Vec::new();
    for (at, user) in all_users.iter().enumerate() {
        let name = user.user_principal_name.as_deref().unwrap();
        let (desk, mobile) = (format!("+49 89 {:03}", at), format!("+49171{at:03}"));
        tenant.user(name).set("businessPhones", json!([desk]));
        tenant.user(name).set("mobilePhone", mobile.clone().into());
        numbers.push((name.to_owned(), [desk, mobile]));
    }
    let connection = Connection::applied(&tenant, &applied, &sink).unwrap();
    let client = connection.graph().unwrap();
    let mut found_any = 0;
    for text in ["a", "ada", "b", "felix", "@", "adele@", "user1@", "zzz"] {
        let text_lower = text.to_lowercase();
        let expected = all_users.iter().filter(|user| {
            let starts = |value: Option<&str>| {
                value.is_some_and(|value| value.to_lowercase().starts_with(&text_lower))
            };
            let name = user.display_name.as_deref().unwrap_or_default();
            match text.contains('@') {
                true => starts(user.mail.as_deref()) || starts(user.user_principal_name.as_deref()),
                false => name.split(' ').any(|word| starts(Some(word))),
            }
        });
        found_any += check(&client, text, expected.count()).await;
    }
    for text in [
        "+49 89 0",
        "+49 89 012",
        "+49171",
        "+49 171 01",
        "+1",
        "(+49)171-14",
    ] {
        let digits = |text: &str| -> String {
            let kept = |char: &char| char.is_ascii_digit() || *char == '+';
            text.chars().filter(kept).collect()
        };
        let expected = numbers.iter().filter(|(_, numbers)| {
            let mut numbers = numbers.iter();
            numbers.any(|number| digits(number).starts_with(&digits(text)))
        });
        found_any += check(&client, text, expected.count()).await;
    }
    assert!(found_any > 8, "the texts match users");
}

/// A client of a phone system in a new tenant.
async fn look_ups() -> (FakeTenant, GraphClient) {
    let tenant = FakeTenant::start().await;
    let graph = setup::administrator(&tenant).unwrap();
    let mut sink = MemorySink::new().clock(tenant.clock());
    let applied = apply(&graph, Stage::LookUp, &mut sink).await;
    let connection = Connection::applied(&tenant, &applied, &sink).unwrap();
    (tenant, connection.graph().unwrap())
}

#[tokio::test]
async fn a_number_with_its_country_code_is_found_in_each_documented_way_of_writing() {
    let (tenant, client) = look_ups().await;
    let adele = tenant.user("adele@contoso.com");
    for (typed, others) in [
        (
            "+14255550109",
            &[
                "+14255550109",
                "+1 4255550109",
                "+1 425 5550109",
                "+1 425 555 0109",
                "+1 425-555-0109",
                "+1 (425) 555-0109",
                "(425) 555-0109",
                "425-555-0109",
            ][..],
        ),
        (
            "0049 (89) 5550100",
            &["+49895550100", "+49 895550100", "+49 89 5550100"],
        ),
        ("+49 (0)89-5550100", &["+49895550100", "+49 89 5550100"]),
        ("+43-1-5550120", &["+43 1 5550120", "+43 15550120"]),
        ("+49 33056 12345", &["+49 33056 12345", "+493305612345"]),
        ("+420-212-345-678", &["+420 212 345678", "+420212345678"]),
    ] {
        for written in others {
            for property in ["businessPhones", "mobilePhone"] {
                adele.set("businessPhones", json!([]));
                adele.set("mobilePhone", json!(null));
                match property {
                    "businessPhones" => adele.set(property, json!([written])),
                    _ => adele.set(property, json!(written)),
                };
                tenant.forget_requests();
                let found = lookup::find(&client, typed).await.unwrap();
                let names: Vec<&str> = found.entries.iter().map(|one| one.name.as_str()).collect();
                assert_eq!(names, ["Adele"], "{typed} as {property} {written}");
                assert_eq!(found.hint, None);
                let requests = tenant.requests().within("/v1.0/users");
                requests.assert_count(1);
            }
        }
    }
}

#[tokio::test]
async fn a_number_that_cannot_be_found_is_said_with_what_to_try() {
    let (tenant, client) = look_ups().await;
    let adele = tenant.user("adele@contoso.com");
    adele.set("mobilePhone", json!("0171/555 01 00"));
    adele.set("businessPhones", json!([]));
    for (typed, advice) in [
        ("+49 171 5550100", "without its country code"),
        ("00491715550100", "without its country code"),
        ("0171 5550100", "with + and the country code"),
    ] {
        let found = lookup::find(&client, typed).await.unwrap();
        assert_eq!(found.entries, []);
        let hint = found.hint.unwrap();
        assert!(hint.contains(advice), "{typed}: {hint}");
    }
    // In the spelling of the directory the number is found. A name gets no such advice.
    let found = lookup::find(&client, "0171/555").await.unwrap();
    assert_eq!((found.entries.len(), found.hint), (1, None));
    let found = lookup::find(&client, "zzz").await.unwrap();
    assert_eq!((found.entries.len(), found.hint), (0, None));
}

#[test]
fn a_number_has_no_form_of_another_number() {
    for typed in [
        "+1",
        "+14",
        "+49",
        "+49 8",
        "+4",
        "+",
        "089",
        "5",
        "(0)",
        "+35312345678",
    ] {
        let forms = phone::written_forms(typed);
        assert_eq!(forms[0], typed);
        let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
        let all = digits(&typed.replace("(0)", ""));
        for form in &forms[1..] {
            let form = digits(form);
            assert!(
                form == all || all.strip_prefix('1') == Some(form.as_str()),
                "{typed}: {form}"
            );
        }
        let mut unique = forms.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), forms.len(), "{forms:?}");
        // Each form is two conditions, of which Graph takes 15 in a plain query and more in an advanced one.
        assert!(forms.len() <= 9, "{forms:?}");
    }
}

/// Compares the number of users found; returns 1 if there are any.
async fn check(client: &GraphClient, text: &str, expected: usize) -> usize {
    let found = lookup::find(client, text).await.unwrap();
    let most = usize::try_from(lookup::MOST).unwrap();
    assert_eq!(found.entries.len(), expected.min(most), "{text}");
    assert_eq!(found.more, expected > most, "{text}");
    usize::from(expected > 0)
}

#[tokio::test]
async fn the_longest_secret_lives_as_long_as_the_policy_allows_and_warns_30_days_before() {
    let tenant = FakeTenant::start().await;
    let policies = tenant
        .register_app("Policies")
        .application_permission("Policy.ReadWrite.ApplicationConfiguration")
        .with_secret();
    let policies = GraphClient::builder(
        entra_auth::ClientSecretCredential::builder(
            tenant.id(),
            policies.client_id(),
            policies.secret(),
        )
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap(),
    )
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .build()
    .unwrap();
    let restriction =
        json!({"restrictionType": "passwordLifetime", "maxLifetime": "P180D", "state": "enabled"});
    policies
        .raw(Method::PATCH, "/policies/defaultAppManagementPolicy")
        .body_json(&json!({"isEnabled": true, "applicationRestrictions": {"passwordCredentials": [restriction]}}))
        .send()
        .await
        .unwrap();

    let graph = setup::administrator(&tenant).unwrap();
    let mut sink = MemorySink::new().clock(tenant.clock());
    let applied = apply(&graph, Stage::LookUp, &mut sink).await;
    let connection = Connection::applied(&tenant, &applied, &sink).unwrap();
    let now = entra_core::Clock::now(&tenant.clock());
    let days = (connection.expires.unwrap() - now).whole_hours() / 24;
    assert_eq!(days, 179, "minutes less than 180 days");
    assert_eq!(connection.expiry_warning(), None);
    tenant.clock().advance(Duration::from_secs(150 * 24 * 3600));
    let warning = connection.expiry_warning().unwrap();
    assert!(warning.contains("in 29 days"), "{warning}");
    tenant.clock().advance(Duration::from_secs(30 * 24 * 3600));
    let warning = connection.expiry_warning().unwrap();
    assert!(warning.contains("expired on"), "{warning}");
}

#[tokio::test]
async fn without_a_policy_the_longest_secret_lives_two_years() {
    let tenant = FakeTenant::start().await;
    let graph = setup::administrator(&tenant).unwrap();
    let mut sink = MemorySink::new().clock(tenant.clock());
    let applied = apply(&graph, Stage::LookUp, &mut sink).await;
    let connection = Connection::applied(&tenant, &applied, &sink).unwrap();
    let now = entra_core::Clock::now(&tenant.clock());
    let days = (connection.expires.unwrap() - now).whole_days();
    assert!((730..=731).contains(&days), "{days}");
}

#[tokio::test]
async fn the_file_that_apply_writes_has_the_date_for_the_warning() {
    let tenant = FakeTenant::start().await;
    let graph = setup::administrator(&tenant).unwrap();
    let name = format!("entra-user-lookup-{}.env", std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut file = EnvFile::new(&path).clock(tenant.clock());
    let blueprint = Stage::LookUp.blueprint(ADDRESS).unwrap();
    setup::apply(&graph, &blueprint, &mut file, &mut Vec::new())
        .await
        .unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let environment = Environment::from_pairs(lines.filter_map(|line| line.split_once('=')));
    let mut connection = Connection::from_env(&environment).unwrap();
    connection.clock = std::sync::Arc::new(tenant.clock());
    assert_eq!(connection.expiry_warning(), None);
    tenant.clock().advance(Duration::from_secs(715 * 24 * 3600));
    let warning = connection.expiry_warning().unwrap();
    assert!(
        warning.contains("The client secret expires on"),
        "{warning}"
    );
}

#[test]
fn the_guides_are_those_of_the_blueprints() {
    for (stage, guide) in [
        (Stage::LookUp, include_str!("../../user_lookup/GUIDE.md")),
        (Stage::SignIn, include_str!("../../user_lookup/SIGN-IN.md")),
    ] {
        let blueprint: AppRegistration = stage.blueprint(ADDRESS).unwrap();
        assert_eq!(
            guide,
            blueprint.guide().to_markdown(),
            "run the example with `--step guide`, for stage two with `--portals`"
        );
    }
}

#[tokio::test]
async fn ids_that_are_still_empty_are_named_by_the_connection_test_and_at_the_start() {
    let environment = Environment::from_pairs([
        ("AZURE_TENANT_ID", ""),
        ("AZURE_CLIENT_ID", " "),
        ("AZURE_CLIENT_SECRET", "canary-of-the-secret"),
    ]);
    let test = connection::test(&environment, Stage::LookUp, ADDRESS).unwrap();
    let report = test.run().await;
    assert_eq!(report.exit_code(), 1);
    let said: BTreeSet<&str> = report
        .errors()
        .map(|finding| {
            assert_eq!(finding.check, Check::Configuration);
            assert!(finding.fix.is_some());
            finding.what.as_str()
        })
        .collect();
    assert_eq!(
        said.into_iter().collect::<Vec<_>>(),
        [
            "configuration not filled in: the client id is \"\"",
            "configuration not filled in: the tenant is \"\"",
        ]
    );
    assert!(
        report
            .unknowns()
            .all(|finding| finding.severity == Severity::Unknown)
            && report.unknowns().count() == 2
    );
    assert!(!report.to_string().contains("canary"));
    let error = Connection::from_env(&environment).unwrap_err().to_string();
    assert!(
        error.contains("AZURE_TENANT_ID") && error.contains("AZURE_CLIENT_ID"),
        "{error}"
    );
}

#[tokio::test]
async fn the_connection_test_of_stage_two_looks_at_the_sign_in_too() {
    let tenant = FakeTenant::start().await;
    let graph = setup::administrator(&tenant).unwrap();
    let mut sink = MemorySink::new().clock(tenant.clock());
    let applied = apply(&graph, Stage::LookUp, &mut sink).await;
    let (_, secret) = sink.secrets().last().unwrap();
    let cloud = tenant.cloud();
    let environment = Environment::from_pairs([
        ("AZURE_TENANT_ID", tenant.id().to_string()),
        ("AZURE_CLIENT_ID", applied.client_id().to_owned()),
        (
            "AZURE_CLIENT_SECRET",
            secret.value().expose_secret().to_owned(),
        ),
        ("AZURE_AUTHORITY_HOST", cloud.authority().to_string()),
        ("ENTRA_GRAPH_URL", format!("{}v1.0", cloud.graph())),
    ]);
    let report = async |stage: Stage| {
        let test = connection::test(&environment, stage, ADDRESS).unwrap();
        // Also what only an administrator may read, such as the platform of a redirect URI.
        test.clock(tenant.clock()).reader(&graph).run().await
    };
    let missing = |report: &ConnectionReport| -> Vec<String> {
        let errors = report.errors();
        let of_uris = errors.filter(|one| one.check == Check::RedirectUri);
        of_uris.map(|one| one.what.clone()).collect()
    };
    let first = report(Stage::LookUp).await;
    assert!(first.passed(), "{first}");
    assert_eq!(first.of(Check::RedirectUri).count(), 0, "{first}");
    let early = report(Stage::SignIn).await;
    assert_eq!(missing(&early).len(), 2, "{early}");
    apply(&graph, Stage::SignIn, &mut sink).await;
    let done = report(Stage::SignIn).await;
    assert!(done.passed(), "{done}");
    assert!(
        done.to_string()
            .contains("User.Read is granted for all users"),
        "{done}"
    );
    // A portal under the wrong platform.
    let uris = Stage::SignIn.redirect_uris(ADDRESS);
    let id = applied.object_id();
    for (platform, uri) in [("web", &uris[0]), ("spa", &uris[1])] {
        let value = json!({ "redirectUris": [uri] });
        tenant
            .set_property("applications", id, platform, value)
            .unwrap();
    }
    let moved = report(Stage::SignIn).await;
    let wrong = missing(&moved);
    assert_eq!(wrong.len(), 1, "{moved}");
    assert!(wrong[0].contains("wrong platform"), "{moved}");
}

/// The connection test asks for what the blueprint registers.
#[test]
fn the_connection_test_has_the_redirect_uris_and_scopes_of_the_blueprint() {
    let blueprint = Stage::SignIn.blueprint(ADDRESS).unwrap();
    let page = blueprint.guide().to_markdown();
    for uri in Stage::SignIn.redirect_uris(ADDRESS) {
        assert!(page.contains(&uri), "{uri}: {page}");
    }
    for scope in Stage::SignIn.scopes() {
        assert!(page.contains(scope), "{scope}: {page}");
    }
}

#[test]
fn a_name_and_an_address_of_any_length_stay_apart() {
    let entry = |name: &str, mail: &str| lookup::Entry {
        name: name.to_owned(),
        mail: mail.to_owned(),
        phones: vec!["+49 89 5550100".to_owned()],
    };
    assert_eq!(
        line(&entry(
            "J\u{fc}rgen Weatherwax",
            "juergen.weatherwax@contoso.com"
        )),
        "  J\u{fc}rgen Weatherwax juergen.weatherwax@contoso.com +49 89 5550100"
    );
    assert_eq!(
        line(&entry("Adele", "adele@contoso.com")),
        "  Adele         adele@contoso.com         +49 89 5550100"
    );
}
