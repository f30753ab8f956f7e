//! The report as one page, without scripts and network requests. Texts of the tenant are escaped.

use std::fmt::{self, Write as _};

use entra_auth::entra_core::{
    Timestamp,
    time::{UtcOffset, format_description::well_known::Rfc3339},
};

use super::{
    charts,
    text::{counted, day, number, percent, printable},
    usage::{AppUsage, LOG_RETENTION_DAYS, Report, UserUsage, Via},
};

/// The whole page.
pub(crate) fn page(report: &Report, requests: usize) -> String {
    let mut page = String::with_capacity(64 * 1024);
    // Writing to a string cannot fail.
    let _ = write_page(&mut page, report, requests);
    page
}

/// Escapes a text for an element or an attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in printable(text).chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn write_page(out: &mut String, report: &Report, requests: usize) -> fmt::Result {
    let tenant = escape(&report.tenant_name);
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>App usage in {tenant}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
    )?;
    write_header(out, report, &tenant)?;
    write_figures(out, report)?;
    if report.has_sign_ins() {
        out.push_str("<div class=\"pair\">\n");
        charts::write_share(out, report)?;
        charts::write_days(out, report)?;
        out.push_str("</div>\n");
    }
    charts::write_apps(out, report)?;
    write_table(out, report)?;
    write_users(out, report)?;
    write_footer(out, report, requests)?;
    out.push_str("</main>\n</body>\n</html>\n");
    Ok(())
}

fn write_header(out: &mut String, report: &Report, tenant: &str) -> fmt::Result {
    let window = report.window;
    let lede = if report.has_sign_ins() {
        format!(
            "Interactive sign-ins of the last {} days, {} to {}. \
             The sign-in log goes back {LOG_RETENTION_DAYS} days at most.",
            window.days,
            time_element(window.from),
            time_element(window.to),
        )
    } else {
        format!(
            "Assignments on {}, without sign-ins.",
            time_element(window.to)
        )
    };
    write!(
        out,
        "<header>\n<p class=\"eyebrow\">Microsoft Entra ID</p>\n<h1>Who uses which app in {tenant}</h1>\n\
         <p class=\"lede\">{lede}</p>\n<p class=\"meta\">Tenant <code>{}</code></p>\n",
        escape(&report.tenant_id),
    )?;
    for note in report.notes() {
        writeln!(out, "<p class=\"note\" role=\"note\">{}</p>", escape(&note))?;
    }
    out.push_str("</header>\n");
    Ok(())
}

fn write_figures(out: &mut String, report: &Report) -> fmt::Result {
    let totals = report.totals();
    let logged = |value: String, about: String| {
        if report.has_sign_ins() {
            (value, about)
        } else {
            ("–".to_owned(), "unknown without a sign-in log".to_owned())
        }
    };
    let apps = if report.has_sign_ins() {
        format!("{} without any sign-in", number(totals.unused_apps))
    } else {
        "with an assignment or tagged as integrated".to_owned()
    };
    let idle = format!(
        "{} of {}",
        percent(totals.idle, totals.assigned),
        counted(totals.assigned, "assignment", "assignments")
    );
    let figures = [
        ("Apps", (number(report.user_apps().count()), apps)),
        (
            "Assigned users",
            (
                number(report.assigned_users),
                "directly or as members of an assigned group".to_owned(),
            ),
        ),
        (
            "Active users",
            logged(
                number(report.active_users.unwrap_or_default()),
                "signed in to at least one app, each counted once".to_owned(),
            ),
        ),
        ("Idle assignments", logged(number(totals.idle), idle)),
    ];
    out.push_str("<dl class=\"figures\">\n");
    for (name, (value, about)) in figures {
        writeln!(
            out,
            "<div><dt>{name}</dt><dd class=\"value\">{value}</dd><dd class=\"about\">{about}</dd></div>"
        )?;
    }
    out.push_str("</dl>\n");
    Ok(())
}

/// The roles repeat the meaning of the elements, which browsers drop when the style sheet stacks the rows on
/// a phone.
fn write_table(out: &mut String, report: &Report) -> fmt::Result {
    let order = if report.has_sign_ins() {
        "Most idle assignments first."
    } else {
        "Most assigned users first."
    };
    write!(
        out,
        "<section aria-labelledby=\"apps\">\n<h2 id=\"apps\">All apps</h2>\n\
         <p class=\"hint\">{order} The totals count a user once per app.</p>\n\
         <table class=\"apps\" role=\"table\" aria-labelledby=\"apps\">\n<thead role=\"rowgroup\"><tr role=\"row\">"
    )?;
    for (name, class) in COLUMNS {
        write!(
            out,
            "<th scope=\"col\" role=\"columnheader\" class=\"{class}\">{name}</th>"
        )?;
    }
    out.push_str("</tr></thead>\n<tbody role=\"rowgroup\">\n");
    for app in report.user_apps() {
        let publisher = app.publisher.as_deref().map(escape);
        let cells = [
            publisher.unwrap_or_default(),
            number(app.assigned),
            known(app.active),
            known(app.idle),
            last_sign_in(app.last_sign_in, report),
        ];
        let idle = app.idle.is_some_and(|idle| idle > 0);
        write_row(out, &escape(app.name()), &cells, idle)?;
    }
    out.push_str("</tbody>\n<tfoot role=\"rowgroup\">\n");
    let totals = report.totals();
    let logged = |count| known(report.has_sign_ins().then_some(count));
    let latest = report.user_apps().filter_map(|app| app.last_sign_in).max();
    let name = format!(
        "Total, {}",
        counted(report.user_apps().count(), "app", "apps")
    );
    let cells = [
        String::new(),
        number(totals.assigned),
        logged(totals.active),
        logged(totals.idle),
        latest.map_or_else(|| "–".to_owned(), time_element),
    ];
    write_row(out, &name, &cells, false)?;
    out.push_str("</tfoot>\n</table>\n</section>\n");
    Ok(())
}

fn write_row(out: &mut String, name: &str, cells: &[String; 5], idle: bool) -> fmt::Result {
    write!(
        out,
        "<tr role=\"row\"><th scope=\"row\" role=\"rowheader\">{name}</th>"
    )?;
    for (cell, (column, class)) in cells.iter().zip(&COLUMNS[1..]) {
        let marked = if idle && *class == "n i" { " some" } else { "" };
        write!(
            out,
            "<td role=\"cell\" class=\"{class}{marked}\" data-label=\"{column}\">{cell}</td>"
        )?;
    }
    out.push_str("</tr>\n");
    Ok(())
}

fn write_users(out: &mut String, report: &Report) -> fmt::Result {
    let apps: Vec<&AppUsage> = report
        .apps
        .iter()
        .filter(|app| app.users_total > 0)
        .collect();
    if apps.is_empty() {
        return Ok(());
    }
    out.push_str(
        "<section aria-labelledby=\"users\">\n<h2 id=\"users\">Users by app</h2>\n\
         <p class=\"hint\">Open an app to see its users, users without a sign-in first.</p>\n",
    );
    for app in apps {
        let counts = match (app.active, app.idle) {
            (Some(active), Some(idle)) => format!(
                "{} assigned, {} active in app, {} idle",
                number(app.assigned),
                number(active),
                number(idle)
            ),
            _ => format!("{} assigned", number(app.assigned)),
        };
        write!(
            out,
            "<details>\n<summary><span class=\"name\">{}</span> <span class=\"counts\">{counts}</span></summary>\n\
             <table class=\"users\" role=\"table\">\n<thead role=\"rowgroup\"><tr role=\"row\"><th scope=\"col\" role=\"columnheader\">User</th><th scope=\"col\" role=\"columnheader\">Assigned</th>\
             <th scope=\"col\" role=\"columnheader\">Last sign-in</th></tr></thead>\n<tbody role=\"rowgroup\">\n",
            escape(app.name())
        )?;
        for user in &app.users {
            write_user(out, user, report)?;
        }
        out.push_str("</tbody>\n</table>\n");
        let more = app.users_total - app.users.len();
        if more > 0 {
            writeln!(
                out,
                "<p class=\"hint\">and {} more, counted above but not listed here</p>",
                number(more)
            )?;
        }
        out.push_str("</details>\n");
    }
    out.push_str("</section>\n");
    Ok(())
}

fn write_user(out: &mut String, user: &UserUsage, report: &Report) -> fmt::Result {
    let via = match &user.via {
        Via::Direct => "directly".to_owned(),
        Via::Group(name) => format!("group {}", escape(name)),
        Via::Unassigned => "not assigned".to_owned(),
    };
    writeln!(
        out,
        "<tr role=\"row\"><th scope=\"row\" role=\"rowheader\">{}</th><td role=\"cell\">{via}</td><td role=\"cell\">{}</td></tr>",
        escape(&user.name),
        last_sign_in(user.last_sign_in, report)
    )
}

fn write_footer(out: &mut String, report: &Report, requests: usize) -> fmt::Result {
    write!(
        out,
        "<footer>\n<h2>How this is counted</h2>\n<ul>\n\
         <li>Assigned users: users who are assigned directly or are direct members of an assigned group, guests and \
         disabled accounts included. Entra does not pass an assignment on to nested groups. Devices and service \
         principals are not counted.</li>\n\
         <li>Active in app: users with a successful interactive sign-in to the app in the window, assigned or not. \
         Active users: users who are active in at least one app, each counted once.</li>\n\
         <li>Idle assignment: the user is assigned and not active in the app. The log has interactive sign-ins only, so \
         a user whose app renews its tokens silently can look idle.</li>\n\
         <li>An app is listed if it has an assignment or a sign-in in the window, or is tagged as an integrated \
         application. APIs of Microsoft and the application that reads this report are left out unless they have \
         users.</li>\n</ul>\n\
         <p>Read on {} with {}.</p>\n</footer>\n",
        time_element(report.window.to),
        counted(requests, "request", "requests"),
    )
}

fn last_sign_in(at: Option<Timestamp>, report: &Report) -> String {
    match (at, report.has_sign_ins()) {
        (Some(at), _) => time_element(at),
        (None, true) => format!("<span class=\"unseen\">{}</span>", report.window.not_seen()),
        (None, false) => known(None),
    }
}

fn known(count: Option<usize>) -> String {
    count.map_or_else(|| "–".to_owned(), number)
}

fn time_element(at: Timestamp) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    let machine = at.format(&Rfc3339).unwrap_or_default();
    format!("<time datetime=\"{machine}\">{}</time>", day(at.date()))
}

/// Heading and class of each column.
const COLUMNS: [(&str, &str); 6] = [
    ("App", "name"),
    ("Publisher", "publisher"),
    ("Assigned", "n"),
    ("Active in app", "n"),
    ("Idle", "n i"),
    ("Last sign-in", "last"),
];
const STYLE: &str = include_str!("report.css");

#[cfg(test)]
mod tests;
