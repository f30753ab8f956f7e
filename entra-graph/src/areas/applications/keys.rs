//! Certificates: `addKey` and `removeKey` with proof of possession, and the first certificate.

use std::fmt;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use entra_core::{Guid, ProofSigner, Secret, Timestamp};

use super::{ADD_KEY, OneApplication, REMOVE_KEY, signing_keys::NewSigningKey};
use crate::{
    areas::{
        service_principals::{self, OneServicePrincipal},
        x509::is_certificate,
    },
    error::Error,
    model::{Body, BodyValue, SecretBuffer},
    objects::{Application, ServicePrincipal, types::KeyCredential},
    operation::Operation,
    place::{Object, Single},
    request::{IntoRequest, Request, read_nothing},
    verbs::Get,
};

/// A place whose object has keys that are added and removed with a proof of possession.
#[diagnostic::on_unimplemented(
    message = "the object at `{Self}` has no keys",
    note = "applications and service principals do: `graph.application(id).add_key(..)`"
)]
pub trait KeyPlace: Single {
    /// The operation that adds one.
    const ADD_KEY: &'static Operation;
    /// The operation that removes one.
    const REMOVE_KEY: &'static Operation;

    /// The read with nothing but the object id.
    #[doc(hidden)]
    fn id_alone(get: Get<Self::Item>) -> Get<Self::Item>;

    /// The object id.
    #[doc(hidden)]
    fn id(object: Self::Item) -> String;
}

impl KeyPlace for OneApplication {
    const ADD_KEY: &'static Operation = &ADD_KEY;
    const REMOVE_KEY: &'static Operation = &REMOVE_KEY;

    #[inline]
    fn id_alone(get: Get<Application>) -> Get<Application> {
        get.select(Application::ID)
    }

    #[inline]
    fn id(object: Application) -> String {
        object.id
    }
}

impl KeyPlace for OneServicePrincipal {
    const ADD_KEY: &'static Operation = &service_principals::ADD_KEY;
    const REMOVE_KEY: &'static Operation = &service_principals::REMOVE_KEY;

    #[inline]
    fn id_alone(get: Get<ServicePrincipal>) -> Get<ServicePrincipal> {
        get.select(ServicePrincipal::ID)
    }

    #[inline]
    fn id(object: ServicePrincipal) -> String {
        object.id
    }
}

/// A certificate to register for an application or service principal: the public part only.
///
/// ```
/// # fn example(der: &[u8]) -> Result<(), entra_graph::Error> {
/// use entra_graph::NewCertificate;
/// let certificate = NewCertificate::from_der(der)?.named("deploy 2027");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct NewCertificate {
    key: String,
    display_name: Option<String>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

/// A request that a certificate of the application or service principal has to prove: [`send`](Self::send) has
/// the proof signed first, then sends both.
#[must_use = "a request does nothing until it is sent"]
pub struct ProvenRequest<'s, P: KeyPlace = OneApplication> {
    object: Object<P>,
    action: &'static str,
    operation: &'static Operation,
    body: Body,
    signer: &'s dyn ProofSigner,
}

/// The key id of a certificate (`keyId`), by which it is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CertificateId(Guid);

impl NewCertificate {
    /// An X.509 certificate in DER, the content of a `.cer` file.
    ///
    /// # Errors
    /// [`ErrorKind::Query`](crate::ErrorKind::Query) if it is not one, such as a private key or a PKCS#12 file by
    /// mistake.
    #[inline]
    pub fn from_der(der: impl AsRef<[u8]>) -> Result<Self, Error> {
        let der = der.as_ref();
        if !is_certificate(der) {
            return Err(Error::query(
                "the bytes are not the DER of an X.509 certificate; give the public part alone (.cer), or call `from_pem`",
            ));
        }
        Ok(Self {
            key: STANDARD.encode(der),
            display_name: None,
            start: None,
            end: None,
        })
    }

    /// The first certificate of a PEM text. Other blocks are ignored, so a private key is never sent.
    ///
    /// # Errors
    /// [`ErrorKind::Query`](crate::ErrorKind::Query) if the text has no certificate, or its block is not one.
    #[inline]
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let missing = || Error::query("the PEM text has no certificate");
        let (_, rest) = pem
            .split_once("-----BEGIN CERTIFICATE-----")
            .ok_or_else(missing)?;
        let (body, _) = rest
            .split_once("-----END CERTIFICATE-----")
            .ok_or_else(missing)?;
        let body: String = body.split_whitespace().collect();
        let der = STANDARD
            .decode(body)
            .map_err(|_| Error::query("the certificate in the PEM text is not base64"))?;
        Self::from_der(der)
    }

    /// The same certificate with a display name; without one, Graph shows the subject.
    #[must_use]
    #[inline]
    pub fn named(mut self, display_name: impl Into<String>) -> Self {
        self.display_name = Some(display_name.into());
        self
    }

    /// The same certificate, which signs in from this time; without one, from the start of its own validity.
    #[must_use]
    #[inline]
    pub const fn starts(mut self, start: Timestamp) -> Self {
        self.start = Some(start);
        self
    }

    /// The same certificate, which signs in until this time, which is not after the end of its own validity. A tenant whose
    /// app management policy limits the lifetime of certificates may take one that lives longer only with it.
    #[must_use]
    #[inline]
    pub const fn expires(mut self, end: Timestamp) -> Self {
        self.end = Some(end);
        self
    }

    /// A certificate from its DER in base64.
    #[cfg(feature = "registration")]
    #[inline]
    pub(crate) fn from_key(key: String, display_name: &str) -> Self {
        Self {
            key,
            display_name: Some(display_name.to_owned()),
            start: None,
            end: None,
        }
    }

    /// The DER in base64.
    #[cfg(feature = "registration")]
    #[inline]
    pub(crate) fn into_key(self) -> String {
        self.key
    }

    #[inline]
    fn credential(self) -> KeyCredential {
        let mut credential = KeyCredential::default()
            .kind("AsymmetricX509Cert")
            .usage("Verify")
            .key(self.key);
        credential.display_name = self.display_name;
        credential.start_date_time = self.start;
        credential.end_date_time = self.end;
        credential
    }
}

/// Without its bytes: a private key may have been given by mistake.
impl fmt::Debug for NewCertificate {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewCertificate")
            .field("display_name", &self.display_name)
            .field("start", &self.start)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// Shows neither body nor signer.
impl<P: KeyPlace> fmt::Debug for ProvenRequest<'_, P> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProvenRequest")
            .field("operation", &self.operation.name)
            .finish_non_exhaustive()
    }
}

impl<P: KeyPlace> ProvenRequest<'_, P> {
    /// Sends it.
    ///
    /// The proof is a JWT for ten minutes from the client's clock. Its issuer is the object id: where the handle has an alternate key, the id is read first.
    ///
    /// # Errors
    /// [`ErrorKind::Credential`](crate::ErrorKind::Credential) if the key cannot sign; every other kind of [`Error`].
    #[inline]
    pub async fn send(self) -> Result<(), Error> {
        let object_id = self.object.object_id().await?;
        let client = &self.object.target().client;
        let unsigned = unsigned_proof(&object_id, self.signer.sha1_thumbprint(), client.now());
        let signature = self
            .signer
            .sign_rs256(unsigned.as_bytes())
            .await
            .map_err(entra_core::Error::from)?;
        let signature = URL_SAFE_NO_PAD.encode(signature);
        let proof = Proof(Secret::from(format!("{unsigned}.{signature}")));
        let mut body = self.body;
        body.set::<Secret>("proof", &proof);
        let call = self.object.call(&[self.action], self.operation);
        let call = call.map(|call| call.with_json(body.into_bytes()));
        Request::new(client.clone(), call, read_nothing)
            .send()
            .await
    }
}

/// Header and claims of a proof of possession, with a dot between them.
#[inline]
fn unsigned_proof(object_id: &str, sha1_thumbprint: [u8; 20], now: Timestamp) -> String {
    let header = serde_json::json!({
        "alg": "RS256", "typ": "JWT", "x5t": URL_SAFE_NO_PAD.encode(sha1_thumbprint),
    });
    let start = now.unix_timestamp();
    let claims = serde_json::json!({
        "aud": AUDIENCE, "iss": object_id, "nbf": start, "exp": start + LIFETIME,
    });
    let encode = |part: serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

impl CertificateId {
    /// The id of a listed certificate, [`KeyCredential::key_id`].
    #[must_use]
    pub const fn new(key_id: Guid) -> Self {
        Self(key_id)
    }
}

impl fmt::Display for CertificateId {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for CertificateId {
    type Err = <Guid as std::str::FromStr>::Err;

    #[inline]
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// A signed proof of possession.
struct Proof(Secret);

impl BodyValue<Secret> for Proof {
    #[inline]
    fn write_into(&self, body: &mut SecretBuffer) {
        self.0.write_into(body);
    }
}

impl<P: KeyPlace> Object<P> {
    /// A request that adds a certificate, proven by one that is there already:
    /// [`POST /applications/{id}/addKey`](https://learn.microsoft.com/graph/api/application-addkey), or
    /// [of a service principal](https://learn.microsoft.com/graph/api/serviceprincipal-addkey).
    ///
    /// Needs `Application.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it. An
    /// application needs no permission for its own keys. Two writers at the same time lose
    /// nothing. Graph does not return the key id: read [`Application::KEY_CREDENTIALS`] for it. The first
    /// certificate cannot be proven: [`upload_first_certificate`](Object::upload_first_certificate) adds it.
    ///
    /// The signer is a certificate of `entra-auth`, or a key vault behind your own [`ProofSigner`].
    ///
    /// ```
    /// # use entra_graph::{GraphClient, Error, NewCertificate, entra_core::{ObjectId, ProofSigner}};
    /// # async fn example(graph: &GraphClient, object_id: ObjectId, new: NewCertificate, current: &dyn ProofSigner)
    /// # -> Result<(), Error> {
    /// graph.application(object_id).add_key(new, current).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn add_key<'s>(
        &self,
        certificate: NewCertificate,
        signer: &'s dyn ProofSigner,
    ) -> ProvenRequest<'s, P> {
        let mut body = Body::default();
        body.set::<KeyCredential>("keyCredential", &certificate.credential());
        body.set_json("passwordCredential", "null");
        self.proven("addKey", P::ADD_KEY, body, signer)
    }

    /// A request that adds a private key with its certificate, which signs tokens, by the same action.
    ///
    /// Needs what [`add_key`](Self::add_key) needs. Graph can make such a key of a service principal by itself, so that
    /// the private key never leaves Entra: [`add_token_signing_certificate`](Object::add_token_signing_certificate).
    #[inline]
    pub fn add_signing_key<'s>(
        &self,
        key: NewSigningKey,
        signer: &'s dyn ProofSigner,
    ) -> ProvenRequest<'s, P> {
        self.proven("addKey", P::ADD_KEY, key.body(), signer)
    }

    /// A request that removes a key:
    /// [`POST /applications/{id}/removeKey`](https://learn.microsoft.com/graph/api/application-removekey), or
    /// [of a service principal](https://learn.microsoft.com/graph/api/serviceprincipal-removekey).
    ///
    /// Needs `Application.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it. An
    /// application needs no permission for its own keys. "No credentials found to be removed" is an error also if the
    /// response of an earlier attempt was lost: a replica that does not know a new key yet says the same.
    #[inline]
    pub fn remove_key<'s>(
        &self,
        id: CertificateId,
        signer: &'s dyn ProofSigner,
    ) -> ProvenRequest<'s, P> {
        let mut body = Body::default();
        body.set::<Guid>("keyId", &id.0);
        self.proven("removeKey", P::REMOVE_KEY, body, signer)
    }

    #[inline]
    fn proven<'s>(
        &self,
        action: &'static str,
        operation: &'static Operation,
        body: Body,
        signer: &'s dyn ProofSigner,
    ) -> ProvenRequest<'s, P> {
        ProvenRequest {
            object: self.clone(),
            action,
            operation,
            body,
            signer,
        }
    }

    /// The object id: from the address, or read where the address has another key.
    #[inline]
    async fn object_id(&self) -> Result<String, Error> {
        let target = self.target();
        if target.by_alternate_key {
            return Ok(P::id(P::id_alone(self.get()).send().await?));
        }
        let url = target.url()?;
        let id = url.path_segments().and_then(Iterator::last);
        Ok(id.unwrap_or_default().to_owned())
    }
}

/// The upload of the first certificate, for a type with key credentials.
macro_rules! first_certificate {
    ($place:ident, $object:ident, $noun:literal) => {
impl Object<$place> {
    #[doc = concat!("Adds the first certificate of a new ", $noun, " and reads it back.")]
    ///
    /// Without a valid certificate there is nothing to prove possession with, so this is an update of the whole
    /// list `keyCredentials`, which would drop what another writer adds at the same time. It therefore
    /// belongs right after the create, before secrets and other certificates: it fails if there is a certificate or a
    /// secret already that has not expired. Expired certificates, which prove nothing either, are removed by the update.
    ///
    /// A replica that does not have the new object yet is waited for, each time for a minute at most.
    ///
    /// Needs `Application.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it.
    ///
    /// # Errors
    /// [`ErrorKind::Query`](crate::ErrorKind::Query) if there is a valid credential already,
    /// [`ErrorKind::NotSettled`](crate::ErrorKind::NotSettled) if the certificate was sent, but cannot be read back within a
    /// minute; every other kind of [`Error`].
    #[inline]
    pub async fn upload_first_certificate(
        &self,
        certificate: NewCertificate,
    ) -> Result<KeyCredential, Error> {
        let credentials = (
            $object::KEY_CREDENTIALS,
            $object::PASSWORD_CREDENTIALS,
        );
        let before = self.get().select(credentials).into_request();
        let before = before.send_after_write(MINUTE).await?;
        let now = self.target().client.now();
        let is_valid = |end: Option<Timestamp>| end.is_none_or(|end| end > now);
        let mut secrets = before.password_credentials.into_iter().flatten();
        let mut certificates = before.key_credentials.into_iter().flatten();
        if secrets.any(|one| is_valid(one.end_date_time))
            || certificates.any(|one| is_valid(one.end_date_time))
        {
            return Err(Error::query(concat!(
                "the ",
                $noun,
                " has credentials already, so another writer may be active; add the certificate with add_key, or upload it right after the create",
            )));
        }
        let credential = certificate.credential();
        // Entries with a start in the past are rejected, so expired ones cannot be sent again with it.
        let update = self.update().set($object::KEY_CREDENTIALS, [&credential]);
        update.into_request().send_after_write(MINUTE).await?;
        let is_new = move |one: &KeyCredential| one.key == credential.key;
        let shown = is_new.clone();
        // Reads can be served by a replica that does not have the update yet.
        let read = self.get().select($object::KEY_CREDENTIALS).settled();
        let read = read.until(move |object| object.key_credentials.iter().flatten().any(&shown));
        let read = read.reads(1).budget(MINUTE).send().await;
        let read = read.map_err(Error::unread)?;
        let mut listed = read.key_credentials.into_iter().flatten();
        let missing = || Error::query("the certificate was sent, but is not in the response");
        listed.find(|one| is_new(one)).ok_or_else(missing)
    }
}
    };
}

first_certificate!(OneApplication, Application, "application");
first_certificate!(OneServicePrincipal, ServicePrincipal, "service principal");

/// The audience of a proof: Azure AD Graph.
const AUDIENCE: &str = "00000002-0000-0000-c000-000000000000";
/// The longest lifetime of a proof, in seconds.
const LIFETIME: i64 = 600;
const MINUTE: std::time::Duration = std::time::Duration::from_secs(60);
