//! Users, their passwords and their sessions.

use entra_core::Secret;
use serde_json::{Value, json};

use super::{
    super::{
        call::Call,
        error::{ControlError, Outcome},
        route::Route,
        schema::{Schema, optional, required},
    },
    objects::set_link,
    shapes::{self, OBJECT, OBJECTS, PROPERTIES},
};
use crate::{
    account::{METHODS, SECOND_FACTOR},
    directory::set,
    standalone::users,
    state::State,
    store::{Kind, Object, Relation},
};

pub(super) const ROUTES: &[&Route] = &[
    &Route::get(
        "/users",
        "users list",
        "Lists the users.",
        &OBJECTS,
        |call| Ok(shapes::list(&call.engine().read(), Kind::User)),
    ),
    &Route::post(
        "/users",
        "users add",
        "Adds a user with a password. Every property of a user in Microsoft Graph can be set.",
        add,
    )
    .taking(&NEW_USER)
    .with_positional(&["displayName"])
    .creating(&CREATED),
    &Route::get(
        "/users/{user}",
        "users get",
        "Returns a user, by id or user principal name.",
        &OBJECT,
        |call| {
            let state = call.engine().read();
            shapes::get(&state, Kind::User, &id(&state, call)?)
        },
    ),
    &Route::patch(
        "/users/{user}",
        "users set",
        "Sets properties of a user. Null removes one.",
        change,
    )
    .taking(&PROPERTIES)
    .returning(&OBJECT),
    &Route::delete(
        "/users/{user}",
        "users remove",
        "Deletes a user. It can be restored for 30 days, as in Microsoft Graph.",
        |call| {
            let mut state = call.engine().write();
            let id = id(&state, call)?;
            state.delete(Kind::User, &id);
            Ok(Value::Null)
        },
    ),
    &Route::put(
        "/users/{user}/password",
        "users password",
        "Sets the password of a user, or a new one if none is sent, and revokes the sessions.",
        password,
    )
    .taking(&NEW_PASSWORD)
    .with_positional(&["password"])
    .returning(&PASSWORD_SET),
    &Route::post(
        "/users/{user}/revoke-sessions",
        "users revoke-sessions",
        "Revokes all sessions and refresh tokens of a user.",
        |call| {
            let now = call.tenant.now();
            let mut state = call.engine().write();
            let id = id(&state, call)?;
            state.revoke_sessions(now, &id);
            Ok(Value::Null)
        },
    ),
    &Route::post(
        "/users/{user}/administrator",
        "users make-administrator",
        "Makes a user a Global Administrator.",
        |call| {
            let mut state = call.engine().write();
            let id = id(&state, call)?;
            state.make_administrator(&id);
            Ok(Value::Null)
        },
    ),
    &Route::post(
        "/users/{user}/second-factor",
        "users require-second-factor",
        "Requires multifactor authentication of a user from now on.",
        |call| update(call, |user| set(user, SECOND_FACTOR, true.into())),
    ),
    &Route::post(
        "/users/{user}/authentication-methods",
        "users add-method",
        "Adds a registered authentication method, as Microsoft Graph returns it.",
        add_method,
    )
    .taking(&PROPERTIES),
    &Route::put(
        "/users/{user}/manager/{manager}",
        "users manager",
        "Sets the manager of a user.",
        |call| {
            let mut state = call.engine().write();
            let id = id(&state, call)?;
            set_link(
                &mut state,
                Relation::Manager,
                &id,
                call.parameter("manager"),
                true,
            )
        },
    ),
];

const NEW_USER: Schema = Schema::Named(
    "NewUser",
    &Schema::Open(&[
        required(
            "displayName",
            &Schema::Text,
            "The name. The user principal name follows from it.",
        ),
        optional(
            "password",
            &Schema::Text,
            "The password; a new one unless it is set.",
        ),
        optional(
            "userPrincipalName",
            &Schema::Text,
            "The name to sign in with, in a domain of the tenant.",
        ),
    ]),
);
const CREATED: Schema = Schema::Named(
    "CreatedUser",
    &Schema::Object(&[
        required("user", &OBJECT, "The user."),
        required("password", &Schema::Text, "The password."),
    ]),
);
const NEW_PASSWORD: Schema = Schema::Object(&[optional(
    "password",
    &Schema::Text,
    "The password; a new one unless it is set.",
)]);
const PASSWORD_SET: Schema =
    Schema::Object(&[required("password", &Schema::Text, "The password.")]);

fn id(state: &State, call: &Call<'_>) -> Result<String, ControlError> {
    shapes::id_of(state, Kind::User, call.parameter("user"))
}

fn add(call: &Call<'_>) -> Outcome {
    let name = call.text("displayName").unwrap_or_default();
    let now = call.tenant.now();
    let mut state = call.engine().write();
    let mut properties = call.properties_except(&["displayName", "password"]);
    // An id or name of the caller is checked before anything is added.
    let chosen = call.text("userPrincipalName").map(str::to_ascii_lowercase);
    if let Some(chosen) = &chosen {
        check_domain(&state, chosen)?;
    }
    if let Some(chosen) = &chosen
        && state
            .store
            .find(Kind::User, "userPrincipalName", chosen)
            .is_some()
    {
        return Err(ControlError::new(
            409,
            "conflict",
            format!("another user has the user principal name {chosen}"),
            "choose another name, or delete that user",
        ));
    }
    if let Some((local, _)) = chosen.as_deref().and_then(|name| name.split_once('@')) {
        properties
            .entry("mailNickname")
            .or_insert_with(|| local.into());
        let mail = chosen.clone().unwrap_or_default();
        properties.entry("mail").or_insert_with(|| mail.into());
    }
    let password = new_password(&state, call);
    let id = users::add(&mut state, now, name, properties, &password)?;
    Ok(
        json!({ "user": shapes::get(&state, Kind::User, &id)?, "password": password.expose_secret() }),
    )
}

/// Users sign in with names in a verified domain only; other names make no usable user.
fn check_domain(state: &State, name: &str) -> Result<(), ControlError> {
    let domain = name.rsplit_once('@').map_or("", |(_, domain)| domain);
    let mut domains = state.domains.iter();
    if domains.any(|known| known.eq_ignore_ascii_case(domain)) {
        return Ok(());
    }
    Err(ControlError::new(
        400,
        "unknownDomain",
        format!("the user principal name {name} is not in a verified domain of the tenant"),
        format!(
            "end it with @ and one of {}, or add and verify the domain first",
            state.domains.join(", ")
        ),
    ))
}

fn change(call: &Call<'_>) -> Outcome {
    let mut state = call.engine().write();
    let id = id(&state, call)?;
    state.set_unrestricted(Kind::User, &id, call.properties_except(&[]))?;
    shapes::get(&state, Kind::User, &id)
}

fn update(call: &Call<'_>, change: impl FnOnce(&mut Object)) -> Outcome {
    let mut state = call.engine().write();
    let id = id(&state, call)?;
    state.store.update(Kind::User, &id, change);
    Ok(Value::Null)
}

fn password(call: &Call<'_>) -> Outcome {
    let now = call.tenant.now();
    let mut state = call.engine().write();
    let id = id(&state, call)?;
    let password = new_password(&state, call);
    users::set_password(&mut state, now, &id, &password);
    Ok(json!({ "password": password.expose_secret() }))
}

/// The password of a request, also in the form of Microsoft Graph, or a new one.
fn new_password(state: &State, call: &Call<'_>) -> Secret {
    let of_profile = || call.body()["passwordProfile"]["password"].as_str();
    let sent = call.text("password").or_else(of_profile);
    let sent = sent.map(str::to_owned);
    Secret::from(sent.unwrap_or_else(|| format!("Mock-{}-1", state.random.token(16))))
}

fn add_method(call: &Call<'_>) -> Outcome {
    let mut method = call.body().clone();
    let mut state = call.engine().write();
    let id = id(&state, call)?;
    if method.get("id").is_none() {
        method["id"] = state.new_id().into();
    }
    state.store.update(Kind::User, &id, |user| {
        crate::directory::push(user, METHODS, method);
    });
    Ok(Value::Null)
}
