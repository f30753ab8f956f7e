use entra_core::url::{Host, Url};

use crate::Error;

/// Where the routes of a sign-in are on the web, and so what is registered at Entra.
///
/// All of them share one path, such as `/auth`. The address is what browsers see, also behind a
/// proxy: it decides whether cookies are `Secure`, and no `Host` header can change it.
///
/// ```
/// use entra_auth::web::RouteUrls;
/// let urls = RouteUrls::at("https://app.example.com/auth")?;
/// assert_eq!(urls.callback(), "https://app.example.com/auth/callback");
/// assert_eq!(urls.sign_out_path(), "/auth/sign-out");
/// assert!(RouteUrls::at("http://app.example.com/auth").is_err()); // not over plain HTTP
/// # Ok::<(), entra_auth::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteUrls {
    /// Scheme, host and port.
    origin: String,
    /// Without a slash at its end.
    path: String,
    secure: bool,
}

impl RouteUrls {
    /// The routes under this address: https, or http on this machine's loopback.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for anything else, and for an
    /// address without a path, with a query or with a character that has to be escaped.
    pub fn at(address: &str) -> Result<Self, Error> {
        let url = Url::parse(address).map_err(|_| unusable("it is no absolute URL"))?;
        let secure = match url.scheme() {
            "https" => true,
            "http" if is_loopback(&url) => false,
            "http" => return Err(unusable("it must be https, except on a loopback address")),
            _ => return Err(unusable("it is neither https nor http")),
        };
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            return Err(unusable("it is more than a host and a path"));
        }
        let path = url.path().trim_end_matches('/');
        let plain = |char: char| char.is_ascii_alphanumeric() || "/-_.~".contains(char);
        if path.is_empty() || path.contains("//") || !path.chars().all(plain) {
            return Err(unusable(
                "its path must be a plain one of the routes' own, such as /auth",
            ));
        }
        Ok(Self {
            origin: url.origin().ascii_serialization(),
            path: path.to_owned(),
            secure,
        })
    }

    /// Where browsers come back to from a sign-in: a redirect address of kind Web.
    #[must_use]
    pub fn callback(&self) -> String {
        self.absolute(CALLBACK)
    }

    /// Where browsers come back to from a sign-out: a redirect address too.
    #[must_use]
    pub fn signed_out(&self) -> String {
        self.absolute(SIGNED_OUT)
    }

    /// Where browsers come back to from an admin's consent: a redirect address too.
    #[must_use]
    pub fn admin_consent_callback(&self) -> String {
        self.absolute(ADMIN_CONSENT_CALLBACK)
    }

    /// The front-channel logout URL, which Entra has browsers load when a user signs out anywhere.
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

    /// The path to post to for a sign-out; a link to it asks first.
    #[must_use]
    pub fn sign_out_path(&self) -> String {
        self.path(SIGN_OUT)
    }

    /// The path to send an admin to for consent. `/{name of a connection}` may follow.
    #[must_use]
    pub fn admin_consent_path(&self) -> String {
        self.path(ADMIN_CONSENT)
    }

    /// The site: scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub(super) fn path(&self, route: &str) -> String {
        format!("{}{route}", self.path)
    }

    /// Whether browsers come by https.
    pub(super) const fn is_secure(&self) -> bool {
        self.secure
    }

    fn absolute(&self, route: &str) -> String {
        format!("{}{}{route}", self.origin, self.path)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn unusable(what: &'static str) -> Error {
    Error::configuration(
        format!("the address of the sign-in routes cannot be used: {what}"),
        "give what browsers see, such as https://app.example.com/auth",
    )
}

pub(super) const SIGN_IN: &str = "/sign-in";
pub(super) const CALLBACK: &str = "/callback";
pub(super) const SIGN_OUT: &str = "/sign-out";
pub(super) const SIGNED_OUT: &str = "/signed-out";
pub(super) const FRONT_CHANNEL: &str = "/front-channel-sign-out";
pub(super) const ADMIN_CONSENT: &str = "/admin-consent";
pub(super) const ADMIN_CONSENT_CALLBACK: &str = "/admin-consent-callback";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_that_browsers_keep_safe_is_accepted() {
        for good in [
            "https://app.example.com/auth",
            "https://app.example.com:8443/a/b/",
            "http://localhost:3000/auth",
            "http://127.0.0.1:3000/auth",
            "http://[::1]:3000/auth",
        ] {
            RouteUrls::at(good).unwrap();
        }
        for bad in [
            "",
            "/auth",
            "https://app.example.com",
            "https://app.example.com/",
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
    fn addresses_have_one_slash_where_one_belongs() {
        let urls = RouteUrls::at("https://app.example.com:443/a/b/").unwrap();
        assert_eq!(urls.callback(), "https://app.example.com/a/b/callback");
        assert_eq!(urls.sign_in_path(), "/a/b/sign-in");
        assert_eq!(urls.origin(), "https://app.example.com");
    }
}
