//! Secrets in texts of others.

/// Another party's text without this secret in any of its spellings, also where the text has only its
/// beginning: a message is cut off, by its sender or by its reader.
pub(crate) fn without(text: &str, spellings: &[&str]) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, length)) = first(rest, spellings) {
        let (before, found) = rest.split_at(at);
        plain.push_str(before);
        plain.push('…');
        rest = found.get(length..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}

/// Where the first of them begins, and how much of the text is the longest one there.
fn first(text: &str, spellings: &[&str]) -> Option<(usize, usize)> {
    let found = spellings.iter().filter_map(|secret| {
        let at = text.find(beginning(secret)?)?;
        Some((at, in_common(text.get(at..)?, secret)))
    });
    found.min_by_key(|&(at, length)| (at, usize::MAX - length))
}

fn beginning(secret: &str) -> Option<&str> {
    let end = secret.char_indices().nth(BEGINNING).map(|(at, _)| at);
    let beginning = end.and_then(|end| secret.get(..end)).unwrap_or(secret);
    (!beginning.is_empty()).then_some(beginning)
}

/// How many bytes both begin with, in whole characters.
fn in_common(text: &str, secret: &str) -> usize {
    let pairs = text.chars().zip(secret.chars());
    pairs
        .take_while(|(left, right)| left == right)
        .map(|(same, _)| same.len_utf8())
        .sum()
}

/// So many characters of a secret, less one, may be left of it at the end of a text. Of a JWT, they
/// are the same in all of them.
const BEGINNING: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_goes_whole_and_from_its_beginning_on() {
        let secret = "c4nary-é-0123456789";
        for (text, expected) in [
            ("", ""),
            ("nothing", "nothing"),
            ("c4nary-é-0123456789", "…"),
            ("a c4nary-é-0123456789 b", "a … b"),
            ("a c4nary-é-0123456789c4nary-é-012345678", "a ……"),
            ("a c4nary-é-01 b", "a … b"),
            ("a c4nary-é", "a …"),
            ("a c4nary-", "a c4nary-"),
            ("c4nary-è-0123456789", "c4nary-è-0123456789"),
        ] {
            assert_eq!(without(text, &[secret]), expected, "{text}");
        }
        assert_eq!(without("pq pqr", &["pq"]), "… …r");
        assert_eq!(without("a", &[""]), "a");
        let both = ["c4nary-0/1", "c4nary-0%2F1"];
        assert_eq!(without("c4nary-0%2F1 c4nary-0/1", &both), "… …");
        assert_eq!(without("c4nary-0/ c4nary-0%2", &both), "… …");
    }
}
