use crate::model::complex;

complex! {
    /// What every tenant shows of itself to others.
    TenantInformation {
        /// The default domain of the tenant.
        default_domain_name: String = DEFAULT_DOMAIN_NAME("defaultDomainName");
        /// The display name of the tenant.
        display_name: String = DISPLAY_NAME("displayName");
        /// The name that the sign-in page shows for a federated tenant.
        federation_brand_name: String = FEDERATION_BRAND_NAME("federationBrandName");
        /// The tenant id.
        tenant_id: String = TENANT_ID("tenantId");
    }
}
