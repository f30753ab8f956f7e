//! The pages of a sign-in: product name, logo, colors, languages, or a custom renderer.
//!
//! ```
//! use entra_auth::{sign_in::Connections, web::{RouteUrls, WebSignIn}};
//! use entra_auth::web::pages::{PageColors, PageText, PageTexts, SignInPages};
//! # let urls = RouteUrls::at("https://travel.example/auth")?;
//! # let connections = Connections::new();
//!
//! let german = PageTexts::new("de")
//!     .text(PageText::SignOut, "Abmelden")
//!     .text(PageText::SignedOutTitle, "Sie sind abgemeldet");
//! let pages = SignInPages::new()
//!     .product_name("Contoso Travel")
//!     .logo("/static/logo.svg")
//!     .colors(PageColors::light().accent("#7a1fa2"), PageColors::dark().accent("#d9a6f2"))
//!     .texts(german);
//! let sign_in = WebSignIn::builder(urls, connections).pages(pages).build()?;
//! # drop(sign_in);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A page is in the language that the browser asks for with `Accept-Language`, if there are texts
//! in it. [`PageText::all`] lists the texts to translate. Texts of an
//! [`AccessDenied`](super::AccessDenied) are the application's own:
//! [`SignInContext::language`](super::SignInContext::language) is the language to write them in.
//!
//! A renderer writes the whole HTML. Its pages have the same content security policy, without
//! scripts, and load what the [`RenderedPage`] names:
//!
//! ```
//! use entra_auth::web::pages::{Page, PagePart, RenderedPage, SignInPages, escape};
//!
//! let pages = SignInPages::new().renderer(|page: &Page| {
//!     let mut html = format!(
//!         "<!doctype html><html lang=\"{}\"><meta charset=\"utf-8\"><title>{1}</title>\
//!          <link rel=\"stylesheet\" href=\"/static/site.css\"><h1>{1}</h1>",
//!         escape(&page.language),
//!         escape(page.title.text()),
//!     );
//!     for part in &page.parts {
//!         match part {
//!             PagePart::Text(text) | PagePart::Alert(text) => {
//!                 html += &format!("<p>{}</p>", escape(text.text()));
//!             }
//!             PagePart::Link { label, url, .. } => {
//!                 html += &format!("<a href=\"{}\">{}</a>", escape(url), escape(label.text()));
//!             }
//!             PagePart::Form { action, button, .. } => {
//!                 html += &format!(
//!                     "<form method=\"post\" action=\"{}\"><button>{}</button></form>",
//!                     escape(action),
//!                     escape(button.text()),
//!                 );
//!             }
//!             _ => {} // and so on
//!         }
//!     }
//!     RenderedPage::new(html).stylesheet("/static/site.css")
//! });
//! # drop(pages);
//! ```

mod colors;
mod html;
mod language;
mod page;
mod policy;
mod text;
mod writer;

use std::{fmt, sync::Arc};

pub(super) use self::writer::{PageBuilder, PageWriter};
pub use self::{
    colors::PageColors,
    html::escape,
    page::{LocalizedText, Page, PageKind, PagePart},
    text::{PageText, PageTexts},
};
use self::{html::BuiltIn, language::Languages, policy::Sources};
use crate::Error;

/// How the pages of a [`WebSignIn`](super::WebSignIn) look, for
/// [`WebSignInBuilder::pages`](super::WebSignInBuilder::pages).
#[derive(Clone, Default)]
#[must_use = "give it to `WebSignInBuilder::pages`"]
pub struct SignInPages {
    product_name: Option<String>,
    logo: Option<String>,
    colors: Option<(PageColors, PageColors)>,
    texts: Vec<PageTexts>,
    fallback_language: Option<String>,
    renderer: Option<Arc<dyn PageRenderer>>,
}

/// Writes the HTML of a [`Page`]; closures implement it.
///
/// It is called for each page, so it does not block. Each text and URL of the page has to be
/// escaped, see [`escape`].
pub trait PageRenderer: Send + Sync + 'static {
    /// The HTML of the whole page.
    fn render(&self, page: &Page) -> RenderedPage;
}

/// The HTML of a page, and the external resources that it loads.
#[derive(Clone)]
#[must_use = "a renderer returns it"]
pub struct RenderedPage {
    html: String,
    sources: Sources,
}

impl SignInPages {
    /// The built-in pages without a product name, in English.
    pub fn new() -> Self {
        Self::default()
    }

    /// The name of the product, which is in the title of each page and above its heading.
    pub fn product_name(mut self, name: impl Into<String>) -> Self {
        self.product_name = Some(name.into());
        self
    }

    /// An image beside the product name: a path on this site, an https URL without user
    /// information, or a `data:` URL of an image. The content security policy names it. The product
    /// name is its alternative text, so a logo needs a product name.
    pub fn logo(mut self, address: impl Into<String>) -> Self {
        self.logo = Some(address.into());
        self
    }

    /// The colors of the built-in pages, for the light and for the dark color scheme.
    pub fn colors(mut self, light: PageColors, dark: PageColors) -> Self {
        self.colors = Some((light, dark));
        self
    }

    /// The texts of one more language, or other texts for English (`en`). The last texts of a
    /// language count.
    pub fn texts(mut self, texts: PageTexts) -> Self {
        self.texts
            .retain(|known| !known.language().eq_ignore_ascii_case(texts.language()));
        self.texts.push(texts);
        self
    }

    /// The language for browsers that request no language with texts: English unless set.
    pub fn fallback_language(mut self, language: impl Into<String>) -> Self {
        self.fallback_language = Some(language.into());
        self
    }

    /// Writes the HTML with a custom renderer instead of the built-in one.
    pub fn renderer(mut self, renderer: impl PageRenderer) -> Self {
        self.renderer = Some(Arc::new(renderer));
        self
    }

    /// Builds the writer of the pages.
    pub(super) fn build(self) -> Result<PageWriter, Error> {
        for texts in &self.texts {
            texts.check()?;
        }
        if let Some(logo) = &self.logo {
            if !Sources::default().image(logo) {
                return Err(Error::configuration(
                    "the address of the logo is invalid",
                    "give a path on this site (/logo.svg), an https address, or a data:image/ address",
                ));
            }
            if self.product_name.is_none() {
                return Err(Error::configuration(
                    "the sign-in pages have a logo without a product name",
                    "give the `product_name`, which screen readers read in place of the image",
                ));
            }
        }
        let fallback = self.fallback_language.as_deref();
        let languages = Languages::new(self.texts, fallback).ok_or_else(|| {
            Error::configuration(
                "there are no texts in the fallback language of the sign-in pages",
                "give `texts` in that language",
            )
        })?;
        let (light, dark) = self
            .colors
            .unwrap_or_else(|| (PageColors::light(), PageColors::dark()));
        let built_in = BuiltIn::new(&light, &dark)?;
        Ok(PageWriter::new(
            self.renderer.unwrap_or_else(|| Arc::new(built_in)),
            languages,
            self.product_name,
            self.logo,
        ))
    }
}

impl RenderedPage {
    /// A page without external resources.
    pub fn new(html: impl Into<String>) -> Self {
        Self {
            html: html.into(),
            sources: Sources::default(),
        }
    }

    /// Allows `style` elements with exactly this content; `style` attributes are never allowed.
    pub fn inline_style(mut self, css: &str) -> Self {
        self.sources.inline_style(css);
        self
    }

    /// Allows a stylesheet: a path on this site or an https URL. Any other URL stays forbidden, and
    /// an error is logged.
    pub fn stylesheet(mut self, address: &str) -> Self {
        log_if_not_allowed(self.sources.stylesheet(address));
        self
    }

    /// Allows an image: a path on this site, an https URL or a `data:` URL of an image. Any other
    /// URL stays forbidden, and an error is logged.
    pub fn image(mut self, address: &str) -> Self {
        log_if_not_allowed(self.sources.image(address));
        self
    }

    /// Allows a font: a path on this site or an https URL. Any other URL stays forbidden, and an
    /// error is logged.
    pub fn font(mut self, address: &str) -> Self {
        log_if_not_allowed(self.sources.font(address));
        self
    }
}

impl<F> PageRenderer for F
where
    F: Fn(&Page) -> RenderedPage + Send + Sync + 'static,
{
    fn render(&self, page: &Page) -> RenderedPage {
        self(page)
    }
}

impl fmt::Debug for SignInPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let languages: Vec<_> = self.texts.iter().map(PageTexts::language).collect();
        f.debug_struct("SignInPages")
            .field("product_name", &self.product_name)
            .field("languages", &languages)
            .field("has_renderer", &self.renderer.is_some())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RenderedPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The page may name the user.
        f.debug_struct("RenderedPage").finish_non_exhaustive()
    }
}

fn log_if_not_allowed(is_allowed: bool) {
    if !is_allowed {
        tracing::error!(
            "a sign-in page loads from a URL that its content security policy cannot allow"
        );
    }
}
