//! Which files count as CRDs.

use std::fs;

use super::read;

#[test]
fn only_crds_are_read_from_all_documents_of_all_yaml_files() {
    let dir = tempfile::tempdir().unwrap();
    let crd = |name: &str| format!("kind: CustomResourceDefinition\nmetadata: {{name: {name}}}\n");
    fs::write(dir.path().join("b.yml"), crd("b")).unwrap();
    fs::write(dir.path().join("a.yaml"), format!("{}---\n{}", crd("a1"), crd("a2"))).unwrap();
    fs::write(dir.path().join("kustomization.yaml"), "kind: Kustomization\n").unwrap();
    fs::write(dir.path().join("notes.txt"), "not yaml: [").unwrap();
    let names: Vec<String> = read(dir.path())
        .unwrap()
        .iter()
        .map(|crd| crd["metadata"]["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["a1", "a2", "b"]);
}

#[test]
fn an_empty_directory_and_a_missing_one_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let empty = read(dir.path()).unwrap_err().to_string();
    assert!(empty.starts_with("no CRDs in") && empty.contains("make manifests"), "{empty}");
    let missing = read(&dir.path().join("absent")).unwrap_err().to_string();
    assert!(missing.starts_with("no CRDs: cannot read"), "{missing}");
}

#[test]
fn the_shipped_directory_holds_the_three_kinds() {
    assert_eq!(read(&super::shipped_crds()).unwrap().len(), 3);
}
