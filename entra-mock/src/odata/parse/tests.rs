use super::*;

fn path(text: &str) -> Path {
    Path {
        scope: 0,
        segments: text.split('/').map(str::to_owned).collect(),
    }
}

fn eq(name: &str, value: &str) -> Box<Expr> {
    Box::new(Expr::Compare {
        path: path(name),
        op: Op::Eq,
        value: Literal::Text(value.into()),
    })
}

#[test]
fn and_binds_tighter_than_or_unless_bracketed() {
    let parsed = parse_filter("a eq '1' or b eq '2' and c eq '3'");
    assert_eq!(
        parsed,
        Ok(Expr::Or(
            eq("a", "1"),
            Box::new(Expr::And(eq("b", "2"), eq("c", "3")))
        ))
    );
    let parsed = parse_filter("(a eq '1' or b eq '2') and not (c eq '3')");
    let not = Box::new(Expr::Not(eq("c", "3")));
    assert_eq!(
        parsed,
        Ok(Expr::And(
            Box::new(Expr::Or(eq("a", "1"), eq("b", "2"))),
            not
        ))
    );
}

#[test]
fn literals_have_their_types() {
    for (text, literal) in [
        ("null", Literal::Null),
        ("true", Literal::Boolean(true)),
        ("NULL", Literal::Null),
        ("False", Literal::Boolean(false)),
        ("-5", Literal::Int(-5)),
        ("'O''Neil (x), y'", Literal::Text("O'Neil (x), y".into())),
        ("1970-01-01T00:00:01Z", Literal::Date(10_000_000)),
        (
            "00000003-0000-0000-C000-000000000000",
            Literal::Guid("00000003-0000-0000-c000-000000000000".into()),
        ),
        (
            "microsoft.graph.riskState'atRisk'",
            Literal::Text("atRisk".into()),
        ),
    ] {
        let parsed = parse_filter(&format!("p/q ne {text}"));
        assert_eq!(
            parsed,
            Ok(Expr::Compare {
                path: path("p/q"),
                op: Op::Ne,
                value: literal
            }),
            "{text}"
        );
    }
}

#[test]
fn operands_can_be_exchanged() {
    let parsed = parse_filter("5 lt size");
    assert_eq!(
        parsed,
        Ok(Expr::Compare {
            path: path("size"),
            op: Op::Gt,
            value: Literal::Int(5)
        })
    );
}

#[test]
fn function_names_are_case_insensitive() {
    let call = Expr::Call {
        function: Function::StartsWith,
        path: path("displayName"),
        value: "a".into(),
    };
    for text in [
        "startsWith(displayName,'a')",
        "startswith( displayName , 'a' ) eq true",
        "startswith(displayName,'a') ne false",
        "StartsWith (displayName,'a') EQ True",
        "STARTSWITH\t(displayName, 'a')",
    ] {
        assert_eq!(parse_filter(text).as_ref(), Ok(&call), "{text}");
    }
    assert_eq!(
        parse_filter("startswith(displayName,'a') eq false"),
        Ok(Expr::Not(Box::new(call)))
    );
    assert!(
        parse_filter("length(displayName) eq 3")
            .unwrap_err()
            .message
            .contains("unknown function with name 'length'")
    );
}

#[test]
fn lambdas_bind_their_variable() {
    let inner = Expr::Compare {
        path: Path {
            scope: 1,
            segments: vec!["skuId".into()],
        },
        op: Op::Eq,
        value: Literal::Text("x".into()),
    };
    let parsed = parse_filter("assignedLicenses/any(l:l/skuId eq 'x')");
    assert_eq!(
        parsed,
        Ok(Expr::Lambda {
            path: path("assignedLicenses"),
            all: false,
            body: Some(Box::new(inner))
        })
    );
    let own = Expr::Compare {
        path: Path {
            scope: 1,
            segments: vec![],
        },
        op: Op::Eq,
        value: Literal::Text("x".into()),
    };
    let parsed = parse_filter("NOT(tags/all(any:any eq 'x'))");
    let all = Expr::Lambda {
        path: path("tags"),
        all: true,
        body: Some(Box::new(own)),
    };
    assert_eq!(parsed, Ok(Expr::Not(Box::new(all))));
    assert_eq!(
        parse_filter("tags/any()"),
        Ok(Expr::Lambda {
            path: path("tags"),
            all: false,
            body: None
        })
    );
}

#[test]
fn lists_counts_and_boolean_properties_are_parsed() {
    let values = vec![Literal::Text("a".into()), Literal::Text("b,c".into())];
    assert_eq!(
        parse_filter("id in ('a', 'b,c')"),
        Ok(Expr::In {
            path: path("id"),
            values
        })
    );
    assert_eq!(
        parse_filter("owners/$count eq 0"),
        Ok(Expr::Count {
            path: path("owners"),
            op: Op::Eq,
            value: 0
        })
    );
    assert_eq!(
        parse_filter("accountEnabled"),
        Ok(Expr::Flag(path("accountEnabled")))
    );
}

#[test]
fn malformed_filters_return_400() {
    for text in [
        "",
        "displayName eq",
        "eq 'a'",
        "displayName eq 'a",
        "displayName eq 'a' and",
        "(displayName eq 'a'",
        "displayName eq 'a')",
        "displayName like 'a'",
        "id in ()",
        "id in ('a'",
        "tags/all()",
        "tags/any(x)",
        "a eq b",
        "startswith(displayName)",
        "startswith(displayName,5)",
        "'a' eq 'b'",
        "a//b eq 1",
        "a eq 'b' c eq 'd'",
        "é(",
    ] {
        let error = parse_filter(text).unwrap_err();
        assert_eq!(
            (error.status, error.code),
            (400, "Request_BadRequest"),
            "{text}"
        );
    }
    let deep = "(".repeat(5_000);
    assert!(parse_filter(&deep).is_err());
    assert!(parse_filter(&"not ".repeat(5_000)).is_err());
    assert!(parse_filter(&format!("a{}", " or a".repeat(5_000))).is_err());
}
