//! Selects the language of a page by the `Accept-Language` of the request (RFC 9110 12.5.4).

use axum::http::{HeaderMap, header};

use super::{
    page::LocalizedText,
    text::{PageText, PageTexts},
};

/// The languages of the pages, which always include English.
#[derive(Clone, Debug)]
pub(super) struct Languages {
    texts: Vec<PageTexts>,
    fallback: usize,
}

impl Languages {
    /// The languages with these texts; `None` if the fallback is not one of them.
    pub(super) fn new(mut texts: Vec<PageTexts>, fallback: Option<&str>) -> Option<Self> {
        if !texts.iter().any(|texts| is_same(texts.language(), ENGLISH)) {
            texts.push(PageTexts::new(ENGLISH));
        }
        let fallback = fallback.unwrap_or(ENGLISH);
        let fallback = texts
            .iter()
            .position(|texts| is_same(texts.language(), fallback))?;
        Some(Self { texts, fallback })
    }

    /// The texts of the language with the highest weight.
    pub(super) fn of(&self, headers: &HeaderMap) -> &PageTexts {
        let mut ranges = Vec::new();
        for value in headers.get_all(header::ACCEPT_LANGUAGE) {
            let value = value.to_str().unwrap_or_default();
            ranges.extend(value.split(',').filter_map(range).take(MAX_RANGES));
        }
        // Equal weights keep the order of the header.
        ranges.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
        let wanted = ranges.iter().filter(|(_, weight)| *weight > 0);
        let found = wanted.into_iter().find_map(|(range, _)| self.lookup(range));
        let found = found.or_else(|| self.texts.get(self.fallback));
        found.unwrap_or(&self.texts[0])
    }

    /// The language of a range: the same one, a more general one, or another variant of it (RFC
    /// 4647 3.4, and 3.3.1 for a range such as `de` where there is `de-CH`).
    fn lookup(&self, range: &str) -> Option<&PageTexts> {
        if range == "*" {
            return self.texts.get(self.fallback);
        }
        let mut general = range;
        loop {
            let same = |texts: &&PageTexts| is_same(texts.language(), general);
            if let Some(found) = self.texts.iter().find(same) {
                return Some(found);
            }
            match general.rsplit_once('-') {
                Some((shorter, _)) => general = shorter,
                None => break,
            }
        }
        self.texts.iter().find(|texts| {
            let family = texts.language().split('-').next();
            family.is_some_and(|family| is_same(family, general))
        })
    }
}

/// A text in a language, with its placeholders replaced by values.
pub(super) fn localized(
    texts: &PageTexts,
    text: PageText,
    values: &[(&str, &str)],
) -> LocalizedText {
    let (template, language) = match texts.get(text) {
        Some(own) => (own, None),
        None if is_same(texts.language(), ENGLISH) => (text.english(), None),
        None => (text.english(), Some(ENGLISH)),
    };
    let mut filled = template.to_owned();
    for (name, value) in values {
        filled = filled.replace(&format!("{{{name}}}"), value);
    }
    LocalizedText::new(filled, language)
}

/// A language range and its weight in thousandths.
fn range(text: &str) -> Option<(String, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let tag = parts.next().filter(|tag| !tag.is_empty())?;
    let mut weight = 1000;
    for parameter in parts {
        if let Some(value) = parameter
            .strip_prefix("q=")
            .or_else(|| parameter.strip_prefix("Q="))
        {
            weight = weight_in_thousandths(value)?;
        }
    }
    Some((tag.to_owned(), weight))
}

/// A weight such as `1`, `0.8` or `0.125`.
fn weight_in_thousandths(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let whole: u16 = whole.parse().ok().filter(|whole| *whole <= 1)?;
    let is_plain = part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    let part: u16 = is_plain.then(|| format!("{part:0<3}").parse().ok())??;
    Some((whole * 1000 + part).min(1000))
}

fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Whether a language is written from right to left.
pub(super) fn is_right_to_left(language: &str) -> bool {
    let mut subtags = language.split('-');
    let family = subtags.next().unwrap_or_default();
    if subtags.any(|subtag| is_same(subtag, "Latn")) {
        return false;
    }
    RIGHT_TO_LEFT.iter().any(|known| is_same(known, family))
}

const ENGLISH: &str = "en";
const RIGHT_TO_LEFT: [&str; 9] = ["ar", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"];
/// Browsers send fewer ranges; further ones are ignored.
const MAX_RANGES: usize = 32;

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_language_with_the_highest_weight_among_those_with_texts_is_chosen() {
        let texts = ["de", "pt-BR", "zh-Hant"].map(PageTexts::new).to_vec();
        let languages = Languages::new(texts.clone(), None).unwrap();
        let german = Languages::new(texts.clone(), Some("DE")).unwrap();
        assert!(Languages::new(texts, Some("fr")).is_none());
        for (accepted, expected) in [
            ("de", "de"),
            ("DE-ch", "de"),
            ("fr, de;q=0.5", "de"),
            ("en;q=0.4, de;q=0.5", "de"),
            ("en;q=0.5, de;q=0.4", "en"),
            ("de;q=0, en", "en"),
            ("de ; q=0.125 , en;q=0.12", "de"),
            ("en;q=0.9, de;q=1.0", "de"),
            ("pt", "pt-BR"),
            ("pt-PT", "pt-BR"),
            ("zh-Hant-TW", "zh-Hant"),
            ("en-GB, de;q=0.9", "en"),
            ("*", "en"),
            ("fr", "en"),
            ("", "en"),
            (";;,q=1,de;q=2", "en"),
            ("de;q=x, pt;q=0.1", "pt-BR"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(accepted));
            assert_eq!(languages.of(&headers).language(), expected, "{accepted:?}");
        }
        assert_eq!(languages.of(&HeaderMap::new()).language(), "en");
        assert_eq!(german.of(&HeaderMap::new()).language(), "de");
    }

    #[test]
    fn a_missing_translation_is_english_and_marked_as_english() {
        let texts = PageTexts::new("de").text(PageText::LogReference, "Referenz {reference}, {x}.");
        let found = localized(&texts, PageText::LogReference, &[("reference", "a{x}")]);
        assert_eq!(
            (found.text(), found.language()),
            ("Referenz a{x}, {x}.", None)
        );
        let missing = localized(&texts, PageText::TryAgain, &[]);
        assert_eq!(
            (missing.text(), missing.language()),
            ("Try again", Some("en"))
        );
        let english = localized(&PageTexts::new("EN"), PageText::TryAgain, &[]);
        assert_eq!(english.language(), None);
        assert!(texts.missing().len() == PageText::all().len() - 1);
    }

    #[test]
    fn the_text_direction_follows_the_script() {
        assert!(is_right_to_left("ar-EG") && is_right_to_left("HE"));
        assert!(!is_right_to_left("de") && !is_right_to_left("ar-Latn"));
    }
}
