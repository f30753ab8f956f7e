use super::*;

/// The header of a PNG of that size; nothing reads further.
pub(super) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes
}

/// A JPEG with an application segment before its frame header.
fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08".to_vec();
    bytes.extend(height.to_be_bytes());
    bytes.extend(width.to_be_bytes());
    bytes
}

pub(super) fn put(
    fixture: &Fixture,
    target: &str,
    bytes: Vec<u8>,
    headers: &[(&str, &str)],
) -> Response {
    let mut all = vec![("content-type", "image/jpeg")];
    all.extend(headers);
    let mut request = request("PUT", target, &all);
    request.body = bytes;
    fixture.send(&request)
}

/// The bytes of a photo and its entity tag.
fn bytes(fixture: &Fixture, target: &str) -> (u16, Vec<u8>, Option<String>) {
    let reply = fixture.reply(&request("GET", target, &[]), Ok(&fixture.caller));
    let tag = reply
        .headers
        .iter()
        .find(|(name, _)| *name == "etag")
        .map(|(_, tag)| tag.clone().into_owned());
    (reply.status, reply.body.to_vec(), tag)
}

fn fixture() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&[
        "User.ReadWrite.All",
        "User.Read.All",
        "User.ReadBasic.All",
        "Group.ReadWrite.All",
    ]);
    fixture
}

#[test]
fn a_photo_is_returned_unchanged() {
    let fixture = fixture();
    let photo = format!("/users/{}/photo", id(ADELE));
    let value = format!("{photo}/$value");
    assert_eq!(fixture.get(&photo).error().1, "ImageNotFound");
    assert_eq!(put(&fixture, &value, jpeg(240, 300), &[]).status, 200);
    let (status, body, tag) = bytes(&fixture, &value);
    assert_eq!((status, body), (200, jpeg(240, 300)));
    let metadata = fixture.get(&photo);
    assert_eq!(metadata.body["@odata.mediaContentType"], "image/jpeg");
    assert_eq!(metadata.body["@odata.mediaEtag"], tag.clone().unwrap());
    assert_eq!(
        (&metadata.body["width"], &metadata.body["height"]),
        (&json!(240), &json!(300))
    );
    assert_eq!(
        fixture
            .get(&format!("/users/{}/photos", id(ADELE)))
            .all("id"),
        ["48x48", "64x64", "96x96", "120x120", "240x240"]
    );
    assert_eq!(
        bytes(
            &fixture,
            &format!("/users/{}/photos/48x48/$value", id(ADELE))
        )
        .0,
        200
    );
    assert_eq!(
        bytes(
            &fixture,
            &format!("/users/{}/photos/648x648/$value", id(ADELE))
        )
        .0,
        404
    );

    let same = fixture.send(&request(
        "GET",
        &value,
        &[("if-none-match", tag.as_deref().unwrap())],
    ));
    assert_eq!((same.status, same.text.as_str()), (304, ""));
    assert_eq!(fixture.delete(&value).status, 204);
    assert_eq!(fixture.delete(&value).status, 404);
}

#[test]
fn a_stale_entity_tag_returns_412_and_changes_nothing() {
    let fixture = fixture();
    let value = format!("/users/{}/photo/$value", id(ADELE));
    put(&fixture, &value, png(64, 64), &[]);
    let (_, _, first) = bytes(&fixture, &value);
    let first = first.unwrap();
    assert_eq!(
        put(&fixture, &value, png(96, 96), &[("if-match", &first)]).status,
        200
    );
    assert_eq!(
        put(&fixture, &value, png(48, 48), &[("if-match", &first)]).status,
        412
    );
    assert_eq!(
        fixture
            .send(&request("DELETE", &value, &[("if-match", &first)]))
            .status,
        412
    );
    assert_eq!(bytes(&fixture, &value).1, png(96, 96));
}

#[test]
fn a_body_that_is_not_an_image_is_rejected() {
    let fixture = fixture();
    let value = format!("/users/{}/photo/$value", id(ADELE));
    for body in [
        b"".to_vec(),
        b"GIF89a".to_vec(),
        png(1, 1)[..20].to_vec(),
        jpeg(1, 1)[..9].to_vec(),
        b"\xff\xd8\xff\xe0\x00\x00".to_vec(),
    ] {
        assert_eq!(put(&fixture, &value, body, &[]).status, 400);
    }
    assert_eq!(fixture.write("PUT", &value, &json!({})).status, 400);
    for (content_type, status) in [
        ("text/plain", 400),
        ("application/octet-stream", 200),
        ("IMAGE/PNG", 200),
    ] {
        let mut typed = request("PUT", &value, &[("content-type", content_type)]);
        typed.body = png(64, 64);
        assert_eq!(fixture.send(&typed).status, status, "{content_type}");
    }
    let mut large = jpeg(10, 10);
    large.resize(4 * 1024 * 1024 + 1, 0);
    assert_eq!(put(&fixture, &value, large, &[]).status, 413);
}

#[test]
fn photos_have_their_own_permissions_and_are_deleted_with_their_owner() {
    let mut fixture = fixture();
    let value = format!("/users/{}/photo/$value", id(ADELE));
    put(&fixture, &value, png(64, 64), &[]);
    put(
        &fixture,
        &format!("/groups/{}/photo/$value", id(TESTERS)),
        png(48, 48),
        &[],
    );
    assert_eq!(
        bytes(&fixture, &format!("/groups/{}/photo/$value", id(TESTERS))).1,
        png(48, 48)
    );
    fixture.application(&["Group.Read.All"]);
    assert_eq!(bytes(&fixture, &value).0, 403);
    fixture.adele(&["User.Read"]);
    assert_eq!(bytes(&fixture, "/me/photo/$value").0, 200);
    assert_eq!(
        put(&fixture, "/me/photo/$value", png(64, 64), &[]).status,
        403
    );
    fixture.adele(&["User.ReadWrite"]);
    assert_eq!(
        put(&fixture, "/me/photo/$value", png(64, 64), &[]).status,
        200
    );
    assert_eq!(
        put(
            &fixture,
            &format!("/users/{}/photo/$value", id(BO)),
            png(64, 64),
            &[]
        )
        .status,
        403
    );
    fixture.state().store.remove(Kind::User, &id(ADELE));
    assert!(fixture.state().store.photo(&id(ADELE)).is_none());
}

#[test]
fn a_batch_returns_photos_as_base64() {
    let fixture = fixture();
    let url = format!("/users/{}/photo/$value", id(ADELE));
    let body = "iVBORw0KGgoAAAANSUhEUgAAAEAAAABA";
    let response = fixture.post(
        "/$batch",
        &json!({"requests": [
            {"id": "1", "method": "PUT", "url": url, "headers": {"Content-Type": "image/png"}, "body": body},
            {"id": "2", "method": "GET", "url": url, "dependsOn": ["1"]},
        ]}),
    );
    assert_eq!(
        response.body["responses"][0]["status"], 200,
        "{}",
        response.text
    );
    assert_eq!(response.body["responses"][1]["body"], body);
    assert_eq!(bytes(&fixture, &url).1, png(64, 64));
}
