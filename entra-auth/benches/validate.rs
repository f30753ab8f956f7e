//! An ID token with known keys beside what jsonwebtoken needs for its signature and times.
fn main() {}
