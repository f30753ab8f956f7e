//! The credentials from outside, against the fake tenant and against transports of our own.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails its test")]

#[cfg(feature = "azure-core")]
mod adapter;
#[cfg(feature = "managed-identity")]
mod arc;
mod bad_input;
mod canary;
mod certificate;
mod certificate_files;
mod certificate_hostile;
#[cfg(feature = "certificate-kit")]
mod certificate_kit;
#[cfg(feature = "default-credential")]
mod chain;
mod comparison;
mod discovery;
mod error_responses;
#[cfg(feature = "workload-identity")]
mod federated;
#[cfg(feature = "file-cache")]
mod file_store;
mod forgetting;
#[cfg(all(feature = "file-cache", target_os = "linux"))]
mod full_disk;
mod keys;
mod lifetimes;
#[cfg(feature = "managed-identity")]
mod managed_identity;
#[cfg(feature = "sign-in")]
mod notification_tokens;
mod other_provider;
#[cfg(feature = "default-credential")]
mod platform_canary;
#[cfg(feature = "interactive")]
mod real_browser;
#[cfg(all(feature = "redis", unix))]
mod redis_outage;
#[cfg(all(feature = "redis", unix))]
mod redis_server;
#[cfg(feature = "redis")]
mod redis_store;
mod resilience;
mod response_limits;
mod rotation;
mod runtimes;
mod seams;
mod security_tests;
mod shared_requests;
#[cfg(feature = "sign-in")]
mod sign_in;
#[cfg(feature = "sign-in")]
mod sign_in_attacks;
#[cfg(feature = "axum")]
mod sign_in_clock;
#[cfg(feature = "sign-in")]
mod sign_in_connections;
#[cfg(feature = "sign-in")]
mod sign_in_details;
#[cfg(feature = "sign-in")]
mod sign_in_errors;
#[cfg(feature = "sign-in")]
mod sign_in_groups;
#[cfg(feature = "sign-in")]
mod sign_in_keys;
#[cfg(feature = "sign-in")]
mod sign_in_mix_up;
#[cfg(feature = "sign-in")]
mod sign_in_staging;
#[cfg(feature = "sign-in")]
mod sign_in_support;
mod store_hangs;
mod store_key_change;
mod store_keys;
mod store_losses;
mod store_refresh;
mod store_users;
mod stores;
mod support;
mod time;
#[cfg(all(feature = "workload-identity", feature = "reqwest"))]
mod token_proxy;
#[cfg(feature = "developer-tools")]
mod tools;
mod user_canary;
mod user_code;
mod user_grants;
#[cfg(feature = "interactive")]
mod user_interactive;
#[cfg(feature = "sign-in")]
mod validate;
#[cfg(feature = "sign-in")]
mod validate_attacks;
#[cfg(feature = "sign-in")]
mod validate_keys;
#[cfg(feature = "sign-in")]
mod validate_limits;
#[cfg(feature = "sign-in")]
mod validate_rules;
#[cfg(feature = "sign-in")]
mod validate_support;
#[cfg(feature = "axum")]
mod web;
#[cfg(feature = "axum")]
mod web_access;
#[cfg(feature = "axum")]
mod web_browser;
#[cfg(feature = "axum")]
mod web_cookies;
#[cfg(feature = "axum")]
mod web_double_submit;
#[cfg(feature = "axum")]
mod web_metadata;
#[cfg(feature = "axum")]
mod web_mix_up;
#[cfg(feature = "axum")]
mod web_pages;
#[cfg(feature = "axum")]
mod web_recheck;
#[cfg(all(feature = "axum", feature = "redis", unix))]
mod web_redis;
#[cfg(feature = "axum")]
mod web_requests;
#[cfg(feature = "axum")]
mod web_services;
#[cfg(feature = "axum")]
mod web_session;
#[cfg(feature = "axum")]
mod web_sign_out;
#[cfg(feature = "axum")]
mod web_staging;
#[cfg(feature = "axum")]
mod web_token;
