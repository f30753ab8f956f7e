//! Scenario files, which state what a tenant holds.

mod apply;
mod locate;
mod model;
mod sign_ins;
#[cfg(test)]
mod tests;

use std::{fmt, fs, path::Path, sync::Arc};

use entra_core::Timestamp;

use super::{Company, Seed, generate::fill_up};
use crate::state::{License, State};
use apply::Problem;
use model::{Base, DirectoryLicense, Document};

/// What a tenant holds, from a YAML or JSON file: users, groups, devices, applications, licences and sign-ins.
///
/// The JSON Schema of the files is `entra-mock/scenario.schema.json`. A file is checked completely when it is read:
/// unknown names, wrong values and references to objects that do not exist are errors with the line.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use entra_mock::{FakeTenant, Scenario};
/// let scenario = Scenario::from_yaml(
///     "
/// users:
///   - { name: ines, displayName: Ines Moreau, properties: { jobTitle: Buyer } }
/// groups:
///   - { name: Buyers, type: microsoft365, members: [ines] }
/// ",
/// )?;
/// let tenant = FakeTenant::builder().scenario(&scenario).start().await;
/// assert_eq!(tenant.user("ines@contoso.com").user_principal_name(), "ines@contoso.com");
/// let error = Scenario::from_yaml("groups:\n  - { name: Buyers, members: [ines] }").unwrap_err();
/// assert_eq!(error.line(), Some(2));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Scenario {
    document: Arc<Document>,
    #[cfg(feature = "server")]
    text: Arc<str>,
}

impl Scenario {
    /// Reads a scenario in YAML or JSON.
    ///
    /// # Errors
    /// [`ScenarioError`] with the line of the first fault.
    pub fn from_yaml(text: &str) -> Result<Self, ScenarioError> {
        let document: Document = if text.trim().is_empty() {
            Document::default()
        } else {
            yaml_serde::from_str(text).map_err(|error| ScenarioError {
                location: error
                    .location()
                    .map(|location| (location.line(), location.column())),
                message: error.to_string(),
            })?
        };
        let scenario = Self {
            document: Arc::new(document),
            #[cfg(feature = "server")]
            text: text.into(),
        };
        let located = |Problem { path, message }: Problem| ScenarioError {
            location: locate::locate(text, &path),
            message: format!("{}{message}", dotted(&path)),
        };
        apply::check_company(&scenario.document).map_err(located)?;
        // Whatever tenant it is used for, the same objects fit or do not fit.
        let mut state = scenario.base(Timestamp::UNIX_EPOCH, License::P2, 0, &Company::default());
        scenario
            .fill(&mut state, Timestamp::UNIX_EPOCH)
            .map_err(located)?;
        Ok(scenario)
    }

    /// Reads a file in YAML or JSON.
    ///
    /// # Errors
    /// [`ScenarioError`] if the file cannot be read, or with the line of the first fault.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ScenarioError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path).map_err(|error| ScenarioError {
            location: None,
            message: format!("cannot read {}: {error}", path.display()),
        })?;
        Self::from_yaml(&text)
    }

    /// Creates a tenant with this content, filled up to `users` users.
    pub(crate) fn build(
        &self,
        now: Timestamp,
        license: License,
        random_seed: u64,
        users: usize,
        company: &Company,
    ) -> State {
        let mut state = self.base(now, license, random_seed, company);
        state.store.changes.pause(true);
        let outcome = self.fill(&mut state, now);
        debug_assert!(
            outcome.is_ok(),
            "it was checked when it was read: {outcome:?}"
        );
        // Every id is new, so nothing can conflict.
        let filled = fill_up(&mut state, now, users);
        debug_assert_eq!(filled, Ok(()), "generated objects do not conflict");
        state.store.changes.pause(false);
        state
    }

    fn base(&self, now: Timestamp, license: License, random_seed: u64, company: &Company) -> State {
        let own = self.document.company.as_ref().map(|company| Company {
            name: company.name.clone(),
            domain: company.domain.to_ascii_lowercase(),
        });
        let license = match self.document.license {
            None => license,
            Some(DirectoryLicense::Free) => License::Free,
            Some(DirectoryLicense::P1) => License::P1,
            Some(DirectoryLicense::P2) => License::P2,
        };
        let seed = match self.document.base {
            Base::Empty => Seed::Empty,
            Base::Contoso => Seed::Contoso,
        };
        seed.build(
            now,
            license,
            random_seed,
            0,
            own.as_ref().unwrap_or(company),
        )
    }

    /// Adds everything of the file to a tenant.
    pub(crate) fn fill(&self, state: &mut State, now: Timestamp) -> Result<(), Problem> {
        apply::apply(&self.document, state, now)
    }

    /// Reads a file of this crate, whose check is a test.
    pub(crate) fn built_in(text: &str) -> Self {
        let document = yaml_serde::from_str(text);
        debug_assert!(document.is_ok(), "{document:?}");
        Self {
            document: Arc::new(document.unwrap_or_default()),
            #[cfg(feature = "server")]
            text: text.into(),
        }
    }

    /// The text from which it was read.
    #[cfg(feature = "server")]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It can hold passwords.
        f.debug_struct("Scenario").finish_non_exhaustive()
    }
}

/// Why a scenario cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    location: Option<(usize, usize)>,
    message: String,
}

impl ScenarioError {
    /// The line of the fault, from 1; `None` if the file could not be read.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.location.map(|(line, _)| line)
    }

    /// The column of the fault, from 1.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.location.map(|(_, column)| column)
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.location {
            // The parser has the line in its message.
            Some((line, column)) if !self.message.contains(" at line ") => {
                write!(f, "line {line}, column {column}: {}", self.message)
            }
            _ => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for ScenarioError {}

/// Writes a path as `users[3].manager: `.
fn dotted(path: &[locate::Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            locate::Step::Key(key) if text.is_empty() => text.push_str(key),
            locate::Step::Key(key) => text.extend([".", key]),
            locate::Step::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text + ": "
}
