//! The states of the tenant, by the number of their case. Only this file knows the cases.

use std::time::Duration;

use entra_auth::SelfSignedCertificate;
use entra_core::{Clock as _, ManualClock};
use entra_graph::connection::{Check, RedirectPlatform};
use entra_mock::{AccessPolicy, Fault, GroupClaims, License};
use serde_json::json;

use super::world::{REDIRECT, World};

/// Brings tenant and settings into the state of a case.
pub(super) fn apply(world: &mut World, number: &str) {
    match number.split_at(1) {
        ("B", number) => broken(world, number),
        (_, number) => healthy(world, number),
    }
}

fn broken(world: &mut World, number: &str) {
    let object_id = world.app.object_id().to_string();
    let principal_id = world.app.service_principal_id().to_string();
    match number {
        "1" => world.tenant_text = "5d0f3c1e-1d71-4883-8f98-567911bfdca6".to_owned(),
        "2" => world.tenant_text = "YOUR_TENANT_ID".to_owned(),
        "3" => world.tenant.set_region("USGov", None),
        "4" => world.client_text = "535fb089-9ff3-47b6-9bfb-4f1264799865".to_owned(),
        "5" => world.client_text = object_id,
        "6" => world.client_text = "00000000-0000-0000-0000-000000000000".to_owned(),
        "7" => assert!(
            world
                .tenant
                .remove("servicePrincipals", &principal_id)
                .unwrap()
        ),
        "8" => world.app.disable(),
        "9" => {
            let id = "f0b0b335-1d71-4883-8f98-567911bfdca6";
            let credential = json!([{ "keyId": id, "displayName": "deploy", "hint": "abc",
                "startDateTime": "2026-11-01T00:00:00Z", "endDateTime": "2028-11-01T00:00:00Z" }]);
            world
                .tenant
                .set_property(
                    "applications",
                    &object_id,
                    "passwordCredentials",
                    credential,
                )
                .unwrap();
            world.secret(id);
        }
        "10" => world.secret(format!("{}\n", world.secret_text())),
        "11" => {
            world.app.remove_secret();
            let app = world.app.with_secret_valid_for(Duration::from_secs(3600));
            world.secret(app.secret().expose_secret());
            world.days(2);
        }
        "12" => {
            let other = world.tenant.register_app("Other").with_secret();
            world.secret(other.secret().expose_secret());
        }
        "13" => {
            world
                .app
                .with_certificate(world.tenant.test_certificate_pem());
            let other = SelfSignedCertificate::rsa("CN=other").clock(world.tenant.clock());
            let other = other.generate_pem();
            world.certificate(&other);
        }
        "14" => {
            let short = SelfSignedCertificate::rsa("CN=short").valid_for_days(1);
            let pem = short.clock(world.tenant.clock()).generate_pem();
            world.app.with_certificate(&pem);
            world.certificate(&pem);
            world.days(3);
        }
        "15" => {
            let pem = world.tenant.test_certificate_pem();
            world.app.with_certificate(&pem);
            world.certificate(&pem);
            world.clock = ManualClock::at(world.tenant.clock().now());
            world.clock.advance(Duration::from_secs(20 * 60));
        }
        "16" => federated(world, "main", "develop"),
        "17" => federated(world, "main", "Main"),
        "18" => {
            federated(world, "main", "main");
            let other = world
                .tenant
                .federated_token("https://gitlab.example", &subject("main"));
            world.assertion(other);
        }
        "19" => world.redirect.1 = "https://helpdesk.example/auth/Callback".to_owned(),
        "20" => {
            without_web(world);
            world.app.spa_redirect_uri(REDIRECT);
        }
        "21" => public_client(world),
        "22" => {
            without_web(world);
            world.app.public_redirect_uri(REDIRECT);
        }
        "23" => {
            world.app.needs_application_permission("Group.Read.All");
            world.needs.push("Group.Read.All");
        }
        "24" => {
            world.app.needs_delegated_permission("Group.Read.All");
            world.needs.push("Group.Read.All");
        }
        "25" => {
            world.app.needs_delegated_permission("GroupMember.Read.All");
            world.delegated.push("GroupMember.Read.All");
        }
        "26" => {
            world.app.require_assignment();
            world.users.push("adele@contoso.com".to_owned());
        }
        "27" => world.tenant_text = "common".to_owned(),
        "28" => world.apis.push(("api://misspelt".to_owned(), None)),
        "29" => {
            let policy = AccessPolicy::block().workload_identity(&world.app);
            world.tenant.add_access_policy(policy);
        }
        "30" => {
            let api = world
                .tenant
                .register_app("Tasks")
                .expose_app_role("Tasks.Read.All");
            world.app.application_permission_of(&api, "Tasks.Read.All");
            world.apis.push((api.client_id().to_string(), Some(2)));
        }
        other => panic!("no state for B{other}"),
    }
}

fn healthy(world: &mut World, number: &str) {
    let object_id = world.app.object_id().to_string();
    let principal_id = world.app.service_principal_id().to_string();
    match number {
        "1" => {
            let plain = world
                .tenant
                .register_app("Sign-in only")
                .redirect_uri(REDIRECT)
                .with_secret();
            replace(world, plain);
            world.needs.clear();
        }
        // The world as it is: these are about what the test itself sends, which is looked at in the journal.
        "2" | "3" | "16" => {}
        "4" => federated(world, "main", "main"),
        "5" => {
            world.app.remove_secret();
            let issuer = format!(
                "https://login.microsoftonline.com/{}/v2.0",
                world.tenant.id()
            );
            let identity = "9a1f4e57-1d71-4883-8f98-567911bfdca6";
            world.app.with_federated_credential(&issuer, identity);
            world.assertion(world.tenant.federated_token(&issuer, identity));
        }
        "6" => {
            world.app.remove_secret();
            let pem = world.tenant.test_certificate_pem();
            world.app.with_certificate(&pem);
            world.certificate(&pem);
        }
        "7" => {
            world.app.remove_secret();
            world.app.with_secret_valid_for(Duration::from_secs(3600));
            world.days(1);
            let app = world.app.with_secret();
            world.secret(app.secret().expose_secret());
        }
        "8" => {
            world.app.remove_secret();
            let app = world
                .app
                .with_secret_valid_for(Duration::from_secs(5 * 24 * 3600));
            world.secret(app.secret().expose_secret());
        }
        "9" => {
            world.injected = true;
            world
                .tenant
                .inject(Fault::on("/token").times(2).sign_in_error(7_000_215));
        }
        "10" => {
            world.injected = true;
            for nth in [1, 3] {
                world
                    .tenant
                    .inject(Fault::on("/token").nth(nth).sign_in_error(700_016));
            }
        }
        "11" => {
            world.tenant.remove("applications", &object_id).unwrap();
            world
                .tenant
                .set_property(
                    "servicePrincipals",
                    &principal_id,
                    "replyUrls",
                    json!([REDIRECT]),
                )
                .unwrap();
            // The vendor keeps the credential.
            world.material = None;
        }
        "12" => world
            .tenant
            .set_property(
                "applications",
                &object_id,
                "requiredResourceAccess",
                json!([]),
            )
            .unwrap(),
        "13" => {
            world.app.needs_application_permission("Group.Read.All");
        }
        "14" => {
            let wider = world
                .tenant
                .register_app("Wider")
                .redirect_uri(REDIRECT)
                .with_secret();
            let wider = wider.application_permission("Directory.Read.All");
            replace(world, wider);
        }
        "15" => {
            let api = world
                .tenant
                .register_app("Tasks")
                .expose_app_role("Tasks.Read.All");
            world.app.application_permission_of(&api, "Tasks.Read.All");
            world.apis.push((api.client_id().to_string(), Some(1)));
        }
        "17" => world.tenant_text = world.tenant.domain(),
        "18" => {
            let domain = world.tenant.domain();
            world
                .tenant
                .set_property("domains", &domain, "authenticationType", "Federated".into())
                .unwrap();
            world.users.push("adele@contoso.com".to_owned());
        }
        "19" => {
            world
                .tenant
                .add_access_policy(AccessPolicy::require_second_factor());
        }
        "20" => {
            broken(world, "29");
            world.elsewhere = true;
        }
        "21" => {
            let name = "robin_fabrikam.com#EXT#@contoso.com";
            let guest = json!({ "displayName": "Robin", "userPrincipalName": name, "userType": "Guest",
                "mailNickname": "robin", "accountEnabled": true });
            world
                .users
                .push(world.tenant.insert("users", guest).unwrap());
        }
        "22" => {
            let tenant = world.tenant.id();
            world.consent_response = Some(format!("admin_consent=True&tenant={tenant}&state=5"));
        }
        "23" => {
            world.app.require_assignment();
            let group = world.tenant.add_group("Helpdesk users");
            group.add_member(world.tenant.user("adele@contoso.com").id());
            world
                .tenant
                .assign(group.id(), world.app.service_principal_id());
            world.users.push("adele@contoso.com".to_owned());
        }
        "24" => {
            world.app.require_assignment();
            let adele = world.tenant.user("adele@contoso.com").id();
            world.tenant.assign(adele, world.app.service_principal_id());
            world.users.push("adele@contoso.com".to_owned());
        }
        "25" => {
            world.app.group_claims(GroupClaims::SecurityGroup);
            let adele = world.tenant.user("adele@contoso.com").id();
            for number in 0..201 {
                world
                    .tenant
                    .add_group(&format!("Team {number}"))
                    .add_member(adele);
            }
            world.users.push("adele@contoso.com".to_owned());
            world.groups = true;
        }
        "26" => {
            world.app.group_claims(GroupClaims::ApplicationGroup);
            let claims = json!({ "idToken": [{ "name": "groups", "source": null, "essential": false,
                "additionalProperties": ["cloud_displayname"] }], "accessToken": [], "saml2Token": [] });
            world
                .tenant
                .set_property("applications", &object_id, "optionalClaims", claims)
                .unwrap();
            world.groups = true;
        }
        "27" => {
            world.app.public_redirect_uri("http://localhost");
            world.app.spa_redirect_uri("https://helpdesk.example/spa");
            world.redirect = (
                RedirectPlatform::Public,
                "http://localhost:53124".to_owned(),
            );
        }
        "28" => world
            .tenant
            .set_property(
                "servicePrincipals",
                &principal_id,
                "preferredTokenSigningKeyThumbprint",
                "5A1FE6E7D3C6B1B0A59B7F3A2C1D0E9F8A7B6C5D".into(),
            )
            .unwrap(),
        "29" => {
            world.tenant.set_license(License::Free);
            world.app.application_permission("AuditLog.Read.All");
            world.needs.push("AuditLog.Read.All");
        }
        "30" => world.reader = None,
        other => panic!("no state for H{other}"),
    }
}

/// Healthy set-ups beside those of the cases: name, change, check, what the finding says.
pub(super) const HEALTHY_SIBLINGS: &[Sibling] = &[
    (
        "admin consent for a connection that names a domain",
        |world| {
            let tenant = world.tenant.id();
            world.tenant_text = world.tenant.domain();
            world.consent_response = Some(format!("admin_consent=True&tenant={tenant}"));
        },
        Check::Consent,
        "admin consent done",
    ),
    (
        "users of any organization at organizations",
        |world| {
            world.app.multi_tenant();
            world.tenant_text = "organizations".to_owned();
            world.needs.clear();
        },
        Check::RedirectUri,
        "is registered",
    ),
    (
        "needs in other letters",
        |world| {
            world.app.delegated_permission("GroupMember.Read.All");
            world.needs = vec!["user.read.all"];
            world.delegated.push("groupmember.read.all");
        },
        Check::Permission,
        "user.read.all is granted",
    ),
    (
        "needs that a wider permission covers, in other letters",
        |world| {
            world.app.application_permission("Directory.Read.All");
            world.needs = vec!["APPLICATION.READ.ALL"];
        },
        Check::Permission,
        "APPLICATION.READ.ALL is covered by Directory.Read.All",
    ),
    (
        "the test is given no credential of a server that has one",
        |world| world.material = None,
        Check::RedirectUri,
        "is registered on the right platform",
    ),
    (
        "public client",
        |world| {
            public_client(world);
            without_web(world);
            world.app.public_redirect_uri(REDIRECT);
            world.redirect.0 = RedirectPlatform::Public;
        },
        Check::Credential,
        "no credential is needed",
    ),
    (
        "certificate that was just uploaded to an old application",
        |world| {
            world.app.remove_secret();
            world.days(30);
            let pem = world.tenant.test_certificate_pem();
            world.app.with_certificate(&pem);
            world.certificate(&pem);
            lagging(world, 700_027);
        },
        Check::Credential,
        "accepted after",
    ),
    (
        "federated credential that was just added to an old application",
        |world| {
            world.days(30);
            federated(world, "main", "main");
            lagging(world, 700_213);
        },
        Check::Credential,
        "accepted after",
    ),
    (
        "audience that was just changed",
        |world| {
            world.days(30);
            federated(world, "main", "main");
            lagging(world, 700_212);
        },
        Check::Credential,
        "accepted after",
    ),
    (
        "subject that was just spelt as the token has it",
        |world| {
            world.days(30);
            federated(world, "main", "main");
            lagging(world, 7_002_138);
        },
        Check::Credential,
        "accepted after",
    ),
    (
        "first federated credential of an application",
        |world| {
            world.days(30);
            federated(world, "main", "main");
            lagging(world, 70_025);
        },
        Check::Credential,
        "accepted after",
    ),
];

/// Two replicas do not know the credential yet. The first request for a token is the reader's, whose last one has expired.
fn lagging(world: &mut World, code: u32) {
    world.injected = true;
    for nth in [2, 3] {
        let fault = Fault::on("/token").nth(nth).sign_in_error(code);
        world.tenant.inject(fault);
    }
}

fn public_client(world: &mut World) {
    world.material = None;
    world.no_secret = true;
    // Application permissions need a credential.
    world.needs.clear();
}

/// What else belongs to the kinds of the cases: name, change, check, what the finding says.
pub(super) const SIBLINGS: &[Sibling] = &[
    (
        "truncated secret",
        |world| world.secret(&world.secret_text()[..8]),
        Check::Credential,
        "cut off",
    ),
    (
        "percent-encoded secret",
        |world| world.secret(world.secret_text().replace('~', "%7E")),
        Check::Credential,
        "percent-encoded",
    ),
    (
        "secret in quotation marks",
        |world| world.secret(format!("\"{}\"", world.secret_text())),
        Check::Credential,
        "quotation marks",
    ),
    (
        "audience of the federated credential",
        |world| {
            federated(world, "main", "main");
            let issuer = ISSUER;
            let jwt = world.tenant.federated_token_with(
                issuer,
                &subject("main"),
                json!({ "aud": "api://other" }),
            );
            world.assertion(jwt);
        },
        Check::Credential,
        "presented: \"api://other\", stored: \"api://AzureADTokenExchange\"",
    ),
    (
        "no federated credential at all",
        |world| {
            world.app.remove_secret();
            let jwt = world.tenant.federated_token(ISSUER, &subject("main"));
            world.assertion(jwt);
        },
        Check::Credential,
        "the application has no federated credential",
    ),
    (
        "application that is not assigned to Graph itself",
        |world| {
            let fault = Fault::on("/token").times(100).sign_in_error(501_051);
            world.tenant.inject(fault);
        },
        Check::Assignment,
        "is not assigned to the API, which requires assignment",
    ),
    (
        "disabled account of a user",
        |world| {
            let adele = world.tenant.user("adele@contoso.com").id().to_string();
            world
                .tenant
                .set_property("users", &adele, "accountEnabled", false.into())
                .unwrap();
            world.users.push("adele@contoso.com".to_owned());
        },
        Check::Assignment,
        "the account of adele@contoso.com is disabled",
    ),
    (
        "disabled API",
        |world| {
            let api = world
                .tenant
                .register_app("Tasks")
                .expose_app_role("Tasks.Read.All");
            api.disable();
            world.apis.push((api.client_id().to_string(), None));
        },
        Check::Api,
        "is disabled in this tenant",
    ),
    (
        "unqualified scope",
        |world| world.delegated.push("Tasks.Read"),
        Check::Api,
        "does not exist on Microsoft Graph",
    ),
    (
        "API that requires assignment",
        |world| {
            let api = world
                .tenant
                .register_app("Tasks")
                .expose_app_role("Tasks.Read.All");
            api.require_assignment();
            world.apis.push((api.client_id().to_string(), None));
        },
        Check::Assignment,
        "is not assigned to",
    ),
    (
        "API with version 2 where 1 is expected",
        |world| {
            let api = world
                .tenant
                .register_app("Tasks")
                .expose_app_role("Tasks.Read.All")
                .with_v2_tokens();
            world.app.application_permission_of(&api, "Tasks.Read.All");
            world.apis.push((api.client_id().to_string(), Some(1)));
        },
        Check::Api,
        "accepts version 1",
    ),
    (
        "slash at the end of the redirect URI",
        |world| world.redirect.1.push('/'),
        Check::RedirectUri,
        "differs by the slash",
    ),
    (
        "certificate that is not valid yet",
        |world| {
            let clock = ManualClock::at(world.tenant.clock().now());
            clock.advance(Duration::from_secs(10 * 24 * 3600));
            let pem = SelfSignedCertificate::rsa("CN=later")
                .clock(clock)
                .generate_pem();
            world.app.with_certificate(&pem);
            world.certificate(&pem);
        },
        Check::Credential,
        "it starts on",
    ),
    (
        "clock behind",
        |world| {
            let now = world.tenant.clock().now();
            world.clock = ManualClock::at(now - entra_core::time::Duration::hours(1));
        },
        Check::Clock,
        "clock wrong by 60 minutes: this machine is behind",
    ),
    (
        "object id of the service principal",
        |world| world.client_text = world.app.service_principal_id().to_string(),
        Check::Application,
        "object id of the enterprise application",
    ),
    (
        "tenant id as client id",
        |world| world.client_text.clone_from(&world.tenant_text),
        Check::Configuration,
        "is the tenant id",
    ),
    (
        "empty settings",
        |world| world.tenant_text.clear(),
        Check::Configuration,
        "configuration not filled in",
    ),
    (
        "tenant of the DoD",
        |world| world.tenant.set_region("USGov", Some("DOD")),
        Check::Cloud,
        "https://dod-graph.microsoft.us",
    ),
    (
        "misspelt permission",
        |world| world.needs.push("User.Read.Everything"),
        Check::Permission,
        "is not an application permission",
    ),
    (
        "wrong directory",
        |world| {
            world.consent_response =
                Some("admin_consent=True&tenant=5d0f3c1e-1d71-4883-8f98-567911bfdca6".to_owned());
        },
        Check::Consent,
        "the wrong directory",
    ),
    (
        "wrong directory of a connection that names a domain",
        |world| {
            world.tenant_text = world.tenant.domain();
            world.consent_response =
                Some("admin_consent=True&tenant=5d0f3c1e-1d71-4883-8f98-567911bfdca6".to_owned());
        },
        Check::Consent,
        "the wrong directory",
    ),
    (
        "group claims wanted and not configured",
        |world| world.groups = true,
        Check::Claims,
        "group claims are not configured",
    ),
    (
        "unknown user",
        |world| world.users.push("nobody@contoso.com".to_owned()),
        Check::Assignment,
        "there is no user",
    ),
    (
        "single-page application registered for Web",
        |world| world.redirect.0 = RedirectPlatform::SinglePage,
        Check::RedirectUri,
        "but a page in the browser redeems its codes",
    ),
    (
        "application permission of a public client",
        |world| {
            public_client(world);
            world.needs.push("User.Read.All");
        },
        Check::Configuration,
        "need a credential",
    ),
    (
        "application permissions of a multitenant application at organizations",
        |world| {
            world.app.multi_tenant();
            world.tenant_text = "organizations".to_owned();
        },
        Check::Configuration,
        "tokens without a user need one tenant, and organizations names none",
    ),
    (
        "an API that is called at organizations, without application permissions",
        |world| {
            world.app.multi_tenant();
            world.needs.clear();
            world.apis.push(("api://orders".to_owned(), None));
            world.tenant_text = "organizations".to_owned();
        },
        Check::Configuration,
        "tokens without a user need one tenant, and organizations names none",
    ),
    (
        "an API that a public client calls, without application permissions",
        |world| {
            public_client(world);
            world.apis.push(("api://orders".to_owned(), None));
        },
        Check::Configuration,
        "tokens for an API need a credential",
    ),
    (
        "application permissions at common, without a credential",
        |world| {
            world.app.multi_tenant();
            world.tenant_text = "common".to_owned();
            world.material = None;
        },
        Check::Configuration,
        "use the tenant's id in place of common",
    ),
    (
        "wildcard redirect URI",
        |world| world.redirect.1 = "https://*.helpdesk.example/".to_owned(),
        Check::RedirectUri,
        "wildcard",
    ),
];

type Sibling = (&'static str, fn(&mut World), Check, &'static str);

const ISSUER: &str = "https://token.actions.githubusercontent.com";

fn subject(branch: &str) -> String {
    format!("repo:contoso/shop:ref:refs/heads/{branch}")
}

fn federated(world: &mut World, registered: &str, presented: &str) {
    world.app.remove_secret();
    world
        .app
        .with_federated_credential(ISSUER, &subject(registered));
    let jwt = world.tenant.federated_token(ISSUER, &subject(presented));
    world.assertion(jwt);
}

fn without_web(world: &World) {
    let id = world.app.object_id().to_string();
    world
        .tenant
        .set_property("applications", &id, "web", json!({ "redirectUris": [] }))
        .unwrap();
}

fn replace(world: &mut World, app: entra_mock::App) {
    world.client_text = app.client_id().to_string();
    world.secret(app.secret().expose_secret());
    world.app = app;
}

/// PEM with the private key, as the product's configuration has it.
trait GeneratePem {
    fn generate_pem(&self) -> String;
}

impl GeneratePem for SelfSignedCertificate {
    fn generate_pem(&self) -> String {
        let certificate = self.generate().unwrap();
        let key = certificate.private_key_pem_unencrypted().unwrap();
        format!("{}{}", certificate.public_pem(), key.expose_secret())
    }
}
