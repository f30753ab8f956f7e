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

    /// A way on.
    pub(super) fn links(mut self, text: &str, path: &str) -> Self {
        self.content += &format!(
            "<p class=\"way\"><a href=\"{}\">{}</a></p>\n",
            escape(path),
            escape(text)
        );
        self
    }

    /// A button that posts to this site, and a way round it.
    pub(super) fn posts(mut self, path: &str, button: &str) -> Self {
        self.content += &format!(
            "<form method=\"post\" action=\"{}\"><button>{}</button></form>\n",
            escape(path),
            escape(button)
        );
        self
    }

    /// Asks for the address that tells where somebody signs in.
    pub(super) fn asks_for_email(mut self, path: &str, back: &str, wrong: bool) -> Self {
        let (described, invalid) = match wrong {
            true => (" aria-describedby=\"wrong\"", " aria-invalid=\"true\""),
            false => ("", ""),
        };
        if wrong {
            self.content += "<p id=\"wrong\" role=\"alert\" class=\"alert\">Nobody signs in here with an address of that organisation.</p>\n";
        }
        self.content += &format!(
            "<form method=\"post\" action=\"{}\">\n<input type=\"hidden\" name=\"return\" value=\"{}\">\n\
             <label for=\"email\">E-mail address at your organisation</label>\n\
             <input id=\"email\" name=\"email\" type=\"email\" autocomplete=\"username\" required autofocus{described}{invalid}>\n\
             <button>Next</button>\n</form>\n",
            escape(path),
            escape(back)
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

const STYLE: &str = ":root{color-scheme:light dark}\
body{font:1rem/1.5 system-ui,sans-serif;margin:0;padding:1rem;background:Canvas;color:CanvasText}\
main{max-width:34rem;margin:12vh auto 2rem}\
h1{font-size:1.6rem;line-height:1.25;margin:0 0 1rem}h2{font-size:1rem;margin:0}\
p{margin:0 0 1rem;overflow-wrap:anywhere}\
section{border-left:.25rem solid #8a8a8a;padding:.25rem 0 .25rem 1rem;margin:1.5rem 0}\
section p{margin:0}.alert{font-weight:600}\
label{display:block;margin:0 0 .25rem}\
input:not([type=hidden]){box-sizing:border-box;width:100%;font:inherit;padding:.6rem;margin:0 0 1rem}\
button{font:inherit;padding:.6rem 1.4rem}";

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
            .asks_for_email(nasty, nasty, true);
        let response = page.into_response();
        let policy = response.headers()["content-security-policy"].to_str();
        let policy = policy.unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"));
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await;
        let body = String::from_utf8(body.unwrap().to_vec()).unwrap();
        assert!(!body.contains("<script") && !body.contains("'x'"), "{body}");
        assert_eq!(body.matches("&lt;script&gt;").count(), 11);
    }
}
