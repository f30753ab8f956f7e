//! The steps in the tenant of the environment, each by itself, as an administrator or a pipeline takes them.

use std::{error::Error, fs, io::Write, path::Path, sync::Arc};

use entra_auth::{
    ApplicationCredentialFactory, CredentialOptions, Environment, EnvironmentCredential,
    entra_core::{Clock, CredentialMaterial, Secret},
};
use entra_graph::{
    GraphClient,
    registration::{AppRegistration, EnvFile},
};

use super::{Arguments, BLUEPRINT, Step};

/// Takes one step, as the application of the environment, which registers others.
pub(crate) async fn run(
    arguments: &Arguments,
    environment: &Environment,
    clock: Arc<dyn Clock>,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let blueprint = match &arguments.blueprint {
        Some(path) => AppRegistration::from_file(path)?,
        None => AppRegistration::from_yaml(BLUEPRINT)?,
    };
    let step = arguments.step.unwrap_or(Step::Plan);
    if step == Step::Guide {
        write!(
            out,
            "{}",
            blueprint.guide_for(&environment.cloud()?).to_markdown()
        )?;
        return Ok(());
    }
    let credential = EnvironmentCredential::builder(environment)
        .clock(Arc::clone(&clock))
        .build()?;
    let graph = GraphClient::builder(credential)
        .environment(environment)
        .clock(Arc::clone(&clock))
        .build()?;
    let options = CredentialOptions::new().environment(environment);
    let factory = ApplicationCredentialFactory::new(&options.clock(Arc::clone(&clock)));
    let path = &arguments.env_file;
    let mut file = EnvFile::new(path).clock(clock);
    match step {
        Step::Plan | Step::Guide => {
            write!(out, "{}", blueprint.plan_with(&graph, &mut file).await?)?;
        }
        Step::Apply => {
            let plan = blueprint.plan_with(&graph, &mut file).await?;
            write!(out, "{plan}\n{}", plan.apply(&mut file).await?)?;
        }
        Step::Verify => {
            let material = CredentialMaterial::Secret(stored_secret(path)?);
            let verification = blueprint.verify(&graph, &factory, &material).await?;
            write!(out, "{verification}")?;
            if !verification.is_ok() {
                return Err(
                    "a permission does not work; the lines with ✘ say which and why".into(),
                );
            }
        }
        Step::Rotate => {
            let rotated = blueprint
                .rotate(&graph, &arguments.secret, &factory, &mut file)
                .await?;
            writeln!(
                out,
                "the secret {} is accepted and in {}",
                rotated.new,
                path.display()
            )?;
            if let Some(previous) = rotated.previous {
                writeln!(
                    out,
                    "the secret {previous} stays valid; once every program has the new one:\n  --step retire --secret-id {previous}"
                )?;
            }
        }
        Step::Retire => {
            let id = arguments
                .secret_id
                .ok_or("--secret-id is missing: the secret ID that --step rotate printed")?;
            blueprint.retire(&graph, id, &mut file).await?;
            writeln!(out, "the secret {id} is removed")?;
        }
        Step::Destroy => {
            let deleted = blueprint.destroy(&graph).await?;
            let text = if deleted {
                "deleted"
            } else {
                "there is no such registration"
            };
            writeln!(out, "{text}")?;
        }
    }
    Ok(())
}

/// The secret that `--step apply` or `--step rotate` wrote to the environment file.
fn stored_secret(path: &Path) -> Result<Secret, Box<dyn Error>> {
    let text = fs::read_to_string(path).map_err(|error| {
        format!(
            "{} cannot be read: {error}; --step apply writes it",
            path.display()
        )
    })?;
    let text = Secret::from(text);
    let mut lines = text.expose_secret().lines();
    // Apply leaves a variable exported that is so already.
    let value = lines.find_map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line);
        line.strip_prefix("AZURE_CLIENT_SECRET=")
    });
    match value {
        Some(value) if !value.is_empty() => Ok(Secret::from(value)),
        _ => Err(format!(
            "{} has no AZURE_CLIENT_SECRET; --step apply writes it",
            path.display()
        )
        .into()),
    }
}
