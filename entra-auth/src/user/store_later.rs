//! Stores a refresh token that the store did not take when it was issued.
//!
//! Until then only this process has it: another replica would not find it, and neither would this
//! one after a restart.

use std::{sync::Arc, time::Duration};

use tokio::runtime;
use tracing::{Instrument as _, Span, error, info};

use super::client_application::ClientApplication;
use crate::{blocking, cache::RefreshToken, moment::Moment};

/// Tries for a quarter of an hour, in a task of its own. Without a runtime, the next use of the token
/// stores it.
#[inline]
pub(super) fn store_later(application: &Arc<ClientApplication>, refresh_token: &RefreshToken) {
    error!(
        "the store did not take a refresh token; until it does, other replicas and a restarted process do not know the user"
    );
    let Ok(handle) = runtime::Handle::try_current() else {
        return;
    };
    let Some(task) = refresh_token.begin_storing() else {
        return;
    };
    let (application, refresh_token) = (Arc::clone(application), refresh_token.clone());
    let work = async move {
        let is_single_use = application.has_single_use_refresh_tokens();
        let mut pause = FIRST_PAUSE;
        for _ in 0..TRIES {
            blocking::sleep(pause).await;
            let guard = refresh_token
                .lock(application.lock_timeout(), is_single_use)
                .await;
            let now = Moment::now(application.clock());
            if refresh_token.store_again(&guard, now, is_single_use).await {
                info!("the store has the refresh token now");
                return;
            }
            drop(guard);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        drop(task);
        error!("the store has not taken a refresh token for a quarter of an hour");
    };
    drop(handle.spawn(work.instrument(Span::current())));
}

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const TRIES: u32 = 20;
