//! The loopback port that a browser brings its response to.

use std::{io, time::Duration};

use entra_core::url::form_urlencoded;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::AbortHandle,
    time::timeout,
};

use super::page;

/// Listens until it is dropped.
pub(super) struct Listener {
    port: u16,
    callbacks: mpsc::Receiver<BrowserCallback>,
    tasks: Vec<AbortHandle>,
}

/// What a browser has brought, while it waits for a page.
pub(super) struct BrowserCallback {
    pub(super) parameters: String,
    page: oneshot::Sender<String>,
}

impl Listener {
    pub(super) async fn start() -> io::Result<Self> {
        let first = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = first.local_addr()?.port();
        // Where `localhost` is an IPv6 address first; if the port is in use there, IPv4 is enough.
        let second = TcpListener::bind(("::1", port)).await.ok();
        let (found, callbacks) = mpsc::channel(8);
        let tasks = std::iter::once(first)
            .chain(second)
            .map(|listener| tokio::spawn(accept(listener, found.clone())).abort_handle())
            .collect();
        Ok(Self {
            port,
            callbacks,
            tasks,
        })
    }

    /// The redirect URI. Registered is `http://localhost`; Entra ignores the port.
    pub(super) fn address(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Waits for the first callback with this state. Callbacks with another state get an error page,
    /// because any local program may send one.
    pub(super) async fn callback_for(&mut self, state: &str) -> Option<BrowserCallback> {
        loop {
            let callback = self.callbacks.recv().await?;
            let is_own = form_urlencoded::parse(callback.parameters.as_bytes())
                .any(|(name, value)| name == "state" && value == state);
            if is_own {
                return Some(callback);
            }
            callback.show(page::foreign());
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl BrowserCallback {
    /// Shows the browser how it went; nothing if it has gone.
    pub(super) fn show(self, page: String) {
        let _ = self.page.send(page);
    }
}

async fn accept(listener: TcpListener, found: mpsc::Sender<BrowserCallback>) {
    loop {
        match listener.accept().await {
            // Browsers open connections ahead of need, so none may block the others.
            Ok((stream, _)) => drop(tokio::spawn(serve(stream, found.clone()))),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn serve(mut stream: TcpStream, found: mpsc::Sender<BrowserCallback>) {
    let request = timeout(PATIENCE, read(&mut stream)).await;
    let (status, body) = match request {
        Ok(Some(parameters)) => {
            let (page, shown) = oneshot::channel();
            let callback = BrowserCallback { parameters, page };
            if found.send(callback).await.is_err() {
                return;
            }
            drop(found);
            match shown.await {
                Ok(page) => ("200 OK", page),
                Err(_) => ("200 OK", page::foreign()),
            }
        }
        Ok(None) => ("404 Not Found", String::new()),
        Err(_) => return,
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\ncontent-security-policy: default-src 'none'; style-src 'unsafe-inline'\r\n\
         referrer-policy: no-referrer\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all((head + &body).as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// The parameters of a request to `/`; none for anything else.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if more(stream, &mut bytes).await? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).ok()?;
    let (line, headers) = head.split_once("\r\n").unwrap_or((&head, ""));
    let mut words = line.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path != "/" {
        return None;
    }
    match method {
        "GET" => Some(query.to_owned()).filter(|query| !query.is_empty()),
        "POST" => {
            let length = headers
                .split("\r\n")
                .filter_map(|header| header.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, value)| value.trim().parse::<usize>().ok())
                .filter(|length| *length <= LONGEST)?;
            let start = head_end + 4;
            while bytes.len() < start + length {
                if more(stream, &mut bytes).await? == 0 {
                    return None;
                }
            }
            String::from_utf8(bytes[start..start + length].to_vec()).ok()
        }
        _ => None,
    }
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<usize> {
    if bytes.len() > LONGEST + 16 * 1024 {
        return None;
    }
    stream.read_buf(bytes).await.ok()
}

/// Far more than a response has.
const LONGEST: usize = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(15);
