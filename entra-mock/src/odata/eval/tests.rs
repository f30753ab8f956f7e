use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::odata::parse_filter;

struct NoDerivedValues;

impl DerivedValues for NoDerivedValues {
    fn derived(&self, _: &Object, name: &str) -> Option<Value> {
        (name == "manager").then(|| json!({"id": "boss"}))
    }

    fn related(&self, _: &Object, relationship: &str) -> usize {
        usize::from(relationship == "owners")
    }
}

fn holds(filter: &str, object: &Value) -> bool {
    matches(
        &parse_filter(filter).unwrap(),
        &Object::from(object.as_object().cloned().unwrap()),
        &NoDerivedValues,
    )
}

#[test]
fn operators_compare_as_graph_does() {
    let user = json!({
        "displayName": "Adele", "accountEnabled": true, "createdDateTime": "2026-01-02T00:00:00Z", "size": 3,
        "name": {"first": "Ä"}, "tags": ["Red", "blue"], "licenses": [{"sku": "AB"}, {"sku": "CD", "plans": ["x"]}]
    });
    for (filter, expected) in [
        ("displayName eq 'ADELE'", true),
        ("displayName ne 'adele'", false),
        ("startswith(displayName,'ad')", true),
        ("endswith(displayName,'LE')", true),
        ("contains(displayName,'del')", true),
        ("contains(displayName,'')", true),
        ("startswith(displayName,'adeles')", false),
        ("name/first eq 'ä'", true),
        ("startswith(name/first,'ä')", true),
        ("name/last eq null", true),
        ("name/last ne 'x'", true),
        ("missing eq null and missing ne 'x'", true),
        ("displayName eq null", false),
        ("displayName ne null", true),
        ("startswith(missing,'')", false),
        ("accountEnabled", true),
        ("missing", false),
        ("accountEnabled eq false", false),
        ("size ge 3 and size le 3 and size gt 2 and size lt 4", true),
        ("missing ge 3 or missing le 3", false),
        ("not (missing ge 3) and not (missing le 3)", true),
        ("createdDateTime ge 2026-01-02T02:00:00+02:00", true),
        ("createdDateTime gt 2026-01-02", false),
        ("displayName in ('x','adele')", true),
        ("displayName in ('x')", false),
        ("missing in (null)", true),
        ("tags/any(t:t eq 'RED')", true),
        ("tags/all(t:t eq 'RED')", false),
        ("tags/any()", true),
        ("missing/any()", false),
        ("missing/all(t:t eq 'x')", true),
        (
            "licenses/any(l:l/sku eq 'ab' and l/plans/any(p:p eq 'x'))",
            false,
        ),
        (
            "licenses/any(l:l/sku eq 'cd' and l/plans/any(p:p eq 'x'))",
            true,
        ),
        (
            "licenses/any(l:l/sku eq 'cd' and displayName eq 'adele')",
            true,
        ),
        ("tags/$count eq 2", true),
        ("owners/$count eq 1", true),
        ("members/$count eq 0", true),
        ("manager/id eq 'BOSS'", true),
        (
            "not (displayName eq 'x') and not startswith(missing,'x')",
            true,
        ),
    ] {
        assert_eq!(holds(filter, &user), expected, "{filter}");
    }
}

/// The same logic without a tree: one property and plain string operations.
fn oracle(field: Option<&str>, op: &str, value: &str) -> bool {
    let field = field.map(str::to_lowercase);
    let value = value.to_lowercase();
    match (op, field) {
        ("ne", field) => field != Some(value),
        (_, None) => false,
        ("eq", Some(field)) => field == value,
        ("ge", Some(field)) => field >= value,
        ("le", Some(field)) => field <= value,
        ("startswith", Some(field)) => field.starts_with(&value),
        ("endswith", Some(field)) => field.ends_with(&value),
        (_, Some(field)) => field.contains(&value),
    }
}

fn clause(property: &str, op: &str, value: &str) -> String {
    let value = value.replace('\'', "''");
    match op {
        "startswith" | "endswith" | "contains" => format!("{op}({property},'{value}')"),
        _ => format!("{property} {op} '{value}'"),
    }
}

proptest! {
    #[test]
    fn evaluation_agrees_with_a_naive_oracle(
        a in proptest::option::of("[a-cA-C'ä ]{0,3}"),
        b in proptest::option::of("[a-cA-C'ä ]{0,3}"),
        first in "[a-cA-C'ä ]{0,3}",
        second in "[a-cA-C'ä ]{0,3}",
        op_first in prop::sample::select(vec!["eq", "ne", "ge", "le", "startswith", "endswith", "contains"]),
        op_second in prop::sample::select(vec!["eq", "ne", "ge", "le", "startswith", "endswith", "contains"]),
        shape in 0..4,
    ) {
        let mut object = Object::new();
        for (name, value) in [("a", &a), ("b", &b)] {
            if let Some(value) = value {
                object.insert(name.into(), json!(value));
            }
        }
        let (x, y) = (oracle(a.as_deref(), op_first, &first), oracle(b.as_deref(), op_second, &second));
        let (left, right) = (clause("a", op_first, &first), clause("b", op_second, &second));
        let (filter, expected) = match shape {
            0 => (format!("{left} and {right}"), x && y),
            1 => (format!("{left} or {right}"), x || y),
            2 => (format!("not ({left}) and {right}"), !x && y),
            _ => (format!("({left} or {right}) and not ({left} and {right})"), x != y),
        };
        prop_assert_eq!(matches(&parse_filter(&filter).unwrap(), &object, &NoDerivedValues), expected, "{}", filter);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[ a-z'()/$,:0-9é-]{0,40}") {
        let _ = parse_filter(&text);
    }

    #[test]
    fn lambdas_agree_with_iterators(values in proptest::collection::vec("[ab]{0,2}", 0..4), wanted in "[ab]{0,2}") {
        let object = json!({"tags": values});
        let any = values.contains(&wanted);
        let all = values.iter().all(|value| *value == wanted);
        prop_assert_eq!(holds(&format!("tags/any(t:t eq '{wanted}')"), &object), any);
        prop_assert_eq!(holds(&format!("tags/all(t:t eq '{wanted}')"), &object), all);
    }
}
