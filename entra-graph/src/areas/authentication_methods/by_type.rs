//! The authentication methods of one type, which a narrower permission than that for all types shows.

use crate::{
    areas::users::UserPlace,
    key::Key,
    objects::AuthenticationMethod,
    operation::operations,
    place::{Collection, Object, Place, Single, places, singles},
    request::Target,
};

operations! {
    LIST_EMAIL = "authentication-list-emailmethods" GET "/users/{id}/authentication/emailMethods" => Collection("authenticationMethod"),
        both ["UserAuthMethod-Email.Read.All", "UserAuthenticationMethod.Read.All"];
    GET_EMAIL = "emailauthenticationmethod-get" GET "/users/{id}/authentication/emailMethods/{id}" => Object("authenticationMethod"),
        both ["UserAuthMethod-Email.Read.All", "UserAuthenticationMethod.Read.All"];
    LIST_EXTERNAL_AUTHENTICATION = "authentication-list-externalauthenticationmethods" GET "/users/{id}/authentication/externalAuthenticationMethods" => Collection("authenticationMethod"),
        both ["UserAuthMethod-External.Read.All", "UserAuthenticationMethod.Read.All"];
    GET_EXTERNAL_AUTHENTICATION = "externalauthenticationmethod-get" GET "/users/{id}/authentication/externalAuthenticationMethods/{id}" => Object("authenticationMethod"),
        both ["UserAuthMethod-External.Read.All", "UserAuthenticationMethod.Read.All"];
    LIST_FIDO2 = "authentication-list-fido2methods" GET "/users/{id}/authentication/fido2Methods" => Collection("authenticationMethod"),
        both ["UserAuthMethod-Passkey.Read.All"];
    GET_FIDO2 = "fido2authenticationmethod-get" GET "/users/{id}/authentication/fido2Methods/{id}" => Object("authenticationMethod"),
        both ["UserAuthMethod-Passkey.Read.All", "UserAuthenticationMethod.Read.All"];
    LIST_MICROSOFT_AUTHENTICATOR = "authentication-list-microsoftauthenticatormethods" GET "/users/{id}/authentication/microsoftAuthenticatorMethods" => Collection("authenticationMethod"),
        both ["UserAuthMethod-MicrosoftAuthApp.Read.All", "UserAuthenticationMethod.Read.All"];
    GET_MICROSOFT_AUTHENTICATOR = "microsoftauthenticatorauthenticationmethod-get" GET "/users/{id}/authentication/microsoftAuthenticatorMethods/{id}" => Object("authenticationMethod"),
        both ["UserAuthMethod-MicrosoftAuthApp.Read.All", "UserAuthenticationMethod.Read.All"];
    LIST_PASSWORD = "authentication-list-passwordmethods" GET "/users/{id}/authentication/passwordMethods" => Collection("authenticationMethod"),
        both ["UserAuthMethod-Password.Read.All", "UserAuthenticationMethod.Read.All"];
    GET_PASSWORD = "passwordauthenticationmethod-get" GET "/users/{id}/authentication/passwordMethods/{id}" => Object("authenticationMethod"),
        both ["UserAuthMethod-Password.Read.All", "UserAuthenticationMethod.Read.All"];
    LIST_PHONE = "authentication-list-phonemethods" GET "/users/{id}/authentication/phoneMethods" => Collection("authenticationMethod"),
        both ["UserAuthMethod-Phone.Read.All", "UserAuthenticationMethod.Read.All"];
    GET_PHONE = "phoneauthenticationmethod-get" GET "/users/{id}/authentication/phoneMethods/{id}" => Object("authenticationMethod"),
        both ["UserAuthMethod-Phone.Read.All", "UserAuthenticationMethod.Read.All"];
    LIST_PLATFORM_CREDENTIAL = "authentication-list-platformcredentialmethods" GET "/users/{id}/authentication/platformCredentialMethods" => Collection("authenticationMethod"),
        both ["UserAuthMethod-PlatformCred.Read.All", "UserAuthenticationMethod.Read.All"];
    GET_PLATFORM_CREDENTIAL = "platformcredentialauthenticationmethod-get" GET "/users/{id}/authentication/platformCredentialMethods/{id}" => Object("authenticationMethod"),
        both ["UserAuthMethod-PlatformCred.Read.All", "UserAuthenticationMethod.Read.All"];
    LIST_SOFTWARE_OATH = "authentication-list-softwareoathmethods" GET "/users/{id}/authentication/softwareOathMethods" => Collection("authenticationMethod"),
        both ["UserAuthMethod-SoftwareOATH.Read.All", "UserAuthenticationMethod.Read.All"];
    GET_SOFTWARE_OATH = "softwareoathauthenticationmethod-get" GET "/users/{id}/authentication/softwareOathMethods/{id}" => Object("authenticationMethod"),
        both ["UserAuthMethod-SoftwareOATH.Read.All", "UserAuthenticationMethod.Read.All"];
    LIST_TEMPORARY_ACCESS_PASS = "authentication-list-temporaryaccesspassmethods" GET "/users/{id}/authentication/temporaryAccessPassMethods" => Collection("authenticationMethod"),
        both ["UserAuthMethod-TAP.Read.All", "UserAuthenticationMethod.Read.All"];
    GET_TEMPORARY_ACCESS_PASS = "temporaryaccesspassauthenticationmethod-get" GET "/users/{id}/authentication/temporaryAccessPassMethods/{id}" => Object("authenticationMethod"),
        both ["UserAuthMethod-TAP.Read.All", "UserAuthenticationMethod.Read.All"];
    LIST_WINDOWS_HELLO_FOR_BUSINESS = "authentication-list-windowshelloforbusinessmethods" GET "/users/{id}/authentication/windowsHelloForBusinessMethods" => Collection("authenticationMethod"),
        both ["UserAuthMethod-WindowsHello.Read.All", "UserAuthenticationMethod.Read.All"];
    GET_WINDOWS_HELLO_FOR_BUSINESS = "windowshelloforbusinessauthenticationmethod-get" GET "/users/{id}/authentication/windowsHelloForBusinessMethods/{id}" => Object("authenticationMethod"),
        both ["UserAuthMethod-WindowsHello.Read.All", "UserAuthenticationMethod.Read.All"];
}

places! {
    /// `/users/{id}/authentication/emailMethods`.
    EmailMethods: AuthenticationMethod { list LIST_EMAIL }
    /// `/users/{id}/authentication/externalAuthenticationMethods`.
    ExternalMethods: AuthenticationMethod { list LIST_EXTERNAL_AUTHENTICATION }
    /// `/users/{id}/authentication/fido2Methods`.
    Fido2Methods: AuthenticationMethod { list LIST_FIDO2 }
    /// `/users/{id}/authentication/microsoftAuthenticatorMethods`.
    MicrosoftAuthenticatorMethods: AuthenticationMethod { list LIST_MICROSOFT_AUTHENTICATOR }
    /// `/users/{id}/authentication/passwordMethods`.
    PasswordMethods: AuthenticationMethod { list LIST_PASSWORD }
    /// `/users/{id}/authentication/phoneMethods`.
    PhoneMethods: AuthenticationMethod { list LIST_PHONE }
    /// `/users/{id}/authentication/platformCredentialMethods`.
    PlatformCredentialMethods: AuthenticationMethod { list LIST_PLATFORM_CREDENTIAL }
    /// `/users/{id}/authentication/softwareOathMethods`.
    SoftwareOathMethods: AuthenticationMethod { list LIST_SOFTWARE_OATH }
    /// `/users/{id}/authentication/temporaryAccessPassMethods`.
    TemporaryAccessPassMethods: AuthenticationMethod { list LIST_TEMPORARY_ACCESS_PASS }
    /// `/users/{id}/authentication/windowsHelloForBusinessMethods`.
    WindowsHelloForBusinessMethods: AuthenticationMethod { list LIST_WINDOWS_HELLO_FOR_BUSINESS }
}

singles! {
    /// `/users/{id}/authentication/emailMethods/{id}`.
    OneEmailMethod: AuthenticationMethod { get GET_EMAIL }
    /// `/users/{id}/authentication/externalAuthenticationMethods/{id}`.
    OneExternalMethod: AuthenticationMethod { get GET_EXTERNAL_AUTHENTICATION }
    /// `/users/{id}/authentication/fido2Methods/{id}`.
    OneFido2Method: AuthenticationMethod { get GET_FIDO2 }
    /// `/users/{id}/authentication/microsoftAuthenticatorMethods/{id}`.
    OneMicrosoftAuthenticatorMethod: AuthenticationMethod { get GET_MICROSOFT_AUTHENTICATOR }
    /// `/users/{id}/authentication/passwordMethods/{id}`.
    OnePasswordMethod: AuthenticationMethod { get GET_PASSWORD }
    /// `/users/{id}/authentication/phoneMethods/{id}`.
    OnePhoneMethod: AuthenticationMethod { get GET_PHONE }
    /// `/users/{id}/authentication/platformCredentialMethods/{id}`.
    OnePlatformCredentialMethod: AuthenticationMethod { get GET_PLATFORM_CREDENTIAL }
    /// `/users/{id}/authentication/softwareOathMethods/{id}`.
    OneSoftwareOathMethod: AuthenticationMethod { get GET_SOFTWARE_OATH }
    /// `/users/{id}/authentication/temporaryAccessPassMethods/{id}`.
    OneTemporaryAccessPassMethod: AuthenticationMethod { get GET_TEMPORARY_ACCESS_PASS }
    /// `/users/{id}/authentication/windowsHelloForBusinessMethods/{id}`.
    OneWindowsHelloForBusinessMethod: AuthenticationMethod { get GET_WINDOWS_HELLO_FOR_BUSINESS }
}

/// Methods of one type: each needs a permission for this type only, or `UserAuthenticationMethod.Read.All`; for the
/// signed-in user the delegated one without `.All`.
impl<P: UserPlace> Object<P> {
    /// The email address that the user registered for resets of the password:
    /// [`GET /users/{id}/authentication/emailMethods`](https://learn.microsoft.com/graph/api/authentication-list-emailmethods).
    ///
    /// Needs `UserAuthMethod-Email.Read.All`.
    #[must_use]
    pub fn email_methods(&self) -> Collection<EmailMethods> {
        methods(self.target(), "emailMethods")
    }

    /// One of the [`email_methods`](Self::email_methods), by its id:
    /// [`GET /users/{id}/authentication/emailMethods/{id}`](https://learn.microsoft.com/graph/api/emailauthenticationmethod-get).
    ///
    /// Needs `UserAuthMethod-Email.Read.All`.
    #[must_use]
    pub fn email_method(&self, id: impl Into<Key>) -> Object<OneEmailMethod> {
        method(self.target(), "emailMethods", &id.into())
    }

    /// The methods of other providers that the user registered:
    /// [`GET /users/{id}/authentication/externalAuthenticationMethods`](https://learn.microsoft.com/graph/api/authentication-list-externalauthenticationmethods).
    ///
    /// Needs `UserAuthMethod-External.Read.All`.
    #[must_use]
    pub fn external_authentication_methods(&self) -> Collection<ExternalMethods> {
        methods(self.target(), "externalAuthenticationMethods")
    }

    /// One of the [`external_authentication_methods`](Self::external_authentication_methods), by its id:
    /// [`GET /users/{id}/authentication/externalAuthenticationMethods/{id}`](https://learn.microsoft.com/graph/api/externalauthenticationmethod-get).
    ///
    /// Needs `UserAuthMethod-External.Read.All`.
    #[must_use]
    pub fn external_authentication_method(&self, id: impl Into<Key>) -> Object<OneExternalMethod> {
        method(self.target(), "externalAuthenticationMethods", &id.into())
    }

    /// The passkeys that the user registered:
    /// [`GET /users/{id}/authentication/fido2Methods`](https://learn.microsoft.com/graph/api/authentication-list-fido2methods).
    ///
    /// Needs `UserAuthMethod-Passkey.Read.All`.
    #[must_use]
    pub fn fido2_methods(&self) -> Collection<Fido2Methods> {
        methods(self.target(), "fido2Methods")
    }

    /// One of the [`fido2_methods`](Self::fido2_methods), by its id:
    /// [`GET /users/{id}/authentication/fido2Methods/{id}`](https://learn.microsoft.com/graph/api/fido2authenticationmethod-get).
    ///
    /// Needs `UserAuthMethod-Passkey.Read.All`.
    #[must_use]
    pub fn fido2_method(&self, id: impl Into<Key>) -> Object<OneFido2Method> {
        method(self.target(), "fido2Methods", &id.into())
    }

    /// The Microsoft Authenticator apps that the user registered:
    /// [`GET /users/{id}/authentication/microsoftAuthenticatorMethods`](https://learn.microsoft.com/graph/api/authentication-list-microsoftauthenticatormethods).
    ///
    /// Needs `UserAuthMethod-MicrosoftAuthApp.Read.All`.
    #[must_use]
    pub fn microsoft_authenticator_methods(&self) -> Collection<MicrosoftAuthenticatorMethods> {
        methods(self.target(), "microsoftAuthenticatorMethods")
    }

    /// One of the [`microsoft_authenticator_methods`](Self::microsoft_authenticator_methods), by its id:
    /// [`GET /users/{id}/authentication/microsoftAuthenticatorMethods/{id}`](https://learn.microsoft.com/graph/api/microsoftauthenticatorauthenticationmethod-get).
    ///
    /// Needs `UserAuthMethod-MicrosoftAuthApp.Read.All`.
    #[must_use]
    pub fn microsoft_authenticator_method(
        &self,
        id: impl Into<Key>,
    ) -> Object<OneMicrosoftAuthenticatorMethod> {
        method(self.target(), "microsoftAuthenticatorMethods", &id.into())
    }

    /// The password of the user, without its value:
    /// [`GET /users/{id}/authentication/passwordMethods`](https://learn.microsoft.com/graph/api/authentication-list-passwordmethods).
    ///
    /// Needs `UserAuthMethod-Password.Read.All`.
    #[must_use]
    pub fn password_methods(&self) -> Collection<PasswordMethods> {
        methods(self.target(), "passwordMethods")
    }

    /// One of the [`password_methods`](Self::password_methods), by its id:
    /// [`GET /users/{id}/authentication/passwordMethods/{id}`](https://learn.microsoft.com/graph/api/passwordauthenticationmethod-get).
    ///
    /// Needs `UserAuthMethod-Password.Read.All`.
    #[must_use]
    pub fn password_method(&self, id: impl Into<Key>) -> Object<OnePasswordMethod> {
        method(self.target(), "passwordMethods", &id.into())
    }

    /// The phone numbers that the user registered for sign-in:
    /// [`GET /users/{id}/authentication/phoneMethods`](https://learn.microsoft.com/graph/api/authentication-list-phonemethods).
    ///
    /// Needs `UserAuthMethod-Phone.Read.All`.
    #[must_use]
    pub fn phone_methods(&self) -> Collection<PhoneMethods> {
        methods(self.target(), "phoneMethods")
    }

    /// One of the [`phone_methods`](Self::phone_methods), by its id:
    /// [`GET /users/{id}/authentication/phoneMethods/{id}`](https://learn.microsoft.com/graph/api/phoneauthenticationmethod-get).
    ///
    /// Needs `UserAuthMethod-Phone.Read.All`.
    #[must_use]
    pub fn phone_method(&self, id: impl Into<Key>) -> Object<OnePhoneMethod> {
        method(self.target(), "phoneMethods", &id.into())
    }

    /// The platform credentials that the user registered:
    /// [`GET /users/{id}/authentication/platformCredentialMethods`](https://learn.microsoft.com/graph/api/authentication-list-platformcredentialmethods).
    ///
    /// Needs `UserAuthMethod-PlatformCred.Read.All`.
    #[must_use]
    pub fn platform_credential_methods(&self) -> Collection<PlatformCredentialMethods> {
        methods(self.target(), "platformCredentialMethods")
    }

    /// One of the [`platform_credential_methods`](Self::platform_credential_methods), by its id:
    /// [`GET /users/{id}/authentication/platformCredentialMethods/{id}`](https://learn.microsoft.com/graph/api/platformcredentialauthenticationmethod-get).
    ///
    /// Needs `UserAuthMethod-PlatformCred.Read.All`.
    #[must_use]
    pub fn platform_credential_method(
        &self,
        id: impl Into<Key>,
    ) -> Object<OnePlatformCredentialMethod> {
        method(self.target(), "platformCredentialMethods", &id.into())
    }

    /// The apps for one-time codes that the user registered:
    /// [`GET /users/{id}/authentication/softwareOathMethods`](https://learn.microsoft.com/graph/api/authentication-list-softwareoathmethods).
    ///
    /// Needs `UserAuthMethod-SoftwareOATH.Read.All`.
    #[must_use]
    pub fn software_oath_methods(&self) -> Collection<SoftwareOathMethods> {
        methods(self.target(), "softwareOathMethods")
    }

    /// One of the [`software_oath_methods`](Self::software_oath_methods), by its id:
    /// [`GET /users/{id}/authentication/softwareOathMethods/{id}`](https://learn.microsoft.com/graph/api/softwareoathauthenticationmethod-get).
    ///
    /// Needs `UserAuthMethod-SoftwareOATH.Read.All`.
    #[must_use]
    pub fn software_oath_method(&self, id: impl Into<Key>) -> Object<OneSoftwareOathMethod> {
        method(self.target(), "softwareOathMethods", &id.into())
    }

    /// The temporary access passes of the user, without their values:
    /// [`GET /users/{id}/authentication/temporaryAccessPassMethods`](https://learn.microsoft.com/graph/api/authentication-list-temporaryaccesspassmethods).
    ///
    /// Needs `UserAuthMethod-TAP.Read.All`.
    #[must_use]
    pub fn temporary_access_pass_methods(&self) -> Collection<TemporaryAccessPassMethods> {
        methods(self.target(), "temporaryAccessPassMethods")
    }

    /// One of the [`temporary_access_pass_methods`](Self::temporary_access_pass_methods), by its id:
    /// [`GET /users/{id}/authentication/temporaryAccessPassMethods/{id}`](https://learn.microsoft.com/graph/api/temporaryaccesspassauthenticationmethod-get).
    ///
    /// Needs `UserAuthMethod-TAP.Read.All`.
    #[must_use]
    pub fn temporary_access_pass_method(
        &self,
        id: impl Into<Key>,
    ) -> Object<OneTemporaryAccessPassMethod> {
        method(self.target(), "temporaryAccessPassMethods", &id.into())
    }

    /// The keys of Windows Hello for Business that the user registered:
    /// [`GET /users/{id}/authentication/windowsHelloForBusinessMethods`](https://learn.microsoft.com/graph/api/authentication-list-windowshelloforbusinessmethods).
    ///
    /// Needs `UserAuthMethod-WindowsHello.Read.All`.
    #[must_use]
    pub fn windows_hello_for_business_methods(&self) -> Collection<WindowsHelloForBusinessMethods> {
        methods(self.target(), "windowsHelloForBusinessMethods")
    }

    /// One of the [`windows_hello_for_business_methods`](Self::windows_hello_for_business_methods), by its id:
    /// [`GET /users/{id}/authentication/windowsHelloForBusinessMethods/{id}`](https://learn.microsoft.com/graph/api/windowshelloforbusinessauthenticationmethod-get).
    ///
    /// Needs `UserAuthMethod-WindowsHello.Read.All`.
    #[must_use]
    pub fn windows_hello_for_business_method(
        &self,
        id: impl Into<Key>,
    ) -> Object<OneWindowsHelloForBusinessMethod> {
        method(self.target(), "windowsHelloForBusinessMethods", &id.into())
    }
}

fn methods<M: Place>(user: &Target, name: &str) -> Collection<M> {
    Collection::new(user.clone().join(&["authentication", name]))
}

fn method<M: Single>(user: &Target, name: &str, id: &Key) -> Object<M> {
    Object::new(user.clone().join(&["authentication"]).key(name, id))
}
