//! Rows of manifests and how a row is checked.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::server::{Causes, Server, fresh_name, with_server};

/// A change to the valid manifest of its kind that passes, and one that is refused.
pub struct Case {
    /// What the row is about.
    pub name: &'static str,
    /// Merge patch on `spec` in YAML; the result is created.
    pub pass: &'static str,
    /// The same; the result is refused.
    pub fail: &'static str,
    /// Every field that the refusal names, with the end of its message.
    pub errors: &'static [(&'static str, &'static str)],
}

/// An edit of a stored object that passes, and one that is refused.
pub struct Update {
    /// What the row is about.
    pub name: &'static str,
    /// Merge patch on the `spec` of the valid manifest; the result is stored.
    pub stored: &'static str,
    /// Merge patch on the stored `spec` that is accepted, after the refused one.
    pub pass: &'static str,
    /// The same; refused. Empty: the row only states what is allowed.
    pub fail: &'static str,
    /// Every field that the refusal names, with the end of its message.
    pub errors: &'static [(&'static str, &'static str)],
}

/// What the rows of a table change.
pub enum Kind {
    /// `spec` of a SeiNode.
    Node,
    /// `spec.template.spec` of a SeiNodeDeployment.
    Template,
    /// `spec` of a SeiNodeDeployment.
    Deployment,
    /// `spec` of a SeiNodeTask.
    Task,
}

const NODE: &str = "{chainId: pacific-1, image: 'seid:v1', fullNode: {}}";
const TASK: &str = "{kind: UpdateNodeImage, target: {nodeRef: {name: fn-0}}, \
                    updateNodeImage: {image: 'seid:v2'}}";

impl Kind {
    /// Plural of the kind in URLs.
    pub fn plural(&self) -> &'static str {
        match self {
            Self::Node => "seinodes",
            Self::Template | Self::Deployment => "seinodedeployments",
            Self::Task => "seinodetasks",
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Node => "SeiNode",
            Self::Template | Self::Deployment => "SeiNodeDeployment",
            Self::Task => "SeiNodeTask",
        }
    }

    /// The smallest valid manifest, under a fresh name, with `change` merged in.
    pub fn manifest(&self, change: &str) -> Result<Value> {
        let spec = match self {
            Self::Node => yaml(NODE)?,
            Self::Template | Self::Deployment => json!({
                "template": {"spec": yaml(NODE)?},
                "updateStrategy": {"type": "InPlace"},
            }),
            Self::Task => yaml(TASK)?,
        };
        let mut object = json!({
            "apiVersion": "sei.io/v1alpha1",
            "kind": self.kind(),
            "metadata": {"name": fresh_name(), "namespace": "default"},
            "spec": spec,
        });
        merge(&mut object, &self.patch(change)?);
        Ok(object)
    }

    /// `change` as a merge patch of the whole object.
    pub fn patch(&self, change: &str) -> Result<Value> {
        let change = yaml(change)?;
        Ok(match self {
            Self::Node | Self::Deployment | Self::Task => json!({"spec": change}),
            Self::Template => json!({"spec": {"template": {"spec": change}}}),
        })
    }

    /// Where a field that a row names is in this kind.
    fn field(&self, field: &str) -> String {
        match self {
            Self::Node | Self::Deployment | Self::Task => field.to_owned(),
            Self::Template => field.replacen("spec", "spec.template.spec", 1),
        }
    }
}

/// Creates every row of the tables.
pub fn check(kind: &Kind, tables: &[&[Case]]) {
    with_server(async |server| {
        let mut wrong = Vec::new();
        for case in tables.iter().copied().flatten() {
            let passed = create(server, kind, case.pass).await?;
            expect_accepted(case.name, passed, &mut wrong);
            let failed = create(server, kind, case.fail).await?;
            expect_refused(kind, (case.name, case.errors), failed, &mut wrong);
        }
        none(&wrong)
    });
}

/// Stores and edits every row of the table.
pub fn check_updates(kind: &Kind, table: &[Update]) {
    with_server(async |server| {
        let mut wrong = Vec::new();
        for row in table {
            let stored = create(server, kind, row.stored).await?;
            let stored = stored.map_err(|causes| anyhow::anyhow!("{}: {causes:?}", row.name))?;
            let name = stored["metadata"]["name"].as_str().context("an object has no name")?;
            if !row.fail.is_empty() {
                let failed = server.patch(kind.plural(), name, &kind.patch(row.fail)?).await?;
                expect_refused(kind, (row.name, row.errors), failed, &mut wrong);
            }
            let passed = server.patch(kind.plural(), name, &kind.patch(row.pass)?).await?;
            expect_accepted(row.name, passed, &mut wrong);
        }
        none(&wrong)
    });
}

/// Fails with every line at once.
pub fn none(wrong: &[String]) -> Result<()> {
    anyhow::ensure!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

/// YAML as JSON.
pub fn yaml(text: &str) -> Result<Value> {
    serde_saphyr::from_str(text).with_context(|| format!("not YAML: {text}"))
}

/// RFC 7386.
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, change) in changes {
        if change.is_null() {
            if let Some(fields) = target.as_object_mut() {
                fields.remove(key);
            }
        } else {
            merge(&mut target[key], change);
        }
    }
}

async fn create(server: &Server, kind: &Kind, change: &str) -> Result<Result<Value, Causes>> {
    server.create(kind.plural(), &kind.manifest(change)?).await
}

fn expect_accepted(name: &str, outcome: Result<Value, Causes>, wrong: &mut Vec<String>) {
    if let Err(causes) = outcome {
        wrong.push(format!("{name}: should pass, refused with {causes:?}"));
    }
}

fn expect_refused(
    kind: &Kind,
    (name, errors): (&str, &[(&str, &str)]),
    outcome: Result<Value, Causes>,
    wrong: &mut Vec<String>,
) {
    let Err(causes) = outcome else {
        wrong.push(format!("{name}: should fail with {errors:?}, passed"));
        return;
    };
    let says = |(field, message): &(&str, &str)| {
        let field = kind.field(field);
        causes.iter().any(|(at, said)| *at == field && said.ends_with(message))
    };
    if causes.len() != errors.len() || !errors.iter().all(says) {
        wrong.push(format!("{name}: should fail with {errors:?}, failed with {causes:#?}"));
    }
}
