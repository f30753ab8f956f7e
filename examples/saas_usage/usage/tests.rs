use super::{
    samples::{at, facts, report, report_without_log},
    *,
};

fn app<'a>(report: &'a Report, app_id: &str) -> &'a AppUsage {
    report.apps.iter().find(|app| app.app_id == app_id).unwrap()
}

#[test]
fn a_user_assigned_twice_counts_once() {
    let report = report();
    let desk = app(&report, "app-desk");
    assert_eq!(desk.assigned, 3);
    assert_eq!(
        desk.users
            .iter()
            .filter(|user| user.name == "Adele")
            .count(),
        1
    );
}

#[test]
fn a_user_who_signs_in_without_an_assignment_is_active_but_not_idle() {
    let report = report();
    let desk = app(&report, "app-desk");
    assert_eq!(
        (desk.active, desk.idle, desk.unassigned()),
        (Some(2), Some(2), 1)
    );
    assert_eq!(
        desk.users.last().map(|user| (&*user.name, &user.via)),
        Some(("Adele", &Via::Direct))
    );
    assert!(
        desk.users
            .iter()
            .any(|user| user.name == "Dora" && user.via == Via::Unassigned)
    );
}

#[test]
fn the_last_successful_sign_in_wins_whatever_the_order() {
    let report = report();
    assert_eq!(app(&report, "app-desk").last_sign_in, Some(at(19, 8)));
}

#[test]
fn idle_users_come_first_with_the_group_they_are_assigned_through() {
    let report = report();
    let users: Vec<_> = app(&report, "app-desk")
        .users
        .iter()
        .map(|user| (&*user.name, user.via.clone()))
        .collect();
    assert_eq!(
        users,
        [
            ("Bert", Via::Group("Finance".to_owned())),
            ("Carla", Via::Group("Finance".to_owned())),
            ("Dora", Via::Unassigned),
            ("Adele", Via::Direct),
        ]
    );
}

#[test]
fn an_app_is_reported_for_an_assignment_a_sign_in_or_its_tag_only() {
    let listed = |facts: &Facts| {
        let mut ids: Vec<_> = Report::of(facts)
            .apps
            .into_iter()
            .map(|app| app.app_id)
            .collect();
        ids.sort();
        ids
    };
    let mut facts = facts();
    assert_eq!(listed(&facts), ["app-desk", "app-tried", "app-wiki"]);
    facts.apps[0].integrated = true;
    facts.apps[2].assignees = vec![Assignee::Application];
    assert_eq!(
        listed(&facts),
        ["app-desk", "app-silent", "app-tried", "app-wiki"]
    );
    facts.apps[2].assignees.clear();
    facts.sign_ins = None;
    assert_eq!(listed(&facts), ["app-desk", "app-silent"]);
}

#[test]
fn a_service_principal_is_an_assignment_but_not_a_user() {
    let report = report();
    assert_eq!(app(&report, "app-wiki").assigned, 1);
}

#[test]
fn totals_count_a_user_for_each_app_and_distinct_users_once() {
    let report = report();
    assert_eq!(
        report.totals(),
        Totals {
            assigned: 4,
            active: 2,
            idle: 3,
            unused_apps: 2
        }
    );
    assert_eq!((report.assigned_users, report.active_users), (3, Some(2)));
}

#[test]
fn without_a_log_its_figures_are_none() {
    let report = report_without_log();
    let desk = app(&report, "app-desk");
    assert_eq!(
        (desk.assigned, desk.active, desk.idle, desk.last_sign_in),
        (3, None, None, None)
    );
    assert_eq!(report.active_users, None);
    assert!(report.per_day.is_empty());
    assert_eq!(report.totals().unused_apps, 0);
    assert_eq!(report.notes().len(), 1);
}

#[test]
fn a_window_longer_than_the_log_is_cut_with_a_note() {
    let window = Window::ending(at(20, 12), 90);
    assert_eq!((window.days, window.is_cut()), (30, true));
    assert_eq!(window.not_seen(), "not seen in 30 days (interactive)");
    let report = Report::of(&Facts { window, ..facts() });
    assert!(
        report.notes()[0].starts_with("90 days were requested"),
        "{:?}",
        report.notes()
    );
    assert!(!Window::ending(at(20, 12), 7).is_cut());
}

#[test]
fn every_day_of_the_window_has_a_number() {
    let report = report();
    assert_eq!(report.per_day.len(), 31);
    let busy: Vec<_> = report
        .per_day
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(date, _)| date.day())
        .collect();
    assert_eq!(busy, [17, 18, 19]);
}

#[test]
fn a_name_found_later_is_stored() {
    let mut users = Users::default();
    let user = users.add("id", None);
    assert_eq!(users.name(user), "(name not visible)");
    assert_eq!(users.add("id", Some("Adele")), user);
    users.add("id", Some("Other"));
    assert_eq!(users.name(user), "Adele");
}

#[test]
fn users_that_are_not_shown_are_counted() {
    let mut facts = facts();
    let members = (0..USERS_SHOWN + 5)
        .map(|number| facts.users.add(&format!("extra-{number}"), Some("Extra")))
        .collect();
    facts.groups.insert(
        "many".to_owned(),
        Group {
            name: "Many".to_owned(),
            members,
        },
    );
    facts.apps[2]
        .assignees
        .push(Assignee::Group("many".to_owned()));
    let report = Report::of(&facts);
    let wiki = app(&report, "app-wiki");
    assert_eq!(
        (wiki.assigned, wiki.users.len(), wiki.users_total),
        (USERS_SHOWN + 6, USERS_SHOWN, USERS_SHOWN + 6)
    );
}

#[test]
fn limited_and_deleted_objects_get_a_note() {
    let report = Report::of(&Facts {
        gaps: Gaps {
            limited: 3,
            gone: 1,
        },
        ..facts()
    });
    let notes = report.notes();
    assert!(
        notes[0].starts_with("Microsoft Graph returned 3 objects with ID and type only"),
        "{notes:?}"
    );
    assert!(notes[1].starts_with("1 object was deleted"), "{notes:?}");
}

#[test]
fn apis_of_microsoft_and_the_reports_own_app_are_not_unused_apps() {
    let mut facts = facts();
    let before = Report::of(&facts).totals().unused_apps;
    facts.apps.push(App {
        app_id: "graph".to_owned(),
        name: "Microsoft Graph".to_owned(),
        is_microsoft: true,
        assignees: vec![Assignee::Application],
        ..App::default()
    });
    facts.apps.push(App {
        app_id: "own".to_owned(),
        name: "App usage report".to_owned(),
        integrated: true,
        ..App::default()
    });
    facts.own_app_id = Some("OWN".to_owned());
    let report = Report::of(&facts);
    assert_eq!(report.totals().unused_apps, before);
    let names: Vec<&str> = report.user_apps().map(AppUsage::name).collect();
    assert_eq!(names, ["Expense Desk", "Old <Wiki>", "Tried Once"]);
    assert!(
        report.notes()[0].starts_with("APIs of Microsoft"),
        "{:?}",
        report.notes()
    );

    // An app of Microsoft with users is an app like any other, and so is one of another owner without users.
    let user = facts.users.add("adele", None);
    facts.apps[4].assignees.push(Assignee::User(user));
    facts.own_app_id = None;
    assert_eq!(Report::of(&facts).user_apps().count(), 5);
}
