//! Parts of pages as text: what is escaped, and the fields of forms.

use url::Url;

/// Returns a source of a content security policy that covers exactly one URL's host.
pub(super) fn source(address: &Url) -> String {
    match address.origin() {
        origin if origin.is_tuple() => origin.ascii_serialization(),
        // A custom scheme of an application.
        _ => format!("{}:", address.scheme()),
    }
}

/// Returns a text that means itself in HTML, also within quotes.
pub(crate) fn escape(text: &str) -> String {
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

/// Returns a field that is sent with its form and not shown.
pub(super) fn hidden(name: &str, value: &str) -> String {
    format!(
        "<input type=\"hidden\" name=\"{}\" value=\"{}\">\n",
        escape(name),
        escape(value)
    )
}

/// Returns the error message of a field, and the attributes that refer to it.
pub(super) fn field_error(error: Option<&str>) -> (String, &'static str) {
    match error {
        None => (String::new(), ""),
        Some(error) => (
            format!(
                "<p id=\"error\" class=\"error\" role=\"alert\">{}</p>\n",
                escape(error)
            ),
            " aria-invalid=\"true\" aria-describedby=\"error\"",
        ),
    }
}

/// Returns a title that starts with the error, for screen readers.
pub(super) fn title(name: &str, error: Option<&str>) -> String {
    match error {
        Some(_) => format!("Error: {name}"),
        None => name.to_owned(),
    }
}
