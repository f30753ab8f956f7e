//! Users and their accounts: `/users` and `/me`.

mod actions;
mod new;

pub use new::NewUser;

use crate::{
    areas::app_role_assignments::{AssignmentPlace, NewAppRoleAssignment},
    client::GraphClient,
    key::Key,
    objects::{AppRoleAssignment, DirectoryObject, LicenseDetails, OAuth2PermissionGrant, User},
    operation::{Operation, operations},
    place::{Collection, Object, Single, places, singles},
    request::{Request, Target, as_text, read_number},
};

// Least privileged first, from the documented permission tables. Reads name reading permissions only: the
// area's own family before others, narrow ones before Directory.Read.All, which reads everything. Rows whose
// documentation names a lesser permission that hides most properties (User.ReadBasic.All) leave it out, as it
// would not return what the caller requested. Users read themselves with User.Read, but not the rest of the
// tenant, so it is named for one user and not for lists.
operations! {
    LIST = "user-list" GET "/users" => Collection("user"),
        both ["User.Read.All", "Directory.Read.All"];
    COUNT = "user-list-count" GET "/users/$count" => Value,
        both ["User.Read.All", "Directory.Read.All"];
    CREATE = "user-post-users" POST "/users" => Object("user"),
        both ["User.ReadWrite.All", "Directory.ReadWrite.All"],
        property [
            "employeeLeaveDateTime" => CREATE_WITH_LEAVE_DATE,
            "customSecurityAttributes" => CREATE_WITH_SECURITY_ATTRIBUTES,
        ];
    CREATE_WITH_LEAVE_DATE = "user-post-users-employeeleavedatetime" POST "/users" => Object("user"),
        both ["User.ReadWrite.All", "Directory.ReadWrite.All"], with ["User-LifeCycleInfo.ReadWrite.All"];
    CREATE_WITH_SECURITY_ATTRIBUTES = "user-post-users-customsecurityattributes" POST "/users" => Object("user"),
        both ["User.ReadWrite.All", "Directory.ReadWrite.All"], with ["CustomSecAttributeAssignment.ReadWrite.All"];
    DELTA = "user-delta" GET "/users/delta" => Collection("user"),
        both ["User.Read.All", "Directory.Read.All"];
    GET = "user-get" GET "/users/{id}" => Object("user"),
        delegated ["User.Read", "User.Read.All", "Directory.Read.All"],
        application ["User.Read.All", "Directory.Read.All"];
    UPDATE = "user-update" PATCH "/users/{id}" => Nothing,
        delegated ["User.ReadWrite", "User.ReadWrite.All", "Directory.ReadWrite.All"],
        application ["User.ReadWrite.All", "Directory.ReadWrite.All"],
        property [
            "passwordProfile" => RESET_PASSWORD,
            "employeeLeaveDateTime" => SET_LEAVE_DATE,
            "customSecurityAttributes" => ASSIGN_SECURITY_ATTRIBUTES,
        ];
    RESET_PASSWORD = "user-update-passwordprofile" PATCH "/users/{id}" => Nothing,
        both ["User-PasswordProfile.ReadWrite.All"];
    SET_LEAVE_DATE = "user-update-employeeleavedatetime" PATCH "/users/{id}" => Nothing,
        both ["User.ReadWrite.All", "Directory.ReadWrite.All"], with ["User-LifeCycleInfo.ReadWrite.All"];
    ASSIGN_SECURITY_ATTRIBUTES = "user-update-customsecurityattributes" PATCH "/users/{id}" => Nothing,
        both ["CustomSecAttributeAssignment.ReadWrite.All"], with ["User.Read.All", "Directory.Read.All"];
    DELETE = "user-delete" DELETE "/users/{id}" => Nothing,
        both ["User.DeleteRestore.All", "User.ReadWrite.All"];
    GET_MANAGER = "user-list-manager" GET "/users/{id}/manager" => Object("directoryObject"),
        both ["User.Read.All", "Directory.Read.All"];
    SET_MANAGER = "user-post-manager" PUT "/users/{id}/manager/$ref" => Nothing,
        both ["User.ReadWrite.All", "Directory.ReadWrite.All"];
    REMOVE_MANAGER = "user-delete-manager" DELETE "/users/{id}/manager/$ref" => Nothing,
        both ["User.ReadWrite.All", "Directory.ReadWrite.All"];
    LIST_DIRECT_REPORTS = "user-list-directreports" GET "/users/{id}/directReports" => Collection("directoryObject"),
        both ["User.Read.All", "Directory.Read.All"];
    COUNT_REPORTS = "user-get-transitivereports" GET "/users/{id}/transitiveReports/$count" => Value,
        delegated ["User.Read", "User.Read.All", "Directory.Read.All"],
        application ["User.Read.All", "Directory.Read.All"];
    LIST_SPONSORS = "user-list-sponsors" GET "/users/{id}/sponsors" => Collection("directoryObject"),
        delegated ["User.Read", "User.Read.All"], application ["User.Read.All"];
    ADD_SPONSOR = "user-post-sponsors" POST(Idempotent) "/users/{id}/sponsors/$ref" => Nothing,
        both ["User.ReadWrite.All", "Directory.ReadWrite.All"];
    REMOVE_SPONSOR = "user-delete-sponsors" DELETE "/users/{id}/sponsors/{id}/$ref" => Nothing,
        both ["User.ReadWrite.All", "Directory.ReadWrite.All"];
    LIST_SPONSOR_OF = "user-list-sponsorof" GET "/users/{id}/sponsorOf" => Collection("directoryObject"),
        delegated ["User.Read", "User.Read.All"], application ["User.Read.All"];
    LIST_MEMBER_OF = "user-list-memberof" GET "/users/{id}/memberOf" => Collection("directoryObject"),
        delegated ["User.Read", "GroupMember.Read.All", "Directory.Read.All"],
        application ["Directory.Read.All"];
    LIST_TRANSITIVE_MEMBER_OF = "user-list-transitivememberof" GET "/users/{id}/transitiveMemberOf" => Collection("directoryObject"),
        delegated ["User.Read", "GroupMember.Read.All", "Group.Read.All", "User.Read.All", "Directory.Read.All"],
        application ["User.Read.All", "GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"];
    LIST_APP_ROLE_ASSIGNMENTS = "user-list-approleassignments" GET "/users/{id}/appRoleAssignments" => Collection("appRoleAssignment"),
        both ["Directory.Read.All", "AppRoleAssignment.ReadWrite.All"];
    ASSIGN_APP_ROLE = "user-post-approleassignments" POST "/users/{id}/appRoleAssignments" => Object("appRoleAssignment"),
        both ["AppRoleAssignment.ReadWrite.All"];
    DELETE_APP_ROLE_ASSIGNMENT = "user-delete-approleassignments" DELETE "/users/{id}/appRoleAssignments/{id}" => Nothing,
        both ["AppRoleAssignment.ReadWrite.All"];
    LIST_PERMISSION_GRANTS = "user-list-oauth2permissiongrants" GET "/users/{id}/oauth2PermissionGrants" => Collection("oAuth2PermissionGrant"),
        both ["Directory.Read.All", "DelegatedPermissionGrant.ReadWrite.All"];
    LIST_LICENSE_DETAILS = "user-list-licensedetails" GET "/users/{id}/licenseDetails" => Collection("licenseDetails"),
        delegated ["LicenseAssignment.Read.All", "User.Read", "User.Read.All", "Directory.Read.All"],
        application ["LicenseAssignment.Read.All", "User.Read.All", "Directory.Read.All"];
    LIST_CREATED_OBJECTS = "user-list-createdobjects" GET "/users/{id}/createdObjects" => Collection("directoryObject"),
        delegated ["User.Read", "User.Read.All", "Directory.Read.All"],
        application ["User.Read.All", "Directory.Read.All"];
    LIST_OWNED_OBJECTS = "user-list-ownedobjects" GET "/users/{id}/ownedObjects" => Collection("directoryObject"),
        delegated ["User.Read", "User.Read.All", "Directory.Read.All"],
        application ["User.Read.All", "Directory.Read.All"];
    LIST_OWNED_DEVICES = "user-list-owneddevices" GET "/users/{id}/ownedDevices" => Collection("directoryObject"),
        delegated ["User.Read", "User.Read.All", "Directory.Read.All"],
        application ["User.Read.All", "Directory.Read.All"];
    LIST_REGISTERED_DEVICES = "user-list-registereddevices" GET "/users/{id}/registeredDevices" => Collection("directoryObject"),
        delegated ["User.Read", "User.Read.All", "Directory.Read.All"],
        application ["User.Read.All", "Directory.Read.All"];
    CHECK_MEMBER_GROUPS = "user-checkmembergroups" POST(Safe) "/users/{id}/checkMemberGroups" => Value,
        both ["GroupMember.Read.All", "User.Read.All", "Group.Read.All", "Directory.Read.All"];
    GET_MEMBER_GROUPS = "user-getmembergroups" POST(Safe) "/users/{id}/getMemberGroups" => Value,
        both ["GroupMember.Read.All", "User.Read.All", "Group.Read.All", "Directory.Read.All"];
    CHECK_MEMBER_OBJECTS = "user-checkmemberobjects" POST(Safe) "/users/{id}/checkMemberObjects" => Value,
        both ["GroupMember.Read.All", "User.Read.All", "Group.Read.All", "Directory.Read.All"];
    GET_MEMBER_OBJECTS = "user-getmemberobjects" POST(Safe) "/users/{id}/getMemberObjects" => Value,
        both ["GroupMember.Read.All", "User.Read.All", "Group.Read.All", "Directory.Read.All"];
    CHANGE_PASSWORD = "user-changepassword" POST "/me/changePassword" => Nothing,
        delegated ["User-PasswordProfile.ReadWrite.All", "Directory.AccessAsUser.All"], application [];
    ASSIGN_LICENSE = "user-assignlicense" POST "/users/{id}/assignLicense" => Object("user"),
        both ["LicenseAssignment.ReadWrite.All", "User.ReadWrite.All", "Directory.ReadWrite.All"];
    REPROCESS_LICENSES = "user-reprocesslicenseassignment" POST(Idempotent) "/users/{id}/reprocessLicenseAssignment" => Object("user"),
        both ["User.ReadWrite.All", "Directory.ReadWrite.All"];
    REVOKE_SESSIONS = "user-revokesigninsessions" POST(Idempotent) "/users/{id}/revokeSignInSessions" => Value,
        both ["User.RevokeSessions.All", "User.ReadWrite.All", "Directory.ReadWrite.All"];
    GET_PHOTO = "profilephoto-get" GET "/users/{id}/photo/$value" => Bytes,
        delegated ["ProfilePhoto.Read.All", "User.Read", "User.Read.All"],
        application ["ProfilePhoto.Read.All", "User.Read.All"];
    GET_PHOTO_METADATA = "profilephoto-get-metadata" GET "/users/{id}/photo" => Object("profilePhoto"),
        delegated ["ProfilePhoto.Read.All", "User.Read"],
        application ["ProfilePhoto.Read.All", "User.Read.All"];
    LIST_PHOTOS = "user-list-photos" GET "/users/{id}/photos" => Collection("profilePhoto"),
        delegated ["ProfilePhoto.Read.All", "User.Read"],
        application ["ProfilePhoto.Read.All", "User.Read.All"];
    GET_PHOTO_OF_SIZE = "profilephoto-get-size" GET "/users/{id}/photos/{id}/$value" => Bytes,
        delegated ["ProfilePhoto.Read.All", "User.Read"],
        application ["ProfilePhoto.Read.All", "User.Read.All"];
    SET_PHOTO = "profilephoto-update" PUT "/users/{id}/photo/$value" => Nothing,
        delegated ["ProfilePhoto.ReadWrite.All", "User.ReadWrite", "User.ReadWrite.All"],
        application ["ProfilePhoto.ReadWrite.All", "User.ReadWrite.All"];
    DELETE_PHOTO = "profilephoto-delete" DELETE "/users/{id}/photo/$value" => Nothing,
        delegated ["ProfilePhoto.ReadWrite.All", "User.ReadWrite", "User.ReadWrite.All"],
        application ["ProfilePhoto.ReadWrite.All", "User.ReadWrite.All"];
}

places! {
    /// `/users`.
    Users: User { list LIST, count COUNT, create(NewUser) CREATE read GET, delta DELTA }
    /// `/users/{id}/directReports`.
    DirectReports: DirectoryObject { list LIST_DIRECT_REPORTS }
    /// `/users/{id}/sponsors`.
    Sponsors: DirectoryObject { list LIST_SPONSORS, references(ADD_SPONSOR, REMOVE_SPONSOR) }
    /// `/users/{id}/sponsorOf`.
    SponsorOf: DirectoryObject { list LIST_SPONSOR_OF }
    /// `/users/{id}/memberOf`.
    UserMemberOf: DirectoryObject { list LIST_MEMBER_OF }
    /// `/users/{id}/transitiveMemberOf`.
    UserTransitiveMemberOf: DirectoryObject { list LIST_TRANSITIVE_MEMBER_OF }
    /// `/users/{id}/appRoleAssignments`.
    UserAppRoleAssignments: AppRoleAssignment { list LIST_APP_ROLE_ASSIGNMENTS, create(NewAppRoleAssignment) ASSIGN_APP_ROLE }
    /// `/users/{id}/oauth2PermissionGrants`.
    UserOAuth2PermissionGrants: OAuth2PermissionGrant { list LIST_PERMISSION_GRANTS }
    /// `/users/{id}/licenseDetails`.
    UserLicenseDetails: LicenseDetails { list LIST_LICENSE_DETAILS }
    /// `/users/{id}/createdObjects`.
    UserCreatedObjects: DirectoryObject { list LIST_CREATED_OBJECTS }
    /// `/users/{id}/ownedObjects`.
    OwnedObjects: DirectoryObject { list LIST_OWNED_OBJECTS }
    /// `/users/{id}/ownedDevices`.
    OwnedDevices: DirectoryObject { list LIST_OWNED_DEVICES }
    /// `/users/{id}/registeredDevices`.
    RegisteredDevices: DirectoryObject { list LIST_REGISTERED_DEVICES }
}

singles! {
    /// `/users/{id}`.
    OneUser: User { get GET, update UPDATE, delete DELETE }
    /// `/me`, the signed-in user.
    Me: User { get GET, update UPDATE }
    /// `/users/{id}/manager`.
    Manager: DirectoryObject { get GET_MANAGER, reference(SET_MANAGER, REMOVE_MANAGER) }
}

/// A place that is a user: `/users/{id}` or `/me`.
pub trait UserPlace: Single<Item = User> {}

impl AssignmentPlace for UserAppRoleAssignments {
    const DELETE: &'static Operation = &DELETE_APP_ROLE_ASSIGNMENT;
}

impl UserPlace for OneUser {}

impl UserPlace for Me {}

impl GraphClient {
    /// All users: [`GET /users`](https://learn.microsoft.com/graph/api/user-list).
    ///
    /// Needs `User.Read.All`; creating users needs `User.ReadWrite.All`, with a leave date also
    /// `User-LifeCycleInfo.ReadWrite.All`, with custom security attributes also
    /// `CustomSecAttributeAssignment.ReadWrite.All`.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use entra_graph::User;
    /// let active = graph.users().list()
    ///     .filter(User::ACCOUNT_ENABLED.eq(true))
    ///     .select((User::DISPLAY_NAME, User::USER_PRINCIPAL_NAME))
    ///     .items().try_collect::<Vec<_>>().await?;
    /// assert!(active.iter().all(|user| user.display_name.is_some()));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn users(&self) -> Collection<Users> {
        Collection::new(Target::root(self).join(&["users"]))
    }

    /// One user, by object id or user principal name:
    /// [`GET /users/{id}`](https://learn.microsoft.com/graph/api/user-get).
    ///
    /// Needs `User.Read.All`, or `User.Read` for the signed-in user; updating needs `User.ReadWrite.All`,
    /// to delete `User.DeleteRestore.All`. Users with an administrator role can be changed only by
    /// administrators of certain roles, whatever the permission.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// let adele = graph.user("adele@contoso.com").get().send().await?;
    /// assert_eq!(adele.user_principal_name.as_deref(), Some("adele@contoso.com"));
    /// assert!(graph.user("unknown@contoso.com").get_opt().await?.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn user(&self, id: impl Into<Key>) -> Object<OneUser> {
        Object::new(Target::root(self).key("users", &id.into()))
    }

    /// The signed-in user: [`GET /me`](https://learn.microsoft.com/graph/api/user-get).
    ///
    /// Needs the delegated permission `User.Read`; a token of the application itself has no signed-in user,
    /// and Graph returns an error.
    #[must_use]
    #[inline]
    pub fn me(&self) -> Object<Me> {
        let mut target = Target::root(self).join(&["me"]);
        target.by_id = true;
        Object::new(target)
    }
}

/// A request for the number of all reports below a user or contact. Graph counts in advanced queries alone.
#[inline]
pub(super) fn count_reports<P: Single>(
    object: &Object<P>,
    operation: &'static Operation,
) -> Request<u64> {
    let call = object
        .call(&["transitiveReports", "$count"], operation)
        .map(|call| {
            let mut call = as_text(call);
            call.advanced = true;
            call
        });
    Request::new(object.target().client.clone(), call, read_number)
}

impl<P: UserPlace> Object<P> {
    /// The manager: [`GET /users/{id}/manager`](https://learn.microsoft.com/graph/api/user-list-manager).
    /// `get_opt` returns `None` if the user has none.
    ///
    /// Needs `User.Read.All`; setting or removing needs `User.ReadWrite.All`.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient) -> Result<(), entra_graph::Error> {
    /// use entra_graph::Reference;
    /// graph.user("adele@contoso.com").manager().set(Reference::user("robin@contoso.com")).send().await?;
    /// graph.user("adele@contoso.com").manager().remove().send().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn manager(&self) -> Object<Manager> {
        self.single("manager")
    }

    /// The users whose manager this user is:
    /// [`GET /users/{id}/directReports`](https://learn.microsoft.com/graph/api/user-list-directreports).
    ///
    /// Needs `User.Read.All`.
    #[must_use]
    pub fn direct_reports(&self) -> Collection<DirectReports> {
        self.collection("directReports")
    }

    /// A request for the number of users and contacts below the user, on any level:
    /// [`GET /users/{id}/transitiveReports/$count`](https://learn.microsoft.com/graph/api/user-get-transitivereports).
    ///
    /// Needs `User.Read.All`, or `User.Read` for the signed-in user.
    #[inline]
    pub fn transitive_reports_count(&self) -> Request<u64> {
        count_reports(self, &COUNT_REPORTS)
    }

    /// The users and groups that are responsible for the user, mostly for a guest:
    /// [`GET /users/{id}/sponsors`](https://learn.microsoft.com/graph/api/user-list-sponsors).
    ///
    /// Needs `User.Read.All`, or `User.Read` for the signed-in user; adding and removing need `User.ReadWrite.All`.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient, guest: entra_core::ObjectId) -> Result<(), entra_graph::Error> {
    /// use entra_graph::Reference;
    /// graph.user(guest).sponsors().add(Reference::user("adele@contoso.com")).send().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    #[inline]
    pub fn sponsors(&self) -> Collection<Sponsors> {
        self.collection("sponsors")
    }

    /// The users whose sponsor this user is:
    /// [`GET /users/{id}/sponsorOf`](https://learn.microsoft.com/graph/api/user-list-sponsorof).
    ///
    /// Needs `User.Read.All`, or `User.Read` for the signed-in user.
    #[must_use]
    #[inline]
    pub fn sponsor_of(&self) -> Collection<SponsorOf> {
        self.collection("sponsorOf")
    }

    /// Groups, roles and administrative units that the user is a direct member of:
    /// [`GET /users/{id}/memberOf`](https://learn.microsoft.com/graph/api/user-list-memberof).
    ///
    /// Needs `Directory.Read.All`, or `User.Read` for the signed-in user. Groups with hidden membership are
    /// left out silently without `Member.Read.Hidden`.
    #[must_use]
    pub fn member_of(&self) -> Collection<UserMemberOf> {
        self.collection("memberOf")
    }

    /// Groups, roles and administrative units that the user is a direct member of or through other groups:
    /// [`GET /users/{id}/transitiveMemberOf`](https://learn.microsoft.com/graph/api/user-list-transitivememberof).
    ///
    /// Needs `User.Read.All`, or `User.Read` for the signed-in user. Groups with hidden membership are left
    /// out silently without `Member.Read.Hidden`.
    #[must_use]
    pub fn transitive_member_of(&self) -> Collection<UserTransitiveMemberOf> {
        self.collection("transitiveMemberOf")
    }

    /// Applications that the user is assigned to, directly or as a direct member of a group:
    /// [`GET /users/{id}/appRoleAssignments`](https://learn.microsoft.com/graph/api/user-list-approleassignments).
    ///
    /// Needs `Directory.Read.All`; assigning and deleting need `AppRoleAssignment.ReadWrite.All`.
    #[must_use]
    pub fn app_role_assignments(&self) -> Collection<UserAppRoleAssignments> {
        self.collection("appRoleAssignments")
    }

    /// Delegated permissions that applications have for this user alone, by the user's own consent or an
    /// administrator's: [`GET /users/{id}/oauth2PermissionGrants`](https://learn.microsoft.com/graph/api/user-list-oauth2permissiongrants).
    ///
    /// Needs `Directory.Read.All`. Grants for all users are in
    /// [`GraphClient::oauth2_permission_grants`].
    #[must_use]
    pub fn oauth2_permission_grants(&self) -> Collection<UserOAuth2PermissionGrants> {
        self.collection("oauth2PermissionGrants")
    }

    /// Licences that the user has, directly or through groups, with their service plans:
    /// [`GET /users/{id}/licenseDetails`](https://learn.microsoft.com/graph/api/user-list-licensedetails).
    ///
    /// Needs `LicenseAssignment.Read.All`, or `User.Read` for the signed-in user.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// let page = graph.user("adele@contoso.com").license_details().list().send().await?;
    /// for license in &page.items {
    ///     println!("{:?}", license.sku_part_number);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn license_details(&self) -> Collection<UserLicenseDetails> {
        self.collection("licenseDetails")
    }

    /// Groups and applications that the user created:
    /// [`GET /users/{id}/createdObjects`](https://learn.microsoft.com/graph/api/user-list-createdobjects). What an
    /// administrator creates is not among them.
    ///
    /// Needs `User.Read.All`, or `User.Read` for the signed-in user.
    #[must_use]
    pub fn created_objects(&self) -> Collection<UserCreatedObjects> {
        self.collection("createdObjects")
    }

    /// Objects that the user owns:
    /// [`GET /users/{id}/ownedObjects`](https://learn.microsoft.com/graph/api/user-list-ownedobjects).
    ///
    /// Needs `User.Read.All`, or `User.Read` for the signed-in user.
    #[must_use]
    pub fn owned_objects(&self) -> Collection<OwnedObjects> {
        self.collection("ownedObjects")
    }

    /// Devices that the user owns:
    /// [`GET /users/{id}/ownedDevices`](https://learn.microsoft.com/graph/api/user-list-owneddevices).
    ///
    /// Needs `User.Read.All`, or `User.Read` for the signed-in user.
    #[must_use]
    pub fn owned_devices(&self) -> Collection<OwnedDevices> {
        self.collection("ownedDevices")
    }

    /// Devices that the user registered:
    /// [`GET /users/{id}/registeredDevices`](https://learn.microsoft.com/graph/api/user-list-registereddevices).
    ///
    /// Needs `User.Read.All`, or `User.Read` for the signed-in user.
    #[must_use]
    pub fn registered_devices(&self) -> Collection<RegisteredDevices> {
        self.collection("registeredDevices")
    }
}
