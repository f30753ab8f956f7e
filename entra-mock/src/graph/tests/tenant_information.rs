use super::*;

const BY_ID: &str = "/tenantRelationships/findTenantInformationByTenantId(tenantId='";
const BY_DOMAIN: &str = "/tenantRelationships/findTenantInformationByDomainName(domainName='";

#[test]
fn the_own_tenant_is_found_by_id_and_by_domain() {
    let mut fixture = Fixture::new();
    fixture.application(&["CrossTenantInformation.ReadBasic.All"]);
    let tenant = fixture.state().tenant_id.to_string();
    for path in [
        format!("{BY_ID}{tenant}')"),
        format!("{BY_DOMAIN}contoso.com')"),
    ] {
        let found = fixture.get(&path);
        assert_eq!(found.status, 200, "{path} {}", found.text);
        assert_eq!(found.body["tenantId"], tenant);
        assert_eq!(found.body["displayName"], "Contoso");
        assert_eq!(found.body["defaultDomainName"], "contoso.com");
    }
    for (path, status) in [
        (format!("{BY_ID}{}')", id(800)), 404),
        (format!("{BY_DOMAIN}fabrikam.com')"), 404),
        (format!("{BY_ID}contoso.com')"), 400),
        (format!("{BY_DOMAIN}{tenant}')"), 400),
        (format!("{BY_DOMAIN}contoso.com)"), 501),
        ("/tenantRelationships".to_owned(), 501),
    ] {
        assert_eq!(fixture.get(&path).status, status, "{path}");
    }
    fixture.application(&["Directory.Read.All"]);
    let path = format!("{BY_DOMAIN}contoso.com')");
    assert_eq!(fixture.get(&path).status, 403);
}
