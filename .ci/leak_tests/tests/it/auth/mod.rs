//! The types of entra-auth.

mod credentials;
mod stores;
mod users;
mod web;

use crate::{Reason, shown::Shown};

pub(crate) const TENANT: &str = "11111111-1111-1111-1111-111111111111";
pub(crate) const CLIENT: &str = "22222222-2222-2222-2222-222222222222";

pub(crate) const WITHOUT_CASE: &[Reason] = &[
    ("Callback", "it implements neither Debug nor Display"),
    (
        "ReturnPathError",
        "a reason of the program's own; the path is not in it",
    ),
    (
        "AssertionRequest",
        "ids and the token endpoint, which are public",
    ),
    (
        "ProcessCommand",
        "the command line, which other users of the machine see as well",
    ),
    ("ConsentScopes", "names of scopes, which are public"),
    (
        "AdminConsentOptions",
        "names of scopes, a tenant and a redirect URI",
    ),
    ("AdminConsent", "a tenant and names of scopes"),
    (
        "web::token::Caller",
        "a validated token alone, which has a case",
    ),
];

pub(crate) async fn cases(shown: &Shown) {
    credentials::cases(shown).await;
    users::cases(shown).await;
    stores::cases(shown).await;
    web::cases(shown).await;
}
