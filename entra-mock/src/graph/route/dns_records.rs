//! The two lists of DNS records of a domain.

/// One of the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::graph) enum DnsRecords {
    Verification,
    ServiceConfiguration,
}

impl DnsRecords {
    /// Parses the name of the list in a path.
    pub(in crate::graph) fn named(segment: &str) -> Option<Self> {
        [Self::Verification, Self::ServiceConfiguration]
            .into_iter()
            .find(|list| list.name().eq_ignore_ascii_case(segment))
    }

    pub(in crate::graph) const fn name(self) -> &'static str {
        match self {
            Self::Verification => "verificationDnsRecords",
            Self::ServiceConfiguration => "serviceConfigurationRecords",
        }
    }
}
