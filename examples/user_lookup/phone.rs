//! The ways in which directories write a phone number. Graph compares numbers as they are written, from their start.

/// What a number starts with in a directory, from the way in which it was typed to the ways that Microsoft documents.
///
/// With a country code these are E.164 (`+498955501`), that of Microsoft Entra multifactor authentication
/// (`+49 8955501`), that of Microsoft Graph's examples with an area code of one to five digits (`+49 89 55501`), and for
/// North America its groups (`+1 425 555 0109`, `(425) 555-0109`). Without a country code the number is only looked up as
/// typed and without its separators, since the country is unknown.
pub(crate) fn written_forms(text: &str) -> Vec<String> {
    let mut forms = vec![text.to_owned()];
    let number = international(text);
    forms.push(number.clone());
    let Some((country, rest)) = number.strip_prefix('+').and_then(split_country) else {
        return without_repeats(forms);
    };
    if !rest.is_empty() {
        forms.push(format!("+{country} {rest}"));
    }
    let areas = if country == "1" { 3..=3 } else { 1..=5 };
    for area in areas.filter(|area| *area < rest.len()) {
        let (area, subscriber) = rest.split_at(area);
        forms.push(format!("+{country} {area} {subscriber}"));
        if country != "1" {
            continue;
        }
        let line = match subscriber.len() {
            ..=3 => subscriber.to_owned(),
            _ => format!("{}-{}", &subscriber[..3], &subscriber[3..]),
        };
        forms.push(format!("+1 {area} {}", line.replace('-', " ")));
        forms.push(format!("+1 {area}-{line}"));
        forms.push(format!("+1 ({area}) {line}"));
        forms.push(format!("({area}) {line}"));
        forms.push(format!("{area}-{line}"));
    }
    without_repeats(forms)
}

/// What to try if no user has the number.
pub(crate) fn hint(text: &str) -> &'static str {
    match international(text).starts_with('+') {
        true => {
            "A number that the directory writes without its country code or in other groups is not found: enter its start as the directory writes it, or look the user up by name."
        }
        false => {
            "A number without its country code is only found as the directory writes it: enter it with + and the country code, or look the user up by name."
        }
    }
}

/// The number without separators, with a plus sign in place of the international prefix.
fn international(text: &str) -> String {
    // `+49 (0)89` names the trunk prefix, which is not dialled from abroad.
    let number = digits(&text.replace("(0)", ""));
    match number.strip_prefix("00") {
        Some(rest) => format!("+{rest}"),
        None => number,
    }
}

fn digits(text: &str) -> String {
    let kept = |char: &char| char.is_ascii_digit() || *char == '+';
    text.chars().filter(kept).collect()
}

fn without_repeats(forms: Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for form in forms {
        if !form.is_empty() && !all.contains(&form) {
            all.push(form);
        }
    }
    all
}

/// The country code of the digits after the plus sign, and the rest. `None` if the code is not complete.
fn split_country(digits: &str) -> Option<(&str, &str)> {
    let length = match digits.get(..2) {
        _ if digits.starts_with(['1', '7']) => 1,
        Some(code) if TWO_DIGITS.contains(&code) => 2,
        _ => 3,
    };
    (digits.len() >= length).then(|| digits.split_at(length))
}

/// The country codes of two digits (ITU-T E.164); all but 1 and 7 beside them have three.
const TWO_DIGITS: [&str; 44] = [
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47",
    "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65",
    "66", "81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98",
];
