use std::time::Duration;

use entra_core::{Clock, Guid, ManualClock, SecureRandom, SeededRandom, SystemRandom};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_wall_clock_that_is_set_does_not_move_the_monotonic_clock() {
    let clock = ManualClock::new();
    let (start, started) = (clock.now(), clock.monotonic());
    clock.set_wall_clock(start + 24 * 60 * MINUTE);
    assert_eq!(clock.elapsed(started), Duration::ZERO);
    clock.set_wall_clock(start - 24 * 60 * MINUTE);
    assert_eq!(clock.elapsed(started), Duration::ZERO);
    clock.advance(MINUTE);
    assert_eq!(clock.elapsed(started), MINUTE);
    assert_eq!(clock.now(), start - 24 * 60 * MINUTE + MINUTE);
}

#[tokio::test]
async fn sleepers_wait_on_the_monotonic_clock() {
    let clock = ManualClock::stepped(ManualClock::new().now());
    let sleeper = tokio::spawn(clock.sleep(MINUTE));
    tokio::task::yield_now().await;
    clock.set_wall_clock(clock.now() + 24 * 60 * MINUTE);
    tokio::task::yield_now().await;
    assert!(!sleeper.is_finished());
    clock.set_wall_clock(clock.now() - 48 * 60 * MINUTE);
    clock.advance(MINUTE);
    sleeper.await.unwrap();
}

#[test]
fn an_age_is_never_negative() {
    let clock = ManualClock::new();
    let later = clock.monotonic() + MINUTE;
    assert_eq!(clock.elapsed(later), Duration::ZERO);
}

#[tokio::test]
async fn a_stepped_clock_holds_sleepers_until_it_is_advanced_past_them() {
    let clock = ManualClock::stepped(ManualClock::new().now());
    let short = tokio::spawn(clock.sleep(MINUTE));
    let long = tokio::spawn(clock.sleep(3 * MINUTE));
    tokio::task::yield_now().await;
    assert!(!short.is_finished());
    clock.advance(MINUTE);
    short.await.unwrap();
    assert!(!long.is_finished());
    clock.advance(2 * MINUTE);
    long.await.unwrap();
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let ids = |seed| {
        let random = SeededRandom::new(seed);
        [
            Guid::random(&random).unwrap(),
            Guid::random(&random).unwrap(),
        ]
    };
    assert_eq!(ids(1), ids(1));
    assert_ne!(ids(1), ids(2));
    assert_ne!(ids(1)[0], ids(1)[1]);
    assert_ne!(
        Guid::random(&SystemRandom).unwrap(),
        Guid::random(&SystemRandom).unwrap()
    );
}

#[test]
fn random_guids_have_version_4() {
    let text = Guid::random(&SystemRandom).unwrap().to_string();
    assert_eq!(text.as_bytes()[14], b'4');
    assert!(matches!(text.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
}

#[test]
fn fractions_lie_between_zero_and_one_and_differ() {
    let random = SeededRandom::new(3);
    let fractions: Vec<f64> = (0..1000).map(|_| random.fraction()).collect();
    assert!(
        fractions
            .iter()
            .all(|fraction| (0.0..1.0).contains(fraction))
    );
    assert!(
        fractions.iter().any(|fraction| *fraction < 0.1)
            && fractions.iter().any(|fraction| *fraction > 0.9)
    );
}
