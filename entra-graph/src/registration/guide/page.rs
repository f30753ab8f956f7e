//! A guide as a page: Markdown and HTML.

use std::fmt::Write as _;

use super::{Guide, Step};

impl Guide {
    /// The guide as Markdown.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut page = format!("# {}\n", self.title);
        for (number, section) in self.sections.iter().enumerate() {
            let _ = write!(page, "\n## {}. {}\n\n", number + 1, section.title);
            let mut step = 0;
            for part in &section.steps {
                match part {
                    Step::Text(text) => {
                        step += 1;
                        let _ = writeln!(page, "{step}. {text}");
                    }
                    Step::Values(values) => {
                        for value in values {
                            let _ = writeln!(page, "   - {value}");
                        }
                    }
                    Step::Link(text, url) => {
                        let _ = writeln!(page, "   - [{text}]({url})");
                    }
                }
            }
        }
        page
    }

    /// The guide as a whole HTML page without scripts or resources of other hosts.
    #[must_use]
    pub fn to_html(&self) -> String {
        let mut page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n",
            title = escape(&self.title)
        );
        for section in &self.sections {
            let _ = write!(page, "<h2>{}</h2>\n<ol>\n", escape(&section.title));
            let mut open = false;
            for part in &section.steps {
                match part {
                    Step::Text(text) => {
                        if open {
                            page.push_str("</li>\n");
                        }
                        let _ = write!(page, "<li>{}", inline(text));
                        open = true;
                    }
                    Step::Values(values) => {
                        page.push_str("<ul>");
                        for value in values {
                            let _ = write!(page, "<li>{}</li>", inline(value));
                        }
                        page.push_str("</ul>");
                    }
                    Step::Link(text, url) => {
                        let _ = write!(
                            page,
                            "<p><a href=\"{}\">{}</a></p>",
                            escape(url),
                            escape(text)
                        );
                    }
                }
            }
            page.push_str("</li>\n</ol>\n");
        }
        page.push_str("</main>\n</body>\n</html>\n");
        page
    }
}

fn escape(text: &str) -> String {
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

/// Bold, code and links of the guide's own sentences.
fn inline(text: &str) -> String {
    let escaped = escape(text);
    let mut html = String::with_capacity(escaped.len());
    for (number, part) in escaped.split('`').enumerate() {
        if number % 2 == 1 {
            let _ = write!(html, "<code>{part}</code>");
            continue;
        }
        for (number, part) in part.split("**").enumerate() {
            if number % 2 == 1 {
                let _ = write!(html, "<strong>{part}</strong>");
            } else {
                html.push_str(&linked(part));
            }
        }
    }
    html
}

fn linked(text: &str) -> String {
    let link = text.split_once('[').and_then(|(before, rest)| {
        let (name, rest) = rest.split_once("](")?;
        let (url, after) = rest.split_once(')')?;
        Some(format!("{before}<a href=\"{url}\">{name}</a>{after}"))
    });
    link.unwrap_or_else(|| text.to_owned())
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:0;color:#1b1b1b;background:#fff}main{max-width:48rem;margin:0 auto;padding:1rem}h2{margin-top:2rem}li{margin:.4rem 0}code{background:#f2f2f2;padding:.1em .3em;overflow-wrap:anywhere}a{overflow-wrap:anywhere}";
