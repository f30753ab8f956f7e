//! The applications of the gallery that the documentation of Graph uses in its examples.

use serde_json::json;

use super::object;
use crate::{
    schema::ANY_APPLICATION,
    state::State,
    store::{Kind, Object},
};

impl State {
    /// Stores the templates of the gallery.
    pub(crate) fn add_gallery(&mut self) {
        self.store.changes.pause(true);
        for template in [
            template(
                ANY_APPLICATION,
                "Custom",
                None,
                &["password", "saml", "external", "oidc"],
                &["sync"],
                &[],
            ),
            template(
                "229946b9-a9fb-45b8-9531-efa47453ac9e",
                "Microsoft Entra SAML Toolkit",
                Some("https://samltoolkit.azurewebsites.net/"),
                &["saml"],
                &[],
                &["developerServices"],
            ),
            template(
                "00000007-0000-0000-c000-000000000000",
                "Dynamics CRM Online",
                Some("http://www.microsoft.com/dynamics/crm"),
                &["oidc", "external"],
                &[],
                &["crm", "productivity", "collaboration", "businessMgmt"],
            ),
        ] {
            let stored = self.store.insert(Kind::ApplicationTemplate, template);
            debug_assert_eq!(stored, Ok(()), "the ids of templates differ");
        }
        self.store.changes.pause(false);
    }
}

fn template(
    id: &str,
    name: &str,
    home: Option<&str>,
    sign_on: &[&str],
    provisioning: &[&str],
    categories: &[&str],
) -> Object {
    object([
        ("id", id.into()),
        ("categories", json!(categories)),
        ("displayName", name.into()),
        ("homePageUrl", home.into()),
        ("isEntraIntegrated", true.into()),
        ("publisher", "Microsoft Corporation".into()),
        ("supportedProvisioningTypes", json!(provisioning)),
        ("supportedSingleSignOnModes", json!(sign_on)),
    ])
}
