//! Speed and memory of the fake tenant in one table, beside bare hyper and wiremock alone.
//!
//! `cargo bench -p entra-mock --bench scale`, on Linux. Each server is a process of its own, and figures
//! are the CPU time of that process, so that the client and other programs do not count. Rounds of both
//! sides are interleaved, and the ratio is the median of the rounds. `-- 1000000` sends so many requests
//! in the last part, and `-- user page` measures these parts only: start, user, token, page, order, large, growth.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that fails has no figure"
)]

#[cfg(target_os = "linux")]
mod client;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod servers;
#[cfg(target_os = "linux")]
mod signer;
#[cfg(target_os = "linux")]
mod table;

#[cfg(target_os = "linux")]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [serve, what] if serve == "serve" => servers::run(what),
        arguments => table::print(arguments),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the CPU time of other processes is read from /proc, which only Linux has");
}
