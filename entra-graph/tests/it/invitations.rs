//! Invitations against the fake tenant.

use entra_graph::{ErrorKind, GraphClient, Invitation, NewInvitation, User};
use entra_mock::FakeTenant;

use crate::support::AppCredential;

fn client(tenant: &FakeTenant, permissions: &[&str]) -> GraphClient {
    let app = tenant.register_app("Inviter");
    let app = permissions
        .iter()
        .fold(app, |app, name| app.application_permission(name));
    let builder = GraphClient::builder(AppCredential::new(tenant, &app.with_secret()));
    let builder = builder.cloud(tenant.cloud()).clock(tenant.clock());
    builder.build().unwrap()
}

fn new() -> NewInvitation {
    NewInvitation::new("admin@fabrikam.com", "https://myapp.contoso.com")
}

#[tokio::test]
async fn an_invited_guest_is_a_user_who_has_not_accepted_yet() {
    let tenant = FakeTenant::start().await;
    let graph = client(&tenant, &["User.Invite.All", "User.Read.All"]);
    let invitation = graph
        .invite(new())
        .set(Invitation::INVITED_USER_DISPLAY_NAME, "Fabrikam Admin")
        .set(Invitation::SEND_INVITATION_MESSAGE, true)
        .send()
        .await
        .unwrap();
    assert_eq!(invitation.status.as_deref(), Some("PendingAcceptance"));
    assert!(invitation.invite_redeem_url.is_some());
    let id = invitation.invited_user.unwrap().id;
    let select = (User::EXTERNAL_USER_STATE, User::USER_TYPE);
    let guest = graph.user(&id).get().select(select).send().await.unwrap();
    assert_eq!(
        guest.external_user_state.as_deref(),
        Some("PendingAcceptance")
    );
    assert_eq!(guest.user_type.as_deref(), Some("Guest"));
    let again = graph.invite(new()).send().await.unwrap();
    assert_eq!(again.invited_user.unwrap().id, id);
    let member = NewInvitation::new("adele@contoso.com", "https://myapp.contoso.com");
    let error = graph.invite(member).send().await.unwrap_err();
    assert!(
        error.message().contains("already exists in the directory"),
        "{error}"
    );
}

#[tokio::test]
async fn an_invitation_cannot_be_waited_for_as_it_is_not_returned_again() {
    let tenant = FakeTenant::start().await;
    let graph = client(&tenant, &["User.Invite.All", "User.Read.All"]);
    let error = graph.invite(new()).settled().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query);
    assert!(error.to_string().contains("invited_user"), "{error}");
    assert_eq!(graph.requests_sent(), 0);
}

#[tokio::test]
async fn a_403_of_an_invitation_names_the_permission() {
    let tenant = FakeTenant::start().await;
    let graph = client(&tenant, &["User.Read.All"]);
    let error = graph.invite(new()).send().await.unwrap_err();
    assert_eq!(error.needed_permissions()[0], "User.Invite.All");
}
