use super::*;

fn parse(path: &str) -> Option<Route> {
    Route::parse(path).unwrap()
}

fn root(path: &str) -> Root {
    parse(path).unwrap().root
}

fn object(kind: Kind, property: Option<&'static str>, value: &str) -> Root {
    Root::Object(
        kind,
        ObjectKey {
            property,
            value: value.into(),
        },
    )
}

const ID: &str = "00000003-0000-0000-c000-000000000000";

#[test]
fn objects_are_addressed_by_key_in_every_form() {
    assert_eq!(root("/users/a%40b.c"), object(Kind::User, None, "a@b.c"));
    assert_eq!(root("/users/a+x@b.c"), object(Kind::User, None, "a+x@b.c"));
    assert_eq!(
        root("/Users('$o''x%40b.c')"),
        object(Kind::User, None, "$o'x@b.c")
    );
    assert_eq!(
        root("/applications(appId='x')"),
        object(Kind::Application, Some("appId"), "x")
    );
    assert_eq!(
        root("/servicePrincipals(appid='x')/owners"),
        object(Kind::ServicePrincipal, Some("appId"), "x")
    );
    assert_eq!(
        root("/devices(deviceId='x')"),
        object(Kind::Device, Some("deviceId"), "x")
    );
    assert_eq!(
        root("/users(userPrincipalName='a@b')"),
        object(Kind::User, Some("userPrincipalName"), "a@b")
    );
    assert_eq!(
        root(&format!("/directoryObjects/{ID}")),
        Root::Any(ID.into())
    );
}

#[test]
fn lists_counts_casts_and_single_relationships_are_distinguished() {
    let target = |path: &str| parse(&format!("/groups/{ID}{path}")).map(|route| route.target);
    assert!(matches!(target(""), Some(Target::Object)));
    assert!(matches!(
        target("/members"),
        Some(Target::List {
            relationship: Some(_),
            cast: None
        })
    ));
    assert!(matches!(
        target("/members/$count"),
        Some(Target::Count { cast: None, .. })
    ));
    assert!(matches!(
        target("/members/microsoft.graph.user"),
        Some(Target::List {
            cast: Some(Kind::User),
            ..
        })
    ));
    assert!(matches!(
        target("/members/graph.device/$count"),
        Some(Target::Count {
            cast: Some(Kind::Device),
            ..
        })
    ));
    assert!(matches!(
        parse("/users/x/manager").unwrap().target,
        Target::Related { id: None, .. }
    ));
    assert!(matches!(
        parse("/users/$count").unwrap().target,
        Target::Count {
            relationship: None,
            ..
        }
    ));
    assert!(matches!(
        parse("/auditLogs/signIns").unwrap().root,
        Root::Set(Kind::SignIn)
    ));
}

#[test]
fn names_in_paths_are_case_insensitive() {
    for (path, other) in [
        ("/users/$count", "/USERS/$Count"),
        (
            "/users/x/memberOf/microsoft.graph.group",
            "/USERS/x/MEMBEROF/Microsoft.Graph.Group",
        ),
        (
            "/users/x/memberOf/graph.group/$count",
            "/users/x/memberof/Graph.GROUP/$COUNT",
        ),
        ("/users/x/manager/$ref", "/users/x/Manager/$Ref"),
        ("/users/x/photo/$value", "/users/x/PHOTO/$VALUE"),
        ("/users/delta", "/users/Microsoft.Graph.Delta()"),
        (
            "/directoryObjects/delta",
            "/DirectoryObjects/microsoft.graph.DELTA()",
        ),
        (
            "/directory/deletedItems/microsoft.graph.user",
            "/Directory/DELETEDITEMS/Graph.User",
        ),
        (
            "/users/x/checkMemberGroups",
            "/users/x/microsoft.Graph.CHECKMEMBERGROUPS",
        ),
        (
            "/users/x/revokeSignInSessions",
            "/users/x/Microsoft.Graph.RevokeSigninSessions",
        ),
        (
            "/directoryObjects/getByIds",
            "/DirectoryObjects/microsoft.GRAPH.GETBYIDS",
        ),
        ("/auditLogs/signIns", "/AuditLogs/SIGNINS"),
        (
            "/directory/administrativeUnits",
            "/DIRECTORY/AdministrativeUnits",
        ),
        (
            "/roleManagement/directory/roleDefinitions",
            "/RoleManagement/Directory/ROLEDEFINITIONS",
        ),
    ] {
        let expected = parse(path);
        assert!(expected.is_some(), "{path}");
        assert_eq!(parse(other), expected, "{other}");
    }
    // A key keeps its letters.
    assert_eq!(root("/users('$Count')"), object(Kind::User, None, "$Count"));
}

#[test]
fn unsupported_paths_are_not_parsed() {
    for path in [
        "",
        "/",
        "/sites",
        "/organization/delta",
        "/organization/delta()",
        "/groups/getByIds",
        "/users/x/messages",
        "/users/x/displayName",
        "/users/x/manager/manager",
        "/auditLogs",
        "/auditLogs/customSecurityAttributeAudits",
        "/users/x/memberOf/y",
        "/users(other='x')",
        "/users('x'",
        "/users/x/memberOf/microsoft.graph.contract",
        "/$metadata",
        "/users/x/$ref",
        "/directoryObjects",
        "/me/messages",
        "/users/x/memberOf/$ref",
    ] {
        assert_eq!(parse(path), None, "{path}");
    }
}

#[test]
fn malformed_ids_are_a_400() {
    let error = Route::parse("/groups/sales").unwrap_err();
    assert_eq!(error.message, "Invalid object identifier 'sales'.");
    assert!(Route::parse("/users/%zz").is_err());
}

#[test]
fn me_needs_a_signed_in_user() {
    let route = parse("/me/memberOf").unwrap();
    let error = route.clone().resolve_me(&Caller::default()).unwrap_err();
    assert_eq!((error.status, error.code), (400, "BadRequest"));
    let caller = Caller {
        user_id: Some("u".into()),
        ..Caller::default()
    };
    assert_eq!(
        route.resolve_me(&caller).unwrap().root,
        object(Kind::User, Some("id"), "u")
    );
}
