use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A path on the same site to redirect to after a sign-in.
///
/// A page that requires a sign-in often passes the return path in a parameter that anyone can
/// write. Only a path that starts with one slash is accepted, with query and fragment, in printable
/// ASCII: no scheme, no host, no backslash, no control character, no `..`.
///
/// ```
/// use entra_auth::sign_in::ReturnPath;
/// let path: ReturnPath = "/orders?page=2#total".parse()?;
/// assert_eq!(path.as_str(), "/orders?page=2#total");
/// assert!("//evil.example".parse::<ReturnPath>().is_err());
/// assert_eq!(ReturnPath::or_root(Some("https://evil.example")).as_str(), "/");
/// # Ok::<(), entra_auth::sign_in::ReturnPathError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ReturnPath(String);

/// Why a text is not a path on the same site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReturnPathError(&'static str);

impl ReturnPath {
    /// The front page.
    #[must_use]
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// The requested path if it is valid, otherwise the front page.
    #[must_use]
    pub fn or_root(path: Option<&str>) -> Self {
        path.and_then(|path| path.parse().ok())
            .unwrap_or_else(Self::root)
    }

    /// The path, for a `Location` header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ReturnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query may hold an invitation or another secret of the application.
        let end = self.0.find(['?', '#']).unwrap_or(self.0.len());
        f.debug_tuple("ReturnPath").field(&&self.0[..end]).finish()
    }
}

impl FromStr for ReturnPath {
    type Err = ReturnPathError;

    fn from_str(text: &str) -> Result<Self, ReturnPathError> {
        check(text).map(|()| Self(text.to_owned()))
    }
}

impl Default for ReturnPath {
    fn default() -> Self {
        Self::root()
    }
}

impl fmt::Display for ReturnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for ReturnPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ReturnPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for ReturnPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for ReturnPathError {}

fn check(text: &str) -> Result<(), ReturnPathError> {
    if text.len() > MAX_BYTES {
        return Err(ReturnPathError("the path is too long"));
    }
    if !text.starts_with('/') {
        return Err(ReturnPathError("the path does not start with a slash"));
    }
    // Browsers drop control characters and read a backslash as a slash.
    if !text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    {
        return Err(ReturnPathError(
            "the path has a character that must be percent-encoded",
        ));
    }
    let end = text.find(['?', '#']).unwrap_or(text.len());
    let path = &text[..end];
    if path.contains("//") {
        return Err(ReturnPathError("the path could name a host"));
    }
    // A proxy may decode an escaped character into one of the above.
    let lower = path.to_ascii_lowercase();
    if ["%2f", "%5c", "%2e", "%00", "%25", "%0a", "%0d", "%09"]
        .iter()
        .any(|hidden| lower.contains(hidden))
    {
        return Err(ReturnPathError("the path hides a separator"));
    }
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(ReturnPathError("the path leads upwards"));
    }
    Ok(())
}

/// Some proxies reject longer URLs.
const MAX_BYTES: usize = 2048;

#[cfg(test)]
mod tests {
    use entra_core::url::Url;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_of_the_same_site_is_kept_as_it_is() {
        for valid in [
            "/",
            "/a",
            "/a/b/",
            "/a?b=c&d=//x",
            "/a#b",
            "/?next=https://x.example/",
            "/a%20b",
            "/~a/b.c/..d",
            "/%C3%A9",
        ] {
            assert_eq!(valid.parse::<ReturnPath>().unwrap().as_str(), valid);
        }
        let longest = format!("/{}", "a".repeat(MAX_BYTES - 1));
        assert_eq!(longest.parse::<ReturnPath>().unwrap().as_str(), longest);
    }

    #[test]
    fn a_path_to_another_site_is_rejected() {
        let long = format!("/{}", "a".repeat(MAX_BYTES));
        for bad in [
            "",
            "a",
            "?a",
            "#a",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "\\/evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\nSet-Cookie:x",
            " /a",
            "/ /evil.example",
            "https://evil.example",
            "HTTPS:evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "/..//evil.example",
            "/.//evil.example",
            "/a/..//evil.example",
            "/%2f/evil.example",
            "/%5Cevil.example",
            "/%2e%2e//x",
            "/%09/evil.example",
            "/%252f/evil.example",
            "/é",
            "/\u{2028}",
            "/\u{ff0f}evil.example",
            "/a/../../b",
            "/a//b",
            "/\0",
            &long,
            "@evil.example",
            ".evil.example",
            "/\u{202e}a",
        ] {
            bad.parse::<ReturnPath>().unwrap_err();
            assert_eq!(
                ReturnPath::or_root(Some(bad)),
                ReturnPath::root(),
                "{bad:?}"
            );
        }
        assert_eq!(ReturnPath::or_root(None), ReturnPath::root());
    }

    #[test]
    fn a_stored_path_is_checked_again() {
        serde_json::from_str::<ReturnPath>(r#""/a""#).unwrap();
        serde_json::from_str::<ReturnPath>(r#""//a""#).unwrap_err();
    }

    proptest! {
        #[test]
        fn every_accepted_path_stays_on_the_site(text in "[/\\\\.:@?#a%25fF2eE\\t ]{0,12}") {
            if let Ok(path) = text.parse::<ReturnPath>() {
                let site = Url::parse("https://shop.example/x/y").unwrap();
                let there = site.join(path.as_str()).unwrap();
                prop_assert_eq!(there.origin(), site.origin());
            }
        }
    }
}
