//! Request bodies that a client has compressed: the middleware of the Graph SDKs for Go compresses all of them.

use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};

use crate::wire::WireRequest;

/// Replaces a compressed body by what it holds. Returns the status 413 if that is larger than `most`, and 415 for an
/// encoding that is not supported; then those clients repeat the request without one.
pub(super) fn decode(request: &mut WireRequest, most: usize) -> Result<(), u16> {
    let encodings: Vec<String> = request
        .list(CONTENT_ENCODING)
        .map(str::to_ascii_lowercase)
        .filter(|encoding| !matches!(encoding.as_str(), "" | "identity"))
        .collect();
    let body = match encodings.as_slice() {
        [] => return Ok(()),
        [one] => match one.as_str() {
            "gzip" | "x-gzip" => read(MultiGzDecoder::new(request.body.as_slice()), most)?,
            "deflate" => read(ZlibDecoder::new(request.body.as_slice()), most)?,
            _ => return Err(415),
        },
        _ => return Err(415),
    };
    request.body = body;
    // From here on the body is as if it had been sent plainly.
    request
        .headers
        .retain(|(name, _)| name != CONTENT_ENCODING && name != "content-length");
    let length = request.body.len().to_string();
    request.headers.push(("content-length".to_owned(), length));
    Ok(())
}

fn read(decoder: impl Read, most: usize) -> Result<Vec<u8>, u16> {
    let mut body = Vec::new();
    // One byte more than allowed tells a body that is too large.
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    match decoder.take(limit).read_to_end(&mut body) {
        Ok(_) if body.len() > most => Err(413),
        Ok(_) => Ok(body),
        Err(_) => Err(400),
    }
}

const CONTENT_ENCODING: &str = "content-encoding";

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{
        Compression,
        write::{GzEncoder, ZlibEncoder},
    };

    use super::*;

    fn request(encoding: &str, body: Vec<u8>) -> WireRequest {
        WireRequest {
            method: "POST".to_owned(),
            path: "/v1.0/groups".to_owned(),
            query: None,
            headers: vec![
                ("content-length".to_owned(), body.len().to_string()),
                (CONTENT_ENCODING.to_owned(), encoding.to_owned()),
            ],
            body,
            base: "http://localhost".to_owned(),
            handshakes: Vec::new(),
        }
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn decoded(encoding: &str, body: Vec<u8>) -> Result<(Vec<u8>, Vec<String>), u16> {
        let mut request = request(encoding, body);
        decode(&mut request, 1000)?;
        let lengths = request.list("content-length").map(str::to_owned).collect();
        assert_eq!(
            request.header(CONTENT_ENCODING).is_some(),
            encoding == "identity"
        );
        Ok((request.body, lengths))
    }

    #[test]
    fn a_compressed_body_is_as_if_sent_plainly() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(b"{}").unwrap();
        let plain = Ok((b"{}".to_vec(), vec!["2".to_owned()]));
        assert_eq!(decoded("gzip", gzip(b"{}")), plain);
        assert_eq!(decoded("GZIP, identity", gzip(b"{}")), plain);
        assert_eq!(decoded("deflate", zlib.finish().unwrap()), plain);
        assert_eq!(decoded("identity", b"{}".to_vec()), plain);
    }

    #[test]
    fn a_body_is_rejected_by_its_encoding_its_size_and_its_content() {
        assert_eq!(decoded("br", b"{}".to_vec()), Err(415));
        assert_eq!(decoded("gzip, gzip", gzip(b"{}")), Err(415));
        assert_eq!(decoded("gzip", b"{}".to_vec()), Err(400));
        assert!(decoded("gzip", gzip(&[b'a'; 1000])).is_ok());
        assert_eq!(decoded("gzip", gzip(&[b'a'; 1001])), Err(413));
    }
}
