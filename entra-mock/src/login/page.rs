//! The pages a person sees. Plain HTML without scripts or outside assets; every text is escaped.

use super::{context::Context, error::LoginError};
use crate::{state::iso_with_space, wire::Reply};

/// A page as an answer; `nonce` admits the one script there may be.
pub(super) fn html(status: u16, page: String, nonce: &str) -> Reply {
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-{nonce}'; frame-ancestors 'none'; base-uri 'none'"
    );
    Reply::new(status)
        .with_header("content-type", "text/html; charset=utf-8")
        .with_header("cache-control", "no-store, no-cache")
        .with_header("content-security-policy", policy)
        .with_header("x-content-type-options", "nosniff")
        .with_header("referrer-policy", "no-referrer")
        .with_body(page)
}

/// User name and password.
pub(super) fn sign_in(app: &str, name: &str, action: &str, error: Option<&LoginError>) -> String {
    let alert = alert(error.map(LoginError::text));
    let content = format!(
        "<h1>Sign in</h1>\n<p>to continue to {app}</p>\n{alert}\
         <form method=\"post\" action=\"{action}\">\n\
         <label for=\"login\">User name</label>\n\
         <input id=\"login\" name=\"login\" type=\"email\" autocomplete=\"username\" value=\"{name}\" required autofocus>\n\
         <label for=\"passwd\">Password</label>\n\
         <input id=\"passwd\" name=\"passwd\" type=\"password\" autocomplete=\"current-password\" required>\n\
         <div class=\"buttons\"><button name=\"step\" value=\"password\">Sign in</button>\n\
         <button name=\"step\" value=\"cancel\" class=\"plain\" formnovalidate>Cancel</button></div>\n</form>",
        app = escape(app),
        action = escape(action),
        name = escape(name),
    );
    layout("Sign in", &content)
}

/// The second factor.
pub(super) fn second_factor(action: &str) -> String {
    let content = format!(
        "<h1>Approve the sign-in</h1>\n<p>This account needs a second factor. The fake tenant takes a press of the button for one.</p>\n\
         <form method=\"post\" action=\"{}\">\n<div class=\"buttons\">\
         <button name=\"step\" value=\"second-factor\" autofocus>Approve</button>\n\
         <button name=\"step\" value=\"cancel\" class=\"plain\">Cancel</button></div>\n</form>",
        escape(action)
    );
    layout("Approve the sign-in", &content)
}

/// What an application wants to do on the person's behalf.
pub(super) fn consent(app: &str, wishes: &[String], action: &str) -> String {
    let wishes: String = wishes
        .iter()
        .map(|wish| format!("<li>{}</li>\n", escape(wish)))
        .collect();
    let content = format!(
        "<h1>Permissions requested</h1>\n<p>{} wants to:</p>\n<ul>\n{wishes}</ul>\n\
         <form method=\"post\" action=\"{}\">\n<div class=\"buttons\">\
         <button name=\"step\" value=\"consent\" autofocus>Accept</button>\n\
         <button name=\"step\" value=\"decline\" class=\"plain\">Cancel</button></div>\n</form>",
        escape(app),
        escape(action)
    );
    layout("Permissions requested", &content)
}

/// A code from another device.
pub(super) fn device(code: &str, message: Option<&str>) -> String {
    let content = format!(
        "<h1>Enter the code</h1>\n<p>Sign in to the app on your other device.</p>\n{}\
         <form method=\"post\" action=\"/devicelogin\">\n\
         <label for=\"otc\">Code</label>\n\
         <input id=\"otc\" name=\"otc\" value=\"{}\" autocomplete=\"off\" autocapitalize=\"characters\" required autofocus>\n\
         <label for=\"login\">User name</label>\n\
         <input id=\"login\" name=\"login\" type=\"email\" autocomplete=\"username\" required>\n\
         <label for=\"passwd\">Password</label>\n\
         <input id=\"passwd\" name=\"passwd\" type=\"password\" autocomplete=\"current-password\" required>\n\
         <div class=\"buttons\"><button name=\"step\" value=\"password\">Sign in</button>\n\
         <button name=\"step\" value=\"decline\" class=\"plain\" formnovalidate>Decline</button></div>\n</form>",
        alert(message),
        escape(code)
    );
    layout("Enter the code", &content)
}

/// The end of a way.
pub(super) fn message(title: &str, text: &str) -> String {
    let content = format!(
        "<h1>{}</h1>\n<p role=\"status\">{}</p>",
        escape(title),
        escape(text)
    );
    layout(title, &content)
}

/// A refusal that no application hears of.
pub(super) fn error(error: &LoginError, context: &Context<'_>) -> String {
    let content = format!(
        "<h1>Sorry, but we cannot sign you in</h1>\n<p role=\"alert\">AADSTS{}: {}</p>\n\
         <dl>\n<dt>Request Id</dt><dd>{}</dd>\n<dt>Correlation Id</dt><dd>{}</dd>\n<dt>Timestamp</dt><dd>{}</dd>\n</dl>",
        error.code,
        escape(error.text()),
        context.trace_id,
        context.correlation_id,
        iso_with_space(context.now)
    );
    layout("Sign-in error", &content)
}

/// A form that brings an answer to the application, by itself where scripts run.
pub(super) fn form_post(address: &str, values: &[(&str, String)], nonce: &str) -> String {
    let fields: String = values
        .iter()
        .map(|(name, value)| {
            format!(
                "<input type=\"hidden\" name=\"{}\" value=\"{}\">\n",
                escape(name),
                escape(value)
            )
        })
        .collect();
    let content = format!(
        "<h1>Working…</h1>\n<form method=\"post\" action=\"{}\">\n{fields}\
         <noscript><p>Press the button to go on.</p><button>Continue</button></noscript>\n</form>\n\
         <script nonce=\"{nonce}\">document.forms[0].submit()</script>",
        escape(address)
    );
    layout("Working", &content)
}

pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn alert(text: Option<&str>) -> String {
    text.map(|text| format!("<p role=\"alert\" class=\"alert\">{}</p>\n", escape(text)))
        .unwrap_or_default()
}

fn layout(title: &str, content: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{} - fake tenant</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{content}\n</main>\n</body>\n</html>\n",
        escape(title)
    )
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f2f2f2;color:#1b1b1b}\
main{max-width:26rem;margin:10vh auto;padding:2rem;background:#fff;border-radius:4px}\
h1{font-size:1.5rem;margin:0 0 .5rem}label{display:block;margin-top:1rem}\
input{box-sizing:border-box;width:100%;padding:.5rem;font:inherit;border:1px solid #666}\
.buttons{display:flex;gap:.5rem;justify-content:flex-end;margin-top:1.5rem}\
button{padding:.5rem 1.5rem;font:inherit;border:1px solid #0b5cad;background:#0b5cad;color:#fff}\
button.plain{background:#fff;color:#0b5cad}.alert{color:#a4262c}dd{margin:0 0 .5rem;overflow-wrap:anywhere}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_from_outside_becomes_markup() {
        let nasty = "\"><script>alert('x')</script>&amp;";
        let error = LoginError::new(50_126, nasty);
        let pages = [
            sign_in(nasty, nasty, nasty, Some(&error)),
            second_factor(nasty),
            consent(nasty, &[nasty.to_owned()], nasty),
            device(nasty, Some(nasty)),
            message(nasty, nasty),
            form_post(nasty, &[(nasty, nasty.to_owned())], "n"),
        ];
        for page in pages {
            assert!(
                !page.contains("<script>") && !page.contains("'x'"),
                "{page}"
            );
            assert!(page.contains("&lt;script&gt;"));
        }
    }
}
