//! The report for programs: one JSON object of a stable shape.

use std::io;

use entra_auth::entra_core::time::format_description::well_known::Rfc3339;
use serde::Serialize;

use super::usage::{AppUsage, Report};

/// Writes the report as one JSON object and a line break.
pub(crate) fn write(report: &Report, requests: usize, out: &mut impl io::Write) -> io::Result<()> {
    let document = Document {
        tenant: &report.tenant_id,
        days: report.window.days,
        requests,
        apps: report.apps.iter().map(app).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

#[derive(Serialize)]
struct Document<'a> {
    tenant: &'a str,
    days: u32,
    requests: usize,
    apps: Vec<App<'a>>,
}

/// The figures of the sign-in log are null without it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct App<'a> {
    app_id: &'a str,
    display_name: &'a str,
    assigned: usize,
    active: Option<usize>,
    idle: Option<usize>,
    last_sign_in: Option<String>,
}

fn app(app: &AppUsage) -> App<'_> {
    App {
        app_id: &app.app_id,
        display_name: &app.name,
        assigned: app.assigned,
        active: app.active,
        idle: app.idle,
        last_sign_in: app.last_sign_in.and_then(|at| at.format(&Rfc3339).ok()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::usage::samples;
    use super::*;

    fn written(report: &Report) -> Value {
        let mut out = Vec::new();
        write(report, 7, &mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn the_document_has_exactly_the_documented_members() {
        let document = written(&samples::report());
        assert_eq!(
            document,
            json!({
                "tenant": samples::TENANT,
                "days": 30,
                "requests": 7,
                "apps": [
                    {"appId": "app-desk", "displayName": "Expense Desk", "assigned": 3, "active": 2, "idle": 2,
                     "lastSignIn": "2026-11-19T08:00:00Z"},
                    {"appId": "app-wiki", "displayName": "Old <Wiki>", "assigned": 1, "active": 0, "idle": 1,
                     "lastSignIn": null},
                    {"appId": "app-tried", "displayName": "Tried Once", "assigned": 0, "active": 0, "idle": 0,
                     "lastSignIn": null}
                ]
            })
        );
    }

    #[test]
    fn without_a_log_its_figures_are_null() {
        let document = written(&samples::report_without_log());
        assert_eq!(document["apps"][0]["assigned"], 3);
        for member in ["active", "idle", "lastSignIn"] {
            assert_eq!(document["apps"][0][member], Value::Null);
        }
    }
}
