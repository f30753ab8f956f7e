//! The path of a profile photo.

/// What a path below `photo` or `photos` addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::graph) enum PhotoPath {
    /// The available sizes.
    List,
    /// The metadata of the largest or of one size.
    Metadata(Option<String>),
    /// The bytes.
    Value(Option<String>),
}

impl PhotoPath {
    /// Reads the segments after an object.
    pub(in crate::graph) fn parse(name: &str, rest: &[&str]) -> Option<Self> {
        let many = name.eq_ignore_ascii_case("photos");
        if !many && !name.eq_ignore_ascii_case("photo") {
            return None;
        }
        match rest {
            [] if many => Some(Self::List),
            [] => Some(Self::Metadata(None)),
            ["$value"] if !many => Some(Self::Value(None)),
            [size] if many => Some(Self::Metadata(Some((*size).to_owned()))),
            [size, "$value"] if many => Some(Self::Value(Some((*size).to_owned()))),
            _ => None,
        }
    }

    /// The path as in the table of operations.
    pub(in crate::graph) fn below(&self) -> &'static str {
        match self {
            Self::List => "/photos",
            Self::Metadata(None) => "/photo",
            Self::Metadata(Some(_)) => "/photos/{id}",
            Self::Value(None) => "/photo/$value",
            Self::Value(Some(_)) => "/photos/{id}/$value",
        }
    }
}
