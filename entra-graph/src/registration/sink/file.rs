//! Sinks that are files: only the owner can read them, and each write replaces the file at once.

mod text;

use std::{fmt, io, path::PathBuf};

use entra_core::{
    Clock, Guid, SystemClock, Timestamp, time::format_description::well_known::Rfc3339,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{ConnectionIds, Reference, SecretSink, SecretSlot, SinkEntry, SinkError};
use crate::areas::applications::NewSecret;
use text::{EXPORT, read, replace, variable_in};

/// An environment file with the variables that Azure SDKs read: `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and
/// `AZURE_CLIENT_SECRET`.
///
/// The first secret of a blueprint is `AZURE_CLIENT_SECRET`, another one has its description in the name. The same name with
/// `_EXPIRES` has the date on which the secret expires, such as `2027-01-31`. Other lines of the file stay. Client ids and secrets that this registration did not write, or wrote in another tenant, are
/// an error before anything is changed: use another file or another [`prefix`](Self::prefix). The file has mode 0600 and
/// is replaced in one step. Two processes must not write it at the same time. A file with a byte order mark or in
/// UTF-16, as tools of Windows write it, becomes UTF-8 without a mark.
pub struct EnvFile {
    path: PathBuf,
    prefix: String,
    clock: Box<dyn Clock>,
}

/// A JSON file with ids and secrets, for programs with several of them.
///
/// Those of another registration or tenant are an error before anything is changed. It has mode 0600 and is replaced in
/// one step. Two processes must not write it at the same time.
pub struct SecretFile {
    path: PathBuf,
    clock: Box<dyn Clock>,
}

/// What is remembered about the ids in an environment file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct IdsRecord {
    /// The variable of the client id.
    variable: String,
    /// The key of the registration that wrote it.
    registration: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenant_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
}

/// What is remembered about one secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    registration: String,
    description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variable: Option<String>,
    /// When the value was stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reserved_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
}

impl EnvFile {
    /// The file at this path, which may not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            prefix: "AZURE_".to_owned(),
            clock: Box::new(SystemClock),
        }
    }

    /// With another start of the names of variables than `AZURE_`.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// With another clock than the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    fn lines(&self) -> io::Result<Vec<Zeroizing<String>>> {
        let text = read(&self.path)?;
        Ok(text
            .expose_secret()
            .lines()
            .map(|line| Zeroizing::new(line.to_owned()))
            .collect())
    }

    fn records(&self) -> Result<Vec<Record>, SinkError> {
        let lines = self.lines()?;
        let records = lines.iter().filter_map(|line| line.strip_prefix(MARK));
        Ok(records
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?)
    }

    fn record(&self, slot: &SecretSlot) -> Result<Option<Record>, SinkError> {
        let records = self.records()?;
        Ok(records.into_iter().find(|one| one.is_of(slot)))
    }

    /// Replaces the record of a secret and the variable that holds it.
    fn put(
        &self,
        slot: &SecretSlot,
        record: Option<&Record>,
        variables: &[(&str, &str)],
    ) -> Result<(), SinkError> {
        let mut lines = self.lines()?;
        lines.retain(|line| {
            let is_record = line
                .strip_prefix(MARK)
                .and_then(|json| serde_json::from_str::<Record>(json).ok())
                .is_some_and(|old| old.is_of(slot));
            !is_record
        });
        if let Some(record) = record {
            let json = serde_json::to_string(record)?;
            lines.push(Zeroizing::new(format!("{MARK}{json}")));
        }
        self.write(lines, variables)
    }

    /// Writes the lines of the file with these values of variables.
    fn write(
        &self,
        mut lines: Vec<Zeroizing<String>>,
        variables: &[(&str, &str)],
    ) -> Result<(), SinkError> {
        for (name, value) in variables {
            match lines
                .iter_mut()
                .find(|line| variable_in(line).is_some_and(|(known, _)| known == *name))
            {
                Some(line) => {
                    // A shell that reads the file passes only exported variables on.
                    let is_exported = line.trim_start().starts_with(EXPORT);
                    let export = if is_exported { EXPORT } else { "" };
                    *line = Zeroizing::new(format!("{export}{name}={value}"));
                }
                None => lines.push(Zeroizing::new(format!("{name}={value}"))),
            }
        }
        let mut text = Zeroizing::new(String::new());
        for line in &lines {
            text.push_str(line);
            text.push('\n');
        }
        Ok(replace(&self.path, text.as_bytes())?)
    }

    /// The value of a variable, if it has one.
    fn value(&self, name: &str) -> io::Result<Option<Zeroizing<String>>> {
        let lines = self.lines()?;
        let mut values = lines.iter().filter_map(|line| variable_in(line));
        let value = values.find(|(known, value)| *known == name && !value.is_empty());
        Ok(value.map(|(_, value)| Zeroizing::new(value.to_owned())))
    }

    /// What is remembered about the client id, if a registration wrote it.
    fn ids(&self) -> Result<Option<IdsRecord>, SinkError> {
        let (lines, name) = (self.lines()?, self.client_id_name());
        for line in lines.iter().filter_map(|line| line.strip_prefix(IDS_MARK)) {
            let record: IdsRecord = serde_json::from_str(line)?;
            if record.variable == name {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    fn tenant_id_name(&self) -> String {
        format!("{}TENANT_ID", self.prefix)
    }

    fn client_id_name(&self) -> String {
        format!("{}CLIENT_ID", self.prefix)
    }

    /// The error for a variable that holds what must not be replaced.
    fn is_taken(&self, name: &str, by: &str) -> SinkError {
        let path = self.path.display();
        format!("{path} has {name} {by}: use another file, or another prefix of its variables")
            .into()
    }

    /// The variable of a secret: the one that it has, or the first that nothing else has.
    fn variable(&self, slot: &SecretSlot) -> Result<String, SinkError> {
        let records = self.records()?;
        if let Some(known) = records.iter().find(|one| one.is_of(slot))
            && let Some(variable) = &known.variable
        {
            return Ok(variable.clone());
        }
        let plain = format!("{}CLIENT_SECRET", self.prefix);
        if records
            .iter()
            .any(|one| one.variable.as_deref() == Some(&plain))
        {
            let name = super::super::blueprint::slug(&slot.description);
            let of_variable = |character: char| match character {
                letter if letter.is_ascii_alphanumeric() => letter.to_ascii_uppercase(),
                _ => '_',
            };
            let name: String = name.chars().map(of_variable).collect();
            let lines = self.lines()?;
            let is_free = |name: &String| {
                let has = |one: &Record| one.variable.as_ref() == Some(name);
                let mut known = lines.iter().filter_map(|line| variable_in(line));
                !records.iter().any(has) && known.all(|(known, _)| known != name)
            };
            let first = format!("{plain}_{name}");
            let more = (2..).map(|number: u32| format!("{first}_{number}"));
            let mut names = std::iter::once(first.clone()).chain(more);
            return Ok(names.find(is_free).unwrap_or_default());
        }
        if self.value(&plain)?.is_some() {
            return Err(self.is_taken(&plain, "with a value that this registration did not write"));
        }
        Ok(plain)
    }
}

#[async_trait::async_trait]
impl SecretSink for EnvFile {
    async fn check(
        &mut self,
        registration: &str,
        client_id: Option<&str>,
        tenant_id: Option<&str>,
    ) -> Result<(), SinkError> {
        let name = self.client_id_name();
        let (ids, held) = (self.ids()?, self.value(&name)?);
        if let Some(ids) = ids.as_ref().filter(|ids| ids.registration == registration) {
            // An older version remembered no tenant.
            let of_file = self.value(&self.tenant_id_name())?;
            let known = ids.tenant_id.as_deref();
            let known = known.or(of_file.as_ref().map(|tenant| tenant.as_str()));
            if let Some(known) = known.filter(|known| is_other_id(known, tenant_id)) {
                let by = format!("of the registration {registration:?} in the tenant {known}");
                return Err(self.is_taken(&name, &by));
            }
        }
        let Some(held) = held else {
            return Ok(());
        };
        // What is no id is a text to be replaced.
        let may_replace = |written: Option<&str>| {
            let is_held = |id: &str| id.eq_ignore_ascii_case(&held);
            client_id.is_some_and(is_held)
                || written.is_some_and(is_held)
                || held.parse::<Guid>().is_err()
        };
        match ids {
            Some(ids) if ids.registration != registration => {
                let by = format!("of the registration {:?}", ids.registration);
                Err(self.is_taken(&name, &by))
            }
            // An older version remembered no client id.
            Some(ids) if ids.client_id.is_none() || may_replace(ids.client_id.as_deref()) => Ok(()),
            None if may_replace(None) => Ok(()),
            _ => Err(self.is_taken(&name, "with an id that no registration wrote")),
        }
    }

    async fn lookup(&mut self, slot: &SecretSlot) -> Result<SinkEntry, SinkError> {
        let variable = self.variable(slot)?;
        match self
            .record(slot)?
            .map(|record| record.entry())
            .transpose()?
        {
            // A value that was taken out of the file is lost.
            Some(SinkEntry::Stored { .. }) if self.value(&variable)?.is_none() => {
                Ok(SinkEntry::Missing)
            }
            entry => Ok(entry.unwrap_or(SinkEntry::Missing)),
        }
    }

    async fn reserve(&mut self, slot: &SecretSlot, reference: Reference) -> Result<(), SinkError> {
        let mut record = self.record(slot)?.unwrap_or_else(|| Record::new(slot));
        record.reserve(reference, self.clock.now());
        record.variable = Some(self.variable(slot)?);
        self.put(slot, Some(&record), &[])
    }

    async fn release(&mut self, slot: &SecretSlot) -> Result<(), SinkError> {
        let record = self.record(slot)?.and_then(Record::released);
        self.put(slot, record.as_ref(), &[])
    }

    async fn store(&mut self, slot: &SecretSlot, secret: &NewSecret) -> Result<(), SinkError> {
        let variable = self.variable(slot)?;
        let mut record = Record::stored(slot, secret, self.clock.now());
        record.variable = Some(variable.clone());
        let expires_name = format!("{variable}_EXPIRES");
        // The description of another secret may have led to the same name.
        let has_name = |one: &Record| one.variable.as_ref() == Some(&expires_name);
        let is_free = !self.records()?.iter().any(has_name);
        let expires = secret.expires().filter(|_| is_free);
        let expires = expires.map(|at| at.date().to_string());
        let mut variables = vec![(variable.as_str(), secret.value().expose_secret())];
        variables.extend(expires.as_deref().map(|date| (expires_name.as_str(), date)));
        self.put(slot, Some(&record), &variables)
    }

    async fn store_ids(&mut self, ids: &ConnectionIds) -> Result<(), SinkError> {
        let (tenant_name, name) = (self.tenant_id_name(), self.client_id_name());
        let tenant = ids.tenant_id.as_deref();
        let mut variables = vec![(name.as_str(), ids.client_id.as_str())];
        variables.extend(tenant.map(|tenant| (tenant_name.as_str(), tenant)));
        let record = IdsRecord {
            variable: name.clone(),
            registration: ids.registration.clone(),
            tenant_id: ids.tenant_id.clone(),
            client_id: Some(ids.client_id.clone()),
        };
        let mut is_written = self.ids()?.as_ref() == Some(&record);
        for (name, value) in &variables {
            is_written &= self.value(name)?.is_some_and(|held| *held == **value);
        }
        if is_written {
            return Ok(());
        }
        let mut lines = self.lines()?;
        lines.retain(|line| {
            let record = line
                .strip_prefix(IDS_MARK)
                .map(serde_json::from_str::<IdsRecord>);
            !record.is_some_and(|one| one.is_ok_and(|one| one.variable == name))
        });
        let record = serde_json::to_string(&record)?;
        lines.push(Zeroizing::new(format!("{IDS_MARK}{record}")));
        self.write(lines, &variables)
    }
}

impl SecretFile {
    /// The file at this path, which may not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            clock: Box::new(SystemClock),
        }
    }

    /// With another clock than the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    fn content(&self) -> Result<Map<String, Value>, SinkError> {
        let text = read(&self.path)?;
        let text = text.expose_secret();
        if text.trim().is_empty() {
            return Ok(Map::new());
        }
        let content: Result<Map<String, Value>, _> = serde_json::from_str(text);
        // The parser's own text can repeat a value.
        content.map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let path = self.path.display();
            format!("{path} is not a file of secrets: the JSON is invalid at line {line}, column {column}").into()
        })
    }

    /// The record of a secret, and its value or null.
    fn record(&self, slot: &SecretSlot) -> Result<Option<(Record, Value)>, SinkError> {
        let content = self.content()?;
        let secrets = content.get("secrets").and_then(Value::as_array);
        for secret in secrets.into_iter().flatten() {
            let record = Record::deserialize(secret).map_err(|_| {
                let path = self.path.display();
                format!("{path} is not a file of secrets: an entry of \"secrets\" has another form")
            })?;
            if record.is_of(slot) {
                return Ok(Some((record, secret["value"].clone())));
            }
        }
        Ok(None)
    }

    fn put(&self, slot: &SecretSlot, record: &Record, value: Value) -> Result<(), SinkError> {
        let mut entry = serde_json::to_value(record)?;
        if !value.is_null() {
            entry["value"] = value;
        }
        self.change(slot, Some(entry))
    }

    fn change(&self, slot: &SecretSlot, entry: Option<Value>) -> Result<(), SinkError> {
        let mut content = self.content()?;
        let secrets = content.entry("secrets").or_insert_with(|| json!([]));
        if let Value::Array(secrets) = secrets {
            secrets.retain(|one| {
                one["registration"] != slot.registration || one["description"] != slot.description
            });
            secrets.extend(entry);
        }
        self.write(&content)
    }

    fn write(&self, content: &Map<String, Value>) -> Result<(), SinkError> {
        let text = Zeroizing::new(serde_json::to_vec_pretty(content)?);
        Ok(replace(&self.path, &text)?)
    }
}

#[async_trait::async_trait]
impl SecretSink for SecretFile {
    async fn check(
        &mut self,
        registration: &str,
        client_id: Option<&str>,
        tenant_id: Option<&str>,
    ) -> Result<(), SinkError> {
        let content = self.content()?;
        let held = |name: &str| content.get(name).and_then(Value::as_str);
        let known = held("tenant_id").unwrap_or_default();
        let by = match (held("registration"), held("client_id")) {
            (Some(owner), _) if owner != registration => {
                format!("the ids of the registration {owner:?}")
            }
            (Some(owner), _) if is_other_id(known, tenant_id) => {
                format!("the ids of the registration {owner:?} in the tenant {known}")
            }
            (None, Some(id)) if client_id != Some(id) && id.parse::<Guid>().is_ok() => {
                "a client id that no registration wrote".to_owned()
            }
            _ => return Ok(()),
        };
        Err(format!("{} has {by}: use another file", self.path.display()).into())
    }

    async fn lookup(&mut self, slot: &SecretSlot) -> Result<SinkEntry, SinkError> {
        let Some((record, value)) = self.record(slot)? else {
            return Ok(SinkEntry::Missing);
        };
        match record.entry()? {
            // A value that was taken out of the file is lost.
            SinkEntry::Stored { .. } if value.as_str().is_none_or(str::is_empty) => {
                Ok(SinkEntry::Missing)
            }
            entry => Ok(entry),
        }
    }

    async fn reserve(&mut self, slot: &SecretSlot, reference: Reference) -> Result<(), SinkError> {
        let (mut record, value) = match self.record(slot)? {
            Some((record, value)) => (record, Some(value)),
            None => (Record::new(slot), None),
        };
        record.reserve(reference, self.clock.now());
        self.put(slot, &record, value.unwrap_or_default())
    }

    async fn release(&mut self, slot: &SecretSlot) -> Result<(), SinkError> {
        let Some((record, value)) = self.record(slot)? else {
            return Ok(());
        };
        match record.released() {
            Some(record) => self.put(slot, &record, value),
            None => self.change(slot, None),
        }
    }

    async fn store(&mut self, slot: &SecretSlot, secret: &NewSecret) -> Result<(), SinkError> {
        let record = Record::stored(slot, secret, self.clock.now());
        self.put(slot, &record, secret.value().expose_secret().into())
    }

    async fn store_ids(&mut self, ids: &ConnectionIds) -> Result<(), SinkError> {
        let mut content = self.content()?;
        let before = content.clone();
        content.insert("registration".to_owned(), ids.registration.clone().into());
        content.insert("client_id".to_owned(), ids.client_id.clone().into());
        if let Some(tenant) = &ids.tenant_id {
            content.insert("tenant_id".to_owned(), tenant.clone().into());
        }
        if content == before {
            return Ok(());
        }
        self.write(&content)
    }
}

impl Record {
    fn new(slot: &SecretSlot) -> Self {
        Self {
            registration: slot.registration.clone(),
            description: slot.description.clone(),
            reference: None,
            secret_id: None,
            variable: None,
            at: None,
            reserved_at: None,
            expires: None,
        }
    }

    fn stored(slot: &SecretSlot, secret: &NewSecret, now: Timestamp) -> Self {
        Self {
            secret_id: Some(secret.id().to_string()),
            at: Some(written(now)),
            expires: secret.expires().map(written),
            ..Self::new(slot)
        }
    }

    fn reserve(&mut self, reference: Reference, now: Timestamp) {
        self.reference = Some(reference.to_string());
        self.reserved_at = Some(written(now));
    }

    /// Without its reservation; none if it holds nothing else.
    fn released(mut self) -> Option<Self> {
        (self.reference, self.reserved_at) = (None, None);
        self.secret_id.is_some().then_some(self)
    }

    fn is_of(&self, slot: &SecretSlot) -> bool {
        self.registration == slot.registration && self.description == slot.description
    }

    fn entry(&self) -> Result<SinkEntry, SinkError> {
        let time = |text: &Option<String>| {
            let text = text.as_deref().unwrap_or_default();
            Timestamp::parse(text, &Rfc3339)
        };
        let id = self.secret_id.as_deref().map(str::parse).transpose()?;
        Ok(match (&self.reference, id) {
            (Some(reference), previous) => SinkEntry::Reserved {
                reference: reference.parse()?,
                at: time(&self.reserved_at)?,
                previous,
            },
            (None, Some(id)) => SinkEntry::Stored {
                id,
                at: time(&self.at)?,
            },
            (None, None) => SinkEntry::Missing,
        })
    }
}

/// Whether both are ids, and not the same one.
fn is_other_id(known: &str, named: Option<&str>) -> bool {
    let named = named.and_then(|named| named.parse::<Guid>().ok());
    let known = known.parse::<Guid>().ok();
    matches!((known, named), (Some(known), Some(named)) if known != named)
}

fn written(time: Timestamp) -> String {
    time.format(&Rfc3339).unwrap_or_default()
}

macro_rules! debug {
    ($($name:ident),*) => {$(
        /// Shows the path and no content.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("path", &self.path).finish_non_exhaustive()
            }
        }
    )*};
}

debug!(EnvFile, SecretFile);

/// The start of the comment that remembers a secret in an environment file.
const MARK: &str = "# entra-registration ";
/// The start of the comment that remembers whose ids an environment file has.
const IDS_MARK: &str = "# entra-registration-ids ";

#[cfg(test)]
mod tests;
