//! The subject of a new certificate, from the text that users write.

use rcgen::{DistinguishedName, DnType, DnValue, string::PrintableString};

use super::error;
use crate::{CertificateErrorKind, Error};

/// Parses `CN=helpdesk, O=Contoso, C=DE` (RFC 4514, in the order written); a text without `=` is
/// taken as the common name.
#[inline]
pub(super) fn parse(text: &str) -> Result<DistinguishedName, Error> {
    let mut name = DistinguishedName::new();
    if !text.contains('=') {
        name.push(DnType::CommonName, value(text.trim())?);
        return Ok(name);
    }
    for part in split(text)? {
        let Some((key, text)) = part.split_once('=') else {
            return Err(invalid(format!("{part:?} in the subject has no `=`")));
        };
        let text = unescape(text.trim())?;
        let kind = kind(key.trim())?;
        if name.get(&kind).is_some() {
            return Err(invalid(format!("the subject has {} twice", key.trim())));
        }
        let value = match kind {
            DnType::CountryName => country(&text)?,
            _ => value(&text)?,
        };
        name.push(kind, value);
    }
    Ok(name)
}

#[inline]
fn kind(key: &str) -> Result<DnType, Error> {
    Ok(match key.to_ascii_uppercase().as_str() {
        "CN" => DnType::CommonName,
        "O" => DnType::OrganizationName,
        "OU" => DnType::OrganizationalUnitName,
        "C" => DnType::CountryName,
        "L" => DnType::LocalityName,
        "ST" | "S" => DnType::StateOrProvinceName,
        "DC" => DnType::CustomDnType(vec![0, 9, 2342, 19_200_300, 100, 1, 25]),
        _ => {
            return Err(invalid(format!(
                "the subject has an unknown attribute {key:?}"
            )));
        }
    })
}

#[inline]
fn value(text: &str) -> Result<DnValue, Error> {
    if text.is_empty() || text.chars().count() > LONGEST || text.chars().any(char::is_control) {
        return Err(invalid(format!(
            "a value of the subject is empty, longer than {LONGEST} characters or has control characters"
        )));
    }
    Ok(DnValue::Utf8String(text.to_owned()))
}

#[inline]
fn country(text: &str) -> Result<DnValue, Error> {
    let code = text.to_ascii_uppercase();
    if code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(invalid(
            "the country in the subject is not a code of two letters",
        ));
    }
    PrintableString::try_from(code)
        .map(DnValue::PrintableString)
        .map_err(|_| invalid("the country in the subject is not a code of two letters"))
}

/// Splits at commas that are neither escaped nor quoted.
#[inline]
fn split(text: &str) -> Result<Vec<&str>, Error> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    if quoted || escaped {
        return Err(invalid("the subject ends within a quote or an escape"));
    }
    parts.push(text[start..].trim());
    Ok(parts)
}

#[inline]
fn unescape(text: &str) -> Result<String, Error> {
    let quoted = text.len() > 1 && text.starts_with('"') && text.ends_with('"');
    let text = if quoted {
        &text[1..text.len() - 1]
    } else {
        text
    };
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(special @ (',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' | '#' | ' ')) => {
                    plain.push(special);
                }
                _ => return Err(invalid("the subject has an escape that is not understood")),
            },
            '+' if !quoted => {
                return Err(invalid(
                    "the subject joins attributes with `+`, which is not supported",
                ));
            }
            '"' => return Err(invalid("the subject has a quote in the middle of a value")),
            other => plain.push(other),
        }
    }
    Ok(plain)
}

#[inline]
fn invalid(message: impl Into<String>) -> Error {
    error::error(
        CertificateErrorKind::Subject,
        message,
        "write it as CN=helpdesk or CN=helpdesk, O=Contoso, C=DE, with a backslash before a comma that belongs to a value",
    )
}

/// The upper bound of RFC 5280 for a common name.
const LONGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &DistinguishedName, kind: &DnType) -> String {
        match name.get(kind) {
            Some(DnValue::Utf8String(text)) => text.clone(),
            Some(DnValue::PrintableString(text)) => text.as_str().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn attributes_quotes_and_escapes_are_understood() {
        let name = parse(r#"cn=help\, desk, O="Contoso, Ltd", OU=IT, L=Köln, C=de"#).unwrap();
        assert_eq!(text(&name, &DnType::CommonName), "help, desk");
        assert_eq!(text(&name, &DnType::OrganizationName), "Contoso, Ltd");
        assert_eq!(text(&name, &DnType::LocalityName), "Köln");
        assert_eq!(text(&name, &DnType::CountryName), "DE");
        assert_eq!(
            text(&parse("helpdesk").unwrap(), &DnType::CommonName),
            "helpdesk"
        );
    }

    #[test]
    fn ambiguous_subject_is_rejected() {
        let long = format!("CN={}", "x".repeat(65));
        for bad in [
            "",
            "CN=",
            "CN=a, O",
            "CN=a, CN=b",
            "X=a",
            "C=DEU",
            "CN=a+O=b",
            r"CN=a\",
            "CN=\"a",
            r"CN=a\q",
            "CN=a\nb",
            "CN=a\"b\"",
            &long,
        ] {
            let error = parse(bad).unwrap_err();
            assert_eq!(
                error.certificate_error(),
                Some(CertificateErrorKind::Subject),
                "{bad:?}"
            );
        }
    }
}
