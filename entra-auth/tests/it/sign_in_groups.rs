//! Who may enter by group: from the token where it says so, else from the directory.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use entra_auth::sign_in::{SignInErrorKind, SignedIn};
use entra_core::{DirectoryError, GroupMembership, ObjectId};
use serde_json::{Value, json};

use crate::{
    sign_in_support::{connection, sign_in},
    validate_support::PERSON,
};

const A: &str = "aaaaaaaa-0000-0000-0000-000000000000";
const B: &str = "bbbbbbbb-0000-0000-0000-000000000000";
const C: &str = "cccccccc-0000-0000-0000-000000000000";

#[derive(Debug, Default)]
struct Directory {
    groups: Mutex<Vec<ObjectId>>,
    failing: bool,
    asked: AtomicUsize,
}

impl Directory {
    fn of(groups: &[&str]) -> Self {
        let groups = groups.iter().map(|id| id.parse().unwrap()).collect();
        Self {
            groups: Mutex::new(groups),
            ..Self::default()
        }
    }

    fn answer(&self, person: ObjectId) -> Result<Vec<ObjectId>, DirectoryError> {
        assert_eq!(person.to_string(), PERSON);
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.failing {
            true => Err(DirectoryError::new("the directory is down").with_transient(true)),
            false => Ok(self.groups.lock().unwrap().clone()),
        }
    }
}

#[async_trait]
impl GroupMembership for Directory {
    async fn member_groups_among(
        &self,
        person: ObjectId,
        _: &[ObjectId],
    ) -> Result<Vec<ObjectId>, DirectoryError> {
        self.answer(person)
    }

    async fn all_member_groups(&self, person: ObjectId) -> Result<Vec<ObjectId>, DirectoryError> {
        self.answer(person)
    }
}

async fn session(claims: Value) -> SignedIn {
    let (service, client) = connection();
    sign_in(&service, &client, claims).await.unwrap()
}

#[tokio::test]
async fn a_token_that_lists_groups_decides_without_the_directory() {
    let directory = Directory::of(&[C]);
    let session = session(json!({ "groups": [A, B.to_uppercase()] })).await;
    let is = |groups: Vec<&'static str>| session.is_member_of_any(&directory, groups);
    assert!(is(vec![C, A]).await.unwrap());
    assert!(is(vec![B]).await.unwrap(), "ids are ids in any case");
    assert!(!is(vec![C]).await.unwrap());
    assert!(!is(vec![]).await.unwrap());
    assert_eq!(session.group_ids(&directory).await.unwrap().len(), 2);
    assert_eq!(directory.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_directory_decides_where_the_token_cannot() {
    for claims in [
        json!({ "_claim_names": { "groups": "src1" }, "_claim_sources": { "src1": { "endpoint": "https://evil.example" } } }),
        json!({ "hasgroups": true }),
        json!({ "groups:src1": "https://evil.example" }),
        json!({}),
        json!({ "groups": ["CONTOSO\\Engineers"] }),
    ] {
        let directory = Directory::of(&[A]);
        let session = session(claims.clone()).await;
        assert!(
            session.is_member_of_any(&directory, [A, B]).await.unwrap(),
            "{claims}"
        );
        assert!(
            !session.is_member_of_any(&directory, [B]).await.unwrap(),
            "{claims}: what was not asked for does not count"
        );
        assert_eq!(directory.asked.load(Ordering::SeqCst), 2);
        let all = session.group_ids(&directory).await.unwrap();
        assert_eq!(all, [A.parse().unwrap()]);
    }
}

#[tokio::test]
async fn nobody_enters_while_the_directory_is_silent() {
    let directory = Directory {
        failing: true,
        ..Directory::of(&[A])
    };
    let session = session(json!({})).await;
    let error = session.is_member_of_any(&directory, [A]).await.unwrap_err();
    assert_eq!(error.kind(), SignInErrorKind::GroupsUnavailable);
    assert!(error.is_worth_another_try() && error.for_admin().contains("the directory is down"));
    let error = session.group_ids(&directory).await.unwrap_err();
    assert_eq!(error.kind(), SignInErrorKind::GroupsUnavailable);
    let error = session
        .is_member_of_any(&directory, ["Engineers"])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), SignInErrorKind::Configuration);
    assert!(
        !session
            .is_member_of_any(&directory, Vec::<&str>::new())
            .await
            .unwrap()
    );
    let shared: std::sync::Arc<dyn GroupMembership> = std::sync::Arc::new(Directory::of(&[A]));
    assert!(session.is_member_of_any(&*shared, [A]).await.unwrap());
}
