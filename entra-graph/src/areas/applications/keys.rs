//! Certificates: `addKey` and `removeKey` with proof of possession, and the first certificate.

use std::fmt;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use entra_core::{Guid, ObjectId, Secret, Timestamp};

use super::{ADD_KEY, OneApplication, REMOVE_KEY};
use crate::{
    error::Error,
    model::{Body, BodyValue, SecretBuffer},
    objects::{Application, types::KeyCredential},
    place::Object,
    request::{Request, read_nothing},
};

/// A certificate to register for an application: the public part only.
///
/// ```
/// # fn example(der: &[u8]) {
/// use entra_graph::NewCertificate;
/// let certificate = NewCertificate::from_der(der).named("deploy 2027");
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NewCertificate {
    key: String,
    display_name: Option<String>,
}

/// Proves possession of the private key of a certificate that the application has: a JWT that this
/// certificate signed, valid for ten minutes. `Debug` does not show it.
#[derive(Clone, Debug)]
pub struct ProofOfPossession(Secret);

/// A proof of possession that has no signature yet.
///
/// The private key stays with the caller, such as in a key vault: sign [`message`](Self::message) with
/// RSASSA-PKCS1-v1_5 and SHA-256 (RS256), and give the signature to [`signed`](Self::signed).
///
/// ```
/// # async fn example(graph: &entra_graph::GraphClient, object_id: entra_core::ObjectId, new: entra_graph::NewCertificate,
/// #     thumbprint: [u8; 20], sign_rs256: fn(&[u8]) -> Vec<u8>) -> Result<(), entra_graph::Error> {
/// let application = graph.application(object_id);
/// let unsigned = application.proof_of_possession(object_id, &thumbprint);
/// let signature = sign_rs256(unsigned.message());
/// application.add_key(new, &unsigned.signed(&signature)).send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a proof needs a signature"]
pub struct UnsignedProof(String);

/// The key id of a certificate (`keyId`), by which it is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CertificateId(Guid);

impl NewCertificate {
    /// An X.509 certificate in DER.
    pub fn from_der(der: impl AsRef<[u8]>) -> Self {
        Self {
            key: STANDARD.encode(der),
            display_name: None,
        }
    }

    /// The first certificate of a PEM text. Other blocks are ignored, so a private key is never sent.
    ///
    /// # Errors
    /// [`ErrorKind::Query`](crate::ErrorKind::Query) if the text has no certificate.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let missing = || Error::query("the PEM text has no certificate");
        let (_, rest) = pem
            .split_once("-----BEGIN CERTIFICATE-----")
            .ok_or_else(missing)?;
        let (body, _) = rest
            .split_once("-----END CERTIFICATE-----")
            .ok_or_else(missing)?;
        let body: String = body.split_whitespace().collect();
        STANDARD
            .decode(body)
            .map(Self::from_der)
            .map_err(|_| Error::query("the certificate in the PEM text is not base64"))
    }

    /// The same certificate with a display name; without one, Graph shows the subject.
    #[must_use]
    pub fn named(mut self, display_name: impl Into<String>) -> Self {
        self.display_name = Some(display_name.into());
        self
    }

    fn credential(self) -> KeyCredential {
        let mut credential = KeyCredential::default()
            .kind("AsymmetricX509Cert")
            .usage("Verify")
            .key(self.key);
        credential.display_name = self.display_name;
        credential
    }
}

impl ProofOfPossession {
    /// A proof that was made elsewhere. Its claims are `aud` `00000002-0000-0000-c000-000000000000`, `iss` the
    /// object id of the application, `nbf`, and `exp` at most ten minutes later.
    pub fn from_jwt(jwt: impl Into<Secret>) -> Self {
        Self(jwt.into())
    }
}

impl UnsignedProof {
    fn new(application: ObjectId, sha1_thumbprint: &[u8], now: Timestamp) -> Self {
        let header = serde_json::json!({
            "alg": "RS256", "typ": "JWT", "x5t": URL_SAFE_NO_PAD.encode(sha1_thumbprint),
        });
        let start = now.unix_timestamp();
        let claims = serde_json::json!({
            "aud": AUDIENCE, "iss": application.to_string(), "nbf": start, "exp": start + LIFETIME,
        });
        let encode = |part: serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
        Self(format!("{}.{}", encode(header), encode(claims)))
    }

    /// The bytes to sign.
    #[must_use]
    pub const fn message(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The proof with its RS256 signature.
    pub fn signed(self, signature: &[u8]) -> ProofOfPossession {
        let signature = URL_SAFE_NO_PAD.encode(signature);
        ProofOfPossession(Secret::from(format!("{}.{signature}", self.0)))
    }
}

impl CertificateId {
    /// The id of a listed certificate, [`KeyCredential::key_id`].
    #[must_use]
    pub const fn new(key_id: Guid) -> Self {
        Self(key_id)
    }
}

impl fmt::Display for CertificateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for CertificateId {
    type Err = <Guid as std::str::FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl BodyValue<Secret> for ProofOfPossession {
    fn write_into(&self, body: &mut SecretBuffer) {
        self.0.write_into(body);
    }
}

impl Object<OneApplication> {
    /// A proof of possession for [`add_key`](Self::add_key) and [`remove_key`](Self::remove_key), to be signed by a
    /// certificate that the application has: the object id of the application, which is not its client id,
    /// and the SHA-1 thumbprint of the certificate.
    pub fn proof_of_possession(
        &self,
        application: ObjectId,
        sha1_thumbprint: &[u8],
    ) -> UnsignedProof {
        UnsignedProof::new(application, sha1_thumbprint, self.target().client.now())
    }

    /// A request that adds a certificate, proven by one that the application has already:
    /// [`POST /applications/{id}/addKey`](https://learn.microsoft.com/graph/api/application-addkey).
    ///
    /// Takes `Application.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it. An
    /// application needs no permission for its own keys. Two writers at the same time lose
    /// nothing. Graph does not return the key id: read [`Application::KEY_CREDENTIALS`] for it. The first
    /// certificate cannot be proven; [`upload_first_certificate`](Self::upload_first_certificate) adds it.
    pub fn add_key(&self, certificate: NewCertificate, proof: &ProofOfPossession) -> Request<()> {
        let mut body = Body::default();
        body.set::<KeyCredential>("keyCredential", &certificate.credential());
        body.set_json("passwordCredential", "null");
        body.set::<Secret>("proof", proof);
        let call = self
            .call(&["addKey"], &ADD_KEY)
            .map(|call| call.with_json(body.into_bytes()));
        Request::new(self.target().client.clone(), call, read_nothing)
    }

    /// A request that removes a certificate:
    /// [`POST /applications/{id}/removeKey`](https://learn.microsoft.com/graph/api/application-removekey).
    ///
    /// Takes `Application.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it. An
    /// application needs no permission for its own keys.
    pub fn remove_key(&self, id: CertificateId, proof: &ProofOfPossession) -> Request<()> {
        let mut body = Body::default();
        body.set::<Guid>("keyId", &id.0);
        body.set::<Secret>("proof", proof);
        let call = self
            .call(&["removeKey"], &REMOVE_KEY)
            .map(|call| call.with_json(body.into_bytes()));
        Request::new(self.target().client.clone(), call, read_nothing)
    }

    /// Adds the first certificate of a new application and reads it back.
    ///
    /// Without a valid certificate there is nothing to prove possession with, so this is an update of the whole
    /// list `keyCredentials`, which would drop what another writer adds at the same time. It therefore
    /// belongs right after the create, before secrets and other certificates: it fails if the application
    /// has a certificate or a secret already.
    ///
    /// Takes `Application.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it.
    ///
    /// # Errors
    /// [`ErrorKind::Query`](crate::ErrorKind::Query) if the application has a credential, or if the certificate
    /// cannot be read back within a minute; every other kind of [`Error`].
    pub async fn upload_first_certificate(
        &self,
        certificate: NewCertificate,
    ) -> Result<KeyCredential, Error> {
        let credentials = (
            Application::KEY_CREDENTIALS,
            Application::PASSWORD_CREDENTIALS,
        );
        let before = self.get().select(credentials).send().await?;
        let has_secret = before
            .password_credentials
            .is_some_and(|all| !all.is_empty());
        if has_secret || before.key_credentials.is_some_and(|all| !all.is_empty()) {
            return Err(Error::query(
                "the application has credentials already, so another writer may be active; add the certificate with add_key, or upload it right after the create",
            ));
        }
        let credential = certificate.credential();
        self.update()
            .set(Application::KEY_CREDENTIALS, [&credential])
            .send()
            .await?;
        // Reads can be served by a replica that does not have the update yet.
        for _ in 0..READS {
            let read = self.get().select(Application::KEY_CREDENTIALS);
            let listed = read.send().await?.key_credentials.unwrap_or_default();
            if let Some(found) = listed.into_iter().find(|one| one.key == credential.key) {
                return Ok(found);
            }
            self.target().client.sleep(BETWEEN_READS).await;
        }
        Err(Error::query(
            "the certificate was sent, but cannot be read back yet; read the application later",
        ))
    }
}

/// The audience of a proof: Azure AD Graph.
const AUDIENCE: &str = "00000002-0000-0000-c000-000000000000";
/// The longest lifetime of a proof, in seconds.
const LIFETIME: i64 = 600;
const READS: usize = 20;
const BETWEEN_READS: std::time::Duration = std::time::Duration::from_secs(3);
