//! What can be done to a user's account beside changing properties.

use entra_core::Secret;

use super::{
    ASSIGN_LICENSE, CHANGE_PASSWORD, DELETE_PHOTO, GET_PHOTO, GET_PHOTO_METADATA,
    GET_PHOTO_OF_SIZE, LIST_PHOTOS, Me, OneUser, REPROCESS_LICENSES, REVOKE_SESSIONS, SET_PHOTO,
    UserPlace,
};
use crate::{
    areas::{licenses::LicensePlace, photos::PhotoPlace},
    model::Body,
    objects::{User, types::PasswordProfile},
    operation::Operation,
    place::Object,
    request::{Request, read_entity, read_nothing},
    verbs::Update,
};

macro_rules! account {
    ($($place:ty),*) => {$(
        impl LicensePlace for $place {
            const ASSIGN_LICENSE: &'static Operation = &ASSIGN_LICENSE;
        }

        impl PhotoPlace for $place {
            const GET_PHOTO: &'static Operation = &GET_PHOTO;
            const GET_PHOTO_METADATA: &'static Operation = &GET_PHOTO_METADATA;
            const LIST_PHOTOS: &'static Operation = &LIST_PHOTOS;
            const GET_PHOTO_OF_SIZE: &'static Operation = &GET_PHOTO_OF_SIZE;
            const SET_PHOTO: &'static Operation = &SET_PHOTO;
            const DELETE_PHOTO: &'static Operation = &DELETE_PHOTO;
        }
    )*};
}

account!(OneUser, Me);

impl Object<Me> {
    /// A request that changes the signed-in user's own password:
    /// [`POST /me/changePassword`](https://learn.microsoft.com/graph/api/user-changepassword).
    ///
    /// Needs the delegated permission `User-PasswordProfile.ReadWrite.All`; `Directory.AccessAsUser.All` is enough too.
    #[inline]
    pub fn change_password(&self, current: &Secret, new: &Secret) -> Request<()> {
        let mut body = Body::default();
        body.set("currentPassword", current);
        body.set("newPassword", new);
        let call = self
            .call(&["changePassword"], &CHANGE_PASSWORD)
            .map(|call| call.with_json(body.into_bytes()));
        Request::new(self.target().client.clone(), call, read_nothing)
    }
}

impl Object<OneUser> {
    /// A request that sets a new password, as an administrator does:
    /// [`PATCH /users/{id}`](https://learn.microsoft.com/graph/api/user-update) with `passwordProfile`.
    ///
    /// Needs `User-PasswordProfile.ReadWrite.All`, and a directory role for the signed-in user, or for an application if
    /// this user is an administrator.
    #[inline]
    pub fn reset_password(&self, password_profile: PasswordProfile) -> Update<User> {
        self.update().set(User::PASSWORD_PROFILE, password_profile)
    }
}

impl<P: UserPlace> Object<P> {
    /// A request that revokes all sign-in sessions: refresh tokens and browser sessions issued before this time
    /// are invalid; access tokens stay valid until they expire. This is
    /// [`POST /users/{id}/revokeSignInSessions`](https://learn.microsoft.com/graph/api/user-revokesigninsessions).
    ///
    /// Needs `User.RevokeSessions.All`.
    #[inline]
    pub fn revoke_sign_in_sessions(&self) -> Request<()> {
        let call = self.call(&["revokeSignInSessions"], &REVOKE_SESSIONS);
        Request::new(self.target().client.clone(), call, read_nothing)
    }

    /// A request that assigns the licences that come through groups once more, such as after an error was
    /// removed: [`POST /users/{id}/reprocessLicenseAssignment`](https://learn.microsoft.com/graph/api/user-reprocesslicenseassignment).
    ///
    /// Needs `User.ReadWrite.All`.
    #[inline]
    pub fn reprocess_license_assignment(&self) -> Request<User> {
        let call = self.call(&["reprocessLicenseAssignment"], &REPROCESS_LICENSES);
        Request::new(self.target().client.clone(), call, read_entity)
    }
}
