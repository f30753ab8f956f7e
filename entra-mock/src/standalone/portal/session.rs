//! Who may see the portal: a browser that has opened a link of the server, each of which works once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use entra_core::{SecureRandom, SystemRandom};

use super::{ROOT, View};
use crate::wire::{Reply, WireRequest};

/// The links that are not used yet, and the browsers that have used one.
///
/// Only digests are stored: a link is shown once, when it is made.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<Known>);

#[derive(Default)]
struct Known {
    links: Vec<[u8; 32]>,
    browsers: Vec<[u8; 32]>,
}

impl Sessions {
    /// Makes a link at the address of a tenant.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub(crate) fn new_link(&self, uri: &str) -> Result<String, entra_core::Error> {
        let code = random()?;
        remember(&mut self.lock().links, &code);
        Ok(format!("{uri}{ROOT}/open?code={code}"))
    }

    /// `/open`: takes the code of a link and gives the browser a cookie.
    pub(super) fn open(&self, view: &View<'_>) -> Reply {
        let code = view.parameter("code");
        let used = {
            let links = &mut self.lock().links;
            let at = links.iter().position(|link| is_digest(link, code));
            at.map(|at| links.swap_remove(at))
        };
        let cookie = used.and_then(|_| random().ok());
        let Some(cookie) = cookie else {
            return sign_in_page(view);
        };
        remember(&mut self.lock().browsers, &cookie);
        let secure = if view.request.base.starts_with("https:") {
            "; Secure"
        } else {
            ""
        };
        // A redirect would be part of a navigation that another site may have started, which gets no strict cookie.
        view.document("Portal")
            .closed()
            .with(&format!("<p><a href=\"{ROOT}\">Open the portal</a></p>"))
            .reply(200)
            .with_header("refresh", format!("0;url={ROOT}"))
            .with_header(
                "set-cookie",
                format!("{COOKIE}={cookie}; Path={ROOT}; HttpOnly; SameSite=Strict{secure}"),
            )
    }

    /// Whether a request has the cookie of a browser that has used a link.
    pub(super) fn knows(&self, request: &WireRequest) -> bool {
        let cookies = request.headers.iter().filter(|(name, _)| name == "cookie");
        let mut values = cookies
            .flat_map(|(_, value)| value.split(';'))
            .filter_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='));
        let known = self.lock();
        values.any(|value| {
            known
                .browsers
                .iter()
                .any(|browser| is_digest(browser, value))
        })
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // A panic while the lock was held leaves the data as usable as before.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The page of a browser without a session.
pub(super) fn sign_in_page(view: &View<'_>) -> Reply {
    view.document("Open the portal with a link")
        .closed()
        .with(
            "<p>This browser has no session, or the link was used before: each link works once.</p>\n\
             <p>The server prints a link when it starts. For another one, run:</p>\n\
             <pre>entra-mock ctl portal link</pre>",
        )
        .reply(403)
}

/// The cookie. Cookies of one host are shared by all its ports, so other servers on the machine see it; a server that
/// did not make it does not know it.
const COOKIE: &str = "entra-mock-portal";
/// More links or browsers than a developer has.
const MOST: usize = 100;

fn remember(known: &mut Vec<[u8; 32]>, secret: &str) {
    if known.len() >= MOST {
        known.remove(0);
    }
    known.push(digest_of(secret));
}

fn digest_of(secret: &str) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, secret.as_bytes());
    digest.as_ref().try_into().unwrap_or_default()
}

fn is_digest(known: &[u8; 32], secret: &str) -> bool {
    verify_slices_are_equal(known, &digest_of(secret)).is_ok()
}

/// It comes from the system: a seeded value could be guessed.
fn random() -> Result<String, entra_core::Error> {
    let mut bytes = [0; 32];
    SystemRandom.fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_cookie(value: &str) -> WireRequest {
        WireRequest {
            method: "GET".into(),
            path: ROOT.into(),
            query: None,
            headers: vec![("cookie".into(), value.into())],
            body: Vec::new(),
            base: "http://localhost".into(),
            handshakes: Vec::new(),
        }
    }

    #[test]
    fn only_the_cookie_of_a_known_browser_is_accepted() {
        let sessions = Sessions::default();
        remember(&mut sessions.lock().browsers, "secret");
        assert!(sessions.knows(&with_cookie("a=b; entra-mock-portal=secret")));
        for cookie in [
            "",
            "entra-mock-portal=",
            "entra-mock-portal=secre",
            "entra-mock-portalx=secret",
            "secret",
        ] {
            assert!(!sessions.knows(&with_cookie(cookie)), "{cookie}");
        }
        assert!(!Sessions::default().knows(&with_cookie("entra-mock-portal=")));
    }

    #[test]
    fn the_number_of_remembered_links_is_bounded() {
        let sessions = Sessions::default();
        for _ in 0..MOST + 5 {
            assert!(
                sessions
                    .new_link("http://localhost")
                    .unwrap()
                    .contains("/open?code=")
            );
        }
        assert_eq!(sessions.lock().links.len(), MOST);
    }
}
