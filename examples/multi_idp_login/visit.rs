//! A visit without a browser: what users do at the site, as HTTP requests.

use std::{
    collections::BTreeMap,
    error::Error,
    io::{self, Write},
};

use entra_auth::entra_core::{
    HttpTransport, ReqwestTransport,
    bytes::Bytes,
    http,
    url::{Url, form_urlencoded},
};
use entra_mock::FakeTenant;

use super::sample::{CONTOSO_USER, FABRIKAM_USER, LOCAL_USER, Organizations, STRANGER};

/// Visits the site as each of the sample users.
pub(crate) async fn visit(
    url: &str,
    organizations: &Organizations,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let (contoso, fabrikam) = (&organizations.contoso, &organizations.fabrikam);
    for (login, tenant) in [(CONTOSO_USER, contoso), (FABRIKAM_USER, fabrikam)] {
        writeln!(out, "\n{login}")?;
        let mut visitor = Visitor::new(url);
        visitor.enter_login(login, tenant, out).await?;
        visitor.post("/auth/sign-out", &[], out).await?;
        visitor.get("/home", out).await?;
    }
    writeln!(out, "\n{LOCAL_USER}")?;
    let mut visitor = Visitor::new(url);
    let page = visitor
        .post("/sign-in", &[("login", LOCAL_USER)], out)
        .await?;
    if page.body.contains("type=\"password\"") {
        for password in ["a wrong one", organizations.password.expose_secret()] {
            let form = [("login", LOCAL_USER), ("password", password)];
            visitor.post("/password", &form, out).await?;
        }
        visitor.get("/home", out).await?;
        visitor.post("/sign-out", &[], out).await?;
        visitor.get("/home", out).await?;
    }
    writeln!(out, "\n{STRANGER}")?;
    let mut visitor = Visitor::new(url);
    visitor.sign_in("contoso", contoso, STRANGER, out).await?;
    Ok(())
}

/// A minimal browser: it stores cookies and prints each response.
pub(crate) struct Visitor {
    url: String,
    transport: ReqwestTransport,
    cookies: BTreeMap<String, String>,
}

pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) location: String,
    pub(crate) body: String,
}

impl Visitor {
    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            transport: ReqwestTransport::default(),
            cookies: BTreeMap::new(),
        }
    }

    /// Enters a login at the front page, which leads to the sign-in of its organization.
    async fn enter_login(
        &mut self,
        login: &str,
        tenant: &FakeTenant,
        out: &mut impl Write,
    ) -> Result<Page, Box<dyn Error>> {
        let page = self.post("/sign-in", &[("login", login)], out).await?;
        let start = self.get(&page.location, out).await?;
        self.at_the_tenant(&start.location, tenant, login, out)
            .await
    }

    /// Signs in with the button of a connection.
    pub(crate) async fn sign_in(
        &mut self,
        connection: &str,
        tenant: &FakeTenant,
        user: &str,
        out: &mut impl Write,
    ) -> Result<Page, Box<dyn Error>> {
        let start = format!("/auth/sign-in/{connection}?return=/home");
        self.sign_in_from(&start, tenant, user, out).await
    }

    /// Signs in from the path that starts a sign-in.
    pub(crate) async fn sign_in_from(
        &mut self,
        start: &str,
        tenant: &FakeTenant,
        user: &str,
        out: &mut impl Write,
    ) -> Result<Page, Box<dyn Error>> {
        let start = self.get(start, out).await?;
        self.at_the_tenant(&start.location, tenant, user, out).await
    }

    /// Password and consent, which a user enters at the pages of the tenant.
    async fn at_the_tenant(
        &mut self,
        location: &str,
        tenant: &FakeTenant,
        user: &str,
        out: &mut impl Write,
    ) -> Result<Page, Box<dyn Error>> {
        let back = tenant.sign_in_at(location, user);
        let callback = Url::parse(back.address())?;
        let form: Vec<(String, String)> = form_urlencoded::parse(back.query().as_bytes())
            .into_owned()
            .collect();
        let form: Vec<(&str, &str)> = form
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let page = self.post(callback.path(), &form, out).await?;
        match page.status {
            303 => self.get(&page.location, out).await,
            _ => Ok(page),
        }
    }

    pub(crate) async fn get(
        &mut self,
        path: &str,
        out: &mut impl Write,
    ) -> Result<Page, Box<dyn Error>> {
        let request = http::Request::get(format!("{}{path}", self.url));
        self.send(request, Bytes::new(), ("GET", path), out).await
    }

    pub(crate) async fn post(
        &mut self,
        path: &str,
        form: &[(&str, &str)],
        out: &mut impl Write,
    ) -> Result<Page, Box<dyn Error>> {
        let mut body = form_urlencoded::Serializer::new(String::new());
        let body = Bytes::from(body.extend_pairs(form).finish());
        let request = http::Request::post(format!("{}{path}", self.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", &self.url);
        self.send(request, body, ("POST", path), out).await
    }

    async fn send(
        &mut self,
        request: http::request::Builder,
        body: Bytes,
        (method, path): (&str, &str),
        out: &mut impl Write,
    ) -> Result<Page, Box<dyn Error>> {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = request
            .header("accept", "text/html")
            .header("cookie", cookies.join("; "))
            .body(body)?;
        let response = self.transport.send(request).await?;
        let headers = response.headers();
        for cookie in headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap_or_default();
            let pair = cookie.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                match cookie.contains("Max-Age=0") {
                    true => self.cookies.remove(name),
                    false => self.cookies.insert(name.to_owned(), value.to_owned()),
                };
            }
        }
        let location = headers.get("location").and_then(|to| to.to_str().ok());
        let page = Page {
            status: response.status().as_u16(),
            location: location.unwrap_or_default().to_owned(),
            body: String::from_utf8_lossy(response.body()).into_owned(),
        };
        page.print(method, path, out)?;
        Ok(page)
    }
}

impl Page {
    /// Prints status and heading, or the target of the redirect. Queries are left out: they may hold a code.
    fn print(&self, method: &str, path: &str, out: &mut impl Write) -> io::Result<()> {
        let bare = |text: &str| text.split('?').next().unwrap_or_default().to_owned();
        let shown = match self.location.as_str() {
            "" => {
                let rest = self.body.split_once("<h1").map_or("", |(_, rest)| rest);
                let rest = rest.split_once('>').map_or("", |(_, rest)| rest);
                rest.split('<').next().unwrap_or_default().to_owned()
            }
            location => format!("to {}", bare(location)),
        };
        let request = format!("{method} {}", bare(path));
        writeln!(out, "  {request:<32}{}  {shown}", self.status)
    }
}
