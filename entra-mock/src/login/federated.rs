//! Federated credentials: tokens of other issuers as client assertions.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value, json};

use super::{
    client::Client,
    context::{Context, Version, plain_text},
    discovery::issuer_at,
    error::LoginError,
    expression::ClaimsExpression,
};
use crate::{
    jws, keys,
    schema::APPLICATION_OF,
    state::{State, iso_with_space},
    store::{Kind, Object},
};

/// An assertion that is not signed with a key of the application.
pub(super) struct Federated<'a> {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    message: &'a str,
    signature: Vec<u8>,
}

impl<'a> Federated<'a> {
    /// Reads an assertion whose issuer is a URL. `None` leaves it to the check of certificates.
    pub(super) fn read(assertion: &'a str) -> Option<Self> {
        let (message, signature) = assertion.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let object = |part: &str| serde_json::from_slice::<Map<String, Value>>(&decode(part)?).ok();
        let claims = object(claims)?;
        let issuer = claims.get("iss")?.as_str()?;
        if !issuer.contains("://") {
            return None;
        }
        Some(Self {
            header: object(header)?,
            claims,
            message,
            signature: decode(signature)?,
        })
    }

    /// Returns the id of the federated credential that matches the token.
    pub(super) fn check(
        &self,
        state: &State,
        context: &Context<'_>,
        client: &Client,
    ) -> Result<String, LoginError> {
        let algorithm = self
            .header
            .get("alg")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if algorithm != "RS256" {
            let text = format!(
                "The federated token is signed with '{}'; RS256 is accepted.",
                plain_text(algorithm)
            );
            return Err(LoginError::new(5_002_738, text));
        }
        if self.claims.contains_key("scp") {
            let text = "A token of a user cannot be a federated credential.";
            return Err(LoginError::new(700_229, text));
        }
        let id = self.matching(state, context, client)?;
        self.check_time(context)?;
        self.check_signature(state, client)?;
        Ok(id)
    }

    /// Issuer, subject and audience must each equal the registered value, checked in this order.
    fn matching(
        &self,
        state: &State,
        context: &Context<'_>,
        client: &Client,
    ) -> Result<String, LoginError> {
        let application = state.store.find(Kind::Application, "appId", &client.app_id);
        let id = application.and_then(|application| application.get("id"));
        let credentials: Vec<&Object> = state
            .store
            .all(Kind::FederatedCredential)
            .filter(|credential| id.is_some() && credential.get(APPLICATION_OF) == id)
            .collect();
        let named = |what: &str, claim: &str| {
            format!(
                "No federated credential of application '{}' has this {what}: '{}'.",
                client.app_id,
                plain_text(self.text(claim))
            )
        };
        let of_entra = self.is_of_entra(state, context);
        let registered = |issuer: &str| {
            let mut all = credentials.iter();
            all.any(|credential| credential["issuer"].as_str() == Some(issuer))
        };
        if of_entra && !registered(self.text("iss")) {
            let text =
                "A token that Entra has issued is not accepted as a federated credential here.";
            return Err(LoginError::new(700_222, text));
        }
        if credentials.is_empty() {
            let text = format!(
                "The client '{}' ({}) has no configured federated identity credentials.",
                client.app_id, client.display_name
            );
            return Err(LoginError::new(70_025, text));
        }
        let mut left = credentials;
        left.retain(|credential| credential["issuer"].as_str() == Some(self.text("iss")));
        if left.is_empty() {
            return Err(LoginError::new(700_211, named("issuer", "iss")));
        }
        let with_expression = left
            .iter()
            .any(|credential| credential["claimsMatchingExpression"].is_object());
        let spelt_alike = left.iter().any(|credential| {
            let registered = credential["subject"].as_str().unwrap_or_default();
            registered.eq_ignore_ascii_case(self.text("sub"))
        });
        left.retain(|credential| self.has_subject(credential));
        if left.is_empty() && spelt_alike {
            let text = format!(
                "The subject '{}' differs from the registered one of application '{}' by case.",
                plain_text(self.text("sub")),
                client.app_id
            );
            return Err(LoginError::new(7_002_138, text));
        }
        if left.is_empty() {
            let code = match (of_entra, with_expression) {
                (true, _) => 7_002_137,
                // No single value differs: the expression does not match the claims.
                (false, true) => 70_021,
                (false, false) => 700_213,
            };
            return Err(LoginError::new(code, named("subject", "sub")));
        }
        let audiences = self.audiences();
        left.into_iter()
            .find(|credential| {
                let registered = credential["audiences"].as_array().into_iter().flatten();
                registered
                    .filter_map(Value::as_str)
                    .any(|one| audiences.contains(&one))
            })
            .and_then(|credential| credential["id"].as_str().map(str::to_owned))
            .ok_or_else(|| LoginError::new(700_212, named("audience", "aud")))
    }

    /// Whether the token names this tenant as its issuer.
    fn is_of_entra(&self, state: &State, context: &Context<'_>) -> bool {
        let tenant = state.tenant_id.to_string();
        [Version::V1, Version::V2]
            .into_iter()
            .any(|version| issuer_at(context.base(), version, &tenant) == self.text("iss"))
    }

    /// Whether a credential has the subject of the token, or an expression that matches its claims.
    fn has_subject(&self, credential: &Object) -> bool {
        let expression = &credential["claimsMatchingExpression"]["value"];
        match expression.as_str().and_then(ClaimsExpression::parse) {
            Some(expression) => expression.matches(&self.claims),
            None => credential["subject"].as_str() == Some(self.text("sub")),
        }
    }

    fn check_time(&self, context: &Context<'_>) -> Result<(), LoginError> {
        let now = context.now.unix_timestamp();
        let seconds = |claim: &str| self.claims.get(claim).and_then(Value::as_i64);
        let begun = seconds("nbf").is_none_or(|begin| begin <= now.saturating_add(SKEW));
        if begun && seconds("exp").is_some_and(|end| now <= end.saturating_add(SKEW)) {
            return Ok(());
        }
        let text = format!(
            "The federated token is not within its time: it is {} here.",
            iso_with_space(context.now)
        );
        Err(LoginError::new(700_024, text))
    }

    fn check_signature(&self, state: &State, client: &Client) -> Result<(), LoginError> {
        let kid = self.header.get("kid").and_then(Value::as_str);
        let keys = state.issuers.get(self.text("iss")).into_iter().flatten();
        let signed = keys
            .filter(|key| kid.is_none() || key["kid"].as_str() == kid)
            .filter_map(|key| {
                let part = |name: &str| key[name].as_str();
                DecodingKey::from_rsa_components(part("n")?, part("e")?).ok()
            })
            .any(|key| jws::verifies(Algorithm::RS256, &key, self.message, &self.signature));
        if signed {
            return Ok(());
        }
        let text = format!(
            "The signature of the federated token cannot be verified. Reason: no published key of its issuer has made it. Application: '{}'.",
            client.app_id
        );
        Err(LoginError::new(700_027, text))
    }

    fn audiences(&self) -> Vec<&str> {
        match self.claims.get("aud") {
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            Some(one) => one.as_str().into_iter().collect(),
            None => Vec::new(),
        }
    }

    fn text(&self, claim: &str) -> &str {
        self.claims
            .get(claim)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// Issues a token of an issuer that signs with a key of its own.
pub(crate) fn issue(claims: &Value) -> String {
    let Some(key) = keys::other_issuers() else {
        return String::new();
    };
    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": key.kid });
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let message = format!("{}.{}", encode(&header), encode(claims));
    key.sign(message).unwrap_or_default()
}

/// The keys that such an issuer publishes.
pub(crate) fn published() -> Vec<Value> {
    let keys = keys::other_issuers().into_iter();
    keys.map(|key| json!({ "kty": "RSA", "kid": key.kid, "n": key.n, "e": key.e }))
        .collect()
}

/// The accepted clock difference.
const SKEW: i64 = 300;
