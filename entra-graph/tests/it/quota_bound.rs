//! Large jobs beside their arithmetic minimum of requests and the time that Graph's quotas bound them to.
//!
//! `cargo bench -p entra-graph --bench quota_bound` prints the same for larger ones.

mod jobs;

use jobs::{Company, Figures};

fn assert_near_the_minimum(figures: &Figures) {
    let Figures {
        job,
        requests,
        least_requests,
        time,
        least_time,
        wall: _,
    } = figures;
    assert!(
        *requests as f64 <= 1.05 * *least_requests as f64,
        "{job}: {figures:?}"
    );
    assert!(*time <= least_time.mul_f64(1.10), "{job}: {figures:?}");
    assert!(time >= least_time, "{job}: {figures:?}");
}

#[tokio::test]
async fn two_thousand_groups_are_expanded_near_the_quota_bound() {
    let company = Company::of(0).await;
    let figures = jobs::expand_groups(&company, 2_000, 3_500).await;
    assert!(!figures.least_time.is_zero());
    assert_near_the_minimum(&figures);
}

#[tokio::test]
async fn objects_and_members_take_as_few_requests_as_possible() {
    let company = Company::of(0).await;
    assert_near_the_minimum(&jobs::get_by_ids(&company, 5_000).await);
    assert_near_the_minimum(&jobs::add_members(&company, 200).await);
    assert_near_the_minimum(&jobs::expand_all(&company, 40, 30).await);
}

#[tokio::test]
async fn a_thousand_users_are_created_in_fifty_requests() {
    let company = Company::of(0).await;
    assert_near_the_minimum(&jobs::create_users(&company, 1_000).await);
}

#[tokio::test]
async fn users_are_exported_with_managers_and_licences() {
    let company = Company::of(3_000).await;
    assert_near_the_minimum(&jobs::export_users(&company).await);
}

#[tokio::test]
async fn logs_in_parts_are_read_as_fast_as_their_limit_allows() {
    let company = Company::of(0).await;
    assert_near_the_minimum(&jobs::read_sign_ins(&company, 22).await);
}
