//! The documented requests of applications and what belongs to them.

use entra_graph::{
    Application, NewApplication, NewCertificate, NewExtensionProperty,
    NewFederatedIdentityCredential, NewPassword, NewSigningKey,
};

use super::{GraphClient, NoSignature, Send, Sent, key};

pub(super) fn requests() -> Vec<(&'static str, Vec<Send>)> {
    let one = |send: Send| vec![send];
    vec![
        (
            "application-post-applications.md",
            one(send!(|graph| graph
                .applications()
                .create(NewApplication::new("Display name")))),
        ),
        (
            "application-update.md",
            one(send!(|graph| graph
                .application("{id}")
                .update()
                .set(Application::DISPLAY_NAME, "New display name"))),
        ),
        (
            "application-delete.md",
            one(send!(|graph| graph.application("{id}").delete())),
        ),
        (
            "application-addpassword.md",
            one(send!(|graph| graph
                .application("{id}")
                .add_password(NewPassword::named("Password friendly name")))),
        ),
        (
            "application-removepassword.md",
            one(send!(|graph| graph.application("{id}").remove_password(
                "f0b0b335-1d71-4883-8f98-567911bfdca6".parse().unwrap()
            ))),
        ),
        (
            "application-post-extensionproperty.md",
            one(send!(|graph| graph
                .application("fd918e4b-c821-4efb-b50a-5eddd23afc6f")
                .extension_properties()
                .create(NewExtensionProperty::new(
                    "jobGroup",
                    "String",
                    &["User"]
                )))),
        ),
        (
            "extensionproperty-delete.md",
            one(send!(|graph| graph
                .application("fd918e4b-c821-4efb-b50a-5eddd23afc6f")
                .extension_property("1f0f15e3-925d-40f0-8fc8-9d3ad135bce0")
                .delete())),
        ),
        (
            "application-delete-extensionproperty.md",
            one(send!(|graph| graph
                .application("{id}")
                .extension_property("{id}")
                .delete())),
        ),
        (
            "application-addkey.md",
            vec![
                send!(|graph| graph
                    .application("{id}")
                    .add_key(NewCertificate::from_der(key()).unwrap(), &NoSignature)),
                send!(|graph| graph
                    .application("{id}")
                    .add_signing_key(NewSigningKey::from_pfx(key(), "MKTr0w1..."), &NoSignature)),
            ],
        ),
        (
            "application-post-federatedidentitycredentials.md",
            one(send!(|graph| graph
                .application("bcd7c908-1c4d-4d48-93ee-ff38349a75c8")
                .federated_identity_credentials()
                .create(NewFederatedIdentityCredential::new(
                    "testing02",
                    "https://login.microsoftonline.com/3d1e2be9-a10a-4a0c-8380-7ce190f98ed9/v2.0",
                    "a7d388c3-5e3f-4959-ac7d-786b3383006a"
                )))),
        ),
        #[cfg(feature = "application-templates")]
        (
            "applicationtemplate-instantiate.md",
            one(send!(|graph| graph
                .application_template("229946b9-a9fb-45b8-9531-efa47453ac9e")
                .instantiate("Azure AD SAML Toolkit"))),
        ),
        (
            "application-removekey.md",
            one(send!(|graph| graph.application("{id}").remove_key(
                "f0b0b335-1d71-4883-8f98-567911bfdca6".parse().unwrap(),
                &NoSignature
            ))),
        ),
        (
            "application-setverifiedpublisher.md",
            one(send!(|graph| graph
                .application("{id}")
                .set_verified_publisher("1234567"))),
        ),
        (
            "application-unsetverifiedpublisher.md",
            one(send!(|graph| graph
                .application("{id}")
                .unset_verified_publisher())),
        ),
        (
            "application-post-owners.md",
            one(send!(|graph| graph
                .application("{id}")
                .owners()
                .add("{id}"))),
        ),
        (
            "application-delete-owners.md",
            one(send!(|graph| graph
                .application("{id}")
                .owners()
                .remove("{id}"))),
        ),
    ]
}
