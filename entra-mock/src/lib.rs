#![doc = include_str!("../README.md")]

mod odata;
mod schema;
mod store;
mod wire;
