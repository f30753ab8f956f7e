//! How one setting of a blueprint is compared with what the tenant has.

use serde_json::{Value, json};

use super::{
    super::{
        line::Line,
        names::Names,
        wire::{items, text},
    },
    Compare, Difference, Setting,
};

impl Setting {
    pub(super) fn compare(
        &self,
        current: &Value,
        wanted: &Value,
        remove: bool,
        names: &Names,
    ) -> Option<Difference> {
        let mut lines = Vec::new();
        let value = match self.compare {
            Compare::Value => {
                if current == wanted || is_unset(current) && is_unset(wanted) {
                    return None;
                }
                lines.push(if is_unset(current) {
                    Line::add(format!("{} {}", self.label, shown(wanted)))
                } else {
                    Line::change(format!(
                        "{} {} (was {})",
                        self.label,
                        shown(wanted),
                        shown(current)
                    ))
                });
                wanted.clone()
            }
            Compare::Set => merge(
                current,
                wanted,
                remove,
                &mut lines,
                &List {
                    key: &|item| item.as_str().unwrap_or_default().to_owned(),
                    name: &|item| format!("{} {}", self.label, shown(item)),
                    removed: &|_| None,
                },
            ),
            Compare::Keyed(key) => merge(
                current,
                wanted,
                remove,
                &mut lines,
                &List {
                    key: &|item| text(item, key).to_owned(),
                    name: &|item| format!("{} {}", self.label, text(item, key)),
                    removed: &|_| None,
                },
            ),
            Compare::Entitlements => merge(
                current,
                wanted,
                remove,
                &mut lines,
                &List {
                    key: &|item| text(item, "value").to_owned(),
                    name: &|item| format!("{} {}", self.label, text(item, "value")),
                    // Entra rejects the removal of an enabled entry, so it goes in two updates.
                    removed: &|item| {
                        (item["isEnabled"] != false).then(|| {
                            let mut item = item.clone();
                            item["isEnabled"] = json!(false);
                            item
                        })
                    },
                },
            ),
            Compare::Permissions => permissions(current, wanted, remove, &mut lines, names),
        };
        (!lines.is_empty()).then_some(Difference {
            path: self.path,
            value,
            lines,
        })
    }
}

/// How the items of a list are told apart and shown.
struct List<'a> {
    key: &'a dyn Fn(&Value) -> String,
    name: &'a dyn Fn(&Value) -> String,
    /// What stands for an item that is to be removed, if it cannot be left out yet.
    removed: &'a dyn Fn(&Value) -> Option<Value>,
}

/// The current items with the wanted ones: order and unlisted items stay, and so do properties of an item that
/// the blueprint does not set.
fn merge(
    current: &Value,
    wanted: &Value,
    remove: bool,
    lines: &mut Vec<Line>,
    list: &List<'_>,
) -> Value {
    let empty = Vec::new();
    let current = current.as_array().unwrap_or(&empty);
    let wanted = wanted.as_array().unwrap_or(&empty);
    let mut merged = Vec::new();
    for item in current {
        let key = (list.key)(item);
        match wanted.iter().find(|one| (list.key)(one) == key) {
            Some(one) => {
                let new = overlay(item, one);
                if new != *item {
                    lines.push(Line::change((list.name)(item)));
                }
                merged.push(new);
            }
            None if remove && is_removable(&key) => {
                lines.push(Line::remove((list.name)(item)));
                merged.extend((list.removed)(item));
            }
            None => merged.push(item.clone()),
        }
    }
    for item in wanted {
        let key = (list.key)(item);
        let is_known = |list_of: &[Value]| list_of.iter().any(|one| (list.key)(one) == key);
        if !is_known(current) && !is_known(&merged) {
            lines.push(Line::add((list.name)(item)));
            merged.push(item.clone());
        }
    }
    merged.into()
}

/// The item with the properties of another. What a blueprint cannot choose stays: its id, and the options of a claim.
fn overlay(item: &Value, other: &Value) -> Value {
    let (Value::Object(item), Value::Object(other)) = (item, other) else {
        return other.clone();
    };
    let mut merged = item.clone();
    for (name, value) in other {
        if !["id", "additionalProperties", "essential"].contains(&name.as_str()) {
            merged.insert(name.clone(), value.clone());
        }
    }
    merged.into()
}

fn permissions(
    current: &Value,
    wanted: &Value,
    remove: bool,
    lines: &mut Vec<Line>,
    names: &Names,
) -> Value {
    let empty = Vec::new();
    let mut merged = current.as_array().unwrap_or(&empty).clone();
    let same = |one: &Value, other: &Value, name: &str| {
        text(one, name).eq_ignore_ascii_case(text(other, name))
    };
    let line = |api: &Value, access: &Value| {
        format!(
            "permission {}",
            names.permission(text(api, "resourceAppId"), access)
        )
    };
    if remove {
        for api in &mut merged {
            let kept: Vec<Value> = items(api, "resourceAccess")
                .iter()
                .filter(|access| {
                    let listed = wanted.as_array().into_iter().flatten().any(|other| {
                        same(other, api, "resourceAppId")
                            && items(other, "resourceAccess")
                                .iter()
                                .any(|one| same(one, access, "id"))
                    });
                    if !listed {
                        lines.push(Line::remove(line(api, access)));
                    }
                    listed
                })
                .cloned()
                .collect();
            api["resourceAccess"] = kept.into();
        }
        merged.retain(|api| !items(api, "resourceAccess").is_empty());
    }
    for api in wanted.as_array().into_iter().flatten() {
        let at = merged
            .iter()
            .position(|one| same(one, api, "resourceAppId"));
        for access in items(api, "resourceAccess") {
            let has = at.is_some_and(|at| {
                items(&merged[at], "resourceAccess")
                    .iter()
                    .any(|one| same(one, access, "id"))
            });
            if !has {
                lines.push(Line::add(line(api, access)));
                if let Some(list) = at.and_then(|at| merged[at]["resourceAccess"].as_array_mut()) {
                    list.push(access.clone());
                }
            }
        }
        if at.is_none() && !items(api, "resourceAccess").is_empty() {
            merged.push(api.clone());
        }
    }
    merged.into()
}

fn is_unset(value: &Value) -> bool {
    value.is_null() || value == false || value == ""
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "enabled".to_owned(),
        Value::Bool(false) | Value::Null => "disabled".to_owned(),
        other => other.to_string(),
    }
}

/// A blueprint cannot list a role without a value: gallery applications have such roles, which must stay.
pub(in super::super) fn is_removable(key: &str) -> bool {
    !key.is_empty() && key != PROTECTED_ROLE
}

/// A role of gallery applications, by its value where it has one.
const PROTECTED_ROLE: &str = "msiam_access";
