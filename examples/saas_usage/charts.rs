//! The charts as inline SVG. Texts and numbers are HTML beside the drawings, so they keep their size on a
//! phone.

use std::fmt::{self, Write as _};

use super::{
    html::escape,
    text::{counted, day, day_of_month, number, percent},
    usage::{AppUsage, Report},
};

/// The share of assignments that are used, as a ring.
pub(crate) fn write_share(out: &mut String, report: &Report) -> fmt::Result {
    let totals = report.totals();
    let used = totals.assigned - totals.idle;
    let share = percent(used, totals.assigned);
    let drawn = ratio(used, totals.assigned) * RING_LENGTH;
    write!(
        out,
        "<figure class=\"card\">\n<figcaption><h2>Are assignments used?</h2></figcaption>\n<div class=\"share\">\n\
         <svg viewBox=\"0 0 120 120\" role=\"img\" aria-labelledby=\"share-title share-desc\">\
         <title id=\"share-title\">Share of assignments in use</title>\
         <desc id=\"share-desc\">{share} of {} are used, {} are idle.</desc>\
         <circle class=\"ring {}\" cx=\"60\" cy=\"60\" r=\"{RING_RADIUS}\"/>",
        counted(totals.assigned, "assignment", "assignments"),
        number(totals.idle),
        if totals.assigned == 0 {
            "none-ring"
        } else {
            "idle-ring"
        },
    )?;
    if used > 0 {
        write!(
            out,
            "<circle class=\"ring used-ring\" cx=\"60\" cy=\"60\" r=\"{RING_RADIUS}\" \
             stroke-dasharray=\"{drawn:.2} {RING_LENGTH:.2}\" transform=\"rotate(-90 60 60)\"/>"
        )?;
    }
    write!(
        out,
        "<text x=\"60\" y=\"60\" class=\"ring-value\">{share}</text><text x=\"60\" y=\"77\" class=\"ring-unit\">in use</text></svg>\n\
         <ul class=\"legend\">\n<li><span class=\"key used\"></span>{} used</li>\n\
         <li><span class=\"key idle\"></span>{} idle</li>\n</ul>\n</div>\n</figure>\n",
        number(used),
        number(totals.idle),
    )
}

/// The successful sign-ins of each day of the window, as columns.
pub(crate) fn write_days(out: &mut String, report: &Report) -> fmt::Result {
    let days = &report.per_day;
    let most = days
        .iter()
        .map(|(_, count)| *count)
        .max()
        .unwrap_or_default();
    let sum: usize = days.iter().map(|(_, count)| count).sum();
    let width = days.len() * COLUMN_STEP;
    let peak = days
        .iter()
        .max_by_key(|(_, count)| *count)
        .filter(|_| most > 0);
    write!(
        out,
        "<figure class=\"card\">\n<figcaption><h2>Successful sign-ins per day</h2>\
         <p class=\"hint\">{} in all{}</p></figcaption>\n\
         <div class=\"days\"><span class=\"top\">{}</span>\n\
         <svg viewBox=\"0 0 {width} {COLUMN_HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-labelledby=\"days-title days-desc\"><title id=\"days-title\">Successful sign-ins per day</title><desc id=\"days-desc\">",
        counted(sum, "sign-in", "sign-ins"),
        peak.map(|(date, count)| format!(", most on {} ({})", day_of_month(*date), number(*count)))
            .unwrap_or_default(),
        number(most),
    )?;
    let words: Vec<String> = days
        .iter()
        .map(|(date, count)| format!("{}: {}", day_of_month(*date), number(*count)))
        .collect();
    write!(
        out,
        "{}</desc><line class=\"axis\" x1=\"0\" x2=\"{width}\" y1=\"0.5\" y2=\"0.5\"/>\
         <line class=\"axis\" x1=\"0\" x2=\"{width}\" y1=\"{middle}\" y2=\"{middle}\"/>",
        words.join(", "),
        middle = COLUMN_HEIGHT / 2
    )?;
    for (at, (date, count)) in days.iter().enumerate() {
        // A day with one sign-in beside a day with thousands is still a mark, not nothing.
        let least = if *count > 0 { 2.0 } else { 0.0 };
        let height = (ratio(*count, most) * f64::from(COLUMN_HEIGHT)).max(least);
        write!(
            out,
            "<rect class=\"column\" x=\"{}\" y=\"{:.1}\" width=\"{}\" height=\"{height:.1}\"><title>{}: {}</title></rect>",
            at * COLUMN_STEP + 1,
            f64::from(COLUMN_HEIGHT) - height,
            COLUMN_STEP - 2,
            day(*date),
            number(*count),
        )?;
    }
    out.push_str("</svg>\n");
    if let (Some((first, _)), Some((last, _))) = (days.first(), days.last()) {
        write!(
            out,
            "<p class=\"ends\"><span>{}</span><span>{}</span></p>",
            day_of_month(*first),
            day_of_month(*last)
        )?;
    }
    out.push_str("</div>\n</figure>\n");
    Ok(())
}

/// The apps with the most users, as bars of used and idle assignments and of active users without one.
pub(crate) fn write_apps(out: &mut String, report: &Report) -> fmt::Result {
    let mut apps: Vec<&AppUsage> = report
        .user_apps()
        .filter(|app| app.users_total > 0)
        .collect();
    apps.sort_by_key(|app| std::cmp::Reverse(app.users_total));
    let all = apps.len();
    apps.truncate(BARS);
    let Some(most) = apps.first().map(|app| app.users_total) else {
        return Ok(());
    };
    let logged = report.has_sign_ins();
    write!(
        out,
        "<figure class=\"card\">\n<figcaption><h2>Use by app</h2><p class=\"hint\">{}</p></figcaption>\n",
        if all > BARS {
            format!("The {BARS} apps with the most users, of {}", number(all))
        } else {
            "All apps with users, largest first".to_owned()
        }
    )?;
    out.push_str(if logged {
        "<ul class=\"legend row\">\n<li><span class=\"key used\"></span>used assignment</li>\n\
         <li><span class=\"key idle\"></span>idle assignment</li>\n\
         <li><span class=\"key extra\"></span>active without an assignment</li>\n</ul>\n"
    } else {
        "<ul class=\"legend row\">\n<li><span class=\"key plain\"></span>assignment, use unknown</li>\n</ul>\n"
    });
    out.push_str("<ol class=\"bars\">\n");
    for (at, app) in apps.into_iter().enumerate() {
        write_bar(out, app, most, at)?;
    }
    out.push_str("</ol>\n</figure>\n");
    Ok(())
}

fn write_bar(out: &mut String, app: &AppUsage, most: usize, at: usize) -> fmt::Result {
    let idle = app.idle.unwrap_or_default();
    let used = app.assigned - idle;
    let (parts, words) = if app.active.is_some() {
        (
            vec![("used", used), ("idle", idle), ("extra", app.unassigned())],
            format!(
                "{} used assignments, {} idle assignments, {} active without an assignment",
                number(used),
                number(idle),
                number(app.unassigned())
            ),
        )
    } else {
        (
            vec![("plain", app.assigned)],
            format!("{} assigned", number(app.assigned)),
        )
    };
    let name = escape(app.name());
    write!(
        out,
        "<li><span class=\"name\">{name}</span>\
         <svg viewBox=\"0 0 {BAR_WIDTH} 10\" preserveAspectRatio=\"none\" role=\"img\" aria-labelledby=\"bar-{at} bar-{at}-desc\">\
         <title id=\"bar-{at}\">{name}</title><desc id=\"bar-{at}-desc\">{words}</desc>\
         <rect class=\"track\" x=\"0\" y=\"0\" width=\"{BAR_WIDTH}\" height=\"10\"/>"
    )?;
    let mut x = 0.0;
    for (class, count) in parts.into_iter().filter(|(_, count)| *count > 0) {
        let width = ratio(count, most) * f64::from(BAR_WIDTH);
        write!(
            out,
            "<rect class=\"{class}\" x=\"{x:.2}\" y=\"0\" width=\"{width:.2}\" height=\"10\"/>"
        )?;
        x += width;
    }
    let value = match app.unassigned() {
        _ if app.active.is_none() => {
            format!(
                "{} <span class=\"of\">assigned</span>",
                number(app.assigned)
            )
        }
        more => format!(
            "{} <span class=\"of\">of {} used</span>{}",
            number(used),
            number(app.assigned),
            if more > 0 {
                format!(" <span class=\"more\">+{}</span>", number(more))
            } else {
                String::new()
            }
        ),
    };
    writeln!(out, "</svg><span class=\"count\">{value}</span></li>")
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a drawing needs a few digits only"
)]
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

const RING_RADIUS: u32 = 48;
const RING_LENGTH: f64 = 2.0 * std::f64::consts::PI * 48.0;
const COLUMN_STEP: usize = 10;
const COLUMN_HEIGHT: u32 = 100;
const BAR_WIDTH: u32 = 400;
/// Limits the chart to an overview; the table has all apps.
const BARS: usize = 15;
