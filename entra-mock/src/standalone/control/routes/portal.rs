//! Links to the portal.

use serde_json::json;

use super::super::{
    error::ControlError,
    route::Route,
    schema::{Schema, required},
};

pub(super) const ROUTES: &[&Route] = &[&Route::post(
    "/portal/links",
    "portal link",
    "Creates a link that opens the portal in one browser, once.",
    |call| match call.control.portal().new_link(call.base()) {
        Ok(url) => Ok(json!({ "url": url })),
        Err(error) => Err(ControlError::new(
            500,
            "noRandomness",
            error.to_string(),
            "try again; the system has no randomness",
        )),
    },
)
.creating(&Schema::Object(&[required(
    "url",
    &Schema::Text,
    "The link.",
)]))];
