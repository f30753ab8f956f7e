use entra_core::url::Url;

use crate::{
    model::Body,
    objects::{
        User,
        types::{ObjectIdentity, PasswordProfile},
    },
    verbs::{New, NewBody},
};

/// What a user is created from; further properties are set on the [`Create`](crate::query::Create).
///
/// The password is written into memory that is overwritten afterwards, and never into logs or errors.
#[derive(Clone, Debug)]
pub struct NewUser {
    body: Body,
}

impl NewUser {
    /// An enabled account of the tenant, from its required properties: the name shown, the user principal
    /// name, whose domain must be verified in the tenant, the mail alias, and the password.
    #[inline]
    pub fn new(
        display_name: &str,
        user_principal_name: &str,
        mail_nickname: &str,
        password_profile: PasswordProfile,
    ) -> Self {
        let mut new = Self::with_password(display_name, password_profile);
        new.body.set(User::ACCOUNT_ENABLED.into_name(), &true);
        new.body
            .set::<String>(User::USER_PRINCIPAL_NAME.into_name(), user_principal_name);
        new.body
            .set::<String>(User::MAIL_NICKNAME.into_name(), mail_nickname);
        new
    }

    /// A customer account of an external or B2C tenant, which signs in with these identities.
    #[inline]
    pub fn with_identities(
        display_name: &str,
        identities: &[ObjectIdentity],
        password_profile: PasswordProfile,
    ) -> Self {
        let mut new = Self::with_password(display_name, password_profile);
        new.body
            .set::<Vec<ObjectIdentity>>(User::IDENTITIES.into_name(), identities);
        new
    }

    /// The same account, disabled: it cannot sign in until it is enabled.
    #[must_use]
    #[inline]
    pub fn disabled(mut self) -> Self {
        self.body.set(User::ACCOUNT_ENABLED.into_name(), &false);
        self
    }

    #[expect(clippy::needless_pass_by_value, reason = "the password is used up")]
    #[inline]
    fn with_password(display_name: &str, password_profile: PasswordProfile) -> Self {
        let mut body = Body::default();
        body.set::<String>(User::DISPLAY_NAME.into_name(), display_name);
        body.set(User::PASSWORD_PROFILE.into_name(), &password_profile);
        Self { body }
    }
}

impl New<User> for NewUser {
    #[inline]
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }
}
