//! A local copy of the users and groups of a tenant in SQLite, kept up to date by each run.
//!
//! ```text
//! cargo run --example directory_sync                                   # on a fake tenant inside the process
//! cargo run --example directory_sync -- --tenant env --database copy.db
//! cargo run --example directory_sync -- --tenant env --database copy.db --export --since 1200   # JSON lines
//! cargo run --example directory_sync -- --tenant env --listen 127.0.0.1:8080 --url https://app.example.com/notifications
//! ```
//!
//! It can be killed at any time; the next run goes on where the last transaction ended. Start reading at [`sync`];
//! copy `store.rs` for your own.

pub(crate) mod listen;
pub(crate) mod store;

use std::{
    error::Error,
    io::{self, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, ValueEnum};
use entra_auth::{ClientSecretCredential, Environment, EnvironmentCredential};
use entra_graph::{
    GraphClient, Group, User,
    sync::{DirectorySync, SyncStore},
};
use entra_mock::FakeTenant;

use store::Database;

/// Keeps a copy of the users and groups of an Entra tenant in SQLite.
#[derive(Debug, Parser)]
#[command(name = "directory_sync")]
pub(crate) struct Arguments {
    /// The tenant: a fake one inside this process, or the one of the environment.
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
    /// The database file; directory.db unless given, and fake-directory.db for a fake tenant.
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
    /// Writes the changes as JSON lines to standard output, after the run.
    #[arg(long)]
    export: bool,
    /// With --export: only the changes after this sequence number, that of the last line you have.
    #[arg(
        long,
        value_name = "SEQUENCE",
        default_value_t = 0,
        requires = "export",
        conflicts_with = "dry_run"
    )]
    since: i64,
    /// Lists what would change, and changes nothing.
    #[arg(long, conflicts_with = "export")]
    dry_run: bool,
    /// Lets the removals through that an earlier run held back, by the token that it printed.
    #[arg(long, value_name = "TOKEN")]
    approve: Option<String>,
    /// Keeps running: receives change notifications at this address, and syncs when something changed.
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["dry_run", "export"])]
    listen: Option<SocketAddr>,
    /// With --listen: the URL that Graph sends notifications to; https, unless it is loopback.
    #[arg(long, value_name = "URL", requires = "listen")]
    url: Option<String>,
}

impl Arguments {
    /// The database file. A copy of one tenant would lose its objects to another one.
    pub(crate) fn database(&self) -> &Path {
        match (&self.database, self.tenant) {
            (Some(path), _) => path,
            (None, Tenant::Embedded) => Path::new("fake-directory.db"),
            (None, Tenant::Env) => Path::new("directory.db"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Tenant {
    Embedded,
    Env,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

pub(crate) async fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    match arguments.tenant {
        Tenant::Embedded if arguments.listen.is_some() => {
            Err("nothing changes in a fake tenant inside this process: use --tenant env".into())
        }
        Tenant::Embedded => {
            let tenant = FakeTenant::builder().users(60).start().await;
            let app = tenant
                .register_app("Directory sync")
                .application_permission("User.Read.All")
                .application_permission("GroupMember.Read.All")
                .with_secret();
            let credential =
                ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
                    .cloud(tenant.cloud())
                    .clock(tenant.clock())
                    .build()?;
            let graph = GraphClient::builder(credential)
                .cloud(tenant.cloud())
                .clock(tenant.clock())
                .build()?;
            with(&graph, arguments).await
        }
        Tenant::Env => {
            let environment = Environment::from_env();
            let credential = EnvironmentCredential::builder(&environment).build()?;
            let graph = GraphClient::builder(credential)
                .environment(&environment)
                .build()?;
            with(&graph, arguments).await
        }
    }
}

/// What is copied.
pub(crate) fn copied(graph: &GraphClient) -> DirectorySync {
    DirectorySync::new(graph)
        .select_users((
            User::DISPLAY_NAME,
            User::USER_PRINCIPAL_NAME,
            User::MAIL,
            User::ACCOUNT_ENABLED,
        ))
        .select_groups((Group::DISPLAY_NAME, Group::MAIL))
}

pub(crate) async fn with(graph: &GraphClient, arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let mut sync = copied(graph);
    if let Some(token) = &arguments.approve {
        sync = sync.approve(token.parse()?);
    }
    if let Some(address) = arguments.listen {
        let url = arguments.url.as_deref();
        return listen::follow(graph, &sync, arguments.database(), address, url).await;
    }
    let mut out = io::stdout().lock();
    if arguments.dry_run {
        return preview(&sync, arguments.database(), &mut out, &mut io::stderr()).await;
    }
    let outcome = self::sync(sync, arguments.database()).await;
    if arguments.export {
        let exported = export(arguments.database(), arguments.since, &mut out);
        // A sync that failed can be why the database lacks changes, so its error comes first.
        return outcome.and(exported);
    }
    outcome
}

/// Writes what would change as JSON lines, and beside it what was met and what would be held back. Changes nothing.
pub(crate) async fn preview(
    sync: &DirectorySync,
    path: &Path,
    out: &mut impl Write,
    report: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    // A database that does not exist is not created.
    let path = if path.exists() {
        path
    } else {
        Path::new(":memory:")
    };
    let dry_run = sync.dry_run(&mut Database::open(path)?).await?;
    for change in &dry_run.changes {
        writeln!(out, "{}", serde_json::to_string(change)?)?;
    }
    for note in &dry_run.notes {
        writeln!(report, "{note:?}")?;
    }
    if let Some(held) = &dry_run.held {
        writeln!(report, "{held}")?;
    }
    Ok(())
}

/// Brings the database up to date. Progress goes to standard error.
pub(crate) async fn sync(mut sync: DirectorySync, path: &Path) -> Result<(), Box<dyn Error>> {
    let mut database = Database::open(path)?;
    let mut changes = 0;
    while let Some(step) = sync.next(&mut database).await? {
        database.commit(&step).await?;
        changes += step.changes().len();
        for note in step.notes() {
            eprintln!("{note:?}");
        }
        let progress = step.progress();
        if let Some(kind) = progress.kind {
            let of = progress
                .estimate
                .map(|estimate| format!(" of about {estimate}"));
            eprintln!("{kind}: {} rows{}", progress.rows, of.unwrap_or_default());
        }
    }
    let (objects, members) = database.counts()?;
    eprintln!("{changes} changes; the copy has {objects} objects and {members} memberships");
    Ok(())
}

/// Writes the changes after a sequence number, one JSON object in each line.
///
/// # Errors
/// For a number that the database never gave: it is not the one that the reader's lines are from, and the reader would miss
/// all changes up to that number.
pub(crate) fn export(path: &Path, since: i64, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let database = Database::open(path)?;
    let last = database.last_sequence()?;
    if since > last {
        return Err(format!(
            "the last change in {} has the sequence number {last}, and not {since}\n  \
             cause: the database is new, or a backup of it was restored\n  \
             fix:   drop the lines you have, and export all changes: without --since",
            path.display()
        )
        .into());
    }
    database.changes_since(since, |sequence, change| {
        writeln!(out, r#"{{"sequence":{sequence},"change":{change}}}"#)
    })
}
