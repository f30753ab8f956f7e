//! Requests to Graph in the lines of a log.

/// Method and address of the request in a line: the first method, and the first path or URL after it.
pub(super) fn request(line: &str) -> Option<(&str, &str)> {
    let mut words = line
        .split(|separator: char| separator.is_whitespace() || separator == '"')
        .filter(|word| !word.is_empty());
    let method = words.find(|word| METHODS.contains(word))?;
    let address = words.find(|word| word.starts_with('/') || word.contains("://"))?;
    let is_graph = address.contains("/v1.0/") || address.contains("/beta/");
    is_graph.then_some((method, address))
}

const METHODS: [&str; 5] = ["DELETE", "GET", "PATCH", "POST", "PUT"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_found_in_logs_of_several_forms() {
        for (line, found) in [
            (
                "GET /v1.0/users?$top=5",
                Some(("GET", "/v1.0/users?$top=5")),
            ),
            (
                "2026-11-20T12:00:00Z POST https://graph.microsoft.com/v1.0/groups 201",
                Some(("POST", "https://graph.microsoft.com/v1.0/groups")),
            ),
            (
                "127.0.0.1 - - \"DELETE /beta/users/7 HTTP/1.1\" 204",
                Some(("DELETE", "/beta/users/7")),
            ),
            ("POST /tenant/oauth2/v2.0/token", None),
            ("ready http://localhost:8443", None),
            ("", None),
        ] {
            assert_eq!(request(line), found, "{line}");
        }
    }
}
