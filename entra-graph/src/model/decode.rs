use super::{DecodeTarget, into};
use crate::error::{Error, ServiceError};

/// Decodes a response into a target. After a failure it decodes again to find the path of the error in the JSON.
///
/// # Errors
/// `Decode`.
pub(crate) fn read_document(body: &[u8], target: &mut dyn DecodeTarget) -> Result<(), Error> {
    // Text is checked for UTF-8 once and not string by string.
    let text = std::str::from_utf8(without_bom(body))
        .map_err(|source| Error::decode("the response is not UTF-8 text", source))?;
    read(text, target).map_err(|_| match ServiceError::salvage(text) {
        Some(error) => Error::service_in_success(error),
        None => locate_error(text, target),
    })
}

fn read(text: &str, target: &mut dyn DecodeTarget) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    into(&mut deserializer, target.field_slot())?;
    deserializer.end()
}

#[cold]
fn locate_error(text: &str, target: &mut dyn DecodeTarget) -> Error {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    match into(tracked, target.field_slot()) {
        Err(error) => {
            let path = track.path().to_string();
            let message = if path == "." {
                "the response is not the JSON that was expected".to_owned()
            } else {
                format!("the response cannot be read at {path}")
            };
            Error::decode(message, error)
        }
        Ok(()) => match deserializer.end() {
            Err(source) => Error::decode("the response has text after its JSON", source),
            Ok(()) => Error::decode(
                "the response could not be read",
                "it could at second reading",
            ),
        },
    }
}

/// The text without the byte order mark that Graph sometimes puts in front (RFC 8259, section 8.1).
#[inline]
pub(crate) fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// Rejects a response with status 200 whose body is an error.
///
/// # Errors
/// `Service`, with what the body says.
#[inline]
pub(crate) fn without_error(body: &[u8], has_error: bool) -> Result<(), Error> {
    if has_error {
        return Err(Error::service_in_success(ServiceError::parse(body)));
    }
    Ok(())
}
