use crate::model::open_enum;

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
