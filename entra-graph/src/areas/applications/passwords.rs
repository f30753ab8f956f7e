//! Client secrets: `addPassword` and `removePassword`.

use std::fmt;

use entra_core::{Guid, Secret, Timestamp};

use super::{ADD_PASSWORD, OneApplication, REMOVE_PASSWORD};
use crate::{
    areas::service_principals::{self, OneServicePrincipal},
    client::{GraphClient, Reply},
    error::Error,
    model::{Body, read_document, without_error},
    objects::types::PasswordCredential,
    operation::Operation,
    place::{Object, Single},
    request::{Request, read_nothing},
};

/// What a client secret is created from.
///
/// ```
/// # async fn example(graph: &entra_graph::GraphClient, client_id: entra_core::ClientId) -> Result<(), entra_graph::Error> {
/// use entra_graph::NewPassword;
/// let secret = graph.application(client_id).add_password(NewPassword::named("deploy").months(24)).send().await?;
/// // The only time that the value can be read:
/// let value = secret.value();
/// graph.application(client_id).remove_password(secret.id()).send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct NewPassword {
    display_name: Option<String>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    months: Option<u16>,
}

/// A new client secret: its value, which Graph returns this one time, and its id.
///
/// Neither `Debug` nor any error shows the value.
#[derive(Clone)]
#[must_use = "the value of the secret cannot be read again"]
pub struct NewSecret {
    value: Secret,
    id: SecretId,
    credential: PasswordCredential,
}

/// The secret ID of a client secret (`keyId`), by which it is removed. It is never a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretId(Guid);

impl NewPassword {
    /// A secret with this display name, valid from now for as long as Graph decides: two years. A tenant whose
    /// app management policy allows less takes only secrets with a shorter lifetime.
    #[inline]
    pub fn named(display_name: impl Into<String>) -> Self {
        Self {
            display_name: Some(display_name.into()),
            ..Self::default()
        }
    }

    /// The same secret, valid for this number of months from its start by the client's clock.
    #[must_use]
    pub const fn months(mut self, months: u16) -> Self {
        self.months = Some(months);
        self.end = None;
        self
    }

    /// The same secret, valid from this time.
    #[must_use]
    pub const fn starts(mut self, start: Timestamp) -> Self {
        self.start = Some(start);
        self
    }

    /// The same secret, valid until this time.
    #[must_use]
    pub const fn expires(mut self, end: Timestamp) -> Self {
        self.end = Some(end);
        self.months = None;
        self
    }

    /// The body of the action, at this time.
    #[inline]
    pub(crate) fn body(self, now: Timestamp) -> Result<Body, Error> {
        let end = match self.months {
            Some(0) => {
                return Err(Error::query(
                    "a client secret is valid for at least a month",
                ));
            }
            Some(months) => Some(later(self.start.unwrap_or(now), months)?),
            None => self.end,
        };
        let mut credential = PasswordCredential::default();
        credential.display_name = self.display_name;
        credential.start_date_time = self.start;
        credential.end_date_time = end;
        let mut body = Body::default();
        body.set::<PasswordCredential>("passwordCredential", &credential);
        Ok(body)
    }
}

/// The time this number of calendar months later; the day is the last one of a shorter month.
#[inline]
pub(crate) fn later(start: Timestamp, months: u16) -> Result<Timestamp, Error> {
    let too_late = |_| Error::query("the client secret's expiry date is out of range");
    let month = i32::from(u8::from(start.month())) - 1 + i32::from(months);
    let year = start.year() + month / 12;
    let number = u8::try_from(month % 12 + 1).unwrap_or(1);
    let month = entra_core::time::Month::try_from(number)
        .map_err(|_| Error::query("the client secret's expiry date is out of range"))?;
    let day = start.day().min(month.length(year));
    let date = entra_core::time::Date::from_calendar_date(year, month, day).map_err(too_late)?;
    Ok(start.replace_date(date))
}

impl NewSecret {
    /// The secret value. Store it now; Graph never returns it again.
    #[must_use]
    pub const fn value(&self) -> &Secret {
        &self.value
    }

    /// The secret ID, by which the secret is removed.
    #[must_use]
    pub const fn id(&self) -> SecretId {
        self.id
    }

    /// When the secret expires, as Graph decided.
    #[must_use]
    pub const fn expires(&self) -> Option<Timestamp> {
        self.credential.end_date_time
    }

    /// The other properties, without the value.
    #[must_use]
    pub const fn credential(&self) -> &PasswordCredential {
        &self.credential
    }
}

impl SecretId {
    /// The id of a listed client secret, [`PasswordCredential::key_id`].
    #[must_use]
    pub const fn new(key_id: Guid) -> Self {
        Self(key_id)
    }
}

impl fmt::Display for SecretId {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for SecretId {
    type Err = <Guid as std::str::FromStr>::Err;

    #[inline]
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Shows the id and no value.
impl fmt::Debug for NewSecret {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSecret")
            .field("id", &self.id)
            .field("expires", &self.expires())
            .finish_non_exhaustive()
    }
}

/// Reads the response of `addPassword`.
#[inline]
fn read_secret(_: &GraphClient, reply: &Reply) -> Result<NewSecret, Error> {
    let mut credential = PasswordCredential::default();
    read_document(&reply.body, &mut credential)?;
    without_error(&reply.body, credential.additional().has_error())?;
    let missing = |what: &str| {
        Error::decode(
            "the response is not a new client secret",
            format!("it has no {what}"),
        )
    };
    let value = credential
        .secret_text
        .take()
        .ok_or_else(|| missing("secretText"))?;
    let id = credential
        .key_id
        .as_deref()
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| missing("keyId"))?;
    Ok(NewSecret {
        value,
        id,
        credential,
    })
}

/// A place whose object has client secrets.
#[diagnostic::on_unimplemented(
    message = "the object at `{Self}` has no client secrets",
    note = "applications and service principals have them: `graph.application(id).add_password(..)`"
)]
pub trait PasswordPlace: Single {
    /// The operation that adds one.
    const ADD_PASSWORD: &'static Operation;
    /// The operation that removes one.
    const REMOVE_PASSWORD: &'static Operation;
}

impl PasswordPlace for OneApplication {
    const ADD_PASSWORD: &'static Operation = &ADD_PASSWORD;
    const REMOVE_PASSWORD: &'static Operation = &REMOVE_PASSWORD;
}

impl PasswordPlace for OneServicePrincipal {
    const ADD_PASSWORD: &'static Operation = &service_principals::ADD_PASSWORD;
    const REMOVE_PASSWORD: &'static Operation = &service_principals::REMOVE_PASSWORD;
}

impl<P: PasswordPlace> Object<P> {
    /// A request that adds a client secret; its response has the secret value, this one time:
    /// [`POST /applications/{id}/addPassword`](https://learn.microsoft.com/graph/api/application-addpassword),
    /// [`POST /servicePrincipals/{id}/addPassword`](https://learn.microsoft.com/graph/api/serviceprincipal-addpassword).
    ///
    /// Needs `Application.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it.
    /// Sending it twice adds two secrets, so it is sent again only if it was surely not processed. A new secret
    /// can be unknown to the token endpoint for some seconds. A secret of a service principal is valid in its
    /// tenant only; the secrets of an own application belong to [its registration](GraphClient::application).
    pub fn add_password(&self, password: NewPassword) -> Request<NewSecret> {
        let call = self
            .call(&["addPassword"], P::ADD_PASSWORD)
            .and_then(|call| {
                let body = password.body(self.target().client.now())?;
                Ok(call.with_json(body.into_bytes()))
            });
        Request::new(self.target().client.clone(), call, read_secret)
    }

    /// A request that removes a client secret, by its secret ID:
    /// [`POST /applications/{id}/removePassword`](https://learn.microsoft.com/graph/api/application-removepassword),
    /// [`POST /servicePrincipals/{id}/removePassword`](https://learn.microsoft.com/graph/api/serviceprincipal-removepassword).
    ///
    /// Needs `Application.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it.
    ///
    /// "No credentials found to be removed" is an error also if the response of an earlier attempt was lost: a replica that
    /// does not know a new secret yet says the same. [`send_after_write`](Request::send_after_write) waits for it.
    pub fn remove_password(&self, id: SecretId) -> Request<()> {
        let call = self
            .call(&["removePassword"], P::REMOVE_PASSWORD)
            .map(|call| {
                let mut body = Body::default();
                body.set::<Guid>("keyId", &id.0);
                call.with_json(body.into_bytes())
            });
        Request::new(self.target().client.clone(), call, read_nothing)
    }
}
