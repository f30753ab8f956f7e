//! The authentication methods of a user by type, and what reads them.

use super::operation::{Operation, both};

/// The segment of the path that lists a type of methods, and the type.
pub(crate) const METHOD_TYPES: [(&str, &str); 10] = [
    ("emailMethods", "emailAuthenticationMethod"),
    (
        "externalAuthenticationMethods",
        "externalAuthenticationMethod",
    ),
    ("fido2Methods", "fido2AuthenticationMethod"),
    (
        "microsoftAuthenticatorMethods",
        "microsoftAuthenticatorAuthenticationMethod",
    ),
    ("passwordMethods", "passwordAuthenticationMethod"),
    ("phoneMethods", "phoneAuthenticationMethod"),
    (
        "platformCredentialMethods",
        "platformCredentialAuthenticationMethod",
    ),
    ("softwareOathMethods", "softwareOathAuthenticationMethod"),
    (
        "temporaryAccessPassMethods",
        "temporaryAccessPassAuthenticationMethod",
    ),
    (
        "windowsHelloForBusinessMethods",
        "windowsHelloForBusinessAuthenticationMethod",
    ),
];

/// A read below a user's authentication: the permissions of the type, and those of all types.
macro_rules! read {
    ($path:literal, $name:literal) => {
        read!(
            $path,
            $name,
            &[
                concat!("UserAuthMethod-", $name, ".Read.All"),
                concat!("UserAuthMethod-", $name, ".ReadWrite.All"),
                "UserAuthenticationMethod.Read.All",
                "UserAuthenticationMethod.ReadWrite.All",
            ]
        )
    };
    ($path:literal, $name:literal, $names:expr) => {
        both("GET", concat!("/users/{id}/authentication/", $path), $names).own(&[
            concat!("UserAuthMethod-", $name, ".Read"),
            concat!("UserAuthMethod-", $name, ".ReadWrite"),
            "UserAuthenticationMethod.Read",
            "UserAuthenticationMethod.ReadWrite",
        ])
    };
}

/// Reads of methods of one type.
pub(crate) const METHODS_BY_TYPE: &[Operation] = &[
    read!("emailMethods", "Email"),
    read!("emailMethods/{id}", "Email"),
    read!("externalAuthenticationMethods", "External"),
    read!("externalAuthenticationMethods/{id}", "External"),
    // The page of the list names no wider permission.
    read!(
        "fido2Methods",
        "Passkey",
        &["UserAuthMethod-Passkey.Read.All"]
    ),
    read!("fido2Methods/{id}", "Passkey"),
    read!("microsoftAuthenticatorMethods", "MicrosoftAuthApp"),
    read!("microsoftAuthenticatorMethods/{id}", "MicrosoftAuthApp"),
    read!("passwordMethods", "Password"),
    read!("passwordMethods/{id}", "Password"),
    read!("phoneMethods", "Phone"),
    read!("phoneMethods/{id}", "Phone"),
    read!("platformCredentialMethods", "PlatformCred"),
    read!("platformCredentialMethods/{id}", "PlatformCred"),
    read!("softwareOathMethods", "SoftwareOATH"),
    read!("softwareOathMethods/{id}", "SoftwareOATH"),
    read!("temporaryAccessPassMethods", "TAP"),
    read!("temporaryAccessPassMethods/{id}", "TAP"),
    read!("windowsHelloForBusinessMethods", "WindowsHello"),
    read!("windowsHelloForBusinessMethods/{id}", "WindowsHello"),
];
