//! The portal in a browser without scripts: who gets in, and what the pages show.

use entra_mock::{Seed, Server, ServerBuilder};
use serde_json::json;

use crate::support::{GRAPH_SCOPE, Response, fetch, http};

/// A browser at the portal of a server.
pub(crate) struct Browser {
    pub(crate) server: Server,
    /// The link that it has opened.
    link: String,
    cookie: String,
}

impl Browser {
    pub(crate) async fn at(builder: ServerBuilder) -> Self {
        let server = builder.start().await.unwrap();
        let link = server.portal_link().unwrap();
        let opened = fetch(http().get(&link)).await;
        assert_eq!(opened.status, 200, "{}", opened.text);
        let cookie = opened.header("set-cookie").unwrap();
        for part in [
            "; HttpOnly",
            "; SameSite=Strict",
            "; Path=/_entra-mock/portal",
        ] {
            assert!(cookie.contains(part), "{cookie}");
        }
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self {
            server,
            link,
            cookie,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}/_entra-mock/portal{path}", self.server.uri())
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        fetch(http().get(self.url(path)).header("cookie", &self.cookie)).await
    }

    async fn post(&self, form: &[(&str, &str)]) -> Response {
        self.post_to("/settings", form).await
    }

    pub(crate) async fn post_to(&self, path: &str, form: &[(&str, &str)]) -> Response {
        let request = http().post(self.url(path)).header("cookie", &self.cookie);
        fetch(request.header("origin", self.server.uri()).form(form)).await
    }

    pub(crate) async fn post_without_origin(&self, path: &str, form: &[(&str, &str)]) -> Response {
        let request = http().post(self.url(path)).header("cookie", &self.cookie);
        fetch(request.form(form)).await
    }

    /// A Graph token of the application of the server.
    async fn token(&self, secret: &str) -> Response {
        let client_id = self.server.client_id().to_owned();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id.as_str()),
            ("client_secret", secret),
            ("scope", GRAPH_SCOPE),
        ];
        let url = format!(
            "{}/{}/oauth2/v2.0/token",
            self.server.uri(),
            self.server.tenant_id()
        );
        fetch(http().post(url).form(&form)).await
    }

    async fn graph(&self, token: &str, path: &str) -> Response {
        fetch(
            http()
                .get(format!("{}/v1.0{path}", self.server.uri()))
                .bearer_auth(token),
        )
        .await
    }
}

#[tokio::test]
async fn a_browser_without_a_session_sees_nothing_of_the_tenant() {
    let server = Server::builder().start().await.unwrap();
    for (path, cookie) in [
        ("", ""),
        ("/directory", ""),
        ("/requests", "entra-mock-portal=0000"),
        ("/findings.json", ""),
        ("/open?code=0000", ""),
        ("/open", ""),
    ] {
        let url = format!("{}/_entra-mock/portal{path}", server.uri());
        let page = fetch(http().get(url).header("cookie", cookie)).await;
        assert_eq!(page.status, 403, "{path}");
        assert!(
            !page.text.contains("Contoso") && !page.text.contains("Adele"),
            "{}",
            page.text
        );
        assert!(
            page.text.contains("entra-mock ctl portal link"),
            "{}",
            page.text
        );
        assert_eq!(page.header("set-cookie"), None, "{path}");
    }
}

#[tokio::test]
async fn the_root_of_the_control_api_leads_to_the_portal() {
    let browser = Browser::at(Server::builder()).await;
    for root in ["/_entra-mock", "/_entra-mock/"] {
        // The path of the cookie is the portal, so a browser sends none here.
        let reply = fetch(http().get(format!("{}{root}", browser.server.uri()))).await;
        assert_eq!(
            (reply.status, reply.header("location")),
            (302, Some("/_entra-mock/portal")),
            "{root}"
        );
    }
    assert!(browser.get("").await.text.contains("Contoso"));
}

#[tokio::test]
async fn a_link_works_once() {
    let browser = Browser::at(Server::builder()).await;
    let again = fetch(http().get(&browser.link)).await;
    assert_eq!((again.status, again.header("set-cookie")), (403, None));
    assert_eq!(browser.get("").await.status, 200);
}

#[tokio::test]
async fn the_overview_has_the_addresses_by_which_the_browser_reaches_the_tenants() {
    let browser = Browser::at(Server::builder().control_host("entra-mock")).await;
    let token = browser.server.control_token().expose_secret();
    let url = format!("{}/tenants", browser.server.control_uri());
    let other = fetch(http().post(url).bearer_auth(token).json(&json!({}))).await;
    assert_eq!(other.status, 201, "{}", other.text);
    let request = http()
        .get(browser.url(""))
        .header("cookie", &browser.cookie);
    let page = fetch(request.header("host", "entra-mock:9443")).await;
    let other = other.body["uri"].as_str().unwrap();
    let other = other.replace("localhost", "entra-mock");
    for shown in ["http://entra-mock:9443/v1.0", other.as_str()] {
        assert!(page.text.contains(shown), "{shown}: {}", page.text);
    }
    assert!(!page.text.contains("localhost"), "{}", page.text);
}

#[tokio::test]
async fn pages_of_other_sites_and_other_names_are_rejected() {
    let browser = Browser::at(Server::builder()).await;
    for (name, value) in [
        ("host", "evil.example"),
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let request = http()
            .get(browser.url(""))
            .header("cookie", &browser.cookie);
        let page = fetch(request.header(name, value)).await;
        assert_eq!(page.status, 403, "{name}");
        assert!(!page.text.contains("Contoso"), "{}", page.text);
    }
}

#[tokio::test]
async fn every_page_has_a_strict_policy_and_no_assets_of_others() {
    let browser = Browser::at(Server::builder()).await;
    for path in [
        "",
        "/directory",
        "/applications",
        "/requests",
        "/settings",
        "/findings",
        "/nowhere",
    ] {
        let page = browser.get(path).await;
        let policy = page.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'nonce-"),
            "{policy}"
        );
        assert!(
            !policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert_eq!(policy.contains("script-src"), path == "/requests", "{path}");
        assert_eq!(page.header("cache-control"), Some("no-store"), "{path}");
        for forbidden in ["src=", "<link", "style=\"", "onclick", "javascript:"] {
            assert!(!page.text.contains(forbidden), "{path}: {forbidden}");
        }
        for needed in [
            "<html lang=\"en\">",
            "<main id=\"content\"",
            "name=\"viewport\"",
            "<h1>",
        ] {
            assert!(page.text.contains(needed), "{path}: {needed}");
        }
    }
    assert_eq!(browser.get("/nowhere").await.status, 404);
}

#[tokio::test]
async fn the_directory_is_searched_and_shows_objects_without_secrets() {
    let browser = Browser::at(Server::builder()).await;
    let found = browser.get("/directory?kind=users&search=ADELE").await;
    assert!(
        found.text.contains("adele@contoso.com") && !found.text.contains("bruno@"),
        "{}",
        found.text
    );
    let link = found.text.split("/portal/object?id=").nth(1).unwrap();
    let id = link.split('"').next().unwrap();
    let object = browser.get(&format!("/object?id={id}")).await;
    for part in ["adele@contoso.com", "Member of", "userPrincipalName"] {
        assert!(object.text.contains(part), "{part}: {}", object.text);
    }
    assert!(
        !object
            .text
            .contains(browser.server.user_password().expose_secret())
    );
    assert_eq!(browser.get("/object?id=nothing").await.status, 404);
    let escaped = browser.get("/directory?search=%3Cscript%3E%22").await;
    assert!(escaped.text.contains("&lt;script&gt;&quot;") && !escaped.text.contains("<script>"));
}

#[tokio::test]
async fn an_application_shows_permissions_consent_and_expiry_but_no_secret() {
    let browser = Browser::at(Server::builder()).await;
    let list = browser.get("/applications").await;
    assert!(list.text.contains("Environment file"), "{}", list.text);
    let page = browser
        .get(&format!("/application?id={}", browser.server.client_id()))
        .await;
    for part in [
        "http://localhost:3000/callback</code> (web)",
        "User.Read.All (application)",
        "User.Read.All of Microsoft Graph",
        "User.Read.All User.ReadBasic.All",
        "for all users",
        "secret",
        "certificate",
        "days",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert!(
        !page
            .text
            .contains(browser.server.client_secret().expose_secret())
    );
    assert_eq!(browser.get("/application?id=x").await.status, 404);
}

#[tokio::test]
async fn a_rejected_request_says_why_and_shows_its_token_without_the_signature() {
    let browser = Browser::at(Server::builder().seed(Seed::Contoso)).await;
    let wrong = browser.token("not the secret").await;
    assert_eq!(wrong.status, 401);
    let secret = browser.server.client_secret().expose_secret().to_owned();
    let jwt = browser.token(&secret).await.body["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    browser.graph(&jwt, "/users?$select=id").await;
    browser
        .graph(&jwt, "/identity/conditionalAccess/namedLocations")
        .await;
    browser.graph("not-a-token", "/users").await;
    browser.graph(&format!("{jwt}x"), "/users").await;

    let list = browser.get("/requests").await;
    assert!(
        list.text.contains("AADSTS7000215") && list.text.contains("/v1.0/users"),
        "{}",
        list.text
    );
    let rejected = browser.get("/requests?rejected=1&path=users").await;
    assert!(rejected.text.contains("2 requests"), "{}", rejected.text);

    for (number, parts) in [
        (1, &["AADSTS7000215", "client_credentials"][..]),
        (
            3,
            &[
                "https://graph.microsoft.com",
                "RS256",
                "User.ReadWrite.All",
                "Without its signature",
            ],
        ),
        (
            5,
            &[
                "Why it was rejected",
                "The bearer token is not a JWT.",
                "not shown",
            ],
        ),
        (
            6,
            &[
                "The token cannot be read: a part of it was cut off or changed.",
                "&quot;alg&quot;",
            ],
        ),
    ] {
        let page = browser.get(&format!("/request?number={number}")).await;
        for part in parts {
            assert!(page.text.contains(part), "{number} {part}: {}", page.text);
        }
        let signature = jwt.rsplit('.').next().unwrap();
        for hidden in [
            jwt.as_str(),
            signature,
            &secret,
            "not the secret",
            "not-a-token",
        ] {
            assert!(!page.text.contains(hidden), "{number}: {}", page.text);
        }
    }
    assert_eq!(browser.get("/request?number=99").await.status, 404);
    assert_eq!(browser.get("/request?number=x").await.status, 404);
}

#[tokio::test]
async fn the_reason_of_a_rejected_token_is_that_of_graph() {
    let browser = Browser::at(Server::builder().seed(Seed::Contoso)).await;
    let server = &browser.server;
    let control = async |method: &str, path: &str, body: serde_json::Value| {
        let url = format!("{}{path}", server.control_uri());
        let request = http().request(method.parse().unwrap(), url);
        let request = request.bearer_auth(server.control_token().expose_secret());
        let done = fetch(request.json(&body)).await;
        assert!(done.status < 300, "{path}: {}", done.text);
    };
    let token = async |changes: &[(&str, &str)]| {
        let mut form = std::collections::BTreeMap::from([
            ("grant_type", "client_credentials"),
            ("client_id", server.client_id()),
            ("client_secret", server.client_secret().expose_secret()),
            ("scope", GRAPH_SCOPE),
            (
                "claims",
                r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#,
            ),
        ]);
        form.extend(changes.iter().copied());
        let url = format!("{}/{}/oauth2/v2.0/token", server.uri(), server.tenant_id());
        let issued = fetch(http().post(url).form(&form)).await;
        let jwt = issued.body["access_token"].as_str();
        jwt.unwrap_or_else(|| panic!("{}", issued.text)).to_owned()
    };
    // The reasons of the newest request, which Graph must have rejected.
    let why = async |jwt: &str| {
        let rejected = browser.graph(jwt, "/users").await;
        assert_eq!(rejected.status, 401, "{}", rejected.text);
        let list = browser.get("/requests?rejected=1").await.text;
        let number = list.split("/portal/request?number=").nth(1).unwrap();
        let number = number.split('"').next().unwrap();
        browser.get(&format!("/request?number={number}")).await.text
    };
    let password = server.user_password();
    let user = [
        ("grant_type", "password"),
        ("username", server.user_principal_name()),
        ("password", password.expose_secret()),
        ("scope", "https://graph.microsoft.com/User.Read"),
    ];
    let account = format!("/users/{}", server.user_principal_name());
    let lost = "The account lost the access after the token was issued";

    let revoked = token(&user).await;
    control("POST", &format!("{account}/revoke-sessions"), json!({})).await;
    assert!(why(&revoked).await.contains(lost));
    let disabled = token(&user).await;
    control("PATCH", &account, json!({ "accountEnabled": false })).await;
    assert!(why(&disabled).await.contains(lost));

    let other = token(&[("scope", "https://management.azure.com/.default")]).await;
    let page = why(&other).await;
    assert!(
        page.contains("not for Microsoft Graph") && page.contains("management.azure.com"),
        "{page}"
    );

    let good = token(&[]).await;
    let fault = json!({ "effect": "status", "status": 401, "path": "/users", "times": 1 });
    control("POST", "/faults", fault).await;
    let page = why(&good).await;
    assert!(
        page.contains("injected fault: see") && !page.contains("The signature"),
        "{page}"
    );

    control("POST", "/signing-keys/roll", json!({})).await;
    let page = why(&good).await;
    assert!(
        page.contains("The signature of the token is not of a published signing key."),
        "{page}"
    );
    let old = token(&[]).await;
    control("POST", "/clock/advance", json!({ "by": "2d" })).await;
    assert!(why(&old).await.contains("The token expired at "));
}

#[tokio::test]
async fn findings_are_shown_with_links_to_their_requests() {
    let browser = Browser::at(Server::builder()).await;
    assert!(browser.get("/findings").await.text.contains("No findings."));
    let secret = browser.server.client_secret().expose_secret().to_owned();
    let jwt = browser.token(&secret).await.body["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    browser.graph(&jwt, "/users?$skip=5&$select=id").await;
    let page = browser.get("/findings").await;
    for part in [
        "paging-by-skip",
        "/_entra-mock/portal/request?number=2",
        "Fix:",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    // The application of the environment file has every permission, which is not the client's choice.
    assert!(!page.text.contains("unused-permissions"), "{}", page.text);
    assert_eq!(
        browser.get("/findings.json").await.body["findings"][0]["rule"],
        "paging-by-skip"
    );
    let sarif = browser.get("/findings.sarif").await;
    assert_eq!(sarif.header("content-type"), Some("application/sarif+json"));
    assert_eq!(sarif.body["version"], "2.1.0");
}

#[tokio::test]
async fn a_read_only_portal_has_no_forms_that_change_and_accepts_none() {
    let browser = Browser::at(Server::builder()).await;
    let page = browser.get("/settings").await;
    assert!(
        !page.text.contains("method=\"post\"") && page.text.contains("read-only"),
        "{}",
        page.text
    );
    let rejected = browser.post(&[("change", "freeze")]).await;
    assert_eq!(rejected.status, 400);
    assert!(
        rejected.text.contains("--portal-write") && rejected.text.contains("running"),
        "{}",
        rejected.text
    );
}

#[tokio::test]
async fn a_portal_that_may_write_moves_the_clock_and_injects_faults() {
    let browser = Browser::at(Server::builder().portal_write(true)).await;
    assert!(
        browser
            .get("/settings")
            .await
            .text
            .contains("method=\"post\"")
    );
    let stopped = browser.post(&[("change", "freeze")]).await;
    assert!(
        stopped.text.contains("The clock is stopped.") && stopped.text.contains("stopped"),
        "{}",
        stopped.text
    );
    let wrong = browser
        .post(&[
            ("change", "fault"),
            ("path", "/users"),
            ("status", "200"),
            ("times", "1"),
        ])
        .await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.text.contains("role=\"alert\""), "{}", wrong.text);
    browser
        .post(&[
            ("change", "fault"),
            ("path", "/users"),
            ("status", "503"),
            ("times", "1"),
        ])
        .await;
    let secret = browser.server.client_secret().expose_secret().to_owned();
    let jwt = browser.token(&secret).await.body["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(browser.graph(&jwt, "/users").await.status, 503);
    assert_eq!(browser.graph(&jwt, "/users").await.status, 200);
    browser.post(&[("change", "advance"), ("hours", "2")]).await;
    assert_eq!(browser.graph(&jwt, "/users").await.status, 401);
    let page = browser.get("/request?number=4").await;
    assert!(page.text.contains("The token expired at"), "{}", page.text);
    // A form of another site has another origin, and a program sends none.
    let form = [("change", "clear-faults")];
    let rejected = browser.post_without_origin("/settings", &form).await;
    assert_eq!(rejected.status, 400);
}

#[tokio::test]
async fn the_page_of_a_policy_says_whether_it_is_enforced() {
    let browser = Browser::at(Server::builder()).await;
    let secret = browser.server.client_secret().expose_secret().to_owned();
    let jwt = browser.token(&secret).await.body["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let url = format!(
        "{}/v1.0/identity/conditionalAccess/policies",
        browser.server.uri()
    );
    for (state, users, locations, expected) in [
        ("enabled", "All", json!(null), "This policy is enforced."),
        ("enabled", "None", json!(null), "applies to no sign-in"),
        (
            "enabled",
            "None",
            json!({"includeLocations": ["AllTrusted"]}),
            "not enforced: the fake tenant does not support <code>conditions/locations/includeLocations</code>",
        ),
        (
            "disabled",
            "All",
            json!(null),
            "This policy is not enabled.",
        ),
    ] {
        let policy = json!({
            "displayName": "Block", "state": state,
            "conditions": {
                "clientAppTypes": ["all"], "locations": locations,
                "applications": {"includeApplications": ["All"]}, "users": {"includeUsers": [users]}
            },
            "grantControls": {"operator": "OR", "builtInControls": ["block"]}
        });
        let created = fetch(http().post(&url).bearer_auth(&jwt).json(&policy)).await;
        assert_eq!(created.status, 201, "{}", created.text);
        let id = created.body["id"].as_str().unwrap();
        let page = browser.get(&format!("/object?id={id}")).await;
        assert!(page.text.contains(expected), "{expected}: {}", page.text);
    }
    let listed = browser
        .get("/directory?kind=identity/conditionalAccess/policies")
        .await;
    assert!(
        listed.text.contains("Conditional access policies: 4"),
        "{}",
        listed.text
    );
}
