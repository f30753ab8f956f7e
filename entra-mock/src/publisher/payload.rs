//! The JSON of notifications, and the tokens that authenticate them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use entra_core::Timestamp;
use serde_json::{Value, json};

use super::subscriber::Subscriber;
use crate::{
    notifications::Collection,
    schema::Relation,
    state::State,
    store::{Change, Event, Kind},
};

/// Returns one `changeNotification`.
pub(super) fn of_change(
    state: &State,
    subscriber: &Subscriber,
    change: &Change,
    change_type: &str,
) -> Value {
    let (set, class) = match subscriber.resource.collection {
        Collection::Users => ("Users", "User"),
        Collection::Groups => ("Groups", "Group"),
        Collection::Synthetic => ("synthetic/users", "User"),
    };
    let resource = format!("{set}/{}", change.id);
    let mut data = json!({
        "@odata.type": format!("#Microsoft.Graph.{class}"),
        "@odata.id": resource,
        "id": change.id,
        "organizationId": state.tenant_id.to_string(),
    });
    let members = match &change.what {
        Event::Linked(Relation::Members, _, id) => Some(json!([{"id": id}])),
        Event::Unlinked(Relation::Members, _, id) => {
            Some(json!([{"id": id, "@removed": "deleted"}]))
        }
        _ => None,
    };
    if let Some(members) = members.filter(|_| change.kind == Kind::Group) {
        data["members@delta"] = members;
    }
    let mut notification = common(state, subscriber);
    notification["id"] = state.new_id().into();
    notification["changeType"] = change_type.into();
    notification["resource"] = resource.into();
    if let Some((id, certificate)) = &subscriber.certificate {
        let content = content(state, change);
        let key = state.random.bytes::<32>();
        notification["encryptedContent"] = certificate.encrypt(id, &key, &content).into();
    }
    notification["resourceData"] = data;
    notification
}

/// Returns a lifecycle notification.
pub(super) fn of_lifecycle(state: &State, subscriber: &Subscriber, event: &str) -> Value {
    let mut notification = common(state, subscriber);
    notification["lifecycleEvent"] = event.into();
    notification
}

fn common(state: &State, subscriber: &Subscriber) -> Value {
    json!({
        "subscriptionId": subscriber.id,
        "subscriptionExpirationDateTime": subscriber.expiration,
        "clientState": subscriber.client_state,
        "tenantId": state.tenant_id.to_string(),
    })
}

/// The changed user with all properties that responses can show; the id alone after a permanent deletion.
fn content(state: &State, change: &Change) -> Value {
    let entity = change.kind.entity();
    let stored = state.store.get(change.kind, &change.id);
    let stored = stored.or_else(|| {
        let (_, object) = state.store.deleted(&change.id)?;
        Some(object)
    });
    let mut content = json!({"id": change.id});
    for (name, value) in stored.into_iter().flat_map(|object| object.iter()) {
        let shown = entity
            .property(name)
            .is_some_and(|property| property.returned != crate::schema::Returned::Never);
        if shown && name != "passwordProfile" {
            content[name] = value.clone();
        }
    }
    content
}

/// Returns a JWT that shows that a notification is from this tenant; `None` only if the crypto library fails.
///
/// It has the form of the application's access tokens: version 1, or version 2 with `requestedAccessTokenVersion` 2
/// (msgraph-sdk-dotnet-core issue 317).
pub(super) fn validation_token(
    state: &State,
    now: Timestamp,
    base: &str,
    audience: &str,
) -> Option<String> {
    let application = state.store.find(Kind::Application, "appId", audience);
    let version = application.and_then(|application| {
        application
            .get("api")?
            .get("requestedAccessTokenVersion")?
            .as_u64()
    });
    let tenant = state.tenant_id.to_string();
    let issuer = crate::login::issuer(base, version == Some(2), &tenant);
    let now = now.unix_timestamp();
    let mut claims = json!({
        "aud": audience,
        "iss": issuer,
        "iat": now - BACKDATED,
        "nbf": now - BACKDATED,
        "exp": now + LIFETIME,
        "aio": state.random.token(60),
        "oid": PUBLISHER_OBJECT,
        "sub": PUBLISHER_OBJECT,
        "rh": format!("1.{}.", state.random.token(43)),
        "tid": tenant,
        "uti": state.random.token(22),
    });
    let key = state.keys.signing()?;
    let mut header = json!({"typ": "JWT", "alg": "RS256", "kid": key.kid});
    if version == Some(2) {
        claims["azp"] = PUBLISHER.into();
        claims["azpacr"] = "2".into();
        claims["ver"] = "2.0".into();
    } else {
        claims["appid"] = PUBLISHER.into();
        claims["appidacr"] = "2".into();
        claims["idp"] = claims["iss"].clone();
        claims["ver"] = "1.0".into();
        header["x5t"] = key.kid.clone().into();
    }
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    key.sign(format!("{}.{}", encode(&header), encode(&claims)))
}

/// The application that publishes change notifications, in every tenant.
const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";
/// Its service principal in a tenant; only its form matters.
const PUBLISHER_OBJECT: &str = "a1d8e6c2-6c1f-4c5e-9b7a-3f2d0e4b8c11";
const BACKDATED: i64 = 300;
/// Together with the time before, that of the documented sample: 29,100 seconds.
const LIFETIME: i64 = 28_800;
