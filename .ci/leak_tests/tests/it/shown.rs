//! What was formatted, and the search for canaries in it.

use std::{
    any::type_name,
    collections::BTreeSet,
    error::Error,
    fmt::{Debug, Display, Write as _},
    io,
    sync::{Arc, LazyLock, Mutex},
};

use entra_core::{HttpTransport, ReqwestTransport, Secret};
use tracing_subscriber::fmt::MakeWriter;

/// Every secret begins with it. It cannot occur by chance in an id, a key or a digest.
const CANARY: &str = "canary-zyx";

/// A secret from this source.
pub(crate) fn canary(source: &str) -> Secret {
    Secret::from(canary_text(source))
}

pub(crate) fn canary_text(source: &str) -> String {
    format!("{CANARY}-{source}")
}

/// A transport whose proxy has a password, and which reaches nothing.
pub(crate) fn behind_proxy() -> impl HttpTransport + Clone {
    let proxy = format!("http://{CANARY}-user:{CANARY}-password@127.0.0.1:9");
    Arc::new(ReqwestTransport::builder().proxy(&proxy).unwrap().build())
}

/// Texts of values, by the type that made them. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Shown(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    types: BTreeSet<String>,
    texts: Vec<(String, String)>,
    /// Secrets that a service or generator chose.
    secrets: Vec<String>,
}

impl Shown {
    pub(crate) fn debug<T: Debug>(&self, value: &T) {
        self.add::<T>(format!("{value:?}\n{value:#?}"));
    }

    pub(crate) fn display<T: Debug + Display>(&self, value: &T) {
        self.add::<T>(format!("{value:?}\n{value:#?}\n{value}\n{value:#}"));
    }

    /// The error and all of its sources.
    pub(crate) fn error<E: Error + 'static>(&self, error: &E) {
        let mut text = String::new();
        let mut next: Option<&dyn Error> = Some(error);
        while let Some(error) = next {
            writeln!(text, "{error}\n{error:#}\n{error:?}\n{error:#?}").unwrap();
            next = error.source();
        }
        self.add::<E>(text);
    }

    /// A secret that is looked for beside the canaries.
    pub(crate) fn secret(&self, secret: &str) {
        assert!(secret.len() >= 16, "too short to be told from chance");
        self.0.lock().unwrap().secrets.push(secret.to_owned());
    }

    pub(crate) fn types(&self) -> BTreeSet<String> {
        self.0.lock().unwrap().types.clone()
    }

    pub(crate) fn check(&self) {
        assert!(
            self.0.lock().unwrap().texts.len() > 50,
            "the cases did not run"
        );
        self.check_all();
    }

    pub(crate) fn check_all(&self) {
        let texts = self.0.lock().unwrap().texts.clone();
        for (name, text) in texts {
            self.check_text(&name, &text);
        }
    }

    pub(crate) fn check_text(&self, name: &str, text: &str) {
        assert!(
            !text.to_lowercase().contains(CANARY),
            "{name} shows a secret: {text}"
        );
        for secret in &self.0.lock().unwrap().secrets {
            assert!(
                !text.contains(secret.as_str()),
                "{name} shows {secret}: {text}"
            );
        }
    }

    fn add<T>(&self, text: String) {
        let mut inner = self.0.lock().unwrap();
        let name = type_name::<T>().trim_start_matches('&');
        let name = name.split('<').next().unwrap_or(name).to_owned();
        inner.types.insert(name.clone());
        inner.texts.push((name, text));
    }
}

#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// All that this thread logs, at TRACE.
pub(crate) fn listen() -> (Log, tracing::subscriber::DefaultGuard) {
    // While there is one subscriber only, an event is off for all threads once a thread without
    // one came across it first.
    static SECOND: LazyLock<tracing::Dispatch> = LazyLock::new(|| {
        let all = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
        tracing::Dispatch::new(all.with_writer(io::sink).finish())
    });
    LazyLock::force(&SECOND);
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(log.clone())
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

#[test]
#[should_panic(expected = "shows a secret")]
fn a_type_that_shows_a_canary_is_found() {
    let shown = Shown::default();
    shown.check_text(
        "a test",
        &format!("{:?}", canary_text("TEST").to_uppercase()),
    );
}
