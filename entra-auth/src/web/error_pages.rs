//! The pages of sign-ins that fail.

use axum::{
    http::{self, HeaderMap, StatusCode},
    response::Response,
};

use super::{
    admission::LookUpError,
    app::Site,
    authorize::{AccessDenied, Reason},
    pages::{PageKind, PageText},
    responses::with_security_headers,
};
use crate::sign_in::{ReturnPath, SignInClient, SignInError, SignInErrorKind};

impl Site {
    /// The page of a failed sign-in, for the user and for the administrator.
    pub(super) fn error_page(
        &self,
        error: &SignInError,
        client: Option<&SignInClient>,
        return_path: Option<&ReturnPath>,
        headers: &HeaderMap,
    ) -> Response {
        let connection = client.map(SignInClient::name);
        let reference = self.sessions.reference();
        tracing::warn!(
            reference, %error, detail = error.for_admin(), connection,
            code = error.aadsts_code(), correlation = error.correlation_id(), "sign-in failed"
        );
        let kind = error.kind();
        let page = self.pages.page(
            headers,
            PageKind::SignInFailed(kind),
            status(kind),
            PageText::NotSignedInTitle,
        );
        // Any client can open the page, so what is wrong with this site's own setup is in its log
        // only. The codes and ids of Entra are on the page as well.
        let mut sentences = Vec::new();
        if kind != SignInErrorKind::Configuration {
            sentences.push(page.localized(PageText::SignInErrorForAdministrator(kind), &[]));
        }
        if let Some(difference) = error.clock() {
            let text = match (difference.is_wrong(), difference.is_ahead()) {
                (false, _) => PageText::ClockAgrees,
                (true, true) => PageText::ClockAhead,
                (true, false) => PageText::ClockBehind,
            };
            let amount = difference.amount();
            sentences.push(page.localized(text, &[("difference", &amount)]));
        }
        if let Some(code) = error.aadsts_code() {
            sentences.push(page.localized(PageText::EntraError, &[("code", &code.to_string())]));
        }
        if let Some(id) = error.correlation_id() {
            sentences.push(page.localized(PageText::CorrelationId, &[("id", id)]));
        }
        sentences.push(page.localized(PageText::LogReference, &[("reference", &reference)]));
        // Where only an administrator can help, that text comes first.
        let text = PageText::SignInError(kind);
        let page = match kind.is_for_administrator() {
            true => page.for_admin(sentences).alert(text),
            false => page.alert(text).for_admin(sentences),
        };
        let return_path = return_path.unwrap_or(&self.front_page);
        let page = if error.is_retryable() || kind == SignInErrorKind::Declined {
            let path = self.sign_in_path(connection, return_path, None);
            page.link(PageText::TryAgain, &path)
        } else {
            let path = self.sign_in_path(connection, return_path, Some("select_account"));
            page.link(PageText::OtherAccount, &path)
        };
        let page = page.link(PageText::FrontPage, self.front_page.as_str());
        with_security_headers(page.into_response())
    }

    /// The page of a request whose session cannot be determined.
    pub(super) fn unavailable_page(
        &self,
        error: &LookUpError,
        headers: &HeaderMap,
    ) -> http::Response<String> {
        match error {
            LookUpError::Store(error) => tracing::error!(%error, "the session store failed"),
            LookUpError::AccessUnknown => {
                tracing::error!("the access of a user could not be checked for too long");
            }
        }
        let (kind, title) = (PageKind::Unavailable, PageText::UnavailableTitle);
        self.pages
            .page(headers, kind, StatusCode::SERVICE_UNAVAILABLE, title)
            .text(PageText::Unavailable)
            .render()
    }

    /// The application's check denied access.
    pub(super) fn access_denied_page(
        &self,
        denied: &AccessDenied,
        client: &SignInClient,
        return_path: &ReturnPath,
        headers: &HeaderMap,
    ) -> Response {
        if let Reason::SignIn(error) = &denied.0 {
            return self.error_page(error, Some(client), Some(return_path), headers);
        }
        let connection = client.name();
        match &denied.0 {
            Reason::CheckFailed(error) => {
                let error = &**error as &(dyn std::error::Error + 'static);
                tracing::error!(connection, error, "the application's check failed");
            }
            _ => tracing::info!(connection, "the application's check denied access"),
        }
        let status = match (&denied.0, denied.is_temporary()) {
            (Reason::InvalidUser, _) => StatusCode::INTERNAL_SERVER_ERROR,
            (_, true) => StatusCode::SERVICE_UNAVAILABLE,
            (_, false) => StatusCode::FORBIDDEN,
        };
        let title = match &denied.0 {
            Reason::CheckFailed(_) => PageText::UnavailableTitle,
            _ => PageText::AccessDeniedTitle,
        };
        let kind = PageKind::AccessDenied;
        let page = self.pages.page(headers, kind, status, title);
        let page = match &denied.0 {
            Reason::Product { user, admin, .. } => {
                let page = page.own_alert(user);
                match admin {
                    Some(text) => page.own_for_admin(text),
                    None => page,
                }
            }
            other => {
                let admin = page.localized(PageText::LogHasErrorForAdministrator, &[]);
                let text = match other {
                    Reason::CheckFailed(_) => PageText::CheckFailed,
                    _ => PageText::InvalidUser,
                };
                page.alert(text).for_admin(vec![admin])
            }
        };
        let page = match denied.is_temporary() {
            true => {
                let path = self.sign_in_path(Some(connection), return_path, None);
                page.link(PageText::TryAgain, &path)
            }
            false => {
                let path = self.sign_in_path(Some(connection), return_path, Some("select_account"));
                page.link(PageText::OtherAccount, &path)
            }
        };
        let page = page.link(PageText::FrontPage, self.front_page.as_str());
        with_security_headers(page.into_response())
    }

    pub(super) fn unknown_connection(&self, headers: &HeaderMap) -> Response {
        let kind = PageKind::UnknownConnection;
        let title = PageText::UnknownConnectionTitle;
        let page = self
            .pages
            .page(headers, kind, StatusCode::NOT_FOUND, title)
            .text(PageText::UnknownConnection)
            .link(PageText::FrontPage, self.front_page.as_str());
        with_security_headers(page.into_response())
    }
}

const fn status(kind: SignInErrorKind) -> StatusCode {
    use SignInErrorKind as Kind;
    match kind {
        Kind::Configuration | Kind::GroupPermissionMissing | Kind::GroupsRejected => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        Kind::NotAssigned
        | Kind::WrongTenant
        | Kind::AccountNotInTenant
        | Kind::AccountDisabled
        | Kind::AccountLocked
        | Kind::ConditionalAccess
        | Kind::OtherProvider
        | Kind::DeviceRequired => StatusCode::FORBIDDEN,
        Kind::Throttled | Kind::Unavailable | Kind::GroupsUnavailable => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        _ => StatusCode::BAD_REQUEST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_kind_has_its_http_status() {
        use SignInErrorKind as Kind;
        for (status_of, kinds) in [
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                &[
                    Kind::Configuration,
                    Kind::GroupPermissionMissing,
                    Kind::GroupsRejected,
                ][..],
            ),
            (
                StatusCode::FORBIDDEN,
                &[
                    Kind::NotAssigned,
                    Kind::WrongTenant,
                    Kind::AccountDisabled,
                    Kind::OtherProvider,
                    Kind::DeviceRequired,
                ],
            ),
            (
                StatusCode::SERVICE_UNAVAILABLE,
                &[Kind::Throttled, Kind::Unavailable, Kind::GroupsUnavailable],
            ),
            (
                StatusCode::BAD_REQUEST,
                &[Kind::Declined, Kind::StateMismatch, Kind::CodeUsed],
            ),
        ] {
            for kind in kinds {
                assert_eq!(status(*kind), status_of, "{kind:?}");
            }
        }
    }
}
