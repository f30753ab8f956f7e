//! Making a certificate and storing its key.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use entra_auth::{
    Certificate, CertificateErrorKind as Kind, ClientCertificateCredential, SelfSignedCertificate,
};
use entra_core::{Clock, ManualClock, Secret, TokenCredential, TokenRequest};
use entra_mock::FakeTenant;

/// A directory of its own, gone with the value.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("entra-auth-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn passphrase() -> Secret {
    Secret::from("käse und correct horse")
}

#[cfg(unix)]
#[track_caller]
fn assert_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(
        fs::metadata(path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[cfg(not(unix))]
fn assert_private(_: &Path) {}

#[tokio::test]
async fn a_new_certificate_is_uploaded_stored_and_signed_in_with() {
    let directory = Directory::new("kit");
    let tenant = FakeTenant::start().await;
    let certificate = SelfSignedCertificate::rsa("CN=helpdesk, O=Contoso, C=DE")
        .valid_for_days(365)
        .clock(tenant.clock())
        .generate()
        .unwrap();
    assert_eq!(certificate.days_left(tenant.clock().now()), 365);

    certificate
        .export_public_cer(directory.path("upload-me.cer"))
        .unwrap();
    certificate
        .export_public_pem(directory.path("upload-me.pem"))
        .unwrap();
    let uploaded = fs::read(directory.path("upload-me.cer")).unwrap();
    assert_eq!(uploaded, certificate.public_der());
    let public = fs::read_to_string(directory.path("upload-me.pem")).unwrap();
    assert!(!public.contains("PRIVATE") && public.contains("BEGIN CERTIFICATE"));
    let app = tenant.register_app("Helpdesk").with_certificate(uploaded);

    let (pem, pfx) = (directory.path("client.pem"), directory.path("client.pfx"));
    certificate.save_encrypted_pem(&pem, &passphrase()).unwrap();
    certificate.save_pfx(&pfx, &passphrase()).unwrap();
    for path in [&pem, &pfx] {
        assert_private(path);
        let credential = ClientCertificateCredential::builder_from_file(
            tenant.id(),
            app.client_id(),
            path,
            Some(&passphrase()),
        )
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
        let request = TokenRequest::new([tenant.cloud().graph_scope()]);
        credential.token(&request).await.unwrap();
        assert_eq!(credential.certificate(), certificate);
    }
    let wrong = Certificate::from_file(&pem, Some(&"wrong".into())).unwrap_err();
    assert_eq!(wrong.certificate_error(), Some(Kind::WrongPassphrase));
    // Nothing temporary is left behind.
    assert_eq!(fs::read_dir(&directory.0).unwrap().count(), 4);
}

#[test]
fn unencrypted_key_is_exported_only_by_the_method_that_says_so() {
    let directory = Directory::new("empty-passphrase");
    let certificate = SelfSignedCertificate::rsa("helpdesk").generate().unwrap();
    let path = directory.path("client.pem");
    for rejected in [
        certificate.save_encrypted_pem(&path, &Secret::from("")),
        certificate.save_pfx(&path, &Secret::from("")),
    ] {
        let error = rejected.unwrap_err();
        assert_eq!(error.certificate_error(), Some(Kind::WrongPassphrase));
        assert!(
            error
                .fix()
                .unwrap_or_default()
                .contains("private_key_pem_unencrypted")
        );
    }
    assert!(!path.exists());
    let key = certificate.private_key_pem_unencrypted().unwrap();
    assert!(
        key.expose_secret()
            .starts_with("-----BEGIN PRIVATE KEY-----\n")
    );
    let again =
        Certificate::from_pem_and_key(certificate.public_pem(), key.expose_secret()).unwrap();
    assert_eq!(again, certificate);
    assert!(
        !format!("{certificate:?} {key:?}").contains(key.expose_secret().lines().nth(1).unwrap())
    );
}

#[test]
fn saving_replaces_a_file_whole_and_narrows_its_permissions() {
    let directory = Directory::new("replace");
    let path = directory.path("client.pem");
    fs::write(&path, "an old file that every user may read").unwrap();
    let certificate = SelfSignedCertificate::rsa("CN=helpdesk")
        .generate()
        .unwrap();
    certificate
        .save_encrypted_pem(&path, &passphrase())
        .unwrap();
    assert_private(&path);
    Certificate::from_file(&path, Some(&passphrase())).unwrap();

    let nowhere = directory.path("no-such-directory").join("client.pem");
    let error = certificate
        .save_encrypted_pem(nowhere, &passphrase())
        .unwrap_err();
    assert_eq!(error.certificate_error(), Some(Kind::File));
    assert_eq!(fs::read_dir(&directory.0).unwrap().count(), 1);
}

#[test]
fn sizes_lifetimes_and_subjects_are_checked() {
    for bits in [3072, 4096] {
        let certificate = SelfSignedCertificate::rsa("CN=large")
            .bits(bits)
            .generate()
            .unwrap();
        // The modulus and little else decides the length.
        assert!(certificate.public_der().len() > usize::try_from(bits).unwrap() / 8 * 2);
    }
    let kind =
        |made: SelfSignedCertificate| made.generate().unwrap_err().certificate_error().unwrap();
    assert_eq!(
        kind(SelfSignedCertificate::rsa("CN=small").bits(1024)),
        Kind::UnsupportedKey
    );
    assert_eq!(
        kind(SelfSignedCertificate::rsa("CN=never").valid_for_days(0)),
        Kind::Subject
    );
    assert_eq!(
        kind(SelfSignedCertificate::rsa("CN=ever").valid_for_days(10_000)),
        Kind::Subject
    );
    assert_eq!(kind(SelfSignedCertificate::rsa("")), Kind::Subject);
}

#[test]
fn a_certificate_is_valid_from_a_little_before_now_by_the_clock_that_is_given() {
    let clock = ManualClock::new();
    clock.advance(Duration::from_secs(1_000_000));
    let certificate = SelfSignedCertificate::rsa("CN=helpdesk")
        .valid_for_days(30)
        .clock(clock.clone())
        .generate()
        .unwrap();
    assert_eq!(
        (clock.now() - certificate.not_before()).whole_seconds(),
        300
    );
    assert_eq!(certificate.days_left(clock.now()), 30);
    clock.advance(Duration::from_secs(30 * 24 * 3600 + 1));
    assert_eq!(
        certificate
            .check_validity(clock.now())
            .unwrap_err()
            .certificate_error(),
        Some(Kind::Expired)
    );
}
