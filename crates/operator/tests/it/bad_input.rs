//! Whatever field is wrong, somebody says so and names it: the API server, or a condition.

mod rows;

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use kube::Api;
use kube::api::{ApiResource, DynamicObject, PostParams};
use sei_api::{SeiNode, SeiNodeDeployment, crd_document, crds};
use sei_harness::suite::TestEnv;
use sei_harness::wait::Progress;
use serde_json::{Map, Value, json};

use crate::support::scenario;
use rows::{ANYTHING, FLEET, NODE, Row};

const TEMPLATE: &str = "template.spec.";

/// A field that is added to a kind asks for a row, and a row for a field that is there.
#[test]
fn every_field_has_a_wrong_value() {
    let rows: BTreeSet<&str> = [NODE, FLEET, ANYTHING].concat().iter().map(|it| it.0).collect();
    let mut fields = BTreeSet::new();
    for kind in ["SeiNode", "SeiNodeDeployment"] {
        fields.extend(leaves(kind).into_iter().map(|(field, _)| field));
    }
    let fields: BTreeSet<&str> =
        fields.iter().map(|it| it.strip_prefix(TEMPLATE).unwrap_or(it)).collect();
    let missing: Vec<_> = fields.difference(&rows).collect();
    let stale: Vec<_> = rows.difference(&fields).collect();
    assert!(missing.is_empty() && stale.is_empty(), "without a row: {missing:?}, stale: {stale:?}");
}

#[test]
fn a_wrong_value_of_a_node_is_named() {
    scenario("a_wrong_value_of_a_node_is_named", |env| async move {
        named(&env, "SeiNode", NODE, "").await
    });
}

#[test]
fn a_wrong_value_of_a_template_is_named() {
    scenario("a_wrong_value_of_a_template_is_named", |env| async move {
        named(&env, "SeiNodeDeployment", NODE, TEMPLATE).await
    });
}

#[test]
fn a_wrong_value_of_a_fleet_is_named() {
    scenario("a_wrong_value_of_a_fleet_is_named", |env| async move {
        named(&env, "SeiNodeDeployment", FLEET, "").await
    });
}

/// Each field of both kinds, drawn from the definitions, with a value of another type.
#[test]
fn a_value_of_another_type_is_named() {
    scenario("a_value_of_another_type_is_named", |env| async move {
        let mut wrong = Vec::new();
        for kind in ["SeiNode", "SeiNodeDeployment"] {
            for (number, (field, schema)) in leaves(kind).into_iter().enumerate() {
                let Some(value) = of_another_type(&schema) else { continue };
                let mut object = good(kind, &format!("t{number}"));
                merge(&mut object["spec"], &nested(&field, value));
                let said = refusal(&env, kind, &object).await?;
                if !said.as_ref().is_some_and(|it| names(it, &field)) {
                    wrong.push(format!("{kind} {field}: {said:?}"));
                }
            }
        }
        ensure!(wrong.is_empty(), "{} fields:\n{}", wrong.len(), wrong.join("\n"));
        Ok(())
    });
}

/// Creates every row under `prefix` of the kind's spec, and collects what is not named.
async fn named(env: &TestEnv, kind: &str, rows: &[Row], prefix: &str) -> Result<()> {
    let mut wrong = Vec::new();
    for (number, (field, change)) in rows.iter().enumerate() {
        let name = format!("b{number}");
        let mut object = good(kind, &name);
        let change: Value = serde_saphyr::from_str(change).with_context(|| field.to_string())?;
        let spec = match prefix {
            "" => &mut object["spec"],
            _ => &mut object["spec"]["template"]["spec"],
        };
        merge(spec, &change);
        let said = match refusal(env, kind, &object).await? {
            Some(said) => said,
            None => condition(env, kind, &name, field).await?,
        };
        if !names(&said, &format!("{prefix}{field}")) {
            wrong.push(format!("{field}: {said}"));
        }
    }
    ensure!(wrong.is_empty(), "{} fields:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

/// What the API server says against `object`; `None` if it took it.
async fn refusal(env: &TestEnv, kind: &str, object: &Value) -> Result<Option<String>> {
    let object: DynamicObject = serde_json::from_value(object.clone())?;
    match objects(env, kind).create(&PostParams::default(), &object).await {
        Ok(_) => Ok(None),
        Err(kube::Error::Api(status)) => {
            let causes = status.details.iter().flat_map(|it| &it.causes);
            let causes = causes.map(|it| format!("{}: {}\n", it.field, it.message));
            let causes: String = causes.collect();
            Ok(Some(if causes.is_empty() { status.message } else { causes }))
        }
        Err(err) => Err(err.into()),
    }
}

/// What the condition `Stalled` of an object says that was stored all the same.
async fn condition(env: &TestEnv, kind: &str, name: &str, field: &str) -> Result<String> {
    let what = format!("a word on {field} of {kind}");
    let said = env.wait_for(&what, || async {
        let object = serde_json::to_value(objects(env, kind).get(name).await?)?;
        let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let stalled = conditions.iter().find(|it| it["type"] == "Stalled");
        let stalled = stalled.filter(|it| it["status"] == "True");
        Ok(match stalled.and_then(|it| it["message"].as_str()) {
            Some(message) => Progress::Ready(message.to_owned()),
            None => Progress::NotYet(format!("{conditions:?}")),
        })
    });
    Ok(said.await?)
}

/// Does one line of what was said hold the whole path of the field? A rule of several fields stands
/// at their parent and names them in its own words.
fn names(said: &str, field: &str) -> bool {
    let path = format!("spec.{}", field.trim_end_matches(".*").replace("[]", "[0]"));
    // What this release does not act on is refused as a whole.
    let unsupported = said.contains("not supported yet")
        && said.split([' ', ',']).any(|word| word.len() > "spec".len() && path.starts_with(word));
    let paths = [path.replace("[0]", ""), path];
    unsupported || said.lines().any(|line| paths.iter().any(|path| stands_in(line, path)))
}

fn stands_in(line: &str, path: &str) -> bool {
    let is_part = |it: char| it.is_alphanumeric() || it == '_';
    let ends = |at: usize| !line[at + path.len()..].starts_with(is_part);
    let (parent, leaf) = path.rsplit_once('.').unwrap_or(("", path));
    let words = line.split_once(&format!("{parent}: ")).map(|(_, words)| words);
    line.match_indices(path).any(|(at, _)| ends(at))
        || words.is_some_and(|it| it.split(|it| !is_part(it)).any(|word| word == leaf))
}

#[test]
fn a_field_is_named_by_its_whole_path_only() {
    let said = "spec.a.b: Invalid value: \"object\": c requires d\nspec.e: f";
    for (field, named) in [
        ("a.b", true),
        ("a.b.c", true),
        ("a.b.d", true),
        ("a.b.x", false),
        ("a.d", false),
        ("b.c", false),
        ("e.f", true),
        ("e.c", false),
    ] {
        assert_eq!(names(said, field), named, "{field}");
    }
    assert!(!names("spec.imageName: no", "image"), "the beginning of another");
}

fn objects(env: &TestEnv, kind: &str) -> Api<DynamicObject> {
    let resource = match kind {
        "SeiNode" => ApiResource::erase::<SeiNode>(&()),
        _ => ApiResource::erase::<SeiNodeDeployment>(&()),
    };
    Api::namespaced_with((*env.client).clone(), &env.ns, &resource)
}

/// The smallest good object.
fn good(kind: &str, name: &str) -> Value {
    let node = json!({ "chainId": "pacific-1", "image": "seid:v1", "fullNode": {} });
    let spec = match kind {
        "SeiNode" => node,
        _ => json!({ "template": { "spec": node } }),
    };
    let metadata = json!({ "name": name });
    json!({ "apiVersion": sei_api::API_VERSION, "kind": kind, "metadata": metadata, "spec": spec })
}

/// The fields of the kind's spec that hold no other field, by path, with their schema.
fn leaves(kind: &str) -> Vec<(String, Value)> {
    let documents = crds().into_iter().map(|(_, it)| crd_document(&it));
    let mut found = Vec::new();
    for document in documents.filter(|it| it["spec"]["names"]["kind"] == kind) {
        let root = &document["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        walk("", &root["properties"]["spec"], &mut found);
    }
    found
}

fn walk(path: &str, schema: &Value, found: &mut Vec<(String, Value)>) {
    let dotted = if path.is_empty() { String::new() } else { format!("{path}.") };
    match (&schema["properties"], schema.get("items"), schema.get("additionalProperties")) {
        (Value::Object(properties), ..) => {
            for (name, property) in properties {
                walk(&format!("{dotted}{name}"), property, found);
            }
        }
        (_, Some(items), _) => walk(&format!("{path}[]"), items, found),
        (_, _, Some(values)) => walk(&format!("{dotted}*"), values, found),
        _ => found.push((path.to_owned(), schema.clone())),
    }
}

/// A value that the schema's type does not admit; none if it admits every one.
fn of_another_type(schema: &Value) -> Option<Value> {
    if schema["x-kubernetes-int-or-string"] == json!(true) {
        return Some(json!(true));
    }
    schema["type"].as_str().map(|it| if it == "string" { json!(7) } else { json!("x") })
}

/// An object with `value` at `path`.
fn nested(path: &str, value: Value) -> Value {
    path.rsplit('.').fold(value, |inner, part| {
        let (name, value) = match part.strip_suffix("[]") {
            Some(name) => (name, json!([inner])),
            None if part == "*" => ("a", inner),
            None => (part, inner),
        };
        Value::Object(Map::from_iter([(name.to_owned(), value)]))
    })
}

/// RFC 7386.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, change) in changes {
        if change.is_null() {
            target.as_object_mut().map(|fields| fields.remove(key));
        } else {
            merge(&mut target[key], change);
        }
    }
}
