//! Objects of any type by their ids, also to delete them, and checks of names: `/directoryObjects`.

use std::{collections::HashSet, fmt};

use entra_core::{BoxFuture, IntoId, ObjectId};

use crate::{
    batch::{AT_ONCE, all},
    client::{Call, GraphClient, Reply},
    error::Error,
    key::Key,
    model::{Body, Entity},
    objects::{DirectoryEntity, DirectoryObject, ExtensionProperty},
    operation::{Operation, operations},
    place::{Object, singles},
    request::{IntoRequest, Request, Target, object_ids, read_nothing},
    stream::read_page,
};

operations! {
    GET = "directoryobject-get" GET "/directoryObjects/{id}" => Object("directoryObject"),
        both ["Directory.Read.All"];
    DELETE = "directoryobject-delete" DELETE "/directoryObjects/{id}" => Nothing,
        both ["User.ReadWrite.All", "Group.ReadWrite.All", "Application.ReadWrite.All"];
    GET_BY_IDS = "directoryobject-getbyids" POST(Safe) "/directoryObjects/getByIds" => Collection("directoryObject"),
        both ["Directory.Read.All"];
    AVAILABLE_EXTENSIONS = "directoryobject-getavailableextensionproperties" POST(Safe) "/directoryObjects/getAvailableExtensionProperties" => Collection("extensionProperty"),
        both ["Directory.Read.All"];
    VALIDATE_PROPERTIES = "directoryobject-validateproperties" POST(Safe) "/directoryObjects/validateProperties" => Nothing,
        both ["Group.Read.All", "Directory.Read.All"];
    CHECK_MEMBER_GROUPS = "directoryobject-checkmembergroups" POST(Safe) "/directoryObjects/{id}/checkMemberGroups" => Value,
        both ["Directory.Read.All"];
    GET_MEMBER_GROUPS = "directoryobject-getmembergroups" POST(Safe) "/directoryObjects/{id}/getMemberGroups" => Value,
        both ["Directory.Read.All"];
    CHECK_MEMBER_OBJECTS = "directoryobject-checkmemberobjects" POST(Safe) "/directoryObjects/{id}/checkMemberObjects" => Value,
        both ["Directory.Read.All"];
    GET_MEMBER_OBJECTS = "directoryobject-getmemberobjects" POST(Safe) "/directoryObjects/{id}/getMemberObjects" => Value,
        both ["Directory.Read.All"];
}

singles! {
    /// `/directoryObjects/{id}`.
    OneDirectoryObject: DirectoryObject { get GET, delete DELETE }
}

/// A request for objects of any type by their ids.
///
/// [`send`](Self::send) takes any number of ids and sends as many requests as they need; in a batch there can
/// be 1,000, as in one request.
#[must_use = "a request does nothing until it is sent"]
#[derive(Clone, Debug)]
pub struct GetByIds {
    client: GraphClient,
    ids: Result<Vec<ObjectId>, Error>,
    types: Vec<&'static str>,
}

/// The names that a new Microsoft 365 group would get, to be checked before the group is created.
///
/// ```
/// use entra_graph::GroupNames;
/// let names = GroupNames::default().display_name("Buyers").mail_nickname("buyers");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupNames {
    display_name: Option<String>,
    mail_nickname: Option<String>,
    on_behalf_of: Option<String>,
}

impl GraphClient {
    /// One object of any type, by object id:
    /// [`GET /directoryObjects/{id}`](https://learn.microsoft.com/graph/api/directoryobject-get).
    ///
    /// Needs `Directory.Read.All`. Deleting needs the permission for the type of the object:
    /// `User.ReadWrite.All`, `Group.ReadWrite.All`, or `Application.ReadWrite.All` for applications and service
    /// principals.
    #[must_use]
    #[inline]
    pub fn directory_object(&self, id: impl Into<Key>) -> Object<OneDirectoryObject> {
        Object::new(Target::root(self).key("directoryObjects", &id.into()))
    }

    /// Objects of any type, by object id:
    /// [`POST /directoryObjects/getByIds`](https://learn.microsoft.com/graph/api/directoryobject-getbyids).
    /// Graph leaves out ids that no object has, and does not keep their order.
    ///
    /// Needs `Directory.Read.All`.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// # let users = graph.users().list().items().try_collect::<Vec<_>>().await?;
    /// use entra_graph::User;
    /// let objects = graph.directory_objects_by_ids([&users[0].id]).of_type::<User>().send().await?;
    /// assert!(objects[0].as_user().is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn directory_objects_by_ids<I: IntoId<ObjectId>>(
        &self,
        ids: impl IntoIterator<Item = I>,
    ) -> GetByIds {
        let ids = object_ids(ids).map(|mut ids| {
            let mut seen = HashSet::new();
            ids.retain(|id| seen.insert(*id));
            ids
        });
        GetByIds {
            client: self.clone(),
            ids,
            types: Vec::new(),
        }
    }

    /// A request for the directory extensions that all applications of the tenant have defined, multitenant ones included:
    /// [`POST /directoryObjects/getAvailableExtensionProperties`](https://learn.microsoft.com/graph/api/directoryobject-getavailableextensionproperties).
    /// `Some` leaves only those that are, or are not, synchronized from on-premises.
    ///
    /// Needs `Directory.Read.All`.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient) -> Result<(), entra_graph::Error> {
    /// for extension in graph.available_extension_properties(None).send().await? {
    ///     println!("{:?} of {:?}", extension.name, extension.app_display_name);
    /// }
    /// # Ok(()) }
    /// ```
    #[inline]
    pub fn available_extension_properties(
        &self,
        synced_from_on_premises: Option<bool>,
    ) -> Request<Vec<ExtensionProperty>> {
        let mut body = Body::default();
        if let Some(synced) = synced_from_on_premises {
            body.set("isSyncedFromOnPremises", &synced);
        }
        let target =
            Target::root(self).join(&["directoryObjects", "getAvailableExtensionProperties"]);
        let call = target
            .url()
            .map(|url| Call::new(&AVAILABLE_EXTENSIONS, url).with_json(body.into_bytes()));
        Request::new(self.clone(), call, read_whole)
    }

    /// A request that checks whether a new Microsoft 365 group could have these names, by the naming policy of
    /// the tenant and the names in use:
    /// [`POST /directoryObjects/validateProperties`](https://learn.microsoft.com/graph/api/directoryobject-validateproperties).
    /// If it could not, Graph returns an error with [`Error::details`].
    ///
    /// Needs `Group.Read.All`.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use entra_graph::GroupNames;
    /// let names = GroupNames::default().display_name("Buyers").mail_nickname("buyers");
    /// graph.validate_group_names(names).send().await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn validate_group_names(&self, names: GroupNames) -> Request<()> {
        let mut body = Body::default();
        body.set::<String>("entityType", "Group");
        let target = Target::root(self).join(&["directoryObjects", "validateProperties"]);
        names.request(&target, &VALIDATE_PROPERTIES, body)
    }
}

impl GetByIds {
    /// Only objects of this type; a further call adds a type.
    #[inline]
    pub fn of_type<E: DirectoryEntity>(mut self) -> Self {
        let name = E::CAST.strip_prefix("microsoft.graph.").unwrap_or(E::CAST);
        self.types.push(name);
        self
    }

    /// The objects.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    #[inline]
    pub async fn send(self) -> Result<Vec<DirectoryObject>, Error> {
        let ids = self.ids.as_deref().map_err(Error::clone)?;
        let mut objects = Vec::with_capacity(ids.len());
        let requests: Vec<&[ObjectId]> = ids.chunks(MOST_IDS).collect();
        for some in requests.chunks(AT_ONCE) {
            let send =
                |ids: &&[ObjectId]| -> BoxFuture<'static, _> { Box::pin(self.request(ids).send()) };
            for found in all(some.iter().map(send).collect()).await {
                objects.extend(found?);
            }
        }
        Ok(objects)
    }

    #[inline]
    fn request(&self, ids: &[ObjectId]) -> Request<Vec<DirectoryObject>> {
        let mut body = Body::default();
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        body.set_strings("ids", &ids);
        if !self.types.is_empty() {
            body.set_strings("types", &self.types);
        }
        let target = Target::root(&self.client).join(&["directoryObjects", "getByIds"]);
        let call = target
            .url()
            .map(|url| Call::new(&GET_BY_IDS, url).with_json(body.into_bytes()));
        Request::new(self.client.clone(), call, read_objects)
    }
}

/// At most 1,000 ids; more are an error of the request.
impl IntoRequest for GetByIds {
    type Output = Vec<DirectoryObject>;

    #[inline]
    fn into_request(self) -> Request<Vec<DirectoryObject>> {
        let problem = match &self.ids {
            Ok(ids) if ids.len() <= MOST_IDS => return self.request(ids),
            Ok(ids) => Error::query(format!(
                "{} ids in one request, and Graph takes {MOST_IDS}; use several requests, or `send` alone",
                ids.len()
            )),
            Err(invalid) => invalid.clone(),
        };
        Request::new(self.client, Err(problem), read_objects)
    }
}

#[inline]
fn read_objects(client: &GraphClient, reply: &Reply) -> Result<Vec<DirectoryObject>, Error> {
    read_whole(client, reply)
}

/// The items of an action that returns a list without pages.
#[inline]
pub(super) fn read_whole<E: Entity>(client: &GraphClient, reply: &Reply) -> Result<Vec<E>, Error> {
    let page = read_page::<E>(client, reply)?;
    if !page.is_last() {
        // No such action is documented to have pages, so a partial result is an error.
        return Err(Error::decode(
            "the response is only a part of the list",
            "it has a link to more",
        ));
    }
    Ok(page.items)
}

impl GroupNames {
    /// With this display name.
    #[must_use]
    #[inline]
    pub fn display_name(mut self, name: impl Into<String>) -> Self {
        self.display_name = Some(name.into());
        self
    }

    /// With this mail alias.
    #[must_use]
    #[inline]
    pub fn mail_nickname(mut self, alias: impl Into<String>) -> Self {
        self.mail_nickname = Some(alias.into());
        self
    }

    /// For a group that this user creates; without it, the naming policy applies as for the caller.
    #[must_use]
    #[inline]
    pub fn on_behalf_of(mut self, user: impl fmt::Display) -> Self {
        self.on_behalf_of = Some(user.to_string());
        self
    }

    #[inline]
    pub(super) fn request(
        self,
        target: &Target,
        operation: &'static Operation,
        mut body: Body,
    ) -> Request<()> {
        for (name, value) in [
            ("displayName", self.display_name),
            ("mailNickname", self.mail_nickname),
            ("onBehalfOfUserId", self.on_behalf_of),
        ] {
            if let Some(value) = value {
                body.set::<String>(name, value.as_str());
            }
        }
        let call = target
            .url()
            .map(|url| Call::new(operation, url).with_json(body.into_bytes()));
        Request::new(target.client.clone(), call, read_nothing)
    }
}

/// How many ids Graph takes in one request.
const MOST_IDS: usize = 1_000;
