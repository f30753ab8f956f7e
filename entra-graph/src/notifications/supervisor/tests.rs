use std::time::{Duration, Instant};

use super::{
    machine::{Action, LIST_AGAIN, Listed, Machine, Now, Outcome, Wanted},
    state::{StoredSubscription, SupervisorState},
};

/// 29 days without an hour, as a subscription to users has by default.
const LIFE: i64 = 41_700 * 60;

struct Setup {
    machine: Machine,
    now: Now,
    /// When the last list succeeded.
    listed: Option<Instant>,
}

fn wanted(resource: &str) -> Wanted {
    Wanted {
        fingerprint: format!("of {resource}"),
        resource: resource.to_owned(),
        change_types: "updated,deleted".to_owned(),
        notification_url: URL.to_owned(),
        certificate: None,
    }
}

fn stored(id: &str, resource: &str, expires_on: i64) -> StoredSubscription {
    StoredSubscription {
        id: id.to_owned(),
        fingerprint: format!("of {resource}"),
        expires_on,
        renewed_on: START,
        certificate: None,
    }
}

fn listed(id: &str, resource: &str, expires_on: i64) -> Listed {
    Listed {
        id: id.to_owned(),
        resource: resource.to_owned(),
        change_types: "updated,deleted".to_owned(),
        notification_url: URL.to_owned(),
        expires_on,
        client_state_of: Vec::new(),
    }
}

const URL: &str = "https://app.example.com/notifications";
const START: i64 = 1_800_000_000;
const UNSENT: Outcome = Outcome::Failed {
    retry_after: None,
    is_uncertain: false,
};

impl Setup {
    fn new(resources: &[&str], stored: Vec<StoredSubscription>) -> Self {
        let wanted = resources.iter().map(|resource| wanted(resource)).collect();
        Self {
            machine: Machine::new(wanted, stored),
            now: Now {
                wall: START,
                monotonic: Instant::now(),
            },
            listed: None,
        }
    }

    /// Two subscriptions that Graph knows.
    fn running() -> Self {
        let all = vec![
            stored("u", "users", START + LIFE),
            stored("g", "groups", START + LIFE),
        ];
        let mut setup = Self::new(&["users", "groups"], all);
        setup.list(vec![
            listed("u", "users", START + LIFE),
            listed("g", "groups", START + LIFE),
        ]);
        setup
    }

    /// The next action; a list that is due by time alone is answered with all that is known.
    fn next(&mut self) -> Action {
        let action = self.machine.next(self.now);
        let is_old = |listed: Instant| self.now.monotonic - listed >= LIST_AGAIN;
        if action != Action::List || !self.listed.is_some_and(is_old) {
            return action;
        }
        let known = self.machine.stored().into_iter().map(|stored| {
            let resource = stored.fingerprint.trim_start_matches("of ");
            listed(&stored.id, resource, stored.expires_on)
        });
        let known = known.collect();
        self.complete(&action, Outcome::Listed(known));
        self.machine.next(self.now)
    }

    fn complete(&mut self, action: &Action, outcome: Outcome) {
        if matches!(outcome, Outcome::Listed(_)) {
            self.listed = Some(self.now.monotonic);
        }
        self.machine.complete(action, outcome, self.now);
    }

    /// Expects this action, and completes it.
    fn step(&mut self, expected: &Action, outcome: Outcome) {
        let action = self.next();
        assert_eq!(action, *expected);
        self.complete(&action, outcome);
    }

    fn list(&mut self, listed: Vec<Listed>) {
        self.step(&Action::List, Outcome::Listed(listed));
    }

    fn active(&self, id: &str) -> Outcome {
        Outcome::Active {
            id: id.to_owned(),
            expires_on: self.now.wall + LIFE,
        }
    }

    fn pass(&mut self, seconds: i64) {
        self.now.wall += seconds;
        self.now.monotonic += Duration::from_secs(seconds.unsigned_abs());
    }

    fn expect_wait(&mut self) -> Duration {
        match self.next() {
            Action::Wait(wait) => wait,
            other => panic!("{other:?} instead of a wait"),
        }
    }

    fn ids(&self) -> Vec<String> {
        self.machine
            .stored()
            .into_iter()
            .map(|stored| stored.id)
            .collect()
    }

    fn reauthorize(&mut self, id: &str, expires_on: Option<i64>) {
        self.machine
            .reauthorization_required(id, expires_on, self.now);
    }
}

fn renew(wanted: usize, id: &str) -> Action {
    Action::Renew {
        wanted,
        id: id.to_owned(),
        with_certificate: false,
    }
}

fn delete(id: &str) -> Action {
    Action::Delete { id: id.to_owned() }
}

#[test]
fn a_first_start_lists_and_creates() {
    let mut setup = Setup::new(&["users", "groups"], Vec::new());
    setup.list(Vec::new());
    let outcome = setup.active("u");
    setup.step(&Action::Create(0), outcome);
    let outcome = setup.active("g");
    setup.step(&Action::Create(1), outcome);
    setup.expect_wait();
    assert_eq!(setup.ids(), ["u", "g"]);
    assert!(setup.machine.take_gap(), "changes before are unknown");
    assert!(!setup.machine.take_gap());
}

#[test]
fn a_restart_sends_nothing_but_the_list() {
    let mut setup = Setup::running();
    setup.expect_wait();
    assert!(!setup.machine.take_gap());
    assert_eq!(setup.ids(), ["u", "g"]);
}

#[test]
fn a_subscription_is_renewed_at_two_thirds_of_its_life() {
    let mut setup = Setup::running();
    setup.pass(LIFE * 2 / 3 - 1);
    setup.expect_wait();
    setup.pass(1);
    let outcome = setup.active("u");
    setup.step(&renew(0, "u"), outcome);
    let outcome = setup.active("g");
    setup.step(&renew(1, "g"), outcome);
    setup.expect_wait();
    assert!(!setup.machine.take_gap(), "nothing was missed");
    // The life that counts is the new one.
    setup.pass(LIFE * 2 / 3 - 1);
    setup.expect_wait();
    setup.pass(1);
    assert_eq!(setup.next(), renew(0, "u"));
}

#[test]
fn a_wait_ends_when_the_next_renewal_is_due() {
    let mut setup = Setup::running();
    setup.pass(LIFE * 2 / 3 - 100);
    assert_eq!(setup.expect_wait(), Duration::from_secs(100));
    let mut early = Setup::running();
    assert_eq!(
        early.expect_wait(),
        Duration::from_secs(3600),
        "it looks at the wall clock again"
    );
}

#[test]
fn a_hundred_requests_to_reauthorize_are_one_renewal() {
    let mut setup = Setup::running();
    setup.pass(3600);
    for _ in 0..50 {
        setup.reauthorize("u", Some(START + LIFE));
    }
    let outcome = setup.active("u");
    setup.step(&renew(0, "u"), outcome);
    assert!(setup.machine.take_gap(), "it may have been paused");
    for expires in [Some(START + LIFE), None, Some(setup.now.wall + LIFE)] {
        for _ in 0..50 {
            setup.reauthorize("u", expires);
        }
        setup.expect_wait();
    }
    // Later one about the present life counts again, and an old one never.
    setup.pass(3600);
    setup.reauthorize("u", Some(START + LIFE));
    setup.expect_wait();
    let expires = setup.now.wall - 3600 + LIFE;
    setup.reauthorize("U", Some(expires));
    assert_eq!(setup.next(), renew(0, "u"));
}

#[test]
fn a_short_subscription_is_quiet_for_a_tenth_of_its_life() {
    let mut setup = Setup::new(&["presence"], Vec::new());
    setup.list(Vec::new());
    let short = |setup: &Setup| Outcome::Active {
        id: "p".to_owned(),
        expires_on: setup.now.wall + 3600,
    };
    let outcome = short(&setup);
    setup.step(&Action::Create(0), outcome);
    setup.pass(359);
    setup.reauthorize("p", None);
    setup.expect_wait();
    setup.pass(1);
    setup.reauthorize("p", None);
    assert_eq!(setup.next(), renew(0, "p"));
}

#[test]
fn events_of_unknown_subscriptions_change_nothing() {
    let mut setup = Setup::running();
    setup.reauthorize("other", None);
    setup.machine.removed("other");
    setup.machine.missed("other");
    setup.expect_wait();
    assert!(!setup.machine.take_gap());
}

#[test]
fn a_removed_subscription_is_created_again_once() {
    let mut setup = Setup::running();
    for _ in 0..100 {
        setup.machine.removed("u");
    }
    assert!(setup.machine.take_gap());
    let outcome = setup.active("u2");
    setup.step(&Action::Create(0), outcome);
    assert!(
        setup.machine.take_gap(),
        "and what changed until it was there"
    );
    setup.machine.removed("u");
    setup.expect_wait();
    assert_eq!(setup.ids(), ["u2", "g"]);
}

#[test]
fn missed_notifications_are_a_gap() {
    let mut setup = Setup::running();
    setup.machine.missed("g");
    setup.expect_wait();
    assert!(setup.machine.take_gap());
}

#[test]
fn an_expired_subscription_is_created_again_and_deleted() {
    let mut setup = Setup::running();
    setup.pass(LIFE);
    let outcome = setup.active("u2");
    setup.step(&Action::Create(0), outcome);
    let outcome = setup.active("g2");
    setup.step(&Action::Create(1), outcome);
    setup.step(&delete("u"), Outcome::NotFound);
    setup.step(&delete("g"), Outcome::Deleted);
    setup.expect_wait();
    assert!(setup.machine.take_gap());
}

#[test]
fn one_that_is_expired_from_its_beginning_is_created_again_after_a_pause() {
    let expired = |id: &str, expires_on| Outcome::Active {
        id: id.to_owned(),
        expires_on,
    };
    for expires_on in [0, START] {
        let mut setup = Setup::new(&["users"], Vec::new());
        setup.list(Vec::new());
        for pause in [30, 60] {
            setup.step(&Action::Create(0), expired("u", expires_on));
            // The list tells what is left of it.
            setup.list(vec![listed("u", "users", expires_on)]);
            setup.step(&delete("u"), Outcome::Deleted);
            assert_eq!(setup.expect_wait(), Duration::from_secs(pause));
            setup.pass(i64::try_from(pause).unwrap_or_default());
        }
        assert_eq!(setup.next(), Action::Create(0));
    }
    let mut setup = Setup::running();
    setup.reauthorize("u", None);
    setup.step(&renew(0, "u"), expired("u", START));
    assert_eq!(setup.expect_wait(), Duration::from_secs(30));
    assert_eq!(setup.ids(), ["u", "g"]);
}

#[test]
fn one_that_graph_does_not_know_is_created_again() {
    let mut setup = Setup::running();
    setup.pass(LIFE * 2 / 3);
    setup.step(&renew(0, "u"), Outcome::NotFound);
    let outcome = setup.active("u2");
    setup.step(&Action::Create(0), outcome);
    assert!(setup.machine.take_gap());
}

#[test]
fn one_that_vanished_without_an_event_is_noticed_after_hours() {
    let mut setup = Setup::running();
    setup.pass(6 * 3600 - 10);
    assert_eq!(setup.expect_wait(), Duration::from_secs(10));
    setup.pass(10);
    // Graph's list alone proves nothing: one of the two is still there.
    assert_eq!(setup.machine.next(setup.now), Action::List);
    setup.complete(&Action::List, Outcome::Listed(Vec::new()));
    setup.step(&renew(0, "u"), Outcome::NotFound);
    let outcome = setup.active("u2");
    setup.step(&Action::Create(0), outcome);
    let outcome = setup.active("g");
    setup.step(&renew(1, "g"), outcome);
    setup.expect_wait();
    assert_eq!(setup.ids(), ["u2", "g"]);
    assert!(setup.machine.take_gap());
}

#[test]
fn a_later_list_that_fails_stops_nothing_and_is_read_again() {
    let mut setup = Setup::running();
    setup.pass(6 * 3600);
    setup.complete(&Action::List, UNSENT);
    setup.machine.removed("u");
    let outcome = setup.active("u2");
    setup.step(&Action::Create(0), outcome);
    assert_eq!(setup.expect_wait(), Duration::from_secs(30));
    setup.pass(30);
    assert_eq!(setup.machine.next(setup.now), Action::List);
}

#[test]
fn a_later_list_deletes_only_what_expired() {
    let mut setup = Setup::running();
    setup.pass(6 * 3600);
    let later = vec![
        listed("u", "users", START + LIFE),
        listed("g", "groups", START + LIFE),
        listed("of another process", "users", START + LIFE),
        listed("expired", "users", START),
    ];
    setup.complete(&Action::List, Outcome::Listed(later));
    setup.step(&delete("expired"), Outcome::Deleted);
    setup.expect_wait();
}

#[test]
fn one_that_the_list_leaves_out_is_renewed_and_not_doubled() {
    let all = vec![stored("u", "users", START + LIFE)];
    let mut setup = Setup::new(&["users"], all);
    setup.list(Vec::new());
    let outcome = setup.active("u");
    setup.step(&renew(0, "u"), outcome);
    setup.expect_wait();
    assert_eq!(setup.ids(), ["u"]);
}

#[test]
fn leftovers_of_the_own_url_are_replaced_before_they_are_deleted() {
    let mut setup = Setup::new(&["users"], Vec::new());
    let foreign = Listed {
        notification_url: "https://other.example.com/notifications".to_owned(),
        ..listed("foreign", "users", START + LIFE)
    };
    setup.list(vec![
        foreign,
        listed("old", "users", START + LIFE),
        listed("older", "groups", START + LIFE),
    ]);
    let outcome = setup.active("new");
    setup.step(&Action::Create(0), outcome);
    setup.step(&delete("old"), Outcome::Deleted);
    setup.step(&delete("older"), Outcome::Deleted);
    setup.expect_wait();
    assert_eq!(setup.ids(), ["new"]);
}

#[test]
fn expired_leftovers_are_deleted_although_they_are_listed() {
    let mut setup = Setup::running();
    let mut again = Setup::new(&["users", "groups"], setup.machine.stored());
    setup.expect_wait();
    again.list(vec![
        listed("u", "users", START + LIFE),
        listed("g", "groups", START + LIFE),
        listed("expired", "users", START - 1),
    ]);
    again.step(&delete("expired"), Outcome::NotFound);
    again.expect_wait();
}

#[test]
fn leftovers_that_use_up_the_quota_are_deleted_when_the_creation_fails() {
    let mut setup = Setup::new(&["users"], Vec::new());
    setup.list(vec![listed("old", "users", START + LIFE)]);
    setup.step(&Action::Create(0), UNSENT);
    setup.step(&delete("old"), Outcome::Deleted);
    setup.expect_wait();
    setup.pass(30);
    assert_eq!(setup.next(), Action::Create(0));
}

#[test]
fn one_with_the_known_client_state_is_adopted() {
    let mut setup = Setup::new(&["users"], Vec::new());
    let own = Listed {
        client_state_of: vec![0],
        ..listed("own", "users", START + LIFE)
    };
    let expired = Listed {
        expires_on: START,
        ..own.clone()
    };
    setup.list(vec![
        Listed {
            id: "expired".to_owned(),
            ..expired
        },
        own,
    ]);
    let outcome = setup.active("own");
    setup.step(&renew(0, "own"), outcome);
    setup.step(&delete("expired"), Outcome::Deleted);
    setup.expect_wait();
    assert_eq!(setup.ids(), ["own"]);
    assert!(setup.machine.take_gap());
}

#[test]
fn what_is_no_longer_wanted_is_deleted() {
    let all = vec![
        stored("u", "users", START + LIFE),
        stored("g", "groups", START + LIFE),
        stored("u2", "users", START + LIFE),
    ];
    let mut setup = Setup::new(&["users"], all);
    let listing = ["u", "g", "u2"].map(|id| listed(id, "users", START + LIFE));
    setup.list(listing.to_vec());
    setup.step(&delete("g"), Outcome::Deleted);
    setup.step(&delete("u2"), Outcome::Deleted);
    setup.expect_wait();
    assert_eq!(setup.ids(), ["u"]);
}

#[test]
fn failures_wait_longer_each_time_up_to_an_hour() {
    let mut setup = Setup::running();
    setup.pass(LIFE * 2 / 3);
    let outcome = setup.active("g");
    let mut waits = Vec::new();
    for _ in 0..9 {
        setup.step(&renew(0, "u"), UNSENT);
        if waits.is_empty() {
            setup.step(&renew(1, "g"), outcome.clone());
        }
        let wait = setup.expect_wait();
        waits.push(wait.as_secs());
        setup.pass(wait.as_secs().try_into().unwrap_or_default());
    }
    assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
    let outcome = setup.active("u");
    setup.step(&renew(0, "u"), outcome);
    setup.pass(LIFE * 2 / 3);
    setup.step(&renew(0, "u"), UNSENT);
    let outcome = setup.active("g");
    setup.step(&renew(1, "g"), outcome);
    assert_eq!(
        setup.expect_wait().as_secs(),
        30,
        "a success resets the wait"
    );
}

#[test]
fn the_wait_that_graph_asks_for_is_kept() {
    let mut setup = Setup::new(&["users"], Vec::new());
    setup.list(Vec::new());
    let throttled = Outcome::Failed {
        retry_after: Some(Duration::from_secs(500)),
        is_uncertain: false,
    };
    setup.step(&Action::Create(0), throttled);
    assert_eq!(setup.expect_wait().as_secs(), 500);
}

#[test]
fn a_wait_that_is_too_long_ends_after_a_day() {
    // The last one is later than any time of the clock.
    for seconds in [24 * 3600, 30 * 24 * 3600, u64::MAX] {
        let mut setup = Setup::new(&["users"], Vec::new());
        setup.list(Vec::new());
        let throttled = Outcome::Failed {
            retry_after: Some(Duration::from_secs(seconds)),
            is_uncertain: false,
        };
        setup.step(&Action::Create(0), throttled);
        for _ in 0..24 {
            assert_eq!(setup.expect_wait().as_secs(), 3600, "{seconds}");
            setup.pass(3600);
        }
        assert_eq!(setup.next(), Action::Create(0), "{seconds}");
    }
}

#[test]
fn known_subscriptions_are_renewed_while_the_list_fails() {
    let all = vec![stored("u", "users", START + LIFE)];
    let mut setup = Setup::new(&["users", "groups"], all);
    setup.step(&Action::List, UNSENT);
    setup.pass(29);
    setup.expect_wait();
    setup.now.wall += LIFE * 2 / 3;
    let outcome = setup.active("u");
    setup.step(&renew(0, "u"), outcome);
    setup.expect_wait();
    setup.pass(1);
    setup.list(Vec::new());
    assert_eq!(
        setup.next(),
        Action::Create(1),
        "and nothing is created before it succeeds"
    );
}

#[test]
fn a_creation_without_a_response_is_looked_for_in_the_list() {
    let mut setup = Setup::new(&["users"], Vec::new());
    setup.list(Vec::new());
    let uncertain = Outcome::Failed {
        retry_after: None,
        is_uncertain: true,
    };
    setup.step(&Action::Create(0), uncertain);
    setup.list(vec![listed("created", "users", START + LIFE)]);
    setup.step(&delete("created"), Outcome::Deleted);
    setup.pass(30);
    let outcome = setup.active("u");
    setup.step(&Action::Create(0), outcome);
    setup.expect_wait();
    assert_eq!(setup.ids(), ["u"]);
}

#[test]
fn a_clock_that_was_set_back_leads_to_a_renewal() {
    let mut setup = Setup::running();
    setup.now.wall -= 300;
    setup.expect_wait();
    setup.now.wall -= 1;
    assert_eq!(setup.next(), renew(0, "u"));
}

#[test]
fn another_certificate_is_sent_with_a_renewal() {
    let mut wanted = wanted("messages");
    wanted.certificate = Some("2027".to_owned());
    let old = StoredSubscription {
        certificate: Some("2026".to_owned()),
        ..stored("m", "messages", START + LIFE)
    };
    let mut setup = Setup::new(&[], Vec::new());
    setup.machine = Machine::new(vec![wanted], vec![old]);
    setup.list(vec![listed("m", "messages", START + LIFE)]);
    let action = Action::Renew {
        wanted: 0,
        id: "m".to_owned(),
        with_certificate: true,
    };
    let outcome = setup.active("m");
    setup.step(&action, outcome);
    setup.expect_wait();
    assert_eq!(
        setup.machine.stored()[0].certificate.as_deref(),
        Some("2027")
    );
}

#[test]
fn a_state_survives_being_written_and_another_version_is_ignored() {
    let state = SupervisorState::of(vec![stored("u", "users", START)]);
    let text = serde_json::to_string(&state).unwrap();
    let again: SupervisorState = serde_json::from_str(&text).unwrap();
    assert_eq!(again, state);
    assert_eq!(format!("{again:?}"), r#"["u"]"#);
    assert_eq!(again.into_subscriptions().len(), 1);
    let other = text.replace("\"version\":1", "\"version\":2");
    let other: SupervisorState = serde_json::from_str(&other).unwrap();
    assert!(other.into_subscriptions().is_empty());
}
