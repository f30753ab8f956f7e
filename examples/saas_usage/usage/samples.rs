//! A small tenant for the tests of this example.

use entra_auth::entra_core::{
    Timestamp,
    time::{Date, Month},
};

use super::{App, Assignee, Facts, Gaps, Group, Report, SignIns, Users, Window};

pub(crate) const TENANT: &str = "11111111-2222-3333-4444-555555555555";

pub(crate) fn at(day: u8, hour: u8) -> Timestamp {
    Date::from_calendar_date(2026, Month::November, day)
        .unwrap()
        .with_hms(hour, 0, 0)
        .unwrap()
        .assume_utc()
}

/// Adele is assigned directly and through the group, Bert and Carla through the group. Adele and Dora, who
/// is not assigned, signed in to the desk. Bert is assigned to the wiki, to which no user signed in.
pub(crate) fn facts() -> Facts {
    let mut users = Users::default();
    let [adele, bert, carla, dora] =
        ["Adele", "Bert", "Carla", "Dora"].map(|name| users.add(&name.to_lowercase(), Some(name)));
    let mut sign_ins = SignIns::default();
    sign_ins.succeeded("app-desk", adele, at(19, 8));
    sign_ins.succeeded("app-desk", adele, at(17, 8));
    sign_ins.succeeded("APP-DESK", dora, at(18, 8));
    sign_ins.failed("app-tried");
    sign_ins.failed("not-in-this-tenant");
    let app = |app_id: &str, name: &str, assignees: Vec<Assignee>| App {
        app_id: app_id.to_owned(),
        name: name.to_owned(),
        assignees,
        ..App::default()
    };
    Facts {
        tenant_id: TENANT.to_owned(),
        tenant_name: "Contoso".to_owned(),
        window: Window::ending(at(20, 12), 30),
        apps: vec![
            app("app-silent", "Never Assigned", vec![]),
            app("app-tried", "Tried Once", vec![]),
            app(
                "app-wiki",
                "Old <Wiki>",
                vec![Assignee::User(bert), Assignee::Application],
            ),
            App {
                publisher: Some("Fabrikam".to_owned()),
                integrated: true,
                ..app(
                    "app-desk",
                    "Expense Desk",
                    vec![Assignee::Group("finance".to_owned()), Assignee::User(adele)],
                )
            },
        ],
        groups: [(
            "finance".to_owned(),
            Group {
                name: "Finance".to_owned(),
                members: vec![adele, bert, carla],
            },
        )]
        .into(),
        own_app_id: None,
        users,
        sign_ins: Some(sign_ins),
        gaps: Gaps::default(),
    }
}

pub(crate) fn report() -> Report {
    Report::of(&facts())
}

pub(crate) fn report_without_log() -> Report {
    Report::of(&Facts {
        sign_ins: None,
        ..facts()
    })
}
