//! The stamps follow the pins, and the key follows both.

use super::*;

fn pins(kubernetes: &str) -> Pins {
    let module =
        |go_mod: String| Module { directory: PathBuf::new(), go_mod, go_sum: "sums".to_owned() };
    Pins {
        controlplane: module(format!(
            "replace (\n\tk8s.io/api => k8s.io/api v0.34.4\n)\nrequire (\n\
             \tk8s.io/kubernetes {kubernetes} // indirect\n)\n"
        )),
        kwok: module("require sigs.k8s.io/kwok v0.8.0 // indirect\n".to_owned()),
    }
}

#[test]
fn stamps_name_the_pinned_version() {
    let pins = pins("v1.34.4");
    assert_eq!(pins.ldflags(Binary::Etcd), "-s -w");
    assert_eq!(pins.ldflags(Binary::Kwok), "-s -w -X sigs.k8s.io/kwok/pkg/consts.Version=v0.8.0");
    assert_eq!(
        pins.ldflags(Binary::Kubectl),
        "-s -w -X k8s.io/component-base/version.gitVersion=v1.34.4 \
         -X k8s.io/component-base/version.gitMajor=1 \
         -X k8s.io/component-base/version.gitMinor=34 \
         -X k8s.io/component-base/version.gitTreeState=clean"
    );
}

#[test]
fn key_changes_with_a_pin_and_only_then() {
    assert_eq!(pins("v1.34.4").key(), pins("v1.34.4").key());
    assert_ne!(pins("v1.34.4").key(), pins("v1.34.5").key());
    let mut summed_anew = pins("v1.34.4");
    summed_anew.kwok.go_sum.push('x');
    assert_ne!(pins("v1.34.4").key(), summed_anew.key());
}

#[test]
fn shipped_pins_are_readable() {
    let pins = Pins::read(&crate::root::root()).unwrap();
    let ldflags = Binary::ALL.map(|binary| pins.ldflags(binary));
    assert!(ldflags.iter().all(|flags| !flags.contains("unknown") && !flags.contains("v0.0.0")));
}
