use entra_core::{Clock, SystemClock};

use super::*;
use crate::{
    notifications::NotificationOptions,
    seed::{Company, Seed},
    state::{License, ResourceRule},
    store::LOG_CAPACITY,
};

fn scratch(name: &str) -> PathBuf {
    let name = format!("entra-mock-storage-{name}-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn kept(path: &Path) -> (StateFile, RwLock<State>) {
    let recipe = Recipe {
        seed: Seed::Empty,
        scenario: None,
        company: Company::default(),
        users: 0,
        random_seed: 1,
        license: License::P2,
        enforce_quotas: false,
        notification_options: NotificationOptions::default(),
        resource_rule: ResourceRule::default(),
        plain_casts: false,
        log_capacity: LOG_CAPACITY,
        journal_bodies: false,
        made_at: SystemClock.now(),
    };
    let (mut state, app) = recipe.make().unwrap();
    let clock = Arc::new(AdjustableClock::default());
    let claimed = Claimed::new(path).unwrap();
    let file = claimed
        .keep(&mut state, None, &recipe, &app, &clock)
        .unwrap();
    (file, RwLock::new(state))
}

#[test]
fn a_closed_file_stores_nothing_more_and_is_free_for_another_server() {
    let folder = scratch("closed");
    let path = folder.join("tenant.state");
    let (file, state) = kept(&path);
    assert!(Claimed::new(&path).is_err());
    assert!(file.commit(&state).is_ok());
    file.close();
    let next = Claimed::new(&path).unwrap();
    assert!(next.load().unwrap().is_some());
    let error = file.commit(&state).unwrap_err().to_string();
    assert_eq!(error, CLOSED);
    // A request that is still running keeps the closed file, and closing it again frees nothing of the next server.
    file.close();
    drop(file);
    assert!(Claimed::new(&path).is_err());
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
#[cfg(unix)]
fn a_path_is_free_although_a_program_that_is_being_started_has_a_copy_of_the_lock() {
    let folder = scratch("copied");
    let path = folder.join("tenant.state.lock");
    let claim = Claim::new(&path).unwrap();
    let copy = claim.copy().unwrap();
    drop(claim);
    assert!(Claim::new(&path).is_ok());
    drop(copy);
    let _ = std::fs::remove_dir_all(folder);
}
