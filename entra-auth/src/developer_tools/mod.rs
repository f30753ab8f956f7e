//! The account that a developer has signed in to the Azure CLI or the Azure Developer CLI with.

mod azure_cli;
mod cli_output;
mod process;

pub use azure_cli::{AzureCliCredential, AzureDeveloperCliCredential, CliCredentialBuilder};
pub use process::{ProcessCommand, ProcessOutput, ProcessRunner};
