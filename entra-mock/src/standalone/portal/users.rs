//! Forms that add and change users, if the server allows that.

use entra_core::Secret;
use serde_json::{Map, Value, json};

use super::{News, ROOT, View, escape, write_access::may_change};
use crate::{standalone::users, state::State, store::Kind};

/// The form below the list of users.
pub(super) fn new_user_form() -> String {
    format!(
        "<h2>Add a user</h2>\n{}<label>Display name <input name=\"displayName\" required></label>\n\
         <label>Password <input name=\"password\" type=\"password\" autocomplete=\"new-password\" required></label>\n\
         <button>Add the user</button>\n</form>",
        start("add", None)
    )
}

/// The forms below a user.
pub(super) fn forms(id: &str, enabled: bool) -> String {
    let button = |change: &str, label: &str| {
        format!(
            "{}<button>{label}</button>\n</form>\n",
            start(change, Some(id))
        )
    };
    let (change, label) = match enabled {
        true => ("disable", "Disable the account"),
        false => ("enable", "Enable the account"),
    };
    format!(
        "<h2>Change the user</h2>\n{}<label>Job title <input name=\"jobTitle\"></label>\n\
         <label>Department <input name=\"department\"></label>\n<button>Set both</button>\n</form>\n\
         {}<label>New password <input name=\"password\" type=\"password\" autocomplete=\"new-password\" required></label>\n\
         <button>Set the password</button>\n</form>\n{}{}{}",
        start("set", Some(id)),
        start("password", Some(id)),
        button(change, label),
        button("revoke", "Revoke all sessions"),
        button("delete", "Delete the user"),
    )
}

fn start(change: &str, id: Option<&str>) -> String {
    let id = id.map_or_else(String::new, |id| {
        format!(
            "<input type=\"hidden\" name=\"id\" value=\"{}\">\n",
            escape(id)
        )
    });
    format!(
        "<form method=\"post\" action=\"{ROOT}/user\">\n<input type=\"hidden\" name=\"change\" value=\"{change}\">\n{id}"
    )
}

/// Does what the form of `POST /user` says.
pub(super) fn change(view: &View<'_>) -> News {
    let allowed = may_change(view).map_err(str::to_owned);
    News(allowed.and_then(|()| changed(view)))
}

fn changed(view: &View<'_>) -> Result<String, String> {
    let mut state = view.tenant.engine.write();
    if view.parameter("change") == "add" {
        return add(view, &mut state);
    }
    let id = view.parameter("id");
    if state.store.get(Kind::User, id).is_none() {
        return Err("The directory has no such user.".to_owned());
    }
    let done = match view.parameter("change") {
        change @ ("enable" | "disable") => {
            let enabled = change == "enable";
            set(&mut state, id, json!({ "accountEnabled": enabled }))?;
            match enabled {
                true => "The account is enabled.",
                false => "The account is disabled.",
            }
        }
        "set" => {
            let value = |name: &str| match view.parameter(name) {
                "" => Value::Null,
                text => text.into(),
            };
            let properties =
                json!({ "jobTitle": value("jobTitle"), "department": value("department") });
            set(&mut state, id, properties)?;
            "The properties were set."
        }
        "password" => {
            let password = password(view)?;
            users::set_password(&mut state, view.now, id, &password);
            "The password was set, and all sessions were revoked."
        }
        "revoke" => {
            state.revoke_sessions(view.now, id);
            "All sessions and refresh tokens were revoked."
        }
        "delete" => {
            state.delete(Kind::User, id);
            "The user was deleted, and can be restored for 30 days."
        }
        _ => return Err("The form is not known.".to_owned()),
    };
    Ok(done.to_owned())
}

fn add(view: &View<'_>, state: &mut State) -> Result<String, String> {
    let name = view.parameter("displayName");
    if name.is_empty() {
        return Err("A user needs a display name.".to_owned());
    }
    let password = password(view)?;
    let added = users::add(state, view.now, name, Map::new(), &password);
    let id = added.map_err(|error| error.to_string())?;
    let user = state.store.get(Kind::User, &id);
    let upn = user
        .and_then(|user| user.text("userPrincipalName"))
        .unwrap_or_default();
    Ok(format!("{upn} was added."))
}

fn set(state: &mut State, id: &str, properties: Value) -> Result<(), String> {
    let properties = match properties {
        Value::Object(properties) => properties,
        _ => Map::new(),
    };
    let set = state.set_unrestricted(Kind::User, id, properties);
    set.map_err(|error| error.to_string())
}

/// The password of the form. No page shows it again.
fn password(view: &View<'_>) -> Result<Secret, String> {
    match view.parameter("password") {
        "" => Err("A password is needed.".to_owned()),
        password => Ok(Secret::from(password.to_owned())),
    }
}
