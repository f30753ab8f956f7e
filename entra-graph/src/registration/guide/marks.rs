//! Marks in the text of a guide, and values among them.
//!
//! A sentence of the guide has marks as in Markdown: `**` around what the portal shows, backticks around what
//! is entered, and links. What a blueprint says stands in it as a value, in which nothing is a mark.

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Text without marks.
    Text(String),
    /// Begins or ends what the portal shows.
    Bold,
    /// What is entered.
    Code(String),
    /// A link of the guide: its text and its URL.
    Link(String, String),
}

/// A value as a part of a text. Control characters, such as line breaks, are spaces in it.
pub(super) fn value(text: &str) -> String {
    let text = text.replace(|character: char| character.is_control(), " ");
    format!("{START}{text}{END}")
}

/// The parts of a text.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    let flush = |plain: &mut String, parts: &mut Vec<Part>| {
        if !plain.is_empty() {
            parts.push(Part::Text(std::mem::take(plain)));
        }
    };
    while let Some(character) = rest.chars().next() {
        let after = &rest[character.len_utf8()..];
        if character == START {
            let (value, after) = after.split_once(END).unwrap_or((after, ""));
            plain.push_str(value);
            rest = after;
        } else if let Some(after) = rest.strip_prefix("**") {
            flush(&mut plain, &mut parts);
            parts.push(Part::Bold);
            rest = after;
        } else if character == '`' {
            flush(&mut plain, &mut parts);
            let end = end_of_code(after);
            parts.push(Part::Code(after[..end].replace([START, END], "")));
            rest = after.get(end + 1..).unwrap_or_default();
        } else if let Some((name, url, after)) = link(rest) {
            flush(&mut plain, &mut parts);
            parts.push(Part::Link(name.to_owned(), url.to_owned()));
            rest = after;
        } else {
            plain.push(character);
            rest = after;
        }
    }
    flush(&mut plain, &mut parts);
    parts
}

/// Where the code ends: at a backtick that is not in a value.
fn end_of_code(text: &str) -> usize {
    let mut in_value = false;
    let end = text.char_indices().find(|(_, character)| {
        match *character {
            START => in_value = true,
            END => in_value = false,
            _ => {}
        }
        *character == '`' && !in_value
    });
    end.map_or(text.len(), |(at, _)| at)
}

/// A link at the start of the text, and what follows it. No part of it is a value.
fn link(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.strip_prefix('[')?.split_once("](")?;
    let (url, after) = rest.split_once(')')?;
    let is_own = !name.contains(START) && !url.contains(START);
    is_own.then_some((name, url, after))
}

const START: char = '\u{2}';
const END: char = '\u{3}';
