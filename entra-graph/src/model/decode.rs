use crate::{
    Error,
    model::{self, Place},
};

/// Decodes an answer into its place. A failure names the place in the JSON, by decoding once more.
///
/// # Errors
/// `Decode`.
pub(crate) fn decode_into(body: &[u8], place: &mut dyn Place) -> Result<(), Error> {
    // Text is checked for UTF-8 once and not string by string.
    let text = std::str::from_utf8(body)
        .map_err(|source| Error::decode("the answer is not UTF-8 text", source))?;
    read(text, place).map_err(|_| explain(text, place))
}

fn read(text: &str, place: &mut dyn Place) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    model::into(&mut deserializer, place.shape())?;
    deserializer.end()
}

#[cold]
fn explain(text: &str, place: &mut dyn Place) -> Error {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    match model::into(tracked, place.shape()) {
        Err(error) => {
            let path = track.path().to_string();
            let message = if path == "." {
                "the answer is not the JSON that was expected".to_owned()
            } else {
                format!("the answer cannot be read at {path}")
            };
            Error::decode(message, error)
        }
        Ok(()) => match deserializer.end() {
            Err(source) => Error::decode("the answer has text after its JSON", source),
            Ok(()) => Error::query("the answer could not be read"),
        },
    }
}
