//! A folder with a certificate to upload and its private key.

use std::{
    env,
    error::Error,
    fs,
    io::{self, Write},
    path::PathBuf,
};

use entra_auth::{
    Certificate, SelfSignedCertificate,
    entra_core::{ClientId, Clock, Guid, Secret, SystemRandom, Timestamp},
};

/// The folder of both files of a certificate.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    temporary: bool,
}

impl Folder {
    /// The folder of this path. Creates it if it does not exist.
    pub(crate) fn of(path: PathBuf) -> Result<Self, Box<dyn Error>> {
        fs::create_dir_all(&path)
            .map_err(|error| format!("cannot create the folder {}: {error}", path.display()))?;
        Ok(Self {
            path,
            temporary: false,
        })
    }

    /// A folder that is deleted with this value.
    pub(crate) fn temporary() -> Result<Self, Box<dyn Error>> {
        let name = format!("certificate-client-{}", Guid::random(&SystemRandom)?);
        let mut folder = Self::of(env::temp_dir().join(name))?;
        folder.temporary = true;
        Ok(folder)
    }

    /// Generates a certificate and saves it, the private key encrypted.
    ///
    /// Never overwrites an older one, which may be registered.
    pub(crate) fn make_certificate(
        &self,
        passphrase: &Secret,
        clock: impl Clock,
    ) -> Result<Certificate, Box<dyn Error>> {
        let private_part = self.private_part();
        if private_part.exists() {
            return Err(format!(
                "{} exists already; sign in with it, or name another folder with --folder",
                private_part.display()
            )
            .into());
        }
        let certificate = SelfSignedCertificate::rsa("CN=inventory-client")
            .valid_for_days(365)
            .clock(clock)
            .generate()?;
        certificate.save_encrypted_pem(private_part, passphrase)?;
        certificate.export_public_cer(self.public_part())?;
        Ok(certificate)
    }

    /// The certificate that an administrator uploads.
    pub(crate) fn public_part(&self) -> PathBuf {
        self.path.join("upload-me.cer")
    }

    /// The certificate with its private key, which is never uploaded.
    pub(crate) fn private_part(&self) -> PathBuf {
        self.path.join("client.pem")
    }

    pub(crate) fn describe(
        &self,
        certificate: &Certificate,
        now: Timestamp,
        out: &mut impl Write,
    ) -> io::Result<()> {
        writeln!(out, "A new certificate")?;
        writeln!(out, "  to upload   {}", self.public_part().display())?;
        writeln!(
            out,
            "  private key {} (encrypted)",
            self.private_part().display()
        )?;
        writeln!(out, "  thumbprint  {}", certificate.thumbprint_sha1())?;
        writeln!(out, "  SHA-256     {}", certificate.thumbprint_sha256())?;
        writeln!(
            out,
            "  expires     {}, in {} days",
            certificate.not_after().date(),
            certificate.days_left(now)
        )
    }

    /// The configuration, encrypted for installations.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.path.join("configuration.json")
    }

    /// Tells an administrator how to register the certificate.
    pub(crate) fn instruct(
        &self,
        client: ClientId,
        permissions: &[&str],
        out: &mut impl Write,
    ) -> io::Result<()> {
        writeln!(
            out,
            "\nIn the Microsoft Entra admin center, App registrations, {client}:"
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
            // A file that cannot be deleted is encrypted with a passphrase that is not stored anywhere.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
