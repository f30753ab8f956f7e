//! Which groups a person is in, by whatever way: what a product asks at a sign-in.

use async_trait::async_trait;
use entra_core::{
    CredentialErrorKind, GroupMembership, MembershipError, MembershipErrorKind, ObjectId,
    bytes::Bytes,
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    Error, GraphClient, User,
    handle::Resource,
    permissions::{CHECK_USER_MEMBER_GROUPS, LIST_USER_MEMBER_GROUPS, Operation},
};

impl Resource<User> {
    /// Those of these groups that the user is in, directly or by other groups:
    /// [`POST /users/{id}/checkMemberGroups`](https://learn.microsoft.com/graph/api/directoryobject-checkmembergroups).
    ///
    /// Graph takes 20 groups at a time; more are asked for in turn.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// # use entra_graph::Group;
    /// # let engineers = graph.groups().list().filter(Group::DISPLAY_NAME.eq("Engineers")).items().collect_all().await?;
    /// # let engineers: entra_core::ObjectId = engineers[0].id.parse()?;
    /// # let others = "11111111-2222-3333-4444-555555555555".parse()?;
    /// let found = graph.user("adele@contoso.com").check_member_groups(&[engineers, others]).await?;
    /// assert_eq!(found, [engineers]);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Every kind of [`Error`]; then nothing is known of any group.
    pub async fn check_member_groups(&self, groups: &[ObjectId]) -> Result<Vec<ObjectId>, Error> {
        let mut wanted = groups.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let mut found = Vec::new();
        for some in wanted.chunks(MOST_AT_ONCE) {
            let ids: Vec<String> = some.iter().map(ToString::to_string).collect();
            let body = json!({ "groupIds": ids }).to_string();
            let answer = self.ask("checkMemberGroups", CHECK_USER_MEMBER_GROUPS, body);
            found.extend(answer.await?);
        }
        Ok(found)
    }

    /// Every group that the user is in, directly or by other groups:
    /// [`POST /users/{id}/getMemberGroups`](https://learn.microsoft.com/graph/api/directoryobject-getmembergroups).
    ///
    /// Graph refuses for somebody who is in more than 11,000 groups.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// let groups = graph.user("adele@contoso.com").member_group_ids().await?;
    /// assert!(!groups.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Every kind of [`Error`].
    pub async fn member_group_ids(&self) -> Result<Vec<ObjectId>, Error> {
        let body = json!({ "securityEnabledOnly": false }).to_string();
        self.ask("getMemberGroups", LIST_USER_MEMBER_GROUPS, body)
            .await
    }

    async fn ask(
        &self,
        action: &str,
        operation: &'static Operation,
        body: String,
    ) -> Result<Vec<ObjectId>, Error> {
        let url = self.below(action)?;
        let body = Bytes::from(body);
        let ids = self.client().ask(operation, url, body, Ids::read).await?;
        match ids.next {
            // Neither action is documented to have pages; half an answer would keep people out.
            Some(_) => Err(Error::query(
                "Graph gave only a part of the groups and points to more",
            )),
            None => Ok(ids.value),
        }
    }
}

/// Asks below `/users/{id}`, which the delegated permission `GroupMember.Read.All` allows to a user's
/// own credential ([`GraphClient::with_credential`]), and the application permission of that name to
/// the application's.
///
/// Groups with hidden membership need `Member.Read.Hidden` as well: without it Graph leaves them out
/// and reports no error, so that a true member counts as none.
#[async_trait]
impl GroupMembership for GraphClient {
    async fn member_groups_among(
        &self,
        person: ObjectId,
        groups: &[ObjectId],
    ) -> Result<Vec<ObjectId>, MembershipError> {
        let user = self.user(person);
        user.check_member_groups(groups).await.map_err(unanswered)
    }

    async fn all_member_groups(&self, person: ObjectId) -> Result<Vec<ObjectId>, MembershipError> {
        let user = self.user(person);
        user.member_group_ids().await.map_err(unanswered)
    }
}

#[derive(Deserialize)]
struct Ids {
    value: Vec<ObjectId>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

impl Ids {
    fn read(body: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(body)
            .map_err(|source| Error::decode("the answer is not a list of group ids", source))
    }
}

fn unanswered(error: Error) -> MembershipError {
    let kind = match &error {
        error if error.is_transient() => MembershipErrorKind::Unavailable,
        error if error.is_forbidden() || lacks_consent(error) => {
            MembershipErrorKind::PermissionMissing
        }
        _ => MembershipErrorKind::Rejected,
    };
    let mut text = "Microsoft Graph did not say which groups the user is in".to_owned();
    if let Some(status) = error.status() {
        text.push_str(&format!(" (HTTP {})", status.as_u16()));
    }
    let fix = match (kind, error.credential().and_then(|error| error.fix())) {
        (MembershipErrorKind::PermissionMissing, _) => Some(CONSENT.to_owned()),
        (_, fix) => fix.map(str::to_owned),
    };
    let answer = MembershipError::new(kind, text);
    match fix {
        Some(fix) => answer.with_fix(fix),
        None => answer,
    }
    .with_source(error)
}

/// Whether there is no token because nobody has consented to its scopes.
fn lacks_consent(error: &Error) -> bool {
    error.credential().is_some_and(|error| {
        error.kind() == CredentialErrorKind::InteractionRequired
            && error.code().is_some_and(|code| NO_CONSENT.contains(&code))
    })
}

const CONSENT: &str = "Grant the application the Microsoft Graph permission GroupMember.Read.All under API permissions, with an administrator's consent.";
/// Entra's numbers for a consent that is missing, of the user or of an administrator.
const NO_CONSENT: [u32; 8] = [
    65_001, 65_005, 90_008, 90_093, 90_094, 90_095, 90_099, 650_056,
];
/// Of the group ids of one question.
const MOST_AT_ONCE: usize = 20;
