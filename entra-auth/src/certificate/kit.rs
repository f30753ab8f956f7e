use std::{path::Path, sync::Arc, time::Duration};

use entra_core::{Clock, Secret, SystemClock, Timestamp};
use rcgen::{
    CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256,
    RsaKeySize,
};
use zeroize::Zeroizing;

use super::{
    encrypted, error, file, parsed::ParsedFile, pem, pfx, read, subject, value::Certificate,
};
use crate::{CertificateErrorKind, Error};

/// Makes an RSA key and a self-signed certificate for it.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use entra_auth::SelfSignedCertificate;
///
/// # let directory = std::env::temp_dir().join(format!("entra-self-signed-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// # let path = |name: &str| directory.join(name);
/// let certificate = SelfSignedCertificate::rsa("CN=helpdesk").valid_for_days(365).generate()?;
/// certificate.export_public_cer(path("upload-me.cer"))?; // what the administrator uploads; never the key
/// certificate.save_encrypted_pem(path("client.pem"), &"a long passphrase".into())?;
/// println!("{} until {}", certificate.thumbprint_sha1(), certificate.not_after());
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is made until `generate` is called"]
pub struct SelfSignedCertificate {
    subject: String,
    bits: u32,
    days: u32,
    clock: Arc<dyn Clock>,
}

impl SelfSignedCertificate {
    /// A certificate for this subject, such as `CN=helpdesk, O=Contoso`: RSA of 2048 bits, one year.
    pub fn rsa(subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            bits: 2048,
            days: 365,
            clock: Arc::new(SystemClock),
        }
    }

    /// The size of the key: 2048, 3072 or 4096 bits.
    pub fn bits(mut self, bits: u32) -> Self {
        self.bits = bits;
        self
    }

    /// How long the certificate is valid from now on, at most ten years.
    pub fn valid_for_days(mut self, days: u32) -> Self {
        self.days = days;
        self
    }

    /// The clock for the validity period. The default is the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Makes key and certificate. A key takes up to a second or so, a large one longer.
    ///
    /// # Errors
    /// [`CertificateErrorKind::Subject`] for a subject or lifetime that cannot be used,
    /// [`CertificateErrorKind::UnsupportedKey`] for any other key size.
    pub fn generate(&self) -> Result<Certificate, Error> {
        let size = match self.bits {
            2048 => RsaKeySize::_2048,
            3072 => RsaKeySize::_3072,
            4096 => RsaKeySize::_4096,
            other => {
                return Err(error::error(
                    CertificateErrorKind::UnsupportedKey,
                    format!("a key of {other} bits cannot be made"),
                    "use 2048, 3072 or 4096 bits",
                ));
            }
        };
        let parameters = self.parameters()?;
        let failed = |source: rcgen::Error| {
            error::crypto("the certificate could not be made").with_source(source)
        };
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, size).map_err(failed)?;
        let certificate = parameters.self_signed(&key).map_err(failed)?;
        read::assemble(ParsedFile {
            certificates: vec![certificate.der().to_vec()],
            keys: vec![Zeroizing::new(key.serialize_der())],
            ..ParsedFile::default()
        })
    }

    fn parameters(&self) -> Result<CertificateParams, Error> {
        if !(1..=LONGEST_DAYS).contains(&self.days) {
            return Err(error::error(
                CertificateErrorKind::Subject,
                format!("a certificate cannot be valid for {} days", self.days),
                format!("use 1 to {LONGEST_DAYS} days"),
            ));
        }
        let now = to_the_second(self.clock.now());
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = subject::parse(&self.subject)?;
        // A clock that is slightly behind must not reject the new certificate.
        parameters.not_before = now - BACKDATED;
        parameters.not_after = now + Duration::from_secs(u64::from(self.days) * 24 * 3600);
        parameters.is_ca = IsCa::ExplicitNoCa;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        Ok(parameters)
    }
}

impl Certificate {
    /// Writes certificate, chain and encrypted private key as PEM, readable by its owner only.
    ///
    /// The file is replaced in one step. The key is PKCS#8 under AES-256.
    ///
    /// # Errors
    /// [`CertificateErrorKind::WrongPassphrase`] when the passphrase is empty, and
    /// [`CertificateErrorKind::File`] when the file cannot be written.
    pub fn save_encrypted_pem(
        &self,
        path: impl AsRef<Path>,
        passphrase: &Secret,
    ) -> Result<(), Error> {
        not_empty(passphrase)?;
        let key = encrypted::seal(&self.pkcs8()?, passphrase)?;
        let mut text = Zeroizing::new(self.public_pem());
        for link in self.chain() {
            text.push_str(pem::encode("CERTIFICATE", link).expose_secret());
        }
        text.push_str(key.expose_secret());
        file::write_private(path.as_ref(), text.as_bytes())
    }

    /// Writes certificate, chain and private key as PKCS#12, readable by its owner only.
    ///
    /// The file is replaced in one step. It opens with OpenSSL, Java, macOS, and Windows from
    /// Server 2019 and Windows 10 1709 on.
    ///
    /// # Errors
    /// As [`save_encrypted_pem`](Self::save_encrypted_pem).
    pub fn save_pfx(&self, path: impl AsRef<Path>, password: &Secret) -> Result<(), Error> {
        not_empty(password)?;
        let certificates: Vec<&[u8]> = std::iter::once(self.public_der())
            .chain(self.chain())
            .collect();
        let pfx = pfx::seal(&self.pkcs8()?, &certificates, password)?;
        file::write_private(path.as_ref(), &pfx)
    }

    /// The private key as PEM, **without encryption**: its reader can sign in as the application.
    ///
    /// For a secret store that takes the text and encrypts it itself. There is no function that
    /// writes it to a file.
    ///
    /// # Errors
    /// [`CertificateErrorKind::Crypto`] when the crypto library cannot export the key.
    pub fn private_key_pem_unencrypted(&self) -> Result<Secret, Error> {
        Ok(pem::encode("PRIVATE KEY", &self.pkcs8()?))
    }
}

fn not_empty(passphrase: &Secret) -> Result<(), Error> {
    if passphrase.is_empty() {
        return Err(error::error(
            CertificateErrorKind::WrongPassphrase,
            "a private key is not written without a passphrase",
            "give a passphrase; where the text goes into a secret store, take `private_key_pem_unencrypted`",
        ));
    }
    Ok(())
}

/// X.509 has no smaller unit.
fn to_the_second(time: Timestamp) -> Timestamp {
    time.replace_nanosecond(0).unwrap_or(time)
}

const BACKDATED: Duration = Duration::from_secs(5 * 60);
const LONGEST_DAYS: u32 = 3650;
