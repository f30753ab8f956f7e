//! The built-in pages: plain HTML without scripts; every text is escaped.

use super::{
    PageRenderer, RenderedPage,
    colors::PageColors,
    page::{LocalizedText, Page, PagePart},
};
use crate::Error;

/// Replaces the five characters that have a meaning in HTML, for content and for quoted attributes.
///
/// ```
/// use entra_auth::web::pages::escape;
/// assert_eq!(escape("<b title=\"x\">"), "&lt;b title=&quot;x&quot;&gt;");
/// ```
#[must_use]
pub fn escape(text: &str) -> String {
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

/// The built-in renderer.
pub(super) struct BuiltIn {
    style: String,
}

impl BuiltIn {
    pub(super) fn new(light: &PageColors, dark: &PageColors) -> Result<Self, Error> {
        let (light, dark) = (light.css()?, dark.css()?);
        let style = format!(
            ":root{{color-scheme:light dark;{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}{STYLE}"
        );
        Ok(Self { style })
    }
}

impl PageRenderer for BuiltIn {
    fn render(&self, page: &Page) -> RenderedPage {
        let heading = escape(page.title.text());
        let (mut title, mut header) = (heading.clone(), String::new());
        if let Some(name) = &page.product_name {
            let name = escape(name);
            title = format!("{heading} \u{2013} {name}");
            // The product name beside the image is its text.
            let logo = page.logo.as_ref().map_or_else(String::new, |logo| {
                format!("<img src=\"{}\" alt=\"\">", escape(logo))
            });
            header = format!("<header>{logo}<span>{name}</span></header>\n");
        }
        let direction = match page.is_right_to_left {
            true => " dir=\"rtl\"",
            false => "",
        };
        let content: String = page.parts.iter().map(part).collect();
        let html = format!(
            "<!doctype html>\n<html lang=\"{}\"{direction}>\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{title}</title>\n<style>{}</style>\n</head>\n\
             <body>\n<main>\n{header}<h1{}>{heading}</h1>\n{content}</main>\n</body>\n</html>\n",
            escape(&page.language),
            self.style,
            lang(&page.title),
        );
        let rendered = RenderedPage::new(html).inline_style(&self.style);
        match &page.logo {
            Some(logo) => rendered.image(logo),
            None => rendered,
        }
    }
}

fn part(part: &PagePart) -> String {
    match part {
        PagePart::Text(text) => format!("<p{}>{}</p>\n", lang(text), escape(text.text())),
        PagePart::Alert(text) => format!(
            "<p role=\"alert\" class=\"alert\"{}>{}</p>\n",
            lang(text),
            escape(text.text())
        ),
        PagePart::ForAdministrator { heading, sentences } => {
            let sentences: Vec<String> = sentences.iter().map(inline).collect();
            format!(
                "<section aria-labelledby=\"admin\"><h2 id=\"admin\"{}>{}</h2>\n<p>{}</p></section>\n",
                lang(heading),
                escape(heading.text()),
                sentences.join(" ")
            )
        }
        PagePart::Link {
            label,
            url,
            is_main,
        } => format!(
            "<p class=\"way\"><a{} href=\"{}\"{}>{}</a></p>\n",
            if *is_main { " class=\"main\"" } else { "" },
            escape(url),
            lang(label),
            escape(label.text())
        ),
        PagePart::Form { action, button } => format!(
            "<form method=\"post\" action=\"{}\"><button{}>{}</button></form>\n",
            escape(action),
            lang(button),
            escape(button.text())
        ),
        PagePart::EmailForm {
            action,
            return_path,
            label,
            email,
            error,
            button,
        } => {
            let alert = error.as_ref().map_or_else(String::new, |error| {
                format!(
                    "<p id=\"wrong\" role=\"alert\" class=\"alert\"{}>{}</p>\n",
                    lang(error),
                    escape(error.text())
                )
            });
            let described = match error {
                Some(_) => " aria-describedby=\"wrong\" aria-invalid=\"true\"",
                None => "",
            };
            format!(
                "{alert}<form method=\"post\" action=\"{}\">\n<input type=\"hidden\" name=\"return\" value=\"{}\">\n\
                 <label for=\"email\"{}>{}</label>\n\
                 <input id=\"email\" name=\"email\" type=\"email\" autocomplete=\"username\" value=\"{}\" required autofocus{described}>\n\
                 <button{}>{}</button>\n</form>\n",
                escape(action),
                escape(return_path),
                lang(label),
                escape(label.text()),
                escape(email),
                lang(button),
                escape(button.text())
            )
        }
    }
}

/// A sentence within a paragraph.
fn inline(text: &LocalizedText) -> String {
    match text.language() {
        Some(_) => format!("<span{}>{}</span>", lang(text), escape(text.text())),
        None => escape(text.text()),
    }
}

/// The attribute of a text that is not in the language of its page.
fn lang(text: &LocalizedText) -> String {
    text.language().map_or_else(String::new, |language| {
        format!(" lang=\"{}\"", escape(language))
    })
}

const STYLE: &str = "*{box-sizing:border-box}\
body{margin:0;padding:1rem;background:var(--page);color:var(--text);font:1rem/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",sans-serif}\
main{max-width:34rem;margin:10vh auto 2rem;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:12px}\
header{display:flex;align-items:center;gap:.75rem;margin:0 0 1.25rem;font-weight:600}header img{max-width:10rem;max-height:2.5rem}\
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
    use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

    use super::{
        super::{PageKind, PageText, PageTexts, SignInPages},
        *,
    };

    const MARKUP: &str = "\"><script>alert('x')</script>&amp;";

    fn rendered(pages: SignInPages, accepted: &'static str) -> (String, HeaderMap) {
        let mut headers = HeaderMap::new();
        let accepted = HeaderValue::from_static(accepted);
        headers.insert(header::ACCEPT_LANGUAGE, accepted);
        let writer = pages.build().unwrap();
        let kind = PageKind::EmailAddress;
        let page = writer.page(&headers, kind, StatusCode::OK, PageText::EmailTitle);
        let reference = page.localized(PageText::LogReference, &[("reference", MARKUP)]);
        let response = page
            .text(PageText::Consent)
            .alert(PageText::Unavailable)
            .own_alert(MARKUP)
            .own_for_admin(MARKUP)
            .for_admin(vec![reference])
            .link(PageText::FrontPage, MARKUP)
            .form(MARKUP.to_owned(), PageText::SignOut)
            .email_form(MARKUP.to_owned(), MARKUP, Some(MARKUP))
            .render();
        let (parts, body) = response.into_parts();
        (body, parts.headers)
    }

    #[test]
    fn texts_and_urls_are_escaped() {
        let mut texts = PageTexts::new("de");
        for text in PageText::all() {
            texts = texts.text(text, format!("{MARKUP}{{reference}}"));
        }
        let pages = SignInPages::new()
            .product_name(MARKUP)
            .logo("data:image/svg+xml,%3Csvg%3E<script>")
            .texts(texts);
        assert!(pages.clone().build().is_ok());
        let (body, headers) = rendered(pages, "de");
        assert!(!body.contains("<script") && !body.contains("'x'"), "{body}");
        // The product name twice, the logo once, and each text and URL of the page.
        assert_eq!(body.matches("&lt;script&gt;").count(), 3 + 20, "{body}");
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
        assert!(!policy.contains("unsafe") && !policy.contains("script"));
    }

    #[test]
    fn a_page_has_its_lang_attribute_and_missing_translations_have_their_own() {
        let arabic = PageTexts::new("ar")
            .text(PageText::EmailTitle, "\u{62a}")
            .text(PageText::SignOut, "\u{62e}");
        let pages = SignInPages::new()
            .texts(arabic)
            .texts(PageTexts::new("en").text(PageText::SignOut, "Log off"));
        let (body, headers) = rendered(pages.clone(), "ar-EG");
        assert!(body.contains("<html lang=\"ar\" dir=\"rtl\">"), "{body}");
        assert!(body.contains("<h1>\u{62a}</h1>") && body.contains("<button>\u{62e}"));
        assert!(
            body.contains("<label for=\"email\" lang=\"en\">Email"),
            "{body}"
        );
        assert!(
            body.contains("<span lang=\"en\">The log of this site"),
            "{body}"
        );
        assert_eq!(headers[header::CONTENT_LANGUAGE], "ar");
        assert_eq!(headers[header::VARY], "accept-language");
        let (body, headers) = rendered(pages, "fr");
        assert!(body.contains("<html lang=\"en\">") && body.contains("<button>Log off"));
        assert!(!body.contains("<p lang="), "{body}");
        assert_eq!(headers[header::CONTENT_LANGUAGE], "en");
    }

    #[test]
    fn product_logo_and_colors_are_on_each_page_and_in_its_policy() {
        let colors = PageColors::light().accent("#7A1FA2");
        let pages = SignInPages::new()
            .product_name("Contoso & Co")
            .logo("https://cdn.example/logo.svg?v=1&w=2")
            .colors(colors, PageColors::dark());
        let (body, headers) = rendered(pages, "en");
        assert!(
            body.contains(" \u{2013} Contoso &amp; Co</title>"),
            "{body}"
        );
        assert!(body.contains(
            "<header><img src=\"https://cdn.example/logo.svg?v=1&amp;w=2\" alt=\"\"><span>Contoso &amp; Co</span></header>"
        ));
        assert!(body.contains("--accent:#7a1fa2"));
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.contains("; img-src https://cdn.example/logo.svg;"),
            "{policy}"
        );
        let (_, plain) = rendered(SignInPages::new(), "en");
        let policy = plain[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(!policy.contains("img-src"), "{policy}");
    }

    #[test]
    fn invalid_settings_are_errors_with_a_fix() {
        let new = SignInPages::new;
        for (pages, expected) in [
            (
                new().product_name("x").logo("http://cdn.example/x.png"),
                "logo is invalid",
            ),
            (new().logo("/logo.svg"), "without a product name"),
            (new().texts(PageTexts::new("de_DE")), "language tag"),
            (new().texts(PageTexts::new("")), "language tag"),
            (new().fallback_language("de"), "fallback language"),
            (
                new().colors(PageColors::light().accent("#ffff00"), PageColors::dark()),
                "contrast",
            ),
        ] {
            let error = pages.build().unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn every_text_is_listed_once_and_is_a_plain_sentence_or_label() {
        let all = PageText::all();
        let unique: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(unique.len(), all.len());
        for text in all {
            assert!(!text.english().is_empty() && !text.english().contains('<'));
        }
    }
}
