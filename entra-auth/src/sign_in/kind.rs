/// What went wrong with a sign-in. Each kind has one text for the user and one for the administrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignInErrorKind {
    /// A value from the application is invalid; nothing was sent.
    Configuration,
    /// There is no pending sign-in: the browser's session expired or never existed.
    FlowMissing,
    /// The callback is malformed: too long, a repeated parameter, or neither a code nor an error.
    CallbackMalformed,
    /// The callback belongs to another browser's sign-in.
    StateMismatch,
    /// The sign-in was started by another connection.
    OtherConnection,
    /// The sign-in was started more than an hour ago.
    Expired,
    /// The sign-in was finished before.
    Replayed,
    /// The response is from another service than the connection's.
    IssuerMismatch,
    /// The user cancelled, or declined to consent.
    Declined,
    /// The user has to consent first.
    ConsentRequired,
    /// An administrator has to consent first.
    AdminConsentRequired,
    /// The application requires an assignment, and the user is not assigned.
    NotAssigned,
    /// The redirect URI is not registered.
    RedirectMismatch,
    /// Multifactor authentication is required, or not set up.
    MfaRequired,
    /// A policy requires a device that the organization manages.
    DeviceRequired,
    /// A policy, or the risk of the sign-in, blocks the user.
    ConditionalAccess,
    /// The account does not exist in the tenant.
    AccountNotInTenant,
    /// The user's tenant is not admitted.
    WrongTenant,
    /// The tenant does not exist, or the application does not support its accounts.
    TenantUnknown,
    /// The tenant has no such application.
    ApplicationUnknown,
    /// The application is disabled.
    ApplicationDisabled,
    /// The application's secret, certificate or assertion was rejected.
    ApplicationCredential,
    /// The account is disabled.
    AccountDisabled,
    /// The account is locked for a while.
    AccountLocked,
    /// The password has expired, or must be changed.
    PasswordExpired,
    /// The user must sign in interactively; a silent sign-in is not possible.
    SignInRequired,
    /// The code was redeemed before.
    CodeUsed,
    /// The code has expired.
    CodeExpired,
    /// The code was issued for another browser's sign-in.
    CodeInjected,
    /// The code was rejected for another reason.
    CodeRejected,
    /// The ID token belongs to another sign-in.
    NonceMismatch,
    /// The ID token is for another application.
    AudienceMismatch,
    /// The ID token, or the assertion that authenticates the application, is outside of its validity
    /// period: most often this machine's clock is wrong, see
    /// [`SignInError::clock_difference`](super::SignInError::clock_difference).
    TokenTime,
    /// The ID token is invalid for another reason.
    TokenRejected,
    /// The user signed in longer ago than `max_age` allows.
    TooOld,
    /// The user's groups could not be read at the moment.
    GroupsUnavailable,
    /// The application lacks the permission to read the user's groups.
    GroupPermissionMissing,
    /// The directory rejected the request for the user's groups.
    GroupsRejected,
    /// The application asks a directory for the groups of a user of another provider than Entra.
    OtherProvider,
    /// The sign-in service throttled the request.
    Throttled,
    /// The sign-in service failed or could not be reached.
    Unavailable,
    /// The service returned another error.
    Rejected,
}

impl SignInErrorKind {
    /// Every kind that there is.
    #[cfg(any(test, feature = "axum"))]
    pub(crate) const ALL: [Self; 42] = [
        Self::Configuration,
        Self::FlowMissing,
        Self::CallbackMalformed,
        Self::StateMismatch,
        Self::OtherConnection,
        Self::Expired,
        Self::Replayed,
        Self::IssuerMismatch,
        Self::Declined,
        Self::ConsentRequired,
        Self::AdminConsentRequired,
        Self::NotAssigned,
        Self::RedirectMismatch,
        Self::MfaRequired,
        Self::DeviceRequired,
        Self::ConditionalAccess,
        Self::AccountNotInTenant,
        Self::WrongTenant,
        Self::TenantUnknown,
        Self::ApplicationUnknown,
        Self::ApplicationDisabled,
        Self::ApplicationCredential,
        Self::AccountDisabled,
        Self::AccountLocked,
        Self::PasswordExpired,
        Self::SignInRequired,
        Self::CodeUsed,
        Self::CodeExpired,
        Self::CodeInjected,
        Self::CodeRejected,
        Self::NonceMismatch,
        Self::AudienceMismatch,
        Self::TokenTime,
        Self::TokenRejected,
        Self::TooOld,
        Self::GroupsUnavailable,
        Self::GroupPermissionMissing,
        Self::GroupsRejected,
        Self::OtherProvider,
        Self::Throttled,
        Self::Unavailable,
        Self::Rejected,
    ];

    /// Whether a user who is signed in and whose re-check fails with this kind has no access any more, see
    /// [`SignInClient::renew`](crate::SignInClient::renew).
    ///
    /// Every other kind can be a fault of the application, its setup, the service or one replica, which
    /// all users have in common: keep their sessions, and check again later.
    #[must_use]
    pub const fn ends_session(self) -> bool {
        // Each kind is named, so that a new one is decided about.
        match self {
            Self::Declined
            | Self::ConsentRequired
            | Self::NotAssigned
            | Self::MfaRequired
            | Self::DeviceRequired
            | Self::ConditionalAccess
            | Self::AccountNotInTenant
            | Self::WrongTenant
            | Self::AccountDisabled
            | Self::AccountLocked
            | Self::PasswordExpired
            | Self::SignInRequired
            | Self::CodeUsed
            | Self::CodeExpired
            | Self::CodeInjected
            | Self::CodeRejected
            | Self::TooOld
            | Self::OtherProvider => true,
            Self::Configuration
            | Self::FlowMissing
            | Self::CallbackMalformed
            | Self::StateMismatch
            | Self::OtherConnection
            | Self::Expired
            | Self::Replayed
            | Self::IssuerMismatch
            | Self::AdminConsentRequired
            | Self::RedirectMismatch
            | Self::TenantUnknown
            | Self::ApplicationUnknown
            | Self::ApplicationDisabled
            | Self::ApplicationCredential
            | Self::NonceMismatch
            | Self::AudienceMismatch
            | Self::TokenTime
            | Self::TokenRejected
            | Self::GroupsUnavailable
            | Self::GroupPermissionMissing
            | Self::GroupsRejected
            | Self::Throttled
            | Self::Unavailable
            | Self::Rejected => false,
        }
    }

    /// Whether a new sign-in may succeed without any change to the setup.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::FlowMissing
                | Self::CallbackMalformed
                | Self::StateMismatch
                | Self::OtherConnection
                | Self::Expired
                | Self::Replayed
                | Self::Declined
                | Self::ConsentRequired
                | Self::MfaRequired
                | Self::AccountNotInTenant
                | Self::WrongTenant
                | Self::PasswordExpired
                | Self::SignInRequired
                | Self::CodeUsed
                | Self::CodeExpired
                | Self::CodeInjected
                | Self::CodeRejected
                | Self::NonceMismatch
                | Self::TooOld
                | Self::GroupsUnavailable
                | Self::Throttled
                | Self::Unavailable
        )
    }

    /// Whether an administrator has to act, so that the text for the administrator comes first.
    #[cfg_attr(
        not(feature = "axum"),
        expect(dead_code, reason = "only the pages use it")
    )]
    pub(crate) const fn is_for_administrator(self) -> bool {
        matches!(self, Self::GroupPermissionMissing | Self::GroupsRejected)
    }

    /// Whether the text for the administrator names the permission.
    pub(super) const fn names_permission(self) -> bool {
        matches!(self, Self::GroupPermissionMissing)
    }

    /// What happened, in one line for a log.
    pub(super) const fn summary(self) -> &'static str {
        self.texts().0
    }

    /// One sentence for the user.
    pub(crate) const fn for_user(self) -> &'static str {
        self.texts().1
    }

    /// One sentence for the administrator.
    pub(crate) const fn for_admin(self) -> &'static str {
        self.texts().2
    }

    /// The texts for a log, for the user and for the administrator.
    const fn texts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Configuration => (
                "the sign-in is misconfigured",
                "Sign-in is not set up correctly here; please tell your administrator.",
                "A setting of this connection is invalid: compare tenant, client ID, redirect URI and credential with the app registration.",
            ),
            Self::FlowMissing => (
                "there is no pending sign-in",
                "We lost track of your sign-in; please start again from this page, with cookies allowed.",
                "The callback came without the cookie of its sign-in: the cookie was blocked, has expired, is not sent on the way back from the sign-in page (SameSite), or the callback was opened twice.",
            ),
            Self::CallbackMalformed => (
                "the callback is malformed",
                "Something went wrong on the way back from the sign-in page; please sign in again.",
                "The callback was not written by Entra: it is too long, repeats a parameter, or has neither a code nor an error. A proxy or another party changed it.",
            ),
            Self::StateMismatch => (
                "the callback belongs to another browser's sign-in",
                "This sign-in was started in another window or browser; please sign in again here.",
                "The callback's state is not the state of this browser's sign-in: two sign-ins ran at once, the cookie was replaced, or an attacker injected a response.",
            ),
            Self::OtherConnection => (
                "the sign-in was started with another connection",
                "This sign-in was started for another organization; please sign in again.",
                "The callback came to the redirect URI of another connection, or was given to another connection, than the one that started the sign-in. If it happens often, look for a provider that redirects browsers to another one (mix-up attack).",
            ),
            Self::Expired => (
                "the sign-in took too long",
                "Your sign-in took too long; please sign in again.",
                "The callback came more than an hour after the start of the sign-in; the connection is not at fault.",
            ),
            Self::Replayed => (
                "the sign-in was finished before",
                "This sign-in was used already; please sign in again.",
                "The same callback came twice: the page was reloaded, or an attacker replays a response.",
            ),
            Self::IssuerMismatch => (
                "the response is from another issuer",
                "The response did not come from your organization's sign-in; please sign in again.",
                "The callback or the ID token names another issuer than this connection's: compare tenant and cloud. If they are right, look for a mix-up attack.",
            ),
            Self::Declined => (
                "the user declined",
                "You cancelled the sign-in; sign in again whenever you like.",
                "The user cancelled or declined to consent. An administrator can consent for all users under API permissions.",
            ),
            Self::ConsentRequired => (
                "consent is missing",
                "You have to allow this application to sign you in; please sign in again and accept.",
                "Neither the user nor an administrator has consented to the permissions that the application requests: have the user consent, or grant admin consent under API permissions.",
            ),
            Self::AdminConsentRequired => (
                "an administrator has to consent",
                "Your organization has to approve this application first; please ask your administrator.",
                "The requested permissions, or the tenant's policy, require admin consent: grant it under API permissions, or open the admin consent page.",
            ),
            Self::NotAssigned => (
                "the user is not assigned to the application",
                "You have no access to this application; please ask your administrator.",
                "The application requires an assignment: add the user, or a group with the user as a direct member, under Enterprise applications > Users and groups.",
            ),
            Self::RedirectMismatch => (
                "the redirect URI is not registered",
                "Sign-in is not set up correctly here; please tell your administrator.",
                "Register the redirect URI under Authentication > Web exactly as the application sends it, with scheme, case and trailing slash.",
            ),
            Self::MfaRequired => (
                "multifactor authentication is required",
                "Your organization requires a second step; please sign in again and complete it.",
                "A policy requires multifactor authentication, which the user did not complete or has not set up: have the user register a method under Security info, then sign in interactively.",
            ),
            Self::DeviceRequired => (
                "a managed device is required",
                "Please sign in from a device that your organization manages.",
                "A Conditional Access policy requires a compliant or joined device: enroll the device, or change the policy that the sign-in log names.",
            ),
            Self::ConditionalAccess => (
                "a policy blocks the sign-in",
                "Your organization's rules do not let you sign in from here; please ask your administrator.",
                "A Conditional Access policy, security defaults or the risk of the sign-in blocks it: find the policy in the sign-in log by the correlation ID.",
            ),
            Self::AccountNotInTenant => (
                "the account is not in the tenant",
                "This account does not belong to your organization here; please choose another account.",
                "The account does not exist in this tenant: have the user choose another one (prompt select_account), or invite the account as a guest.",
            ),
            Self::WrongTenant => (
                "the user's tenant is not admitted",
                "Your organization has no access here; please choose another account or ask the provider of this application.",
                "The user signed in to a tenant that this connection does not admit: add the tenant to the connection's tenants, or check the tenant restrictions of the network.",
            ),
            Self::TenantUnknown => (
                "the tenant was rejected",
                "Sign-in is not set up correctly here; please tell your administrator.",
                "The tenant does not exist in this cloud, or the app registration does not support its accounts: compare the tenant ID, and Supported account types of the registration.",
            ),
            Self::ApplicationUnknown => (
                "the tenant has no such application",
                "Sign-in is not set up correctly here; please tell your administrator.",
                "The tenant does not have this client ID: compare it with the Overview page of the app registration, or have an administrator of the tenant consent to the application.",
            ),
            Self::ApplicationDisabled => (
                "the application is disabled",
                "Sign-in is disabled here; please ask your administrator.",
                "The application is disabled in the tenant: see Enterprise applications > Properties > Enabled for users to sign-in.",
            ),
            Self::ApplicationCredential => (
                "the application's credential was rejected",
                "Sign-in is not set up correctly here; please tell your administrator.",
                "The application's secret, certificate or assertion was rejected: add a new one under Certificates & secrets and use its value.",
            ),
            Self::AccountDisabled => (
                "the account is disabled",
                "Your account is disabled; please ask your administrator.",
                "The account is disabled: enable it under Users > Properties > Account status.",
            ),
            Self::AccountLocked => (
                "the account is locked",
                "Your account is locked for a while; please wait some minutes or reset your password.",
                "The account is locked after too many wrong passwords, or the IP address is known for attacks: see the sign-in log, then wait or reset the password.",
            ),
            Self::PasswordExpired => (
                "the password has expired",
                "Your password has expired; please change it, then sign in again.",
                "The user's password has expired: the user changes it at the next interactive sign-in, or an administrator resets it.",
            ),
            Self::SignInRequired => (
                "the user has to sign in",
                "Please sign in.",
                "A silent sign-in is not possible because there is no session, there are several, or the user has to act: start an interactive sign-in.",
            ),
            Self::CodeUsed => (
                "the authorization code was redeemed before",
                "This sign-in was used already; please sign in again.",
                "The authorization code was redeemed before: the callback was opened twice, two servers redeem it, or another party redeemed it first.",
            ),
            Self::CodeExpired => (
                "the authorization code has expired",
                "Your sign-in took too long; please sign in again.",
                "The authorization code is valid for about ten minutes and was redeemed later: find out why the callback was delayed.",
            ),
            Self::CodeInjected => (
                "the authorization code belongs to another browser's sign-in",
                "This sign-in was started in another window or browser; please sign in again here.",
                "The code was not issued for this sign-in (PKCE): a code of another session was injected into the callback, or two sign-ins were mixed up.",
            ),
            Self::CodeRejected => (
                "the authorization code was rejected",
                "Something went wrong on the way back from the sign-in page; please sign in again.",
                "The authorization code was rejected: it was changed on the way, or belongs to another tenant, application or redirect URI.",
            ),
            Self::NonceMismatch => (
                "the ID token belongs to another sign-in",
                "This sign-in was started in another window or browser; please sign in again here.",
                "The nonce of the ID token belongs to another sign-in: a token or a code of another session was replayed.",
            ),
            Self::AudienceMismatch => (
                "the ID token is for another application",
                "Something is wrong with this sign-in; please tell your administrator.",
                "The ID token was issued to another application: compare the client ID, and check that no proxy responds in place of the sign-in service.",
            ),
            Self::TokenTime => (
                "a token has expired or is not valid yet",
                "Something is wrong with this sign-in; please try again in a few minutes.",
                "The ID token, or the assertion that authenticates this application, has expired or is not valid yet: check the clock of this server.",
            ),
            Self::TokenRejected => (
                "the ID token is invalid",
                "Something is wrong with this sign-in; please tell your administrator.",
                "The ID token is malformed, or not signed with a key of the tenant: compare tenant and cloud, and check that no proxy responds in place of the sign-in service.",
            ),
            Self::TooOld => (
                "the user signed in too long ago",
                "Please sign in again to confirm that it is you.",
                "The application requires a recent sign-in (max_age), and the ID token shows an older one or none: add the optional claim auth_time to the ID token under Token configuration.",
            ),
            Self::GroupsUnavailable => (
                "the user's groups could not be read",
                "We could not check your access just now; please try again in a moment.",
                "The directory failed or could not be reached, so it is not known whether the user is a member. The connection is not at fault.",
            ),
            Self::GroupPermissionMissing => (
                "the application lacks the permission to read groups",
                "Your access cannot be checked because the setup of this site is not complete; please tell your administrator.",
                "Grant the application the Microsoft Graph permission GroupMember.Read.All under API permissions, with admin consent. Until then the application cannot read group memberships, and trying again does not help.",
            ),
            Self::GroupsRejected => (
                "the directory rejected the request for the user's groups",
                "Your access cannot be checked because of the setup of this site; please tell your administrator.",
                "The user's groups cannot be read in this directory, and a new attempt will not change it: check that the credential is of the tenant that the user signed in to.",
            ),
            Self::OtherProvider => (
                "a user of another provider is in no directory",
                "Your access cannot be checked with this account; please use another one or ask your administrator.",
                "The user signed in at another provider than Microsoft Entra ID, whose object ids are not looked up in a directory: decide by the claims of that provider, such as Identity::groups, which users of its connection have access.",
            ),
            Self::Throttled => (
                "the sign-in service throttled the request",
                "Sign-in is very busy just now; please try again in a moment.",
                "Entra throttles this application: spread the sign-ins, and look for a redirect loop.",
            ),
            Self::Unavailable => (
                "the sign-in service is unavailable",
                "Sign-in is not available just now; please try again in a moment.",
                "The sign-in service failed or could not be reached: check network, DNS, proxy and trusted certificates, and Entra's service health.",
            ),
            Self::Rejected => (
                "the sign-in service returned an error",
                "The sign-in failed; please ask your administrator.",
                "Entra returned an error: find the sign-in in the sign-in log by the correlation ID.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_kind_has_a_text_for_the_user_and_one_for_the_administrator() {
        for kind in SignInErrorKind::ALL {
            let (summary, user, admin) = kind.texts();
            for sentence in [user, admin] {
                assert!(sentence.ends_with('.'), "{kind:?}: {sentence}");
                assert!(sentence.starts_with(char::is_uppercase), "{kind:?}");
                assert!(!sentence.contains(['\n', '{', '<']), "{kind:?}");
            }
            assert!(!user.chars().any(|c| c.is_ascii_digit()), "{kind:?}");
            assert!(user.len() < 130, "{kind:?}: users read one line");
            assert!(summary.starts_with(char::is_lowercase) && !summary.ends_with('.'));
            assert_ne!(user, admin);
        }
    }

    #[test]
    fn every_kind_has_a_text_of_its_own_for_the_administrator() {
        let all: HashSet<_> = SignInErrorKind::ALL
            .iter()
            .map(|kind| (kind.summary(), kind.for_admin()))
            .collect();
        assert_eq!(all.len(), SignInErrorKind::ALL.len());
    }

    #[test]
    fn texts_for_users_have_no_protocol_terms() {
        for kind in SignInErrorKind::ALL {
            let user = kind.for_user().to_lowercase();
            for word in [
                "token", "tenant", "state", "nonce", "oauth", "entra", "code ", "redirect",
            ] {
                assert!(!user.contains(word), "{kind:?}: {user}");
            }
        }
    }
}
