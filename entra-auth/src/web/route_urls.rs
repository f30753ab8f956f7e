use entra_core::url::{Host, Url};

use crate::{Error, store::hashed};

/// The URLs of a site's sign-in routes, which are registered at Entra.
///
/// All routes are below one path, such as `/auth`, or at the root (`/`). The URL is the one that
/// browsers see, also behind a proxy: it decides whether cookies are `Secure`, and a `Host` header
/// cannot change it.
///
/// ```
/// use entra_auth::web::RouteUrls;
/// let urls = RouteUrls::at("https://app.example.com/auth")?;
/// assert_eq!(urls.callback(), "https://app.example.com/auth/callback");
/// assert_eq!(urls.callback_of("acme"), "https://app.example.com/auth/callback/acme");
/// assert_eq!(urls.sign_out_path(), "/auth/sign-out");
/// // A redirect URI that is registered already can stay.
/// let urls = urls.with_callback_path("/login/oidc")?;
/// assert_eq!(urls.callback(), "https://app.example.com/login/oidc");
/// assert!(RouteUrls::at("http://app.example.com/auth").is_err()); // not over plain HTTP
/// # Ok::<(), entra_auth::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteUrls {
    /// Scheme, host and port.
    origin: String,
    /// Without a trailing slash; empty at the root.
    path: String,
    /// Without a trailing slash; empty at the root.
    callback: String,
    /// Whether the shared callback has a trailing slash: redirect URIs are compared exactly.
    callback_has_slash: bool,
    secure: bool,
}

impl RouteUrls {
    /// The routes below this URL: https, or http on a loopback address.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for any other URL, and for a
    /// URL with a query or with a character that has to be escaped.
    pub fn at(address: &str) -> Result<Self, Error> {
        let url = Url::parse(address).map_err(|_| invalid_url("it is not an absolute URL"))?;
        let secure = match url.scheme() {
            "https" => true,
            "http" if is_loopback(&url) => false,
            "http" => {
                return Err(invalid_url(
                    "it must be https unless it is a loopback address",
                ));
            }
            _ => return Err(invalid_url("it is neither https nor http")),
        };
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            return Err(invalid_url("it has more than a host and a path"));
        }
        let path = plain_path(url.path())?;
        Ok(Self {
            origin: url.origin().ascii_serialization(),
            callback: format!("{path}{CALLBACK}"),
            callback_has_slash: false,
            path,
            secure,
        })
    }

    /// The same routes with the callback at another path of the site, such as one that is registered
    /// already; `/` is possible. Callbacks of connections are below it.
    ///
    /// A callback at `/` occupies that path: the application has its front page elsewhere
    /// ([`front_page`](super::WebSignInBuilder::front_page)), or has responses posted
    /// ([`ResponseMode::FormPost`](crate::user::ResponseMode::FormPost)), which leaves `GET /` to
    /// the application.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for a path that does not start
    /// with a slash, has a character that has to be escaped, or is one of the other routes.
    pub fn with_callback_path(self, path: &str) -> Result<Self, Error> {
        if !path.starts_with('/') {
            return Err(invalid_url("the path of the callback starts with a slash"));
        }
        let callback = plain_path(path)?;
        let urls = Self {
            callback,
            callback_has_slash: path.ends_with('/'),
            ..self
        };
        let with_names = [SIGN_IN, ADMIN_CONSENT].map(|route| urls.path(route));
        if urls.is_taken(&urls.callback) || with_names.contains(&urls.callback) {
            return Err(invalid_url("the path of the callback is another route's"));
        }
        Ok(urls)
    }

    /// The shared callback: a redirect URI of type Web. Connections can share it only if all of them sign
    /// users in at one login host, such as Entra tenants of one cloud.
    #[must_use]
    pub fn callback(&self) -> String {
        format!("{}{}", self.origin, self.callback_path())
    }

    /// The callback of one connection, by its name: a redirect URI of type Web. With it, a provider cannot
    /// receive codes of another connection's users; see
    /// [`Connections`](crate::sign_in::Connections).
    #[must_use]
    pub fn callback_of(&self, connection: &str) -> String {
        format!("{}{}/{}", self.origin, self.callback, segment(connection))
    }

    /// Where browsers return after a sign-out: also registered as a redirect URI.
    #[must_use]
    pub fn signed_out(&self) -> String {
        self.absolute(SIGNED_OUT)
    }

    /// Where browsers return after an admin consent: also registered as a redirect URI.
    #[must_use]
    pub fn admin_consent_callback(&self) -> String {
        self.absolute(ADMIN_CONSENT_CALLBACK)
    }

    /// The front-channel logout URL, which Entra has browsers load when the user signs out of any
    /// application.
    #[must_use]
    pub fn front_channel_sign_out(&self) -> String {
        self.absolute(FRONT_CHANNEL)
    }

    /// The path to link to for a sign-in. `/{name of a connection}` may follow, and the parameters
    /// `return` (a path on this site), `email` and `prompt`.
    #[must_use]
    pub fn sign_in_path(&self) -> String {
        self.path(SIGN_IN)
    }

    /// The path to post to for a sign-out; a link to it shows a page that asks for confirmation.
    #[must_use]
    pub fn sign_out_path(&self) -> String {
        self.path(SIGN_OUT)
    }

    /// The path that asks an administrator for consent. `/{name of a connection}` may follow.
    #[must_use]
    pub fn admin_consent_path(&self) -> String {
        self.path(ADMIN_CONSENT)
    }

    /// The site: scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The path of the callback that connections may share.
    pub(super) fn callback_path(&self) -> String {
        match self.callback_has_slash {
            true => format!("{}/", self.callback),
            false => self.callback.clone(),
        }
    }

    /// Whether the callback is the front page's path.
    pub(super) const fn is_callback_at_root(&self) -> bool {
        self.callback.is_empty()
    }

    /// The route of connections' own callbacks.
    pub(super) fn callback_route(&self) -> String {
        format!("{}/{{connection}}", self.callback)
    }

    /// Whether a connection of this name can have this redirect URI: its own callback or the shared one,
    /// at a path that no other route has.
    pub(super) fn is_callback_of(&self, connection: &str, redirect_uri: &str) -> bool {
        let own = self.callback_of(connection);
        let is_own = redirect_uri == own
            && !own
                .strip_prefix(&self.origin)
                .is_none_or(|path| self.is_taken(path));
        is_own || redirect_uri == self.callback()
    }

    fn is_taken(&self, path: &str) -> bool {
        OTHER_ROUTES.iter().any(|route| self.path(route) == path)
    }

    pub(super) fn path(&self, route: &str) -> String {
        format!("{}{route}", self.path)
    }

    /// An id of this site: other sites on the same host receive its cookies, too.
    pub(super) fn site(&self) -> String {
        let mut site = hashed(&self.absolute(""));
        site.truncate(SITE_DIGITS);
        site
    }

    /// Whether the site is served by https.
    pub(super) const fn is_secure(&self) -> bool {
        self.secure
    }

    fn absolute(&self, route: &str) -> String {
        format!("{}{}{route}", self.origin, self.path)
    }
}

/// A path without a trailing slash, empty at the root.
fn plain_path(path: &str) -> Result<String, Error> {
    let path = path.trim_end_matches('/');
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "/-_.~".contains(char);
    let has_dot_segment = path.split('/').any(|part| matches!(part, "." | ".."));
    if path.contains("//") || has_dot_segment || !path.chars().all(is_plain) {
        return Err(invalid_url("its path must be a plain one, such as /auth"));
    }
    Ok(path.to_owned())
}

/// A name as one segment of a path.
pub(super) fn segment(name: &str) -> String {
    let mut segment = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'-' | b'_' | b'.' | b'~' => segment.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => segment.push(char::from(byte)),
            byte => segment.push_str(&format!("%{byte:02X}")),
        }
    }
    segment
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn invalid_url(reason: &'static str) -> Error {
    Error::configuration(
        format!("the URL of the sign-in routes is invalid: {reason}"),
        "give the URL that browsers see, such as https://app.example.com/auth",
    )
}

pub(super) const SIGN_IN: &str = "/sign-in";
const CALLBACK: &str = "/callback";
pub(super) const SIGN_OUT: &str = "/sign-out";
pub(super) const SIGNED_OUT: &str = "/signed-out";
pub(super) const FRONT_CHANNEL: &str = "/front-channel-sign-out";
pub(super) const ADMIN_CONSENT: &str = "/admin-consent";
pub(super) const ADMIN_CONSENT_CALLBACK: &str = "/admin-consent-callback";
/// Digits of a digest that distinguish sites.
const SITE_DIGITS: usize = 10;
/// The routes beside the callback.
const OTHER_ROUTES: [&str; 6] = [
    SIGN_IN,
    SIGN_OUT,
    SIGNED_OUT,
    FRONT_CHANNEL,
    ADMIN_CONSENT,
    ADMIN_CONSENT_CALLBACK,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_or_loopback_urls_without_query_are_accepted() {
        for valid in [
            "https://app.example.com",
            "https://app.example.com/",
            "https://app.example.com/auth",
            "https://app.example.com:8443/a/b/",
            "http://localhost:3000/auth",
            "http://127.0.0.1:3000/auth",
            "http://[::1]:3000/auth",
        ] {
            RouteUrls::at(valid).unwrap();
        }
        for bad in [
            "",
            "/auth",
            "https://app.example.com//auth",
            "https://app.example.com/auth?x=1",
            "https://app.example.com/auth#x",
            "https://me@app.example.com/auth",
            "https://app.example.com/{auth}",
            "http://app.example.com/auth",
            "http://localhost.example.com/auth",
            "ftp://app.example.com/auth",
        ] {
            let error = RouteUrls::at(bad).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Configuration, "{bad}");
        }
    }

    #[test]
    fn urls_are_joined_with_one_slash() {
        let urls = RouteUrls::at("https://app.example.com:443/a/b/").unwrap();
        assert_eq!(urls.callback(), "https://app.example.com/a/b/callback");
        assert_eq!(urls.sign_in_path(), "/a/b/sign-in");
        assert_eq!(urls.origin(), "https://app.example.com");
        let urls = RouteUrls::at("https://app.example.com").unwrap();
        assert_eq!(urls.callback(), "https://app.example.com/callback");
        assert_eq!(urls.sign_in_path(), "/sign-in");
    }

    #[test]
    fn the_callback_can_be_at_any_path_that_no_other_route_has() {
        let urls = RouteUrls::at("https://app.example.com/auth").unwrap();
        let at = |path: &str| urls.clone().with_callback_path(path);
        let root = at("/").unwrap();
        assert_eq!(root.callback(), "https://app.example.com/");
        assert_eq!(root.callback_of("acme"), "https://app.example.com/acme");
        let oidc = at("/auth/oidc/callback/").unwrap();
        let shared = "https://app.example.com/auth/oidc/callback/";
        assert_eq!(oidc.callback(), shared, "as it is registered");
        let own = oidc.callback_of("a c\u{e9}*%");
        assert_eq!(
            own,
            "https://app.example.com/auth/oidc/callback/a%20c%C3%A9%2A%25"
        );
        assert!(oidc.is_callback_of("a c\u{e9}*%", &own));
        assert!(oidc.is_callback_of("acme", &oidc.callback()));
        assert!(!oidc.is_callback_of("acme", &own));
        for bad in [
            "",
            "x",
            "https://evil.example/",
            "//evil.example",
            "/a//b",
            "/a?b",
            "/{x}",
            "/a/../b",
            "/a/./b",
            "/auth/sign-in",
            "/auth/sign-out/",
            "/auth/admin-consent",
        ] {
            let error = at(bad).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Configuration, "{bad}");
        }
        // The name of a connection may not collide with another route.
        let above = at("/auth").unwrap();
        assert!(above.is_callback_of("acme", &above.callback_of("acme")));
        assert!(!above.is_callback_of("sign-out", &above.callback_of("sign-out")));
    }
}
