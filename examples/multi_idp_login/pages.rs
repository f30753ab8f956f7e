//! The pages of the product: HTML without scripts. Texts of a tenant are escaped.

use entra_auth::web::pages::escape;

use super::find_tenant::FoundTenant;

/// A user who is signed in.
pub(crate) struct Visitor {
    pub(crate) name: String,
    /// What the connection is called; `None` after a sign-in with a password.
    pub(crate) connection: Option<String>,
    pub(crate) user_name: Option<String>,
    /// Tenant ID and object ID.
    pub(crate) key: Option<(String, String)>,
}

/// The front page: the login, or a link to the home page.
pub(crate) fn front(
    visitor: Option<&Visitor>,
    connections: &[(String, String)],
    tips: &str,
) -> String {
    if let Some(visitor) = visitor {
        let content = format!(
            "<h1>Welcome back, {}</h1>\n<p class=\"lede\">You are signed in.</p>\n\
             <p><a class=\"button\" href=\"/home\">Open Contact Center</a></p>\n{tips}",
            escape(&visitor.name)
        );
        return layout("Contact Center", Some(visitor), &content);
    }
    let content = format!(
        "<h1>Sign in to Contact Center</h1>\n\
         <p class=\"lede\">Enter your login. You are sent to your organization, or asked for your password.</p>\n\
         <form method=\"post\" action=\"/sign-in\" class=\"card\">\n\
         <label for=\"login\">Login</label>\n\
         <div class=\"row\"><input id=\"login\" name=\"login\" type=\"email\" autocomplete=\"username\" required>\n\
         <button>Next</button></div>\n</form>\n{}{tips}",
        buttons("Or choose your organization", connections)
    );
    layout("Sign in", None, &content)
}

/// A link to the sign-in of each connection.
fn buttons(heading: &str, connections: &[(String, String)]) -> String {
    let mut links = String::new();
    for (name, title) in connections {
        links += &format!(
            "<li><a class=\"tile\" href=\"/auth/sign-in/{}?return=/home\">Sign in with <strong>{}</strong></a></li>\n",
            escape(name),
            escape(title)
        );
    }
    format!(
        "<section aria-labelledby=\"connections\"><h2 id=\"connections\">{heading}</h2>\n\
         <ul class=\"tiles\">\n{links}</ul></section>\n"
    )
}

/// The page that asks for the password of a login.
pub(crate) fn password(login: &str, is_wrong: bool) -> String {
    let problem = match is_wrong {
        true => {
            "<p class=\"problem\" role=\"alert\">Login or password is incorrect. After several attempts, wait a minute.</p>\n"
        }
        false => "",
    };
    let content = format!(
        "<h1>Enter your password</h1>\n<p class=\"lede\">{login}</p>\n\
         <form method=\"post\" action=\"/password\" class=\"card\">\n{problem}\
         <input type=\"hidden\" name=\"login\" value=\"{login}\" autocomplete=\"username\">\n\
         <label for=\"password\">Password</label>\n\
         <div class=\"row\"><input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required>\n\
         <button>Sign in</button></div>\n</form>\n<p class=\"after\"><a href=\"/\">Use another login</a></p>\n",
        login = escape(login)
    );
    layout("Password", None, &content)
}

/// The page for a login without a connection where passwords are not allowed.
pub(crate) fn not_set_up(login: &str, connections: &[(String, String)]) -> String {
    let content = format!(
        "<h1>No organization is set up for this login</h1>\n<p class=\"lede\">{}</p>\n{}\
         <p class=\"after\"><a href=\"/\">Use another login</a></p>\n",
        escape(login),
        buttons("Choose your organization", connections)
    );
    layout("No organization", None, &content)
}

/// The page of a form without a tenant ID: how to find it, or what the sign-in found.
pub(crate) fn find_tenant(name: &str, found: Option<&FoundTenant>) -> String {
    let content = match found {
        Some(found) => format!(
            "<h1>Is this your organization?</h1>\n\
             <section class=\"card good\" aria-labelledby=\"found\"><h2 id=\"found\">The account {} belongs to this tenant</h2>\n\
             <dl>\n{}</dl></section>\n\
             <p class=\"after\">If it is, enter it as Directory (tenant) ID of the connection (AZURE_TENANT_ID). If not, sign out at \
             Microsoft and sign in with an account of the right organization.</p>\n",
            escape(&found.user),
            entry("Tenant ID", &found.tenant)
        ),
        None => format!(
            "<h1>The tenant ID is missing</h1>\n\
             <p class=\"lede\">Enter the Directory (tenant) ID of App registrations &gt; Overview, or a domain of your users' addresses. \
             Or sign in with an account of your organization to find it.</p>\n\
             <p><a class=\"button\" href=\"/auth/sign-in/{}?return=/\">Sign in to find it</a></p>\n\
             <p class=\"after\">If Microsoft's page shows AADSTS50194, the app registration is for one organization only, and a sign-in \
             cannot find which: copy the Directory (tenant) ID from App registrations &gt; Overview.</p>\n",
            escape(name)
        ),
    };
    layout("Find your organization", None, &content)
}

/// The page of a signed-in user.
pub(crate) fn home(visitor: &Visitor) -> String {
    let how = match &visitor.connection {
        Some(connection) => format!(
            "You signed in with <strong>{}</strong>.",
            escape(connection)
        ),
        None => "You signed in with your <strong>password</strong> of Contact Center.".to_owned(),
    };
    let mut rows = String::new();
    if let Some(name) = &visitor.user_name {
        rows += &entry("Login", name);
    }
    if let Some((tenant, user)) = &visitor.key {
        rows += &entry("Tenant ID", tenant);
        rows += &entry("Object ID", user);
    }
    let content = format!(
        "<h1>Hello, {}</h1>\n\
         <section class=\"card good\" aria-labelledby=\"how\"><h2 id=\"how\">You are signed in</h2>\n<p>{how}</p></section>\n\
         <section class=\"card\" aria-labelledby=\"who\"><h2 id=\"who\">Your account</h2>\n<dl>\n{rows}</dl></section>\n",
        escape(&visitor.name)
    );
    layout("Home", Some(visitor), &content)
}

fn entry(label: &str, value: &str) -> String {
    format!("<div><dt>{label}</dt><dd>{}</dd></div>\n", escape(value))
}

fn layout(title: &str, visitor: Option<&Visitor>, content: &str) -> String {
    let account = visitor.map_or_else(String::new, |visitor| {
        // Each kind of session has its own end.
        let action = match visitor.connection {
            Some(_) => "/auth/sign-out",
            None => "/sign-out",
        };
        format!(
            "<div class=\"account\"><span>{}</span>\n\
             <form method=\"post\" action=\"{action}\"><button class=\"plain\">Sign out</button></form></div>\n",
            escape(&visitor.name)
        )
    });
    let title = match title {
        "Contact Center" => title.to_owned(),
        title => format!("{title} - Contact Center"),
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <link rel=\"stylesheet\" href=\"/style.css\">\n<link rel=\"icon\" href=\"/icon.svg\">\n</head>\n<body>\n\
         <header><a class=\"brand\" href=\"/\"><img src=\"/icon.svg\" alt=\"\" width=\"24\" height=\"24\">Contact Center</a>\n\
         {account}</header>\n<main>\n{content}</main>\n</body>\n</html>\n"
    )
}

pub(crate) const STYLE: &str = include_str!("style.css");
pub(crate) const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\"><rect width=\"16\" height=\"16\" rx=\"4\" fill=\"#0b6e5f\"/><path d=\"M4 5.5h8v5H8l-2.5 2v-2H4z\" fill=\"#fff\"/></svg>";
