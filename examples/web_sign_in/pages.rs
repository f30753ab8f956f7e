//! The pages of the product: plain HTML without scripts; every text of a tenant is escaped.

use entra_auth::{
    sign_in::{Email, Identity},
    web::Session,
};
use entra_core::time::format_description::well_known::Rfc3339;

use super::site::{Member, shown_name};

/// For everybody: where to sign in, or on to the desk.
pub(crate) fn front(customers: &[(String, String)], name: Option<&str>, tips: &str) -> String {
    if let Some(name) = name {
        let content = format!(
            "<h1>Welcome back, {}</h1>\n<p class=\"lede\">You are signed in.</p>\n\
             <p><a class=\"button\" href=\"/desk\">Open the desk</a></p>\n{tips}",
            escape(name)
        );
        return layout("Helpdesk", Some(name), &content);
    }
    let mut tiles = String::new();
    for (key, name) in customers {
        let initial: String = name.chars().take(1).collect();
        tiles += &format!(
            "<li><a class=\"tile\" href=\"/auth/sign-in/{key}?return=/desk\">\
             <span class=\"initial\" aria-hidden=\"true\">{}</span>\
             <span><span class=\"soft\">Sign in with</span> <strong>{}</strong></span></a></li>\n",
            escape(&initial),
            escape(name)
        );
    }
    let content = format!(
        "<h1>Sign in to Helpdesk</h1>\n\
         <p class=\"lede\">With the account of your organisation.</p>\n\
         <ul class=\"tiles\">\n{tiles}</ul>\n\
         <form method=\"post\" action=\"/auth/sign-in\" class=\"card\">\n\
         <input type=\"hidden\" name=\"return\" value=\"/desk\">\n\
         <label for=\"email\">Or by your work e-mail address</label>\n\
         <div class=\"row\"><input id=\"email\" name=\"email\" type=\"email\" autocomplete=\"username\" required>\n\
         <button>Next</button></div>\n</form>\n{tips}"
    );
    layout("Sign in to Helpdesk", None, &content)
}

/// For who may enter: who they are, and why they may.
pub(crate) fn desk(session: &Session, member: &Member) -> String {
    let identity = session.identity();
    let name = shown_name(identity);
    let why = match &member.group {
        Some(group) => format!(
            "You are in the group <strong>{}</strong> of {}.",
            escape(group),
            escape(&member.company)
        ),
        None => format!("Everybody of {} may.", escape(&member.company)),
    };
    let content = format!(
        "<h1>Hello, {name}</h1>\n\
         <section class=\"card good\" aria-labelledby=\"gate\"><h2 id=\"gate\">You may enter</h2>\n\
         <p>{why} Microsoft Graph said so when you signed in.</p></section>\n\
         <section class=\"card\" aria-labelledby=\"who\"><h2 id=\"who\">Who you are</h2>\n<dl>\n{who}</dl></section>\n\
         <section class=\"card\" aria-labelledby=\"key\"><h2 id=\"key\">What your data is kept under</h2>\n\
         <p class=\"soft\">Names and urls change. These two ids never do.</p>\n<dl>\n{key}</dl></section>\n\
         <section class=\"card\" aria-labelledby=\"session\"><h2 id=\"session\">This session</h2>\n<dl>\n{times}</dl>\n\
         <p><a href=\"/auth/sign-in/{connection}?return=/desk&amp;prompt=select_account\">Sign in with another account</a></p></section>\n",
        name = escape(&name),
        who = who(identity, member),
        key = entry("Tenant id", &identity.tid.to_string())
            + &entry("Object id", &identity.oid.to_string()),
        times = entry("Since", &time(session.since()))
            + &entry("Ends by itself", &time(session.until())),
        connection = escape(session.connection()),
    );
    layout("Your desk", Some(&name), &content)
}

fn who(identity: &Identity, member: &Member) -> String {
    let email = identity.email.as_ref().map(|email| match email {
        Email::Verified(address) => format!("{address} (verified)"),
        other => format!("{} (not verified: never decide by it)", other.address()),
    });
    let guest = match identity.is_guest {
        true => "a guest",
        false => "at home here",
    };
    let signed_in_by = identity.amr.join(", ");
    let mut rows = String::new();
    for (label, value) in [
        ("User name", identity.username.clone()),
        ("E-mail", email),
        ("Job title", member.job_title.clone()),
        ("Office", member.office.clone()),
        ("Account", Some(guest.to_owned())),
        ("Signed in by", Some(signed_in_by)),
        ("Roles", Some(identity.roles.join(", "))),
    ] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            rows += &entry(label, &value);
        }
    }
    rows
}

fn entry(label: &str, value: &str) -> String {
    format!("<div><dt>{label}</dt><dd>{}</dd></div>\n", escape(value))
}

fn time(at: entra_core::Timestamp) -> String {
    let text = at.format(&Rfc3339).unwrap_or_default();
    text.replace('T', " ").replace('Z', " UTC")
}

fn layout(title: &str, name: Option<&str>, content: &str) -> String {
    let person = name.map_or_else(String::new, |name| {
        format!(
            "<div class=\"person\"><span>{}</span>\n\
             <form method=\"post\" action=\"/auth/sign-out\"><button class=\"plain\">Sign out</button></form></div>\n",
            escape(name)
        )
    });
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n\
         <link rel=\"stylesheet\" href=\"/style.css\">\n<link rel=\"icon\" href=\"/icon.svg\">\n</head>\n<body>\n\
         <header><a class=\"brand\" href=\"/\">Helpdesk</a>\n{person}</header>\n<main>\n{content}</main>\n</body>\n</html>\n",
        escape(title)
    )
}

/// Text as it may stand in an element or an attribute; people write their names themselves.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // What turns the reading direction could make one name look like another.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

pub(crate) const STYLE: &str = include_str!("style.css");
pub(crate) const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\"><rect width=\"16\" height=\"16\" rx=\"4\" fill=\"#0f5fc2\"/><path d=\"M5 4v8M11 4v8M5 8h6\" stroke=\"#fff\" stroke-width=\"2\"/></svg>";
