//! The user and the client of a token.

use super::{client::Client, scope::RequestedScopes};
use crate::{grants::Subject, store::Object};

/// The user and the client of a token.
pub(super) struct TokenSubject<'a> {
    pub(super) client: &'a Client,
    pub(super) user: &'a Object,
    pub(super) subject: &'a Subject,
    pub(super) requested: &'a RequestedScopes,
    /// The client capabilities, such as claims challenges (`cp1`).
    pub(super) capabilities: &'a [String],
    /// Whether the token goes to the browser in the response of the authorize endpoint.
    pub(super) front_channel: bool,
}
