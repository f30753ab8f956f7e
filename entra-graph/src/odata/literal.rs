use entra_core::{
    ClientId, Guid, ObjectId, Timestamp,
    time::{UtcOffset, format_description::well_known::Rfc3339},
};

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
    fn to_odata(&self) -> String {
        (**self).to_odata()
    }
}

impl Literal<String> for str {
    fn to_odata(&self) -> String {
        quoted(self)
    }
}

impl Literal<Self> for String {
    fn to_odata(&self) -> String {
        quoted(self)
    }
}

impl Literal<Self> for bool {
    fn to_odata(&self) -> String {
        self.to_string()
    }
}

impl Literal<Self> for i32 {
    fn to_odata(&self) -> String {
        self.to_string()
    }
}

impl Literal<Self> for i64 {
    fn to_odata(&self) -> String {
        self.to_string()
    }
}

impl Literal<Self> for Timestamp {
    fn to_odata(&self) -> String {
        let utc = self.to_offset(UtcOffset::UTC);
        // RFC 3339 has no year beyond 9999.
        utc.format(&Rfc3339)
            .unwrap_or_else(|_| "9999-12-31T23:59:59Z".to_owned())
    }
}

impl Literal<Self> for Guid {
    fn to_odata(&self) -> String {
        self.to_string()
    }
}

/// Ids are GUIDs to `Edm.Guid` properties and text to `Edm.String` ones.
macro_rules! ids {
    ($($id:ty),*) => {$(
        impl Literal<Guid> for $id {
            fn to_odata(&self) -> String {
                self.to_string()
            }
        }

        impl Literal<String> for $id {
            fn to_odata(&self) -> String {
                quoted(&self.to_string())
            }
        }
    )*};
}

ids!(ClientId, ObjectId);

impl Literal<String> for Guid {
    fn to_odata(&self) -> String {
        quoted(&self.to_string())
    }
}
