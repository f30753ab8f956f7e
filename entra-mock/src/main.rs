//! The `entra-mock` program: a fake Entra tenant for clients in any language.

use std::{error::Error, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand, builder::PossibleValuesParser};
use entra_mock::{License, Seed, Server};

/// A fake Microsoft Entra tenant: login and Graph.
#[derive(Debug, Parser)]
#[command(name = "entra-mock", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a tenant until interrupted.
    Serve(Serve),
}

#[derive(Args, Debug)]
struct Serve {
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 8443)]
    port: u16,
    /// Speak TLS, with a certificate authority made for this run.
    #[arg(long)]
    tls: bool,
    /// What the tenant contains from the start.
    #[arg(long, default_value = "contoso", value_parser = PossibleValuesParser::new(["contoso", "empty"]))]
    seed: String,
    /// Fill the tenant up to so many people, with everything else in proportion.
    #[arg(long, default_value_t = 0)]
    users: usize,
    /// The same number gives the same tenant, ids included.
    #[arg(long, default_value_t = 0)]
    random_seed: u64,
    /// The tenant's directory licence.
    #[arg(long, default_value = "p2", value_parser = PossibleValuesParser::new(["free", "p1", "p2"]))]
    license: String,
    /// Write a script of exports for clients; it holds secrets.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Write the certificate authority's certificate.
    #[arg(long, value_name = "FILE", requires = "tls")]
    ca_file: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments {
        command: Command::Serve(serve),
    } = Arguments::parse();
    match run(serve).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  cause: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(serve: Serve) -> Result<(), Box<dyn Error>> {
    let seed = if serve.seed == "empty" {
        Seed::Empty
    } else {
        Seed::Contoso
    };
    let license = match serve.license.as_str() {
        "free" => License::Free,
        "p1" => License::P1,
        _ => License::P2,
    };
    let mut builder = Server::builder()
        .port(serve.port)
        .tls(serve.tls)
        .seed(seed)
        .users(serve.users)
        .random_seed(serve.random_seed)
        .license(license);
    if let Some(path) = serve.env_file {
        builder = builder.env_file(path);
    }
    if let Some(path) = serve.ca_file {
        builder = builder.ca_file(path);
    }
    // Asked for before it is ready, an end must not be missed.
    let interrupted = interruption()?;
    let server = builder.start().await?;
    println!("ready {}", server.uri());
    interrupted.await;
    server.stop().await;
    Ok(())
}

/// Completes on Ctrl-C or, on Unix, on a request to terminate.
#[cfg(unix)]
fn interruption() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn interruption() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a way to be interrupted it runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
