//! The pages of a sign-in: plain HTML without scripts or outside assets; every text is escaped.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A page that is being written.
#[derive(Debug)]
pub(super) struct Page {
    status: StatusCode,
    title: String,
    content: String,
}

impl Page {
    pub(super) fn new(status: StatusCode, title: &str) -> Self {
        Self {
            status,
            title: title.to_owned(),
            content: String::new(),
        }
    }

    /// What has happened.
    pub(super) fn says(mut self, text: &str) -> Self {
        self.content += &format!("<p>{}</p>\n", escape(text));
        self
    }

    /// What went wrong.
    pub(super) fn warns(mut self, text: &str) -> Self {
        self.content += &format!("<p role=\"alert\" class=\"alert\">{}</p>\n", escape(text));
        self
    }

    /// What is for another reader.
    pub(super) fn for_admin(mut self, text: &str) -> Self {
        self.content += &format!(
            "<section aria-labelledby=\"admin\"><h2 id=\"admin\">For your administrator</h2>\n<p>{}</p></section>\n",
            escape(text)
        );
        self
    }

    /// The way on; a further one, or one beside a form, is the way round it.
    pub(super) fn links(mut self, text: &str, path: &str) -> Self {
        let has_main = self.content.contains("<form") || self.content.contains("class=\"main\"");
        let class = if has_main { "" } else { " class=\"main\"" };
        self.content += &format!(
            "<p class=\"way\"><a{class} href=\"{}\">{}</a></p>\n",
            escape(path),
            escape(text)
        );
        self
    }

    /// A button that posts to this site.
    pub(super) fn posts(mut self, path: &str, button: &str) -> Self {
        self.content += &format!(
            "<form method=\"post\" action=\"{}\"><button>{}</button></form>\n",
            escape(path),
            escape(button)
        );
        self
    }

    /// Asks for the address that tells where somebody signs in.
    pub(super) fn asks_for_email(mut self, path: &str, back: &str, wrong: Option<&str>) -> Self {
        let (described, invalid) = match wrong {
            Some(_) => (" aria-describedby=\"wrong\"", " aria-invalid=\"true\""),
            None => ("", ""),
        };
        if wrong.is_some() {
            self.content += "<p id=\"wrong\" role=\"alert\" class=\"alert\">No organization is set up for this address.</p>\n";
        }
        self.content += &format!(
            "<form method=\"post\" action=\"{}\">\n<input type=\"hidden\" name=\"return\" value=\"{}\">\n\
             <label for=\"email\">E-mail address at your organisation</label>\n\
             <input id=\"email\" name=\"email\" type=\"email\" autocomplete=\"username\" value=\"{}\" required autofocus{described}{invalid}>\n\
             <button>Next</button>\n</form>\n",
            escape(path),
            escape(back),
            escape(wrong.unwrap_or_default())
        );
        self
    }

    pub(super) fn into_response(self) -> Response {
        let title = escape(&self.title);
        let body = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n\
             <body>\n<main>\n<h1>{title}</h1>\n{}</main>\n</body>\n</html>\n",
            self.content
        );
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
        response
    }
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

/// Nothing but our own style. A form leads on to the sign-in service, whose host only the connection
/// knows, so forms are limited by scheme.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; frame-ancestors 'none'; \
         form-action 'self' https: http://localhost:* http://127.0.0.1:*"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

const STYLE: &str = ":root{color-scheme:light dark;--page:#f4f6f9;--card:#fff;--text:#17202c;--soft:#566273;--line:#d9dfe7;--accent:#0f5fc2;--on-accent:#fff;--alert:#a3231c}\
@media(prefers-color-scheme:dark){:root{--page:#11151b;--card:#1a212b;--text:#e8ecf2;--soft:#a3afbf;--line:#313b49;--accent:#7db1f7;--on-accent:#0c1726;--alert:#ff9d94}}\
*{box-sizing:border-box}\
body{margin:0;padding:1rem;background:var(--page);color:var(--text);font:1rem/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",sans-serif}\
main{max-width:34rem;margin:10vh auto 2rem;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:12px}\
h1{margin:0 0 1rem;font-size:1.6rem;line-height:1.25;letter-spacing:-.01em}\
p{margin:0 0 1rem;overflow-wrap:anywhere}.alert{font-weight:600;color:var(--alert)}\
section{margin:1.5rem 0;padding:1rem 0 0;border-top:1px solid var(--line);color:var(--soft);font-size:.92rem}\
section p{margin:0}h2{margin:0 0 .25rem;font-size:.92rem}\
label{display:block;margin:0 0 .4rem;font-weight:600}\
input:not([type=hidden]){width:100%;margin:0 0 1rem;padding:.65rem .75rem;font:inherit;color:inherit;background:var(--page);border:1px solid var(--soft);border-radius:8px}\
input[aria-invalid]{border-color:var(--alert)}\
.way{margin:1rem 0 0}a{color:var(--accent)}\
button,.way a.main{display:inline-block;padding:.6rem 1.3rem;font:inherit;font-weight:600;text-decoration:none;color:var(--on-accent);background:var(--accent);border:1px solid var(--accent);border-radius:8px;cursor:pointer}\
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}\
@media(max-width:34rem){main{margin:0 auto;padding:1.25rem}}";

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_text_of_others_becomes_markup() {
        let nasty = "\"><script>alert('x')</script>&amp;";
        let page = Page::new(StatusCode::OK, nasty)
            .says(nasty)
            .warns(nasty)
            .for_admin(nasty)
            .links(nasty, nasty)
            .posts(nasty, nasty)
            .asks_for_email(nasty, nasty, Some(nasty));
        let response = page.into_response();
        let policy = response.headers()["content-security-policy"].to_str();
        let policy = policy.unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"));
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await;
        let body = String::from_utf8(body.unwrap().to_vec()).unwrap();
        assert!(!body.contains("<script") && !body.contains("'x'"), "{body}");
        assert_eq!(body.matches("&lt;script&gt;").count(), 12);
    }
}
