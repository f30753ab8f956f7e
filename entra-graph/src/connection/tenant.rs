//! Tenant, cloud and clock: what is known before any credential is sent.

use entra_core::{Clock, Guid, TenantId};

use super::{
    finding::{Check, Finding, Severity},
    probe::{Discovered, Metadata, SignInService},
};
use crate::typed_id::shown_id;

/// The tenant that the sign-in service knows.
#[derive(Debug)]
pub(super) struct FoundTenant {
    /// The tenant as it was given, which is the one to sign in to.
    pub(super) id: TenantId,
    /// The tenant ID, also where a domain was given; `None` if the text names no single tenant.
    pub(super) guid: Option<Guid>,
    /// By how many seconds this machine's clock is ahead of the service's.
    pub(super) skew: Option<i64>,
}

/// Checks the text of the tenant, before anything is sent.
///
/// # Errors
/// The finding, which quotes the text unless it may be a secret.
pub(super) fn read_tenant(text: Option<&str>) -> Result<TenantId, Box<Finding>> {
    let text = text.unwrap_or_default().trim();
    let placeholder = text.is_empty()
        || text.contains(['<', '>', '{', '}', '$', '%', ' '])
        || text.parse::<Guid>().is_ok_and(|guid| guid == Guid::NIL);
    match text.parse::<TenantId>() {
        Ok(tenant) if !placeholder && (tenant.guid().is_some() || tenant.is_alias() || text.contains('.')) => Ok(tenant),
        _ => Err(Box::new(
            Finding::error(
                Check::Configuration,
                format!("configuration not filled in: the tenant is {}", quoted(text)),
            )
            .because("a tenant is a GUID or a verified domain such as contoso.com; this is a placeholder, or belongs in another field")
            .fix("enter the Tenant ID of the admin center: Overview > Tenant ID"),
        )),
    }
}

/// Checks the text of the client id, before anything is sent.
///
/// # Errors
/// The finding, which quotes the text unless it may be a secret.
pub(super) fn read_client_id(text: Option<&str>, tenant: &TenantId) -> Result<Guid, Box<Finding>> {
    let text = text.unwrap_or_default().trim();
    let fix = "App registrations > Overview > copy Application (client) ID";
    let finding = |what: String, why: &str| {
        Box::new(
            Finding::error(Check::Configuration, what)
                .because(why)
                .fix(fix),
        )
    };
    match text.parse::<Guid>() {
        Ok(guid) if guid == Guid::NIL => Err(Box::new(*finding(
            format!("configuration not filled in: the client id is {text}"),
            "a client id of zeros stands for no application",
        ))),
        Ok(guid) if tenant.guid() == Some(guid) => Err(finding(
            format!("the client id {text} is the tenant id"),
            "the two ids stand side by side in the portal",
        )),
        Ok(guid) => Ok(guid),
        Err(_) => Err(finding(
            format!(
                "configuration not filled in: the client id is {}",
                quoted(text)
            ),
            "a client id is a GUID",
        )),
    }
}

/// The text in quotation marks, if it cannot be a secret that was pasted into the wrong field.
fn quoted(text: &str) -> String {
    let length = text.chars().count();
    if shown_id(text).is_some() || length <= LONGEST_QUOTED || is_placeholder(text) {
        return format!("{text:?}");
    }
    format!("a text of {length} characters, which is not repeated because it may be a secret")
}

/// Whether a text is what documentation has in the place of a value: `<tenant id>`, `{{tenant}}`,
/// `%AZURE_TENANT_ID%`, `$TENANT_ID`, `YOUR_TENANT_ID`, `your-tenant-id`, `xxxxxxxx-xxxx-…`.
fn is_placeholder(text: &str) -> bool {
    let is_variable = |name: &str| {
        name.contains('_')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    };
    let are_words = |words: &str| {
        words.bytes().all(|byte| {
            byte.is_ascii_lowercase() || matches!(byte, b' ' | b'-' | b'_' | b'.' | b'(' | b')')
        })
    };
    let inner = [
        ("<", ">"),
        ("{{", "}}"),
        ("{", "}"),
        ("${", "}"),
        ("%", "%"),
        ("$", ""),
    ]
    .into_iter()
    .find_map(|(start, end)| text.strip_prefix(start)?.strip_suffix(end))
    .map(str::trim);
    let lower = text.to_ascii_lowercase();
    match inner {
        Some(inner) => is_variable(inner) || are_words(&inner.to_ascii_lowercase()),
        None => {
            is_variable(text)
                || lower.bytes().all(|byte| matches!(byte, b'x' | b'-'))
                || (lower.starts_with("your") && are_words(&lower))
        }
    }
}

/// Asks for the tenant's metadata.
pub(super) async fn discover(
    service: &SignInService,
    clock: &dyn Clock,
    tenant: &TenantId,
    findings: &mut Vec<Finding>,
) -> Option<FoundTenant> {
    let host = service.host();
    let metadata = match service.discover(&tenant.to_string()).await {
        Discovered::Tenant(metadata) => metadata,
        Discovered::Rejected(code) => {
            findings.push(rejected(code, tenant, host));
            return None;
        }
        Discovered::Unreachable(why) => {
            findings.push(
                Finding::error(Check::Service, format!("{host} cannot be reached from here"))
                    .because(why)
                    .fix("allow https to this host in firewall and proxy; a proxy that breaks TLS needs its certificate authority in this program's configuration"),
            );
            return None;
        }
        Discovered::Failed(why) => {
            findings.push(
                Finding::unknown(
                    Check::Service,
                    format!("{host} did not say whether the tenant exists"),
                )
                .because(why)
                .fix("run the test again later"),
            );
            return None;
        }
    };
    let skew = metadata
        .date
        .map(|date| (clock.now() - date).whole_seconds());
    findings.extend(skew.and_then(clock_finding));
    findings.push(Finding::ok(Check::Service, format!("{host} reachable")));
    let found = format!("tenant {tenant}");
    if let Some(cloud) = other_cloud(&metadata, host) {
        findings.push(
            Finding::error(
                Check::Cloud,
                format!("wrong cloud: {found} is in {}", cloud.name),
            )
            .because(format!("{host} is the sign-in host of another cloud"))
            .fix(format!(
                "use {} and the Graph root {}",
                cloud.login, cloud.graph
            )),
        );
        return None;
    }
    match (tenant.guid(), metadata.tenant) {
        (None, Some(guid)) if !tenant.is_alias() => findings.push(Finding::ok(
            Check::Tenant,
            format!("{found} resolved to {guid}"),
        )),
        _ => findings.push(Finding::ok(Check::Tenant, format!("{found} reachable"))),
    }
    let resolved = metadata.tenant.filter(|_| !tenant.is_alias());
    Some(FoundTenant {
        id: tenant.clone(),
        guid: tenant.guid().or(resolved),
        skew,
    })
}

/// An address for users of any tenant, at which an application cannot sign in by itself; unless another fault of the
/// configuration is found already.
pub(super) fn names_none(tenant: &TenantId, findings: &mut Vec<Finding>) {
    let is_fault =
        |one: &Finding| one.check == Check::Configuration && one.severity == Severity::Error;
    if findings.iter().any(is_fault) {
        return;
    }
    findings.push(
        Finding::error(
            Check::Configuration,
            format!("tokens without a user need one tenant, and {tenant} names none"),
        )
        .because("Entra issues a token without a signed-in user at the address of a tenant only")
        .fix(format!(
            "use the tenant's id in place of {tenant}: Overview > Tenant ID"
        )),
    );
}

fn rejected(code: Option<u32>, tenant: &TenantId, host: &str) -> Finding {
    let mut finding = match code {
        Some(90_002) => Finding::error(
            Check::Tenant,
            format!("no such tenant here: {tenant} is unknown to {host}"),
        )
        .because("the tenant does not exist, or it is in another cloud")
        .fix("Overview > compare Tenant ID; check the cloud of the organization"),
        Some(900_023) => Finding::error(
            Check::Configuration,
            format!("configuration not filled in: the tenant is \"{tenant}\""),
        )
        .because("it is neither a GUID nor a domain")
        .fix("enter the Tenant ID of the admin center: Overview > Tenant ID"),
        Some(900_439) => Finding::error(
            Check::Cloud,
            format!("wrong cloud: {tenant} is not served by {host}"),
        )
        .fix("use login.microsoftonline.us and the Graph root https://graph.microsoft.us"),
        _ => Finding::unknown(
            Check::Tenant,
            format!("{host} did not say whether {tenant} exists"),
        ),
    };
    finding.code = code;
    finding
}

/// A finding about the clock, if its difference matters: Entra lets five minutes pass.
fn clock_finding(skew: i64) -> Option<Finding> {
    let minutes = (skew.abs() + 30) / 60;
    let side = if skew > 0 { "ahead of" } else { "behind" };
    let what =
        format!("clock wrong by {minutes} minutes: this machine is {side} the sign-in service");
    let fix = "set the clock and keep it set by NTP; if it is off by whole hours, local time is taken for UTC";
    match skew.abs() {
        301.. => Some(
            Finding::error(Check::Clock, what)
                .because("assertions that this machine signs are not valid yet, or no longer (AADSTS700024)")
                .fix(fix),
        ),
        151..=300 => Some(Finding::warning(Check::Clock, what).fix(fix)),
        _ => None,
    }
}

/// Secrets of Entra are longer than this; errors of `entra-core` have the same limit.
const LONGEST_QUOTED: usize = 12;

struct OtherCloud {
    name: &'static str,
    login: &'static str,
    graph: &'static str,
}

/// The cloud that a tenant is in, if it is not the one that was asked.
fn other_cloud(metadata: &Metadata, host: &str) -> Option<OtherCloud> {
    let scope = metadata.region_scope.as_deref()?;
    let government = scope.eq_ignore_ascii_case("USGov") || scope.eq_ignore_ascii_case("USG");
    let dod = metadata
        .region_sub_scope
        .as_deref()
        .is_some_and(|sub| sub.eq_ignore_ascii_case("DOD"));
    if !government || host.ends_with(".us") {
        return None;
    }
    Some(OtherCloud {
        name: if dod {
            "the US Government cloud (DoD)"
        } else {
            "the US Government cloud"
        },
        login: "login.microsoftonline.us",
        graph: if dod {
            "https://dod-graph.microsoft.us"
        } else {
            "https://graph.microsoft.us"
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_quoted_and_never_sent() {
        for text in [
            "",
            "<tenant-id>",
            "YOUR_TENANT_ID",
            "{{tenant}}",
            "your tenant",
            "Your-directory-tenant-id",
            "<Directory (tenant) ID>",
            "${AZURE_TENANT_ID}",
            "%AZURE_TENANT_ID%",
            "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
            "$TENANT",
            "00000000-0000-0000-0000-000000000000",
        ] {
            let finding = read_tenant(Some(text)).unwrap_err();
            assert!(
                finding.what.contains("configuration not filled in"),
                "{text}"
            );
            assert!(finding.what.contains(text));
        }
        for text in [
            "contoso.com",
            "3c2b0a5e-1d71-4883-8f98-567911bfdca6",
            "common",
        ] {
            read_tenant(Some(text)).unwrap();
        }
        let tenant: TenantId = "3c2b0a5e-1d71-4883-8f98-567911bfdca6".parse().unwrap();
        for text in [
            "",
            "my app",
            "00000000-0000-0000-0000-000000000000",
            "3c2b0a5e-1d71-4883-8f98-567911bfdca6",
        ] {
            assert!(read_client_id(Some(text), &tenant).is_err(), "{text}");
        }
    }

    #[test]
    fn a_text_that_may_be_a_secret_is_not_quoted() {
        let tenant: TenantId = "contoso.com".parse().unwrap();
        for text in [
            "canary~Zyx5e1fXyz.canary",
            "canary-client-secret",
            "canary tenant value",
            "<canary5e1fXyz5e1f>",
            "$canary5e1fXyz5e1f",
            "CANARYZYXCANARYZYX",
            "https://canary.example/5e1f",
        ] {
            for finding in [
                read_tenant(Some(text)).unwrap_err(),
                read_client_id(Some(text), &tenant).unwrap_err(),
            ] {
                let json = serde_json::to_string(&finding).unwrap();
                let shown = format!("{finding} {finding:#} {finding:?} {json}").to_lowercase();
                assert!(!shown.contains("canary"), "{shown}");
                let length = format!("a text of {} characters", text.len());
                assert!(shown.contains(&length), "{shown}");
            }
        }
    }

    #[test]
    fn a_clock_matters_from_five_minutes_on() {
        assert_eq!(clock_finding(150), None);
        assert_eq!(clock_finding(-200).unwrap().severity, Severity::Warning);
        let wrong = clock_finding(3600).unwrap();
        assert_eq!(wrong.severity, Severity::Error);
        assert!(wrong.what.contains("60 minutes") && wrong.what.contains("ahead"));
        assert!(clock_finding(-301).unwrap().what.contains("behind"));
    }
}
