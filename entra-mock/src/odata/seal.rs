//! Opaque tokens that clients can neither invent nor change.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Creates and opens the tokens of one tenant.
#[derive(Debug)]
pub(crate) struct Seal(hmac::Key);

impl Seal {
    pub(crate) fn of(tenant: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, tenant.as_bytes()))
    }

    /// Returns a token with this content.
    pub(crate) fn seal(&self, content: &str) -> String {
        let tag = hmac::sign(&self.0, content.as_bytes());
        let mut token = tag.as_ref()[..TAG].to_vec();
        token.extend(
            content
                .bytes()
                .zip(tag.as_ref().iter().cycle())
                .map(|(byte, mask)| byte ^ mask),
        );
        // The mask only keeps clients from depending on the content; the tag authenticates it.
        token.extend_from_slice(&tag.as_ref()[TAG..]);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Returns the content of a token if this tenant created it.
    pub(crate) fn open(&self, token: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let length = bytes.len().checked_sub(FULL_TAG)?;
        let tag = [&bytes[..TAG], &bytes[TAG + length..]].concat();
        let content: Vec<u8> = bytes[TAG..TAG + length]
            .iter()
            .zip(tag.iter().cycle())
            .map(|(byte, mask)| byte ^ mask)
            .collect();
        hmac::verify(&self.0, &content, &tag).ok()?;
        String::from_utf8(content).ok()
    }

    /// Returns a short digest of a text.
    pub(crate) fn digest(&self, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(&hmac::sign(&self.0, text.as_bytes()).as_ref()[..12])
    }
}

/// Length of the tag before the content.
const TAG: usize = 8;
const FULL_TAG: usize = 32;
