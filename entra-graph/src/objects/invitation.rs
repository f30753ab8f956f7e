use super::{types::InvitedUserMessageInfo, user::User};
use crate::{
    model::entity,
    odata::{Described, EntityInfo},
};

entity! {
    /// An invitation of a guest, as Graph returns it once.
    Invitation: "#microsoft.graph.invitation", always [invited_user_email_address] {
        /// The display name of the guest.
        invited_user_display_name: String = INVITED_USER_DISPLAY_NAME("invitedUserDisplayName") create;
        /// The mail address of the guest.
        invited_user_email_address: String = INVITED_USER_EMAIL_ADDRESS("invitedUserEmailAddress") create;
        /// What the message to the guest says.
        invited_user_message_info: Box<InvitedUserMessageInfo> as InvitedUserMessageInfo = INVITED_USER_MESSAGE_INFO("invitedUserMessageInfo") create;
        /// `Guest` or `Member`; a guest by default.
        invited_user_type: String = INVITED_USER_TYPE("invitedUserType") create;
        /// The URL at which the guest accepts the invitation.
        invite_redeem_url: String = INVITE_REDEEM_URL("inviteRedeemUrl");
        /// Where the guest goes after accepting.
        invite_redirect_url: String = INVITE_REDIRECT_URL("inviteRedirectUrl") create;
        /// Whether an existing guest accepts again, such as with another mail address.
        reset_redemption: bool = RESET_REDEMPTION("resetRedemption") create;
        /// Whether Entra sends the message; `false` by default.
        send_invitation_message: bool = SEND_INVITATION_MESSAGE("sendInvitationMessage") create;
        /// `PendingAcceptance`, `Completed`, `InProgress` or `Error`.
        status: String = STATUS("status");
    }
    relations {
        /// The user that the invitation created; its id only.
        invited_user: Box<User> = INVITED_USER("invitedUser");
    }
}

impl Described for Invitation {
    const INFO: EntityInfo = EntityInfo::other("invitation", "invitations", None);
}
