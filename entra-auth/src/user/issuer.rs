//! Whether an issuer that a callback or a request names can be that of an application's users.

use entra_core::{Cloud, Guid, TenantId, url::Url};

/// Whether an issuer belongs to this cloud and tenant. Sends no request: if the tenant is a domain or
/// an alias, any tenant of the cloud matches, and the ID token decides.
#[inline]
pub(crate) fn fits(issuer: &str, cloud: &Cloud, tenant: &TenantId) -> bool {
    if !cloud.is_entra() {
        let slashless = |text: &str| text.trim_end_matches('/').to_owned();
        return slashless(issuer) == slashless(cloud.authority().as_str());
    }
    let Ok(url) = Url::parse(issuer) else {
        return false;
    };
    let authority = cloud.authority();
    let Some(rest) = url.path().strip_prefix(authority.path()) else {
        return false;
    };
    let found = rest
        .strip_suffix("/v2.0")
        .and_then(|tenant| tenant.parse::<Guid>().ok());
    let Some(found) = found else {
        return false;
    };
    // Another parser could read any other spelling differently.
    let plain = url.as_str() == issuer && url.query().is_none() && url.fragment().is_none();
    let place = url.scheme() == authority.scheme()
        && url.port() == authority.port()
        && url.username().is_empty()
        && url.password().is_none()
        && url
            .host_str()
            .is_some_and(|host| is_host(host, cloud, found));
    plain && place && tenant.guid().is_none_or(|tenant| tenant == found)
}

#[inline]
fn is_host(host: &str, cloud: &Cloud, tenant: Guid) -> bool {
    let own = cloud.authority().host_str().unwrap_or_default();
    // An external tenant signs in under its name and issues under its id.
    if own.ends_with(".ciamlogin.com") && host == format!("{tenant}.ciamlogin.com") {
        return true;
    }
    host == own || cloud.authority_aliases().iter().any(|alias| alias == host)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "11111111-1111-1111-1111-111111111111";
    const OTHER: &str = "22222222-2222-2222-2222-222222222222";

    #[test]
    fn only_an_issuer_of_the_cloud_and_the_tenant_fits() {
        let public = Cloud::public();
        let own: TenantId = TENANT.parse().unwrap();
        let any: TenantId = "organizations".parse().unwrap();
        let good = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
        let other = format!("https://login.microsoftonline.com/{OTHER}/v2.0");
        assert!(fits(&good, &public, &own) && fits(&good, &public, &any));
        assert!(!fits(&other, &public, &own) && fits(&other, &public, &any));
        for bad in [
            String::new(),
            "login.microsoftonline.com".to_owned(),
            format!("http://login.microsoftonline.com/{TENANT}/v2.0"),
            format!("https://login.microsoftonline.com/{TENANT}/v2.0/"),
            format!("https://login.microsoftonline.com/{TENANT}"),
            format!("https://login.microsoftonline.com/{TENANT}/v2.0?x"),
            format!("https://login.microsoftonline.com/{TENANT}/v2.0#x"),
            format!("https://login.microsoftonline.com:444/{TENANT}/v2.0"),
            format!("https://evil@login.microsoftonline.com/{TENANT}/v2.0"),
            format!("https://login.microsoftonline.com.evil.example/{TENANT}/v2.0"),
            format!("https://evil.example/{TENANT}/v2.0"),
            format!("https://login.microsoftonline.us/{TENANT}/v2.0"),
            format!("https://LOGIN.microsoftonline.com/{TENANT}/v2.0"),
            format!("https://login.microsoftonline.com/x/../{TENANT}/v2.0"),
            "https://login.microsoftonline.com/{tenantid}/v2.0".to_owned(),
            "https://login.microsoftonline.com/common/v2.0".to_owned(),
        ] {
            assert!(!fits(&bad, &public, &any), "{bad}");
        }
    }

    #[test]
    fn an_external_tenant_and_another_provider_have_issuers_of_their_own() {
        let external = Cloud::external_id("contoso").unwrap();
        let own: TenantId = TENANT.parse().unwrap();
        assert!(fits(
            &format!("https://{TENANT}.ciamlogin.com/{TENANT}/v2.0"),
            &external,
            &own
        ));
        assert!(!fits(
            &format!("https://{OTHER}.ciamlogin.com/{TENANT}/v2.0"),
            &external,
            &own
        ));
        let issuer = "https://id.example.com/realm";
        let provider = Cloud::openid_provider(issuer, issuer, None, None).unwrap();
        assert!(fits(issuer, &provider, &own));
        assert!(!fits("https://id.example.com/realm2", &provider, &own));
    }
}
