//! The sign-in pages: user name, password, second factor, account picker.

use super::{
    Page,
    markup::{escape, field_error, hidden, title},
};

/// The first step: the user name.
pub(in crate::login) fn user_name(
    app: &str,
    name: &str,
    action: &str,
    error: Option<&str>,
) -> Page {
    let (message, invalid) = field_error(error);
    let content = format!(
        "<h1>Sign in</h1>\n<p class=\"soft\">to continue to {app}</p>\n\
         <form method=\"post\" action=\"{action}\">\n{message}\
         <label for=\"login\">Email or user name</label>\n\
         <input class=\"field\" id=\"login\" name=\"login\" type=\"text\" inputmode=\"email\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" value=\"{name}\" maxlength=\"113\" required autofocus{invalid}>\n\
         <div class=\"buttons\"><button id=\"next\" name=\"step\" value=\"username\">Next</button>\n\
         <button id=\"cancel\" name=\"step\" value=\"cancel\" class=\"plain\" formnovalidate>Cancel</button></div>\n</form>",
        app = escape(app),
        action = escape(action),
        name = escape(name),
    );
    Page::new(&title("Sign in", error), content)
}

/// The second step: the password.
pub(in crate::login) fn password(
    app: &str,
    name: &str,
    keep: bool,
    action: &str,
    error: Option<&str>,
) -> Page {
    let (message, invalid) = field_error(error);
    let content = format!(
        "<form method=\"post\" action=\"{action}\" class=\"who\"><button id=\"back\" name=\"step\" value=\"other\" aria-label=\"Back, use another account\">&#8592;</button><span>{name}</span></form>\n\
         <h1>Enter password</h1>\n<p class=\"soft\">to continue to {app}</p>\n\
         <form method=\"post\" action=\"{action}\" id=\"password-form\">\n{login}{message}\
         <input class=\"offscreen\" id=\"account-name\" type=\"text\" value=\"{name}\" autocomplete=\"username\" readonly tabindex=\"-1\" aria-hidden=\"true\">\n\
         <label for=\"passwd\">Password</label>\n\
         <input class=\"field\" id=\"passwd\" name=\"passwd\" type=\"password\" autocomplete=\"current-password\" required autofocus{invalid}>\n\
         <p class=\"check\"><input id=\"keep\" name=\"keep\" type=\"checkbox\" value=\"1\"{kept}><label for=\"keep\">Stay signed in</label></p>\n\
         <div class=\"buttons\"><button id=\"sign-in\" name=\"step\" value=\"password\">Sign in</button>\n\
         <button id=\"cancel\" name=\"step\" value=\"cancel\" class=\"plain\" formnovalidate>Cancel</button></div>\n</form>",
        app = escape(app),
        action = escape(action),
        login = hidden("login", name),
        name = escape(name),
        kept = if keep { " checked" } else { "" },
    );
    Page::new(&title("Enter password", error), content)
}

/// Multifactor authentication.
pub(in crate::login) fn second_factor(name: &str, flow: &str, action: &str) -> Page {
    let content = format!(
        "<p class=\"who\">{}</p>\n<h1>Approve sign-in</h1>\n\
         <p>Your organization requires multifactor authentication. In this fake tenant, the button approves the sign-in.</p>\n\
         <form method=\"post\" action=\"{}\">\n{}<div class=\"buttons\">\
         <button id=\"approve\" name=\"step\" value=\"second-factor\" autofocus>Approve</button>\n\
         <button id=\"cancel\" name=\"step\" value=\"cancel\" class=\"plain\">Cancel</button></div>\n</form>",
        escape(name),
        escape(action),
        hidden("flow", flow),
    );
    Page::new("Approve sign-in", content)
}

/// An account that the browser has a session for.
pub(in crate::login) struct AccountTile {
    pub(in crate::login) id: String,
    pub(in crate::login) display_name: String,
    pub(in crate::login) user_name: String,
}

/// Selects one of the browser's accounts, or another one.
pub(in crate::login) fn sign_in_picker(app: &str, accounts: &[AccountTile], action: &str) -> Page {
    let content = format!(
        "<h1>Pick an account</h1>\n<p class=\"soft\">to continue to {}</p>\n\
         <form method=\"post\" action=\"{}\">\n<ul class=\"tiles\">\n{}\
         <li><button id=\"other\" name=\"step\" value=\"other\"><span class=\"face\" aria-hidden=\"true\">+</span><span class=\"lines\">Use another account</span></button></li>\n</ul>\n\
         <div class=\"buttons\"><button id=\"cancel\" name=\"step\" value=\"cancel\" class=\"plain\">Cancel</button></div>\n</form>",
        escape(app),
        escape(action),
        tiles(accounts, "Signed in"),
    );
    Page::new("Pick an account", content)
}

/// Selects which of several accounts to sign out.
pub(in crate::login) fn sign_out_picker(accounts: &[AccountTile], action: &str) -> Page {
    let content = format!(
        "<h1>Pick an account</h1>\n<p class=\"soft\">Which account do you want to sign out of?</p>\n\
         <form method=\"post\" action=\"{}\">\n<ul class=\"tiles\">\n{}</ul>\n\
         <div class=\"buttons\"><button id=\"all\" name=\"step\" value=\"all\">Sign out of all</button></div>\n</form>",
        escape(action),
        tiles(accounts, "Signed in"),
    );
    Page::new("Pick an account", content)
}

fn tiles(accounts: &[AccountTile], note: &str) -> String {
    accounts
        .iter()
        .map(|account| {
            let initial: String = account.display_name.chars().take(1).collect();
            format!(
                "<li><button name=\"account\" value=\"{}\"><span class=\"face\" aria-hidden=\"true\">{}</span>\
                 <span class=\"lines\">{}<small>{}</small><small>{note}</small></span></button></li>\n",
                escape(&account.id),
                escape(&initial),
                escape(&account.display_name),
                escape(&account.user_name),
            )
        })
        .collect()
}
