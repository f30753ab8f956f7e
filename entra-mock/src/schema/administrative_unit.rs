//! `administrativeUnit`: properties, `$filter` rules, `$orderby`, `$search`.

use super::{Mode::*, Type::*, operation::*, relationship::*, shared_rules::*, *};

pub(super) const ADMINISTRATIVE_UNIT: EntityType = EntityType {
    name: "administrativeUnit",
    set: "directory/administrativeUnits",
    control_path: None,
    directory: true,
    open: true,
    object: true,
    id: IdForm::Guid,
    key: None,
    unique: &[],
    log_time: None,
    premium: Premium::No,
    list_options: ALL_OPTIONS,
    object_options: OBJECT_OPTIONS,
    pages: DIRECTORY_PAGES,
    visibility: Visibility::with(READ_UNITS),
    deletion: Deletion::Soft { restored_with: &[] },
    behavior: Behavior::AsDeclared,
    creators: Creators::Administrators,
    principal: None,
    application: None,
    activities: Activities {
        add: "Add administrative unit",
        update: "Update administrative unit",
        delete: "Delete administrative unit",
        purge: "Hard Delete administrative unit",
        restore: "Restore administrative unit",
        add_member: "Add member to administrative unit",
        remove_member: "Remove member from administrative unit",
        ..Activities::of("AdministrativeUnit")
    },
    properties: &[
        text("id").shown(),
        date("deletedDateTime").shown(),
        text("description").shown().writable().up_to(1024),
        text("displayName").shown().required().up_to(256),
        boolean("isMemberManagementRestricted")
            .shown()
            .at_creation(),
        text("membershipRule")
            .shown()
            .writable()
            .only_with("membershipType", "Dynamic"),
        text("membershipRuleProcessingState")
            .shown()
            .writable()
            .one_of(&["On", "Paused"]),
        text("membershipType")
            .shown()
            .writable()
            .one_of(&["Assigned", "Dynamic"]),
        text("visibility")
            .shown()
            .writable()
            .one_of(&["Public", "HiddenMembership"]),
    ],
    rules: &[
        rule("description", Text, Advanced, Advanced, No, No),
        DISPLAY_NAME,
        rule("id", Text, Basic, No, No, No),
        rule("isMemberManagementRestricted", Boolean, Basic, No, No, No),
    ],
    order: &[("deletedDateTime", Advanced), ("displayName", Advanced)],
    search: &["displayName", "description"],
    navigation: &["extensions", "members", "scopedRoleMembers"],
    relationships: &[many(
        Kind::AdministrativeUnit,
        "members",
        &[Kind::User, Kind::Group, Kind::Device],
        Source::Out(Relation::Members),
    )
    .by_reference()
    .decided_by("membershipType", "Dynamic")],
    operations: &[
        both("GET", "/directory/administrativeUnits", READ_UNITS),
        both("POST", "/directory/administrativeUnits", WRITE_UNITS),
        both("GET", "/directory/administrativeUnits/delta", READ_UNITS),
        both("GET", "/directory/administrativeUnits/{id}", READ_UNITS),
        both("PATCH", "/directory/administrativeUnits/{id}", WRITE_UNITS),
        both("DELETE", "/directory/administrativeUnits/{id}", WRITE_UNITS),
        both(
            "GET",
            "/directory/administrativeUnits/{id}/members",
            READ_UNITS,
        ),
        both(
            "GET",
            "/directory/administrativeUnits/{id}/members/{id}",
            READ_UNITS,
        ),
        both(
            "POST",
            "/directory/administrativeUnits/{id}/members/$ref",
            WRITE_UNITS,
        ),
        both(
            "DELETE",
            "/directory/administrativeUnits/{id}/members/{id}/$ref",
            WRITE_UNITS,
        ),
        both(
            "GET",
            "/directory/administrativeUnits/{id}/scopedRoleMembers",
            READ_ROLES,
        ),
        both(
            "POST",
            "/directory/administrativeUnits/{id}/scopedRoleMembers",
            WRITE_ROLES,
        ),
        both(
            "GET",
            "/directory/administrativeUnits/{id}/scopedRoleMembers/{id}",
            READ_ROLES,
        ),
        both(
            "DELETE",
            "/directory/administrativeUnits/{id}/scopedRoleMembers/{id}",
            WRITE_ROLES,
        ),
        both(
            "GET",
            "/directory/deletedItems/microsoft.graph.administrativeUnit",
            &["AdministrativeUnit.Read.All"],
        ),
        both(
            "GET",
            "/directory/deletedItems/{id}",
            &["AdministrativeUnit.Read.All"],
        ),
        // Administrative units cannot be purged.
        both("POST", "/directory/deletedItems/{id}/restore", WRITE_UNITS),
    ],
};

const READ_UNITS: &[&str] = &[
    "AdministrativeUnit.Read.All",
    "AdministrativeUnit.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
const WRITE_UNITS: &[&str] = &["AdministrativeUnit.ReadWrite.All"];
