use entra_core::{ClientId, Guid, ObjectId, Timestamp, format_rfc3339, time::UtcOffset};

/// A value that can be compared with a property of type `T`.
///
/// Implement it for your own newtypes by calling the implementation of what is inside.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be compared with a property of type `{T}`",
    note = "use a value of the type that the property constant names"
)]
pub trait Literal<T> {
    /// The value as OData text, escaped.
    fn to_odata(&self) -> String;
}

/// Text as an OData string literal: the one place where a quote is escaped.
#[inline]
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for character in text.chars() {
        if character == '\'' {
            out.push('\'');
        }
        out.push(character);
    }
    out.push('\'');
    out
}

impl<T, L: Literal<T> + ?Sized> Literal<T> for &L {
    #[inline]
    fn to_odata(&self) -> String {
        (**self).to_odata()
    }
}

impl Literal<String> for str {
    #[inline]
    fn to_odata(&self) -> String {
        quoted(self)
    }
}

impl Literal<Self> for String {
    #[inline]
    fn to_odata(&self) -> String {
        quoted(self)
    }
}

impl Literal<Self> for bool {
    #[inline]
    fn to_odata(&self) -> String {
        self.to_string()
    }
}

impl Literal<Self> for i32 {
    #[inline]
    fn to_odata(&self) -> String {
        self.to_string()
    }
}

impl Literal<Self> for i64 {
    #[inline]
    fn to_odata(&self) -> String {
        self.to_string()
    }
}

impl Literal<Self> for Timestamp {
    #[inline]
    fn to_odata(&self) -> String {
        time_text(*self)
    }
}

/// A time in UTC as OData writes it, which is RFC 3339 for the years 0 to 9999. It never fails and never panics,
/// whatever the year and the offset.
#[inline]
pub(crate) fn time_text(time: Timestamp) -> String {
    // At the ends of the range there may be no UTC; a day counts little there.
    let utc = time
        .checked_to_offset(UtcOffset::UTC)
        .unwrap_or_else(|| time.replace_offset(UtcOffset::UTC));
    format_rfc3339(utc).unwrap_or_else(|| {
        let sign = if utc.year() < 0 { "-" } else { "" };
        format!(
            "{sign}{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            utc.year().unsigned_abs(),
            u8::from(utc.month()),
            utc.day(),
            utc.hour(),
            utc.minute(),
            utc.second()
        )
    })
}

impl Literal<Self> for Guid {
    #[inline]
    fn to_odata(&self) -> String {
        self.to_string()
    }
}

/// Ids are GUIDs to `Edm.Guid` properties and text to `Edm.String` ones.
macro_rules! ids {
    ($($id:ty),*) => {$(
        impl Literal<Guid> for $id {
            #[inline]
            fn to_odata(&self) -> String {
                self.to_string()
            }
        }

        impl Literal<String> for $id {
            #[inline]
            fn to_odata(&self) -> String {
                quoted(&self.to_string())
            }
        }
    )*};
}

ids!(ClientId, ObjectId);

impl Literal<String> for Guid {
    #[inline]
    fn to_odata(&self) -> String {
        quoted(&self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use entra_core::time::{Date, Duration, Month, Time};

    use super::*;

    #[test]
    fn every_time_has_a_text_in_utc() {
        let day = |year, month, day| {
            let date = Date::from_calendar_date(year, month, day).unwrap();
            date.with_time(Time::MIDNIGHT).assume_utc()
        };
        let text = |time: Timestamp| time.to_odata();
        let seconds = UtcOffset::from_hms(1, 2, 3).unwrap();
        let time = day(2026, Month::January, 2);
        assert_eq!(text(time.to_offset(seconds)), "2026-01-02T00:00:00Z");
        assert_eq!(text(time.replace_offset(seconds)), "2026-01-01T22:57:57Z");
        assert_eq!(
            text(day(-5, Month::March, 1) + Duration::milliseconds(4500)),
            "-0005-03-01T00:00:04Z"
        );
        // There is no UTC for these.
        let west = UtcOffset::from_hms(-12, 0, 0).unwrap();
        let last = Date::MAX
            .with_time(Time::from_hms(23, 0, 0).unwrap())
            .assume_offset(west);
        assert_eq!(text(last), "9999-12-31T23:00:00Z");
        let first = Date::MIN.with_time(Time::MIDNIGHT).assume_offset(-west);
        assert_eq!(text(first), "-9999-01-01T00:00:00Z");
    }
}
