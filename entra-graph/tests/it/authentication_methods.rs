//! Authentication methods and the report of registered ones, against the fake tenant.

use entra_graph::{
    GraphClient, UserRegistrationDetails,
    types::{AuthenticationMethodType, AuthenticationPhoneType},
};
use entra_mock::FakeTenant;
use serde_json::json;

use crate::support::AppCredential;

async fn graph(permissions: &[&str]) -> (FakeTenant, GraphClient) {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Methods").with_secret();
    for permission in permissions {
        app.application_permission(permission);
    }
    let graph = GraphClient::builder(AppCredential::new(&tenant, &app));
    let graph = graph.cloud(tenant.cloud()).clock(tenant.clock());
    (tenant, graph.build().unwrap())
}

#[tokio::test]
async fn methods_of_a_user_are_read_with_their_types() {
    let (tenant, graph) = graph(&["UserAuthenticationMethod.Read.All"]).await;
    let robin = tenant.add_user("Robin");
    robin.add_authentication_method(json!({
        "@odata.type": "#microsoft.graph.phoneAuthenticationMethod", "id": "m1", "phoneNumber": "+1 5550100", "phoneType": "mobile"
    }));
    robin.add_authentication_method(
        json!({ "@odata.type": "#microsoft.graph.laterAuthenticationMethod" }),
    );
    let user = graph.user(robin.id());
    let methods = user.authentication_methods().list().items();
    let methods = methods.try_collect::<Vec<_>>().await.unwrap();
    let types: Vec<_> = methods
        .iter()
        .filter_map(|method| method.method_type())
        .collect();
    let later = AuthenticationMethodType::Other("laterAuthenticationMethod".to_owned());
    assert_eq!(
        types,
        [
            AuthenticationMethodType::Password,
            AuthenticationMethodType::Phone,
            later
        ]
    );
    let phone = user.authentication_method("m1").get().send().await.unwrap();
    assert_eq!(phone.phone_type, Some(AuthenticationPhoneType::Mobile));
    assert_eq!(phone.phone_number.as_deref(), Some("+1 5550100"));
    assert_eq!(
        user.authentication_method("m2").get_opt().await.unwrap(),
        None
    );
}

#[tokio::test]
async fn methods_of_one_type_are_read_with_the_permission_of_that_type_alone() {
    let (tenant, graph) = graph(&["UserAuthMethod-Phone.Read.All"]).await;
    let robin = tenant.add_user("Robin");
    for (id, kind) in [
        ("m1", "phone"),
        ("m2", "email"),
        ("m3", "fido2"),
        ("m4", "phone"),
    ] {
        let name = format!("#microsoft.graph.{kind}AuthenticationMethod");
        robin.add_authentication_method(json!({ "@odata.type": name, "id": id }));
    }
    let user = graph.user(robin.id());
    let phones = user.phone_methods().list().items();
    let phones = phones.try_collect::<Vec<_>>().await.unwrap();
    let ids: Vec<&str> = phones.iter().map(|method| &*method.id).collect();
    assert_eq!(ids, ["m1", "m4"]);
    let one = user.phone_method("m4").get().send().await.unwrap();
    assert_eq!(one.method_type(), Some(AuthenticationMethodType::Phone));
    assert_eq!(user.phone_method("m2").get_opt().await.unwrap(), None);
    let error = user.email_methods().list().send().await.unwrap_err();
    assert!(
        format!("{error:#}").contains("UserAuthMethod-Email.Read.All"),
        "{error:#}"
    );
    let error = user.authentication_methods().list().send().await;
    assert!(error.unwrap_err().is_forbidden());
}

#[tokio::test]
async fn every_type_of_methods_has_a_list_and_an_object_at_its_documented_path() {
    let (tenant, graph) = graph(&[
        "UserAuthenticationMethod.Read.All",
        "UserAuthMethod-Passkey.Read.All",
    ])
    .await;
    let robin = tenant.add_user("Robin");
    let user = graph.user(robin.id());
    macro_rules! read {
        ($($list:ident, $one:ident, $segment:literal, $name:literal;)*) => {$(
            let kind = concat!("#microsoft.graph.", $name, "AuthenticationMethod");
            robin.add_authentication_method(json!({ "@odata.type": kind, "id": $segment }));
            tenant.forget_requests();
            let all = user.$list().list().items().try_collect::<Vec<_>>().await.unwrap();
            assert_eq!(all.last().unwrap().id.as_str(), $segment);
            assert!(all.iter().all(|one| one.method_type() == all[0].method_type()));
            user.$one($segment).get().send().await.unwrap();
            let below = format!("/v1.0/users/{}/authentication/{}", robin.id(), $segment);
            tenant.requests().to(&below).assert_count(1);
            tenant.requests().to(&format!("{below}/{}", $segment)).assert_count(1);
        )*};
    }
    read! {
        email_methods, email_method, "emailMethods", "email";
        external_authentication_methods, external_authentication_method, "externalAuthenticationMethods", "external";
        fido2_methods, fido2_method, "fido2Methods", "fido2";
        microsoft_authenticator_methods, microsoft_authenticator_method, "microsoftAuthenticatorMethods", "microsoftAuthenticator";
        password_methods, password_method, "passwordMethods", "password";
        phone_methods, phone_method, "phoneMethods", "phone";
        platform_credential_methods, platform_credential_method, "platformCredentialMethods", "platformCredential";
        software_oath_methods, software_oath_method, "softwareOathMethods", "softwareOath";
        temporary_access_pass_methods, temporary_access_pass_method, "temporaryAccessPassMethods", "temporaryAccessPass";
        windows_hello_for_business_methods, windows_hello_for_business_method, "windowsHelloForBusinessMethods", "windowsHelloForBusiness";
    }
}

#[tokio::test]
async fn users_without_a_second_factor_are_found_in_the_report() {
    let (tenant, graph) = graph(&["AuditLog.Read.All"]).await;
    let robin = tenant.add_user("Robin");
    let cleo = tenant.add_user("Cleo");
    robin.add_authentication_method(json!({ "@odata.type": "#microsoft.graph.fido2AuthenticationMethod", "displayName": "Key" }));
    let without = UserRegistrationDetails::IS_MFA_REGISTERED.eq(false);
    let list = graph.registration_details().list().filter(without);
    let list = list.order_by(UserRegistrationDetails::USER_DISPLAY_NAME.asc());
    let found = list.items().try_collect::<Vec<_>>().await.unwrap();
    let ids: Vec<&str> = found.iter().map(|one| &*one.id).collect();
    assert!(ids.contains(&cleo.id().to_string().as_str()));
    assert!(!ids.contains(&robin.id().to_string().as_str()));
    let fido2 = UserRegistrationDetails::METHODS_REGISTERED.any(|method| method.eq("fido2"));
    let found = graph.registration_details().list().filter(fido2).items();
    let found = found.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].is_passwordless_capable, Some(true));
    let one = graph
        .registration_details_of(robin.id())
        .get()
        .send()
        .await
        .unwrap();
    assert_eq!(one.methods_registered, Some(vec!["fido2".to_owned()]));
}

#[tokio::test]
async fn a_missing_permission_for_methods_is_named() {
    let (tenant, graph) = graph(&["Directory.Read.All"]).await;
    let robin = tenant.add_user("Robin");
    let list = graph.user(robin.id()).authentication_methods().list();
    let error = list.send().await.unwrap_err();
    assert!(
        format!("{error:#}").contains("UserAuthenticationMethod.Read.All"),
        "{error:#}"
    );
    let error = graph
        .registration_details()
        .list()
        .send()
        .await
        .unwrap_err();
    assert!(
        format!("{error:#}").contains("AuditLog.Read.All"),
        "{error:#}"
    );
}

#[tokio::test]
async fn summaries_of_registrations_are_documented_functions() {
    use entra_graph::types::{AuthenticationMethodFeature, IncludedUserRoles, IncludedUserTypes};

    let body = r##"{"@odata.type": "#microsoft.graph.userRegistrationMethodSummary", "userTypes": "all", "userRoles": "all",
        "userRegistrationMethodCounts": [{"authenticationMethod": "password", "userCount": 12209}]}"##;
    let features = r#"{"totalUserCount": 5, "userRegistrationFeatureCounts": [{"feature": "mfaCapable", "userCount": 3}]}"#;
    let script = entra_core::ScriptedTransport::new()
        .then(200, &[], body)
        .then(200, &[], features);
    let builder = entra_graph::GraphClient::builder(entra_core::StaticCredential::new("token"));
    let graph = builder
        .transport(script.clone())
        .clock(entra_core::ManualClock::new())
        .build()
        .unwrap();
    let (types, roles) = (IncludedUserTypes::All, IncludedUserRoles::All);
    let summary = graph
        .users_registered_by_method(types, roles)
        .send()
        .await
        .unwrap();
    assert_eq!(
        summary.user_registration_method_counts.unwrap()[0].user_count,
        Some(12209)
    );
    let (types, roles) = (IncludedUserTypes::Guest, IncludedUserRoles::Admin);
    let summary = graph
        .users_registered_by_feature(types, roles)
        .send()
        .await
        .unwrap();
    let counts = summary.user_registration_feature_counts.unwrap();
    assert_eq!(
        counts[0].feature,
        Some(AuthenticationMethodFeature::MfaCapable)
    );
    let paths: Vec<String> = script
        .requests()
        .iter()
        .map(|sent| sent.uri().path().replace("%27", "'"))
        .collect();
    let reports = "/v1.0/reports/authenticationMethods";
    assert_eq!(
        paths,
        [
            format!(
                "{reports}/usersRegisteredByMethod(includedUserTypes='all',includedUserRoles='all')"
            ),
            format!(
                "{reports}/usersRegisteredByFeature(includedUserTypes='guest',includedUserRoles='admin')"
            ),
        ]
    );
}
