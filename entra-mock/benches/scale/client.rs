//! A small HTTP client, so that the machine is busy with the servers.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("a server");
        stream.set_nodelay(true).expect("a socket option");
        Self {
            stream: BufReader::with_capacity(1 << 16, stream),
        }
    }

    /// Sends a request as it is, and reads the response.
    pub(crate) fn send(&mut self, request: &[u8]) -> Response {
        self.stream.get_mut().write_all(request).expect("a request");
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("a status line");
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut length = 0;
        loop {
            line.clear();
            self.stream.read_line(&mut line).expect("a header");
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).expect("a body");
        Response {
            status: status.expect("a status"),
            body,
        }
    }
}

impl Response {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A GET request with the headers of a usual client.
pub(crate) fn get(target: &str, token: &str) -> Vec<u8> {
    format!(
        "GET {target} HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\nuser-agent: bench/1.0\r\nclient-request-id: 2f3c7d2e-94a5-4f0c-8d8e-6f1f2a8b9c01\r\nconsistencylevel: eventual\r\nauthorization: Bearer {token}\r\n\r\n"
    )
    .into_bytes()
}

/// A request with a body.
pub(crate) fn with_body(
    method: &str,
    target: &str,
    token: &str,
    content_type: &str,
    body: &str,
) -> Vec<u8> {
    format!(
        "{method} {target} HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\nauthorization: Bearer {token}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
