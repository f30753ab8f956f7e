//! The guides of the examples are those of their blueprints.

use entra_core::Cloud;

use crate::{certificate_client::setup::guide, saas_usage::setup::SignIn};

/// Compares a guide with its file, or writes the file if `UPDATE_GUIDES` is set.
fn check(name: &str, guide: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("UPDATE_GUIDES").is_some() {
        std::fs::write(&path, guide).unwrap();
    }
    let saved = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        saved, guide,
        "{name} is old: run this test with UPDATE_GUIDES=1"
    );
}

#[test]
fn the_guides_are_those_of_the_blueprints() {
    check(
        "certificate_client/GUIDE.md",
        &guide(&Cloud::public()).unwrap(),
    );
    for (name, sign_in) in [
        ("saas_usage/GUIDE.md", SignIn::Application),
        ("saas_usage/ADMINISTRATOR-GUIDE.md", SignIn::Code),
    ] {
        let blueprint = sign_in.blueprint().unwrap();
        check(name, &blueprint.guide().to_markdown());
    }
}
