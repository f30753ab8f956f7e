//! The pages of the sign-in side. Plain HTML without external assets; every text is escaped.

mod accounts;
mod consent;
mod markup;
mod notice;
mod start;

use url::Url;

use super::context::Context;
use crate::wire::Reply;

pub(super) use accounts::{
    AccountTile, password, second_factor, sign_in_picker, sign_out_picker, user_name,
};
pub(super) use consent::{Consent, RequestedPermission, consent};
pub(crate) use markup::escape;
use markup::source;
pub(crate) use notice::remedy;
pub(super) use notice::{SwitchAccount, device, error, form_post, message, signed_out};
pub(super) use start::start;

/// A page before it becomes a response.
pub(super) struct Page {
    status: u16,
    title: String,
    /// Markup in which every text is escaped.
    content: String,
    wide: bool,
    /// Where its forms can lead, in addition to the tenant itself: sources of `form-action`.
    targets: Vec<String>,
    frames: Vec<String>,
    script: Option<&'static str>,
    /// Where the page goes on its own when everything in it has loaded.
    next: Option<String>,
}

impl Page {
    fn new(title: &str, content: String) -> Self {
        Self {
            status: 200,
            title: title.to_owned(),
            content,
            wide: false,
            targets: Vec::new(),
            frames: Vec::new(),
            script: None,
            next: None,
        }
    }

    fn wide(mut self) -> Self {
        self.wide = true;
        self
    }

    /// Allows that the response to a form redirects to this URL.
    pub(super) fn allowing_redirect_to(mut self, address: &Url) -> Self {
        self.targets.push(source(address));
        self
    }

    /// Returns the page as a response that must not be cached, framed or extended.
    pub(super) fn reply(self, context: &Context<'_>) -> Reply {
        let (nonce, tenant) = {
            let state = context.read();
            (state.random.token(22), state.tenant_name.clone())
        };
        let body = self.document(&nonce, &tenant);
        Reply::new(self.status)
            .with_header("content-type", "text/html; charset=utf-8")
            .with_header("cache-control", "no-store, no-cache")
            .with_header("pragma", "no-cache")
            .with_header("content-security-policy", self.policy(&nonce))
            .with_header("x-content-type-options", "nosniff")
            .with_header("x-frame-options", "DENY")
            .with_header("referrer-policy", "no-referrer")
            .with_header("x-ms-request-id", context.trace_id.to_string())
            .with_body(body)
    }

    fn policy(&self, nonce: &str) -> String {
        let mut policy = format!(
            "default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; frame-ancestors 'none'"
        );
        if self.script.is_some() {
            policy.push_str(&format!("; script-src 'nonce-{nonce}'"));
        }
        if !self.frames.is_empty() {
            policy.push_str("; frame-src ");
            policy.push_str(&self.frames.join(" "));
        }
        // Browsers also check where the response to a form redirects to, and the redirects that
        // follow. Servers beside the tenant run on the same machine.
        policy.push_str("; form-action 'self' http://localhost:* http://127.0.0.1:*");
        for target in &self.targets {
            policy.push(' ');
            policy.push_str(target);
        }
        policy
    }

    fn document(&self, nonce: &str, tenant: &str) -> String {
        let next = self.next.as_ref().map_or_else(String::new, |next| {
            format!(
                "<meta http-equiv=\"refresh\" content=\"1;url={}\">\n",
                escape(next)
            )
        });
        let script = self.script.map_or_else(String::new, |script| {
            format!("<script nonce=\"{nonce}\">{script}</script>\n")
        });
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"robots\" content=\"noindex\">\n{next}\
             <title>{title} - {tenant}</title>\n<style nonce=\"{nonce}\">\n{STYLE}</style>\n</head>\n\
             <body>\n<main{class}>\n<p class=\"brand\">{MARK}<span>{tenant}</span></p>\n{content}\n</main>\n\
             <footer>A fake tenant for tests. Never enter a real password here.</footer>\n{script}</body>\n</html>\n",
            title = escape(&self.title),
            tenant = escape(tenant),
            class = if self.wide { " class=\"wide\"" } else { "" },
            content = self.content,
        )
    }
}

const STYLE: &str = include_str!("style.css");
/// A keyhole in a shield: a neutral logo.
const MARK: &str = "<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\" focusable=\"false\"><path fill-rule=\"evenodd\" d=\"M12 1 3 4.5V11c0 5.6 3.8 10.3 9 12 5.2-1.7 9-6.4 9-12V4.5zm0 6a3 3 0 0 1 1.5 5.6V17h-3v-4.4A3 3 0 0 1 12 7z\"/></svg>";

#[cfg(test)]
mod tests;
