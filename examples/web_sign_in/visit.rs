//! A visit without a browser: what people do at the site, as HTTP requests.

use std::{collections::BTreeMap, io::Write};

use entra_core::{HttpTransport, ReqwestTransport, bytes::Bytes, http, url::Url};
use entra_mock::FakeTenant;

use super::{companies::Company, problem::Problem};

/// Somebody of each company comes, and one who may not enter; each is told.
pub(crate) async fn visit(
    url: &str,
    companies: &[Company],
    out: &mut impl Write,
) -> Result<(), Problem> {
    for company in companies {
        for name in ["adele", "felix"] {
            let name = format!("{name}@{}", company.tenant.domain());
            writeln!(out, "\n{name}")?;
            let mut visitor = Visitor::new(url);
            visitor
                .come(company.key, &company.tenant, &name, out)
                .await?;
        }
    }
    Ok(())
}

/// A browser that is just good enough: it keeps cookies, and follows where it is sent.
struct Visitor {
    url: String,
    transport: ReqwestTransport,
    cookies: BTreeMap<String, String>,
}

struct Answer {
    status: u16,
    location: String,
    body: String,
}

impl Visitor {
    fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            transport: ReqwestTransport::default(),
            cookies: BTreeMap::new(),
        }
    }

    async fn come(
        &mut self,
        key: &str,
        tenant: &FakeTenant,
        name: &str,
        out: &mut impl Write,
    ) -> Result<(), Problem> {
        self.get("/desk", out).await?;
        let start = format!("/auth/sign-in/{key}?return=/desk");
        let start = self.get(&start, out).await?;
        // The person's part, password and consent: at the tenant, whose pages a browser would show.
        let back = tenant.sign_in_at(&start.location, name);
        line(out, "(signs in at the tenant)", "")?;
        let answer = match back.is_posted() {
            true => {
                let callback = path(back.address());
                self.post(&callback, &back.query(), out).await?
            }
            false => self.get(&path(back.address()), out).await?,
        };
        if answer.status == 303 {
            self.get(&answer.location, out).await?;
            self.post("/auth/sign-out", "", out).await?;
            self.get("/desk", out).await?;
        }
        Ok(())
    }

    async fn get(&mut self, path: &str, out: &mut impl Write) -> Result<Answer, Problem> {
        self.send("GET", path, "", out).await
    }

    async fn post(
        &mut self,
        path: &str,
        form: &str,
        out: &mut impl Write,
    ) -> Result<Answer, Problem> {
        self.send("POST", path, form, out).await
    }

    async fn send(
        &mut self,
        method: &str,
        path: &str,
        form: &str,
        out: &mut impl Write,
    ) -> Result<Answer, Problem> {
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
        let failed = |error: &(dyn std::error::Error + 'static)| {
            Problem::new(format!("{} cannot be visited", self.url)).because(error)
        };
        let request = request
            .body(Bytes::copy_from_slice(form.as_bytes()))
            .map_err(|error| failed(&error))?;
        let answer = self.transport.send(request).await;
        let answer = answer.map_err(|error| failed(&error))?;
        let headers = answer.headers();
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
        let answer = Answer {
            status: answer.status().as_u16(),
            location: location.unwrap_or_default().to_owned(),
            body: String::from_utf8_lossy(answer.body()).into_owned(),
        };
        let asked = path.split('?').next().unwrap_or_default();
        line(out, &format!("{method} {asked}"), &answer.summary())?;
        Ok(answer)
    }
}

impl Answer {
    /// Status and heading, or where the browser is sent; without what is secret in an address.
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

fn line(out: &mut impl Write, what: &str, answer: &str) -> Result<(), Problem> {
    let line = format!("  {what:<30}{answer}");
    Ok(writeln!(out, "{}", line.trim_end())?)
}

/// The part of the callback's address that a request has.
fn path(address: &str) -> String {
    match Url::parse(address) {
        Ok(url) => match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        },
        Err(_) => "/".to_owned(),
    }
}
