//! The page of a blueprint file's keys, beside what the reader of files accepts.

use entra_graph::registration::AppRegistration;
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../../BLUEPRINT.md");
/// The certificate of the page is cut short; this one can be read.
const PEM: &str = include_str!("../../../../entra-mock/src/keys/client.test-cert.pem");

/// The file of the page, with a whole certificate.
fn file() -> String {
    let (_, rest) = PAGE.split_once("```yaml\n").unwrap();
    let (file, _) = rest.split_once("```").unwrap();
    let (before, rest) = file
        .split_once("      -----BEGIN CERTIFICATE-----")
        .unwrap();
    let (_, after) = rest.split_once("-----END CERTIFICATE-----\n").unwrap();
    let pem: String = PEM.lines().map(|line| format!("      {line}\n")).collect();
    format!("{before}{pem}{after}")
}

#[test]
fn the_file_of_the_page_is_a_blueprint() {
    let blueprint = AppRegistration::from_yaml(&file()).unwrap();
    assert_eq!(blueprint.name(), "Order Desk");
    assert_eq!(blueprint.key(), "order-desk");
}

/// The keys that a mapping can have, from the error for one that it cannot have.
fn keys_at(blueprint: &Value, pointer: &str) -> Vec<String> {
    let mut changed = blueprint.clone();
    changed.pointer_mut(pointer).unwrap()["no_such_key"] = json!(1);
    let error = AppRegistration::from_json(&changed.to_string()).unwrap_err();
    let text = error.to_string();
    let (_, known) = text.split_once("expected ").unwrap();
    let names = known.split('`').skip(1).step_by(2);
    names.map(str::to_owned).collect()
}

#[test]
fn the_page_has_every_key_that_a_file_can_have() {
    // Values of the page that are the defaults are left out when a blueprint is written.
    let mut blueprint: Value = serde_json::from_str(
        &AppRegistration::from_yaml(&file())
            .unwrap()
            .to_json()
            .unwrap(),
    )
    .unwrap();
    blueprint["web"]["id_tokens"] = json!(false);
    let mut checked = 0;
    for pointer in [
        "",
        "/web",
        "/spa",
        "/public_client",
        "/permissions/0",
        "/api",
        "/api/scopes/0",
        "/app_roles/0",
        "/claims",
        "/secrets/0",
        "/certificates/0",
        "/federated_credentials/0",
        "/enterprise",
        "/enterprise/assigned/0",
    ] {
        for key in keys_at(&blueprint, pointer) {
            let is_there = file().lines().any(|line| {
                line.trim_start_matches([' ', '-'])
                    .starts_with(&format!("{key}:"))
            });
            assert!(is_there, "{pointer}/{key} is not on the page");
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked}");
}

#[test]
fn the_key_of_a_registration_is_its_name_in_lower_case() {
    for (name, key) in [("Order Desk", "order-desk"), ("Büro 2!", "büro-2")] {
        assert_eq!(AppRegistration::new(name).key(), key);
    }
}

/// Every key of `BLUEPRINT.md` that is not an instruction to the program itself.
#[test]
fn a_guide_has_every_setting_of_the_page() {
    let blueprint = AppRegistration::from_yaml(&file()).unwrap();
    let page = blueprint.guide().to_markdown();
    let values = [
        "`Order Desk`",
        "**contoso.com**",
        "`description`: `Orders of all branches`",
        "**Internal note**: Run by the team Orders",
        "`tags`: `orders`",
        "`https://orders.example.com/auth/callback`",
        "`https://orders.example.com/auth/front-channel-sign-out`",
        "**Home page URL** `https://orders.example.com/`",
        "`https://orders.example.com/app`",
        "`http://localhost`",
        "**Allow public client flows** to **Yes**",
        "- User.Read\n",
        "- User.Read.All",
        "**api://billing**",
        "- Invoices.Read.All",
        "**Grant admin consent**",
        "`api://CLIENT-ID`",
        "`requestedAccessTokenVersion` in `api`: `2`",
        "`Orders.Read`",
        "`Read orders`",
        "`Reads the orders of the user's branch`",
        "`Read your orders`",
        "`Reads the orders of your branch`",
        "Value `Approver`",
        "Description `Approves orders`",
        "Allowed member types **Users/Groups**",
        "- email",
        "`SecurityGroup`",
        "`production`",
        "12 months",
        "`on-premises`",
        "`deploy`",
        "`repo:contoso/orders:ref:refs/heads/main`",
        "`api://AzureADTokenExchange`",
        "- adele@contoso.com\n",
        "`Salesforce`",
        "**Assignment required?** to **Yes**",
        "**Visible to users?** to **Yes**",
        "- adele@contoso.com with the role `Approver`",
        "- Order Desk users",
    ];
    for value in values {
        assert!(page.contains(value), "{value}\n{page}");
    }
}
