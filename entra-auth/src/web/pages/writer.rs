//! Composes pages in the language of the request and has them rendered.

use std::{fmt, sync::Arc};

use axum::{
    body::Body,
    http::{self, HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};

use super::{
    PageRenderer,
    language::{Languages, is_right_to_left, localized},
    page::{LocalizedText, Page, PageKind, PagePart},
    text::{PageText, PageTexts},
};

/// Writes the pages of a site.
pub(in crate::web) struct PageWriter {
    renderer: Arc<dyn PageRenderer>,
    languages: Languages,
    product_name: Option<String>,
    logo: Option<String>,
}

/// A page that is being composed.
pub(in crate::web) struct PageBuilder<'a> {
    writer: &'a PageWriter,
    texts: &'a PageTexts,
    page: Page,
}

impl PageWriter {
    pub(super) fn new(
        renderer: Arc<dyn PageRenderer>,
        languages: Languages,
        product_name: Option<String>,
        logo: Option<String>,
    ) -> Self {
        Self {
            renderer,
            languages,
            product_name,
            logo,
        }
    }

    /// The language of the page for a request.
    pub(in crate::web) fn language(&self, headers: &HeaderMap) -> &str {
        self.languages.of(headers).language()
    }

    /// A page for a request with these headers.
    pub(in crate::web) fn page(
        &self,
        headers: &HeaderMap,
        kind: PageKind,
        status: StatusCode,
        title: PageText,
    ) -> PageBuilder<'_> {
        let texts = self.languages.of(headers);
        PageBuilder {
            writer: self,
            texts,
            page: Page {
                kind,
                status,
                language: texts.language().to_owned(),
                is_right_to_left: is_right_to_left(texts.language()),
                product_name: self.product_name.clone(),
                logo: self.logo.clone(),
                title: localized(texts, title, &[]),
                parts: Vec::new(),
            },
        }
    }
}

impl PageBuilder<'_> {
    pub(in crate::web) fn text(self, text: PageText) -> Self {
        let text = self.localized(text, &[]);
        self.part(PagePart::Text(text))
    }

    pub(in crate::web) fn alert(self, text: PageText) -> Self {
        let text = self.localized(text, &[]);
        self.part(PagePart::Alert(text))
    }

    /// A text of the application, in any language.
    pub(in crate::web) fn own_alert(self, text: &str) -> Self {
        self.part(PagePart::Alert(LocalizedText::new(text.to_owned(), None)))
    }

    pub(in crate::web) fn for_admin(self, sentences: Vec<LocalizedText>) -> Self {
        let heading = self.localized(PageText::AdministratorHeading, &[]);
        self.part(PagePart::ForAdministrator { heading, sentences })
    }

    /// As [`for_admin`](Self::for_admin), with a text of the application.
    pub(in crate::web) fn own_for_admin(self, text: &str) -> Self {
        self.for_admin(vec![LocalizedText::new(text.to_owned(), None)])
    }

    /// A link; the first one is the main one unless there is a form.
    pub(in crate::web) fn link(self, label: PageText, url: &str) -> Self {
        let is_main = !self.page.parts.iter().any(|part| {
            matches!(
                part,
                PagePart::Link { is_main: true, .. }
                    | PagePart::Form { .. }
                    | PagePart::EmailForm { .. }
            )
        });
        let label = self.localized(label, &[]);
        self.part(PagePart::Link {
            label,
            url: url.to_owned(),
            is_main,
        })
    }

    /// A button that posts to this site.
    pub(in crate::web) fn form(self, action: String, button: PageText) -> Self {
        let button = self.localized(button, &[]);
        self.part(PagePart::Form { action, button })
    }

    /// Asks for the address that decides where the user signs in.
    pub(in crate::web) fn email_form(
        self,
        action: String,
        return_path: &str,
        unknown: Option<&str>,
    ) -> Self {
        let part = PagePart::EmailForm {
            action,
            return_path: return_path.to_owned(),
            label: self.localized(PageText::EmailLabel, &[]),
            email: unknown.unwrap_or_default().to_owned(),
            error: unknown.map(|_| self.localized(PageText::EmailUnknown, &[])),
            button: self.localized(PageText::EmailNext, &[]),
        };
        self.part(part)
    }

    /// A text with placeholders replaced by values.
    pub(in crate::web) fn localized(
        &self,
        text: PageText,
        values: &[(&str, &str)],
    ) -> LocalizedText {
        localized(self.texts, text, values)
    }

    /// The page as a response.
    pub(in crate::web) fn into_response(self) -> Response {
        self.render().map(Body::from)
    }

    /// As [`into_response`](Self::into_response), in memory.
    pub(in crate::web) fn render(self) -> http::Response<String> {
        let rendered = self.writer.renderer.render(&self.page);
        let mut response = http::Response::new(rendered.html);
        *response.status_mut() = self.page.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        headers.insert(header::CONTENT_SECURITY_POLICY, rendered.sources.header());
        headers.insert(
            header::VARY,
            HeaderValue::from_name(header::ACCEPT_LANGUAGE),
        );
        if let Ok(language) = HeaderValue::try_from(&self.page.language) {
            headers.insert(header::CONTENT_LANGUAGE, language);
        }
        response
    }

    fn part(mut self, part: PagePart) -> Self {
        self.page.parts.push(part);
        self
    }
}

impl fmt::Debug for PageWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageWriter").finish_non_exhaustive()
    }
}
