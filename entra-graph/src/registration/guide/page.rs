//! A guide as a page: Markdown and HTML.

use std::fmt::Write as _;

use super::{
    Guide, Step,
    marks::{Part, parts},
};

impl Guide {
    /// The guide as Markdown.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut page = format!("# {}\n", plain(&self.title));
        for (number, section) in self.sections.iter().enumerate() {
            let _ = write!(page, "\n## {}. {}\n\n", number + 1, section.title);
            let mut step = 0;
            for part in &section.steps {
                match part {
                    Step::Text(text) => {
                        step += 1;
                        let _ = writeln!(page, "{step}. {}", markdown(text));
                    }
                    Step::Values(values) => {
                        for value in values {
                            let _ = writeln!(page, "   - {}", markdown(value));
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
                        let _ = write!(page, "<li>{}", html(text));
                        open = true;
                    }
                    Step::Values(values) => {
                        page.push_str("<ul>");
                        for value in values {
                            let _ = write!(page, "<li>{}</li>", html(value));
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

fn html(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    let mut bold = false;
    for part in parts(text) {
        match part {
            Part::Text(text) => html.push_str(&escape(&text)),
            Part::Bold => {
                html.push_str(if bold { "</strong>" } else { "<strong>" });
                bold = !bold;
            }
            Part::Code(code) => {
                let _ = write!(html, "<code>{}</code>", escape(&code));
            }
            Part::Link(name, url) => {
                let _ = write!(html, "<a href=\"{}\">{}</a>", escape(&url), escape(&name));
            }
        }
    }
    if bold {
        html.push_str("</strong>");
    }
    html
}

fn markdown(text: &str) -> String {
    let mut markdown = String::with_capacity(text.len());
    for part in parts(text) {
        match part {
            Part::Text(text) => markdown.push_str(&plain(&text)),
            Part::Bold => markdown.push_str("**"),
            Part::Code(code) => markdown.push_str(&in_backticks(&code)),
            Part::Link(name, url) => {
                let _ = write!(markdown, "[{name}]({url})");
            }
        }
    }
    markdown
}

/// Text in which Markdown finds no mark.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut before = '\0';
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let is_within_word = before.is_alphanumeric()
            && characters.peek().is_some_and(|next| next.is_alphanumeric());
        let is_mark = match character {
            '_' => !is_within_word,
            other => r"\`*[]<#|".contains(other) || (other == '>' && before != ' '),
        };
        if is_mark {
            plain.push('\\');
        }
        plain.push(character);
        before = character;
    }
    plain
}

/// Code between more backticks than it has in a row.
fn in_backticks(code: &str) -> String {
    let most = code.split(|character| character != '`').map(str::len).max();
    let fence = "`".repeat(most.unwrap_or_default() + 1);
    let space = if code.starts_with('`') || code.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{space}{code}{space}{fence}")
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:0;color:#1b1b1b;background:#fff}main{max-width:48rem;margin:0 auto;padding:1rem}h2{margin-top:2rem}li{margin:.4rem 0}code{background:#f2f2f2;padding:.1em .3em;overflow-wrap:anywhere}a{overflow-wrap:anywhere}";
