//! What the machine already has: its managed identity, or the account somebody is signed in with.

mod azure_cli;
mod cli_output;
mod managed_identity;
mod process;

pub use azure_cli::{AzureCliCredential, AzureDeveloperCliCredential, CliCredentialBuilder};
pub use managed_identity::{
    ManagedIdentityCredential, ManagedIdentityCredentialBuilder, ManagedIdentityId,
    ManagedIdentitySource,
};
pub use process::{ProcessCommand, ProcessOutput, ProcessRunner};
