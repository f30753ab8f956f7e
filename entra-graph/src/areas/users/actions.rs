//! What can be done to a user's account beside changing properties.

use entra_core::{Guid, IntoId, Secret, bytes::Bytes};

use super::{
    ASSIGN_LICENSE, CHANGE_PASSWORD, DELETE_PHOTO, GET_PHOTO, Me, OneUser, REPROCESS_LICENSES,
    REVOKE_SESSIONS, SET_PHOTO, UserPlace,
};
use crate::{
    areas::licenses::{self, NO_LICENSES, NO_SKUS},
    model::Body,
    objects::{
        User,
        types::{AssignedLicense, PasswordProfile},
    },
    place::Object,
    request::{Request, as_bytes, read_bytes, read_entity, read_nothing, with_bytes},
    verbs::Update,
};

impl Object<Me> {
    /// A request that changes the signed-in user's own password:
    /// [`POST /me/changePassword`](https://learn.microsoft.com/graph/api/user-changepassword).
    ///
    /// Takes the delegated permission `Directory.AccessAsUser.All`.
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
    /// Takes `User-PasswordProfile.ReadWrite.All` (application) or `Directory.AccessAsUser.All` (delegated),
    /// and a directory role that may reset the passwords of such users.
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
    /// Takes `User.RevokeSessions.All`.
    #[inline]
    pub fn revoke_sign_in_sessions(&self) -> Request<()> {
        let call = self.call(&["revokeSignInSessions"], &REVOKE_SESSIONS);
        Request::new(self.target().client.clone(), call, read_nothing)
    }

    /// A request that assigns licences, by SKU id; its response is the user. This is
    /// [`POST /users/{id}/assignLicense`](https://learn.microsoft.com/graph/api/user-assignlicense).
    ///
    /// Takes `LicenseAssignment.ReadWrite.All`. The user needs a usage location
    /// ([`User::USAGE_LOCATION`]).
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient) -> Result<(), Box<dyn std::error::Error>> {
    /// use entra_graph::{User, types::AssignedLicense};
    /// let skus = graph.subscribed_skus().list().items().try_collect::<Vec<_>>().await?;
    /// let sku = skus.iter().find(|sku| sku.sku_part_number.as_deref() == Some("AAD_PREMIUM_P2"));
    /// let p2 = sku.and_then(|sku| sku.sku_id.as_deref()).ok_or("the tenant has no such licence")?;
    ///
    /// let adele = graph.user("adele@contoso.com");
    /// adele.update().set(User::USAGE_LOCATION, "DE").send().await?;
    /// adele.assign_licenses([p2]).send().await?;
    /// # let plans: Vec<String> = Vec::new();
    /// adele.assign_licenses([AssignedLicense::new(p2).without_plans(plans)]).send().await?;
    /// adele.remove_licenses([p2]).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn assign_licenses<L: Into<AssignedLicense>>(
        &self,
        licenses: impl IntoIterator<Item = L>,
    ) -> Request<User> {
        self.change_licenses(licenses, NO_SKUS)
    }

    /// A request that removes licences, by SKU id; see [`assign_licenses`](Self::assign_licenses).
    ///
    /// Takes `LicenseAssignment.ReadWrite.All`.
    #[inline]
    pub fn remove_licenses<S: IntoId<Guid>>(
        &self,
        skus: impl IntoIterator<Item = S>,
    ) -> Request<User> {
        self.change_licenses(NO_LICENSES, skus)
    }

    /// A request that assigns and removes licences in one step, such as to replace one by another; see
    /// [`assign_licenses`](Self::assign_licenses).
    ///
    /// Takes `LicenseAssignment.ReadWrite.All`.
    #[inline]
    pub fn change_licenses<L, S>(
        &self,
        add: impl IntoIterator<Item = L>,
        remove: impl IntoIterator<Item = S>,
    ) -> Request<User>
    where
        L: Into<AssignedLicense>,
        S: IntoId<Guid>,
    {
        let call = licenses::body(add, remove).and_then(|body| {
            let call = self.call(&["assignLicense"], &ASSIGN_LICENSE)?;
            Ok(call.with_json(body))
        });
        Request::new(self.target().client.clone(), call, read_entity)
    }

    /// A request that assigns the licences that come through groups once more, such as after an error was
    /// removed: [`POST /users/{id}/reprocessLicenseAssignment`](https://learn.microsoft.com/graph/api/user-reprocesslicenseassignment).
    ///
    /// Takes `User.ReadWrite.All`.
    #[inline]
    pub fn reprocess_license_assignment(&self) -> Request<User> {
        let call = self.call(&["reprocessLicenseAssignment"], &REPROCESS_LICENSES);
        Request::new(self.target().client.clone(), call, read_entity)
    }

    /// A request for the largest photo, as the bytes of an image:
    /// [`GET /users/{id}/photo/$value`](https://learn.microsoft.com/graph/api/profilephoto-get).
    ///
    /// Takes `ProfilePhoto.Read.All`. [`send_opt`](Request::send_opt) returns `None` if there is no photo.
    #[inline]
    pub fn photo(&self) -> Request<Bytes> {
        let call = self.call(&["photo", "$value"], &GET_PHOTO).map(as_bytes);
        Request::new(self.target().client.clone(), call, read_bytes)
    }

    /// A request that sets the photo to these bytes of a JPEG image, at most 4 MB:
    /// [`PUT /users/{id}/photo/$value`](https://learn.microsoft.com/graph/api/profilephoto-update).
    ///
    /// Takes `ProfilePhoto.ReadWrite.All`.
    #[inline]
    pub fn set_photo(&self, jpeg: impl Into<Bytes>) -> Request<()> {
        let jpeg = jpeg.into();
        let call = self
            .call(&["photo", "$value"], &SET_PHOTO)
            .map(|call| with_bytes(call, "image/jpeg", jpeg));
        Request::new(self.target().client.clone(), call, read_nothing)
    }

    /// A request that removes the photo:
    /// [`DELETE /users/{id}/photo/$value`](https://learn.microsoft.com/graph/api/profilephoto-delete).
    ///
    /// Takes `ProfilePhoto.ReadWrite.All`.
    #[inline]
    pub fn delete_photo(&self) -> Request<()> {
        let call = self.call(&["photo", "$value"], &DELETE_PHOTO);
        Request::new(self.target().client.clone(), call, read_nothing)
    }
}
