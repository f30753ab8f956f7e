use entra_core::Timestamp;
use serde::Deserialize;

use super::{
    Application, ServicePrincipal,
    types::{ApplicationRiskFactors, ApplicationRiskScore},
};
use crate::{
    model::{capable, entity},
    odata::{Described, EntityInfo},
};

entity! {
    /// An application of the Microsoft Entra gallery.
    ApplicationTemplate: "#microsoft.graph.applicationTemplate", always [display_name], id unfiltered {
        /// Its categories, such as `crm` and `productivity`.
        categories: Vec<String> = CATEGORIES("categories", "eq startsWith contains");
        /// When it leaves the gallery, a date such as `2027-01-31`.
        deprecation_date: String = DEPRECATION_DATE("deprecationDate");
        /// The description.
        description: String = DESCRIPTION("description");
        /// The display name.
        display_name: String = DISPLAY_NAME("displayName", "eq startsWith contains orderby");
        /// Its endpoints.
        endpoints: Vec<String> = ENDPOINTS("endpoints");
        /// Its home page.
        home_page_url: String = HOME_PAGE_URL("homePageUrl");
        /// Whether Microsoft tested it with Entra.
        is_entra_integrated: bool = IS_ENTRA_INTEGRATED("isEntraIntegrated");
        /// When it was last changed.
        last_modified_date_time: Timestamp = LAST_MODIFIED_DATE_TIME("lastModifiedDateTime");
        /// The address of its logo.
        logo_url: String = LOGO_URL("logoUrl");
        /// Who publishes it.
        publisher: String = PUBLISHER("publisher");
        /// What is known about its risk.
        risk_factors: Box<ApplicationRiskFactors> as ApplicationRiskFactors = RISK_FACTORS("riskFactors");
        /// Scores of its risk.
        risk_score: Box<ApplicationRiskScore> as ApplicationRiskScore = RISK_SCORE("riskScore");
        /// How it is provisioned, such as `sync`.
        supported_provisioning_types: Vec<String> = SUPPORTED_PROVISIONING_TYPES("supportedProvisioningTypes");
        /// How users sign in to it, such as `oidc`, `saml` and `password`.
        supported_single_sign_on_modes: Vec<String> = SUPPORTED_SINGLE_SIGN_ON_MODES("supportedSingleSignOnModes");
    }
}

impl Described for ApplicationTemplate {
    const INFO: EntityInfo =
        EntityInfo::other("application template", "application templates", Some(999));
}

capable!(ApplicationTemplate: Selectable, Filterable, Orderable, Toppable);

impl ApplicationTemplate {
    /// The template of applications that are not in the gallery.
    pub const NOT_IN_GALLERY: &'static str = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621";
}

/// An application that was added from the gallery, and its service principal.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ApplicationServicePrincipal {
    /// The app registration.
    pub application: Application,
    /// Its service principal in this tenant.
    pub service_principal: ServicePrincipal,
}
