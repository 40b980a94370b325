//! The end of the story: what runs where, how to look around, and what to try next.

use anyhow::Result;
use sei_api::k8s::ResourceExt;
use sei_harness::local::LocalCluster;

use crate::doors;
use crate::fleet::Fleet;
use crate::rows::{SEID, pod_image, table};
use crate::sample::{FLEET, NAMESPACE, Version, image};
use crate::screen::Screen;
use crate::story::Story;

/// Prints it all; instructions only where somebody can follow them.
pub fn print(story: Story, screen: &Screen, cluster: &LocalCluster, fleet: &Fleet) -> Result<()> {
    screen.chapter("What runs now");
    let view = fleet.view();
    for node in view.nodes() {
        let pod = view.pod_of(&node.name_any());
        let runs = pod.as_ref().and_then(pod_image).unwrap_or("nothing");
        let machine = pod.as_ref().and_then(|pod| pod.spec.as_ref()?.node_name.clone());
        let machine = machine.unwrap_or_default();
        screen.print(&format!("  pod {}-0 on {machine}: {SEID} runs {runs}", node.name_any()));
    }
    if let Some(fleet) = view.deployment(FLEET) {
        for line in doors::endpoints(&fleet).into_iter().chain(doors::lines(&fleet)) {
            screen.print(&format!("  {line}"));
        }
    }
    if !screen.keeps_cluster() {
        screen.print(&table(&view.rows()));
        other_stories(story, screen);
        return Ok(());
    }
    let kubectl = cluster.kubectl()?;
    let alias = format!(
        "alias k='{} --kubeconfig {} -n {NAMESPACE}'",
        kubectl.display(),
        cluster.kubeconfig().display()
    );
    screen.chapter("Look around, in another terminal");
    for line in
        [alias.as_str(), "k get snd,seinodes,pods,httproutes", &format!("k describe snd {FLEET}")]
    {
        screen.print(&format!("  {line}"));
    }
    screen.chapter("Three things to try");
    for (what, command) in to_try(story) {
        screen.print(&format!("  {what}"));
        screen.print(&format!("    {command}"));
    }
    other_stories(story, screen);
    screen.print("");
    screen.print(&screen.bold("The cluster stays until Ctrl-C; then nothing is left of it."));
    Ok(())
}

/// What `make run` tells besides.
fn other_stories(story: Story, screen: &Screen) {
    screen.chapter("Other stories");
    for line in Story::all().filter(|(it, _)| *it != story).map(|(_, line)| line) {
        screen.print(&format!("  {line}"));
    }
}

/// What a person may want to do next.
fn to_try(story: Story) -> [(&'static str, String); 3] {
    let lost = "k label node node-a local.sei.io/power=off".to_owned();
    let scale = format!("k scale snd {FLEET} --replicas 5");
    match story {
        Story::Rollout | Story::Scale => [
            ("a bad tag: the rollout stays in progress, and says why", set_image("missing")),
            ("the way back: it supersedes whatever is under way", set_image(Version::V2.tag())),
            ("a scale: new nodes begin on the current version", scale),
        ],
        Story::Stuck | Story::Rollback => [
            ("a version that is killed for its use of memory", set_image("v4.0.0-oom")),
            ("a machine that loses its power: NodeUnreachable, after 20 s or more", lost),
            ("and gets it back", "k label node node-a local.sei.io/power-".to_owned()),
        ],
    }
}

fn set_image(tag: &str) -> String {
    let image = image(tag);
    let patch = format!(r#"{{"spec":{{"template":{{"spec":{{"image":"{image}"}}}}}}}}"#);
    format!("k patch snd {FLEET} --type merge -p '{patch}'")
}
