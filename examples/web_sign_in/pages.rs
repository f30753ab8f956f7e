//! The pages of the product: HTML without scripts. Texts of a tenant are escaped.

use entra_auth::{
    entra_core::{Timestamp, time::format_description::well_known::Rfc3339},
    sign_in::{Email, Identity},
    web::Session,
};

use super::site::{Member, shown_name};

/// The front page: the customers to sign in with, or a link to the desk.
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
         <p class=\"lede\">Use your work or school account.</p>\n\
         <ul class=\"tiles\">\n{tiles}</ul>\n\
         <form method=\"post\" action=\"/auth/sign-in\" class=\"card\">\n\
         <input type=\"hidden\" name=\"return\" value=\"/desk\">\n\
         <label for=\"email\">Or enter your work email address</label>\n\
         <div class=\"row\"><input id=\"email\" name=\"email\" type=\"email\" autocomplete=\"username\" required>\n\
         <button>Next</button></div>\n</form>\n{tips}"
    );
    layout("Sign in to Helpdesk", None, &content)
}

/// The page of a signed-in user: why the user may enter, and the account.
pub(crate) fn desk(session: &Session, member: &Member) -> String {
    let identity = session.identity();
    let name = shown_name(identity);
    let why = match &member.group {
        Some(group) => format!(
            "You are a member of the group <strong>{}</strong> of {}.",
            escape(group),
            escape(&member.company)
        ),
        None => format!("All users of {} may enter.", escape(&member.company)),
    };
    let content = format!(
        "<h1>Hello, {name}</h1>\n\
         <section class=\"card good\" aria-labelledby=\"access\"><h2 id=\"access\">You may enter</h2>\n\
         <p>{why} Microsoft Graph was asked when you signed in.</p></section>\n\
         <section class=\"card\" aria-labelledby=\"who\"><h2 id=\"who\">Your account</h2>\n<dl>\n{who}</dl></section>\n\
         <section class=\"card\" aria-labelledby=\"key\"><h2 id=\"key\">The key of your data</h2>\n\
         <p class=\"soft\">Names and addresses change. These two IDs do not.</p>\n<dl>\n{key}</dl></section>\n\
         <section class=\"card\" aria-labelledby=\"session\"><h2 id=\"session\">This session</h2>\n<dl>\n{times}</dl>\n\
         <p><a href=\"/auth/sign-in/{connection}?return=/desk&amp;prompt=select_account\">Sign in with another account</a></p></section>\n",
        name = escape(&name),
        who = who(identity, member),
        key = entry("Tenant ID", &identity.tid.to_string())
            + &entry("Object ID", &identity.oid.to_string()),
        times = entry("Since", &time(session.since())) + &entry("Expires", &time(session.until())),
        connection = escape(session.connection()),
    );
    layout("Your desk", Some(&name), &content)
}

fn who(identity: &Identity, member: &Member) -> String {
    let email = identity.email.as_ref().map(|email| match email {
        Email::Verified(address) => format!("{address} (verified)"),
        other => format!(
            "{} (not verified: do not use it to identify the user)",
            other.address()
        ),
    });
    let guest = match identity.is_guest {
        true => "guest",
        false => "member",
    };
    let methods = identity.amr.join(", ");
    let mut rows = String::new();
    for (label, value) in [
        ("User name", identity.username.clone()),
        ("Email", email),
        ("Job title", member.job_title.clone()),
        ("Office", member.office.clone()),
        ("Account", Some(guest.to_owned())),
        ("Sign-in methods", Some(methods)),
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

fn time(at: Timestamp) -> String {
    let text = at.format(&Rfc3339).unwrap_or_default();
    text.replace('T', " ").replace('Z', " UTC")
}

fn layout(title: &str, name: Option<&str>, content: &str) -> String {
    let account = name.map_or_else(String::new, |name| {
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
         <header><a class=\"brand\" href=\"/\">Helpdesk</a>\n{account}</header>\n<main>\n{content}</main>\n</body>\n</html>\n",
        escape(title)
    )
}

/// Escapes a text for an element or an attribute; users choose their names.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // A change of the reading direction could make one name look like another.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

pub(crate) const STYLE: &str = include_str!("style.css");
pub(crate) const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\"><rect width=\"16\" height=\"16\" rx=\"4\" fill=\"#0f5fc2\"/><path d=\"M5 4v8M11 4v8M5 8h6\" stroke=\"#fff\" stroke-width=\"2\"/></svg>";
