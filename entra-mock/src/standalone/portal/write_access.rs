//! Who may change the tenant by a form.

use super::View;

/// Returns an error unless a form may change the tenant.
pub(super) fn may_change(view: &View<'_>) -> Result<(), &'static str> {
    if !view.write {
        return Err(
            "This portal is read-only. Start the server with --portal-write to change the tenant.",
        );
    }
    // Browsers send it with every form, and the guard has compared it with this server.
    match view.request.header("origin") {
        Some(_) => Ok(()),
        None => Err("The request has no Origin header, so it is not from a form of this page."),
    }
}
