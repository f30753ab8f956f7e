//! The HTTP methods of the sign-in side's endpoints.

use crate::wire::Reply;

/// Returns 405 if an endpoint does not take a method, and otherwise `None`. `segments` are in lower case.
///
/// The endpoints for tokens, device codes and managed identities have errors of their own for it.
pub(super) fn not_allowed(method: &str, segments: &[&str]) -> Option<Reply> {
    let allowed: &[&str] = match segments {
        []
        | [_, ".well-known", "openid-configuration"]
        | [_, "v2.0", ".well-known", "openid-configuration"]
        | [_, "discovery", "keys"]
        | [_, "discovery", "v2.0", "keys"]
        | ["common", "discovery", "instance"]
        | [_, "userrealm", _]
        | ["error"]
        | [_, "oauth2", "nativeclient"] => &["GET", "HEAD"],
        [_, "oauth2", "authorize"]
        | [_, "oauth2", "v2.0", "authorize"]
        | [_, "adminconsent"]
        | [_, "v2.0", "adminconsent"]
        | [_, "oauth2", "logout"]
        | [_, "oauth2", "v2.0", "logout"]
        | ["devicelogin"]
        | ["oidc", "userinfo"]
        | [_, "openid", "userinfo"] => &["GET", "HEAD", "POST"],
        _ => return None,
    };
    let reply = || Reply::new(405).with_header("allow", allowed.join(", "));
    (!allowed.contains(&method)).then(reply)
}
