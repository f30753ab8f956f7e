//! PEM text: labelled base64, possibly with headers, among anything else.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use entra_core::Secret;
use zeroize::Zeroizing;

use super::error::CertificateError;

/// One `BEGIN`…`END` block.
pub(super) struct Section {
    pub(super) label: String,
    /// `DEK-Info` and the like, which OpenSSL's traditional encryption writes.
    pub(super) headers: Vec<(String, String)>,
    pub(super) der: Zeroizing<Vec<u8>>,
}

impl Section {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(key, _)| key == name);
        header.map(|(_, value)| value.as_str())
    }
}

/// Whether there is any block in it.
pub(super) fn is_pem(bytes: &[u8]) -> bool {
    bytes.windows(BEGIN.len()).any(|window| window == BEGIN)
}

/// All blocks in order; text around them, such as OpenSSL's bag attributes, is skipped.
pub(super) fn sections(bytes: &[u8]) -> Result<Vec<Section>, CertificateError> {
    let mut sections = Vec::new();
    let mut lines = bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    while let Some(line) = lines.next() {
        // A byte order mark may stand before the first line.
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let Some(label) = boundary(line, BEGIN) else {
            continue;
        };
        sections.push(section(label, &mut lines)?);
    }
    Ok(sections)
}

/// One block with this label.
pub(super) fn encode(label: &str, der: &[u8]) -> Secret {
    let body = Zeroizing::new(STANDARD.encode(der));
    let lines = body.len().div_ceil(WIDTH);
    // Big enough from the start: a text that grows leaves copies of a key behind.
    let mut text = String::with_capacity(body.len() + lines + 2 * label.len() + 40);
    text.extend(["-----BEGIN ", label, "-----\n"]);
    let mut rest: &str = &body;
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(WIDTH));
        text.extend([line, "\n"]);
        rest = after;
    }
    text.extend(["-----END ", label, "-----\n"]);
    Secret::from(text)
}

fn section<'a>(
    label: &str,
    lines: &mut impl Iterator<Item = &'a [u8]>,
) -> Result<Section, CertificateError> {
    let mut headers = Vec::new();
    let mut body = Zeroizing::new(Vec::with_capacity(8 * 1024));
    for line in lines {
        if boundary(line, END) == Some(label) {
            let der = STANDARD.decode(&*body).map(Zeroizing::new);
            return Ok(Section {
                label: label.to_owned(),
                headers,
                // The decoder's error names bytes of the key.
                der: der.map_err(|_| {
                    CertificateError::malformed(format!("the PEM block {label} is no base64"))
                })?,
            });
        }
        match std::str::from_utf8(line)
            .ok()
            .and_then(|line| line.split_once(':'))
        {
            Some((key, value)) => headers.push((key.trim().to_owned(), value.trim().to_owned())),
            None => body.extend_from_slice(line),
        }
    }
    Err(CertificateError::malformed(format!(
        "the PEM block {label} has no end"
    )))
}

fn boundary<'a>(line: &'a [u8], lead: &[u8]) -> Option<&'a str> {
    let label = line.strip_prefix(lead)?.strip_suffix(b"-----")?;
    std::str::from_utf8(label).ok()
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const WIDTH: usize = 64;
