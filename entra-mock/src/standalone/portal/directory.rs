//! The directory: search by type, and one object with what it is linked to.

use serde_json::Value;

use super::{
    News, ROOT, View, escape,
    page::{self, code, facts, link, table},
    users,
};
use crate::{
    directory::unsupported_part,
    state::State,
    store::{Kind, Object, Relation},
    wire::Reply,
};

/// The types that the portal lists, and their names.
pub(super) const KINDS: [(Kind, &str); 9] = [
    (Kind::User, "Users"),
    (Kind::Group, "Groups"),
    (Kind::Application, "App registrations"),
    (Kind::ServicePrincipal, "Enterprise applications"),
    (Kind::Device, "Devices"),
    (Kind::AdministrativeUnit, "Administrative units"),
    (Kind::DirectoryRole, "Directory roles"),
    (Kind::OrgContact, "Contacts"),
    (Kind::ConditionalAccessPolicy, "Conditional access policies"),
];

/// How many objects a page shows.
const SHOWN: usize = 100;

/// The properties that a search compares.
const SEARCHED: [&str; 6] = [
    "displayName",
    "userPrincipalName",
    "mail",
    "appId",
    "id",
    "description",
];

pub(super) fn list(view: &View<'_>, news: Option<&News>) -> Reply {
    let chosen = view.parameter("kind");
    let (kind, name) = KINDS
        .into_iter()
        .find(|(kind, _)| kind.entity().set == chosen)
        .unwrap_or(KINDS[0]);
    let search = view.parameter("search").to_lowercase();
    let (rows, found) = {
        let state = view.tenant.engine.read();
        let fits = |object: &&Object| {
            search.is_empty()
                || SEARCHED
                    .iter()
                    .any(|name| text(object, name).to_lowercase().contains(&search))
        };
        let mut found = 0;
        let mut rows = Vec::new();
        for object in state.store.all(kind).filter(fits) {
            found += 1;
            if rows.len() < SHOWN {
                rows.push(row(object));
            }
        }
        (rows, found)
    };
    let options: String = KINDS
        .iter()
        .map(|(other, name)| {
            let selected = if *other == kind { " selected" } else { "" };
            format!(
                "<option value=\"{}\"{selected}>{name}</option>",
                other.entity().set
            )
        })
        .collect();
    let form = format!(
        "<form action=\"{ROOT}/directory\" role=\"search\">\n<label>Type <select name=\"kind\">{options}</select></label>\n\
         <label>Name, address or id <input name=\"search\" type=\"search\" value=\"{}\"></label>\n\
         <button>Search</button>\n</form>",
        escape(view.parameter("search"))
    );
    let caption = match found {
        found if found > rows.len() => format!("{name}: the first {} of {found}", rows.len()),
        found => format!("{name}: {found}"),
    };
    let mut document = view.document("Directory");
    if let Some(news) = news {
        document = document.with(&news.markup());
    }
    document = document
        .with(&form)
        .with(&table(&caption, &["Name", "Address", "Id"], &rows));
    if view.write && kind == Kind::User {
        document = document.with(&users::new_user_form());
    }
    document.reply(News::status(news))
}

fn row(object: &Object) -> Vec<String> {
    let address = ["userPrincipalName", "mail", "appId", "deviceId"]
        .iter()
        .map(|name| text(object, name))
        .find(|text| !text.is_empty());
    let id = text(object, "id");
    let name = match text(object, "displayName") {
        "" => id,
        name => name,
    };
    vec![
        link("/object", "id", id, name),
        escape(address.unwrap_or_default()),
        code(id),
    ]
}

pub(super) fn one(view: &View<'_>, news: Option<&News>) -> Reply {
    let id = view.parameter("id");
    let state = view.tenant.engine.read();
    let Some((kind, object)) = state.store.any(id) else {
        drop(state);
        return view
            .document("Object not found")
            .with(&format!("<p>The directory has no object {}.</p>", code(id)))
            .reply(404);
    };
    let mut properties: Vec<(&str, String)> = object
        .iter()
        .filter(|(name, _)| is_shown(name))
        .map(|(name, value)| (name, shown(value)))
        .collect();
    properties.sort_unstable_by_key(|(name, _)| (*name != "id", *name != "displayName", *name));
    let properties = facts(&properties);
    let links: Vec<(&str, Vec<String>)> = LINKS
        .iter()
        .map(|(relation, out, incoming)| {
            let from = state
                .store
                .linked_objects(*relation, id)
                .map(|(_, object)| named(object));
            let to = state
                .store
                .linking_objects(*relation, id)
                .map(|(_, object)| named(object));
            [
                (*out, from.take(SHOWN).collect()),
                (*incoming, to.take(SHOWN).collect()),
            ]
        })
        .collect::<Vec<_>>()
        .concat();
    let title = match text(object, "displayName") {
        "" => id.to_owned(),
        name => name.to_owned(),
    };
    let about = match kind.entity().application {
        Some(_) => {
            let app_id = text(object, "appId");
            format!(
                "<p>{}</p>",
                link(
                    "/application",
                    "id",
                    app_id,
                    "Permissions, credentials and consent"
                )
            )
        }
        None => format!("<p class=\"soft\">{}</p>", escape(kind.entity().name)),
    };
    let enabled = object["accountEnabled"] != false;
    let enforced = (kind == Kind::ConditionalAccessPolicy).then(|| enforcement(&state, object));
    drop(state);
    let mut document = view.document(&title);
    if let Some(news) = news {
        document = document.with(&news.markup());
    }
    document = document.with(&about);
    if let Some(enforced) = enforced {
        document = document.with(&enforced);
    }
    document = document.with(&properties);
    for (name, objects) in links.iter().filter(|(_, objects)| !objects.is_empty()) {
        document = document
            .with(&format!("<h2>{name}</h2>"))
            .with(&page::list(objects));
    }
    if view.write && kind == Kind::User {
        document = document.with(&users::forms(id, enabled));
    }
    document.reply(News::status(news))
}

/// What the sign-in side makes of a conditional access policy.
fn enforcement(state: &State, policy: &Object) -> String {
    match unsupported_part(policy) {
        Some(part) => format!(
            "<p class=\"warn\">This policy is enabled and not enforced: the fake tenant does not support {}.</p>",
            code(&part)
        ),
        None if state.is_enforced(text(policy, "id")) => {
            "<p class=\"good\">This policy is enforced.</p>".to_owned()
        }
        None if policy["state"] == "enabled" => {
            "<p class=\"soft\">This policy is enabled and applies to no sign-in.</p>".to_owned()
        }
        None => "<p class=\"soft\">This policy is not enabled.</p>".to_owned(),
    }
}

/// Links, with their name at the object that links and at the one that is linked to.
const LINKS: [(Relation, &str, &str); 4] = [
    (Relation::Members, "Members", "Member of"),
    (Relation::Owners, "Owners", "Owner of"),
    (Relation::Manager, "Manager", "Direct reports"),
    (Relation::Sponsors, "Sponsors", "Sponsor of"),
];

fn named(object: &Object) -> String {
    let id = text(object, "id");
    match text(object, "displayName") {
        "" => link("/object", "id", id, id),
        name => link("/object", "id", id, name),
    }
}

/// The name of an object, or its id if it has none or is deleted.
pub(super) fn name_of(state: &State, id: &str) -> String {
    let name = state
        .store
        .any(id)
        .map(|(_, object)| text(object, "displayName"))
        .filter(|name| !name.is_empty());
    name.unwrap_or(id).to_owned()
}

/// Whether a property is one of Graph's. The others hold passwords and secrets.
fn is_shown(name: &str) -> bool {
    !name.starts_with('~') && name != "passwordProfile"
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => escape(text),
        Value::Array(items) if items.is_empty() => "<span class=\"soft\">none</span>".to_owned(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            escape(&items.join(", "))
        }
        Value::Array(_) | Value::Object(_) => {
            let pretty = serde_json::to_string_pretty(&without_private(value)).unwrap_or_default();
            format!(
                "<details><summary>Show</summary><pre>{}</pre></details>",
                escape(&pretty)
            )
        }
        other => escape(&other.to_string()),
    }
}

/// A value without members that are not Graph's.
fn without_private(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(without_private).collect(),
        Value::Object(members) => {
            let kept = members
                .iter()
                .filter(|(name, _)| is_shown(name) && *name != "secretText");
            Value::Object(
                kept.map(|(name, value)| (name.clone(), without_private(value)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

pub(super) fn text<'o>(object: &'o Object, name: &str) -> &'o str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}
