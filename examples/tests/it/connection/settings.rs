//! Settings with a value that belongs elsewhere, or that Entra takes from no application.

use entra_graph::{
    Application,
    connection::{Check, RedirectPlatform},
};

use super::world::World;

#[tokio::test]
async fn an_id_of_the_application_in_place_of_its_secret_is_named() {
    let mut world = World::new().await;
    let reader = world.reader.clone().unwrap();
    let application = reader.applications().list().items();
    let application = application.try_collect::<Vec<_>>().await.unwrap();
    let is_ours = |one: &&Application| one.app_id.as_deref() == Some(&world.client_text);
    let object_id = application.iter().find(is_ours).unwrap().id.to_string();
    for (pasted, name) in [
        (world.client_text.clone(), "Application (client) ID"),
        (object_id, "Object ID"),
        // Of no secret that the registration has; most often one of another registration.
        (
            "7e5b7c2a-5a0c-4d7e-9a51-0b6d2c9f1a11".to_owned(),
            "Secret ID",
        ),
    ] {
        world.secret(pasted);
        let report = world.test().run().await;
        let text = format!("\"{name}\" pasted in place of \"Value\"");
        let mut found = report.of(Check::Credential);
        assert!(found.any(|one| one.what.contains(&text)), "{report}");
    }
}

#[tokio::test]
async fn a_redirect_uri_that_cannot_be_registered_is_not_sent() {
    for uri in ["cb", "https://*.example/cb", "http://a.example/cb"] {
        let mut world = World::new().await;
        world.redirect = (RedirectPlatform::Web, uri.to_owned());
        let report = world.test().run().await;
        let errors: Vec<_> = report.errors().map(|one| one.check).collect();
        assert_eq!(errors, [Check::RedirectUri], "{uri}: {report}");
        world.tenant.requests().to("/authorize").assert_count(0);
    }
}
