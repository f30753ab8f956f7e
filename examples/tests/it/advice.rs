//! The permission advice of both sides: entra-graph's from its operations, and the fake tenant's from the requests
//! that it saw. Their sources are the same documentation, read twice.

use std::collections::BTreeSet;

use entra_auth::ClientSecretCredential;
use entra_core::{AccessToken, Timestamp, TokenCredential as _, TokenRequest};
use entra_graph::{
    GraphClient, Operation, User, operations,
    registration::{PermissionAdvice, TokenPermissions, allows},
};
use entra_mock::{FakeTenant, NeededPermissions};

/// What the fake tenant says that an operation needs, for any user and for the signed-in one; empty for an operation that
/// it does not have.
fn needed(operation: &Operation) -> Vec<NeededPermissions> {
    let paths = [
        operation.path().to_owned(),
        operation.path().replacen("/users/{id}", "/me", 1),
    ];
    let needed = paths.map(|path| {
        let path = path.replace("{id}", "7");
        let url = format!("/{}{path}", operation.version().as_str());
        NeededPermissions::of_requests([(operation.method().as_str(), url.as_str())])
    });
    let known = |one: &NeededPermissions| one.unknown().next().is_none();
    needed.into_iter().filter(known).collect()
}

fn are_met(needed: &NeededPermissions, permissions: &[&str], delegated: bool) -> bool {
    match delegated {
        true => needed.are_met_by_delegated(permissions),
        false => needed.are_met_by_application(permissions),
    }
}

fn supports(operation: &Operation, delegated: bool) -> bool {
    let permissions = match delegated {
        true => operation.delegated_permissions(),
        false => operation.application_permissions(),
    };
    !permissions.is_empty()
}

/// Operations that only the body of the request, or the type of the object, tells from others with the same path.
fn is_like_others(operation: &Operation) -> bool {
    let name = operation.name();
    let kinds = [
        "directory-deleteditems-",
        "group-post-groups-",
        "serviceprincipal-post-serviceprincipals-",
        "serviceprincipal-update-",
        "subscription-",
        "user-post-users-",
        "user-update-",
    ];
    kinds.iter().any(|kind| name.starts_with(kind))
        || ["group-post-members-bind", "group-upsert"].contains(&name)
}

#[test]
fn the_advice_of_entra_graph_is_enough_for_the_fake_tenant() {
    let mut compared = 0;
    let mut differing = BTreeSet::new();
    for operation in operations().filter(|operation| !is_like_others(operation)) {
        let needed = needed(operation);
        if needed.is_empty() {
            continue;
        }
        compared += 1;
        let advice = PermissionAdvice::for_operations([operation]);
        for delegated in [true, false] {
            let ours: Vec<&str> = match delegated {
                true => advice.delegated().collect(),
                false => advice.application().collect(),
            };
            let enough = needed.iter().any(|one| are_met(one, &ours, delegated));
            if supports(operation, delegated) && !enough {
                differing.insert(format!("{}: {ours:?}", operation.name()));
            }
        }
    }
    assert!(compared > 150, "only {compared} operations were compared");
    assert!(differing.is_empty(), "{differing:#?}");
}

/// The tables of the fake tenant have permissions of Graph's metadata that the pages of operations do not list.
#[test]
fn the_advice_of_the_fake_tenant_is_that_of_the_pages_or_a_smaller_one() {
    let mut differing = BTreeSet::new();
    for operation in operations().filter(|operation| !is_like_others(operation)) {
        let needed = needed(operation);
        for delegated in [true, false] {
            let listed = |one: &NeededPermissions| {
                let theirs: Vec<&str> = match delegated {
                    true => one.delegated().collect(),
                    false => one.application().collect(),
                };
                theirs.is_empty()
                    || theirs.iter().any(|name| name.contains(".ReadBasic"))
                    || allows(operation, &theirs, delegated)
            };
            if supports(operation, delegated) && !needed.is_empty() && !needed.iter().any(listed) {
                differing.insert(operation.name());
            }
        }
    }
    // Which operations there are depends on the features of entra-graph.
    let expected = operations()
        .map(Operation::name)
        .filter(|name| ONLY_IN_METADATA.contains(name));
    assert_eq!(differing, expected.collect::<BTreeSet<_>>());
}

const ONLY_IN_METADATA: [&str; 3] = [
    "orgcontact-checkmembergroups",
    "orgcontact-getmembergroups",
    "orgcontact-getmemberobjects",
];

#[tokio::test]
async fn what_a_token_allows_is_allowed_by_the_fake_tenant() {
    let tenant = FakeTenant::start().await;
    let held = ["Device.Read.All", "Group.ReadWrite.All", "User.Read.All"];
    let mut app = tenant.register_app("Program");
    for permission in held {
        app = app
            .application_permission(permission)
            .delegated_permission(permission);
    }
    let app = app.with_secret();
    let credential = ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    let request = TokenRequest::new([tenant.cloud().graph_scope()]);
    let of_app = credential.token(&request).await.unwrap();
    let of_user = tenant.tokens_for(&app, "adele@contoso.com", held);
    let of_user = AccessToken::new(of_user.access_token().clone(), Timestamp::UNIX_EPOCH);
    for (token, delegated) in [(of_app, false), (of_user, true)] {
        let permissions = TokenPermissions::of(&token).unwrap();
        assert_eq!(permissions.is_delegated(), delegated);
        let names: Vec<&str> = permissions.names().collect();
        let (mut allowed, mut differing) = (0, BTreeSet::new());
        for operation in operations().filter(|operation| !is_like_others(operation)) {
            let needed = needed(operation);
            if permissions.allows(operation) && !needed.is_empty() {
                allowed += 1;
                if !needed.iter().any(|one| are_met(one, &names, delegated)) {
                    differing.insert(operation.name());
                }
            }
        }
        assert!(allowed > 20, "{allowed}");
        // The page of photos lists `User.Read.All` for users too, Graph's metadata only for applications.
        let on_the_page_only = |name: &str| delegated && name == "profilephoto-get";
        assert!(
            differing
                .iter()
                .all(|name| on_the_page_only(name) || READ_BY_WRITERS.contains(name)),
            "{differing:?}"
        );
    }
}

/// Operations whose tables have `Group.Read.All` and not `Group.ReadWrite.All`.
const READ_BY_WRITERS: [&str; 7] = [
    "directoryobject-validateproperties",
    "group-list-memberof",
    "group-list-transitivememberof",
    "orgcontact-get-manager",
    "orgcontact-list-directreports",
    "orgcontact-list-memberof",
    "orgcontact-list-transitivememberof",
];

/// What the fake tenant takes from a token that writes is not called missing.
#[test]
fn what_the_fake_tenant_takes_from_a_writer_is_not_missing() {
    for (held, names) in [
        (
            "Application.ReadWrite.All",
            &[
                "application-list",
                "application-get",
                "serviceprincipal-list",
            ][..],
        ),
        ("Group.ReadWrite.All", &["group-list", "group-get"]),
        ("User.ReadWrite.All", &["user-list", "user-get"]),
    ] {
        for name in names {
            let operation = operations().find(|one| one.name() == *name).unwrap();
            let takes = needed(operation);
            let takes = takes.iter().any(|one| are_met(one, &[held], false));
            assert!(takes, "{name}: the fake tenant takes no {held}");
            assert!(allows(operation, &[held], false), "{name}: {held}");
        }
    }
}

/// A program that reads users, devices and the members of a group.
async fn program(tenant: &FakeTenant, permissions: &[&str]) -> Result<(), entra_graph::Error> {
    let mut app = tenant.register_app("Program");
    for permission in permissions {
        app = app.application_permission(permission);
    }
    let app = app.with_secret();
    let credential = ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    let graph = GraphClient::builder(credential)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()?;
    graph
        .users()
        .list()
        .select(User::DISPLAY_NAME)
        .send()
        .await?;
    graph.devices().list().send().await?;
    let group = graph.groups().list().send().await?.items.remove(0);
    graph.group(&group.id).members().list().send().await?;
    Ok(())
}

#[tokio::test]
async fn a_program_works_with_what_the_journal_advises_and_with_nothing_less() {
    let tenant = FakeTenant::start().await;
    program(&tenant, &["Directory.Read.All"]).await.unwrap();
    let needed = tenant.requests().needed_permissions();
    let names: Vec<&str> = needed.application().collect();
    assert!(!names.contains(&"Directory.Read.All"), "{needed}");
    program(&tenant, &names).await.unwrap();
    for name in &names {
        let rest: Vec<&str> = names
            .iter()
            .copied()
            .filter(|other| other != name)
            .collect();
        let error = program(&tenant, &rest).await.unwrap_err();
        assert!(error.is_forbidden(), "{name}: {error}");
    }
}
