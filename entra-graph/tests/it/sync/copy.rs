//! A copy that is made of nothing but the changes, and fails on any that is doubled or out of order.

use std::collections::{BTreeMap, BTreeSet};

use entra_graph::{
    GraphClient,
    sync::{DirectorySync, ObjectKind, Step, SyncChange, SyncError, SyncNote, SyncStore},
};
use serde_json::Value;

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Copy {
    pub(crate) objects: BTreeMap<(ObjectKind, String), Value>,
    pub(crate) members: BTreeSet<(String, String)>,
    pub(crate) transitive: BTreeSet<(String, String)>,
}

impl Copy {
    pub(crate) fn apply(&mut self, changes: &[SyncChange]) {
        for change in changes {
            match change {
                SyncChange::Upsert(object) => {
                    let key = (object.kind(), object.id().to_owned());
                    let json = object.to_json().unwrap();
                    let before = self.objects.insert(key.clone(), json.clone());
                    assert_ne!(before, Some(json), "{key:?} was handed out twice");
                }
                SyncChange::Removed { kind, id, .. } => {
                    let before = self.objects.remove(&(*kind, id.clone()));
                    assert!(before.is_some(), "{kind} {id} was not there");
                    let stays = |(group, member): &(String, String)| group != id && member != id;
                    self.members.retain(stays);
                    self.transitive.retain(stays);
                }
                SyncChange::MemberAdded { group, member, .. } => {
                    assert!(self.has(ObjectKind::Group, group), "no group {group}");
                    let link = (group.clone(), member.clone());
                    assert!(self.members.insert(link), "{member} twice in {group}");
                }
                SyncChange::MemberRemoved { group, member } => {
                    let link = (group.clone(), member.clone());
                    assert!(self.members.remove(&link), "{member} not in {group}");
                }
                SyncChange::TransitiveMemberAdded { group, member, .. } => {
                    assert!(self.has(ObjectKind::Group, group), "no group {group}");
                    let link = (group.clone(), member.clone());
                    assert!(self.transitive.insert(link), "{member} twice below {group}");
                }
                SyncChange::TransitiveMemberRemoved { group, member } => {
                    let link = (group.clone(), member.clone());
                    assert!(self.transitive.remove(&link), "{member} not below {group}");
                }
                _ => {}
            }
        }
    }

    /// Compares the transitive memberships with those that the tenant lists of the groups in the copy. A member counts
    /// if it is in the copy, or of a kind that is not copied.
    pub(crate) async fn assert_transitive(&self, graph: &GraphClient, context: &str) {
        let kinds: BTreeSet<ObjectKind> = self.objects.keys().map(|(kind, _)| *kind).collect();
        let mut expected = BTreeSet::new();
        for (kind, group) in self.objects.keys() {
            if *kind != ObjectKind::Group {
                continue;
            }
            let path = format!("/groups/{group}/transitiveMembers");
            let listed = graph.raw("GET", path).items::<Value>();
            for member in listed.try_collect::<Vec<_>>().await.unwrap() {
                let id = member["id"].as_str().unwrap();
                let kind = kind_of(&member).filter(|kind| kinds.contains(kind));
                if id != group && kind.is_none_or(|kind| self.has(kind, id)) {
                    expected.insert((group.clone(), id.to_owned()));
                }
            }
        }
        let missing: Vec<_> = expected.difference(&self.transitive).collect();
        let surplus: Vec<_> = self.transitive.difference(&expected).collect();
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "{context}: missing transitive members {missing:?}, surplus {surplus:?}"
        );
    }

    pub(crate) fn has(&self, kind: ObjectKind, id: &str) -> bool {
        self.objects.contains_key(&(kind, id.to_owned()))
    }

    pub(crate) fn count(&self, kind: ObjectKind) -> usize {
        self.objects
            .keys()
            .filter(|(known, _)| *known == kind)
            .count()
    }

    pub(crate) fn members_of(&self, group: &str) -> BTreeSet<&str> {
        let links = self.members.iter().filter(|(known, _)| known == group);
        links.map(|(_, member)| member.as_str()).collect()
    }

    /// Runs a sync to its end and applies what it hands out.
    pub(crate) async fn catch_up<S: SyncStore>(
        &mut self,
        sync: &mut DirectorySync,
        store: &mut S,
    ) -> Result<Vec<SyncNote>, SyncError> {
        let mut notes = Vec::new();
        while let Some(step) = sync.next(store).await? {
            notes.extend_from_slice(step.notes());
            self.commit(store, &step).await;
        }
        Ok(notes)
    }

    /// What a database does in one transaction.
    pub(crate) async fn commit<S: SyncStore>(&mut self, store: &mut S, step: &Step) {
        self.apply(step.changes());
        store.commit(step).await.unwrap();
    }

    /// The ids of the users and groups, and the memberships between them, as the tenant lists them.
    pub(crate) async fn of_tenant(
        graph: &GraphClient,
    ) -> (BTreeSet<(ObjectKind, String)>, BTreeSet<(String, String)>) {
        let users = graph.users().list().items().try_collect::<Vec<_>>();
        let users = users.await.unwrap();
        let groups = graph.groups().list().items().try_collect::<Vec<_>>();
        let groups = groups.await.unwrap();
        let ids = users
            .iter()
            .map(|user| (ObjectKind::User, user.id.clone()))
            .chain(
                groups
                    .iter()
                    .map(|group| (ObjectKind::Group, group.id.clone())),
            )
            .collect();
        let lists = groups
            .iter()
            .map(|group| graph.group(&group.id).members().list());
        let mut members = BTreeSet::new();
        for (group, list) in groups.iter().zip(graph.read_lists(lists).await) {
            for member in list.unwrap() {
                members.insert((group.id.clone(), member.id().to_owned()));
            }
        }
        (ids, members)
    }

    /// Compares all properties of a kind that any object of the copy has with a list of the tenant. Returns how many
    /// objects the tenant lists.
    pub(crate) async fn assert_properties(
        &self,
        graph: &GraphClient,
        kind: ObjectKind,
        context: &str,
    ) -> usize {
        let set = match kind {
            ObjectKind::User => "users",
            ObjectKind::Group => "groups",
            ObjectKind::Device => "devices",
            _ => "servicePrincipals",
        };
        let own = self.objects.iter().filter(|((known, _), _)| *known == kind);
        let own: BTreeMap<&str, &Value> = own.map(|((_, id), json)| (id.as_str(), json)).collect();
        let names = own
            .values()
            .flat_map(|json| json.as_object().unwrap().keys());
        let names: BTreeSet<&str> = names
            .map(String::as_str)
            .filter(|name| !name.contains('@'))
            .chain(["id"])
            .collect();
        let select = names.iter().copied().collect::<Vec<_>>().join(",");
        let listed = graph.raw("GET", format!("/{set}?$select={select}"));
        let listed = listed.items::<Value>().try_collect::<Vec<_>>();
        let listed = listed.await.unwrap();
        for object in &listed {
            let Some(own) = own.get(object["id"].as_str().unwrap()) else {
                continue;
            };
            for name in &names {
                // A delta query leaves out what was never set, also an empty list.
                let is_empty = object[name].as_array().is_some_and(Vec::is_empty);
                if !(is_empty && own[name].is_null()) {
                    assert_eq!(own[name], object[name], "{context}: {name} of {object}");
                }
            }
        }
        listed.len()
    }

    /// Compares the app role assignments with the lists of the tenant.
    pub(crate) async fn assert_assignments(&self, graph: &GraphClient, context: &str) {
        const NAMES: [&str; 4] = ["id", "principalId", "resourceId", "appRoleId"];
        let values = |json: &Value| NAMES.map(|name| json[name].as_str().unwrap().to_owned());
        let own = self.objects.iter();
        let own = own.filter(|((kind, _), _)| *kind == ObjectKind::AppRoleAssignment);
        let own: BTreeSet<_> = own.map(|(_, json)| values(json)).collect();
        let mut listed = BTreeSet::new();
        for (kind, id) in self.objects.keys() {
            if *kind == ObjectKind::ServicePrincipal {
                let path = format!("/servicePrincipals/{id}/appRoleAssignedTo");
                let items = graph.raw("GET", path).items::<Value>();
                let items = items.try_collect::<Vec<_>>().await.unwrap();
                listed.extend(items.iter().map(values));
            }
        }
        let missing: Vec<_> = listed.difference(&own).collect();
        let surplus: Vec<_> = own.difference(&listed).collect();
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "{context}: missing assignments {missing:?}, surplus {surplus:?}"
        );
    }

    /// Compares users, groups and memberships with the tenant.
    pub(crate) async fn assert_equals_tenant(&self, graph: &GraphClient, context: &str) {
        let (ids, members) = Self::of_tenant(graph).await;
        let kinds = [ObjectKind::User, ObjectKind::Group];
        let own = self.objects.keys().filter(|(kind, _)| kinds.contains(kind));
        let own: BTreeSet<_> = own.cloned().collect();
        let missing: Vec<_> = ids.difference(&own).collect();
        let surplus: Vec<_> = own.difference(&ids).collect();
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "{context}: missing {missing:?}, surplus {surplus:?}"
        );
        let missing: Vec<_> = members.difference(&self.members).collect();
        let surplus: Vec<_> = self.members.difference(&members).collect();
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "{context}: missing members {missing:?}, surplus members {surplus:?}"
        );
    }
}

/// The kind of a listed member.
fn kind_of(member: &Value) -> Option<ObjectKind> {
    match member["@odata.type"].as_str()? {
        "#microsoft.graph.user" => Some(ObjectKind::User),
        "#microsoft.graph.group" => Some(ObjectKind::Group),
        "#microsoft.graph.device" => Some(ObjectKind::Device),
        "#microsoft.graph.servicePrincipal" => Some(ObjectKind::ServicePrincipal),
        _ => None,
    }
}
