use crate::model::{complex, open_enum};

open_enum! {
    /// The type of an authentication method.
    AuthenticationMethodType {
        /// An email address, for resets of passwords.
        Email = "emailAuthenticationMethod";
        /// A method of another provider.
        External = "externalAuthenticationMethod";
        /// A passkey.
        Fido2 = "fido2AuthenticationMethod";
        /// The Microsoft Authenticator app.
        MicrosoftAuthenticator = "microsoftAuthenticatorAuthenticationMethod";
        /// A password.
        Password = "passwordAuthenticationMethod";
        /// A phone number.
        Phone = "phoneAuthenticationMethod";
        /// A credential of the platform of a Mac.
        PlatformCredential = "platformCredentialAuthenticationMethod";
        /// A QR code with a PIN.
        QrCodePin = "qrCodePinAuthenticationMethod";
        /// One-time codes of an app.
        SoftwareOath = "softwareOathAuthenticationMethod";
        /// A temporary access pass.
        TemporaryAccessPass = "temporaryAccessPassAuthenticationMethod";
        /// Windows Hello for Business.
        WindowsHelloForBusiness = "windowsHelloForBusinessAuthenticationMethod";
    }
}

open_enum! {
    /// The strength of a key.
    AuthenticationMethodKeyStrength {
        /// Normal.
        Normal = "normal";
        /// Weak.
        Weak = "weak";
        /// Not known.
        Unknown = "unknown";
    }
}

open_enum! {
    /// The type of a phone.
    AuthenticationPhoneType {
        /// A mobile phone.
        Mobile = "mobile";
        /// A second mobile phone.
        AlternateMobile = "alternateMobile";
        /// A phone at the office.
        Office = "office";
    }
}

open_enum! {
    /// A method for the second factor.
    UserDefaultAuthenticationMethod {
        /// A notification of an app.
        Push = "push";
        /// A one-time code of an app or a token.
        Oath = "oath";
        /// A call to the mobile phone.
        VoiceMobile = "voiceMobile";
        /// A call to the second mobile phone.
        VoiceAlternateMobile = "voiceAlternateMobile";
        /// A call to the phone at the office.
        VoiceOffice = "voiceOffice";
        /// A text message.
        Sms = "sms";
        /// No method.
        None = "none";
    }
}

open_enum! {
    /// What registered authentication methods make a user capable of.
    AuthenticationMethodFeature {
        /// Multifactor authentication.
        MfaCapable = "mfaCapable";
        /// Sign-in without a password.
        PasswordlessCapable = "passwordlessCapable";
        /// Reset of the password without help.
        SsprCapable = "ssprCapable";
        /// Allowed by policy to reset the password without help.
        SsprEnabled = "ssprEnabled";
        /// Enough methods for a reset of the password.
        SsprRegistered = "ssprRegistered";
    }
}

open_enum! {
    /// The roles of the users in a summary.
    IncludedUserRoles {
        /// Administrators.
        Admin = "admin";
        /// Every user.
        All = "all";
        /// Administrators with a privileged role.
        PrivilegedAdmin = "privilegedAdmin";
        /// Users without a role.
        User = "user";
    }
}

open_enum! {
    /// The types of the users in a summary.
    IncludedUserTypes {
        /// Every user.
        All = "all";
        /// Guests.
        Guest = "guest";
        /// Members.
        Member = "member";
    }
}

complex! {
    /// How many users registered which authentication method.
    UserRegistrationMethodSummary {
        /// The number of users in the summary.
        total_user_count: i64 = TOTAL_USER_COUNT("totalUserCount");
        /// The number for each method.
        user_registration_method_counts: Vec<UserRegistrationMethodCount> = USER_REGISTRATION_METHOD_COUNTS("userRegistrationMethodCounts");
        /// The roles of the users.
        user_roles: IncludedUserRoles = USER_ROLES("userRoles");
        /// The types of the users.
        user_types: IncludedUserTypes = USER_TYPES("userTypes");
    }
}

complex! {
    /// How many users registered one authentication method.
    UserRegistrationMethodCount {
        /// The method, such as `mobilePhone`.
        authentication_method: String = AUTHENTICATION_METHOD("authenticationMethod");
        /// The number of users.
        user_count: i64 = USER_COUNT("userCount");
    }
}

complex! {
    /// How many users are capable of which feature.
    UserRegistrationFeatureSummary {
        /// The number of users in the summary.
        total_user_count: i64 = TOTAL_USER_COUNT("totalUserCount");
        /// The number for each feature.
        user_registration_feature_counts: Vec<UserRegistrationFeatureCount> = USER_REGISTRATION_FEATURE_COUNTS("userRegistrationFeatureCounts");
        /// The roles of the users.
        user_roles: IncludedUserRoles = USER_ROLES("userRoles");
        /// The types of the users.
        user_types: IncludedUserTypes = USER_TYPES("userTypes");
    }
}

complex! {
    /// How many users are capable of one feature.
    UserRegistrationFeatureCount {
        /// The feature.
        feature: AuthenticationMethodFeature = FEATURE("feature");
        /// The number of users.
        user_count: i64 = USER_COUNT("userCount");
    }
}
