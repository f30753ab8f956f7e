//! `applicationTemplate`: an application of the gallery.

use super::{Mode::*, Type::*, operation::*, *};

pub(super) const APPLICATION_TEMPLATE: EntityType = EntityType {
    name: "applicationTemplate",
    set: "applicationTemplates",
    directory: false,
    open: false,
    object: false,
    id: IdForm::Guid,
    key: None,
    unique: &[],
    log_time: None,
    premium: Premium::No,
    list_options: &["$filter", "$orderby", "$select", "$top"],
    object_options: SELECT_ONLY,
    pages: DIRECTORY_PAGES,
    visibility: Visibility::with(ANYONE),
    deletion: Deletion::Hard,
    behavior: Behavior::AsDeclared,
    activities: Activities::of("ApplicationManagement"),
    properties: &[
        text("id").shown(),
        text("categories").many().shown(),
        date("deprecationDate"),
        text("description").shown(),
        text("displayName").shown(),
        text("endpoints").many(),
        text("homePageUrl").shown(),
        boolean("isEntraIntegrated"),
        date("lastModifiedDateTime"),
        text("logoUrl").shown(),
        text("publisher").shown(),
        complex("riskFactors"),
        complex("riskScore"),
        text("supportedProvisioningTypes").many().shown(),
        text("supportedSingleSignOnModes").many().shown(),
    ],
    rules: &[
        rule("categories/any", Text, Basic, Basic, No, No).and_contains(),
        rule("displayName", Text, Basic, Basic, No, No).and_contains(),
    ],
    order: &[("displayName", Basic)],
    search: &[],
    navigation: &[],
    relationships: &[],
    operations: &[
        // Any access token is enough (page "List applicationTemplates", 2024-08-13).
        both("GET", "/applicationTemplates", ANYONE),
        both("GET", "/applicationTemplates/{id}", ANYONE),
        application::write_directory("POST", "/applicationTemplates/{id}/instantiate"),
    ],
};
