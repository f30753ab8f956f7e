//! The frame of every page, and pieces of markup in which every text is escaped.

use std::fmt::Write as _;

use entra_core::Timestamp;

use super::{ROOT, View};
use crate::{state::iso, wire::Reply};

/// A page before it becomes a response.
pub(crate) struct Document<'v> {
    view: &'v View<'v>,
    title: String,
    /// Markup in which every text is escaped.
    content: String,
    script: Option<&'static str>,
    /// Whether the visitor has a session: the others see no navigation and no name of the tenant.
    open: bool,
}

impl<'v> Document<'v> {
    pub(super) fn new(view: &'v View<'v>, title: &str) -> Self {
        Self {
            view,
            title: title.to_owned(),
            content: String::new(),
            script: None,
            open: true,
        }
    }

    /// Hides the tenant.
    pub(super) fn closed(mut self) -> Self {
        self.open = false;
        self
    }

    pub(super) fn with(mut self, markup: &str) -> Self {
        self.content.push_str(markup);
        self.content.push('\n');
        self
    }

    pub(super) fn with_script(mut self, script: &'static str) -> Self {
        self.script = Some(script);
        self
    }

    /// Returns the page as a response that must not be cached, framed or extended.
    pub(super) fn reply(&self, status: u16) -> Reply {
        let nonce = self.view.tenant.engine.read().random.token(22);
        let mut policy = format!(
            "default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        if self.script.is_some() {
            let _ = write!(policy, "; script-src 'nonce-{nonce}'; connect-src 'self'");
        }
        Reply::new(status)
            .with_header("content-type", "text/html; charset=utf-8")
            .with_header("content-security-policy", policy)
            .with_header("x-content-type-options", "nosniff")
            .with_header("x-frame-options", "DENY")
            // Without a referrer browsers send forms with `Origin: null`, which the guard rejects.
            .with_header("referrer-policy", "same-origin")
            .with_body(self.markup(&nonce))
    }

    fn markup(&self, nonce: &str) -> String {
        let name = match self.open {
            true => self.view.tenant.engine.read().tenant_name.clone(),
            false => "entra-mock".to_owned(),
        };
        let script = self.script.map_or_else(String::new, |script| {
            format!("<script nonce=\"{nonce}\">{script}</script>\n")
        });
        let navigation = if self.open {
            self.navigation()
        } else {
            String::new()
        };
        let mode = if self.view.write {
            "This portal can change the tenant."
        } else {
            "This portal is read-only."
        };
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"robots\" content=\"noindex\">\n<title>{title} - {name}</title>\n\
             <style nonce=\"{nonce}\">\n{STYLE}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#content\">Skip to content</a>\n\
             <header>\n<p class=\"brand\">{name} <small>fake tenant</small></p>\n{navigation}</header>\n\
             <main id=\"content\" tabindex=\"-1\">\n<h1>{title}</h1>\n{content}</main>\n\
             <footer>A fake tenant for tests. {mode}</footer>\n{script}</body>\n</html>\n",
            title = escape(&self.title),
            name = escape(&name),
            content = self.content,
        )
    }

    fn navigation(&self) -> String {
        let here = self
            .view
            .request
            .path
            .strip_prefix(ROOT)
            .unwrap_or_default();
        let item = |(path, name, below): &(&str, &str, &str)| {
            let current = match here {
                _ if here.trim_end_matches('/') == *path => " aria-current=\"page\"",
                _ if here == *below => " aria-current=\"true\"",
                _ => "",
            };
            format!("<li><a href=\"{ROOT}{path}\"{current}>{name}</a></li>\n")
        };
        let items: String = PAGES.iter().map(item).collect();
        format!("<nav aria-label=\"Portal\">\n<ul>\n{items}</ul>\n</nav>\n")
    }
}

/// Path, name, and path of the pages below.
const PAGES: [(&str, &str, &str); 6] = [
    ("", "Overview", "/"),
    ("/directory", "Directory", "/object"),
    ("/applications", "Applications", "/application"),
    ("/requests", "Requests", "/request"),
    ("/settings", "Clock and faults", "/clock"),
    ("/findings", "Findings", "/findings"),
];

/// A table that becomes a list of cards on a narrow screen. Cells are markup.
pub(super) fn table(caption: &str, columns: &[&str], rows: &[Vec<String>]) -> String {
    let mut markup = format!(
        "<table role=\"table\">\n<caption>{}</caption>\n<thead role=\"rowgroup\"><tr role=\"row\">",
        escape(caption)
    );
    for column in columns {
        let _ = write!(
            markup,
            "<th role=\"columnheader\" scope=\"col\">{}</th>",
            escape(column)
        );
    }
    markup.push_str("</tr></thead>\n<tbody role=\"rowgroup\">\n");
    for row in rows {
        markup.push_str("<tr role=\"row\">");
        for (column, cell) in columns.iter().zip(row) {
            let _ = write!(
                markup,
                "<td role=\"cell\" data-label=\"{}\">{cell}</td>",
                escape(column)
            );
        }
        markup.push_str("</tr>\n");
    }
    markup.push_str("</tbody>\n</table>");
    markup
}

/// Names and values. Values are markup.
pub(super) fn facts(pairs: &[(&str, String)]) -> String {
    let item =
        |(name, value): &(&str, String)| format!("<dt>{}</dt><dd>{value}</dd>\n", escape(name));
    let items: String = pairs.iter().map(item).collect();
    format!("<dl>\n{items}</dl>")
}

/// A link to a page of the portal with one parameter.
pub(super) fn link(path: &str, name: &str, value: &str, text: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair(name, value)
        .finish();
    format!(
        "<a href=\"{ROOT}{path}?{}\">{}</a>",
        escape(&query),
        escape(text)
    )
}

pub(super) fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

/// A time as the tenant's clock shows it.
pub(super) fn time(time: Timestamp) -> String {
    let text = iso(time);
    format!(
        "<time datetime=\"{text}\">{}</time>",
        text.replace('T', " ").replace('Z', "")
    )
}

pub(super) fn list(items: &[String]) -> String {
    if items.is_empty() {
        return "<p class=\"soft\">None.</p>".to_owned();
    }
    let items: String = items
        .iter()
        .map(|item| format!("<li>{item}</li>\n"))
        .collect();
    format!("<ul class=\"plain\">\n{items}</ul>")
}

/// A status of HTTP with a class for its colour; the number itself says the same.
pub(super) fn status(status: u16) -> String {
    let class = match status {
        ..300 => "good",
        300..400 => "soft",
        _ => "bad",
    };
    format!("<span class=\"{class}\">{status}</span>")
}

pub(super) fn escape(text: &str) -> String {
    crate::login::escape(text)
}

const STYLE: &str = include_str!("style.css");
