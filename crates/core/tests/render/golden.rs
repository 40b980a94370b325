//! Golden objects: one folder a case, with its input and every object that is made from it.
//!
//! The expected files are the contract, written by hand; nothing rewrites them. `S1`, `S2` and
//! `S3` in them stand for the scripts.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sei_api::{SeiNode, SeiNodeDeployment};
use sei_core::render::{self, mode::Mode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{platform, rendered};

const INPUT: &str = "input";

/// Objects by the name of their file.
type Objects = BTreeMap<String, Value>;

#[test]
fn node_objects_are_byte_for_byte_the_contract() {
    for mode in ["full-node", "archive", "validator"] {
        check(mode, |input| {
            let objects = rendered(&read(input));
            Objects::from([
                object("statefulset", &objects.statefulset),
                object("service", &objects.service),
                object("claim", &objects.claim),
                object("config-map", &objects.config_map),
            ])
        });
    }
}

#[test]
fn fleet_objects_are_byte_for_byte_the_contract() {
    check("fleet", |input| {
        let fleet: SeiNodeDeployment = read(input);
        Objects::from([
            object("internal-service", &render::fleet::internal_service(&fleet)),
            object("child-2", &render::fleet::child(&fleet, 2, 4)),
        ])
    });
}

#[test]
fn published_objects_are_byte_for_byte_the_contract() {
    for folder in ["published", "published-validator"] {
        check(folder, |input| {
            let fleet: SeiNodeDeployment = read(input);
            let routes = render::routes::routes(&fleet, &platform().gateway);
            let routes = routes.iter().map(|it| {
                let (name, object) = object("route", &it.object);
                (format!("{name}-{}", it.protocol.as_str()), object)
            });
            let service = object("external-service", &render::fleet::external_service(&fleet));
            routes.chain([service]).collect()
        });
    }
}

#[test]
fn sidecar_settings_reach_container_proxy_and_script() {
    let mut input = input("full-node");
    input["spec"]["sidecar"] = json!({
        "image": "custom/seictl:v3", "port": 9999, "resources": {"requests": {"cpu": "250m"}}
    });
    let pod = pod(&input);
    let [_, sidecar, proxy] = &pod["initContainers"].as_array().unwrap()[..] else {
        panic!("three init containers: {pod}")
    };
    assert_eq!(sidecar["image"], "custom/seictl:v3");
    assert_eq!(sidecar["ports"][0]["containerPort"], 9999);
    assert_eq!(sidecar["env"][1], json!({"name": "SEI_SIDECAR_PORT", "value": "9999"}));
    assert_eq!(sidecar["resources"], json!({"requests": {"cpu": "250m"}}));
    assert_eq!(proxy["args"][1], "--upstream=http://127.0.0.1:9999/");
    let script = pod["containers"][0]["args"][0].as_str().unwrap();
    assert!(script.starts_with("sidecar_port=9999\n"), "{script}");
}

#[test]
fn an_empty_image_and_a_zero_port_mean_the_default() {
    let mut input = input("full-node");
    let plain = pod(&input);
    input["spec"]["sidecar"] = json!({"image": "", "port": 0});
    assert_eq!(pod(&input), plain);
}

#[test]
fn system_labels_win_over_pod_labels() {
    let mut input = input("full-node");
    input["spec"]["podLabels"] = json!({"team": "a", "sei.io/role": "rpc", "sei.io/node": "x"});
    let objects = rendered(&read(&input));
    let expected = json!({
        "team": "a", "sei.io/node": "fn-0", "sei.io/chain": "pacific-1", "sei.io/role": "node"
    });
    for metadata in [
        &objects.statefulset.metadata,
        &objects.service.metadata,
        &objects.claim.metadata,
        &objects.config_map.metadata,
    ] {
        assert_eq!(json!(metadata.labels), expected);
    }
    let set = json!(objects.statefulset.spec);
    assert_eq!(set["template"]["metadata"]["labels"], expected);
    assert_eq!(set["selector"]["matchLabels"], json!({"sei.io/node": "fn-0"}));
}

#[test]
fn the_mode_is_the_first_that_is_set() {
    let mut node: SeiNode = read(&input("full-node"));
    assert_eq!(Mode::of(&node.spec), Some(Mode::FullNode));
    node.spec.archive = Some(sei_api::Archive::default());
    assert_eq!(Mode::of(&node.spec), Some(Mode::Archive));
    node.spec.validator = Some(sei_api::Validator::default());
    assert_eq!(Mode::of(&node.spec), Some(Mode::Validator));
    node.spec = sei_api::SeiNodeSpec::default();
    assert_eq!(Mode::of(&node.spec), None);
}

#[test]
fn an_object_without_a_uid_owns_nothing() {
    let mut input = input("full-node");
    input["metadata"] = json!({"name": "fn-0", "namespace": "sei"});
    assert_eq!(rendered(&read(&input)).service.metadata.owner_references, None);
}

/// Renders the folder's input and compares with its files: none missing, none left over.
#[track_caller]
fn check(folder: &str, render: impl Fn(&Value) -> Objects) {
    let expected: Objects = files(folder).collect();
    let actual = render(&expected[INPUT]);
    let names = |objects: &Objects| {
        objects.keys().filter(|name| *name != INPUT).cloned().collect::<Vec<_>>()
    };
    assert_eq!(names(&actual), names(&expected), "objects of \"{folder}\"");
    for (name, actual) in &actual {
        let mut differences = String::new();
        compare("", &expected[name], actual, &mut differences);
        assert!(differences.is_empty(), "{folder}/{name}.yaml differs:\n{differences}");
    }
}

/// One line for each part that differs.
fn compare(path: &str, expected: &Value, actual: &Value, differences: &mut String) {
    let index = |list: &[Value]| -> Value {
        list.iter().enumerate().map(|(i, it)| (format!("{i:02}"), it.clone())).collect()
    };
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            for name in
                expected.keys().chain(actual.keys().filter(|it| !expected.contains_key(*it)))
            {
                let of = |map: &serde_json::Map<_, _>| map.get(name).cloned().unwrap_or_default();
                compare(&format!("{path}/{name}"), &of(expected), &of(actual), differences);
            }
        }
        (Value::Array(expected), Value::Array(actual)) => {
            compare(path, &index(expected), &index(actual), differences);
        }
        _ if expected == actual => {}
        _ => *differences += &format!("{path}: expected {expected}, rendered {actual}\n"),
    }
}

fn files(folder: &str) -> impl Iterator<Item = (String, Value)> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "golden", folder].iter().collect();
    fs::read_dir(folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), yaml(&path))
    })
}

fn yaml(path: &Path) -> Value {
    serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn input(folder: &str) -> Value {
    files(folder).find(|(name, _)| name == INPUT).unwrap().1
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

fn pod(input: &Value) -> Value {
    json!(rendered(&read(input)).statefulset)["spec"]["template"]["spec"].clone()
}

fn object(name: &str, object: &impl Serialize) -> (String, Value) {
    let mut value = json!(object);
    name_scripts(&mut value);
    (name.to_owned(), value)
}

/// Puts the scripts' names where their texts are.
fn name_scripts(value: &mut Value) {
    let seid = concat!("sidecar_port=7777\n", include_str!("../../src/render/scripts/seid.sh"));
    let scripts = [
        ("S1", include_str!("../../src/render/scripts/seid-init.sh")),
        ("S2", seid),
        ("S3", include_str!("../../src/render/scripts/exporter.sh")),
    ];
    match value {
        Value::String(text) => {
            if let Some((name, _)) = scripts.iter().find(|(_, script)| script == text) {
                *value = json!(name);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(name_scripts),
        Value::Object(map) => map.values_mut().for_each(name_scripts),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
