//! The lines of a state file.
//!
//! Each line is an object with the parts that it changes: `objects`, `links`, `deleted`, `photos`, `grants` and
//! `settings`. A part without a value no longer exists. Lines only replace parts, so a line can be read twice.

use std::collections::{BTreeMap, HashMap};

use entra_core::{Guid, Timestamp, time};
use serde_json::{Map, Value, json};

use super::{Loaded, Recipe, Setting};
use crate::{
    grants::{GrantStore, Policy, StoredEntries},
    keys::KeyRing,
    notifications::NotificationOptions,
    oddities::DeltaOddities,
    publisher,
    random::Random,
    seed::{Company, Scenario, Seed},
    standalone::{control::duration, demo_app::DemoApp},
    state::{License, ResourceRule, State},
    store::{Kind, Relation, Store, StoredParts},
};

/// Everything that the lines of a file say.
#[derive(Default)]
pub(super) struct Content {
    objects: HashMap<(Kind, String), (u64, Value)>,
    links: Vec<Option<Link>>,
    /// The places of the links in the list.
    places: HashMap<Link, usize>,
    deleted: BTreeMap<u64, Value>,
    photos: BTreeMap<String, Value>,
    grants: Vec<Grants>,
    settings: Value,
}

/// One map of issued grants: the values in the order in which they were first stored.
#[derive(Default)]
struct Grants {
    values: HashMap<String, (u64, Value)>,
    next: u64,
}

type Link = (Relation, String, String);

/// Returns the lines of a whole tenant.
pub(super) fn whole(state: &mut State, settings: &Value) -> Vec<Value> {
    let parts = state.store.store_all();
    let mut lines = vec![json!({ "settings": settings })];
    lines.extend(lines_of(parts));
    let grants = all_grants(&mut state.grants);
    lines.push(json!({ "grants": grants }));
    lines
}

/// Returns the line of everything that has changed, or `None` if nothing has.
pub(super) fn changes(state: &mut State, settings: Option<&Value>) -> Option<Value> {
    let parts = state.store.store_changes();
    let mut line = Map::new();
    if !parts.is_empty() {
        line = members(&parts);
    }
    let grants = changed_grants(&mut state.grants);
    if grants.iter().any(|entries| entries != &json!([])) {
        line.insert("grants".to_owned(), grants.into());
    }
    if let Some(settings) = settings {
        line.insert("settings".to_owned(), settings.clone());
    }
    (!line.is_empty()).then_some(Value::Object(line))
}

/// Splits a whole store into lines of a moderate length.
fn lines_of(mut parts: StoredParts) -> Vec<Value> {
    let mut lines = Vec::new();
    let mut objects = std::mem::take(&mut parts.objects).into_iter().peekable();
    while objects.peek().is_some() {
        let part = StoredParts {
            objects: objects.by_ref().take(IN_LINE).collect(),
            ..StoredParts::default()
        };
        lines.push(Value::Object(members(&part)));
    }
    let mut links = std::mem::take(&mut parts.links).into_iter().peekable();
    while links.peek().is_some() {
        let part = StoredParts {
            links: links.by_ref().take(IN_LINE).collect(),
            ..StoredParts::default()
        };
        lines.push(Value::Object(members(&part)));
    }
    if !parts.is_empty() {
        lines.push(Value::Object(members(&parts)));
    }
    lines
}

fn members(parts: &StoredParts) -> Map<String, Value> {
    let mut line = Map::new();
    let mut add = |name: &str, items: Vec<Value>| {
        if !items.is_empty() {
            line.insert(name.to_owned(), items.into());
        }
    };
    let objects = parts.objects.iter().map(|(kind, id, stored)| match stored {
        Some((serial, object)) => json!([kind.key(), id, serial, object]),
        None => json!([kind.key(), id]),
    });
    add("objects", objects.collect());
    let links = parts
        .links
        .iter()
        .map(|(relation, from, to, exists)| json!([relation.name(), from, to, exists]));
    add("links", links.collect());
    add(
        "deleted",
        parts
            .deleted
            .iter()
            .map(|(serial, item)| json!([serial, item]))
            .collect(),
    );
    add(
        "photos",
        parts
            .photos
            .iter()
            .map(|(id, photo)| json!([id, photo]))
            .collect(),
    );
    line
}

impl Content {
    /// Applies a line. Returns `None` if it is not a line of this version.
    pub(super) fn apply(&mut self, mut line: Value) -> Option<()> {
        let mut take = |name: &str| line.get_mut(name).map(Value::take);
        if let Some(settings) = take("settings") {
            self.settings = settings;
        }
        let items = |value: Option<Value>| match value {
            Some(Value::Array(items)) => Some(items),
            Some(_) => None,
            None => Some(Vec::new()),
        };
        for mut item in items(take("objects"))? {
            let key = (
                Kind::of_key(item[0].as_str()?)?,
                item[1].as_str()?.to_owned(),
            );
            match item.get_mut(3).map(Value::take) {
                Some(object) => self.objects.insert(key, (item[2].as_u64()?, object)),
                None => self.objects.remove(&key),
            };
        }
        for item in items(take("links"))? {
            let text = |at: usize| item[at].as_str().map(str::to_owned);
            let link = (Relation::of_name(item[0].as_str()?)?, text(1)?, text(2)?);
            if let Some(place) = self.places.remove(&link) {
                self.links[place] = None;
            }
            if item[3].as_bool()? {
                self.places.insert(link.clone(), self.links.len());
                self.links.push(Some(link));
            }
        }
        for mut item in items(take("deleted"))? {
            let serial = item[0].as_u64()?;
            match item[1].take() {
                Value::Null => self.deleted.remove(&serial),
                value => self.deleted.insert(serial, value),
            };
        }
        for mut item in items(take("photos"))? {
            let id = item[0].as_str()?.to_owned();
            match item[1].take() {
                Value::Null => self.photos.remove(&id),
                value => self.photos.insert(id, value),
            };
        }
        for (number, entries) in items(take("grants"))?.into_iter().enumerate() {
            if self.grants.len() <= number {
                self.grants.push(Grants::default());
            }
            let Grants { values, next } = &mut self.grants[number];
            for mut entry in items(Some(entries))? {
                let key = entry[0].as_str()?.to_owned();
                match entry[1].take() {
                    Value::Null => {
                        values.remove(&key);
                    }
                    value => {
                        let order = values.get(&key).map_or(*next, |(order, _)| *order);
                        values.insert(key, (order, value));
                        *next += 1;
                    }
                }
            }
        }
        Some(())
    }

    fn parts(
        objects: HashMap<(Kind, String), (u64, Value)>,
        links: Vec<Option<Link>>,
        deleted: BTreeMap<u64, Value>,
        photos: BTreeMap<String, Value>,
    ) -> StoredParts {
        let objects = objects.into_iter();
        let mut objects: Vec<_> = objects
            .map(|((kind, id), stored)| (kind, id, Some(stored)))
            .collect();
        objects.sort_by_key(|(_, _, stored)| stored.as_ref().map(|(serial, _)| *serial));
        let links = links.into_iter().flatten();
        StoredParts {
            objects,
            links: links
                .map(|(relation, from, to)| (relation, from, to, true))
                .collect(),
            deleted: deleted
                .into_iter()
                .map(|(serial, item)| (serial, Some(item)))
                .collect(),
            photos: photos
                .into_iter()
                .map(|(id, photo)| (id, Some(photo)))
                .collect(),
        }
    }

    /// The lines of a file with the same content.
    pub(super) fn into_lines(self) -> Vec<Value> {
        let mut lines = vec![json!({ "settings": self.settings })];
        lines.extend(lines_of(Self::parts(
            self.objects,
            self.links,
            self.deleted,
            self.photos,
        )));
        let grants: Vec<StoredEntries> =
            self.grants.into_iter().map(Grants::into_entries).collect();
        lines.push(json!({ "grants": grants }));
        lines
    }

    /// The tenant. Returns `None` if parts are missing or contradict each other.
    pub(super) fn into_tenant(self) -> Option<Loaded> {
        let settings = self.settings;
        let mut state = state_of(&settings)?;
        let parts = Self::parts(self.objects, self.links, self.deleted, self.photos);
        state.store = Store::of_parts(parts)?;
        let capacity = settings["logCapacity"].as_u64()?;
        state
            .store
            .set_log_capacity(usize::try_from(capacity).ok()?);
        state.update_domains();
        state.enforce_recorded_policies();
        publisher::start_again(&mut state);
        state.relearn_written();
        let mut grants = self.grants.into_iter().map(Grants::into_entries);
        let mut next = || grants.next().unwrap_or_default();
        state.grants.codes.load(next())?;
        state.grants.refresh_tokens.load(next())?;
        state.grants.devices.load(next())?;
        state.grants.sessions.load(next())?;
        state.grants.flows.load(next())?;
        state.grants.attempts.load(next())?;
        let text = |name: &str| settings["app"][name].as_str().map(str::to_owned);
        Some(Loaded {
            recipe: recipe_of(&settings["recipe"])?,
            app: DemoApp {
                app_id: text("appId")?,
                secret: text("secret")?.into(),
                user: text("user")?,
                password: text("password")?.into(),
                group: text("group")?,
            },
            clock: Setting {
                difference: time::Duration::nanoseconds(settings["clock"]["difference"].as_i64()?),
                frozen: match settings["clock"]["frozen"].as_str() {
                    Some(frozen) => Some(timestamp(frozen)?),
                    None => None,
                },
            },
            starts: settings["starts"].as_u64()?,
            state,
        })
    }
}

impl Grants {
    fn into_entries(self) -> StoredEntries {
        let mut values: Vec<_> = self.values.into_iter().collect();
        values.sort_by_key(|(_, (order, _))| *order);
        values
            .into_iter()
            .map(|(key, (_, value))| (key, Some(value)))
            .collect()
    }
}

fn all_grants(grants: &mut GrantStore) -> Vec<Value> {
    let parts = [
        grants.codes.store_all(),
        grants.refresh_tokens.store_all(),
        grants.devices.store_all(),
        grants.sessions.store_all(),
        grants.flows.store_all(),
        grants.attempts.store_all(),
    ];
    parts.iter().map(|entries| json!(entries)).collect()
}

fn changed_grants(grants: &mut GrantStore) -> Vec<Value> {
    let parts = [
        grants.codes.store_changes(),
        grants.refresh_tokens.store_changes(),
        grants.devices.store_changes(),
        grants.sessions.store_changes(),
        grants.flows.store_changes(),
        grants.attempts.store_changes(),
    ];
    parts.iter().map(|entries| json!(entries)).collect()
}

/// Everything of a tenant that is neither an object nor a grant.
pub(super) fn settings(
    state: &State,
    recipe: &Recipe,
    app: &DemoApp,
    clock: Setting,
    starts: u64,
) -> Value {
    let (published, signing) = state.keys.positions();
    let oddities = state.delta_oddities;
    json!({
        "version": VERSION,
        "tenantId": state.tenant_id.to_string(),
        "tenantName": state.tenant_name,
        "license": license_name(state.license),
        "resourceRule": rule_name(state.resource_rule),
        "plainCasts": state.plain_casts,
        "quotas": state.enforces_quotas(),
        "logCapacity": state.store.log_capacity(),
        "region": state.region,
        "tokenLifetime": duration::text(state.token_lifetime),
        "replicationDelay": duration::text(state.replication_delay),
        "unpublishedRecords": state.unpublished_records,
        "policies": state.policies,
        "keys": { "published": published, "signing": signing },
        "issuers": state.issuers,
        "identities": state.identities,
        "identityHeader": state.identity_header,
        "deltaOddities": [
            oddities.repeated_items, oddities.shuffled_items, oddities.changes_during_round,
            oddities.never_ending_members, oddities.purged_members_silent,
            oddities.removed_members_in_first_round, oddities.removed_users_in_first_round,
            oddities.deletions_silent, oddities.select_star_shrinks, oddities.resync_without_location,
            oddities.restored_memberships_silent, oddities.never_ending_empty_pages,
        ],
        "deltaDelay": duration::text(oddities.delay),
        "deltaEpoch": state.delta_epoch,
        "recipe": {
            "seed": match recipe.seed {
                Seed::Empty => "empty",
                Seed::Enterprise => "enterprise",
                Seed::Contoso => "contoso",
            },
            "scenario": recipe.scenario.as_ref().map(Scenario::text),
            "name": recipe.company.name, "domain": recipe.company.domain, "users": recipe.users,
            "randomSeed": recipe.random_seed, "license": license_name(recipe.license),
            "quotas": recipe.enforce_quotas, "resourceRule": rule_name(recipe.resource_rule), "plainCasts": recipe.plain_casts, "logCapacity": recipe.log_capacity,
            "madeAt": nanoseconds(recipe.made_at),
        },
        "app": {
            "appId": app.app_id, "secret": app.secret.expose_secret(), "user": app.user,
            "password": app.password.expose_secret(), "group": app.group,
        },
        "clock": {
            "difference": i64::try_from(clock.difference.whole_nanoseconds()).unwrap_or(0),
            "frozen": clock.frozen.map(nanoseconds),
        },
        "starts": starts,
    })
}

/// The tenant of these settings, without objects.
fn state_of(settings: &Value) -> Option<State> {
    if settings["version"] != VERSION {
        return None;
    }
    let text = |name: &str| settings[name].as_str();
    let read = |name: &str| settings.get(name).cloned();
    let random_seed = settings["recipe"]["randomSeed"].as_u64()?;
    let mut state = State::new(text("tenantName")?, &[], License::Free, random_seed);
    state.tenant_id = text("tenantId")?.parse::<Guid>().ok()?;
    // New random values must differ from those before.
    let starts = settings["starts"].as_u64()?;
    state.random = Random::new(
        (random_seed ^ 0x5eed_f11e)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .wrapping_add(starts + 1),
    );
    state.license = license_of(text("license")?)?;
    state.resource_rule = rule_of(text("resourceRule")?)?;
    // A file of an earlier version does not have it.
    state.plain_casts = settings["plainCasts"] == true;
    state.enforce_quotas(settings["quotas"].as_bool()?);
    state.region = serde_json::from_value(read("region")?).ok()?;
    state.token_lifetime = duration::parse(text("tokenLifetime")?)?;
    state.replication_delay = duration::parse(text("replicationDelay")?)?;
    state.unpublished_records = serde_json::from_value(read("unpublishedRecords")?).ok()?;
    state.policies = serde_json::from_value::<Vec<Policy>>(read("policies")?).ok()?;
    let published = serde_json::from_value(settings["keys"]["published"].clone()).ok()?;
    let signing = usize::try_from(settings["keys"]["signing"].as_u64()?).ok()?;
    state.keys = KeyRing::at(published, signing);
    state.issuers = serde_json::from_value(read("issuers")?).ok()?;
    state.identities = serde_json::from_value(read("identities")?).ok()?;
    state.identity_header = text("identityHeader")?.to_owned();
    // A file of an earlier version has fewer.
    let flags: Vec<bool> = serde_json::from_value(read("deltaOddities")?).ok()?;
    let flag = |at: usize| flags.get(at).copied().unwrap_or_default();
    state.delta_oddities = DeltaOddities {
        repeated_items: flag(0),
        shuffled_items: flag(1),
        changes_during_round: flag(2),
        never_ending_members: flag(3),
        purged_members_silent: flag(4),
        removed_members_in_first_round: flag(5),
        removed_users_in_first_round: flag(6),
        deletions_silent: flag(7),
        select_star_shrinks: flag(8),
        resync_without_location: flag(9),
        restored_memberships_silent: flag(10),
        never_ending_empty_pages: flag(11),
        delay: duration::parse(text("deltaDelay")?)?,
    };
    // The log of changes is not stored, so earlier delta links must start again.
    state.delta_epoch = settings["deltaEpoch"].as_u64()? + 1;
    Some(state)
}

fn recipe_of(recipe: &Value) -> Option<Recipe> {
    let text = |name: &str| recipe[name].as_str();
    Some(Recipe {
        seed: match text("seed")? {
            "empty" => Seed::Empty,
            "enterprise" => Seed::Enterprise,
            _ => Seed::Contoso,
        },
        scenario: match text("scenario") {
            Some(text) => Some(Scenario::from_yaml(text).ok()?),
            None => None,
        },
        // The options of the server that loads the file.
        notification_options: NotificationOptions::documented(),
        company: Company {
            name: text("name")?.to_owned(),
            domain: text("domain")?.to_owned(),
        },
        users: usize::try_from(recipe["users"].as_u64()?).ok()?,
        random_seed: recipe["randomSeed"].as_u64()?,
        license: license_of(text("license")?)?,
        enforce_quotas: recipe["quotas"].as_bool()?,
        resource_rule: rule_of(text("resourceRule")?)?,
        plain_casts: recipe["plainCasts"] == true,
        log_capacity: usize::try_from(recipe["logCapacity"].as_u64()?).ok()?,
        journal_bodies: false,
        made_at: timestamp(text("madeAt")?)?,
    })
}

const fn license_name(license: License) -> &'static str {
    match license {
        License::Free => "free",
        License::P1 => "p1",
        License::P2 => "p2",
    }
}

fn license_of(name: &str) -> Option<License> {
    [License::Free, License::P1, License::P2]
        .into_iter()
        .find(|license| license_name(*license) == name)
}

const fn rule_name(rule: ResourceRule) -> &'static str {
    match rule {
        ResourceRule::ApplicationIdUri => "applicationIdUri",
        ResourceRule::Rejected => "rejected",
        ResourceRule::Ignored => "ignored",
    }
}

fn rule_of(name: &str) -> Option<ResourceRule> {
    [
        ResourceRule::ApplicationIdUri,
        ResourceRule::Rejected,
        ResourceRule::Ignored,
    ]
    .into_iter()
    .find(|rule| rule_name(*rule) == name)
}

/// The nanoseconds since 1970 as a text: JSON numbers are too small for them.
fn nanoseconds(time: Timestamp) -> String {
    time.unix_timestamp_nanos().to_string()
}

fn timestamp(nanoseconds: &str) -> Option<Timestamp> {
    Timestamp::from_unix_timestamp_nanos(nanoseconds.parse().ok()?).ok()
}

const VERSION: u64 = 1;
/// The objects or links in one line.
const IN_LINE: usize = 1_000;
