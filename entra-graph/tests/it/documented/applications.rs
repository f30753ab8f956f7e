//! The documented requests of applications and what belongs to them.

use async_trait::async_trait;
use entra_core::{CredentialError, ProofSigner};
use entra_graph::{Application, NewApplication, NewExtensionProperty, NewPassword};

use super::{GraphClient, Send, Sent};

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

/// The documented proof is cut off, so any will do.
#[derive(Debug)]
struct NoSignature;

#[async_trait]
impl ProofSigner for NoSignature {
    fn sha1_thumbprint(&self) -> [u8; 20] {
        [0; 20]
    }

    async fn sign_rs256(&self, _: &[u8]) -> Result<Vec<u8>, CredentialError> {
        Ok(Vec::new())
    }
}
