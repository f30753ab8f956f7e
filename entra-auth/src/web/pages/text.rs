use std::collections::HashMap;

use crate::{Error, sign_in::SignInErrorKind};

/// One text of the pages, to translate or to replace with [`PageTexts`].
///
/// [`english`](Self::english) is the text that is shown unless another one is given. In a text,
/// `{reference}`, `{code}`, `{id}` and `{difference}` are placeholders for values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PageText {
    /// The heading of the text for the administrator.
    AdministratorHeading,
    /// A link that starts the same sign-in once more.
    TryAgain,
    /// A link that starts a sign-in with a choice of accounts.
    OtherAccount,
    /// A link to the front page of the site.
    FrontPage,
    /// A link to the page that an administrator came from.
    Continue,
    /// The button that signs the user out, and a link to its page.
    SignOut,
    /// A link that leaves the sign-out page without signing out.
    StaySignedIn,
    /// A link to a new sign-in, after a sign-out.
    SignInAgain,
    /// The page that asks for an e-mail address, where there are several connections.
    EmailTitle,
    /// The field for the address.
    EmailLabel,
    /// The button below the field.
    EmailNext,
    /// No connection has the domain of the address.
    EmailUnknown,
    /// The path names a connection that does not exist.
    UnknownConnectionTitle,
    /// An explanation for the user.
    UnknownConnection,
    /// An administrator has consented.
    ConsentTitle,
    /// When the consent takes effect.
    Consent,
    /// A sign-in failed.
    NotSignedInTitle,
    /// The session could not be stored.
    SessionNotStored,
    /// The user is signed in with another account, whose session could not be ended.
    AccountNotSwitchedTitle,
    /// The earlier session could not be ended.
    EarlierSessionNotEnded,
    /// The application's check denied access.
    AccessDeniedTitle,
    /// What the application's check returned cannot be stored in a session.
    InvalidUser,
    /// The application's check failed.
    CheckFailed,
    /// An error of this site, for the administrator.
    LogHasErrorForAdministrator,
    /// The session could not be read.
    UnavailableTitle,
    /// An explanation for the user.
    Unavailable,
    /// The page that asks for confirmation of a sign-out.
    ConfirmSignOutTitle,
    /// What a sign-out does.
    ConfirmSignOut,
    /// A rejected sign-out, or a session that is still active after a sign-out.
    StillSignedInTitle,
    /// Another site requested the sign-out.
    ForeignSignOut,
    /// The session is still active.
    StillSignedIn,
    /// After a sign-out.
    SignedOutTitle,
    /// What to do on a shared computer.
    SignedOut,
    /// A sign-out failed.
    SignOutFailedTitle,
    /// The session could not be ended.
    SessionNotEnded,
    /// What that means.
    SessionStillValid,
    /// A link to the sign-out of the sign-in service.
    SignOutOfOrganization,
    /// The reference of the details in the site's log: `{reference}`.
    LogReference,
    /// The AADSTS code: `{code}`.
    EntraError,
    /// The correlation ID of Entra: `{id}`.
    CorrelationId,
    /// The clock of this site's server is ahead of the sign-in service's by `{difference}`, such as
    /// `2 h 1 min`.
    ClockAhead,
    /// The clock of this site's server is behind the sign-in service's by `{difference}`.
    ClockBehind,
    /// The clock of this site's server is right; the difference is `{difference}`.
    ClockAgrees,
    /// The text of a failed sign-in for the user:
    /// [`SignInError::for_user`](crate::sign_in::SignInError::for_user).
    SignInError(SignInErrorKind),
    /// The text of a failed sign-in for the administrator.
    SignInErrorForAdministrator(SignInErrorKind),
}

impl PageText {
    /// All texts, such as for a translation table.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let kinds = SignInErrorKind::ALL;
        let users = kinds.iter().copied().map(Self::SignInError);
        let administrators = kinds.iter().copied().map(Self::SignInErrorForAdministrator);
        FIXED_TEXTS
            .iter()
            .copied()
            .chain(users)
            .chain(administrators)
            .collect()
    }

    /// The text in English.
    #[must_use]
    pub const fn english(self) -> &'static str {
        match self {
            Self::AdministratorHeading => "For your administrator",
            Self::TryAgain => "Try again",
            Self::OtherAccount => "Sign in with another account",
            Self::FrontPage => "Go to the home page",
            Self::Continue => "Continue",
            Self::SignOut => "Sign out",
            Self::StaySignedIn => "Stay signed in",
            Self::SignInAgain => "Sign in again",
            Self::EmailTitle => "Sign in with your organization",
            Self::EmailLabel => "Email address at your organization",
            Self::EmailNext => "Next",
            Self::EmailUnknown => "No organization is set up for this address.",
            Self::UnknownConnectionTitle => "No organization is set up here",
            Self::UnknownConnection => {
                "The link may be out of date, or the organization does not use this site any more."
            }
            Self::ConsentTitle => "Thank you",
            Self::Consent => {
                "The application is approved for your organization. It can take a few minutes until users can sign in."
            }
            Self::NotSignedInTitle => "You are not signed in",
            Self::SessionNotStored => "The site cannot store your session at the moment.",
            Self::AccountNotSwitchedTitle => "You are not signed in with this account",
            Self::EarlierSessionNotEnded => {
                "The site cannot end your earlier session at the moment."
            }
            Self::AccessDeniedTitle => "You do not have access",
            Self::InvalidUser => "You cannot be signed in because of an error of this site.",
            Self::CheckFailed => "The site cannot check your access at the moment.",
            Self::LogHasErrorForAdministrator => "The log of this site contains the error.",
            Self::UnavailableTitle => "Please try again shortly",
            Self::Unavailable => "The site cannot check your session at the moment.",
            Self::ConfirmSignOutTitle => "Sign out?",
            Self::ConfirmSignOut => {
                "You will be signed out of this site and of your organization's account in this browser."
            }
            Self::StillSignedInTitle => "You are still signed in",
            Self::ForeignSignOut => {
                "Another site requested the sign-out, so the request was rejected."
            }
            Self::StillSignedIn => "Your session at this site is still active.",
            Self::SignedOutTitle => "You are signed out",
            Self::SignedOut => {
                "If you share this computer, close the browser to end your sessions at other sites."
            }
            Self::SignOutFailedTitle => "You are not signed out completely",
            Self::SessionNotEnded => {
                "This site could not end your session completely at the moment."
            }
            Self::SessionStillValid => {
                "This browser no longer has the session, but a copy of its cookie would still be valid. Please try again in a minute."
            }
            Self::SignOutOfOrganization => "Sign out of your organization's account",
            Self::LogReference => {
                "The log of this site contains more details under the reference {reference}."
            }
            Self::EntraError => "The error of Microsoft Entra ID is AADSTS{code}.",
            Self::CorrelationId => "The correlation ID is {id}.",
            Self::ClockAhead => {
                "The clock of this site's server is {difference} ahead of the clock of Microsoft Entra ID."
            }
            Self::ClockBehind => {
                "The clock of this site's server is {difference} behind the clock of Microsoft Entra ID."
            }
            Self::ClockAgrees => {
                "The clock of this site's server agrees with the clock of Microsoft Entra ID within {difference}, so the token is an old one."
            }
            Self::SignInError(kind) => kind.for_user(),
            Self::SignInErrorForAdministrator(kind) => kind.for_admin(),
        }
    }
}

/// The texts of the pages in one language, for [`SignInPages::texts`](super::SignInPages::texts).
///
/// A page whose language lacks a text shows that text in English, and marks it as English.
#[derive(Clone, Debug)]
#[must_use = "give it to `SignInPages::texts`"]
pub struct PageTexts {
    language: String,
    texts: HashMap<PageText, String>,
}

impl PageTexts {
    /// No texts yet, in the language of this tag (BCP 47), such as `de` or `pt-BR`.
    pub fn new(language: impl Into<String>) -> Self {
        Self {
            language: language.into(),
            texts: HashMap::new(),
        }
    }

    /// Sets one text, which is plain text: markup in it is escaped.
    pub fn text(mut self, text: PageText, translation: impl Into<String>) -> Self {
        self.texts.insert(text, translation.into());
        self
    }

    /// The tag of the language.
    #[must_use]
    pub fn language(&self) -> &str {
        &self.language
    }

    /// The texts without a translation, which are shown in English.
    #[must_use]
    pub fn missing(&self) -> Vec<PageText> {
        let mut texts = PageText::all();
        texts.retain(|text| !self.texts.contains_key(text));
        texts
    }

    pub(super) fn get(&self, text: PageText) -> Option<&str> {
        self.texts.get(&text).map(String::as_str)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let is_subtag = |part: &str| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let starts_right = self
            .language
            .starts_with(|first: char| first.is_ascii_alphabetic());
        match starts_right && self.language.split('-').all(is_subtag) {
            true => Ok(()),
            false => Err(Error::configuration(
                format!(
                    "the language tag {:?} of page texts is invalid",
                    self.language
                ),
                "give a tag such as en, de or pt-BR (BCP 47)",
            )),
        }
    }
}

/// All texts except for those of sign-in errors.
const FIXED_TEXTS: [PageText; 43] = [
    PageText::AdministratorHeading,
    PageText::TryAgain,
    PageText::OtherAccount,
    PageText::FrontPage,
    PageText::Continue,
    PageText::SignOut,
    PageText::StaySignedIn,
    PageText::SignInAgain,
    PageText::EmailTitle,
    PageText::EmailLabel,
    PageText::EmailNext,
    PageText::EmailUnknown,
    PageText::UnknownConnectionTitle,
    PageText::UnknownConnection,
    PageText::ConsentTitle,
    PageText::Consent,
    PageText::NotSignedInTitle,
    PageText::SessionNotStored,
    PageText::AccountNotSwitchedTitle,
    PageText::EarlierSessionNotEnded,
    PageText::AccessDeniedTitle,
    PageText::InvalidUser,
    PageText::CheckFailed,
    PageText::LogHasErrorForAdministrator,
    PageText::UnavailableTitle,
    PageText::Unavailable,
    PageText::ConfirmSignOutTitle,
    PageText::ConfirmSignOut,
    PageText::StillSignedInTitle,
    PageText::ForeignSignOut,
    PageText::StillSignedIn,
    PageText::SignedOutTitle,
    PageText::SignedOut,
    PageText::SignOutFailedTitle,
    PageText::SessionNotEnded,
    PageText::SessionStillValid,
    PageText::SignOutOfOrganization,
    PageText::LogReference,
    PageText::EntraError,
    PageText::CorrelationId,
    PageText::ClockAhead,
    PageText::ClockBehind,
    PageText::ClockAgrees,
];
