//! Organizational contacts: `/contacts`.

use super::{membership::MemberPlace, users::count_reports};
use crate::{
    client::GraphClient,
    key::Key,
    objects::{DirectoryObject, OrgContact},
    operation::{Operation, operations},
    place::{Collection, Object, places, singles},
    request::{Request, Target},
};

operations! {
    LIST = "orgcontact-list" GET "/contacts" => Collection("orgContact"),
        both ["OrgContact.Read.All", "Directory.Read.All"];
    COUNT = "orgcontact-list-count" GET "/contacts/$count" => Value,
        both ["OrgContact.Read.All", "Directory.Read.All"];
    DELTA = "orgcontact-delta" GET "/contacts/delta" => Collection("orgContact"),
        both ["OrgContact.Read.All", "Directory.Read.All"];
    GET = "orgcontact-get" GET "/contacts/{id}" => Object("orgContact"),
        both ["OrgContact.Read.All", "Directory.Read.All"];
    GET_MANAGER = "orgcontact-get-manager" GET "/contacts/{id}/manager" => Object("directoryObject"),
        both ["OrgContact.Read.All", "Group.Read.All", "Directory.Read.All"];
    COUNT_REPORTS = "orgcontact-get-transitivereports" GET "/contacts/{id}/transitiveReports/$count" => Value,
        both ["OrgContact.Read.All", "Directory.Read.All"];
    LIST_DIRECT_REPORTS = "orgcontact-list-directreports" GET "/contacts/{id}/directReports" => Collection("directoryObject"),
        both ["OrgContact.Read.All", "Group.Read.All", "Directory.Read.All"];
    LIST_MEMBER_OF = "orgcontact-list-memberof" GET "/contacts/{id}/memberOf" => Collection("directoryObject"),
        both ["OrgContact.Read.All", "Group.Read.All", "Directory.Read.All"];
    LIST_TRANSITIVE_MEMBER_OF = "orgcontact-list-transitivememberof" GET "/contacts/{id}/transitiveMemberOf" => Collection("directoryObject"),
        both ["OrgContact.Read.All", "Group.Read.All", "Directory.Read.All"];
    CHECK_MEMBER_GROUPS = "orgcontact-checkmembergroups" POST(Safe) "/contacts/{id}/checkMemberGroups" => Value,
        both ["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"];
    CHECK_MEMBER_OBJECTS = "orgcontact-checkmemberobjects" POST(Safe) "/contacts/{id}/checkMemberObjects" => Value,
        both ["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"];
    GET_MEMBER_GROUPS = "orgcontact-getmembergroups" POST(Safe) "/contacts/{id}/getMemberGroups" => Value,
        both ["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"];
    GET_MEMBER_OBJECTS = "orgcontact-getmemberobjects" POST(Safe) "/contacts/{id}/getMemberObjects" => Value,
        both ["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"];
}

places! {
    /// `/contacts`.
    OrgContacts: OrgContact { list LIST, count COUNT, delta DELTA }
    /// `/contacts/{id}/directReports`.
    OrgContactDirectReports: DirectoryObject { list LIST_DIRECT_REPORTS }
    /// `/contacts/{id}/memberOf`.
    OrgContactMemberOf: DirectoryObject { list LIST_MEMBER_OF }
    /// `/contacts/{id}/transitiveMemberOf`.
    OrgContactTransitiveMemberOf: DirectoryObject { list LIST_TRANSITIVE_MEMBER_OF }
}

singles! {
    /// `/contacts/{id}`.
    OneOrgContact: OrgContact { get GET }
    /// `/contacts/{id}/manager`.
    OrgContactManager: DirectoryObject { get GET_MANAGER }
}

impl MemberPlace for OneOrgContact {
    const CHECK_GROUPS: &'static Operation = &CHECK_MEMBER_GROUPS;
    const GET_GROUPS: &'static Operation = &GET_MEMBER_GROUPS;
    const CHECK_OBJECTS: &'static Operation = &CHECK_MEMBER_OBJECTS;
    const GET_OBJECTS: &'static Operation = &GET_MEMBER_OBJECTS;
}

impl GraphClient {
    /// All organizational contacts:
    /// [`GET /contacts`](https://learn.microsoft.com/graph/api/orgcontact-list).
    ///
    /// Needs `OrgContact.Read.All`. Graph does not write contacts. They can be members of groups, where they are
    /// [`DirectoryObject`]s to [`downcast`](DirectoryObject::downcast).
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient) -> Result<(), entra_graph::Error> {
    /// use entra_graph::OrgContact;
    /// let partners = graph.contacts().list()
    ///     .filter(OrgContact::COMPANY_NAME.eq("Fabrikam"))
    ///     .items().try_collect::<Vec<_>>().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn contacts(&self) -> Collection<OrgContacts> {
        Collection::new(Target::root(self).join(&["contacts"]))
    }

    /// One organizational contact, by object id:
    /// [`GET /contacts/{id}`](https://learn.microsoft.com/graph/api/orgcontact-get).
    ///
    /// Needs `OrgContact.Read.All`.
    #[must_use]
    pub fn contact(&self, id: impl Into<Key>) -> Object<OneOrgContact> {
        Object::new(Target::root(self).key("contacts", &id.into()))
    }
}

impl Object<OneOrgContact> {
    /// The manager: [`GET /contacts/{id}/manager`](https://learn.microsoft.com/graph/api/orgcontact-get-manager).
    /// `get_opt` returns `None` if the contact has none.
    ///
    /// Needs `OrgContact.Read.All`.
    #[must_use]
    pub fn manager(&self) -> Object<OrgContactManager> {
        self.single("manager")
    }

    /// Users and contacts whose manager the contact is:
    /// [`GET /contacts/{id}/directReports`](https://learn.microsoft.com/graph/api/orgcontact-list-directreports).
    ///
    /// Needs `OrgContact.Read.All`.
    #[must_use]
    pub fn direct_reports(&self) -> Collection<OrgContactDirectReports> {
        self.collection("directReports")
    }

    /// A request for the number of users and contacts below the contact, on any level:
    /// [`GET /contacts/{id}/transitiveReports/$count`](https://learn.microsoft.com/graph/api/orgcontact-get-transitivereports).
    ///
    /// Needs `OrgContact.Read.All`.
    pub fn transitive_reports_count(&self) -> Request<u64> {
        count_reports(self, &COUNT_REPORTS)
    }

    /// Groups that the contact is a direct member of:
    /// [`GET /contacts/{id}/memberOf`](https://learn.microsoft.com/graph/api/orgcontact-list-memberof).
    ///
    /// Needs `OrgContact.Read.All`.
    /// Groups with hidden membership are left out silently without `Member.Read.Hidden`.
    #[must_use]
    pub fn member_of(&self) -> Collection<OrgContactMemberOf> {
        self.collection("memberOf")
    }

    /// Groups that the contact is a member of, directly or through other groups:
    /// [`GET /contacts/{id}/transitiveMemberOf`](https://learn.microsoft.com/graph/api/orgcontact-list-transitivememberof).
    ///
    /// Needs `OrgContact.Read.All`.
    /// Groups with hidden membership are left out silently without `Member.Read.Hidden`.
    #[must_use]
    pub fn transitive_member_of(&self) -> Collection<OrgContactTransitiveMemberOf> {
        self.collection("transitiveMemberOf")
    }
}
