//! Pages that show a message, and the links on them.

use url::Url;

use super::{
    Page, RequestedPermission,
    markup::{escape, field_error, hidden, source, title},
};
use crate::{
    login::{context::Context, error::LoginError},
    state::iso_with_space,
};

/// The link to another account on an error page.
pub(in crate::login) struct SwitchAccount<'a> {
    pub(in crate::login) action: &'a str,
}

/// An error that does not go to the application.
pub(in crate::login) fn error(
    error: &LoginError,
    app: Option<(&str, &str)>,
    switch_account: Option<&SwitchAccount<'_>>,
    context: &Context<'_>,
) -> Page {
    let heading = match error.code {
        90_094 => "Need admin approval",
        53_003 => "You cannot access this right now",
        _ => "Sorry, but we're having trouble signing you in",
    };
    let app = app.map_or_else(String::new, |(name, id)| {
        format!(
            "<dt>App name</dt><dd>{}</dd>\n<dt>App id</dt><dd>{}</dd>\n",
            escape(name),
            escape(id)
        )
    });
    let switch_account = switch_account.map_or_else(String::new, |switch_account| {
        format!(
            "<form method=\"post\" action=\"{}\">\n<div class=\"buttons\">\
             <button id=\"other\" name=\"step\" value=\"other\">Use another account</button>\n\
             <button id=\"cancel\" name=\"step\" value=\"cancel\" class=\"plain\">Cancel</button></div>\n</form>",
            escape(switch_account.action)
        )
    });
    let remedy = remedy(error.code);
    let content = format!(
        "<h1>{heading}</h1>\n<p id=\"error\" role=\"alert\">AADSTS{code}: {text}</p>\n<p>{remedy}</p>\n{switch_account}\
         <h2>Troubleshooting details</h2>\n<p class=\"soft\">If you contact your administrator, send this info to them.</p>\n\
         <dl>\n<dt>Error code</dt><dd id=\"error-code\">{code}</dd>\n<dt>Request Id</dt><dd>{request}</dd>\n\
         <dt>Correlation Id</dt><dd id=\"correlation-id\">{correlation}</dd>\n<dt>Timestamp</dt><dd>{at}</dd>\n{app}</dl>",
        code = error.code,
        text = escape(error.text()),
        request = context.trace_id,
        correlation = context.correlation_id,
        at = iso_with_space(context.now),
    );
    let mut page = Page::new("Sign-in error", content).wide();
    page.status = 400;
    page
}

/// Returns what the user or an administrator can do about an error.
pub(crate) fn remedy(code: u32) -> &'static str {
    match code {
        50_011 | 500_113 => {
            "The owner of the application must add this redirect URI to its registration, exactly as it was sent."
        }
        50_020 => "Sign in with another account, or ask an administrator for an invitation.",
        50_057 => "An administrator can enable the account again.",
        50_105 => {
            "Ask an administrator to assign you to the application, directly or through a group that you are a direct member of."
        }
        50_194 => "The owner of the application must use the organization's own sign-in URL.",
        53_003 => {
            "Your sign-in was successful but does not meet the criteria to access this resource. Contact your administrator, or sign in with another account."
        }
        700_016 | 7_000_112 => {
            "The owner of the application must check its client id, and that the application is installed in this organization."
        }
        90_002 | 900_023 => "Check the URL: it contains the organization to sign in to.",
        90_094 => "Ask an administrator to consent to the application, or sign in as one.",
        _ => "Go back to the application and try again.",
    }
}

/// The last page of a sequence.
pub(in crate::login) fn message(heading: &str, text: &str) -> Page {
    let content = format!(
        "<h1>{}</h1>\n<p role=\"status\">{}</p>",
        escape(heading),
        escape(text)
    );
    Page::new(heading, content)
}

/// After a sign-out: notifies applications in hidden frames, then redirects if there is a URL.
pub(in crate::login) fn signed_out(frames: &[Url], next: Option<&Url>) -> Page {
    let hidden_frames: String = frames
        .iter()
        .map(|address| {
            format!(
                "<iframe src=\"{}\" title=\"Signing out\" aria-hidden=\"true\" tabindex=\"-1\" sandbox=\"allow-same-origin allow-scripts\"></iframe>\n",
                escape(address.as_str())
            )
        })
        .collect();
    let on = next.map_or_else(String::new, |next| {
        format!(
            "<p class=\"buttons\"><a class=\"button\" id=\"continue\" href=\"{}\">Continue</a></p>\n",
            escape(next.as_str())
        )
    });
    let content = format!(
        "<h1>You are signed out</h1>\n\
         <p role=\"status\">It's a good idea to close all browser windows.</p>\n{on}{hidden_frames}"
    );
    let mut page = Page::new("Signed out", content);
    page.frames = frames
        .iter()
        .map(|address| match address.origin().is_tuple() {
            // This page of the application only.
            true => format!("{}{}", source(address), policy_path(address)),
            false => source(address),
        })
        .collect();
    page.next = next.map(|next| next.as_str().to_owned());
    page
}

/// Returns a path for a content security policy, with its separators encoded.
fn policy_path(address: &Url) -> String {
    address.path().replace(';', "%3B").replace(',', "%2C")
}

/// The page for the code of another device.
pub(in crate::login) fn device(
    code: &str,
    app: Option<(&str, &[RequestedPermission])>,
    name: &str,
    message: Option<&str>,
) -> Page {
    let app = app.map_or_else(String::new, |(app, permissions)| {
        let list: String = permissions
            .iter()
            .map(|permission| format!("<li>{}</li>\n", escape(&permission.what)))
            .collect();
        let list = match permissions {
            [] => String::new(),
            _ => format!(
                "<p id=\"wants\">If you sign in, this app can:</p>\n<ul class=\"permissions\" aria-labelledby=\"wants\">\n{list}</ul>\n"
            ),
        };
        format!(
            "<p>You are signing in to <strong>{}</strong> on another device.</p>\n{list}",
            escape(app)
        )
    });
    let (alert, invalid) = field_error(message);
    let content = format!(
        "<h1>Enter code</h1>\n\
         <p class=\"soft\">Enter the code displayed on your app or device. Do not enter a code that you have not requested yourself.</p>\n{app}{alert}\
         <form method=\"post\" action=\"/devicelogin\">\n\
         <label for=\"otc\">Code</label>\n\
         <input class=\"field code\" id=\"otc\" name=\"otc\" value=\"{}\" autocomplete=\"off\" autocapitalize=\"characters\" spellcheck=\"false\" required autofocus{invalid}>\n\
         <label for=\"login\">Email or user name</label>\n\
         <input class=\"field\" id=\"login\" name=\"login\" type=\"text\" inputmode=\"email\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" value=\"{}\" required>\n\
         <label for=\"passwd\">Password</label>\n\
         <input class=\"field\" id=\"passwd\" name=\"passwd\" type=\"password\" autocomplete=\"current-password\" required>\n\
         <div class=\"buttons\"><button id=\"sign-in\" name=\"step\" value=\"password\">Sign in</button>\n\
         <button id=\"decline\" name=\"step\" value=\"decline\" class=\"plain\" formnovalidate>Decline</button></div>\n</form>",
        escape(code),
        escape(name),
    );
    Page::new(&title("Enter code", message), content)
}

/// A form that posts a response to the application, automatically if scripts run.
pub(in crate::login) fn form_post(address: &Url, values: &[(&str, String)]) -> Page {
    let fields: String = values
        .iter()
        .map(|(name, value)| hidden(name, value))
        .collect();
    let content = format!(
        "<h1>Working…</h1>\n<form method=\"post\" action=\"{}\">\n{fields}\
         <noscript><p>Script is disabled. Select Continue to proceed.</p></noscript>\n\
         <div class=\"buttons\"><button id=\"continue\">Continue</button></div>\n</form>",
        escape(address.as_str())
    );
    let mut page = Page::new("Working", content).allowing_redirect_to(address);
    page.script = Some("document.forms[0].submit()");
    page
}
