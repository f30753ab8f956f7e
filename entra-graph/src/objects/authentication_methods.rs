use std::borrow::Cow;

use entra_core::Timestamp;

use super::types::{
    AuthenticationMethodKeyStrength, AuthenticationMethodType, AuthenticationPhoneType,
    SignInUserType, UserDefaultAuthenticationMethod,
};
use crate::{
    model::{ODATA_TYPE, capable, entity},
    odata::{Described, EntityInfo},
};

entity! {
    /// An authentication method that a user registered. It has the properties of all types of methods;
    /// [`method_type`](Self::method_type) is the type.
    ///
    /// Secrets of methods are never part of a response.
    AuthenticationMethod: "#microsoft.graph.authenticationMethod", always [] {
        /// Authenticator attestation id of the model of a passkey.
        aa_guid: String = AA_GUID("aaGuid");
        /// When it was registered (UTC).
        created_date_time: Timestamp = CREATED_DATE_TIME("createdDateTime");
        /// Tag of the device of an authenticator app.
        device_tag: String = DEVICE_TAG("deviceTag");
        /// Name of the device, key or app.
        display_name: String = DISPLAY_NAME("displayName");
        /// Email address, for resets of passwords.
        email_address: String = EMAIL_ADDRESS("emailAddress");
        /// Whether a temporary access pass can be used now.
        is_usable: bool = IS_USABLE("isUsable");
        /// Whether a temporary access pass can be used only once.
        is_usable_once: bool = IS_USABLE_ONCE("isUsableOnce");
        /// Strength of the key of Windows Hello for Business or a platform credential.
        key_strength: AuthenticationMethodKeyStrength = KEY_STRENGTH("keyStrength");
        /// Lifetime of a temporary access pass, in minutes.
        lifetime_in_minutes: i32 = LIFETIME_IN_MINUTES("lifetimeInMinutes");
        /// Why a temporary access pass can or cannot be used.
        method_usability_reason: String = METHOD_USABILITY_REASON("methodUsabilityReason");
        /// Model of a passkey.
        model: String = MODEL("model");
        /// Version of the authenticator app.
        phone_app_version: String = PHONE_APP_VERSION("phoneAppVersion");
        /// Phone number, masked for some administrators.
        phone_number: String = PHONE_NUMBER("phoneNumber");
        /// Type of the phone.
        phone_type: AuthenticationPhoneType = PHONE_TYPE("phoneType");
        /// When a temporary access pass becomes valid (UTC).
        start_date_time: Timestamp = START_DATE_TIME("startDateTime");
    }
}

impl AuthenticationMethod {
    /// The type of the method, if Graph sent it.
    #[must_use]
    pub fn method_type(&self) -> Option<AuthenticationMethodType> {
        let name: Cow<'_, str> = self.additional().decode(ODATA_TYPE).ok()??;
        Some(
            name.strip_prefix("#microsoft.graph.")
                .unwrap_or(&name)
                .into(),
        )
    }
}

entity! {
    /// Which authentication methods a user registered, and what they are enough for. The id is the object id of the
    /// user.
    UserRegistrationDetails: "#microsoft.graph.userRegistrationDetails", always [last_updated_date_time], id unfiltered {
        /// Whether the user has an administrator role.
        is_admin: bool = IS_ADMIN("isAdmin");
        /// Whether a strong method is registered and allowed by policy.
        is_mfa_capable: bool = IS_MFA_CAPABLE("isMfaCapable", "eq");
        /// Whether a strong method is registered.
        is_mfa_registered: bool = IS_MFA_REGISTERED("isMfaRegistered", "eq");
        /// Whether a passwordless method is registered and allowed by policy.
        is_passwordless_capable: bool = IS_PASSWORDLESS_CAPABLE("isPasswordlessCapable", "eq");
        /// Whether the user can reset the password without help.
        is_sspr_capable: bool = IS_SSPR_CAPABLE("isSsprCapable", "eq");
        /// Whether policy allows the user to reset the password without help.
        is_sspr_enabled: bool = IS_SSPR_ENABLED("isSsprEnabled", "eq");
        /// Whether enough methods for a reset of the password are registered.
        is_sspr_registered: bool = IS_SSPR_REGISTERED("isSsprRegistered", "eq");
        /// Whether Entra chooses the most secure of the methods.
        is_system_preferred_authentication_method_enabled: bool = IS_SYSTEM_PREFERRED_AUTHENTICATION_METHOD_ENABLED("isSystemPreferredAuthenticationMethodEnabled", "eq");
        /// When the entry was last updated (UTC).
        last_updated_date_time: Timestamp = LAST_UPDATED_DATE_TIME("lastUpdatedDateTime");
        /// Methods registered, such as `mobilePhone`, `email` and `fido2`.
        methods_registered: Vec<String> = METHODS_REGISTERED("methodsRegistered", "eq");
        /// The most secure methods, as Entra sees them.
        system_preferred_authentication_methods: Vec<String> = SYSTEM_PREFERRED_AUTHENTICATION_METHODS("systemPreferredAuthenticationMethods", "eq");
        /// Name of the user.
        user_display_name: String = USER_DISPLAY_NAME("userDisplayName", "eq startsWith orderby");
        /// Method that the user chose for the second factor.
        user_preferred_method_for_secondary_authentication: UserDefaultAuthenticationMethod = USER_PREFERRED_METHOD_FOR_SECONDARY_AUTHENTICATION("userPreferredMethodForSecondaryAuthentication", "eq");
        /// User principal name.
        user_principal_name: String = USER_PRINCIPAL_NAME("userPrincipalName", "eq startsWith orderby");
        /// Whether the user is a member or a guest.
        user_type: SignInUserType = USER_TYPE("userType");
    }
}

impl Described for AuthenticationMethod {
    const INFO: EntityInfo =
        EntityInfo::other("authentication method", "authentication methods", None);
}

impl Described for UserRegistrationDetails {
    const INFO: EntityInfo =
        EntityInfo::other("registration of a user", "registrations of users", None);
}

capable!(UserRegistrationDetails: Filterable, Orderable);
