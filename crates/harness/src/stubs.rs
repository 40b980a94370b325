//! Doubles of what surrounds the controllers: sidecars and name resolution.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use sei_sidecar_sim::{
    NodeHandle, Op, RequestAction, RequestFault, Sidecars, Submission, Target, TaskAction,
    TaskFault,
};

/// A resolver that knows the names a test told it, and no other. Clones are the same resolver.
#[derive(Clone, Debug, Default)]
pub struct StubResolver {
    hosts: Arc<Mutex<Hosts>>,
}

#[derive(Debug, Default)]
struct Hosts {
    addresses: BTreeMap<String, Vec<IpAddr>>,
    asked: Vec<String>,
}

impl StubResolver {
    /// A resolver that resolves nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on `host` resolves, to a loopback address.
    pub fn resolve(&self, host: &str) {
        self.resolve_to(host, vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]);
    }

    /// From now on `host` resolves to `addresses`.
    pub fn resolve_to(&self, host: &str, addresses: Vec<IpAddr>) {
        self.lock().addresses.insert(host.to_owned(), addresses);
    }

    /// From now on `host` does not resolve.
    pub fn forget(&self, host: &str) {
        self.lock().addresses.remove(host);
    }

    /// The addresses of `host`; empty when it does not resolve.
    pub fn lookup(&self, host: &str) -> Vec<IpAddr> {
        let mut hosts = self.lock();
        hosts.asked.push(host.to_owned());
        hosts.addresses.get(host).cloned().unwrap_or_default()
    }

    /// Every name that was looked up, in order.
    pub fn asked(&self) -> Vec<String> {
        self.lock().asked.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Hosts> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_resolves_until_told_and_questions_are_remembered() {
        let resolver = StubResolver::new();
        assert!(resolver.lookup("a.test.local").is_empty());
        resolver.clone().resolve("a.test.local");
        assert_eq!(resolver.lookup("a.test.local").len(), 1);
        resolver.forget("a.test.local");
        assert!(resolver.lookup("a.test.local").is_empty());
        assert_eq!(resolver.asked().len(), 3);
    }
}
