//! Administrators consent for all users of their tenant.

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};

use super::{
    app::{Site, SiteState},
    cookies::{Consent, FlowCookie},
    pages::{PageKind, PageText},
    request_parts::{parameter, state},
    responses::{redirect, with_cookies, with_security_headers},
};
use crate::sign_in::{AdminConsentOptions, SignInClient, SignInError};

pub(super) async fn admin_consent(
    State(site): SiteState,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    match site.only_connection() {
        Some(client) => site.start_admin_consent(&client, &uri, &headers),
        None => site.unknown_connection(&headers),
    }
}

pub(super) async fn admin_consent_of(
    State(site): SiteState,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    match site.connections.by_name(&name) {
        Some(client) => site.start_admin_consent(&client, &uri, &headers),
        None => site.unknown_connection(&headers),
    }
}

pub(super) async fn admin_consent_response(
    State(site): SiteState,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let parameters = uri.query().unwrap_or_default();
    let pending = state(parameters).and_then(|id| {
        site.cookies
            .take_pending::<Consent>(FlowCookie::Consent, &id, &headers)
    });
    let Some((consent, removal)) = pending else {
        return site.error_page(&SignInError::flow_missing(), None, None, &headers);
    };
    let client = site.connections.by_name(consent.state.connection());
    let Some(client) = client else {
        return with_cookies(site.unknown_connection(&headers), [removal]);
    };
    let response = match client.finish_admin_consent(consent.state, parameters) {
        Ok(_) => site
            .pages
            .page(
                &headers,
                PageKind::Consented,
                StatusCode::OK,
                PageText::ConsentTitle,
            )
            .text(PageText::Consent)
            .link(PageText::Continue, consent.return_path.as_str())
            .into_response(),
        Err(error) => site.error_page(&error, None, None, &headers),
    };
    with_cookies(response, [removal])
}

impl Site {
    fn start_admin_consent(
        &self,
        client: &SignInClient,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Response {
        let options = AdminConsentOptions {
            redirect_uri: Some(self.urls.admin_consent_callback()),
            ..AdminConsentOptions::default()
        };
        let (url, state) = match client.admin_consent(&options) {
            Ok(started) => started,
            Err(error) => return self.error_page(&error, None, None, headers),
        };
        let requested = parameter(uri.query().unwrap_or_default(), "return");
        let return_path = self.return_path(requested.as_deref());
        let id = state.id().to_owned();
        let consent = Consent { state, return_path };
        match self
            .cookies
            .pending_cookie(FlowCookie::Consent, &id, &consent)
        {
            Some(cookie) => {
                let removals = self.cookies.remove_oldest(headers, &cookie);
                let cookies = std::iter::once(cookie).chain(removals);
                with_cookies(redirect(url.as_str()), cookies)
            }
            None => with_security_headers(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        }
    }
}
