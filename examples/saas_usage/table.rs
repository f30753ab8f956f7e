//! The report as a table for the terminal.

use std::io;

use super::{
    text::{counted, fit, iso_date, number, printable, width},
    usage::{AppUsage, Report},
};

/// Writes the table, its total row and the notes.
pub(crate) fn write(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    let rows: Vec<[String; 6]> = report.user_apps().map(|app| row(app, report)).collect();
    let total = total(report);
    let mut widths = HEADER.map(width);
    for row in rows.iter().chain([&total]) {
        for (most, cell) in widths.iter_mut().zip(row) {
            *most = (*most).max(width(cell));
        }
    }
    let ruler = "-".repeat(widths.iter().sum::<usize>() + GAP.len() * (widths.len() - 1));

    let window = report.window;
    let covered = if report.has_sign_ins() {
        format!(
            "sign-ins of the last {} days ({} to {})",
            window.days,
            iso_date(window.from),
            iso_date(window.to)
        )
    } else {
        format!("assignments on {}, without sign-ins", iso_date(window.to))
    };
    writeln!(
        out,
        "Who uses which app in {}: {covered}\n",
        printable(&report.tenant_name)
    )?;
    write_row(out, &HEADER.map(str::to_owned), &widths)?;
    writeln!(out, "{ruler}")?;
    for row in &rows {
        write_row(out, row, &widths)?;
    }
    writeln!(out, "{ruler}")?;
    write_row(out, &total, &widths)?;
    writeln!(out, "\n{}", summary(report))?;
    for note in report.notes() {
        writeln!(out, "note: {note}")?;
    }
    Ok(())
}

fn row(app: &AppUsage, report: &Report) -> [String; 6] {
    let last = match (app.last_sign_in, report.has_sign_ins()) {
        (Some(at), _) => iso_date(at),
        (None, true) => report.window.not_seen(),
        (None, false) => UNKNOWN.to_owned(),
    };
    [
        fit(&printable(app.name()), NAME_WIDTH),
        fit(
            &printable(app.publisher.as_deref().unwrap_or("-")),
            PUBLISHER_WIDTH,
        ),
        number(app.assigned),
        known(app.active),
        last,
        known(app.idle),
    ]
}

fn total(report: &Report) -> [String; 6] {
    let totals = report.totals();
    let logged = |count| known(report.has_sign_ins().then_some(count));
    let last = report.user_apps().filter_map(|app| app.last_sign_in).max();
    [
        format!(
            "Total: {}",
            counted(report.user_apps().count(), "app", "apps")
        ),
        String::new(),
        number(totals.assigned),
        logged(totals.active),
        last.map(iso_date).unwrap_or_default(),
        logged(totals.idle),
    ]
}

/// The total row counts a user once per app; this sentence counts each user once.
fn summary(report: &Report) -> String {
    let assigned = counted(
        report.assigned_users,
        "user is assigned",
        "users are assigned",
    );
    let Some(active) = report.active_users else {
        return format!("{assigned} to an app.");
    };
    format!(
        "{assigned} to an app. {} in all: signed in to at least one app, assigned or not. {} had no sign-in.",
        counted(active, "active user", "active users"),
        counted(report.totals().unused_apps, "app", "apps")
    )
}

fn known(count: Option<usize>) -> String {
    count.map_or_else(|| UNKNOWN.to_owned(), number)
}

fn write_row(out: &mut impl io::Write, row: &[String; 6], widths: &[usize; 6]) -> io::Result<()> {
    let mut line = String::new();
    for (at, (cell, most)) in row.iter().zip(widths).enumerate() {
        let space = " ".repeat(most.saturating_sub(width(cell)));
        if at > 0 {
            line.push_str(GAP);
        }
        if RIGHT_ALIGNED.contains(&at) {
            line.extend([space.as_str(), cell.as_str()]);
        } else {
            line.extend([cell.as_str(), space.as_str()]);
        }
    }
    writeln!(out, "{}", line.trim_end())
}

const HEADER: [&str; 6] = [
    "App",
    "Publisher",
    "Assigned users",
    "Active in app",
    "Last sign-in",
    "Idle assignments",
];
const RIGHT_ALIGNED: [usize; 3] = [2, 3, 5];
const GAP: &str = "  ";
const NAME_WIDTH: usize = 36;
const PUBLISHER_WIDTH: usize = 24;
const UNKNOWN: &str = "unknown";

#[cfg(test)]
mod tests {
    use super::super::usage::samples;
    use super::*;

    fn written(report: &Report) -> String {
        let mut out = Vec::new();
        write(report, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_table_looks_like_this() {
        assert_eq!(
            written(&samples::report()),
            "\
Who uses which app in Contoso: sign-ins of the last 30 days (2026-10-21 to 2026-11-20)

App            Publisher  Assigned users  Active in app  Last sign-in                       Idle assignments
------------------------------------------------------------------------------------------------------------
Expense Desk   Fabrikam                3              2  2026-11-19                                        2
Old <Wiki>     -                       1              0  not seen in 30 days (interactive)                 1
Tried Once     -                       0              0  not seen in 30 days (interactive)                 0
------------------------------------------------------------------------------------------------------------
Total: 3 apps                          4              2  2026-11-19                                        3

3 users are assigned to an app. 2 active users in all: signed in to at least one app, assigned or not. 2 apps had no sign-in.
"
        );
    }

    #[test]
    fn without_a_log_the_table_has_one_note_and_no_zeros() {
        let text = written(&samples::report_without_log());
        assert_eq!(text.matches("no Entra ID P1").count(), 1);
        assert!(
            text.contains("Expense Desk   Fabrikam                3        unknown  unknown"),
            "{text}"
        );
        assert!(!text.contains("never"), "{text}");
    }

    #[test]
    fn a_line_break_in_a_name_does_not_break_the_table() {
        let mut report = samples::report();
        report.apps[0].name = "a\nb\u{1b}[2J".to_owned();
        let text = written(&report);
        assert_eq!(
            text.lines().count(),
            written(&samples::report()).lines().count()
        );
        assert!(!text.contains('\u{1b}'));
    }
}
