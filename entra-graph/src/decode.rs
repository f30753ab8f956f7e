use serde::de::DeserializeOwned;

use crate::Error;

/// Decodes an answer. A failure names the place in the JSON, by decoding once more.
///
/// # Errors
/// `Decode`.
pub(crate) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    // Text is checked for UTF-8 once and not string by string.
    let text = std::str::from_utf8(body)
        .map_err(|source| Error::decode("the answer is not UTF-8 text", source))?;
    serde_json::from_str(text).map_err(|_| explain::<T>(text))
}

#[cold]
fn explain<T: DeserializeOwned>(text: &str) -> Error {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Err(error) => {
            let path = error.path().to_string();
            let message = if path == "." {
                "the answer is not the JSON that was expected".to_owned()
            } else {
                format!("the answer cannot be read at {path}")
            };
            Error::decode(message, error.into_inner())
        }
        Ok(_) => match deserializer.end() {
            Err(source) => Error::decode("the answer has text after its JSON", source),
            Ok(()) => Error::query("the answer could not be read"),
        },
    }
}
