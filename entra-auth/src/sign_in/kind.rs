/// What went wrong with a sign-in: each is a thing of its own for the person or for an admin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignInErrorKind {
    /// A value given by the application cannot be used; nothing was sent.
    Configuration,
    /// There is no flow to finish: the browser's session is gone, or never was here.
    FlowMissing,
    /// The callback has no sense: too long, a parameter twice, neither a code nor an error.
    CallbackMalformed,
    /// The callback answers another browser's sign-in.
    StateMismatch,
    /// The flow was started by another connection.
    OtherConnection,
    /// More than an hour went by.
    Expired,
    /// The flow was finished before.
    Replayed,
    /// Another service than the connection's answers.
    IssuerMismatch,
    /// The person cancelled, or declined to consent.
    Declined,
    /// The person has to consent first.
    ConsentRequired,
    /// An admin has to consent first.
    AdminConsentRequired,
    /// The application is for assigned people only, and the person is not.
    NotAssigned,
    /// The address to come back to is not registered.
    RedirectMismatch,
    /// A second factor is missing, or not set up.
    MfaRequired,
    /// A policy wants a device that the organisation manages.
    DeviceRequired,
    /// A policy, or the risk of the sign-in, keeps the person out.
    ConditionalAccess,
    /// The account does not exist in the tenant.
    AccountNotInTenant,
    /// The person comes from a tenant that may not enter.
    WrongTenant,
    /// The tenant does not exist, or the application is not made for such tenants.
    TenantUnknown,
    /// The tenant has no such application.
    ApplicationUnknown,
    /// The application is switched off.
    ApplicationDisabled,
    /// The application's own secret, certificate or assertion was refused.
    ApplicationCredential,
    /// The account is disabled.
    AccountDisabled,
    /// The account is locked for a while.
    AccountLocked,
    /// The password has expired, or must be changed.
    PasswordExpired,
    /// The person must sign in by hand; nothing can go silently.
    SignInRequired,
    /// The code was redeemed before.
    CodeUsed,
    /// The code was redeemed too late.
    CodeExpired,
    /// The code was made for another browser's sign-in.
    CodeInjected,
    /// The code was refused for another reason.
    CodeRejected,
    /// The ID token answers another sign-in.
    NonceMismatch,
    /// The ID token is for another application.
    AudienceMismatch,
    /// The ID token has ended or is not valid yet, by this machine's clock.
    TokenTime,
    /// The ID token cannot be trusted for another reason.
    TokenRejected,
    /// The sign-in is longer ago than was asked for.
    TooOld,
    /// The groups of the user could not be read for now.
    GroupsUnavailable,
    /// The application lacks the permission to read the groups of the user.
    GroupPermissionMissing,
    /// The directory rejected the request for the groups of the user.
    GroupsRejected,
    /// The sign-in service asked to wait.
    Throttled,
    /// The sign-in service failed or could not be reached.
    Unavailable,
    /// The service refused for another reason.
    Refused,
}

impl SignInErrorKind {
    /// Every kind that there is.
    #[cfg(any(test, feature = "axum"))]
    pub(crate) const ALL: [Self; 41] = [
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
        Self::Throttled,
        Self::Unavailable,
        Self::Refused,
    ];

    /// Whether to start the sign-in once more may help, without anybody changing anything.
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

    /// Whether an administrator has to act, so that the words for the administrator come first.
    #[cfg_attr(
        not(feature = "axum"),
        expect(dead_code, reason = "the pages ask for it")
    )]
    pub(crate) const fn is_for_administrator(self) -> bool {
        matches!(self, Self::GroupPermissionMissing | Self::GroupsRejected)
    }

    /// Whether its own words for the administrator name the permission.
    pub(super) const fn names_permission(self) -> bool {
        matches!(self, Self::GroupPermissionMissing)
    }

    /// What happened, as one line of a log.
    pub(super) const fn summary(self) -> &'static str {
        self.words().0
    }

    /// One sentence for the person.
    pub(crate) const fn for_user(self) -> &'static str {
        self.words().1
    }

    /// One sentence for an admin.
    pub(crate) const fn for_admin(self) -> &'static str {
        self.words().2
    }

    /// For a log, for the person, for an admin.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Configuration => (
                "the sign-in is not set up right",
                "Sign-in is not set up right here; please tell your administrator.",
                "A value of this connection cannot be used: compare tenant, client id, redirect address and credential with the app registration.",
            ),
            Self::FlowMissing => (
                "there is no sign-in to finish",
                "We lost track of your sign-in; please start again from this page, with cookies allowed.",
                "The callback came without the session that its sign-in was started in: the cookie was blocked, has expired, is not sent on the way back from the sign-in page (SameSite), or the callback was opened twice.",
            ),
            Self::CallbackMalformed => (
                "the callback makes no sense",
                "Something went wrong on the way back from the sign-in page; please sign in again.",
                "The callback was not written by Entra: it is too long, has a parameter twice, or has neither a code nor an error; somebody or something in between changed it.",
            ),
            Self::StateMismatch => (
                "the callback answers another browser's sign-in",
                "This sign-in was started in another window or browser; please sign in again here.",
                "The callback's state is not that of this browser's session: two sign-ins ran at once, the session cookie was replaced, or somebody tried to slip in an answer of their own.",
            ),
            Self::OtherConnection => (
                "the sign-in was started with another connection",
                "This sign-in was started for another organisation; please sign in again.",
                "The callback came to another connection's redirect URI, or was handed to another connection, than that of its sign-in: finish it with the connection that started it, and look out for a provider that sends browsers to another one (mix-up).",
            ),
            Self::Expired => (
                "the sign-in took too long",
                "Your sign-in took too long; please sign in again.",
                "More than an hour went by between the start of the sign-in and its callback; nothing is wrong with the connection.",
            ),
            Self::Replayed => (
                "the sign-in was finished before",
                "This sign-in was used already; please sign in again.",
                "The same callback came twice: a page was reloaded, or somebody replays an answer that they saw.",
            ),
            Self::IssuerMismatch => (
                "another service answers",
                "The answer did not come from your organisation's sign-in; please sign in again.",
                "The callback or the ID token names another issuer than this connection's: compare tenant and cloud, and look out for somebody who mixes up sign-in services.",
            ),
            Self::Declined => (
                "the person declined",
                "You cancelled the sign-in; sign in again whenever you like.",
                "The person pressed Cancel or declined to consent; an admin can consent for everyone under API permissions.",
            ),
            Self::ConsentRequired => (
                "consent is missing",
                "You have to allow this application to sign you in; please sign in again and accept.",
                "Nobody has consented to the permissions that the application asks for: let the person consent, or grant admin consent under API permissions.",
            ),
            Self::AdminConsentRequired => (
                "an admin has to consent",
                "Your organisation has to approve this application first; please ask your administrator.",
                "The permissions asked for, or the tenant's policy, need an admin's consent: grant it under API permissions, or send an admin to the admin-consent address.",
            ),
            Self::NotAssigned => (
                "the person is not assigned to the application",
                "You have no access to this application; please ask your administrator.",
                "The application requires an assignment: add the person, or a group that the person is a direct member of, under Enterprise applications > Users and groups.",
            ),
            Self::RedirectMismatch => (
                "the redirect address is not registered",
                "Sign-in is not set up right here; please tell your administrator.",
                "Register the redirect address under Authentication > Web, exactly as the application sends it, with scheme, case and trailing slash.",
            ),
            Self::MfaRequired => (
                "a second factor is missing",
                "Your organisation asks for a second step; please sign in again and complete it.",
                "A policy asks for a second factor that the person did not give or has not set up: have it registered at the person's security info, then sign in interactively.",
            ),
            Self::DeviceRequired => (
                "a managed device is required",
                "Please sign in from a device that your organisation manages.",
                "A Conditional Access policy wants a compliant or joined device: enrol the device, or change the policy that the sign-in log names.",
            ),
            Self::ConditionalAccess => (
                "a policy keeps the person out",
                "Your organisation's rules do not let you sign in from here; please ask your administrator.",
                "A Conditional Access policy, security defaults or the risk of the sign-in blocks it: find the policy in the sign-in log by the correlation id.",
            ),
            Self::AccountNotInTenant => (
                "the account is not in the tenant",
                "This account does not belong to your organisation here; please choose another account.",
                "The account does not exist in this tenant: have the person choose another one (prompt select_account), or invite the account as a guest.",
            ),
            Self::WrongTenant => (
                "people of this tenant may not enter",
                "Your organisation has no access here; please choose another account or ask the provider of this application.",
                "The person signed in to a tenant that this connection does not admit: add the tenant to the allow-list, or look at the tenants' own restrictions.",
            ),
            Self::TenantUnknown => (
                "the tenant was refused",
                "Sign-in is not set up right here; please tell your administrator.",
                "There is no such tenant in this cloud, or the registration does not admit accounts of it: compare the tenant id, and Supported account types of the registration.",
            ),
            Self::ApplicationUnknown => (
                "the tenant has no such application",
                "Sign-in is not set up right here; please tell your administrator.",
                "The tenant does not know this client id: compare it with the registration's Overview page, or have an admin of the tenant consent to the application.",
            ),
            Self::ApplicationDisabled => (
                "the application is switched off",
                "Sign-in is switched off here; please ask your administrator.",
                "The application is disabled in the tenant: see Enterprise applications > Properties > Enabled for users to sign-in.",
            ),
            Self::ApplicationCredential => (
                "the application's own credential was refused",
                "Sign-in is not set up right here; please tell your administrator.",
                "The application's secret, certificate or assertion was refused: add a new one under Certificates & secrets and type its Value in here.",
            ),
            Self::AccountDisabled => (
                "the account is disabled",
                "Your account is disabled; please ask your administrator.",
                "The account is disabled: enable it under Users > Properties > Account status.",
            ),
            Self::AccountLocked => (
                "the account is locked",
                "Your account is locked for a while; please wait some minutes or reset your password.",
                "The account is locked after too many wrong passwords, or the address is known for attacks: see the sign-in log, then wait or reset the password.",
            ),
            Self::PasswordExpired => (
                "the password has expired",
                "Your password has expired; please change it, then sign in again.",
                "The person's password has expired: it is changed at the next interactive sign-in, or reset by an admin.",
            ),
            Self::SignInRequired => (
                "the person has to sign in",
                "Please sign in.",
                "A silent sign-in is not possible, as there is no session, several, or something to ask: start an interactive sign-in.",
            ),
            Self::CodeUsed => (
                "the code was redeemed before",
                "This sign-in was used already; please sign in again.",
                "The authorization code was redeemed before: the callback was opened twice, two servers redeem it, or somebody else was faster.",
            ),
            Self::CodeExpired => (
                "the code came too late",
                "Your sign-in took too long; please sign in again.",
                "The authorization code is good for some ten minutes, and was redeemed later: see why the callback was delayed.",
            ),
            Self::CodeInjected => (
                "the code belongs to another browser's sign-in",
                "This sign-in was started in another window or browser; please sign in again here.",
                "The code was not made for this sign-in (PKCE): somebody put a code of another session into the callback, or two sign-ins were mixed up.",
            ),
            Self::CodeRejected => (
                "the code was refused",
                "Something went wrong on the way back from the sign-in page; please sign in again.",
                "The authorization code was refused: it was changed on the way, or belongs to another tenant, application or redirect address.",
            ),
            Self::NonceMismatch => (
                "the ID token belongs to another sign-in",
                "This sign-in was started in another window or browser; please sign in again here.",
                "The ID token carries another sign-in's nonce: somebody replays a token or a code of another session.",
            ),
            Self::AudienceMismatch => (
                "the ID token is for another application",
                "Something is wrong with this sign-in; please tell your administrator.",
                "The ID token was issued to another application: compare the client id, and see that no proxy answers in the sign-in service's place.",
            ),
            Self::TokenTime => (
                "the ID token is out of its time",
                "Something is wrong with this sign-in; please try again in a few minutes.",
                "The ID token has ended or is not valid yet: see that this server's clock is right.",
            ),
            Self::TokenRejected => (
                "the ID token cannot be trusted",
                "Something is wrong with this sign-in; please tell your administrator.",
                "The ID token is malformed, or not signed by a key of the tenant: compare tenant and cloud, and see that no proxy answers in the sign-in service's place.",
            ),
            Self::TooOld => (
                "the sign-in is too long ago",
                "Please sign in again to confirm that it is you.",
                "The application asked for a recent sign-in (max_age), and the ID token shows an older one or none: add the optional claim auth_time to the ID token under Token configuration.",
            ),
            Self::GroupsUnavailable => (
                "the groups could not be read",
                "We could not check your access just now; please try again in a moment.",
                "The directory did not say whether the user is a member; it failed or could not be reached. Nothing is wrong with the connection.",
            ),
            Self::GroupPermissionMissing => (
                "the application lacks the permission to read groups",
                "Your access cannot be checked because the setup of this site is not complete; please tell your administrator.",
                "Grant the application the Microsoft Graph permission GroupMember.Read.All under API permissions, with an administrator's consent: until then the application cannot read group memberships, and trying again does not help.",
            ),
            Self::GroupsRejected => (
                "the directory rejected the request for the user's groups",
                "Your access cannot be checked because of the setup of this site; please tell your administrator.",
                "Microsoft Graph rejected the request for the user's groups and will reject it again: see that the credential is one of the tenant that the user signed in to.",
            ),
            Self::Throttled => (
                "the sign-in service asked to wait",
                "Sign-in is very busy just now; please try again in a moment.",
                "Entra throttles this application: spread the sign-ins, and look for a loop of redirects.",
            ),
            Self::Unavailable => (
                "the sign-in service is out of reach",
                "Sign-in is not available just now; please try again in a moment.",
                "The sign-in service failed or could not be reached: check network, DNS, proxy and trusted certificates, and Entra's service health.",
            ),
            Self::Refused => (
                "the sign-in was refused",
                "The sign-in was refused; please ask your administrator.",
                "Entra refused the sign-in: find it in the sign-in log by the correlation id.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_kind_has_a_sentence_for_the_person_and_one_for_the_admin() {
        for kind in SignInErrorKind::ALL {
            let (summary, user, admin) = kind.words();
            for sentence in [user, admin] {
                assert!(sentence.ends_with('.'), "{kind:?}: {sentence}");
                assert!(sentence.starts_with(char::is_uppercase), "{kind:?}");
                assert!(!sentence.contains(['\n', '{', '<']), "{kind:?}");
            }
            assert!(!user.chars().any(|c| c.is_ascii_digit()), "{kind:?}");
            assert!(user.len() < 130, "{kind:?}: a person reads one line");
            assert!(summary.starts_with(char::is_lowercase) && !summary.ends_with('.'));
            assert_ne!(user, admin);
        }
    }

    #[test]
    fn an_admin_can_tell_every_kind_from_every_other() {
        let all: HashSet<_> = SignInErrorKind::ALL
            .iter()
            .map(|kind| (kind.summary(), kind.for_admin()))
            .collect();
        assert_eq!(all.len(), SignInErrorKind::ALL.len());
    }

    #[test]
    fn a_person_never_reads_the_words_of_the_protocol() {
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
