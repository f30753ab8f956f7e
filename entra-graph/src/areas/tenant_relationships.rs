//! The public information of other tenants: `/tenantRelationships`.

use entra_core::{Guid, IntoId};

use crate::{
    client::{Call, GraphClient},
    error::Error,
    objects::types::TenantInformation,
    operation::{Operation, operations},
    request::{Request, Target, read_value},
};

operations! {
    FIND_BY_ID = "tenantrelationship-findtenantinformationbytenantid" GET "/tenantRelationships/findTenantInformationByTenantId(tenantId={id})" => Value,
        both ["CrossTenantInformation.ReadBasic.All"];
    FIND_BY_DOMAIN = "tenantrelationship-findtenantinformationbydomainname" GET "/tenantRelationships/findTenantInformationByDomainName(domainName={id})" => Value,
        both ["CrossTenantInformation.ReadBasic.All"];
}

impl GraphClient {
    /// A request for the public information of any tenant, by its id:
    /// [`GET /tenantRelationships/findTenantInformationByTenantId`](https://learn.microsoft.com/graph/api/tenantrelationship-findtenantinformationbytenantid).
    ///
    /// Needs `CrossTenantInformation.ReadBasic.All`. [`send_opt`](Request::send_opt) returns `None` if there is no
    /// such tenant.
    pub fn tenant_information(&self, tenant_id: impl IntoId<Guid>) -> Request<TenantInformation> {
        match tenant_id.into_id() {
            Ok(id) => {
                let function = format!("findTenantInformationByTenantId(tenantId='{id}')");
                find(self, &function, &FIND_BY_ID)
            }
            Err(invalid) => {
                let problem = Error::from(invalid);
                Request::new(self.clone(), Err(problem), read_value)
            }
        }
    }

    /// A request for the public information of any tenant, by one of its verified domains:
    /// [`GET /tenantRelationships/findTenantInformationByDomainName`](https://learn.microsoft.com/graph/api/tenantrelationship-findtenantinformationbydomainname).
    ///
    /// Needs `CrossTenantInformation.ReadBasic.All`.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient) -> Result<(), entra_graph::Error> {
    /// let tenant = graph.tenant_information_by_domain("contoso.com").send_opt().await?;
    /// let name = tenant.and_then(|tenant| tenant.display_name);
    /// # let _ = name;
    /// # Ok(())
    /// # }
    /// ```
    pub fn tenant_information_by_domain(&self, domain_name: &str) -> Request<TenantInformation> {
        let quoted = domain_name.replace('\'', "''");
        let function = format!("findTenantInformationByDomainName(domainName='{quoted}')");
        find(self, &function, &FIND_BY_DOMAIN)
    }
}

fn find(
    client: &GraphClient,
    function: &str,
    operation: &'static Operation,
) -> Request<TenantInformation> {
    let target = Target::root(client).join(&["tenantRelationships", function]);
    let call = target.url().map(|url| Call::new(operation, url));
    Request::new(target.client, call, read_value)
}
