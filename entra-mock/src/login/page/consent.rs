//! The consent page.

use super::{
    Page,
    markup::{escape, hidden},
};

/// One permission that an application requests.
pub(in crate::login) struct RequestedPermission {
    /// Its description, or its name if it has none.
    pub(in crate::login) what: String,
    /// The resource and the permission's own name.
    pub(in crate::login) name: String,
}

/// The content of a consent page.
pub(in crate::login) struct Consent<'a> {
    pub(in crate::login) user_name: &'a str,
    pub(in crate::login) app: &'a str,
    /// The domain of the application's publisher.
    pub(in crate::login) publisher: &'a str,
    pub(in crate::login) permissions: &'a [RequestedPermission],
    /// Whether consent is for the whole organization.
    pub(in crate::login) for_all: bool,
    /// Whether the user can consent for the whole organization.
    pub(in crate::login) offer_all: bool,
    pub(in crate::login) flow: &'a str,
    pub(in crate::login) action: &'a str,
}

/// Returns the consent page.
pub(in crate::login) fn consent(consent: &Consent<'_>) -> Page {
    let permissions: String = consent
        .permissions
        .iter()
        .map(|requested_permission| {
            format!(
                "<li>{}<small>{}</small></li>\n",
                escape(&requested_permission.what),
                escape(&requested_permission.name)
            )
        })
        .collect();
    let (subtitle, explanation) = if consent.for_all {
        (
            "<p class=\"soft\">Review for your organization</p>\n",
            "If you accept, this app will get access to the specified resources for all users in your organization. No one else will be prompted to review these permissions.",
        )
    } else {
        (
            "",
            "If you accept, this app can use your data as specified in its terms of service and privacy statement. You can change these permissions at any time.",
        )
    };
    let all = if consent.offer_all {
        "<p class=\"check\"><input id=\"everyone\" name=\"everyone\" type=\"checkbox\" value=\"1\"><label for=\"everyone\">Consent on behalf of your organization</label></p>\n"
    } else {
        ""
    };
    let content = format!(
        "<p class=\"who\">{user_name}</p>\n<h1>Permissions requested</h1>\n{subtitle}\
         <p><strong>{app}</strong><br><span class=\"soft\">{publisher}</span></p>\n\
         <p id=\"wants\">This app would like to:</p>\n<ul class=\"permissions\" aria-labelledby=\"wants\">\n{permissions}</ul>\n\
         <p class=\"soft\">{explanation}</p>\n\
         <form method=\"post\" action=\"{action}\">\n{flow}{all}<div class=\"buttons\">\
         <button id=\"accept\" name=\"step\" value=\"consent\">Accept</button>\n\
         <button id=\"decline\" name=\"step\" value=\"decline\" class=\"plain\">Cancel</button></div>\n</form>",
        user_name = escape(consent.user_name),
        app = escape(consent.app),
        publisher = escape(consent.publisher),
        action = escape(consent.action),
        flow = hidden("flow", consent.flow),
    );
    Page::new("Permissions requested", content)
}
