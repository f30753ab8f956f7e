//! A visit without a browser: what users do at the site, as HTTP requests.

use std::{collections::BTreeMap, error::Error, io::Write};

use entra_auth::entra_core::{HttpTransport, ReqwestTransport, bytes::Bytes, http, url::Url};
use entra_mock::FakeTenant;

/// Visits the site as a user who may enter and as one who may not.
pub(crate) async fn visit(
    url: &str,
    tenant: &FakeTenant,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    for name in ["adele", "felix"] {
        let name = format!("{name}@{}", tenant.domain());
        writeln!(out, "\n{name}")?;
        let mut visitor = Visitor::new(url);
        visitor.get("/desk", out).await?;
        let page = visitor.sign_in(tenant, &name, out).await?;
        if page.status == 303 {
            visitor.get(&page.location, out).await?;
            visitor.post("/auth/sign-out", "", out).await?;
            visitor.get("/desk", out).await?;
        }
    }
    Ok(())
}

/// A minimal browser: it stores cookies and follows redirects.
pub(crate) struct Visitor {
    url: String,
    transport: ReqwestTransport,
    cookies: BTreeMap<String, String>,
}

pub(crate) struct Page {
    status: u16,
    location: String,
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

    /// Signs a user in, and returns the response to the callback.
    pub(crate) async fn sign_in(
        &mut self,
        tenant: &FakeTenant,
        name: &str,
        out: &mut impl Write,
    ) -> Result<Page, Box<dyn Error>> {
        let start = self.get("/auth/sign-in?return=/desk", out).await?;
        // Password and consent, which a user enters at the pages of the tenant.
        let back = tenant.sign_in_at(&start.location, name);
        line(out, "(signs in at the tenant)", "")?;
        let callback = path(back.address());
        match back.is_posted() {
            true => self.post(&callback, &back.query(), out).await,
            false => self.get(&callback, out).await,
        }
    }

    async fn get(&mut self, path: &str, out: &mut impl Write) -> Result<Page, Box<dyn Error>> {
        self.send("GET", path, "", out).await
    }

    async fn post(
        &mut self,
        path: &str,
        form: &str,
        out: &mut impl Write,
    ) -> Result<Page, Box<dyn Error>> {
        self.send("POST", path, form, out).await
    }

    async fn send(
        &mut self,
        method: &str,
        path: &str,
        form: &str,
        out: &mut impl Write,
    ) -> Result<Page, Box<dyn Error>> {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("accept", "text/html")
            .header("cookie", cookies.join("; "));
        if method == "POST" {
            request = request
                .header("content-type", "application/x-www-form-urlencoded")
                .header("origin", &self.url);
        }
        let request = request.body(Bytes::copy_from_slice(form.as_bytes()))?;
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
        let path = path.split('?').next().unwrap_or_default();
        line(out, &format!("{method} {path}"), &page.summary())?;
        Ok(page)
    }
}

impl Page {
    /// Status and heading, or the target of the redirect without its query, which may hold a code.
    fn summary(&self) -> String {
        if !self.location.is_empty() {
            let to = self.location.split('?').next().unwrap_or_default();
            return format!("{}  to {to}", self.status);
        }
        let text = |tag: &str| {
            let (_, rest) = self.body.split_once(&format!("<{tag}"))?;
            let (_, rest) = rest.split_once('>')?;
            rest.split_once('<').map(|(text, _)| text)
        };
        let heading = text("h2").filter(|_| self.status == 200).or(text("h1"));
        format!("{}  {}", self.status, heading.unwrap_or_default())
    }
}

fn line(out: &mut impl Write, request: &str, response: &str) -> Result<(), Box<dyn Error>> {
    let line = format!("  {request:<30}{response}");
    Ok(writeln!(out, "{}", line.trim_end())?)
}

/// Path and query of the callback's URL.
fn path(url: &str) -> String {
    match Url::parse(url) {
        Ok(url) => match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        },
        Err(_) => "/".to_owned(),
    }
}
