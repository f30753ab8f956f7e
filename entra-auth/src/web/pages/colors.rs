use crate::Error;

/// The colors of the built-in pages for one color scheme, each as `#rrggbb`.
///
/// Text must be readable: a contrast below 4.5 to 1 (WCAG 2.2, 1.4.3) is an error when the
/// [`WebSignIn`](crate::web::WebSignIn) is built. The text of buttons is black or white, whichever
/// contrasts more with the accent.
///
/// ```
/// use entra_auth::web::pages::PageColors;
/// let light = PageColors::light().accent("#7a1fa2");
/// let dark = PageColors::dark().accent("#d9a6f2");
/// ```
#[derive(Clone, Debug)]
#[must_use = "give it to `SignInPages::colors`"]
pub struct PageColors {
    background: String,
    card: String,
    text: String,
    accent: String,
    alert: String,
}

impl PageColors {
    /// The built-in colors for the light scheme.
    pub fn light() -> Self {
        Self::of(["#f4f6f9", "#ffffff", "#17202c", "#0f5fc2", "#a3231c"])
    }

    /// The built-in colors for the dark scheme.
    pub fn dark() -> Self {
        Self::of(["#11151b", "#1a212b", "#e8ecf2", "#7db1f7", "#ff9d94"])
    }

    /// The background of the page and of fields.
    pub fn background(mut self, color: impl Into<String>) -> Self {
        self.background = color.into();
        self
    }

    /// The background of the card.
    pub fn card(mut self, color: impl Into<String>) -> Self {
        self.card = color.into();
        self
    }

    /// Text.
    pub fn text(mut self, color: impl Into<String>) -> Self {
        self.text = color.into();
        self
    }

    /// Links and buttons.
    pub fn accent(mut self, color: impl Into<String>) -> Self {
        self.accent = color.into();
        self
    }

    /// The text of errors.
    pub fn alert(mut self, color: impl Into<String>) -> Self {
        self.alert = color.into();
        self
    }

    fn of([background, card, text, accent, alert]: [&str; 5]) -> Self {
        Self {
            background: background.to_owned(),
            card: card.to_owned(),
            text: text.to_owned(),
            accent: accent.to_owned(),
            alert: alert.to_owned(),
        }
    }

    /// The custom properties of the style.
    pub(super) fn css(&self) -> Result<String, Error> {
        let background = Color::parse(&self.background)?;
        let card = Color::parse(&self.card)?;
        let text = Color::parse(&self.text)?;
        let accent = Color::parse(&self.accent)?;
        let alert = Color::parse(&self.alert)?;
        for (name, color, behind_name, behind) in [
            ("text", text, "card", card),
            ("text", text, "background", background),
            ("accent", accent, "card", card),
            ("alert", alert, "card", card),
        ] {
            let contrast = color.contrast(behind);
            if contrast < READABLE {
                return Err(Error::configuration(
                    format!(
                        "the {name} color {} has a contrast of {contrast:.1} to 1 on the {behind_name} color {}",
                        color.css(),
                        behind.css()
                    ),
                    "choose colors with a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3), for the light and for the dark scheme",
                ));
            }
        }
        let on_accent = [Color([255; 3]), Color([0; 3])]
            .into_iter()
            .max_by(|one, other| one.contrast(accent).total_cmp(&other.contrast(accent)))
            .unwrap_or(text);
        let soft = text.mixed(card, 30);
        let soft = match soft.contrast(card) < READABLE {
            true => text,
            false => soft,
        };
        Ok(format!(
            "--page:{};--card:{};--text:{};--soft:{};--line:{};--accent:{};--on-accent:{};--alert:{}",
            background.css(),
            card.css(),
            text.css(),
            soft.css(),
            text.mixed(card, 85).css(),
            accent.css(),
            on_accent.css(),
            alert.css()
        ))
    }
}

#[derive(Clone, Copy)]
struct Color([u8; 3]);

impl Color {
    fn parse(text: &str) -> Result<Self, Error> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let [_, red, green, blue] = number
            .ok_or_else(|| {
                Error::configuration(
                    format!("the color {text:?} of the sign-in pages is invalid"),
                    "give it as #rrggbb, such as #0f5fc2",
                )
            })?
            .to_be_bytes();
        Ok(Self([red, green, blue]))
    }

    fn css(self) -> String {
        let Self([red, green, blue]) = self;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }

    /// Mixed with this percentage of another color.
    fn mixed(self, other: Self, percent: u16) -> Self {
        let mut mixed = self.0;
        for (channel, other) in mixed.iter_mut().zip(other.0) {
            let sum = u16::from(*channel) * (100 - percent) + u16::from(other) * percent;
            *channel = u8::try_from(sum / 100).unwrap_or(u8::MAX);
        }
        Self(mixed)
    }

    /// The contrast ratio of WCAG 2.2.
    fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// The relative luminance of WCAG 2.2.
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|channel| {
            let channel = f64::from(channel) / 255.0;
            match channel <= 0.04045 {
                true => channel / 12.92,
                false => ((channel + 0.055) / 1.055).powf(2.4),
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

/// The minimum contrast of text (WCAG 2.2, 1.4.3).
const READABLE: f64 = 4.5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreadable_and_invalid_colors_are_errors() {
        let error = |colors: PageColors| colors.css().unwrap_err().to_string();
        let yellow = error(PageColors::light().accent("#FFDD00"));
        assert!(
            yellow.contains("the accent color #ffdd00 has a contrast of 1.3 to 1"),
            "{yellow}"
        );
        assert!(error(PageColors::dark().text("#333333")).contains("text color"));
        assert!(error(PageColors::dark().background("#eeeeee")).contains("background color"));
        assert!(error(PageColors::light().alert("#ff9d94")).contains("alert color"));
        assert!(error(PageColors::dark().card("#ffffff")).contains("card color"));
        for invalid in [
            "",
            "red",
            "#fff",
            "#12345g",
            "#1234567",
            "#+12345",
            "#000;}*{x:y",
        ] {
            let text = error(PageColors::light().accent(invalid));
            assert!(text.contains("is invalid"), "{text}");
        }
    }

    #[test]
    fn the_text_of_buttons_contrasts_with_any_accent() {
        for accent in [
            "#000000", "#777777", "#0f5fc2", "#ffffff", "#ff0000", "#7db1f7",
        ] {
            let accent = Color::parse(accent).unwrap();
            let best = Color([255; 3])
                .contrast(accent)
                .max(Color([0; 3]).contrast(accent));
            assert!(best >= READABLE, "{}: {best}", accent.css());
        }
        assert!(
            PageColors::light()
                .css()
                .unwrap()
                .contains("--on-accent:#ffffff")
        );
        assert!(
            PageColors::dark()
                .css()
                .unwrap()
                .contains("--on-accent:#000000")
        );
    }
}
