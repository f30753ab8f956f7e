use std::{convert::Infallible, error, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A GUID, the form of nearly all IDs in Entra: 16 bytes, printed lower-case with hyphens.
///
/// ```
/// use entra_core::Guid;
/// let id: Guid = "00000003-0000-0000-C000-000000000000".parse()?;
/// assert_eq!(id.to_string(), "00000003-0000-0000-c000-000000000000");
/// # Ok::<(), entra_core::InvalidId>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid([u8; 16]);

impl Guid {
    /// The all-zero GUID; as an app role id it means "default access".
    pub const NIL: Self = Self([0; 16]);

    /// A GUID from its bytes, in the order they are printed.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, in the order they are printed.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let text: &[u8; 36] = text.as_bytes().try_into().ok()?;
        if [text[8], text[13], text[18], text[23]] != [b'-'; 4] {
            return None;
        }
        let mut bytes = [0; 16];
        let mut wrong = 0;
        for (byte, at) in bytes.iter_mut().zip(PLACES) {
            let (high, low) = (digit(text[at]), digit(text[at + 1]));
            *byte = (high << 4) | (low & 0x0f);
            wrong |= (high | low) & NO_DIGIT;
        }
        (wrong == 0).then_some(Self(bytes))
    }
}

/// Where the two digits of each byte start in a printed GUID.
const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
/// The bits that no hexadecimal digit has.
const NO_DIGIT: u8 = 0xf0;

const fn digit(letter: u8) -> u8 {
    match letter {
        b'0'..=b'9' => letter - b'0',
        b'a'..=b'f' => letter - b'a' + 10,
        b'A'..=b'F' => letter - b'A' + 10,
        _ => NO_DIGIT,
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        for (byte, place) in self.0.iter().zip(PLACES) {
            text[place] = DIGITS[usize::from(byte >> 4)];
            text[place + 1] = DIGITS[usize::from(byte & 0x0f)];
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Guid {
    type Err = InvalidId;

    #[inline]
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::parse(text).ok_or_else(|| InvalidId::new("GUID", text))
    }
}

macro_rules! guid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Guid);

        impl $name {
            /// The GUID itself.
            #[must_use]
            pub const fn guid(self) -> Guid {
                self.0
            }
        }

        impl From<Guid> for $name {
            #[inline]
            fn from(guid: Guid) -> Self {
                Self(guid)
            }
        }

        impl From<&$name> for $name {
            #[inline]
            fn from(id: &$name) -> Self {
                *id
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            #[inline]
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Guid::parse(text).map(Self).ok_or_else(|| InvalidId::new($what, text))
            }
        }

        text_conversions!($name);
    };
}

macro_rules! text_conversions {
    ($name:ident) => {
        impl TryFrom<&str> for $name {
            type Error = InvalidId;

            #[inline]
            fn try_from(text: &str) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            #[inline]
            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl TryFrom<&String> for $name {
            type Error = InvalidId;

            #[inline]
            fn try_from(text: &String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

text_conversions!(Guid);

guid_id!(
    /// The application (client) ID of an app registration.
    ///
    /// ```
    /// use entra_core::ClientId;
    /// let error = "my-app".parse::<ClientId>().unwrap_err();
    /// assert!(error.to_string().contains("application (client) id"));
    /// ```
    ClientId,
    "application (client) id"
);

guid_id!(
    /// The object ID of a directory object: a user, group, device, service principal and so on.
    ObjectId,
    "object id"
);

/// A tenant as in an authority URL: its GUID, one of its verified domains, or one of the aliases `common`, `organizations` and `consumers`.
///
/// ```
/// use entra_core::TenantId;
/// assert!("contoso.onmicrosoft.com".parse::<TenantId>()?.guid().is_none());
/// assert!("organizations".parse::<TenantId>()?.is_alias());
/// assert!("contoso".parse::<TenantId>().is_err());
/// # Ok::<(), entra_core::InvalidId>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(Repr);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Repr {
    Guid(Guid),
    Alias(&'static str),
    Domain(Box<str>),
}

impl TenantId {
    /// The GUID. `None` if the tenant is a domain or an alias.
    #[must_use]
    pub const fn guid(&self) -> Option<Guid> {
        match &self.0 {
            Repr::Guid(guid) => Some(*guid),
            Repr::Alias(_) | Repr::Domain(_) => None,
        }
    }

    /// Whether this is not one tenant but a class of accounts (`common`, `organizations`, `consumers`) for user
    /// sign-in.
    #[must_use]
    pub const fn is_alias(&self) -> bool {
        matches!(self.0, Repr::Alias(_))
    }
}

impl From<Guid> for TenantId {
    #[inline]
    fn from(guid: Guid) -> Self {
        Self(Repr::Guid(guid))
    }
}

impl From<&Self> for TenantId {
    #[inline]
    fn from(tenant: &Self) -> Self {
        tenant.clone()
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Guid(guid) => guid.fmt(f),
            Repr::Alias(alias) => f.write_str(alias),
            Repr::Domain(domain) => f.write_str(domain),
        }
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantId({self})")
    }
}

impl FromStr for TenantId {
    type Err = InvalidId;

    #[inline]
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if let Some(guid) = Guid::parse(text) {
            return Ok(Self(Repr::Guid(guid)));
        }
        if let Some(alias) = ALIASES
            .iter()
            .find(|alias| text.eq_ignore_ascii_case(alias))
        {
            return Ok(Self(Repr::Alias(alias)));
        }
        if is_domain(text) {
            return Ok(Self(Repr::Domain(text.to_ascii_lowercase().into())));
        }
        Err(InvalidId::new("tenant", text))
    }
}

text_conversions!(TenantId);

/// A text that is not a valid ID.
///
/// The error repeats only a text that is too short for a secret: IDs and secrets get mixed up, and errors are
/// printed and logged.
#[derive(Clone, PartialEq, Eq)]
pub struct InvalidId {
    expected: &'static str,
    length: usize,
    short_text: Option<Box<str>>,
}

impl InvalidId {
    fn new(expected: &'static str, text: &str) -> Self {
        let length = text.chars().count();
        Self {
            expected,
            length,
            short_text: (length <= MAX_QUOTED).then(|| text.into()),
        }
    }

    /// The expected kind of ID, such as `application (client) id`.
    #[must_use]
    pub const fn expected(&self) -> &'static str {
        self.expected
    }

    fn form(&self) -> &'static str {
        match self.expected {
            "tenant" => {
                "a GUID, a verified domain such as contoso.onmicrosoft.com, or common, organizations, consumers"
            }
            _ => "a GUID such as 00000000-0000-0000-0000-000000000000",
        }
    }
}

impl From<Infallible> for InvalidId {
    #[inline]
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (expected, form) = (self.expected, self.form());
        match (&self.short_text, self.length) {
            (Some(text), _) => write!(f, "{text:?} is not a valid {expected}: it must be {form}"),
            (None, length) => write!(
                f,
                "a text of {length} characters is not a valid {expected}: it must be {form}"
            ),
        }
    }
}

impl fmt::Debug for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InvalidId({self})")
    }
}

impl error::Error for InvalidId {}

/// Letters, digits and hyphens in at least two labels: what Entra accepts as a verified domain.
fn is_domain(text: &str) -> bool {
    text.len() <= 253
        && text.contains('.')
        && text.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

/// Secrets of a service are longer than this.
const MAX_QUOTED: usize = 12;
const ALIASES: [&str; 3] = ["common", "organizations", "consumers"];

/// A value that is an id or the text of one: what constructors take in the place of an id.
///
/// Implemented for ids, for `&str` and `String`, and for whatever else converts to an id.
///
/// ```
/// use entra_core::{InvalidId, IntoId, TenantId};
/// fn tenant(tenant: impl IntoId<TenantId>) -> Result<TenantId, InvalidId> {
///     tenant.into_id()
/// }
/// assert_eq!(tenant("contoso.com")?, tenant("contoso.com".parse::<TenantId>()?)?);
/// assert!(tenant("not a tenant").is_err());
/// # Ok::<(), InvalidId>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `{I}` and does not convert to one",
    label = "pass the id, or its text as `&str` or `String`"
)]
pub trait IntoId<I> {
    /// Converts the value to the id.
    ///
    /// # Errors
    /// [`InvalidId`] if the text is not an id of this kind.
    fn into_id(self) -> Result<I, InvalidId>;
}

impl<T, I> IntoId<I> for T
where
    T: TryInto<I, Error: Into<InvalidId>>,
{
    fn into_id(self) -> Result<I, InvalidId> {
        self.try_into().map_err(Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guid_is_printed_in_lower_case() {
        let guid: Guid = "0ABCDEF0-1234-5678-9aBC-DEF012345678".parse().unwrap();
        assert_eq!(guid.to_string(), "0abcdef0-1234-5678-9abc-def012345678");
    }

    #[test]
    fn malformed_ids_are_rejected_with_the_expected_kind() {
        for text in [
            "",
            "x",
            "0abcdef0-1234-5678-9abc-def01234567",
            "0abcdef0_1234_5678_9abc_def012345678",
            "{0abcdef0-1234-5678-9abc-def012345678}",
        ] {
            let error = text.parse::<ObjectId>().unwrap_err();
            assert!(error.to_string().contains("object id"), "{error}");
        }
    }

    #[test]
    fn tenants_are_guids_domains_or_aliases_only() {
        for good in [
            "contoso.com",
            "Contoso.OnMicrosoft.com",
            "COMMON",
            "0abcdef0-1234-5678-9abc-def012345678",
        ] {
            good.parse::<TenantId>().unwrap();
        }
        for bad in [
            "",
            "contoso",
            "contoso.com/",
            "a..b",
            "-a.com",
            "contoso.com?x=1",
            "../evil.com",
            "contoso .com",
        ] {
            bad.parse::<TenantId>().unwrap_err();
        }
        assert_eq!(
            "Contoso.com".parse::<TenantId>().unwrap(),
            "contoso.com".parse().unwrap()
        );
    }

    #[test]
    fn a_secret_given_as_an_id_is_not_printed() {
        let secret = "canary~Zyx5e1fXyz.canary";
        for error in [
            secret.parse::<ClientId>().unwrap_err(),
            secret.parse::<TenantId>().unwrap_err(),
            secret.parse::<Guid>().unwrap_err(),
        ] {
            let shown = format!("{error} {error:?} {error:#?}");
            assert!(!shown.contains("canary"), "{shown}");
            assert!(shown.contains("24 characters"), "{shown}");
        }
        let typo = "my app".parse::<ClientId>().unwrap_err().to_string();
        assert!(
            typo.starts_with("\"my app\" is not a valid application"),
            "{typo}"
        );
    }

    #[test]
    fn ids_are_strings_in_json() {
        let id: ClientId = "0abcdef0-1234-5678-9abc-def012345678".parse().unwrap();
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, "\"0abcdef0-1234-5678-9abc-def012345678\"");
        assert_eq!(serde_json::from_str::<ClientId>(&json).unwrap(), id);
        serde_json::from_str::<ClientId>("\"nope\"").unwrap_err();
    }
}
