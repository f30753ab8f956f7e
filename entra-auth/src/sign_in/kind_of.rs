//! Maps errors of the sign-in service to kinds of sign-in errors.

use entra_core::{MembershipError, MembershipErrorKind};

use super::kind::SignInErrorKind as Kind;
use crate::{
    Error, ErrorKind,
    user::callback::{CallbackMismatch, FORGOTTEN_PASSWORD},
    validate::{TokenValidationError, TokenValidationErrorKind},
};

/// The kind by AADSTS code, then by OAuth error, then by the kind of the error.
pub(super) fn flow_error(error: &Error) -> Kind {
    // The assertion is valid, and a new credential would not help.
    if error.clock_difference().is_some() {
        return Kind::TokenTime;
    }
    // A policy for workloads has the numbers of one for users.
    if error.inner().is_of_application {
        let is_consent =
            |kind: Kind| matches!(kind, Kind::ConsentRequired | Kind::AdminConsentRequired);
        let mut kinds = error.codes().iter().filter_map(|code| aadsts(*code));
        // Only an administrator consents for an application, and no user has to act.
        if kinds.any(is_consent) {
            return Kind::AdminConsentRequired;
        }
        return match error.kind() {
            ErrorKind::Configuration | ErrorKind::Unavailable => Kind::Configuration,
            ErrorKind::Throttled => Kind::Throttled,
            ErrorKind::Service | ErrorKind::Transport => Kind::Unavailable,
            _ => Kind::ApplicationCredential,
        };
    }
    if let Some(kind) = error.codes().iter().find_map(|code| aadsts(*code)) {
        return kind;
    }
    let oauth = error.oauth_error().unwrap_or_default();
    // Azure AD B2C says so with `access_denied`. The text decides no more than which page the user sees.
    if error
        .service_message()
        .is_some_and(|message| message.contains(FORGOTTEN_PASSWORD))
    {
        return Kind::Rejected;
    }
    match (oauth, error.suberror()) {
        ("consent_required", _) | (_, Some("consent_required")) => return Kind::ConsentRequired,
        (_, Some("user_password_expired")) => return Kind::PasswordExpired,
        (_, Some("cancel")) => return Kind::Declined,
        // An unknown AADSTS code is more specific than the OAuth error.
        ("access_denied", _) if error.codes().is_empty() => return Kind::Declined,
        ("login_required" | "interaction_required" | "account_selection_required", _) => {
            return Kind::SignInRequired;
        }
        (_, Some("basic_action" | "additional_action")) => return Kind::MfaRequired,
        (_, Some("device_authentication_failed" | "protection_policy_required")) => {
            return Kind::DeviceRequired;
        }
        ("unauthorized_client", _) => return Kind::ApplicationUnknown,
        ("invalid_tenant" | "invalid_instance", _) => return Kind::TenantUnknown,
        _ => {}
    }
    match error.kind() {
        ErrorKind::Configuration | ErrorKind::Unavailable => Kind::Configuration,
        ErrorKind::InvalidClient => Kind::ApplicationCredential,
        ErrorKind::Throttled => Kind::Throttled,
        ErrorKind::Service | ErrorKind::Transport => Kind::Unavailable,
        ErrorKind::Protocol | ErrorKind::ResponseTooLarge => Kind::TokenRejected,
        ErrorKind::InteractionRequired if oauth == "invalid_grant" => Kind::CodeRejected,
        ErrorKind::InteractionRequired => Kind::SignInRequired,
        ErrorKind::Rejected => Kind::Rejected,
    }
}

/// The kind of a failed group check. If the user has to act, such as for multifactor
/// authentication, the error has that kind; a kind that only an administrator can resolve is never
/// retryable.
pub(super) fn membership(error: &MembershipError) -> Kind {
    let found = Error::find(error).map(flow_error);
    match (error.kind(), found) {
        (MembershipErrorKind::Unavailable, _) => Kind::GroupsUnavailable,
        (_, Some(kind)) if is_of_user(kind) => kind,
        (MembershipErrorKind::PermissionMissing, _)
        | (_, Some(Kind::ConsentRequired | Kind::AdminConsentRequired)) => {
            Kind::GroupPermissionMissing
        }
        _ => Kind::GroupsRejected,
    }
}

/// Whether the user's account, device or authentication is the reason.
pub(super) const fn is_of_user(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::MfaRequired
            | Kind::DeviceRequired
            | Kind::ConditionalAccess
            | Kind::PasswordExpired
            | Kind::AccountDisabled
            | Kind::AccountLocked
            | Kind::SignInRequired
    )
}

pub(super) const fn callback_mismatch(mismatch: CallbackMismatch) -> Kind {
    match mismatch {
        CallbackMismatch::TooLong
        | CallbackMismatch::DuplicateParameter
        | CallbackMismatch::MissingCode
        | CallbackMismatch::MissingState => Kind::CallbackMalformed,
        CallbackMismatch::StateMismatch => Kind::StateMismatch,
        CallbackMismatch::Expired => Kind::Expired,
        CallbackMismatch::RedirectUriMismatch | CallbackMismatch::ClientMismatch => {
            Kind::OtherConnection
        }
        CallbackMismatch::IssuerMismatch | CallbackMismatch::MissingIssuer => Kind::IssuerMismatch,
        CallbackMismatch::MissingRedirectUri => Kind::Configuration,
    }
}

pub(super) fn token_validation(error: &TokenValidationError) -> Kind {
    match error.kind() {
        TokenValidationErrorKind::Issuer => Kind::IssuerMismatch,
        TokenValidationErrorKind::Tenant => Kind::WrongTenant,
        TokenValidationErrorKind::Audience | TokenValidationErrorKind::Client => {
            Kind::AudienceMismatch
        }
        TokenValidationErrorKind::Expired | TokenValidationErrorKind::NotYetValid => {
            Kind::TokenTime
        }
        TokenValidationErrorKind::Nonce => Kind::NonceMismatch,
        TokenValidationErrorKind::KeysUnavailable => Kind::Unavailable,
        _ => Kind::TokenRejected,
    }
}

/// The kinds of Entra's error codes.
const fn aadsts(code: u32) -> Option<Kind> {
    Some(match code {
        65_004 => Kind::Declined,
        65_001 => Kind::ConsentRequired,
        // The registration lists too little: no user can mend that, and it says nothing about one.
        65_005 | 90_008 | 650_056 | 90_093..=90_095 | 90_099 | 900_941 => {
            Kind::AdminConsentRequired
        }
        50_105 | 501_051 => Kind::NotAssigned,
        50_011 | 500_112 | 500_113 => Kind::RedirectMismatch,
        50_072 | 50_074 | 50_076 | 50_078 | 50_079 | 50_088 | 50_158 => Kind::MfaRequired,
        50_097 | 50_127 | 50_129 | 53_000 | 53_001 | 700_003 => Kind::DeviceRequired,
        50_131 | 53_002..=53_004 | 53_010 | 53_011 | 530_032 | 530_034 | 530_035 | 530_084 => {
            Kind::ConditionalAccess
        }
        16_000 | 16_003 | 50_020 | 50_034 | 50_177 | 50_178 | 51_004 | 90_072 | 500_207
        | 500_341 | 500_208 => Kind::AccountNotInTenant,
        50_002 | 500_021 | 500_022 | 500_212 | 500_213 | 1_000_104 => Kind::WrongTenant,
        50_059 | 50_128 | 50_194 | 90_002 | 90_019 | 900_023 | 9_002_332 => Kind::TenantUnknown,
        700_011 | 700_016 | 700_038 | 1_001_010 | 7_000_229 => Kind::ApplicationUnknown,
        7_000_112 => Kind::ApplicationDisabled,
        50_057 => Kind::AccountDisabled,
        50_053 => Kind::AccountLocked,
        50_055 | 50_135 | 50_144 => Kind::PasswordExpired,
        50_058 | 50_089 | 50_132 | 50_133 | 50_140 | 50_143 | 50_173 | 70_043 | 160_021 => {
            Kind::SignInRequired
        }
        54_005 => Kind::CodeUsed,
        70_008 => Kind::CodeExpired,
        50_147 | 50_148 | 501_481 | 501_491 => Kind::CodeInjected,
        70_000 | 700_005 | 9_002_313 => Kind::CodeRejected,
        _ => return None,
    })
}
