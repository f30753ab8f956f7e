//! The pages of the product: HTML without scripts. Texts of a tenant are escaped.

use entra_auth::{
    entra_core::Timestamp,
    sign_in::{Email, Identity},
    web::{Session, pages::escape},
};

use super::site::{Member, shown_name};

/// The front page: the sign-in, or a link to the desk.
pub(crate) fn front(name: Option<&str>, tips: &str) -> String {
    let (title, content) = match name {
        Some(name) => (
            "Helpdesk",
            format!(
                "<h1>Welcome back, {}</h1>\n<p class=\"lede\">You are signed in.</p>\n\
                 <p><a class=\"button\" href=\"/desk\">Open the desk</a></p>\n{tips}",
                escape(name)
            ),
        ),
        None => (
            "Sign in",
            format!(
                "<h1>Sign in to Helpdesk</h1>\n\
                 <p class=\"lede\">Use your work or school account.</p>\n\
                 <p><a class=\"button\" href=\"/auth/sign-in?return=/desk\">Sign in</a></p>\n{tips}"
            ),
        ),
    };
    layout(title, name, &content)
}

/// The page of a signed-in user: why the user may enter, and the account.
pub(crate) fn desk(session: &Session, member: &Member) -> String {
    let identity = session.identity();
    let name = shown_name(identity);
    let why = match &member.group {
        Some(group) => format!(
            "You are a member of the group <strong>{}</strong>.",
            escape(group)
        ),
        None => "All users of your organization may enter.".to_owned(),
    };
    let content = format!(
        "<h1>Hello, {name}</h1>\n\
         <section class=\"card good\" aria-labelledby=\"access\"><h2 id=\"access\">You may enter</h2>\n\
         <p>{why} Microsoft Graph confirmed it when you signed in.</p></section>\n\
         <section class=\"card\" aria-labelledby=\"who\"><h2 id=\"who\">Your account</h2>\n<dl>\n{who}</dl></section>\n\
         <section class=\"card\" aria-labelledby=\"key\"><h2 id=\"key\">The key of your data</h2>\n\
         <p class=\"soft\">Names and addresses change. These two IDs do not.</p>\n<dl>\n{key}</dl></section>\n\
         <section class=\"card\" aria-labelledby=\"session\"><h2 id=\"session\">This session</h2>\n<dl>\n{times}</dl>\n\
         <p><a href=\"/auth/sign-in?return=/desk&amp;prompt=select_account\">Sign in with another account</a></p></section>\n",
        name = escape(&name),
        who = account(identity),
        key = entry("Tenant ID", &identity.tid.to_string())
            + &entry("Object ID", &identity.oid.to_string()),
        times = entry("Since", &time(session.since())) + &entry("Expires", &time(session.until())),
    );
    layout("Your desk", Some(&name), &content)
}

fn account(identity: &Identity) -> String {
    // An address that is not verified never identifies a user.
    let email = identity.email.as_ref().map(|email| match email {
        Email::Verified(address) => address.clone(),
        other => format!("{} (not verified)", other.address()),
    });
    let guest = match identity.is_guest {
        true => "Guest of this organization",
        false => "Member of this organization",
    };
    let mut rows = String::new();
    for (label, value) in [
        ("User name", identity.username.clone()),
        ("Email", email),
        ("Account", Some(guest.to_owned())),
        ("Sign-in methods", Some(identity.amr.join(", "))),
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
    format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute())
}

fn layout(title: &str, name: Option<&str>, content: &str) -> String {
    let account = name.map_or_else(String::new, |name| {
        format!(
            "<div class=\"account\"><span>{}</span>\n\
             <form method=\"post\" action=\"/auth/sign-out\"><button class=\"plain\">Sign out</button></form></div>\n",
            escape(name)
        )
    });
    let title = match title {
        "Helpdesk" => title.to_owned(),
        title => format!("{title} - Helpdesk"),
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <link rel=\"stylesheet\" href=\"/style.css\">\n<link rel=\"icon\" href=\"/icon.svg\">\n</head>\n<body>\n\
         <header><a class=\"brand\" href=\"/\"><img src=\"/icon.svg\" alt=\"\" width=\"24\" height=\"24\">Helpdesk</a>\n\
         {account}</header>\n<main>\n{content}</main>\n</body>\n</html>\n"
    )
}

pub(crate) const STYLE: &str = include_str!("style.css");
pub(crate) const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\"><rect width=\"16\" height=\"16\" rx=\"4\" fill=\"#0f5fc2\"/><path d=\"M5 4v8M11 4v8M5 8h6\" stroke=\"#fff\" stroke-width=\"2\"/></svg>";
