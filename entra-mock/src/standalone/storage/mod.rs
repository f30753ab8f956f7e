//! The state file of a server: the tenant beyond the process.
//!
//! The file begins with the whole tenant and goes on with one line for each request that changed something. A
//! response is sent when its line is on the disk, so a server that is killed at any time has every change that a
//! client knows of, and of a write that was running everything or nothing.

mod claim;
mod content;
mod log;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use serde_json::Value;

use self::{claim::Claim, content::Content, log::Log};
use super::{
    adjustable_clock::{AdjustableClock, Setting},
    demo_app::DemoApp,
    hosted::Recipe,
};
use crate::{engine::Storage, state::State};

/// A tenant in a file.
pub(super) struct StateFile {
    clock: Arc<AdjustableClock>,
    recipe: Recipe,
    app: DemoApp,
    starts: u64,
    file: Mutex<OpenFile>,
}

struct OpenFile {
    log: Log,
    /// The length of the whole tenant at the beginning of the file.
    base: u64,
    /// The settings in the last line that has some.
    settings: Value,
    /// Why nothing more is stored.
    stopped: Option<&'static str>,
    /// `None` once another server may use the file.
    claim: Option<Claim>,
}

/// A tenant from a file.
pub(super) struct Loaded {
    pub(super) state: State,
    pub(super) recipe: Recipe,
    pub(super) app: DemoApp,
    pub(super) clock: Setting,
    starts: u64,
}

/// A path that no other server uses.
pub(super) struct Claimed {
    path: PathBuf,
    claim: Claim,
}

impl Claimed {
    /// Claims a path for this server.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let claim = Claim::new(&log::beside(&path, "lock"))?;
        Ok(Self { path, claim })
    }

    /// Reads the tenant, or returns `None` if there is no file yet.
    pub(super) fn load(&self) -> io::Result<Option<Loaded>> {
        let Some((_, lines)) = Log::open(&self.path)? else {
            return Ok(None);
        };
        let mut content = Content::default();
        let applied = lines.into_iter().try_for_each(|line| content.apply(line));
        let loaded = applied.and_then(|()| content.into_tenant());
        loaded.map(Some).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                "it is not a state file of this version",
            )
        })
    }

    /// Writes the whole tenant, and keeps its changes from now on.
    pub(super) fn keep(
        self,
        state: &mut State,
        loaded_starts: Option<u64>,
        recipe: &Recipe,
        app: &DemoApp,
        clock: &Arc<AdjustableClock>,
    ) -> io::Result<StateFile> {
        let starts = loaded_starts.map_or(0, |starts| starts + 1);
        let settings = content::settings(state, recipe, app, clock.setting(), starts);
        let lines = content::whole(state, &settings);
        let log = Log::create(&self.path, &lines)?;
        Ok(StateFile {
            clock: Arc::clone(clock),
            recipe: recipe.clone(),
            app: app.clone(),
            starts,
            file: Mutex::new(OpenFile {
                base: log.length(),
                log,
                settings,
                stopped: None,
                claim: Some(self.claim),
            }),
        })
    }
}

impl Loaded {
    /// How many times the tenant was started before.
    pub(super) const fn starts(&self) -> u64 {
        self.starts
    }
}

impl StateFile {
    fn lock(&self) -> io::Result<MutexGuard<'_, OpenFile>> {
        let file = self.open_or_not();
        match file.stopped {
            Some(why) => Err(io::Error::other(why)),
            None => Ok(file),
        }
    }

    fn open_or_not(&self) -> MutexGuard<'_, OpenFile> {
        // A panic while the lock was held can have lost a line: nothing more is stored then.
        self.file.lock().unwrap_or_else(|poisoned: PoisonError<_>| {
            let mut file = poisoned.into_inner();
            file.stopped = Some(BROKEN);
            file
        })
    }

    fn settings(&self, state: &State) -> Value {
        content::settings(
            state,
            &self.recipe,
            &self.app,
            self.clock.setting(),
            self.starts,
        )
    }
}

impl Storage for StateFile {
    fn commit(&self, state: &RwLock<State>) -> io::Result<()> {
        // Before the tenant: the changes of another request can be on their way to the disk, and this one must wait
        // for them too.
        let mut file = self.lock()?;
        let (settings, line) = {
            let mut state = state.write().unwrap_or_else(PoisonError::into_inner);
            let settings = self.settings(&state);
            let changed = (settings != file.settings).then_some(&settings);
            let line = content::changes(&mut state, changed);
            (settings, line)
        };
        let Some(line) = line else {
            return Ok(());
        };
        if let Err(error) = file.log.append(&line) {
            file.stopped = Some(BROKEN);
            return Err(error);
        }
        file.settings = settings;
        if file.log.length() > LARGEST.max(GROWTH * file.base) {
            compact(&mut file)?;
        }
        Ok(())
    }

    fn replace(&self, state: &RwLock<State>, with: State) -> io::Result<()> {
        let mut file = self.lock()?;
        let mut state = state.write().unwrap_or_else(PoisonError::into_inner);
        *state = with;
        let settings = self.settings(&state);
        let lines = content::whole(&mut state, &settings);
        match Log::create(file.log.path(), &lines) {
            Ok(log) => {
                file.base = log.length();
                file.log = log;
                file.settings = settings;
                Ok(())
            }
            Err(error) => {
                file.stopped = Some(BROKEN);
                Err(error)
            }
        }
    }

    fn close(&self) {
        let mut file = self.open_or_not();
        file.stopped = Some(CLOSED);
        file.claim = None;
    }
}

/// Why a state file stores nothing more.
const BROKEN: &str = "an earlier change could not be written";
const CLOSED: &str = "the server has stopped";

/// Replaces the file by one with the same content and without the steps that led to it.
fn compact(file: &mut OpenFile) -> io::Result<()> {
    let path = file.log.path().to_owned();
    let Some((_, lines)) = Log::open(&path)? else {
        return Ok(());
    };
    let mut content = Content::default();
    if lines
        .into_iter()
        .try_for_each(|line| content.apply(line))
        .is_none()
    {
        return Ok(());
    }
    file.log = Log::create(&path, &content.into_lines())?;
    file.base = file.log.length();
    Ok(())
}

/// A file below this size is never made smaller.
const LARGEST: u64 = 64 * 1024 * 1024;
/// How much larger than the tenant the file may become.
const GROWTH: u64 = 4;

#[cfg(test)]
mod tests;
