//! The certificate in use, which is read again when its file changes.

use std::{
    fmt,
    fs::{self, Metadata},
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::SystemTime,
};

use entra_core::Secret;
use tracing::{info, warn};

use super::value::Certificate;
use crate::{Error, blocking, shown_path::ShownPath};

/// A fixed certificate, or one that is read again when its file changes.
#[derive(Clone)]
pub(super) struct Source(Arc<Inner>);

struct Inner {
    file: Option<File>,
    held: Mutex<LoadedCertificate>,
    /// Lives as long as a check of the file that exceeded its limit.
    stuck: Mutex<Weak<()>>,
}

struct File {
    path: PathBuf,
    passphrase: Option<Secret>,
}

struct LoadedCertificate {
    certificate: Certificate,
    /// The state of the file at the last attempt to read it.
    stamp: Option<FileVersion>,
}

impl Source {
    #[inline]
    pub(super) fn fixed(certificate: Certificate) -> Self {
        Self(Arc::new(Inner {
            file: None,
            held: Mutex::new(LoadedCertificate {
                certificate,
                stamp: None,
            }),
            stuck: Mutex::default(),
        }))
    }

    #[inline]
    pub(super) fn file(path: PathBuf, passphrase: Option<Secret>) -> Result<Self, Error> {
        let stamp = FileVersion::of(&path);
        let certificate = Certificate::from_file(&path, passphrase.as_ref())?;
        Ok(Self(Arc::new(Inner {
            file: Some(File { path, passphrase }),
            held: Mutex::new(LoadedCertificate { certificate, stamp }),
            stuck: Mutex::default(),
        })))
    }

    /// The certificate, read again if its file has changed.
    #[inline]
    pub(super) async fn current(&self) -> Certificate {
        self.look(false).await
    }

    /// The certificate, read again in any case.
    #[inline]
    pub(super) async fn reread(&self) -> Certificate {
        self.look(true).await
    }

    #[inline]
    pub(super) fn held(&self) -> Certificate {
        self.0.held().certificate.clone()
    }

    #[inline]
    async fn look(&self, in_any_case: bool) -> Certificate {
        if self.0.file.is_none() {
            return self.held();
        }
        // A second check of a file system that does not respond would only take another thread.
        if self.0.stuck().strong_count() > 0 {
            return self.held();
        }
        // A key can take a while to decrypt, and a file system to respond.
        let inner = Arc::clone(&self.0);
        let running = Arc::new(());
        let this_check = Arc::downgrade(&running);
        let look = move || {
            let seen = inner.look(in_any_case);
            drop(running);
            seen
        };
        let seen = match blocking::run_within(blocking::READ_LIMIT, look).await {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                *self.0.stuck() = this_check;
                warn!(%error, "the certificate file cannot be read again, so the old one stays");
                None
            }
            // An error if the runtime is shutting down.
            seen => seen.ok(),
        };
        // Logged here, since the other thread has neither the caller's span nor its subscriber.
        match seen {
            Some(FileState::Other(certificate)) => info!(
                thumbprint = certificate.thumbprint_sha1(),
                not_after = %certificate.not_after(),
                "another certificate in the file"
            ),
            Some(FileState::Unreadable(error)) => {
                warn!(%error, "the certificate file cannot be read again, so the old one stays");
            }
            Some(FileState::Same) | None => {}
        }
        self.held()
    }
}

/// The result of a check of the file.
enum FileState {
    Same,
    Other(Certificate),
    Unreadable(Error),
}

impl Inner {
    #[inline]
    fn look(&self, in_any_case: bool) -> FileState {
        let Some(file) = &self.file else {
            return FileState::Same;
        };
        // Read before the content: a change in between is then found by the next check.
        let stamp = FileVersion::of(&file.path);
        if !in_any_case && self.held().stamp == stamp {
            return FileState::Same;
        }
        let read = Certificate::from_file(&file.path, file.passphrase.as_ref());
        let mut held = self.held();
        held.stamp = stamp;
        match read {
            Ok(certificate) if certificate != held.certificate => {
                held.certificate = certificate.clone();
                FileState::Other(certificate)
            }
            Ok(_) => FileState::Same,
            // It may be partly written; the previous certificate may still be valid.
            Err(error) => FileState::Unreadable(error),
        }
    }

    #[inline]
    fn stuck(&self) -> std::sync::MutexGuard<'_, Weak<()>> {
        self.stuck.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    fn held(&self) -> std::sync::MutexGuard<'_, LoadedCertificate> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Source {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field(
                "path",
                &self.0.file.as_ref().map(|file| ShownPath(&file.path)),
            )
            .field("certificate", &self.held())
            .finish()
    }
}

/// The metadata that changes when a file is written or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileVersion {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

impl FileVersion {
    #[inline]
    fn of(path: &PathBuf) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            modified: metadata.modified().ok(),
            length: metadata.len(),
            inode: inode(&metadata),
        })
    }
}

#[cfg(unix)]
#[inline]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
#[inline]
fn inode(_: &Metadata) -> u64 {
    0
}
