//! Profile photos: bytes beside an object, with an entity tag.

use serde_json::{Value, json};

use super::{
    call::{Call, JSON, unsupported},
    lookup,
    route::{PhotoPath, Root, Route},
    unsourced,
};
use crate::{odata::GraphError, permissions::authorize, store::Photo, wire::Reply};

/// Responds with a photo, its sizes or its bytes.
pub(super) fn respond(
    call: Call<'_>,
    route: &Route,
    path: &PhotoPath,
) -> Result<Reply, GraphError> {
    let own = lookup::is_own(call, &route.root);
    let (kind, object) = match &route.root {
        Root::Object(kind, _) => {
            // One size has the permissions of all sizes.
            let below = match path {
                PhotoPath::Metadata(Some(_)) => PhotoPath::List.below(),
                path => path.below(),
            };
            let row = format!("{}{below}", kind.entity().object_path());
            authorize(call.caller, "GET", &row, own)?;
            lookup::find(call, &route.root)?
        }
        _ => return Err(unsupported(call.request)),
    };
    let id = object["id"].as_str().unwrap_or_default();
    let photo = call.state.store.photo(id);
    let set = kind.entity().set;
    let size = match path {
        PhotoPath::List => {
            let sizes: Vec<Value> = photo
                .iter()
                .flat_map(|photo| sizes(photo).map(|size| metadata(photo, size)))
                .collect();
            let context = call.context(&format!("{set}('{id}')/photos"));
            return Ok(json_reply(
                &json!({ "@odata.context": context, "value": sizes }),
            ));
        }
        PhotoPath::Metadata(size) | PhotoPath::Value(size) => size,
    };
    let photo = photo.ok_or_else(not_found)?;
    let size = match size {
        None => (photo.width, photo.height),
        Some(size) => sizes(photo)
            .find(|(width, height)| format!("{width}x{height}").eq_ignore_ascii_case(size))
            .ok_or_else(not_found)?,
    };
    if matches!(path, PhotoPath::Metadata(_)) {
        let mut body = metadata(photo, size);
        body["@odata.context"] = call.context(&format!("{set}('{id}')/photo/$entity")).into();
        return Ok(json_reply(&body));
    }
    let same = call
        .request
        .list("if-none-match")
        .any(|tag| tag == photo.tag);
    let reply = if same {
        Reply::new(304)
    } else {
        // Smaller sizes have the same bytes: images are not resized.
        Reply::new(200)
            .with_header("content-type", photo.content_type)
            .with_body(photo.bytes.to_vec())
    };
    Ok(reply.with_header("etag", photo.tag.clone()))
}

/// Reads a new photo from a request.
pub(super) fn read_photo(call: Call<'_>) -> Result<Photo, GraphError> {
    let content_type = call
        .request
        .header("content-type")
        .unwrap_or_default()
        .to_ascii_lowercase();
    if !content_type.starts_with("image/") && content_type != "application/octet-stream" {
        return Err(unsourced::invalid_photo(
            "The content of a photo must be an image.",
        ));
    }
    let bytes = &call.request.body;
    if bytes.len() > MAX_BYTES {
        return Err(unsourced::photo_too_large());
    }
    let (content_type, (width, height)) = match (png(bytes), jpeg(bytes)) {
        (Some(size), _) => ("image/png", size),
        (_, Some(size)) => ("image/jpeg", size),
        _ => {
            return Err(unsourced::invalid_photo(
                "The image is invalid: it is neither a JPEG with a frame header nor a PNG.",
            ));
        }
    };
    Ok(Photo {
        bytes: bytes.as_slice().into(),
        content_type,
        width,
        height,
        tag: format!("\"{}\"", call.state.random.token(8)),
    })
}

/// Returns 412 if the client's entity tag is not the current one.
pub(super) fn check_match(call: Call<'_>, id: &str) -> Result<(), GraphError> {
    if call.request.header("if-match").is_none() {
        return Ok(());
    }
    let fits = call.state.store.photo(id).is_some_and(|photo| {
        let mut tags = call.request.list("if-match");
        tags.any(|tag| tag == "*" || tag == photo.tag)
    });
    if fits {
        Ok(())
    } else {
        Err(unsourced::photo_precondition_failed())
    }
}

pub(super) fn not_found() -> GraphError {
    GraphError::new(404, "ImageNotFound", "The photo wasn't found.")
}

fn metadata(photo: &Photo, (width, height): (u32, u32)) -> Value {
    json!({
        "@odata.mediaContentType": photo.content_type, "@odata.mediaEtag": photo.tag,
        "id": format!("{width}x{height}"), "width": width, "height": height
    })
}

/// The documented sizes that are not larger than the photo.
fn sizes(photo: &Photo) -> impl Iterator<Item = (u32, u32)> {
    const SIZES: [u32; 9] = [48, 64, 96, 120, 240, 360, 432, 504, 648];
    let most = photo.width.min(photo.height);
    SIZES
        .into_iter()
        .filter(move |size| *size <= most)
        .map(|size| (size, size))
}

fn png(bytes: &[u8]) -> Option<(u32, u32)> {
    let header = bytes.get(..24)?;
    let number = |at: usize| {
        let bytes = header.get(at..at + 4)?;
        bytes.try_into().ok().map(u32::from_be_bytes)
    };
    header
        .starts_with(b"\x89PNG\r\n\x1a\n")
        .then_some((number(16)?, number(20)?))
}

/// Reads the size from a JPEG's frame header, the first segment of the types `C0` to `CF` that is
/// one.
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
    loop {
        let (&[0xff, marker, high, low], segment) = rest.split_first_chunk::<4>()? else {
            return None;
        };
        if (0xc0..=0xcf).contains(&marker) && ![0xc4, 0xc8, 0xcc].contains(&marker) {
            let size = segment.get(1..5)?;
            let number = |at: usize| u32::from(size[at]) << 8 | u32::from(size[at + 1]);
            return Some((number(2), number(0)));
        }
        let length = usize::from(high) << 8 | usize::from(low);
        rest = segment.get(length.checked_sub(2)?..)?;
    }
}

fn json_reply(body: &Value) -> Reply {
    Reply::new(200)
        .with_header("content-type", JSON)
        .with_body(body.to_string())
}

const MAX_BYTES: usize = 4 * 1024 * 1024;
