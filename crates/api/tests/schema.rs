//! The generated definitions against the checked-in files and against one line per field.

use std::path::{Path, PathBuf};

use expect_test::expect_file;
use sei_api::{crd_document, crds};
use serde_json::Value;

#[test]
fn checked_in_definitions_are_the_generated_ones() {
    for (file, crd) in crds() {
        let path = root().join("config/crd").join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let checked_in: Value = serde_saphyr::from_str(&text).unwrap();
        // Two whole definitions in a failure would hide the sentence that helps.
        assert!(checked_in == crd_document(&crd), "{file} differs; run `make manifests`");
    }
}

#[test]
fn fields_of_a_node() {
    expect_file!["schema/seinode.txt"].assert_eq(&lines(&schema("SeiNode")));
}

#[test]
fn fields_of_a_deployment() {
    expect_file!["schema/seinodedeployment.txt"].assert_eq(&lines(&schema("SeiNodeDeployment")));
}

#[test]
fn fields_of_a_task() {
    expect_file!["schema/seinodetask.txt"].assert_eq(&lines(&schema("SeiNodeTask")));
}

#[test]
fn a_template_has_the_schema_of_a_node() {
    let (node, fleet) = (schema("SeiNode"), schema("SeiNodeDeployment"));
    let template = &fleet["properties"]["spec"]["properties"]["template"]["properties"]["spec"];
    assert_eq!(without_description(template), without_description(&node["properties"]["spec"]));
}

#[test]
fn both_kinds_store_the_same_plan() {
    let (node, fleet) = (schema("SeiNode"), schema("SeiNodeDeployment"));
    let plan =
        |schema: &Value| without_description(&schema["properties"]["status"]["properties"]["plan"]);
    assert_eq!(plan(&node), plan(&fleet));
}

#[test]
fn nothing_is_nullable_and_no_format_is_foreign_to_a_server() {
    for (file, crd) in crds() {
        let text = crd_document(&crd).to_string();
        for trap in ["\"nullable\"", "null", "\"uint", "\"$ref\"", "\"additionalProperties\":true"]
        {
            assert!(!text.contains(trap), "{file} contains {trap}");
        }
    }
}

#[test]
fn names_scope_columns_and_subresources() {
    let mut seen = String::new();
    for (file, crd) in crds() {
        let document = crd_document(&crd);
        let keys: Vec<_> = document.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["apiVersion", "kind", "metadata", "spec"], "{file}");
        let version = &document["spec"]["versions"][0];
        seen += &format!("{file}\n  {}\n  {}\n", document["metadata"], document["spec"]["names"]);
        seen += &format!(
            "  {} {} served={} storage={} {}\n",
            document["spec"]["scope"],
            version["name"],
            version["served"],
            version["storage"],
            version["subresources"],
        );
        for column in version["additionalPrinterColumns"].as_array().unwrap() {
            let priority =
                column.get("priority").map_or(String::new(), |p| format!(" priority {p}"));
            seen += &format!(
                "  {} {} {}{priority}\n",
                column["name"].as_str().unwrap(),
                column["type"].as_str().unwrap(),
                column["jsonPath"].as_str().unwrap(),
            );
        }
    }
    expect_file!["schema/definitions.txt"].assert_eq(&seen);
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The root schema of a kind, as generated.
fn schema(kind: &str) -> Value {
    crds()
        .iter()
        .map(|(_, crd)| crd_document(crd))
        .find(|document| document["spec"]["names"]["kind"] == kind)
        .map(|document| document["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone())
        .unwrap_or_default()
}

fn without_description(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("description");
    }
    schema
}

/// One line per field: path, type and format, R when required, then every other keyword. Rules
/// follow their field. What another test compares is left out.
fn lines(schema: &Value) -> String {
    let mut out = String::new();
    walk(schema, "", false, &mut out);
    out
}

fn walk(schema: &Value, path: &str, required: bool, out: &mut String) {
    *out += &format!("{}\n", line(schema, path, required));
    for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
        let create = if rule["optionalOldSelf"] == true { " (on creation)" } else { "" };
        *out += &format!("    {}{create}\n", rule["message"].as_str().unwrap_or("no message"));
        *out += &format!("      {}\n", rule["rule"].as_str().unwrap_or("no rule"));
    }
    if matches!(path, "spec.template.spec") {
        return;
    }
    let requires = |name: &str| {
        schema["required"].as_array().is_some_and(|names| names.iter().any(|n| n == name))
    };
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let dot = if path.is_empty() { "" } else { "." };
        walk(property, &format!("{path}{dot}{name}"), requires(name), out);
    }
    if schema["items"].is_object() {
        walk(&schema["items"], &format!("{path}[]"), false, out);
    }
    if schema["additionalProperties"].is_object() {
        walk(&schema["additionalProperties"], &format!("{path}.*"), false, out);
    }
}

fn line(schema: &Value, path: &str, required: bool) -> String {
    let mut words = vec![if path.is_empty() { "(root)".to_owned() } else { path.to_owned() }];
    words.extend(schema["type"].as_str().map(str::to_owned));
    words.extend(schema["format"].as_str().map(|format| format!("({format})")));
    words.extend(required.then(|| "R".to_owned()));
    for (keyword, value) in schema.as_object().into_iter().flatten() {
        match keyword.as_str() {
            "type"
            | "format"
            | "description"
            | "properties"
            | "required"
            | "items"
            | "additionalProperties"
            | "x-kubernetes-validations" => {}
            _ => words.push(format!("{}={value}", keyword.trim_start_matches("x-kubernetes-"))),
        }
    }
    words.join(" ")
}
