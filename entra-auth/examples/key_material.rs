//! Makes and reads key material, so that other programs can check it from outside.
//!
//! `key_material make DIRECTORY` writes a new certificate in every form, and signed assertions.
//! `key_material load FILE` prints the SHA-256 thumbprint of what it reads, or why it cannot.
//! The passphrase comes from the variable `KEY_PASSPHRASE`, if it is set.

use std::{
    env,
    error::Error,
    fs,
    path::Path,
    process::ExitCode,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use entra_auth::{
    Certificate, ClientCertificateCredential, ClientCertificateCredentialBuilder,
    SelfSignedCertificate,
};
use entra_core::{
    HttpTransport, Secret, TokenCredential, TokenRequest, TransportError, bytes::Bytes, http,
    url::form_urlencoded,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let passphrase = env::var("KEY_PASSPHRASE").ok().map(Secret::from);
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make", directory] => make(Path::new(directory), passphrase.as_ref()).await,
        ["load", file] => load(Path::new(file), passphrase.as_ref()),
        _ => Err("usage: key_material make DIRECTORY | load FILE".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn make(directory: &Path, passphrase: Option<&Secret>) -> Result<(), Box<dyn Error>> {
    let passphrase = passphrase.ok_or("set KEY_PASSPHRASE")?;
    let certificate = SelfSignedCertificate::rsa("CN=helpdesk, O=Contoso, C=DE")
        .valid_for_days(365)
        .generate()?;
    certificate.export_public_cer(directory.join("upload-me.cer"))?;
    certificate.export_public_pem(directory.join("upload-me.pem"))?;
    certificate.save_encrypted_pem(directory.join("client.pem"), passphrase)?;
    certificate.save_pfx(directory.join("client.pfx"), passphrase)?;
    fs::write(directory.join("sha1"), certificate.thumbprint_sha1())?;
    fs::write(directory.join("sha256"), certificate.thumbprint_sha256())?;

    let builder = || ClientCertificateCredential::builder(TENANT, CLIENT, certificate.clone());
    fs::write(directory.join("ps256.jwt"), assertion(builder()).await?)?;
    let old = builder().rs256().send_chain();
    fs::write(directory.join("rs256.jwt"), assertion(old).await?)?;
    Ok(())
}

fn load(file: &Path, passphrase: Option<&Secret>) -> Result<(), Box<dyn Error>> {
    match Certificate::from_file(file, passphrase) {
        Ok(certificate) => println!("{}", certificate.thumbprint_sha256()),
        Err(error) => match error.certificate_error() {
            Some(kind) => println!("{kind:?}: {error}"),
            None => println!("{:?}: {error}", error.kind()),
        },
    }
    Ok(())
}

/// The assertion that a credential sends.
async fn assertion(builder: ClientCertificateCredentialBuilder) -> Result<String, Box<dyn Error>> {
    let recorder = Arc::new(Recorder::default());
    let credential = builder.transport(Arc::clone(&recorder)).build()?;
    let scope = "https://graph.microsoft.com/.default";
    credential.token(&TokenRequest::new([scope])).await?;
    let body = recorder.0.lock().map_err(|_| "poisoned")?.clone();
    let assertion = form_urlencoded::parse(&body)
        .find(|(name, _)| name == "client_assertion")
        .map(|(_, value)| value.into_owned());
    Ok(assertion.ok_or("no assertion was sent")?)
}

/// A sign-in service that keeps what it is sent and believes it.
#[derive(Debug, Default)]
struct Recorder(Mutex<Bytes>);

#[async_trait]
impl HttpTransport for Recorder {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        if let Ok(mut body) = self.0.lock() {
            *body = request.into_body();
        }
        let granted = r#"{"token_type":"Bearer","access_token":"t","expires_in":3600}"#;
        Ok(http::Response::new(Bytes::from_static(granted.as_bytes())))
    }
}

const TENANT: &str = "11111111-1111-1111-1111-111111111111";
const CLIENT: &str = "22222222-2222-2222-2222-222222222222";
