//! Invitations of guests: `/invitations`.

use entra_core::url::Url;

use crate::{
    client::GraphClient,
    model::Body,
    objects::Invitation,
    operation::operations,
    request::Target,
    verbs::{Create, FoundBy, New, NewBody},
};

operations! {
    INVITE = "invitation-post" POST "/invitations" => Object("invitation"),
        both ["User.Invite.All", "User.ReadWrite.All", "Directory.ReadWrite.All"];
}

/// What an invitation is created from; further properties are set on the [`Create`].
#[derive(Clone, Debug)]
pub struct NewInvitation {
    body: Body,
}

impl NewInvitation {
    /// An invitation from its required properties: the mail address of the guest, and the URL that the guest goes
    /// to after accepting.
    pub fn new(invited_user_email_address: &str, invite_redirect_url: &str) -> Self {
        let mut body = Body::default();
        body.set::<String>(
            Invitation::INVITED_USER_EMAIL_ADDRESS.into_name(),
            invited_user_email_address,
        );
        body.set::<String>(
            Invitation::INVITE_REDIRECT_URL.into_name(),
            invite_redirect_url,
        );
        Self { body }
    }
}

impl New<Invitation> for NewInvitation {
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }

    const FOUND_BY: FoundBy<Invitation> = FoundBy::Nothing(
        "send the invitation, and read the user in its `invited_user` with `settled`",
    );
}

impl GraphClient {
    /// A request that invites a guest, who gets a user in the tenant at once:
    /// [`POST /invitations`](https://learn.microsoft.com/graph/api/invitation-post).
    ///
    /// Needs `User.Invite.All`. Entra sends a message only with
    /// [`Invitation::SEND_INVITATION_MESSAGE`]; without it, give the guest
    /// [`Invitation::invite_redeem_url`]. Graph does not list invitations: guests are users whose
    /// `externalUserState` is `PendingAcceptance` or `Accepted`.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient) -> Result<(), entra_graph::Error> {
    /// use entra_graph::{Invitation, NewInvitation};
    /// let invitation = graph
    ///     .invite(NewInvitation::new("admin@fabrikam.com", "https://myapp.contoso.com"))
    ///     .set(Invitation::SEND_INVITATION_MESSAGE, true)
    ///     .send().await?;
    /// let guest = invitation.invited_user.map(|user| user.id);
    /// # let _ = guest;
    /// # Ok(())
    /// # }
    /// ```
    pub fn invite(&self, new: NewInvitation) -> Create<Invitation> {
        // Nothing reads an invitation.
        let target = Target::root(self).join(&["invitations"]);
        Create::new(target, (&INVITE, &INVITE), new)
    }
}
