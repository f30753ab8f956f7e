//! Shared by the tests of user sign-ins: a browser, a web application, and token requests.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use entra_mock::{App, FakeTenant};
use serde_json::Value;

use crate::support::{Response, fetch, http, post_token};

pub(crate) const ADELE: &str = "adele@contoso.com";
pub(crate) const CALLBACK: &str = "https://shop.example/callback";
/// The pair of RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A web application with a secret that can read users' own profiles.
pub(crate) async fn shop() -> (FakeTenant, App) {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Shop")
        .redirect_uri(CALLBACK)
        .delegated_permission("User.Read")
        .with_secret();
    (tenant, app)
}

/// A command-line tool without a secret.
pub(crate) async fn tool() -> (FakeTenant, App) {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Tool")
        .public_redirect_uri("http://localhost")
        .delegated_permission("User.Read")
        .public_client();
    (tenant, app)
}

/// A valid authorize URL with some parameters replaced or, if empty, removed.
pub(crate) fn authorize_url(tenant: &FakeTenant, app: &App, changes: &[(&str, &str)]) -> String {
    let client_id = app.client_id().to_string();
    let mut parameters = vec![
        ("client_id", client_id.as_str()),
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid profile offline_access User.Read"),
        ("state", "a b&c"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        parameters.retain(|(existing, _)| existing != name);
        if !value.is_empty() {
            parameters.push((name, value));
        }
    }
    let address = format!("{}/{}/oauth2/v2.0/authorize", tenant.uri(), tenant.id());
    reqwest::Url::parse_with_params(&address, parameters)
        .unwrap()
        .to_string()
}

/// The code of a sign-in of Adele.
pub(crate) fn code(tenant: &FakeTenant, app: &App) -> String {
    tenant
        .sign_in_at(&authorize_url(tenant, app, &[]), ADELE)
        .parameter("code")
        .unwrap()
}

/// Sends a token request of an application, with its secret if it has one.
pub(crate) async fn redeem(
    tenant: &FakeTenant,
    app: &App,
    secret: bool,
    fields: &[(&str, &str)],
) -> Response {
    let (client_id, secret_text) = (
        app.client_id().to_string(),
        secret.then(|| app.secret().expose_secret().to_owned()),
    );
    let mut form = vec![("client_id", client_id.as_str())];
    if let Some(secret) = &secret_text {
        form.push(("client_secret", secret));
    }
    form.extend(fields.iter().filter(|(_, value)| !value.is_empty()));
    let path = format!("/{}/oauth2/v2.0/token", tenant.id());
    post_token(tenant, &path, &form).await
}

/// Redeems a code, with some parameters changed.
pub(crate) async fn redeem_code(
    tenant: &FakeTenant,
    app: &App,
    code: &str,
    changes: &[(&str, &str)],
) -> Response {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    for (name, value) in changes {
        fields.retain(|(existing, _)| existing != name);
        fields.push((name, value));
    }
    redeem(tenant, app, true, &fields).await
}

#[track_caller]
pub(crate) fn assert_error(response: &Response, status: u16, error: &str, code: u32) {
    let found = (
        response.status,
        response.body["error"].as_str(),
        &response.body["error_codes"],
    );
    let codes = serde_json::json!([code]);
    assert_eq!(found, (status, Some(error), &codes), "{}", response.text);
}

pub(crate) fn claims(token: &Value) -> Value {
    let token = token.as_str().expect("a token");
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// A browser: follows no redirect on its own, stores its cookie.
#[derive(Default)]
pub(crate) struct Browser {
    cookie: Option<String>,
}

impl Browser {
    pub(crate) fn with_cookie(cookie: &str) -> Self {
        Self {
            cookie: Some(cookie.to_owned()),
        }
    }

    pub(crate) fn cookie(&self) -> Option<String> {
        self.cookie.clone()
    }

    pub(crate) async fn get(&mut self, url: &str) -> Response {
        self.send(http().get(url)).await
    }

    /// Posts a form of the page with these fields and the hidden ones.
    pub(crate) async fn submit(
        &mut self,
        tenant: &FakeTenant,
        page: &Response,
        fields: &[(&str, &str)],
    ) -> Response {
        let (_, rest) = page.text.split_once("action=\"").expect("a form");
        let action = rest.split_once('"').unwrap().0.replace("&amp;", "&");
        let url = format!("{}{action}", tenant.uri());
        let hidden = hidden_fields(&page.text);
        let mut all: Vec<(&str, &str)> = fields.to_vec();
        for (name, value) in &hidden {
            if !fields.iter().any(|(given, _)| given == name) {
                all.push((name, value));
            }
        }
        self.send(http().post(url).form(&all)).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Response {
        let request = match &self.cookie {
            Some(cookie) => request.header("cookie", format!("other=1; {cookie}")),
            None => request,
        };
        let response = fetch(request).await;
        if let Some(cookie) = response.header("set-cookie") {
            let kept = !cookie.contains("Max-Age=0");
            self.cookie = cookie.split(';').next().filter(|_| kept).map(str::to_owned);
        }
        response
    }
}

/// Name and value of every hidden field of a page; none needs unescaping here.
pub(crate) fn hidden_fields(page: &str) -> Vec<(String, String)> {
    let attribute = |input: &str, name: &str| {
        let (_, rest) = input.split_once(&format!("{name}=\""))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    page.split("<input type=\"hidden\" ")
        .skip(1)
        .filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)))
        .collect()
}

/// The parameters in a redirect to the application, in its query or its fragment.
#[track_caller]
pub(crate) fn returned(response: &Response) -> Vec<(String, String)> {
    assert_eq!(response.status, 302, "{}", response.text);
    let url = reqwest::Url::parse(response.header("location").unwrap()).unwrap();
    assert!(url.as_str().starts_with(CALLBACK), "{url}");
    match url.fragment() {
        Some(fragment) => {
            let as_query = reqwest::Url::parse(&format!("{CALLBACK}?{fragment}")).unwrap();
            as_query.query_pairs().into_owned().collect()
        }
        None => url.query_pairs().into_owned().collect(),
    }
}

#[track_caller]
pub(crate) fn parameter(parameters: &[(String, String)], name: &str) -> String {
    let found = parameters.iter().find(|(known, _)| known == name);
    let (_, value) = found.ok_or(name).expect("a parameter");
    value.clone()
}
