//! What behaves as Azure Resource Manager and the Azure CLI expect it.

use super::Claim;

const AREA: &str = "Azure CLI and Resource Manager";

pub(super) const CLAIMS: &[Claim] = &[
    Claim {
        area: AREA,
        what: "The metadata of a cloud names its sign-in service, its audiences and Graph",
        source: "traffic of the Azure CLI",
        test: "the_metadata_of_a_cloud_leads_the_azure_cli_to_the_tenant",
    },
    Claim {
        area: AREA,
        what: "Any application gets a token for Resource Manager and sees subscriptions and tenants",
        source: "subscriptions and tenants pages",
        test: "an_application_without_a_permission_sees_the_subscription_and_its_tenant",
    },
    Claim {
        area: AREA,
        what: "A token for Graph is not one for Resource Manager, and the other way round",
        source: "access tokens page",
        test: "a_token_is_for_graph_or_for_resource_manager_and_expires",
    },
    Claim {
        area: AREA,
        what: "A certificate in base64 can have line breaks",
        source: "traffic of the Azure CLI",
        test: "a_certificate_with_line_breaks_is_accepted_and_returned_without_them",
    },
];
