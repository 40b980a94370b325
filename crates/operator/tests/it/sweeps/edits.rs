//! What users ask for at any time: numbers that follow from a seed, and edits that follow from
//! those.

use std::mem;
use std::time::Duration;

use anyhow::Result;
use sei_harness::fixtures::{IMAGE_V1, IMAGE_V2, IMAGE_V3};
use sei_harness::suite::TestEnv;
use serde_json::{Value, json};

use super::stories::FLEET;

const IMAGES: [&str; 3] = [IMAGE_V1, IMAGE_V2, IMAGE_V3];
/// Besides the operator's default.
const SIDECARS: [&str; 2] =
    ["ghcr.io/sei-protocol/seictl:v0.0.50", "ghcr.io/sei-protocol/seictl:v0.0.51"];

/// Numbers that follow from a seed: splitmix64.
pub struct Chance(pub u64);

/// The edits of one seed, to a fleet that is published and runs the first image.
pub struct Edits {
    chance: Chance,
    image: &'static str,
    /// The image before it.
    previous: &'static str,
    is_published: bool,
    is_paused: bool,
    /// As many were made.
    pub made: usize,
}

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Less than this many milliseconds.
    pub fn below(&mut self, millis: u64) -> Duration {
        Duration::from_millis(self.next() % millis)
    }

    fn one_of(&mut self, these: &[&'static str]) -> &'static str {
        these[(self.next() % these.len() as u64) as usize]
    }
}

impl Edits {
    /// Those of `seed`.
    pub fn of(seed: u64) -> Self {
        Self {
            chance: Chance(seed),
            image: IMAGE_V1,
            previous: IMAGE_V1,
            is_published: true,
            is_paused: false,
            made: 0,
        }
    }

    /// Until the next edit, less than this many milliseconds.
    pub fn pause(&mut self, millis: u64) -> Duration {
        self.chance.below(millis)
    }

    /// Makes one.
    pub async fn make(&mut self, env: &TestEnv) -> Result<()> {
        let change = self.change();
        env.patch_snd_spec(FLEET, change).await?;
        self.made += 1;
        Ok(())
    }

    /// The last one: what was asked for before shows only in a fleet that is not paused.
    pub async fn unpause(&self, env: &TestEnv) -> Result<()> {
        env.patch_snd_spec(FLEET, json!({ "paused": false })).await.map(|_| ())
    }

    /// Another image, the one before it, another sidecar, one child more or less, doors that open
    /// or close, a pause, or something that changes nothing.
    fn change(&mut self) -> Value {
        match self.chance.next() % 12 {
            0 => json!({ "replicas": 1 + self.chance.next() % 3 }),
            1 => json!({ "progressDeadlineSeconds": 600 + self.chance.next() % 60 }),
            2 | 3 => {
                self.is_published = !self.is_published;
                json!({ "networking": if self.is_published { json!({}) } else { Value::Null } })
            }
            4 => {
                let image = self.chance.one_of(&SIDECARS);
                json!({ "template": { "spec": { "sidecar": { "image": image } } } })
            }
            5 => json!({ "template": { "spec": { "sidecar": null } } }),
            // One of three while it lasts, so that most edits meet a fleet that heeds them.
            6..=9 if self.is_paused => self.toggle_pause(),
            6 => self.toggle_pause(),
            7 => {
                mem::swap(&mut self.image, &mut self.previous);
                json!({ "template": { "spec": { "image": self.image } } })
            }
            _ => {
                self.previous = mem::replace(&mut self.image, self.chance.one_of(&IMAGES));
                json!({ "template": { "spec": { "image": self.image } } })
            }
        }
    }

    fn toggle_pause(&mut self) -> Value {
        self.is_paused = !self.is_paused;
        json!({ "paused": self.is_paused })
    }
}
