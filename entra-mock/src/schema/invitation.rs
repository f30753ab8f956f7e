//! `invitation`: what an invitation is created from. The tenant keeps the guest, not the invitation.

use super::*;

pub(super) const INVITATION: EntityType = EntityType {
    name: "invitation",
    set: "invitations",
    control_path: None,
    directory: false,
    open: false,
    object: false,
    id: IdForm::Guid,
    key: None,
    unique: &[],
    log_time: None,
    premium: Premium::No,
    list_options: &[],
    object_options: &[],
    pages: None,
    visibility: Visibility::with(INVITE),
    deletion: Deletion::Hard,
    behavior: Behavior::Invitation,
    creators: Creators::Administrators,
    principal: None,
    application: None,
    activities: Activities {
        add: "Invite external user",
        ..Activities::of("UserManagement")
    },
    properties: &[
        text("id").shown(),
        text("invitedUserDisplayName")
            .shown()
            .at_creation()
            .up_to(256),
        text("invitedUserEmailAddress")
            .shown()
            .required()
            .at_creation(),
        complex("invitedUserMessageInfo").shown().at_creation(),
        text("invitedUserType")
            .shown()
            .at_creation()
            .one_of(&["Guest", "Member"]),
        text("inviteRedeemUrl").shown(),
        text("inviteRedirectUrl").shown().required().at_creation(),
        boolean("resetRedemption").shown().at_creation(),
        boolean("sendInvitationMessage").shown().at_creation(),
        text("status").shown(),
    ],
    rules: &[],
    order: &[],
    search: &[],
    navigation: &["invitedUser", "invitedUserSponsors"],
    relationships: &[],
    operations: &[operation::both("POST", "/invitations", INVITE)],
};

const INVITE: &[&str] = &[
    "User.Invite.All",
    "User.ReadWrite.All",
    "Directory.ReadWrite.All",
];
