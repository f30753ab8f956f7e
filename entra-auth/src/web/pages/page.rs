use std::fmt;

use axum::http::StatusCode;

use crate::sign_in::SignInErrorKind;

/// The content of a page of the sign-in, without markup, for a
/// [`PageRenderer`](super::PageRenderer).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page {
    /// The purpose of the page.
    pub kind: PageKind,
    /// The status of the response, which the renderer does not change.
    pub status: StatusCode,
    /// The language of the texts that do not name another one, as a tag (BCP 47), for the `lang`
    /// attribute.
    pub language: String,
    /// Whether the language is written from right to left, for the `dir` attribute.
    pub is_right_to_left: bool,
    /// [`SignInPages::product_name`](super::SignInPages::product_name).
    pub product_name: Option<String>,
    /// [`SignInPages::logo`](super::SignInPages::logo), for the `src` attribute of an image.
    pub logo: Option<String>,
    /// The heading.
    pub title: LocalizedText,
    /// The parts below the heading, in order.
    pub parts: Vec<PagePart>,
}

/// The purpose of a [`Page`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PageKind {
    /// Asks for the e-mail address that decides where the user signs in.
    EmailAddress,
    /// The path names a connection that does not exist.
    UnknownConnection,
    /// A sign-in, or an administrator's consent, failed.
    SignInFailed(SignInErrorKind),
    /// The user signed in, but the session could not be stored.
    SessionNotStored,
    /// The user signed in, but the session of another account could not be ended.
    AccountNotSwitched,
    /// The application's check denied access.
    AccessDenied,
    /// An administrator has consented.
    Consented,
    /// Asks for confirmation of a sign-out.
    ConfirmSignOut,
    /// A sign-out was rejected because another site requested it.
    SignOutRejected,
    /// The user is still signed in.
    StillSignedIn,
    /// The user is signed out.
    SignedOut,
    /// A sign-out failed.
    SignOutFailed,
    /// The session could not be read.
    Unavailable,
}

/// A part of a [`Page`].
#[derive(Clone)]
#[non_exhaustive]
pub enum PagePart {
    /// A paragraph.
    Text(LocalizedText),
    /// A paragraph with an error (`role="alert"`).
    Alert(LocalizedText),
    /// A section for the administrator, with a heading and sentences.
    #[non_exhaustive]
    ForAdministrator {
        /// The heading.
        heading: LocalizedText,
        /// The sentences, to be joined with spaces.
        sentences: Vec<LocalizedText>,
    },
    /// A link.
    #[non_exhaustive]
    Link {
        /// The text of the link.
        label: LocalizedText,
        /// A path on this site, or a URL of the sign-in service.
        url: String,
        /// Whether it is the main action of the page.
        is_main: bool,
    },
    /// A form with only a button, which is posted to a path on this site.
    #[non_exhaustive]
    Form {
        /// The path.
        action: String,
        /// The button.
        button: LocalizedText,
    },
    /// A form with a field `email`, which is posted to a path on this site.
    #[non_exhaustive]
    EmailForm {
        /// The path.
        action: String,
        /// The value of the hidden field `return`.
        return_path: String,
        /// The label of the field `email`.
        label: LocalizedText,
        /// The initial value of the field.
        email: String,
        /// The error of the address.
        error: Option<LocalizedText>,
        /// The button.
        button: LocalizedText,
    },
}

/// A text of a page, without markup: a renderer escapes it, see [`escape`](super::escape).
#[derive(Clone)]
pub struct LocalizedText {
    text: String,
    language: Option<&'static str>,
}

impl LocalizedText {
    pub(super) const fn new(text: String, language: Option<&'static str>) -> Self {
        Self { text, language }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its language if it differs from the page's, for a separate `lang` attribute.
    #[must_use]
    pub const fn language(&self) -> Option<&str> {
        self.language
    }
}

impl fmt::Debug for LocalizedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An application's text may name the user.
        f.debug_struct("LocalizedText")
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PagePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // URLs contain the user's name, and a return path may contain values of the application.
        f.write_str(match self {
            Self::Text(_) => "Text",
            Self::Alert(_) => "Alert",
            Self::ForAdministrator { .. } => "ForAdministrator",
            Self::Link { .. } => "Link",
            Self::Form { .. } => "Form",
            Self::EmailForm { .. } => "EmailForm",
        })
    }
}
