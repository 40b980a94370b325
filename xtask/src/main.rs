//! Project automation: generated files, tidiness, control plane, CI.
fn main() {}
