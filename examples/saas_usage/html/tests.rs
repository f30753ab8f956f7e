use super::{super::usage::samples, *};

/// The document after its head.
fn body(page: &str) -> &str {
    page.split_once("</head>")
        .unwrap()
        .1
        .strip_suffix("</html>\n")
        .unwrap()
}

/// Asserts that all elements are closed, in order.
fn assert_well_formed(page: &str) {
    let mut open = Vec::new();
    for part in body(page).split('<').skip(1) {
        let (tag, _) = part.split_once('>').unwrap();
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "in {open:?}");
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap());
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

#[test]
fn the_page_is_well_formed_with_and_without_a_log() {
    for report in [samples::report(), samples::report_without_log()] {
        assert_well_formed(&page(&report, 3));
    }
}

#[test]
fn texts_of_the_tenant_are_escaped() {
    let evil = "\"><script>alert('x')</script>&\u{202e}";
    let mut report = samples::report();
    report.tenant_name = evil.to_owned();
    report.tenant_id = evil.to_owned();
    for app in &mut report.apps {
        app.name = evil.to_owned();
        app.app_id = evil.to_owned();
        app.publisher = Some(evil.to_owned());
        for user in &mut app.users {
            user.name = evil.to_owned();
            user.via = Via::Group(evil.to_owned());
        }
    }
    let page = page(&report, 3);
    for forbidden in ["<script", "alert('x')", "\u{202e}"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert_well_formed(&page);
}

#[test]
fn the_page_needs_no_network_and_no_script() {
    let page = page(&samples::report(), 3);
    for forbidden in [
        "http://", "https://", "url(", "@import", "src=", "href=", "<script",
    ] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn each_chart_has_a_title_and_a_description() {
    let page = page(&samples::report(), 3);
    assert_eq!(page.matches("<svg").count(), 4);
    for svg in page.split("<svg").skip(1) {
        let (svg, _) = svg.split_once("</svg>").unwrap();
        let ids = svg
            .split_once("aria-labelledby=\"")
            .unwrap()
            .1
            .split_once('"')
            .unwrap()
            .0;
        for id in ids.split(' ') {
            assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
        }
        assert!(svg.contains("<title") && svg.contains("<desc"), "{svg}");
    }
}

#[test]
fn a_user_without_a_sign_in_is_not_called_never_seen() {
    let page = page(&samples::report(), 3);
    assert!(page.contains("not seen in 30 days (interactive)"));
    assert!(!body(&page).contains("never"));
}

#[test]
fn without_a_log_the_page_has_one_note_and_no_zeros() {
    let page = page(&samples::report_without_log(), 3);
    assert_eq!(page.matches("no Entra ID P1").count(), 1);
    assert!(!page.contains("not seen in"));
    assert_eq!(page.matches("unknown without a sign-in log").count(), 2);
}

#[test]
fn a_tenant_without_apps_has_a_page() {
    let facts = super::super::usage::Facts {
        apps: Vec::new(),
        ..samples::facts()
    };
    let page = page(&Report::of(&facts), 3);
    assert_well_formed(&page);
    assert!(page.contains("Total, 0 apps"));
}
