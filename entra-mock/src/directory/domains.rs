//! The domains of a tenant, and what follows from them: the names of the tenant and the organization's list.

use serde_json::{Value, json};

use super::object;
use crate::{
    state::State,
    store::{Kind, Object},
};

impl State {
    /// Stores the verified domains of a new tenant: the default one first, the initial one last.
    pub(crate) fn add_domains(&mut self, names: &[&str]) {
        for (number, name) in names.iter().enumerate() {
            let mut domain = domain(&name.to_ascii_lowercase());
            for (property, value) in [
                ("isDefault", number == 0),
                ("isInitial", number + 1 == names.len()),
                ("isRoot", true),
                ("isVerified", true),
            ] {
                domain.insert(property.to_owned(), value.into());
            }
            domain.insert(
                "supportedServices".to_owned(),
                json!(["Email", "OfficeCommunicationsOnline"]),
            );
            // Two domains of one name are one domain.
            let _ = self.store.insert(Kind::Domain, domain);
        }
        self.update_domains();
    }

    /// Brings the names of the tenant and the organization's list up to date with the domains.
    pub(crate) fn update_domains(&mut self) {
        let is = |domain: &&Object, flag: &str| domain.get(flag) == Some(&Value::Bool(true));
        let mut domains: Vec<&Object> = self
            .store
            .all(Kind::Domain)
            .filter(|domain| is(domain, "isVerified"))
            .collect();
        domains.sort_by_key(|domain| (!is(domain, "isDefault"), is(domain, "isInitial")));
        let name = |domain: &&Object| domain["id"].as_str().unwrap_or_default().to_owned();
        let names = domains.iter().map(name).collect();
        let listed: Vec<Value> = domains
            .iter()
            .map(|domain| {
                let services = domain["supportedServices"].as_array();
                let services: Vec<&str> = services
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                json!({
                    "capabilities": services.join(", "), "isDefault": is(domain, "isDefault"),
                    "isInitial": is(domain, "isInitial"), "name": domain["id"], "type": domain["authenticationType"]
                })
            })
            .collect();
        self.domains = names;
        let organization = self.store.all(Kind::Organization).next();
        let Some(id) = organization.and_then(|one| one["id"].as_str().map(str::to_owned)) else {
            return;
        };
        self.store.update(Kind::Organization, &id, |organization| {
            organization.insert("verifiedDomains".to_owned(), listed.into());
        });
    }
}

/// A domain that is not verified.
pub(crate) fn domain(name: &str) -> Object {
    object([
        ("id", name.into()),
        ("authenticationType", "Managed".into()),
        ("isAdminManaged", true.into()),
        ("isDefault", false.into()),
        ("isInitial", false.into()),
        ("isRoot", false.into()),
        ("isVerified", false.into()),
        ("supportedServices", json!([])),
    ])
}

/// Whether a text is a fully qualified domain name.
pub(crate) fn is_domain_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(is_label)
}
