//! Clock and faults, which the portal changes if the server allows that.

use std::time::Duration;

use super::{
    News, ROOT, View,
    page::{code, facts, table, time},
    write_access::may_change,
};
use crate::{fault::Fault, wire::Reply};

/// The page, after a change with what was done or what is wrong.
pub(super) fn page(view: &View<'_>, news: Option<&News>) -> Reply {
    let now = view.tenant.now();
    let frozen = view.tenant.clock.setting().frozen.is_some();
    let state = if frozen { "stopped" } else { "running" };
    let clock = facts(&[
        ("Time", format!("{} UTC", time(now))),
        ("State", state.to_owned()),
    ]);
    let faults: Vec<Vec<String>> = {
        let faults = view.tenant.engine.faults();
        faults
            .list()
            .map(|(id, fault, matched, happened)| {
                vec![
                    id.to_string(),
                    code(&fault.to_string()),
                    matched.to_string(),
                    happened.to_string(),
                ]
            })
            .collect()
    };
    let mut document = view.document("Clock and faults");
    if let Some(news) = news {
        document = document.with(&news.markup());
    }
    document = document.with("<h2>Clock</h2>").with(&clock);
    if view.write {
        document = document.with(&clock_form(frozen));
    }
    document = document.with("<h2>Faults</h2>").with(&table(
        "Injected faults",
        &["Id", "Fault", "Matched", "Happened"],
        &faults,
    ));
    if view.write {
        document = document.with(&fault_form());
    }
    document.reply(News::status(news))
}

fn clock_form(frozen: bool) -> String {
    let (action, label) = match frozen {
        true => ("unfreeze", "Let the clock go on"),
        false => ("freeze", "Stop the clock"),
    };
    format!(
        "{start}<input type=\"hidden\" name=\"change\" value=\"advance\">\n\
         <label>Hours <input name=\"hours\" inputmode=\"numeric\" value=\"1\"></label>\n<button>Move the clock forward</button>\n</form>\n\
         {start}<input type=\"hidden\" name=\"change\" value=\"{action}\">\n<button>{label}</button>\n</form>",
        start = start(),
    )
}

fn fault_form() -> String {
    format!(
        "{start}<input type=\"hidden\" name=\"change\" value=\"fault\">\n\
         <label>Path contains <input name=\"path\" value=\"/users\"></label>\n\
         <label>Status <input name=\"status\" inputmode=\"numeric\" value=\"503\"></label>\n\
         <label>Times <input name=\"times\" inputmode=\"numeric\" value=\"1\"></label>\n<button>Add a fault</button>\n</form>\n\
         {start}<input type=\"hidden\" name=\"change\" value=\"clear-faults\">\n<button>Remove all faults</button>\n</form>",
        start = start(),
    )
}

fn start() -> String {
    format!("<form method=\"post\" action=\"{ROOT}/settings\">\n")
}

/// `POST /settings`
pub(super) fn change(view: &View<'_>) -> Reply {
    let news = may_change(view).and_then(|()| changed(view));
    let news = News(news.map(str::to_owned).map_err(str::to_owned));
    page(view, Some(&news))
}

fn changed(view: &View<'_>) -> Result<&'static str, &'static str> {
    let engine = &view.tenant.engine;
    match view.parameter("change") {
        "advance" => {
            let hours: u32 = view
                .parameter("hours")
                .parse()
                .map_err(|_| "Hours must be a whole number.")?;
            let moved = view
                .tenant
                .clock
                .advance(Duration::from_secs(u64::from(hours) * 3600));
            moved
                .then_some("The clock was moved.")
                .ok_or("The clock cannot be moved that far.")
        }
        "freeze" => {
            view.tenant.clock.freeze();
            Ok("The clock is stopped.")
        }
        "unfreeze" => {
            view.tenant.clock.unfreeze();
            Ok("The clock goes on.")
        }
        "fault" => {
            let number = |name: &str| view.parameter(name).parse::<u32>().ok();
            let status = number("status").and_then(|status| u16::try_from(status).ok());
            let status = status
                .filter(|status| (400..600).contains(status))
                .ok_or("Status must be between 400 and 599.")?;
            let times = number("times")
                .filter(|times| *times > 0)
                .ok_or("Times must be a number above 0.")?;
            let path = view.parameter("path");
            let description = serde_json::json!({ "effect": "status", "status": status, "path": path, "times": times });
            engine
                .faults()
                .inject_described(Fault::on(path).times(times).status(status), description);
            Ok("The fault was added.")
        }
        "clear-faults" => {
            engine.faults().clear();
            Ok("All faults were removed.")
        }
        _ => Err("The form is not known."),
    }
}
