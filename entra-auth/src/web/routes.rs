//! The routes: sign-in, callback, sign-out and admin consent.

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};

use super::{
    admin_consent::{admin_consent, admin_consent_of, admin_consent_response},
    app::WebSignIn,
    callback::{callback, callback_of, callback_of_post, callback_post},
    route_urls::{
        ADMIN_CONSENT, ADMIN_CONSENT_CALLBACK, FRONT_CHANNEL, SIGN_IN, SIGN_OUT, SIGNED_OUT,
    },
    sign_out::{ask_to_sign_out, front_channel, sign_out, signed_out},
    start::{sign_in, sign_in_with},
};
use crate::user::ResponseMode;

impl WebSignIn {
    /// The routes, to merge into the application's own at the root: their path is in their
    /// [`RouteUrls`](super::RouteUrls).
    pub fn routes<S>(&self) -> Router<S> {
        let site = &self.0;
        let path = |route: &str| site.urls.path(route);
        let named = |route: &str| format!("{}/{{connection}}", path(route));
        // At the root the other method stays the application's own.
        let at_root = site.urls.is_callback_at_root();
        let shared = match (at_root, site.options.response_mode) {
            (false, _) => get(callback).post(callback_post),
            (true, ResponseMode::Query) => get(callback),
            (true, ResponseMode::FormPost) => post(callback_post),
        };
        Router::new()
            .route(&path(SIGN_IN), get(sign_in).post(sign_in))
            .route(&named(SIGN_IN), get(sign_in_with).post(sign_in_with))
            .route(&site.urls.callback_path(), shared)
            .route(
                &site.urls.callback_route(),
                get(callback_of).post(callback_of_post),
            )
            .route(&path(SIGN_OUT), get(ask_to_sign_out).post(sign_out))
            .route(&path(SIGNED_OUT), get(signed_out))
            .route(&path(FRONT_CHANNEL), get(front_channel))
            .route(&path(ADMIN_CONSENT), get(admin_consent))
            .route(&named(ADMIN_CONSENT), get(admin_consent_of))
            .route(&path(ADMIN_CONSENT_CALLBACK), get(admin_consent_response))
            .with_state(Arc::clone(site))
    }
}
