//! A visit without a browser: what users do at the portals, as HTTP requests.

use std::{collections::BTreeMap, error::Error, io::Write};

use entra_auth::entra_core::{HttpTransport, ReqwestTransport, bytes::Bytes, http, url::Url};
use entra_mock::FakeTenant;

/// A minimal browser: it stores cookies and prints each response.
pub(crate) struct Visitor<'a, W> {
    url: &'a str,
    tenant: &'a FakeTenant,
    transport: ReqwestTransport,
    cookies: BTreeMap<String, String>,
    out: &'a mut W,
}

struct Page {
    location: String,
    body: String,
}

impl<'a, W: Write> Visitor<'a, W> {
    pub(crate) fn new(url: &'a str, tenant: &'a FakeTenant, out: &'a mut W) -> Self {
        Self {
            url,
            tenant,
            transport: ReqwestTransport::default(),
            cookies: BTreeMap::new(),
            out,
        }
    }

    /// Signs a user in at a portal, and returns the page that the user arrives at.
    pub(crate) async fn sign_in(
        &mut self,
        portal: &str,
        user: &str,
    ) -> Result<String, Box<dyn Error>> {
        writeln!(self.out, "\n{user} at the {portal} portal")?;
        let page = self.get(&format!("/{portal}")).await?;
        let page = self.get(&page.location).await?;
        // Password and consent, which a user enters at the pages of the tenant.
        let back = self.tenant.sign_in_at(&page.location, user);
        let back = Url::parse(back.address())?;
        let callback = format!("{}?{}", back.path(), back.query().unwrap_or_default());
        let page = self.get(&callback).await?;
        match page.location.is_empty() {
            true => Ok(page.body),
            false => Ok(self.get(&page.location).await?.body),
        }
    }

    pub(crate) async fn body(&mut self, path: &str) -> Result<String, Box<dyn Error>> {
        Ok(self.get(path).await?.body)
    }

    async fn get(&mut self, path: &str) -> Result<Page, Box<dyn Error>> {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = http::Request::get(format!("{}{path}", self.url))
            .header("accept", "text/html")
            .header("cookie", cookies.join("; "))
            .body(Bytes::new())?;
        let response = self.transport.send(request).await?;
        for cookie in response.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap_or_default();
            let pair = cookie.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                match cookie.contains("Max-Age=0") {
                    true => self.cookies.remove(name),
                    false => self.cookies.insert(name.to_owned(), value.to_owned()),
                };
            }
        }
        let location = response.headers().get("location");
        let page = Page {
            location: location
                .and_then(|to| to.to_str().ok())
                .unwrap_or_default()
                .to_owned(),
            body: String::from_utf8_lossy(response.body()).into_owned(),
        };
        // Without queries, which may hold a code.
        let bare = |text: &str| text.split('?').next().unwrap_or_default().to_owned();
        let shown = match page.location.as_str() {
            "" => heading(&page.body).to_owned(),
            location => format!("to {}", bare(location)),
        };
        let status = response.status().as_u16();
        writeln!(self.out, "  GET {:<28}{status}  {shown}", bare(path))?;
        Ok(page)
    }
}

fn heading(body: &str) -> &str {
    let rest = body.split_once("<h1>").map_or("", |(_, rest)| rest);
    rest.split('<').next().unwrap_or_default()
}
