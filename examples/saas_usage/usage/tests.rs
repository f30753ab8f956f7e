use super::{
    samples::{at, facts, report, report_without_log},
    *,
};

fn app<'a>(report: &'a Report, app_id: &str) -> &'a AppUsage {
    report.apps.iter().find(|app| app.app_id == app_id).unwrap()
}

#[test]
fn a_person_assigned_twice_counts_once() {
    let report = report();
    let desk = app(&report, "app-desk");
    assert_eq!(desk.assigned, 3);
    assert_eq!(
        desk.people
            .iter()
            .filter(|person| person.name == "Adele")
            .count(),
        1
    );
}

#[test]
fn somebody_who_signs_in_without_an_assignment_is_active_but_not_idle() {
    let report = report();
    let desk = app(&report, "app-desk");
    assert_eq!(
        (desk.active, desk.idle, desk.unassigned()),
        (Some(2), Some(2), 1)
    );
    assert_eq!(
        desk.people
            .last()
            .map(|person| (&*person.name, &person.via)),
        Some(("Adele", &Via::Direct))
    );
    assert!(
        desk.people
            .iter()
            .any(|person| person.name == "Dora" && person.via == Via::Unassigned)
    );
}

#[test]
fn the_last_successful_sign_in_wins_whatever_the_order() {
    let report = report();
    assert_eq!(app(&report, "app-desk").last_sign_in, Some(at(19, 8)));
}

#[test]
fn idle_people_come_first_and_say_through_which_group_they_are_assigned() {
    let report = report();
    let people: Vec<_> = app(&report, "app-desk")
        .people
        .iter()
        .map(|person| (&*person.name, person.via.clone()))
        .collect();
    assert_eq!(
        people,
        [
            ("Bert", Via::Group("Finance".to_owned())),
            ("Carla", Via::Group("Finance".to_owned())),
            ("Dora", Via::Unassigned),
            ("Adele", Via::Direct),
        ]
    );
}

#[test]
fn an_app_is_reported_for_an_assignment_a_sign_in_or_its_tag_and_for_nothing_else() {
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
    facts.apps[2].assignees = vec![Assignee::NotAPerson];
    assert_eq!(
        listed(&facts),
        ["app-desk", "app-silent", "app-tried", "app-wiki"]
    );
    facts.apps[2].assignees.clear();
    facts.sign_ins = None;
    assert_eq!(listed(&facts), ["app-desk", "app-silent"]);
}

#[test]
fn service_principals_are_an_assignment_but_not_a_person() {
    let report = report();
    assert_eq!(app(&report, "app-wiki").assigned, 1);
}

#[test]
fn sums_count_a_person_for_each_app_and_people_once() {
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
    assert_eq!((report.assigned_people, report.active_people), (3, Some(2)));
}

#[test]
fn without_a_log_nothing_is_guessed() {
    let report = report_without_log();
    let desk = app(&report, "app-desk");
    assert_eq!(
        (desk.assigned, desk.active, desk.idle, desk.last_sign_in),
        (3, None, None, None)
    );
    assert_eq!(report.active_people, None);
    assert!(report.per_day.is_empty());
    assert_eq!(report.totals().unused_apps, 0);
    assert_eq!(report.notes().len(), 1);
}

#[test]
fn a_longer_window_than_the_log_keeps_is_cut_and_said() {
    let window = Window::ending(at(20, 12), 90);
    assert_eq!((window.days, window.is_cut()), (30, true));
    assert_eq!(window.not_seen(), "not seen in 30 days (interactive)");
    let report = Report::of(&Facts { window, ..facts() });
    assert!(
        report.notes()[0].starts_with("90 days were asked for"),
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
fn a_name_seen_later_is_kept() {
    let mut people = People::default();
    let person = people.add("id", None);
    assert_eq!(people.name(person), "(name not visible)");
    assert_eq!(people.add("id", Some("Adele")), person);
    people.add("id", Some("Other"));
    assert_eq!(people.name(person), "Adele");
}

#[test]
fn people_beyond_the_shown_ones_are_counted_all_the_same() {
    let mut facts = facts();
    let members = (0..PEOPLE_SHOWN + 5)
        .map(|number| facts.people.add(&format!("extra-{number}"), Some("Extra")))
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
        (wiki.assigned, wiki.people.len(), wiki.people_total),
        (PEOPLE_SHOWN + 6, PEOPLE_SHOWN, PEOPLE_SHOWN + 6)
    );
}

#[test]
fn what_came_back_limited_or_vanished_is_said() {
    let report = Report::of(&Facts {
        gaps: Gaps {
            limited: 3,
            gone: 1,
        },
        ..facts()
    });
    let notes = report.notes();
    assert!(
        notes[0].starts_with("3 objects came back with id and type only"),
        "{notes:?}"
    );
    assert!(notes[1].starts_with("1 object disappeared"), "{notes:?}");
}
