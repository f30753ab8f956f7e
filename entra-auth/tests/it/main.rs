//! The credentials from outside, against the fake tenant and against transports of our own.

mod bad_input;
mod canary;
mod flights;
mod keys;
mod lifetimes;
mod refusals;
mod runtimes;
mod support;
