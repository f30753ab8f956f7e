//! The handshake: Graph checks a notification URL before it creates a subscription.

use std::borrow::Cow;

use entra_core::{
    bytes::Bytes,
    http::{HeaderValue, Response, StatusCode, header},
    url::form_urlencoded,
};

/// The response to the handshake, if the query is one.
///
/// The body is the decoded token as plain text. Graph's tokens contain no markup; it is escaped, so that a link to
/// this endpoint cannot show a page with markup of its own.
pub(super) fn respond(query: &str) -> Option<Response<Bytes>> {
    let mut tokens = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == "validationToken")
        .map(|(_, token)| token);
    let token = tokens.next()?;
    let is_valid = tokens.next().is_none()
        && !token.is_empty()
        && token.len() <= MOST_BYTES
        && !token
            .chars()
            .any(|char| char.is_control() || char == char::REPLACEMENT_CHARACTER);
    Some(match is_valid {
        true => plain(StatusCode::OK, Bytes::from(escaped(&token).into_owned())),
        false => plain(
            StatusCode::BAD_REQUEST,
            Bytes::from_static(b"the validation token is invalid"),
        ),
    })
}

/// A response with plain text that no browser interprets and no cache stores.
pub(super) fn plain(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

/// Graph sends about a hundred.
const MOST_BYTES: usize = 2_048;

#[cfg(test)]
mod tests {
    use super::*;

    fn body(query: &str) -> (u16, String) {
        let response = respond(query).unwrap();
        assert_eq!(
            response.headers()["content-type"],
            "text/plain; charset=utf-8"
        );
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        let text = String::from_utf8(response.body().to_vec()).unwrap();
        (response.status().as_u16(), text)
    }

    #[test]
    fn the_token_is_returned_decoded() {
        let token = "Validation: Testing client application reachability for subscription Request-Id: 522a8e7e";
        let plus = "Validation%3a+Testing+client+application+reachability+for+subscription+Request-Id%3a+522a8e7e";
        let percent = plus.replace('+', "%20");
        for query in [
            format!("validationToken={plus}"),
            format!("validationToken={percent}"),
            format!("source=graph&validationToken={plus}&x=1"),
        ] {
            assert_eq!(body(&query), (200, token.to_owned()), "{query}");
        }
        assert_eq!(body("validationToken=%C3%A4"), (200, "ä".to_owned()));
    }

    #[test]
    fn markup_is_escaped() {
        let (status, text) = body("validationToken=%3Cscript%3Ealert('1'%26\"2\")%3C/script%3E");
        assert_eq!(status, 200);
        assert_eq!(
            text,
            "&lt;script&gt;alert(&#39;1&#39;&amp;&quot;2&quot;)&lt;/script&gt;"
        );
    }

    #[test]
    fn an_invalid_token_is_rejected() {
        let long = format!("validationToken={}", "a".repeat(MOST_BYTES + 1));
        let longest = format!("validationToken={}", "a".repeat(MOST_BYTES));
        for query in [
            "validationToken=",
            "validationToken",
            "validationToken=a&validationToken=a",
            "validationToken=a%0d%0ab",
            "validationToken=%ff",
            &long,
        ] {
            let (status, text) = body(query);
            assert_eq!(status, 400, "{query}");
            assert_eq!(text, "the validation token is invalid");
        }
        assert_eq!(body(&longest).0, 200);
    }

    #[test]
    fn another_query_is_no_handshake() {
        for query in [
            "",
            "validationtoken=a",
            "token=validationToken",
            "xvalidationToken=a",
        ] {
            assert!(respond(query).is_none(), "{query}");
        }
    }
}
