//! The challenge of Azure Arc's agent: who can read a file in its folder may have a token.

use std::{
    io,
    path::{Path, PathBuf},
};

use entra_core::{Secret, http::HeaderValue, read_text_file};

use crate::{Error, ErrorKind, blocking};

/// The `Authorization` header for the challenge.
pub(super) async fn authorization(
    challenge: Option<&str>,
    folder: Option<&Path>,
) -> Result<HeaderValue, Error> {
    let path = challenge.and_then(named_file).ok_or_else(|| {
        untrusted("it names no file").with(|inner| inner.kind = ErrorKind::Protocol)
    })?;
    let folder = folder.ok_or_else(|| {
        untrusted("where the agent keeps its challenge files is not known on this machine")
    })?;
    let folder = folder.to_owned();
    let key = blocking::run_within(blocking::READ_LIMIT, move || read(&path, &folder))
        .await
        // It did not respond in time, or the runtime is shutting down.
        .map_err(|source| {
            Error::new(
                ErrorKind::Transport,
                "the file of a challenge could not be read",
            )
            .with_source(source)
        })??;
    let mut value = HeaderValue::from_str(&format!("Basic {}", key.expose_secret().trim()))
        .map_err(|_| untrusted("the file holds characters that no header can carry"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The path of `Basic realm=/var/opt/azcmagent/tokens/….key`.
fn named_file(challenge: &str) -> Option<PathBuf> {
    let (scheme, parameters) = challenge.trim().split_once(' ')?;
    let (name, value) = parameters.trim().split_once('=')?;
    let is_basic =
        scheme.eq_ignore_ascii_case("basic") && name.trim().eq_ignore_ascii_case("realm");
    let path = value.trim().trim_matches('"');
    (is_basic && !path.is_empty()).then(|| PathBuf::from(path))
}

/// Only a small key file directly in the agent's own folder: another service on the agent's
/// port must not make this process send the content of a file of its choice.
fn read(path: &Path, folder: &Path) -> Result<Secret, Error> {
    if !path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("key"))
    {
        return Err(untrusted("the file does not end in .key"));
    }
    // Resolved, so that neither `..` nor a link leads elsewhere.
    let unreadable = |source| untrusted("the file cannot be read").with_source(source);
    let path = path.canonicalize().map_err(unreadable)?;
    let folder = folder.canonicalize().map_err(unreadable)?;
    if path.parent() != Some(&folder) {
        return Err(untrusted("the file is not in the agent's folder"));
    }
    read_text_file(&path, LARGEST).map_err(|source| match source.kind() {
        io::ErrorKind::FileTooLarge => untrusted("the file is larger than a key can be"),
        _ => unreadable(source),
    })
}

fn untrusted(why: &'static str) -> Error {
    Error::new(
        ErrorKind::Rejected,
        "the challenge of Azure Arc's agent cannot be met",
    )
    .with(|inner| {
        inner.cause = Some(why.into());
        inner.fix = Some(
            "run as a member of the group himds (Administrators on Windows), and check that the Connected Machine agent itself listens on its port"
                .into(),
        );
    })
}

const LARGEST: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_from_a_basic_challenge_only() {
        let path = Some(PathBuf::from("/var/opt/azcmagent/tokens/a.key"));
        for good in [
            "Basic realm=/var/opt/azcmagent/tokens/a.key",
            "basic Realm=\"/var/opt/azcmagent/tokens/a.key\"",
        ] {
            assert_eq!(named_file(good), path, "{good}");
        }
        for bad in [
            "",
            "Basic",
            "Basic realm=",
            "Bearer realm=/a.key",
            "Basic scope=/a.key",
        ] {
            assert_eq!(named_file(bad), None, "{bad}");
        }
    }
}
