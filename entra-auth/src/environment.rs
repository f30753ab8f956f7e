//! What credentials need from an environment beyond its values.

#[cfg(feature = "developer-tools")]
use std::path::Path;

use entra_core::Environment;

#[cfg(feature = "workload-identity")]
use crate::Error;

/// The value of a variable that must be set.
#[cfg(feature = "workload-identity")]
pub(crate) fn require<'a>(
    environment: &'a Environment,
    name: &str,
    fix: &'static str,
) -> Result<&'a str, Error> {
    environment
        .get(name)
        .ok_or_else(|| Error::unavailable(format!("{name} is not set"), fix))
}

#[cfg(feature = "developer-tools")]
/// A folder that only an administrator can put programs into.
pub(crate) fn safe_folder(environment: &Environment) -> &Path {
    environment.system_root().unwrap_or(Path::new("/"))
}
