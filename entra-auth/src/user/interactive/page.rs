//! The page that ends a sign-in. All of it comes from this crate or is escaped.

use crate::Error;

pub(super) fn success() -> String {
    page(
        "You are signed in",
        "You can close this window and go back to the application.",
    )
}

pub(super) fn failure(error: &Error) -> String {
    let mut text = error.to_string();
    if let Some(fix) = error.fix() {
        text.push_str(". To do: ");
        text.push_str(fix);
    }
    page("The sign-in failed", &text)
}

pub(super) fn foreign() -> String {
    page(
        "Not this sign-in",
        "This response does not belong to the sign-in that the application waits for.",
    )
}

fn page(title: &str, text: &str) -> String {
    let (title, text) = (escape(title), escape(text));
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width\"></head>\
         <body style=\"font:16px/1.5 system-ui,sans-serif;max-width:30rem;margin:15vh auto;padding:0 1rem\">\
         <h1>{title}</h1><p role=\"status\">{text}</p></body></html>\n"
    )
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn failure_page_shows_error_and_fix_with_escaped_text() {
        let error = Error::new(ErrorKind::Rejected, "<script>x</script>'\"&")
            .with(|inner| inner.fix = Some("<b>".into()));
        let page = failure(&error);
        assert!(
            page.contains("&lt;script&gt;x&lt;/script&gt;&#39;&quot;&amp;"),
            "{page}"
        );
        assert!(page.contains("To do: &lt;b&gt;"));
    }
}
