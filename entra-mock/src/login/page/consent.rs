//! What an application wants, to be accepted or declined.

use super::{Page, escape, hidden};

/// One permission an application wants.
pub(in crate::login) struct Wish {
    /// What it allows, in words, or its name if there are none.
    pub(in crate::login) what: String,
    /// The resource and the permission's own name.
    pub(in crate::login) name: String,
}

/// What a consent page is about.
pub(in crate::login) struct Consent<'a> {
    pub(in crate::login) user_name: &'a str,
    pub(in crate::login) app: &'a str,
    /// The domain of whoever has published the application.
    pub(in crate::login) publisher: &'a str,
    pub(in crate::login) wishes: &'a [Wish],
    /// Whether it is asked for the whole organization from the start.
    pub(in crate::login) for_all: bool,
    /// Whether the person may extend it to the whole organization.
    pub(in crate::login) offer_all: bool,
    pub(in crate::login) flow: &'a str,
    pub(in crate::login) action: &'a str,
}

/// The page that asks.
pub(in crate::login) fn consent(about: &Consent<'_>) -> Page {
    let wishes: String = about
        .wishes
        .iter()
        .map(|wish| {
            format!(
                "<li>{}<small>{}</small></li>\n",
                escape(&wish.what),
                escape(&wish.name)
            )
        })
        .collect();
    let (subtitle, explanation) = if about.for_all {
        (
            "<p class=\"soft\">Review for your organization</p>\n",
            "If you accept, this app gets these permissions for everyone in your organization, and nobody else will be asked.",
        )
    } else {
        (
            "",
            "If you accept, this app can use your data as its publisher describes. You can take it back at any time.",
        )
    };
    let all = if about.offer_all {
        "<p class=\"check\"><input id=\"everyone\" name=\"everyone\" type=\"checkbox\" value=\"1\"><label for=\"everyone\">Consent on behalf of your organization</label></p>\n"
    } else {
        ""
    };
    let content = format!(
        "<p class=\"who\">{user_name}</p>\n<h1>Permissions requested</h1>\n{subtitle}\
         <p><strong>{app}</strong><br><span class=\"soft\">{publisher}</span></p>\n\
         <p id=\"wants\">This app would like to:</p>\n<ul class=\"wishes\" aria-labelledby=\"wants\">\n{wishes}</ul>\n\
         <p class=\"soft\">{explanation}</p>\n\
         <form method=\"post\" action=\"{action}\">\n{flow}{all}<div class=\"buttons\">\
         <button id=\"accept\" name=\"step\" value=\"consent\">Accept</button>\n\
         <button id=\"decline\" name=\"step\" value=\"decline\" class=\"plain\">Cancel</button></div>\n</form>",
        user_name = escape(about.user_name),
        app = escape(about.app),
        publisher = escape(about.publisher),
        action = escape(about.action),
        flow = hidden("flow", about.flow),
    );
    Page::new("Permissions requested", content)
}
