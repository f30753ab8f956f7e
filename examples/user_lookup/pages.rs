//! The pages of the portals: HTML without scripts. Texts of a tenant are escaped.

use entra_auth::web::pages::escape;
use entra_graph::Error;

use super::lookup::{Entry, Found, MOST};

/// The front page, which leads to the portals.
pub(crate) fn front(tips: &str) -> String {
    let content = format!(
        "<h1>Phone System</h1>\n<p class=\"lede\">Sign in with your work or school account.</p>\n\
         <ul class=\"tiles\">\n\
         <li><a class=\"tile\" href=\"/user\"><span><strong>User portal</strong>\
         <span class=\"soft\">Your own entry in the phone book</span></span></a></li>\n\
         <li><a class=\"tile\" href=\"/manager\"><span><strong>Manager portal</strong>\
         <span class=\"soft\">Look up users of your organization</span></span></a></li>\n\
         </ul>\n{tips}"
    );
    layout("Phone System", None, &content)
}

/// The manager portal: a search, and what it found.
pub(crate) fn directory(manager: &str, text: &str, found: Option<&Result<Found, Error>>) -> String {
    let results = match found {
        None => String::new(),
        Some(Err(_)) => {
            "<p class=\"card\" role=\"alert\">The directory is not available. Try again later.</p>\n"
                .to_owned()
        }
        Some(Ok(found)) if found.entries.is_empty() => format!(
            "<p class=\"card\" role=\"status\">No user matches <strong>{}</strong>. {}</p>\n",
            escape(text),
            escape(found.hint.unwrap_or("Check the spelling."))
        ),
        Some(Ok(found)) => table(found),
    };
    let content = format!(
        "<h1>Directory</h1>\n<p class=\"lede\">Search by name, mail address or phone number.</p>\n\
         <form method=\"get\" action=\"/manager\" role=\"search\">\n\
         <label for=\"text\">Name, mail or phone</label>\n\
         <div class=\"row\"><input id=\"text\" name=\"text\" type=\"search\" value=\"{}\" autocomplete=\"off\" required>\n\
         <button>Search</button></div>\n</form>\n{results}",
        escape(text)
    );
    layout("Directory", Some(("manager", manager)), &content)
}

fn table(found: &Found) -> String {
    let count = match (found.entries.len(), found.more) {
        (1, _) => "1 user".to_owned(),
        (_, true) => format!("The first {MOST} users; enter more to narrow the search"),
        (number, false) => format!("{number} users"),
    };
    let mut rows = String::new();
    for entry in &found.entries {
        rows += &format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>\n",
            escape(&entry.name),
            escape(&entry.mail),
            numbers(entry)
        );
    }
    format!(
        "<section class=\"card\" aria-live=\"polite\"><table>\n<caption>{count}</caption>\n\
         <thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Mail</th><th scope=\"col\">Phone</th></tr></thead>\n\
         <tbody>\n{rows}</tbody></table></section>\n"
    )
}

/// The numbers, one a line.
fn numbers(entry: &Entry) -> String {
    if entry.phones.is_empty() {
        return "<span class=\"soft\">No number</span>".to_owned();
    }
    let lines: Vec<String> = entry.phones.iter().map(|phone| escape(phone)).collect();
    lines.join("<br>")
}

/// The user portal: the user's own entry.
pub(crate) fn own_entry(entry: &Entry) -> String {
    let content = format!(
        "<h1>Hello, {}</h1>\n<p class=\"lede\">This is your entry in the phone book.</p>\n\
         <section class=\"card\" aria-label=\"Your entry\"><dl>\n\
         <div><dt>Mail</dt><dd>{}</dd></div>\n<div><dt>Phone</dt><dd>{}</dd></div>\n</dl></section>\n",
        escape(&entry.name),
        escape(&entry.mail),
        numbers(entry)
    );
    layout("Your entry", Some(("user", &entry.name)), &content)
}

/// The page of a portal's signed-in user, or of a visitor.
fn layout(title: &str, user: Option<(&str, &str)>, content: &str) -> String {
    let account = user.map_or_else(String::new, |(portal, name)| {
        format!(
            "<div class=\"account\"><span>{}</span>\n\
             <form method=\"post\" action=\"/{portal}/auth/sign-out\"><button class=\"plain\">Sign out</button></form></div>\n",
            escape(name)
        )
    });
    let title = match title {
        "Phone System" => title.to_owned(),
        title => format!("{title} - Phone System"),
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n\
         <link rel=\"stylesheet\" href=\"/style.css\">\n<link rel=\"icon\" href=\"/icon.svg\">\n</head>\n<body>\n\
         <header><a class=\"brand\" href=\"/\"><img src=\"/icon.svg\" alt=\"\" width=\"24\" height=\"24\">Phone System</a>\n\
         {account}</header>\n<main>\n{content}</main>\n</body>\n</html>\n",
        escape(&title)
    )
}

pub(crate) const STYLE: &str = include_str!("style.css");
pub(crate) const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\"><rect width=\"16\" height=\"16\" rx=\"4\" fill=\"#4f3fb8\"/><path d=\"M5.2 3.6 6.6 6 5.6 7.2c.6 1.4 1.8 2.6 3.2 3.2L10 9.4l2.4 1.4c0 1.200-1 2-2 2C6.800 12.400 3.600 9.200 3.400 5.600c0-1 .8-2 1.800-2z\" fill=\"#fff\"/></svg>";
