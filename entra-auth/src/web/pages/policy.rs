//! The content security policy of a page: no scripts, and only the named external resources.

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::HeaderValue;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use entra_core::url::Url;

/// The external resources of a page.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    styles: Vec<String>,
    images: Vec<String>,
    fonts: Vec<String>,
}

impl Sources {
    /// Allows a `style` element with exactly this content.
    pub(super) fn inline_style(&mut self, css: &str) {
        let hash = STANDARD.encode(digest(&SHA256, css.as_bytes()));
        self.styles.push(format!("'sha256-{hash}'"));
    }

    /// Allows a stylesheet. Returns whether its URL can be allowed.
    pub(super) fn stylesheet(&mut self, address: &str) -> bool {
        add(&mut self.styles, source(address))
    }

    /// Allows an image. Returns whether its URL can be allowed.
    pub(super) fn image(&mut self, address: &str) -> bool {
        let is_data = address.starts_with("data:image/");
        let data = is_data.then(|| "data:".to_owned());
        add(&mut self.images, data.or_else(|| source(address)))
    }

    /// Allows a font. Returns whether its URL can be allowed.
    pub(super) fn font(&mut self, address: &str) -> bool {
        add(&mut self.fonts, source(address))
    }

    /// The header. A form leads on to the sign-in service, whose host only the connection knows, so
    /// forms are limited by scheme.
    pub(super) fn header(&self) -> HeaderValue {
        let mut policy = "default-src 'none'; ".to_owned();
        for (directive, sources) in [
            ("style-src", &self.styles),
            ("img-src", &self.images),
            ("font-src", &self.fonts),
        ] {
            if !sources.is_empty() {
                policy.push_str(&format!("{directive} {}; ", sources.join(" ")));
            }
        }
        policy.push_str(
            "base-uri 'none'; frame-ancestors 'none'; \
             form-action 'self' https: http://localhost:* http://127.0.0.1:*",
        );
        HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
    }
}

fn add(sources: &mut Vec<String>, source: Option<String>) -> bool {
    let is_allowed = source.is_some();
    sources.extend(source);
    is_allowed
}

/// The source expression of a path on this site or of an https URL.
fn source(address: &str) -> Option<String> {
    let is_plain = |char: char| char.is_ascii_graphic() && !matches!(char, '\\' | '"' | '\'');
    if !address.chars().all(is_plain) {
        return None;
    }
    if address.starts_with('/') {
        return (!address.starts_with("//")).then(|| "'self'".to_owned());
    }
    let url = Url::parse(address).ok()?;
    let is_plain = url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
    if !is_plain || url.host_str().is_none() {
        return None;
    }
    // The policy compares host and path of a URL; these two characters would end the directive.
    let path = url.path().replace(';', "%3B").replace(',', "%2C");
    Some(format!("{}{path}", url.origin().ascii_serialization()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_data_urls_own_paths_and_https_urls_are_allowed() {
        let policy = |image: &str| {
            let mut sources = Sources::default();
            let is_allowed = sources.image(image);
            (is_allowed, sources.header().to_str().unwrap().to_owned())
        };
        for (image, expected) in [
            ("data:image/png;base64,AA==", "img-src data:;"),
            ("/logo.svg?v=2", "img-src 'self';"),
            (
                "https://cdn.example/a/logo.svg?v=2",
                "img-src https://cdn.example/a/logo.svg;",
            ),
            (
                "https://cdn.example:8443/a;script-src,b",
                "img-src https://cdn.example:8443/a%3Bscript-src%2Cb;",
            ),
        ] {
            let (is_allowed, policy) = policy(image);
            assert!(is_allowed && policy.contains(expected), "{policy}");
            assert!(!policy.contains("; script-src"), "{policy}");
        }
        for image in [
            "",
            "logo.svg",
            "//cdn.example/logo.svg",
            "/\\cdn.example/logo.svg",
            "http://cdn.example/logo.svg",
            "https://user@cdn.example/logo.svg",
            "https://cdn.example/a b",
            "https://cdn.example/'unsafe-inline'",
            "data:text/html,x",
            "javascript:alert(1)",
            "blob:https://cdn.example/x",
        ] {
            let (is_allowed, policy) = policy(image);
            assert!(!is_allowed && !policy.contains("img-src"), "{image}");
        }
        let mut sources = Sources::default();
        assert!(!sources.stylesheet("data:text/css,x") && !sources.font("data:font/woff2,x"));
        assert!(sources.stylesheet("/style.css") && sources.font("/font.woff2"));
        let policy = sources.header();
        let policy = policy.to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'self'; font-src 'self'; base-uri")
        );
    }
}
