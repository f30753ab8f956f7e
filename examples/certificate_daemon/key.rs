//! A folder with a certificate to upload and its private key to keep.

use std::{
    env, fs,
    io::{self, Write},
    path::PathBuf,
};

use entra_auth::{Certificate, SelfSignedCertificate};
use entra_core::{ClientId, Clock, Guid, Secret, SystemRandom, Timestamp};

use super::{
    problem::Problem,
    text::{counted, iso_date},
};

/// Where the two parts of a certificate lie.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    temporary: bool,
}

impl Folder {
    /// The named folder, made if there is none.
    pub(crate) fn of(path: PathBuf) -> Result<Self, Problem> {
        fs::create_dir_all(&path).map_err(|error| {
            Problem::new(format!("{} cannot be made", path.display()))
                .because(&error)
                .with_fix("name another folder with --folder")
        })?;
        Ok(Self {
            path,
            temporary: false,
        })
    }

    /// A folder that is gone with the value.
    pub(crate) fn temporary() -> Result<Self, Problem> {
        let name = format!("certificate-daemon-{}", Guid::random(&SystemRandom)?);
        let mut folder = Self::of(env::temp_dir().join(name))?;
        folder.temporary = true;
        Ok(folder)
    }

    /// A new key and certificate: the public part as it is, the private one encrypted.
    ///
    /// One that is there already may be registered, so it stays.
    pub(crate) fn make_certificate(
        &self,
        passphrase: &Secret,
        clock: impl Clock,
    ) -> Result<Certificate, Problem> {
        let private_part = self.private_part();
        if private_part.exists() {
            let used = format!("{} is there already", private_part.display());
            return Err(Problem::new(used)
                .with_fix("sign in with it, or name another folder with --folder for a new one"));
        }
        let certificate = SelfSignedCertificate::rsa("CN=inventory-daemon")
            .valid_for_days(365)
            .clock(clock)
            .generate()?;
        certificate.save_encrypted_pem(private_part, passphrase)?;
        certificate.export_public_cer(self.public_part())?;
        Ok(certificate)
    }

    /// What an administrator uploads.
    pub(crate) fn public_part(&self) -> PathBuf {
        self.path.join("upload-me.cer")
    }

    /// What stays here.
    pub(crate) fn private_part(&self) -> PathBuf {
        self.path.join("client.pem")
    }

    pub(crate) fn describe(
        &self,
        certificate: &Certificate,
        now: Timestamp,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let days = usize::try_from(certificate.days_left(now)).unwrap_or(0);
        writeln!(out, "A new certificate")?;
        writeln!(out, "  to upload   {}", self.public_part().display())?;
        writeln!(
            out,
            "  to keep     {} (encrypted)",
            self.private_part().display()
        )?;
        writeln!(out, "  thumbprint  {}", certificate.thumbprint_sha1())?;
        writeln!(out, "  SHA-256     {}", certificate.thumbprint_sha256())?;
        writeln!(
            out,
            "  expires     {}, in {}",
            iso_date(certificate.not_after()),
            counted(days, "day", "days")
        )
    }

    /// What an administrator does before the certificate can be used.
    pub(crate) fn instruct(
        &self,
        client: ClientId,
        permissions: &[&str],
        out: &mut impl Write,
    ) -> io::Result<()> {
        writeln!(
            out,
            "\nIn https://entra.microsoft.com, App registrations, {client}:"
        )?;
        writeln!(
            out,
            "  1. Certificates & secrets > Certificates > Upload certificate: {}\n     \
             The list then shows the thumbprint above.",
            self.public_part().display()
        )?;
        writeln!(
            out,
            "  2. API permissions > Add a permission > Microsoft Graph > Application permissions: {}\n     \
             Then Grant admin consent.",
            permissions.join(", ")
        )?;
        writeln!(
            out,
            "Then sign in with AZURE_CLIENT_CERTIFICATE_PATH={}\n",
            self.private_part().display()
        )
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.temporary {
            // What is left behind is encrypted with a passphrase that nobody knows any more.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
