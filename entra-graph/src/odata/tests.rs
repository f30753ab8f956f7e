use entra_core::{ClientId, Guid, Timestamp};
use proptest::prelude::*;

use super::{Described, Filter, Level, Operator, Property, ReadOnly, Support, literal::quoted};
use crate::objects::{
    Application, FederatedIdentityCredential, User,
    types::{
        AssignedLicense, AssignedPlan, OnPremisesExtensionAttributes, RequiredResourceAccess,
        WebApplication,
    },
};

fn level(filter: &Filter<User>) -> Level {
    filter.node.level(&User::INFO).unwrap()
}

#[test]
fn a_support_row_reads_as_it_is_written() {
    let support = Support::parse("eq startsWith null+ orderby search");
    assert_eq!(support.level(Operator::Eq), Level::Basic);
    assert_eq!(support.level(Operator::Null), Level::Advanced);
    assert_eq!(support.level(Operator::Ge), Level::No);
    assert_eq!(support.level(Operator::OrderBy), Level::Basic);
    assert_eq!(support.to_string(), "eq, startsWith, null");
    assert_eq!(Support::NONE.to_string(), "none");
}

#[test]
fn filters_are_written_as_graph_reads_them() {
    let id: Guid = "0118a350-71fc-4ec3-8f0c-6a1cb8867561".parse().unwrap();
    let time = Timestamp::from_unix_timestamp(1_767_225_600).unwrap();
    let table = [
        (User::DISPLAY_NAME.eq("O'Neil"), "displayName eq 'O''Neil'"),
        (
            User::ID.eq(ClientId::from(id)),
            "id eq '0118a350-71fc-4ec3-8f0c-6a1cb8867561'",
        ),
        (
            User::CREATED_DATE_TIME.ge(time),
            "createdDateTime ge 2026-01-01T00:00:00Z",
        ),
        (User::CITY.is_in(["a", "b'"]), "city in ('a','b''')"),
        (User::CITY.is_null(), "city eq null"),
        (User::CITY.is_not_null(), "city ne null"),
        (User::MAIL.ends_with("@x"), "endswith(mail,'@x')"),
        (
            User::ASSIGNED_LICENSES.is_empty(),
            "assignedLicenses/$count eq 0",
        ),
        (
            User::ASSIGNED_LICENSES.is_not_empty(),
            "assignedLicenses/$count ne 0",
        ),
        (
            User::ASSIGNED_LICENSES.any(|one| one.path(AssignedLicense::SKU_ID).eq(id)),
            "assignedLicenses/any(x:x/skuId eq 0118a350-71fc-4ec3-8f0c-6a1cb8867561)",
        ),
        (
            User::ASSIGNED_PLANS.any(|plan| {
                plan.path(AssignedPlan::SERVICE)
                    .eq("exchange")
                    .and(plan.path(AssignedPlan::CAPABILITY_STATUS).eq("Enabled"))
            }),
            "assignedPlans/any(x:x/service eq 'exchange' and x/capabilityStatus eq 'Enabled')",
        ),
        (
            User::ON_PREMISES_EXTENSION_ATTRIBUTES
                .path(OnPremisesExtensionAttributes::EXTENSION_ATTRIBUTE15)
                .eq("x"),
            "onPremisesExtensionAttributes/extensionAttribute15 eq 'x'",
        ),
        (
            User::CITY
                .eq("a")
                .or(User::CITY.eq("b"))
                .and(User::STATE.eq("c")),
            "(city eq 'a' or city eq 'b') and state eq 'c'",
        ),
        (
            User::CITY
                .eq("a")
                .and(User::CITY.eq("b"))
                .or(User::STATE.eq("c")),
            "city eq 'a' and city eq 'b' or state eq 'c'",
        ),
        (
            !(User::CITY.eq("a").and(User::STATE.eq("b"))),
            "not(city eq 'a' and state eq 'b')",
        ),
        (
            Filter::raw("a eq 1 or b eq 2").and(User::CITY.eq("c")),
            "(a eq 1 or b eq 2) and city eq 'c'",
        ),
    ];
    for (filter, expected) in table {
        assert_eq!(filter.to_string(), expected);
        level(&filter);
    }
}

#[test]
fn any_filters_a_collection_inside_of_a_property() {
    let redirect_uris = Application::WEB.path(WebApplication::REDIRECT_URIS);
    let apis = Application::REQUIRED_RESOURCE_ACCESS;
    for (filter, expected) in [
        (
            redirect_uris.any(|uri| uri.starts_with("http://localhost")),
            "web/redirectUris/any(x:startswith(x,'http://localhost'))",
        ),
        (
            apis.any(|api| api.path(RequiredResourceAccess::RESOURCE_APP_ID).eq("a")),
            "requiredResourceAccess/any(x:x/resourceAppId eq 'a')",
        ),
    ] {
        assert_eq!(filter.to_string(), expected);
        let level = filter
            .node
            .level(&<Application as Described>::INFO)
            .unwrap();
        assert_eq!(level, Level::Advanced);
    }
}

#[test]
fn ids_without_a_documented_filter_are_not_filtered_by() {
    fn rejected<E: Described>(id: &Property<E, String, ReadOnly>) {
        for filter in [id.eq("a"), id.is_in(["a", "b"])] {
            let error = filter.node.level(&E::INFO).unwrap_err().to_string();
            assert!(error.contains("is not supported on id of"), "{error}");
        }
    }
    rejected(&FederatedIdentityCredential::ID);
    rejected(&crate::objects::beta::FederatedIdentityCredential::ID);
    #[cfg(feature = "application-templates")]
    rejected(&crate::objects::ApplicationTemplate::ID);
    #[cfg(feature = "authentication-methods")]
    rejected(&crate::objects::UserRegistrationDetails::ID);
    #[cfg(feature = "role-management")]
    rejected(&crate::objects::UnifiedRoleAssignment::ID);
}

#[test]
fn a_range_variable_is_rejected_outside_of_its_any() {
    let redirect_uris = Application::WEB.path(WebApplication::REDIRECT_URIS);
    let other_collection = Application::TAGS.any(|_| {
        let mut escaped = None;
        let _ = redirect_uris.any(|uri| {
            escaped = Some(uri.eq("a"));
            uri.eq("b")
        });
        escaped.unwrap()
    });
    let no_collection = Application::TAGS.any(|_| Application::APP_ID.eq("a"));
    for filter in [other_collection, no_collection] {
        let error = filter
            .node
            .level(&<Application as Described>::INFO)
            .unwrap_err();
        assert!(error.to_string().contains("outside"), "{error}");
    }
}

#[test]
fn a_list_of_values_of_an_attribute_that_can_have_several_stays_whole() {
    let halves = |name: &'static str| {
        let property: Property<User, String> = Property::custom(name);
        let filter = property.is_in(["Baker", "Cascade", "baker"]);
        let halves = filter.node.halves()?;
        Some((halves.0.to_string(), halves.1.to_string()))
    };
    assert_eq!(halves("customSecurityAttributes/Engineering/Project"), None);
    let (one, other) = halves("department").unwrap();
    assert_eq!(one, "department in ('Baker')");
    assert_eq!(other, "department in ('Cascade')");
}

#[test]
fn the_mode_follows_from_what_is_in_the_filter() {
    assert_eq!(level(&User::CITY.eq("a")), Level::Basic);
    assert_eq!(
        level(&User::CITY.eq("a").and(User::MAIL.ends_with("b"))),
        Level::Advanced
    );
    assert_eq!(
        level(&User::CITY.eq("a".repeat(120))),
        Level::Advanced,
        "longer with its quotes"
    );
    let long = "a".repeat(130);
    for (values, expected) in [
        (["a", "b"], Level::Basic),
        ([long.as_str(), "b"], Level::Advanced),
        (["a", long.as_str()], Level::Advanced),
    ] {
        assert_eq!(level(&User::MAIL.is_in(values)), expected, "{values:?}");
    }
    assert_eq!(level(&Filter::raw_advanced("x")), Level::Advanced);
}

proptest! {
    /// A reader that knows only the doubling rule gets the text back, and nothing after it.
    #[test]
    fn a_quote_in_a_value_is_escaped(text in ".*") {
        let literal = quoted(&text);
        let inner = literal.strip_prefix('\'').unwrap();
        let mut read = String::new();
        let mut characters = inner.chars().peekable();
        loop {
            match characters.next() {
                Some('\'') if characters.peek() == Some(&'\'') => {
                    characters.next();
                    read.push('\'');
                }
                Some('\'') => break,
                Some(other) => read.push(other),
                None => prop_assert!(false, "the literal has no end"),
            }
        }
        prop_assert_eq!(characters.next(), None);
        prop_assert_eq!(read, text);
    }

    /// Whatever the value, a server that decodes percent signs reads the filter that was meant.
    #[test]
    fn a_filter_survives_percent_encoding(text in ".*") {
        let filter = User::CITY.eq(text.as_str());
        let mut query = super::Query::default();
        query.and_filter(filter.node.clone());
        let url = entra_core::url::Url::parse("https://graph.example.com/v1.0/users").unwrap();
        prop_assume!(text.len() < 100);
        let url = query.list(url, &User::INFO).unwrap().url;
        prop_assert_eq!(url.fragment(), None);
        let options: Vec<(String, String)> = url
            .query_pairs()
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        prop_assert_eq!(&options[0].0, "$filter");
        prop_assert_eq!(&options[0].1, &filter.to_string());
    }
}
