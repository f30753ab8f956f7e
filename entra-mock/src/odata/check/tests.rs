use super::*;
use crate::{odata::parse_filter, store::Kind};

fn check(kind: Kind, filter: &str, advanced: bool) -> Result<FilterUses, GraphError> {
    check_filter(
        kind.entity(),
        &parse_filter(filter).unwrap(),
        advanced,
        false,
    )
}

#[test]
fn basic_filters_of_users_are_accepted() {
    for filter in [
        "userPrincipalName eq 'a@contoso.com'",
        "startswith(displayName,'A') and accountEnabled eq true",
        "id in ('1','2')",
        "accountEnabled",
        "createdDateTime ge 2026-01-01T00:00:00Z or createdDateTime le 2020-01-01",
        "assignedLicenses/any(l:l/skuId eq 00000003-0000-0000-c000-000000000000)",
        "proxyAddresses/any(p:startswith(p,'smtp:'))",
        "identities/any(c:c/issuerAssignedId eq 'j' and c/issuer eq 'x')",
        "manager/id eq '1'",
        "signInActivity/lastSignInDateTime le 2026-01-01T00:00:00Z",
        "extension_0123456789abcdef0123456789abcdef_costCentre eq '5'",
    ] {
        assert!(
            check(Kind::User, filter, false).is_ok(),
            "{filter}: {:?}",
            check(Kind::User, filter, false)
        );
    }
}

#[test]
fn sixteen_alternatives_are_too_many_in_every_form_without_the_advanced_mode() {
    let alternatives = |count: usize, clause: &str| {
        let clauses: Vec<String> = (0..count).map(|_| clause.to_owned()).collect();
        clauses.join(" or ")
    };
    let values = |count: usize| vec!["'1'"; count].join(",");
    for (kind, start, clause, end) in [
        (Kind::User, "", "displayName eq '1'", ""),
        (Kind::User, "otherMails/any(x:", "x eq '1'", ")"),
        (Kind::User, "displayName in (", "", ")"),
        (Kind::User, "otherMails/any(x:x in (", "", "))"),
        (Kind::User, "accountEnabled eq true and (", "id eq '1'", ")"),
        (Kind::SignIn, "", "userPrincipalName eq '1'", ""),
        (Kind::SignIn, "userPrincipalName in (", "", ")"),
        (
            Kind::DirectoryAudit,
            "targetResources/any(t:",
            "t/id eq '1'",
            ")",
        ),
    ] {
        let filter = |count: usize| {
            let inner = match clause {
                "" => values(count),
                _ => alternatives(count, clause),
            };
            format!("{start}{inner}{end}")
        };
        let fifteen = check(kind, &filter(15), false);
        assert!(fifteen.is_ok(), "{}: {fifteen:?}", filter(15));
        let error = check(kind, &filter(16), false).unwrap_err();
        assert!(
            error.message.starts_with("Too many child clauses"),
            "{error:?}"
        );
        let has_advanced_mode = kind.entity().directory;
        let advanced = check(kind, &filter(16), true);
        assert_eq!(advanced.is_ok(), has_advanced_mode, "{}", filter(16));
    }
}

#[test]
fn advanced_operators_need_the_header_and_the_count() {
    for (kind, filter, operator) in [
        (Kind::User, "endswith(mail,'x')", "endsWith"),
        (Kind::User, "userType ne 'Guest'", "ne"),
        (Kind::User, "not startswith(displayName,'A')", "not"),
        (Kind::User, "jobTitle eq null", "eq"),
        (Kind::User, "companyName eq 'x'", "eq"),
        (Kind::User, "companyName in ('x')", "in"),
        (Kind::Group, "description eq 'x'", "eq"),
        (Kind::Application, "owners/$count eq 0", "$count"),
        (Kind::User, "assignedLicenses/$count ne 0", "$count"),
        (
            Kind::User,
            "onPremisesExtensionAttributes/extensionAttribute15 eq 'x'",
            "eq",
        ),
        (Kind::User, "otherMails/any(m:endswith(m,'x'))", "endsWith"),
    ] {
        assert_eq!(
            check(kind, filter, false),
            Err(GraphError::needs_advanced(operator)),
            "{filter}"
        );
        assert!(
            check(kind, filter, true).is_ok(),
            "{filter}: {:?}",
            check(kind, filter, true)
        );
    }
}

#[test]
fn unfilterable_properties_are_rejected_in_any_mode() {
    for (kind, filter, property) in [
        (Kind::User, "aboutMe eq 'x'", "aboutMe"),
        (Kind::User, "endswith(displayName,'x')", "displayName"),
        (Kind::User, "contains(displayName,'x')", "displayName"),
        (
            Kind::User,
            "createdDateTime gt 2026-01-01T00:00:00Z",
            "createdDateTime",
        ),
        (
            Kind::User,
            "onPremisesExtensionAttributes/extensionAttribute16 eq 'x'",
            "onPremisesExtensionAttributes/extensionAttribute16",
        ),
        (Kind::User, "businessPhones eq 'x'", "businessPhones"),
        (
            Kind::User,
            "licenseAssignmentStates/any(l:l/state eq 'x')",
            "licenseAssignmentStates",
        ),
        (Kind::User, "owners/$count eq 0", "owners"),
        (Kind::Group, "members/$count eq 7", "members"),
        (Kind::SubscribedSku, "skuPartNumber eq 'x'", "skuPartNumber"),
        (Kind::SignIn, "userAgent eq 'x'", "userAgent"),
        (Kind::SignIn, "createdDateTime eq null", "createdDateTime"),
    ] {
        let error = check(kind, filter, true).unwrap_err();
        if property == "owners" {
            assert_eq!(error.status, 400);
            continue;
        }
        assert_eq!(
            error,
            GraphError::filter_clause(property, &kind.entity().title()),
            "{filter}"
        );
    }
}

#[test]
fn unknown_names_are_a_bad_request() {
    for (kind, filter) in [
        (Kind::User, "colour eq 'x'"),
        (Kind::Group, "userPrincipalName eq 'x'"),
        (Kind::SignIn, "extension_x eq 'x'"),
        (Kind::User, "colours/any(c:c eq 'x')"),
    ] {
        let error = check(kind, filter, true).unwrap_err();
        assert_eq!(error.code, "Request_BadRequest", "{filter}");
        assert!(
            error.message.contains("Could not find a property named"),
            "{filter}"
        );
    }
}

#[test]
fn literals_must_have_the_type_of_the_property() {
    for (kind, filter) in [
        (Kind::User, "accountEnabled eq 'true'"),
        (Kind::User, "displayName eq 5"),
        (Kind::User, "displayName eq true"),
        (Kind::User, "createdDateTime ge '2026-01-01T00:00:00Z'"),
        (Kind::User, "id eq 00000003-0000-0000-c000-000000000000"),
        (Kind::User, "startswith(createdDateTime,'2026')"),
        (Kind::User, "id in ('1',2)"),
        (Kind::AppRoleAssignment, "resourceId eq 'x'"),
        (Kind::SignIn, "status/errorCode eq '0'"),
        (Kind::User, "displayName"),
    ] {
        let error = check(kind, filter, true).unwrap_err();
        assert_eq!(error.status, 400, "{filter}");
    }
}

#[test]
fn logs_reject_advanced_queries() {
    for filter in [
        "createdDateTime ge 2026-01-01T00:00:00Z and createdDateTime le 2026-01-02T00:00:00Z",
        "startswith(appDisplayName,'Ex')",
        "status/errorCode eq 0",
        "userId eq '1' or appId eq '2'",
        "riskEventTypes_v2/any(r:startswith(r,'un'))",
    ] {
        assert!(check(Kind::SignIn, filter, false).is_ok(), "{filter}");
    }
    for filter in [
        "status/errorCode ne 0",
        "not startswith(appDisplayName,'Ex')",
    ] {
        assert_eq!(
            check(Kind::SignIn, filter, true).unwrap_err().code,
            "Request_UnsupportedQuery",
            "{filter}"
        );
    }
    let filter = "initiatedBy/user/id eq '1' and targetResources/any(t:t/id eq '2') and activityDateTime ge 2026-01-01";
    assert!(check(Kind::DirectoryAudit, filter, false).is_ok());
}

#[test]
fn sixteen_alternatives_are_too_many_for_a_basic_query() {
    let list = |count: usize| {
        let ids: Vec<_> = (0..count).map(|id| format!("'{id}'")).collect();
        format!("id in ({})", ids.join(","))
    };
    assert!(check(Kind::User, &list(15), false).is_ok());
    assert!(
        check(Kind::User, &list(16), false)
            .unwrap_err()
            .message
            .contains("Max allowed: 15")
    );
    assert!(check(Kind::User, &list(16), true).is_ok());
    let chain: Vec<_> = (0..16).map(|id| format!("id eq '{id}'")).collect();
    assert!(check(Kind::User, &chain.join(" or "), false).is_err());
}

#[test]
fn the_properties_a_filter_uses_are_reported() {
    let uses = check(
        Kind::User,
        "startswith(displayName,'a') and (mail eq 'b' or displayName eq 'c')",
        false,
    )
    .unwrap();
    assert_eq!(uses.properties, ["displayName", "mail"]);
}
