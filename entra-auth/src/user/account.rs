use std::fmt;

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use entra_core::{ClientId, Cloud, Secret, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Error, ErrorKind, wire::UserTokenFields};

/// A user who has signed in: the key of the user's tokens in caches.
///
/// It holds no secret and may be stored. `Debug` shows the tenant only, as the rest is personal data.
/// The home account id of a user never changes. Names change, so do not decide anything by them.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Account {
    /// Object id and tenant id of the user's home tenant, separated by a dot.
    pub home_account_id: String,
    /// The tenant that the user signed in to; for a guest it is not the home tenant.
    pub tenant: TenantId,
    /// The user name, for display and as a login hint.
    pub username: Option<String>,
    /// The display name.
    pub name: Option<String>,
}

impl Account {
    /// The user of a token response. It came from the token endpoint itself over a connection
    /// that proves the server, so its signature need not be checked (OpenID Connect 3.1.3.7, 6).
    ///
    /// `client_info` is Entra's own extension and not signed: from another provider it is ignored.
    #[inline]
    pub(super) fn of(
        user_fields: &UserTokenFields,
        client: ClientId,
        (cloud, tenant): (&Cloud, &TenantId),
        nonce: Option<&str>,
    ) -> Result<Self, Error> {
        let claims = match &user_fields.id_token {
            Some(token) => claims(token)?,
            None => Map::new(),
        };
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if user_fields.id_token.is_some() {
            if !is_for(&claims, &client.to_string()) {
                return Err(unusable("the ID token is for another application"));
            }
            if nonce.is_some() && text("nonce") != nonce {
                return Err(unusable("the ID token belongs to another sign-in"));
            }
        }
        let signed_in_to = text("tid").and_then(|tid| tid.parse::<TenantId>().ok());
        let home = match &user_fields.client_info {
            Some(info) if cloud.is_entra() => home(info),
            _ => None,
        };
        // Other providers have no `tid`: the tenant is the one of the request.
        let tenant_id = (!tenant.is_alias()).then(|| tenant.to_string());
        let by_claims = || {
            let user = text("oid").or(text("sub"))?;
            Some(format!("{user}.{}", text("tid").or(tenant_id.as_deref())?))
        };
        let home_account_id = home
            .or_else(by_claims)
            .ok_or_else(|| unusable("the response does not say who has signed in"))?;
        Ok(Self {
            home_account_id,
            tenant: signed_in_to.unwrap_or_else(|| tenant.clone()),
            username: text("preferred_username")
                .or(text("upn"))
                .map(str::to_owned),
            name: text("name").map(str::to_owned),
        })
    }
}

impl fmt::Debug for Account {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Another provider's home account id may hold an e-mail address.
        f.debug_struct("Account")
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

/// Whether an ID token is for this application. The audience may be a list (OpenID Connect Core, 2); if it names
/// several, the token was issued to the one in `azp` (3.1.3.7).
#[inline]
fn is_for(claims: &Map<String, Value>, client: &str) -> bool {
    let is_own = |value: &Value| value.as_str() == Some(client);
    match claims.get("aud") {
        Some(Value::Array(all)) => {
            all.iter().any(is_own) && (all.len() == 1 || claims.get("azp").is_some_and(is_own))
        }
        one => one.is_some_and(is_own),
    }
}

/// `uid.utid` of a `client_info`.
#[inline]
pub(crate) fn home(info: &Secret) -> Option<String> {
    let info: Value = serde_json::from_slice(&BASE64.decode(info.expose_secret()).ok()?).ok()?;
    let part = |name: &str| info[name].as_str().filter(|part| !part.is_empty());
    Some(format!("{}.{}", part("uid")?, part("utid")?))
}

#[inline]
fn claims(token: &Secret) -> Result<Map<String, Value>, Error> {
    let mut parts = token.expose_secret().split('.');
    let (Some(_), Some(claims), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(unusable("the ID token is not a JWT"));
    };
    BASE64
        .decode(claims)
        .ok()
        .and_then(|claims| serde_json::from_slice(&claims).ok())
        .ok_or_else(|| unusable("the ID token has no claims"))
}

#[inline]
fn unusable(what: &'static str) -> Error {
    Error::new(ErrorKind::Protocol, "the sign-in response is invalid").with(|inner| {
        inner.cause = Some(what.into());
        inner.fix = Some("restart the sign-in; check that the cloud's authority is a sign-in service and that no proxy changes its responses".into());
    })
}

/// Without padding on the wire; accepted with it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = "11111111-1111-1111-1111-111111111111";

    fn user_fields(claims: &str, info: Option<&str>) -> UserTokenFields {
        let token = format!("e30.{}.sig", BASE64.encode(claims));
        UserTokenFields {
            id_token: Some(Secret::from(token)),
            client_info: info.map(|info| Secret::from(BASE64.encode(info))),
            ..UserTokenFields::default()
        }
    }

    fn of(user_fields: &UserTokenFields, nonce: Option<&str>) -> Result<Account, Error> {
        at(&Cloud::public(), user_fields, nonce)
    }

    fn at(
        cloud: &Cloud,
        user_fields: &UserTokenFields,
        nonce: Option<&str>,
    ) -> Result<Account, Error> {
        let tenant = "contoso.com".parse().unwrap();
        Account::of(
            user_fields,
            CLIENT.parse().unwrap(),
            (cloud, &tenant),
            nonce,
        )
    }

    #[test]
    fn guest_is_keyed_by_the_home_tenant() {
        let claims = format!(
            r#"{{"aud":"{CLIENT}","oid":"here","tid":"22222222-2222-2222-2222-222222222222","preferred_username":"g@home.example","nonce":"n"}}"#
        );
        let guest = user_fields(&claims, Some(r#"{"uid":"u","utid":"h"}"#));
        let account = of(&guest, Some("n")).unwrap();
        assert_eq!(account.home_account_id, "u.h");
        assert_eq!(
            account.tenant.to_string(),
            "22222222-2222-2222-2222-222222222222"
        );
        let without = of(&user_fields(&claims, None), None).unwrap();
        assert_eq!(
            without.home_account_id,
            "here.22222222-2222-2222-2222-222222222222"
        );
    }

    #[test]
    fn client_info_of_another_provider_names_no_account() {
        let issuer = "https://id.example/";
        let other = Cloud::openid_provider(issuer, issuer, None, None).unwrap();
        let claims = format!(r#"{{"aud":"{CLIENT}","sub":"mallory","tid":"their-tenant"}}"#);
        let victim = Some(r#"{"uid":"victim","utid":"home"}"#);
        let response = user_fields(&claims, victim);
        let account = at(&other, &response, None).unwrap();
        assert_eq!(account.home_account_id, "mallory.their-tenant");
        assert_eq!(of(&response, None).unwrap().home_account_id, "victim.home");
        let nameless = user_fields(&format!(r#"{{"aud":"{CLIENT}"}}"#), victim);
        at(&other, &nameless, None).unwrap_err();
    }

    #[test]
    fn the_audience_of_an_id_token_may_be_a_list() {
        for audience in [
            format!(r#""aud":"{CLIENT}""#),
            format!(r#""aud":["{CLIENT}"]"#),
            format!(r#""aud":["api","{CLIENT}"],"azp":"{CLIENT}""#),
        ] {
            let claims = format!(r#"{{{audience},"oid":"o","tid":"t"}}"#);
            let account = of(&user_fields(&claims, None), None).unwrap();
            assert_eq!(account.home_account_id, "o.t", "{claims}");
        }
    }

    #[test]
    fn id_token_with_another_audience_or_nonce_is_rejected() {
        let other = r#"{"aud":"someone","oid":"o","tid":"t"}"#;
        let good = format!(r#"{{"aud":"{CLIENT}","oid":"o","tid":"t","nonce":"n"}}"#);
        let no_subject = format!(r#"{{"aud":"{CLIENT}"}}"#);
        let several = format!(r#"{{"aud":["{CLIENT}","api"],"oid":"o","tid":"t"}}"#);
        let of_another = format!(r#"{{"aud":["{CLIENT}","api"],"azp":"api","oid":"o","tid":"t"}}"#);
        for (claims, nonce) in [
            (other, None),
            (r#"{"aud":["someone"],"oid":"o","tid":"t"}"#, None),
            (r#"{"aud":[],"oid":"o","tid":"t"}"#, None),
            (r#"{"aud":{},"oid":"o","tid":"t"}"#, None),
            (&several, None),
            (&of_another, None),
            (&good, Some("m")),
            (&no_subject, None),
            ("[]", None),
        ] {
            let error = of(&user_fields(claims, None), nonce).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{claims}");
        }
        let mut broken = user_fields(&good, None);
        broken.id_token = Some(Secret::from("a.b"));
        of(&broken, None).unwrap_err();
    }
}
