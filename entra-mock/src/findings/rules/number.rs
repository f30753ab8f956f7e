//! Numbers in a sentence.

/// `1 request`, `2 requests`.
pub(super) fn requests(count: usize) -> String {
    match count {
        1 => "1 request".to_owned(),
        _ => format!("{count} requests"),
    }
}
