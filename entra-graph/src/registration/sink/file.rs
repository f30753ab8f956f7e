//! Sinks that are files: only the owner can read them, and each write replaces the file at once.

use std::{
    fmt, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use entra_core::{
    Clock, Secret, SystemClock, Timestamp, read_text_file,
    time::format_description::well_known::Rfc3339,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{ConnectionIds, Reference, SecretSink, SecretSlot, SinkEntry, SinkError};
use crate::areas::applications::NewSecret;

/// An environment file with the variables that Azure SDKs read: `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and
/// `AZURE_CLIENT_SECRET`.
///
/// The first secret of a blueprint is `AZURE_CLIENT_SECRET`, another one has its description in the name. Other
/// lines of the file stay. The file has mode 0600 and is replaced in one step. Two processes must not write it
/// at the same time. A file with a byte order mark or in UTF-16, as tools of Windows write it, becomes UTF-8 without
/// a mark.
pub struct EnvFile {
    path: PathBuf,
    prefix: String,
    clock: Box<dyn Clock>,
}

/// A JSON file with ids and secrets, for programs with several of them.
///
/// It has mode 0600 and is replaced in one step. Two processes must not write it at the same time.
pub struct SecretFile {
    path: PathBuf,
    clock: Box<dyn Clock>,
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
        for (name, value) in variables {
            let line = Zeroizing::new(format!("{name}={value}"));
            match lines
                .iter_mut()
                .find(|line| line.split('=').next() == Some(name))
            {
                Some(old) => *old = line,
                None => lines.push(line),
            }
        }
        if let Some(record) = record {
            let json = serde_json::to_string(record)?;
            lines.push(Zeroizing::new(format!("{MARK}{json}")));
        }
        let mut text = Zeroizing::new(String::new());
        for line in &lines {
            text.push_str(line);
            text.push('\n');
        }
        Ok(replace(&self.path, text.as_bytes())?)
    }

    /// The variable of a secret: the one that it has, or the first that no other secret has.
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
            let name = name.replace('-', "_").to_uppercase();
            return Ok(format!("{plain}_{name}"));
        }
        Ok(plain)
    }
}

#[async_trait::async_trait]
impl SecretSink for EnvFile {
    async fn lookup(&mut self, slot: &SecretSlot) -> Result<SinkEntry, SinkError> {
        let record = self.record(slot)?;
        record.map_or(Ok(SinkEntry::Missing), |record| record.entry())
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
        let value = secret.value().expose_secret();
        self.put(slot, Some(&record), &[(&variable, value)])
    }

    async fn store_ids(&mut self, ids: &ConnectionIds) -> Result<(), SinkError> {
        let names = ["TENANT_ID", "CLIENT_ID"].map(|name| format!("{}{name}", self.prefix));
        let tenant = ids.tenant_id.as_deref();
        let mut variables = vec![(names[1].as_str(), ids.client_id.as_str())];
        variables.extend(tenant.map(|tenant| (names[0].as_str(), tenant)));
        let current = self.lines()?;
        let has = |(name, value): &(&str, &str)| {
            current
                .iter()
                .any(|line| line.split_once('=') == Some((name, value)))
        };
        if variables.iter().all(has) {
            return Ok(());
        }
        let none = SecretSlot {
            registration: String::new(),
            description: String::new(),
        };
        self.put(&none, None, &variables)
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
    async fn lookup(&mut self, slot: &SecretSlot) -> Result<SinkEntry, SinkError> {
        match self.record(slot)? {
            Some((record, _)) => record.entry(),
            None => Ok(SinkEntry::Missing),
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

fn written(time: Timestamp) -> String {
    time.format(&Rfc3339).unwrap_or_default()
}

/// The text of a file; empty if it does not exist.
fn read(path: &Path) -> io::Result<Secret> {
    match read_text_file(path, LARGEST) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Secret::from("")),
        Err(error) => {
            let fix = match error.kind() {
                io::ErrorKind::InvalidData => "; save it as UTF-8",
                _ => "",
            };
            let text = format!("{} cannot be read: {error}{fix}", path.display());
            Err(io::Error::new(error.kind(), text))
        }
        text => text,
    }
}

/// Replaces a file by another one that only its owner can read, in one step.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = directory.join(format!(".{name}.{}.new", std::process::id()));
    // A crash may have left one behind.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    let written = file
        .write_all(content)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
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
/// Far more bytes than a file of settings has.
const LARGEST: usize = 1024 * 1024;

#[cfg(test)]
mod tests;
