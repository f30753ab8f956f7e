//! The functions that find a tenant.

use super::segment::unqualified;

/// How a request names a tenant.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::graph) enum TenantName {
    Id(String),
    Domain(String),
}

impl TenantName {
    /// Parses the function call in a path, such as `findTenantInformationByTenantId(tenantId='…')`.
    pub(in crate::graph) fn parse(segment: &str) -> Option<Self> {
        let name = unqualified(segment);
        let (function, arguments) = name.split_once('(')?;
        let (parameter, value) = arguments.strip_suffix(')')?.split_once('=')?;
        let value = value.strip_prefix('\'')?.strip_suffix('\'')?.to_owned();
        let calls = |function_name: &str, parameter_name: &str| {
            function.eq_ignore_ascii_case(function_name)
                && parameter.eq_ignore_ascii_case(parameter_name)
        };
        if calls("findTenantInformationByTenantId", "tenantId") {
            Some(Self::Id(value))
        } else if calls("findTenantInformationByDomainName", "domainName") {
            Some(Self::Domain(value))
        } else {
            None
        }
    }
}
