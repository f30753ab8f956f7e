//! Creates the objects of a scenario.

use std::{collections::BTreeMap, time::Duration};

use entra_core::{Guid, Timestamp};
use serde_json::{Map, Value, json};

use super::{
    super::{DOMAIN, generate::fill_up},
    locate::Step,
    model::{Application, Credential, Document, Group, GroupType, License, User},
    sign_ins,
};
use crate::{
    account::PASSWORD,
    directory::{NewUser, domains, earlier, keep_password, object, push, set},
    keys,
    login::Certificate,
    schema::mismatches,
    state::{State, iso},
    store::{Conflict, Kind, Object, Relation},
};

/// A fault of a scenario, and its place in the file.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(super) path: Vec<Step>,
    pub(super) message: String,
}

/// Returns a fault at a place.
macro_rules! problem {
    ([$($step:expr),*], $($message:tt)*) => {
        Problem { path: vec![$(Step::from($step)),*], message: format!($($message)*) }
    };
}

/// The tenant while it is filled.
struct Builder<'s> {
    state: &'s mut State,
    now: Timestamp,
    /// When everything was created.
    founded: Timestamp,
    /// The ids of the generated users, in their order.
    generated: Vec<String>,
    /// The domain of the names in the file, which is not that of the tenant if the tenant has another company.
    domain: &'s str,
}

/// Checks what a tenant must have before anything is added to it.
pub(super) fn check_company(document: &Document) -> Result<(), Problem> {
    match &document.company {
        Some(company) if !domains::is_domain_name(&company.domain) => Err(problem!(
            ["company", "domain"],
            "must be a domain name, such as fabrikam.com"
        )),
        _ => Ok(()),
    }
}

pub(super) fn apply(document: &Document, state: &mut State, now: Timestamp) -> Result<(), Problem> {
    let mut builder = Builder {
        state,
        now,
        founded: earlier(now, 400 * DAY),
        generated: Vec::new(),
        domain: match &document.company {
            Some(company) => &company.domain,
            None => DOMAIN,
        },
    };
    builder.generate(document.generated_users)?;
    for (number, license) in document.licenses.iter().enumerate() {
        builder.add_license(number, license)?;
    }
    for (number, user) in document.users.iter().enumerate() {
        builder.add_user(number, user)?;
    }
    for (number, device) in document.devices.iter().enumerate() {
        let owner = device.owner.as_deref().map(|name| {
            builder
                .user(name)
                .ok_or_else(|| problem!(["devices", number, "owner"], "there is no user '{name}'"))
        });
        let owner = owner.transpose()?;
        let times = (builder.founded, now);
        let system = &device.operating_system;
        let added = builder.state.add_device(
            times,
            &device.name,
            system,
            &device.version,
            owner.as_deref(),
        );
        let id = added.map_err(|conflict| taken("devices", number, "name", &conflict))?;
        builder.set(Kind::Device, &id, "devices", number, &device.properties)?;
    }
    for (number, group) in document.groups.iter().enumerate() {
        builder.add_group(number, group)?;
    }
    for (number, application) in document.applications.iter().enumerate() {
        builder.add_application(number, application)?;
    }
    for (number, application) in document.enterprise_applications.iter().enumerate() {
        let name = &application.name;
        let added = builder.state.add_saas_app(name, &application.publisher);
        let set = "enterpriseApplications";
        let id = added.map_err(|conflict| taken(set, number, "name", &conflict))?;
        builder.assign(&id, set, number, &application.assigned)?;
    }
    if let Some(sign_ins) = &document.sign_ins {
        if !(1..=30).contains(&sign_ins.days) {
            return Err(problem!(["signIns", "days"], "the log keeps 1 to 30 days"));
        }
        if !(1..=1_000).contains(&sign_ins.per_day) {
            return Err(problem!(["signIns", "perDay"], "must be 1 to 1000"));
        }
        sign_ins::add(document, builder.state, now, sign_ins)
            .map_err(|conflict| problem!(["signIns"], "{conflict}"))?;
    }
    builder.state.update_domains();
    Ok(())
}

impl Builder<'_> {
    fn generate(&mut self, count: usize) -> Result<(), Problem> {
        let before = self.state.store.len(Kind::User);
        fill_up(self.state, self.now, before + count)
            .map_err(|conflict| problem!(["generatedUsers"], "{conflict}"))?;
        let users = self.state.store.all(Kind::User).skip(before);
        self.generated = users
            .filter_map(|user| user.get("id")?.as_str().map(str::to_owned))
            .collect();
        Ok(())
    }

    fn add_license(&mut self, number: usize, license: &License) -> Result<(), Problem> {
        let place = "licenses";
        if self.sku(&license.sku_part_number).is_some() {
            let name = &license.sku_part_number;
            return Err(problem!(
                [place, number, "skuPartNumber"],
                "there is another licence '{name}'"
            ));
        }
        let id = match &license.sku_id {
            None => self.state.new_id(),
            Some(id) => match id.parse::<Guid>() {
                Ok(id) => id.to_string(),
                Err(_) => return Err(problem!([place, number, "skuId"], "is not a GUID")),
            },
        };
        let plans: Vec<Value> = license
            .service_plans
            .iter()
            .map(|name| {
                json!({
                    "appliesTo": "User", "provisioningStatus": "Success",
                    "servicePlanId": self.state.new_id(), "servicePlanName": name,
                })
            })
            .collect();
        let tenant = self.state.tenant_id.to_string();
        let sku = object([
            ("id", format!("{tenant}_{id}").into()),
            ("accountId", tenant.into()),
            (
                "accountName",
                self.state.tenant_name.to_ascii_lowercase().into(),
            ),
            ("appliesTo", "User".into()),
            ("capabilityStatus", "Enabled".into()),
            ("consumedUnits", 0.into()),
            (
                "prepaidUnits",
                json!({"enabled": license.units, "lockedOut": 0, "suspended": 0, "warning": 0}),
            ),
            ("servicePlans", plans.into()),
            ("skuId", id.into()),
            ("skuPartNumber", license.sku_part_number.clone().into()),
            ("subscriptionIds", json!([self.state.new_id()])),
        ]);
        let added = self.state.store.insert(Kind::SubscribedSku, sku);
        added.map_err(|conflict| taken(place, number, "skuId", &conflict))
    }

    fn add_user(&mut self, number: usize, user: &User) -> Result<(), Problem> {
        let place = "users";
        if user.name.is_empty() || user.name.contains(['@', ' ']) {
            return Err(problem!(
                [place, number, "name"],
                "is the part of a user principal name before the '@'"
            ));
        }
        let added = self.state.add_user(
            self.founded,
            &NewUser {
                display_name: &user.display_name,
                alias: &user.name,
                disabled: user.disabled,
                guest: user.guest,
                ..NewUser::default()
            },
        );
        let id = added.map_err(|conflict| taken(place, number, "name", &conflict))?;
        if let Some(password) = &user.password {
            self.state.store.update(Kind::User, &id, |object| {
                object.insert(PASSWORD.to_owned(), password.clone().into());
            });
        }
        if let Some(name) = &user.manager {
            let manager = self.user(name);
            let manager = manager.filter(|manager| *manager != id);
            let manager = manager.ok_or_else(|| {
                problem!(
                    [place, number, "manager"],
                    "there is no user '{name}' above"
                )
            })?;
            self.state.store.link(Relation::Manager, &id, &manager);
        }
        self.set(Kind::User, &id, place, number, &user.properties)?;
        if user.administrator {
            self.state.make_administrator(&id);
        }
        for (at, name) in user.licenses.iter().enumerate() {
            let path = || vec![place.into(), number.into(), "licenses".into(), at.into()];
            self.give_license(&id, name, None)
                .map_err(|message| Problem {
                    path: path(),
                    message,
                })?;
        }
        Ok(())
    }

    fn add_group(&mut self, number: usize, group: &Group) -> Result<(), Problem> {
        let place = "groups";
        if self.group(&group.name).is_some() {
            let name = &group.name;
            return Err(problem!(
                [place, number, "name"],
                "there is another group '{name}'"
            ));
        }
        let added = self
            .state
            .add_group(self.founded, &group.name, group.description.as_deref());
        let id = added.map_err(|conflict| taken(place, number, "name", &conflict))?;
        let domain = self.state.default_domain().to_owned();
        self.state.store.update(Kind::Group, &id, |object| {
            set_type(object, group, &domain);
        });
        self.set(Kind::Group, &id, place, number, &group.properties)?;
        for (at, name) in group.members.iter().enumerate() {
            let member = self.member(name).filter(|member| *member != id);
            let member = member.ok_or_else(|| {
                problem!(
                    [place, number, "members", at],
                    "there is no user, device or group above with the name '{name}'"
                )
            })?;
            if !self.state.store.link(Relation::Members, &id, &member) {
                return Err(problem!(
                    [place, number, "members", at],
                    "'{name}' is a member already"
                ));
            }
        }
        let generated = self.generated.len();
        if group.generated_members > generated {
            return Err(problem!(
                [place, number, "generatedMembers"],
                "the scenario has {generated} generated users"
            ));
        }
        for member in &self.generated[..group.generated_members] {
            self.state.store.link(Relation::Members, &id, member);
        }
        for (at, name) in group.owners.iter().enumerate() {
            let owner = self.user(name);
            let owner = owner.ok_or_else(|| {
                problem!([place, number, "owners", at], "there is no user '{name}'")
            })?;
            self.state.store.link(Relation::Owners, &id, &owner);
        }
        // Its properties may have licences as well.
        self.state.inherit_licenses_of_group(self.founded, &id);
        for (at, name) in group.licenses.iter().enumerate() {
            self.give_group_license(&id, name)
                .map_err(|message| problem!([place, number, "licenses", at], "{message}"))?;
        }
        Ok(())
    }

    fn add_application(&mut self, number: usize, app: &Application) -> Result<(), Problem> {
        let place = "applications";
        let ids = self.state.add_app(self.founded, &app.name);
        let ids = ids.map_err(|conflict| taken(place, number, "name", &conflict))?;
        let redirect_uris = &app.redirect_uris;
        self.state.update_application(&ids.object_id, |object| {
            object["web"]["redirectUris"] = json!(redirect_uris);
        });
        self.set(
            Kind::Application,
            &ids.object_id,
            place,
            number,
            &app.properties,
        )?;
        let principal = &ids.service_principal_id;
        for (at, name) in app.application_permissions.iter().enumerate() {
            let now = self.founded;
            if !self
                .state
                .grant_application_permission(now, principal, name)
            {
                return Err(problem!(
                    [place, number, "applicationPermissions", at],
                    "Microsoft Graph has no application permission '{name}'"
                ));
            }
        }
        for (at, name) in app.delegated_permissions.iter().enumerate() {
            if !self.state.has_delegated_permission(name) {
                return Err(problem!(
                    [place, number, "delegatedPermissions", at],
                    "Microsoft Graph has no delegated permission '{name}'"
                ));
            }
        }
        if !app.delegated_permissions.is_empty() {
            let scope = app.delegated_permissions.join(" ");
            self.state
                .grant_delegated_permissions(principal, &scope)
                .map_err(|conflict| taken(place, number, "delegatedPermissions", &conflict))?;
        }
        for (at, secret) in app.secrets.iter().enumerate() {
            let (starts, valid_for) = self.validity(secret).ok_or_else(|| {
                problem!(
                    [place, number, "secrets", at, "expiresInDays"],
                    "must be -180 to 730"
                )
            })?;
            self.state.add_secret(starts, &ids.object_id, valid_for);
            if let Some(name) = &secret.name {
                self.state
                    .store
                    .update(Kind::Application, &ids.object_id, |object| {
                        object["passwordCredentials"][at]["displayName"] = name.clone().into();
                    });
            }
        }
        for (at, certificate) in app.certificates.iter().enumerate() {
            let (starts, valid_for) = self.validity(certificate).ok_or_else(|| {
                problem!(
                    [place, number, "certificates", at, "expiresInDays"],
                    "must be -180 to 730"
                )
            })?;
            let ends = crate::directory::later(starts, valid_for);
            let name = certificate.name.as_deref().unwrap_or(&app.name);
            let serial = self.state.random.bytes();
            let key_id = self.state.new_id();
            let credential = keys::pool()
                .first()
                .and_then(|key| key.self_signed(name, serial, starts, ends))
                .and_then(|der| Some(Certificate::read(&der)?.key_credential(&key_id)));
            if let Some(credential) = credential {
                self.state
                    .store
                    .update(Kind::Application, &ids.object_id, |object| {
                        push(object, "keyCredentials", credential);
                    });
            }
        }
        for (at, name) in app.owners.iter().enumerate() {
            let owner = self.user(name);
            let owner = owner.ok_or_else(|| {
                problem!([place, number, "owners", at], "there is no user '{name}'")
            })?;
            self.state
                .store
                .link(Relation::Owners, &ids.object_id, &owner);
        }
        self.assign(principal, place, number, &app.assigned)
    }

    /// Assigns users and groups to a service principal.
    fn assign(
        &mut self,
        principal: &str,
        place: &str,
        number: usize,
        names: &[String],
    ) -> Result<(), Problem> {
        let role = self.state.user_role(principal);
        for (at, name) in names.iter().enumerate() {
            let assigned = self.user(name).or_else(|| self.group(name));
            let assigned = assigned.ok_or_else(|| {
                problem!(
                    [place, number, "assigned", at],
                    "there is no user or group '{name}'"
                )
            })?;
            self.state
                .assign(self.founded, &assigned, principal, &role)
                .map_err(|conflict| problem!([place, number, "assigned", at], "{conflict}"))?;
        }
        Ok(())
    }

    /// Sets properties of an object.
    fn set(
        &mut self,
        kind: Kind,
        id: &str,
        place: &str,
        number: usize,
        properties: &BTreeMap<String, Value>,
    ) -> Result<(), Problem> {
        let wrong = |name: &str, message: String| Problem {
            path: vec![
                place.into(),
                number.into(),
                "properties".into(),
                name.into(),
            ],
            message,
        };
        // All of them at the place of the first, so that to mend one does not lead to the next.
        let mut first = None;
        let mut texts = Vec::new();
        for (name, value) in properties {
            match name.as_str() {
                "id" => texts.push("the id of an object cannot be set".to_owned()),
                name => {
                    let found = mismatches(kind.entity(), [(name, value)]);
                    texts.extend(found.iter().map(ToString::to_string));
                }
            }
            if !texts.is_empty() {
                first = first.or(Some(name));
            }
        }
        if let Some(name) = first {
            return Err(wrong(name, texts.join("; ")));
        }
        let own = properties.iter();
        let mut properties: Map<String, Value> = own
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if kind == Kind::User {
            keep_password(&mut properties);
        }
        for (name, value) in &properties {
            let change = |object: &mut Object| set(object, name, value.clone());
            let fits = if kind == Kind::Application {
                self.state.update_application(id, change)
            } else {
                self.state.store.update(kind, id, change)
            };
            if !fits {
                return Err(wrong(name, "another object has this value".to_owned()));
            }
        }
        Ok(())
    }

    /// Assigns a licence to a user, directly or through a group.
    fn give_license(&mut self, user: &str, name: &str, group: Option<&str>) -> Result<(), String> {
        let (id, sku, left) = self
            .sku(name)
            .ok_or_else(|| format!("there is no licence '{name}'"))?;
        if left == 0 {
            return Err(format!("no unit of licence '{name}' is left"));
        }
        let at = iso(self.founded);
        let mut is_new = true;
        self.state.store.update(Kind::User, user, |object| {
            let licenses = object["assignedLicenses"].as_array();
            is_new = !licenses
                .into_iter()
                .flatten()
                .any(|one| one["skuId"] == sku);
            if is_new {
                push(
                    object,
                    "assignedLicenses",
                    json!({"skuId": sku, "disabledPlans": []}),
                );
            }
            push(
                object,
                "licenseAssignmentStates",
                json!({
                    "skuId": sku, "disabledPlans": [], "assignedByGroup": group,
                    "state": "Active", "error": "None", "lastUpdatedDateTime": at,
                }),
            );
        });
        if is_new {
            self.state.store.update(Kind::SubscribedSku, &id, |object| {
                let used = object["consumedUnits"].as_i64().unwrap_or_default();
                object["consumedUnits"] = (used + 1).into();
            });
        }
        Ok(())
    }

    /// Assigns a licence to a group, and through it to the users that are its direct members.
    fn give_group_license(&mut self, group: &str, name: &str) -> Result<(), String> {
        let (_, sku, _) = self
            .sku(name)
            .ok_or_else(|| format!("there is no licence '{name}'"))?;
        self.state.store.update(Kind::Group, group, |object| {
            push(
                object,
                "assignedLicenses",
                json!({"skuId": sku, "disabledPlans": []}),
            );
        });
        let members: Vec<String> = self
            .state
            .store
            .linked_objects(Relation::Members, group)
            .filter(|(kind, _)| *kind == Kind::User)
            .filter_map(|(_, user)| user.get("id")?.as_str().map(str::to_owned))
            .collect();
        members
            .iter()
            .try_for_each(|user| self.give_license(user, name, Some(group)))
    }

    /// The id, the SKU id and the number of free units of a product.
    fn sku(&self, part_number: &str) -> Option<(String, Value, i64)> {
        let mut products = self.state.store.all(Kind::SubscribedSku);
        let product = products.find(|product| product["skuPartNumber"] == part_number)?;
        let units = product["prepaidUnits"]["enabled"]
            .as_i64()
            .unwrap_or_default();
        let used = product["consumedUnits"].as_i64().unwrap_or_default();
        let id = product["id"].as_str()?.to_owned();
        Some((id, product["skuId"].clone(), units - used))
    }

    /// The start of a credential and how long it is valid from then on.
    fn validity(&self, credential: &Credential) -> Option<(Timestamp, Duration)> {
        let days = (-180..=730)
            .contains(&credential.expires_in_days)
            .then(|| u32::try_from(credential.expires_in_days + 181).unwrap_or_default())?;
        Some((earlier(self.now, 181 * DAY), days * DAY))
    }

    /// A user by the first part of the name, the whole name, or the alias of a guest.
    ///
    /// A name in the domain of the file is that of the same user in a tenant of another domain, also if a property
    /// has set the name.
    fn user(&self, name: &str) -> Option<String> {
        let store = &self.state.store;
        let by_name = |name: &str| store.find(Kind::User, "userPrincipalName", name);
        let alias = match name.rsplit_once('@') {
            Some((alias, domain)) if domain.eq_ignore_ascii_case(self.domain) => alias,
            _ => name,
        };
        let user = by_name(&format!("{alias}@{}", self.state.default_domain()))
            .or_else(|| by_name(&format!("{alias}@{}", self.domain)))
            .or_else(|| by_name(name))
            .or_else(|| {
                let mut users = store.all(Kind::User);
                users.find(|user| user["mailNickname"] == name && user["userType"] == "Guest")
            })?;
        Some(user.get("id")?.as_str()?.to_owned())
    }

    fn group(&self, name: &str) -> Option<String> {
        self.named(Kind::Group, name)
    }

    fn member(&self, name: &str) -> Option<String> {
        self.user(name)
            .or_else(|| self.group(name))
            .or_else(|| self.named(Kind::Device, name))
    }

    fn named(&self, kind: Kind, name: &str) -> Option<String> {
        let mut objects = self.state.store.all(kind);
        let object = objects.find(|object| object["displayName"] == name)?;
        Some(object.get("id")?.as_str()?.to_owned())
    }
}

/// Sets the properties of a group that follow from its type and rule.
fn set_type(object: &mut Object, group: &Group, domain: &str) {
    let mut types: Vec<&str> = Vec::new();
    if group.group_type == GroupType::Microsoft365 {
        types.push("Unified");
        object.insert("visibility".to_owned(), "Private".into());
    }
    if let Some(rule) = &group.membership_rule {
        types.push("DynamicMembership");
        object.insert("membershipRule".to_owned(), rule.clone().into());
        object.insert("membershipRuleProcessingState".to_owned(), "On".into());
    }
    object.insert("groupTypes".to_owned(), types.into());
    let security = matches!(
        group.group_type,
        GroupType::Security | GroupType::MailEnabledSecurity
    );
    object.insert("securityEnabled".to_owned(), security.into());
    if group.group_type != GroupType::Security {
        let nickname = object["mailNickname"].as_str().unwrap_or_default();
        let mail = format!("{}@{domain}", nickname.to_ascii_lowercase());
        object.insert("mailEnabled".to_owned(), true.into());
        object.insert("proxyAddresses".to_owned(), json!([format!("SMTP:{mail}")]));
        object.insert("mail".to_owned(), mail.into());
    }
}

/// A fault of an object whose name or id another one has.
fn taken(place: &str, number: usize, property: &str, conflict: &Conflict) -> Problem {
    problem!([place, number, property], "{conflict}")
}

const DAY: Duration = Duration::from_secs(24 * 3600);
