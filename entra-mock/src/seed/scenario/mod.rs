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
            yaml_serde::from_str(text).map_err(|error| ScenarioError::of_parser(&error))?
        };
        let scenario = Self {
            document: Arc::new(document),
            #[cfg(feature = "server")]
            text: text.into(),
        };
        scenario.check(&Company::default()).map_err(|problem| {
            let location = locate::locate(text, &problem.path);
            ScenarioError::new(problem, location)
        })?;
        Ok(scenario)
    }

    /// Checks whether everything of the file fits into a tenant of a company.
    fn check(&self, company: &Company) -> Result<(), Problem> {
        apply::check_company(&self.document)?;
        let mut state = self.base(Timestamp::UNIX_EPOCH, License::P2, 0, company);
        self.fill(&mut state, Timestamp::UNIX_EPOCH)
    }

    /// Checks whether everything fits into a tenant of another company than that of [`from_yaml`](Self::from_yaml):
    /// a name that a property sets can be that of another user in its domain.
    #[cfg(feature = "server")]
    pub(crate) fn check_for(&self, company: &Company) -> Result<(), ScenarioError> {
        self.check(company).map_err(|problem| {
            let location = locate::locate(&self.text, &problem.path);
            ScenarioError::new(problem, location)
        })
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
            shows_location: false,
        })?;
        Self::from_yaml(&text)
    }

    /// Creates a tenant with this content, filled up to `users` users.
    ///
    /// # Errors
    /// If a name that a property sets is that of another user in the domain of the company. In `contoso.com` and in
    /// the file's own domain nothing conflicts.
    pub(crate) fn build(
        &self,
        now: Timestamp,
        license: License,
        random_seed: u64,
        users: usize,
        company: &Company,
    ) -> Result<State, ScenarioError> {
        let mut state = self.base(now, license, random_seed, company);
        state.store.changes.pause(true);
        self.fill(&mut state, now)
            .map_err(|problem| ScenarioError::new(problem, None))?;
        // Every id is new, so nothing can conflict.
        let filled = fill_up(&mut state, now, users);
        debug_assert_eq!(filled, Ok(()), "generated objects do not conflict");
        state.store.changes.pause(false);
        Ok(state)
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
    /// Whether the message has the location, as that of the parser.
    shows_location: bool,
}

impl ScenarioError {
    fn new(Problem { path, message }: Problem, location: Option<(usize, usize)>) -> Self {
        Self {
            location,
            message: format!("{}{message}", dotted(&path)),
            shows_location: false,
        }
    }

    fn of_parser(error: &yaml_serde::Error) -> Self {
        let location = error.location();
        let location = location.map(|location| (location.line(), location.column()));
        let message = error.to_string();
        let shows_location =
            location.is_some_and(|(line, _)| message.contains(&format!(" at line {line} ")));
        Self {
            location,
            message,
            shows_location,
        }
    }

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
            Some((line, column)) if !self.shows_location => {
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
