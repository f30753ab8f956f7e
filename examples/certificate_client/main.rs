//! An on-premises product that signs in with certificates: each installation generates its own, an administrator
//! registers the public parts, and the configuration is encrypted so that only these installations read it.
//!
//! ```text
//! cargo run --example certificate_client                                              # all of it, on a fake tenant
//! cargo run --example certificate_client -- --tenant env --step generate --folder keys   # what an administrator uploads
//! cargo run --example certificate_client -- --tenant env --step apply --folder keys      # registers it instead
//! cargo run --example certificate_client -- --tenant env --step apply --folder more --proof keys  # a further one
//! cargo run --example certificate_client -- --tenant env --step test                     # tests the connection
//! cargo run --example certificate_client -- --tenant env adele                           # looks devices and users up
//! ```
//!
//! Start reading at [`embedded`]; copy `key.rs` and `configuration.rs` for your own.

pub(crate) mod configuration;
pub(crate) mod inventory;
pub(crate) mod key;
pub(crate) mod setup;

use std::{
    error::Error,
    fs,
    io::{self, Write},
    iter,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::{Parser, ValueEnum};
use entra_auth::{
    Certificate, ClientCertificateCredential, CredentialOptions, Environment,
    EnvironmentCredential,
    entra_core::{Clock, CredentialMaterial, Guid, Secret, SystemClock, SystemRandom},
};
use entra_graph::{GraphClient, registration::MemorySink};
use entra_mock::FakeTenant;
use rustls_pki_types::{CertificateDer, pem::PemObject};

use configuration::{Configuration, Sealed, encrypting_key};
use key::Folder;

/// Looks devices and users of an Entra tenant up, signed in with a certificate.
#[derive(Debug, Parser)]
#[command(name = "certificate_client")]
pub(crate) struct Arguments {
    /// What to look up: the start of the name of devices or users.
    text: Vec<String>,
    /// The tenant: a fake one inside this process, or the one that AZURE_TENANT_ID and
    /// AZURE_CLIENT_ID name.
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
    /// What to do in the tenant of the environment.
    #[arg(long, value_enum, default_value_t = Step::Run)]
    step: Step,
    /// With `--tenant env`: the folder of the certificate and the configuration. Without it, a run takes ids and
    /// certificate from the environment.
    #[arg(long, value_name = "PATH")]
    folder: Option<PathBuf>,
    /// For `--step apply`: the folder of a certificate that is registered already. Its key proves that another one may
    /// be added, such as that of a further installation, or the next one of the same.
    #[arg(long, value_name = "PATH")]
    proof: Option<PathBuf>,
    /// For `--step apply`: the public certificate of a further installation that reads the configuration too. A
    /// saved configuration that is up to date stays as it is, also for other installations: delete `configuration.json`
    /// to encrypt it for fewer.
    #[arg(long = "reader", value_name = "FILE")]
    readers: Vec<PathBuf>,
}

/// What `--step apply` takes beside the folder.
#[derive(Clone, Debug, Default)]
pub(crate) struct Others {
    /// The folder of a certificate that is registered.
    pub(crate) proof: Option<PathBuf>,
    /// Public certificates that the configuration is encrypted to as well.
    pub(crate) readers: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Tenant {
    Embedded,
    Env,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    /// Signs in and looks up.
    Run,
    /// Generates a certificate, and says what an administrator does with its public part.
    Generate,
    /// Registers the application with the certificate of the folder, as the application of the environment, which
    /// registers others; writes the encrypted configuration.
    Apply,
    /// Tests the connection.
    Test,
    /// Prints the guide for an administrator who registers it by hand.
    Guide,
}

#[tokio::main]
async fn main() -> ExitCode {
    match start(Arguments::parse(), &mut io::stdout()).await {
        Ok(code) => code.into(),
        Err(error) => {
            // `{:#}` is the whole report: what happened, why, and how to fix it.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The whole run on a fake tenant, or one step in the tenant of the environment; returns the exit code.
pub(crate) async fn start(
    arguments: Arguments,
    out: &mut impl Write,
) -> Result<u8, Box<dyn Error>> {
    let texts: Vec<&str> = arguments.text.iter().map(String::as_str).collect();
    let folder = arguments.folder;
    let has_others = arguments.proof.is_some() || !arguments.readers.is_empty();
    let is_plain = folder.is_none() && !has_others;
    match (arguments.step, arguments.tenant) {
        (Step::Guide, _) => guide(&Environment::from_env(), out),
        (Step::Run, Tenant::Embedded) if is_plain => embedded(&texts, out).await.map(|()| 0),
        // Not ignored: the step would look as if it had been done, and the folder would have a key of no tenant.
        (_, Tenant::Embedded) => Err(ONLY_ENV.into()),
        (Step::Apply, Tenant::Env) => {
            let others = Others {
                proof: arguments.proof,
                readers: arguments.readers,
            };
            let environment = Environment::from_env();
            let applied = apply(&environment, folder, others, out).await;
            applied.map(|()| 0)
        }
        (_, Tenant::Env) if has_others => Err("--proof and --reader are for --step apply".into()),
        (step, Tenant::Env) => from_env(step, &Environment::from_env(), folder, &texts, out).await,
    }
}

fn guide(environment: &Environment, out: &mut impl Write) -> Result<u8, Box<dyn Error>> {
    write!(out, "{}", setup::guide(&environment.cloud()?)?)?;
    Ok(0)
}

/// The parts of two installations and of the administrator, who registers both certificates, from a tenant that does
/// not know the product to look-ups.
pub(crate) async fn embedded(texts: &[&str], out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let tenant = FakeTenant::builder().users(60).start().await;
    let clock = tenant.clock();
    let folder = Folder::temporary()?;
    let passphrase = Secret::from(Guid::random(&SystemRandom)?.to_string());
    let certificate = folder.make_certificate(&passphrase, clock.clone())?;
    folder.describe(&certificate, clock.now(), out)?;
    let standby_folder = Folder::temporary()?;
    let standby = standby_folder.make_certificate(&passphrase, clock.clone())?;

    writeln!(out)?;
    let administrator = setup::administrator(&tenant)?;
    let blueprint = setup::blueprint([
        ("first installation", certificate.public_der()),
        ("standby installation", standby.public_der()),
    ])?;
    let mut no_secrets = MemorySink::new().clock(clock.clone());
    let applied = setup::apply(&administrator, &blueprint, &mut no_secrets, out).await?;
    let configuration = Configuration {
        tenant_id: applied.tenant_id().ok_or("no tenant ID")?.to_owned(),
        client_id: applied.client_id().to_owned(),
        active_certificate: certificate.thumbprint_sha1(),
    };
    let readers = [certificate.public_der(), standby.public_der()];
    save(&folder, &configuration, readers)?;

    let (certificate, configuration) = load(&folder, &passphrase)?;
    let options = CredentialOptions::new()
        .cloud(tenant.cloud())
        .clock(clock.clone());
    let material = CredentialMaterial::Certificate {
        key_and_certificate: key_and_certificate(&folder.private_part())?,
        passphrase: Some(passphrase),
    };
    let (tenant_id, client_id) = (&configuration.tenant_id, &configuration.client_id);
    let test = setup::test(tenant_id, client_id, material, &options);
    let report = test.cloud(tenant.cloud()).clock(clock.clone()).run().await;
    writeln!(out, "{report}")?;
    let credential =
        ClientCertificateCredential::builder(tenant_id.as_str(), client_id.as_str(), certificate)
            .cloud(tenant.cloud())
            .clock(clock.clone())
            .build()?;
    let graph = GraphClient::builder(credential.clone())
        .cloud(tenant.cloud())
        .clock(clock.clone())
        .build()?;
    run(&credential, &graph, &clock, texts, out).await
}

async fn run(
    credential: &ClientCertificateCredential,
    graph: &GraphClient,
    clock: &dyn Clock,
    texts: &[&str],
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    if texts.is_empty() {
        return inventory::write(credential, graph, clock.now(), out).await;
    }
    for text in texts {
        inventory::look_up(graph, text, out).await?;
    }
    Ok(())
}

/// One step in the tenant of the environment; returns the exit code.
pub(crate) async fn from_env(
    step: Step,
    environment: &Environment,
    folder: Option<PathBuf>,
    texts: &[&str],
    out: &mut impl Write,
) -> Result<u8, Box<dyn Error>> {
    match step {
        Step::Guide => return guide(environment, out),
        Step::Generate => generate(environment, folder, out)?,
        Step::Apply => apply(environment, folder, Others::default(), out).await?,
        Step::Test => return test(environment, folder, out).await,
        Step::Run => {
            let installation = Installation::of(environment, folder)?;
            writeln!(
                out,
                "Reading tenant {}",
                installation.configuration.tenant_id
            )?;
            let configuration = &installation.configuration;
            let credential = ClientCertificateCredential::builder(
                configuration.tenant_id.as_str(),
                configuration.client_id.as_str(),
                installation.certificate,
            )
            .cloud(environment.cloud()?)
            .build()?;
            let graph = GraphClient::builder(credential.clone())
                .environment(environment)
                .build()?;
            run(&credential, &graph, &SystemClock, texts, out).await?;
        }
    }
    Ok(0)
}

/// Generates a certificate. The present one stays in use until the new one is registered.
fn generate(
    environment: &Environment,
    folder: Option<PathBuf>,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    environment.require(["AZURE_TENANT_ID", "AZURE_CLIENT_ID", PASSPHRASE])?;
    let folder = Folder::of(folder.ok_or("--step generate needs --folder")?)?;
    let certificate = folder.make_certificate(&passphrase(environment)?, SystemClock)?;
    folder.describe(&certificate, SystemClock.now(), out)?;
    folder.instruct(environment.client_id()?, &setup::PERMISSIONS, out)?;
    Ok(())
}

/// Registers the application with the certificate of the folder, which is generated unless there is one.
pub(crate) async fn apply(
    environment: &Environment,
    folder: Option<PathBuf>,
    others: Others,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let folder = Folder::of(folder.ok_or("--step apply needs --folder")?)?;
    let passphrase = passphrase(environment)?;
    // Before anything is changed: a file that cannot be used must not leave the registration without its configuration.
    let mut readers = Vec::new();
    for path in &others.readers {
        readers.push(reader(path)?);
    }
    let certificate = if folder.private_part().exists() {
        Certificate::from_file(folder.private_part(), Some(&passphrase))?
    } else {
        folder.make_certificate(&passphrase, SystemClock)?
    };
    check_reader(certificate.public_der(), &folder.private_part())?;
    let graph = GraphClient::builder(EnvironmentCredential::builder(environment).build()?)
        .environment(environment)
        .build()?;
    let blueprint = setup::blueprint([("this installation", certificate.public_der())])?;
    let applied = match others.proof {
        None => setup::apply(&graph, &blueprint, &mut MemorySink::new(), out).await?,
        Some(registered) => {
            let registered = Folder::of(registered)?.private_part();
            let signer = Certificate::from_file(registered, Some(&passphrase))?;
            setup::apply_with_proof(&graph, &blueprint, Arc::new(signer), out).await?
        }
    };
    let configuration = Configuration {
        // A token that does not name its tenant is of the one that the environment names.
        tenant_id: match applied.tenant_id() {
            Some(id) => id.to_owned(),
            None => environment.tenant_id()?.to_string(),
        },
        client_id: applied.client_id().to_owned(),
        active_certificate: certificate.thumbprint_sha1(),
    };
    let others = readers.iter().map(Vec::as_slice);
    let readers: Vec<&[u8]> = iter::once(certificate.public_der()).chain(others).collect();
    let saved = saved(&folder);
    let is_saved = saved.as_ref().is_some_and(|saved| {
        readers.iter().all(|reader| saved.is_for(reader))
            && saved
                .open(&certificate)
                .is_ok_and(|saved| saved == configuration)
    });
    if !is_saved {
        for certificate in saved.iter().flat_map(|saved| saved.without(&readers)) {
            writeln!(
                out,
                "warning: the certificate {certificate} (SHA-256) no longer opens the configuration; name its file with --reader if it shall"
            )?;
        }
        save(&folder, &configuration, readers)?;
    }
    writeln!(
        out,
        "The configuration is {}",
        folder.configuration().display()
    )?;
    Ok(())
}

async fn test(
    environment: &Environment,
    folder: Option<PathBuf>,
    out: &mut impl Write,
) -> Result<u8, Box<dyn Error>> {
    // Not a parsed configuration: an id that is still empty is a finding, not an error of this program.
    let get = |name: &str| environment.get(name).unwrap_or_default();
    let (path, ids) = match folder {
        Some(folder) => {
            let folder = Folder::of(folder)?;
            let (_, configuration) = load(&folder, &passphrase(environment)?)?;
            let ids = (configuration.tenant_id, configuration.client_id);
            (folder.private_part(), ids)
        }
        None => {
            let [path] = environment.require([CERTIFICATE])?;
            let ids = (get("AZURE_TENANT_ID"), get("AZURE_CLIENT_ID"));
            (path.into(), (ids.0.to_owned(), ids.1.to_owned()))
        }
    };
    let material = CredentialMaterial::Certificate {
        key_and_certificate: key_and_certificate(&path)?,
        passphrase: environment.secret(PASSPHRASE).cloned(),
    };
    let options = CredentialOptions::new().environment(environment);
    let test = setup::test(&ids.0, &ids.1, material, &options).cloud(environment.cloud()?);
    let report = test.run().await;
    writeln!(out, "{report}")?;
    Ok(report.exit_code())
}

/// The certificate of an installation and what belongs to it.
struct Installation {
    certificate: Certificate,
    configuration: Configuration,
}

impl Installation {
    /// From a folder with an encrypted configuration, or from the variables of the environment.
    fn of(environment: &Environment, folder: Option<PathBuf>) -> Result<Self, Box<dyn Error>> {
        if let Some(folder) = folder {
            let (certificate, configuration) =
                load(&Folder::of(folder)?, &passphrase(environment)?)?;
            return Ok(Self {
                certificate,
                configuration,
            });
        }
        let [_, _, path] =
            environment.require(["AZURE_TENANT_ID", "AZURE_CLIENT_ID", CERTIFICATE])?;
        let certificate = Certificate::from_file(path, environment.secret(PASSPHRASE))?;
        let configuration = Configuration {
            tenant_id: environment.tenant_id()?.to_string(),
            client_id: environment.client_id()?.to_string(),
            active_certificate: certificate.thumbprint_sha1(),
        };
        Ok(Self {
            certificate,
            configuration,
        })
    }
}

/// The DER of a public certificate to which the configuration can be encrypted, from a file in PEM or DER.
fn reader(path: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let file =
        fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let der = match CertificateDer::from_pem_slice(&file) {
        Ok(der) => der.to_vec(),
        Err(_) => file,
    };
    check_reader(&der, path)?;
    Ok(der)
}

/// An error that names the file if nothing can be encrypted to its certificate.
fn check_reader(der: &[u8], path: &Path) -> Result<(), Box<dyn Error>> {
    match encrypting_key(der) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!(
            "{} is not a certificate with an RSA key: {error}",
            path.display()
        )
        .into()),
    }
}

/// The file of a certificate with its key, as a text: one that is not a text, such as PKCS#12, in base64.
fn key_and_certificate(path: &Path) -> Result<Secret, Box<dyn Error>> {
    let file =
        fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(match String::from_utf8(file) {
        Ok(text) => Secret::from(text),
        Err(binary) => Secret::from(STANDARD.encode(binary.as_bytes())),
    })
}

/// Saves a configuration for the owners of these certificates, in DER.
pub(crate) fn save<'c>(
    folder: &Folder,
    configuration: &Configuration,
    readers: impl IntoIterator<Item = &'c [u8]>,
) -> Result<(), Box<dyn Error>> {
    let sealed = Sealed::new(configuration, readers)?;
    fs::write(folder.configuration(), serde_json::to_vec_pretty(&sealed)?)?;
    Ok(())
}

/// The configuration of a folder as it is saved, if there is one.
fn saved(folder: &Folder) -> Option<Sealed> {
    let text = fs::read(folder.configuration()).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Reads the certificate and the configuration of a folder.
pub(crate) fn load(
    folder: &Folder,
    passphrase: &Secret,
) -> Result<(Certificate, Configuration), Box<dyn Error>> {
    let certificate = Certificate::from_file(folder.private_part(), Some(passphrase))?;
    let path = folder.configuration();
    let text = fs::read(&path)
        .map_err(|error| format!("cannot read the configuration {}: {error}", path.display()))?;
    let sealed: Sealed = serde_json::from_slice(&text)?;
    let configuration = sealed.open(&certificate)?;
    if configuration.active_certificate != certificate.thumbprint_sha1() {
        return Err(format!(
            "the active certificate is {}, and this folder has {}; make this one active, or sign in with the other folder",
            configuration.active_certificate,
            certificate.thumbprint_sha1()
        )
        .into());
    }
    Ok((certificate, configuration))
}

fn passphrase(environment: &Environment) -> Result<Secret, Box<dyn Error>> {
    let passphrase = environment.secret(PASSPHRASE).cloned();
    passphrase.ok_or_else(|| {
        format!("--folder needs {PASSPHRASE}, the passphrase of the private key in it").into()
    })
}

/// As azure-identity names them.
const CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
const PASSPHRASE: &str = "AZURE_CLIENT_CERTIFICATE_PASSWORD";
const ONLY_ENV: &str = "--step, --folder, --proof and --reader are for the tenant of the environment, and this run has a fake one: add --tenant env";
