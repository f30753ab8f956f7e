//! The routes, one file for each area.

mod access;
mod agents;
mod applications;
mod clock;
mod faults;
mod findings;
mod groups;
mod journal;
mod notifications;
mod objects;
mod policies;
mod portal;
mod settings;
mod shapes;
mod sign_in;
mod signing_keys;
mod snapshots;
mod tenants;
mod users;

use super::route::Route;

/// The tables of all areas.
pub(super) const ALL: &[&[&Route]] = &[
    access::ROUTES,
    agents::ROUTES,
    applications::ROUTES,
    clock::ROUTES,
    faults::ROUTES,
    findings::ROUTES,
    groups::ROUTES,
    journal::ROUTES,
    notifications::ROUTES,
    objects::ROUTES,
    policies::ROUTES,
    portal::ROUTES,
    settings::ROUTES,
    sign_in::ROUTES,
    signing_keys::ROUTES,
    snapshots::ROUTES,
    tenants::ROUTES,
    users::ROUTES,
];
