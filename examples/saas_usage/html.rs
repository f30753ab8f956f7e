//! The report as one page: no script, no network, and nothing of the tenant unescaped.

use std::fmt::{self, Write as _};

use entra_core::{
    Timestamp,
    time::{UtcOffset, format_description::well_known::Rfc3339},
};

use super::{
    charts,
    text::{counted, day, number, percent, printable},
    usage::{AppUsage, LOG_RETENTION_DAYS, PersonUsage, Report, Via},
};

/// The whole page.
pub(crate) fn page(report: &Report, requests: usize) -> String {
    let mut page = String::with_capacity(64 * 1024);
    // Writing to a string cannot fail.
    let _ = write_page(&mut page, report, requests);
    page
}

/// Text as it may stand in an element or an attribute.
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
    write_people(out, report)?;
    write_footer(out, report, requests)?;
    out.push_str("</main>\n</body>\n</html>\n");
    Ok(())
}

fn write_header(out: &mut String, report: &Report, tenant: &str) -> fmt::Result {
    let window = report.window;
    write!(
        out,
        "<header>\n<p class=\"eyebrow\">Microsoft Entra ID</p>\n<h1>Who uses which app in {tenant}</h1>\n\
         <p class=\"lede\">Interactive sign-ins of the last {} days, {} to {}. \
         The sign-in log goes back {LOG_RETENTION_DAYS} days at most.</p>\n\
         <p class=\"meta\">Tenant <code>{}</code></p>\n",
        window.days,
        time_element(window.from),
        time_element(window.to),
        escape(&report.tenant_id),
    )?;
    for note in report.notes() {
        writeln!(
            out,
            "<p class=\"note\" role=\"note\">{}</p>",
            escape(&note)
        )?;
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
    let apps = format!("{} without any sign-in", number(totals.unused_apps));
    let idle = format!(
        "{} of {}",
        percent(totals.idle, totals.assigned),
        counted(totals.assigned, "assignment", "assignments")
    );
    let figures = [
        (
            "Apps",
            (
                number(report.apps.len()),
                logged(String::new(), apps).1,
            ),
        ),
        (
            "People assigned",
            (
                number(report.assigned_people),
                "directly or as member of an assigned group".to_owned(),
            ),
        ),
        (
            "People active",
            logged(
                number(report.active_people.unwrap_or_default()),
                "signed in to at least one app".to_owned(),
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

fn write_table(out: &mut String, report: &Report) -> fmt::Result {
    out.push_str(
        "<section aria-labelledby=\"apps\">\n<h2 id=\"apps\">All apps</h2>\n\
         <p class=\"hint\">Most idle assignments first. A person counts once for each app.</p>\n\
         <div class=\"scroll\" role=\"region\" aria-labelledby=\"apps\" tabindex=\"0\">\n<table class=\"apps\">\n\
         <thead><tr><th scope=\"col\">App</th><th scope=\"col\" class=\"publisher\">Publisher</th>\
         <th scope=\"col\" class=\"n\">Assigned</th><th scope=\"col\" class=\"n\">Active</th>\
         <th scope=\"col\" class=\"n\">Idle</th><th scope=\"col\">Last sign-in</th></tr></thead>\n<tbody>\n",
    );
    for app in &report.apps {
        let publisher = app
            .publisher
            .as_deref()
            .map_or_else(|| "–".to_owned(), escape);
        writeln!(
            out,
            "<tr><th scope=\"row\">{}<span class=\"sub\">{publisher}</span></th><td class=\"publisher\">{publisher}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n{}\">{}</td><td>{}</td></tr>",
            escape(app.name()),
            number(app.assigned),
            known(app.active),
            if app.idle.unwrap_or_default() > 0 { " idle" } else { "" },
            known(app.idle),
            last_sign_in(app.last_sign_in, report),
        )?;
    }
    let totals = report.totals();
    let logged = |count| known(report.has_sign_ins().then_some(count));
    let latest = report.apps.iter().filter_map(|app| app.last_sign_in).max();
    write!(
        out,
        "</tbody>\n<tfoot><tr><th scope=\"row\">Total, {}</th><td class=\"publisher\"></td><td class=\"n\">{}</td>\
         <td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td></tr></tfoot>\n</table>\n</div>\n</section>\n",
        counted(report.apps.len(), "app", "apps"),
        number(totals.assigned),
        logged(totals.active),
        logged(totals.idle),
        latest.map(time_element).unwrap_or_default(),
    )
}

fn write_people(out: &mut String, report: &Report) -> fmt::Result {
    let apps: Vec<&AppUsage> = report
        .apps
        .iter()
        .filter(|app| app.people_total > 0)
        .collect();
    if apps.is_empty() {
        return Ok(());
    }
    out.push_str(
        "<section aria-labelledby=\"people\">\n<h2 id=\"people\">Who they are</h2>\n\
         <p class=\"hint\">Open an app to see its people, those without a sign-in first.</p>\n",
    );
    for app in apps {
        let counts = match (app.active, app.idle) {
            (Some(active), Some(idle)) => format!(
                "{} assigned, {} active, {} idle",
                number(app.assigned),
                number(active),
                number(idle)
            ),
            _ => format!("{} assigned", number(app.assigned)),
        };
        write!(
            out,
            "<details>\n<summary><span class=\"name\">{}</span> <span class=\"counts\">{counts}</span></summary>\n\
             <table class=\"people\">\n<thead><tr><th scope=\"col\">Person</th><th scope=\"col\">Assigned</th>\
             <th scope=\"col\">Last sign-in</th></tr></thead>\n<tbody>\n",
            escape(app.name())
        )?;
        for person in &app.people {
            write_person(out, person, report)?;
        }
        out.push_str("</tbody>\n</table>\n");
        let more = app.people_total - app.people.len();
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

fn write_person(out: &mut String, person: &PersonUsage, report: &Report) -> fmt::Result {
    let via = match &person.via {
        Via::Direct => "directly".to_owned(),
        Via::Group(name) => format!("group {}", escape(name)),
        Via::Unassigned => "not assigned".to_owned(),
    };
    writeln!(
        out,
        "<tr><th scope=\"row\">{}</th><td>{via}</td><td>{}</td></tr>",
        escape(&person.name),
        last_sign_in(person.last_sign_in, report)
    )
}

fn write_footer(out: &mut String, report: &Report, requests: usize) -> fmt::Result {
    write!(
        out,
        "<footer>\n<h2>How this is counted</h2>\n<ul>\n\
         <li>Assigned: users, guests and disabled accounts included, that are assigned directly or are direct members \
         of an assigned group. Entra does not pass an assignment on to nested groups. Devices and service principals are \
         not counted.</li>\n\
         <li>Active: different people with at least one successful interactive sign-in in the window, assigned or not.</li>\n\
         <li>Idle: assigned and not active. The log shows interactive sign-ins only, so somebody whose app renews its \
         sign-in silently can look idle.</li>\n\
         <li>An app is listed when it has an assignment or a sign-in in the window, or is tagged as an integrated \
         application.</li>\n</ul>\n\
         <p>Made on {} with {}.</p>\n</footer>\n",
        time_element(report.window.to),
        counted(requests, "request", "requests"),
    )
}

fn last_sign_in(at: Option<Timestamp>, report: &Report) -> String {
    match (at, report.has_sign_ins()) {
        (Some(at), _) => time_element(at),
        (None, true) => format!(
            "<span class=\"unseen\">{}</span>",
            report.window.not_seen()
        ),
        (None, false) => known(None),
    }
}

fn known(count: Option<usize>) -> String {
    count.map_or_else(
        || "<span class=\"unseen\">unknown</span>".to_owned(),
        number,
    )
}

fn time_element(at: Timestamp) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    let machine = at.format(&Rfc3339).unwrap_or_default();
    format!("<time datetime=\"{machine}\">{}</time>", day(at.date()))
}

const STYLE: &str = include_str!("report.css");

#[cfg(test)]
mod tests;
