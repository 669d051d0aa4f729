//! A model small enough to train in a test.

use groundwork_train::{Recipe, Resolved};

/// A recipe of ten thousand tokens: twenty steps.
pub const RECIPE: &str = r#"
name = "tiny"
seed = 5
[train]
batch = 4
checkpoint_seconds = 0
[model]
size = "0.1M"
d_model = 32
layers = 1
[schedule]
warmup_steps = 2
[tokenizer]
vocabulary = 320
bytes = 60000
[[tokenizer.source]]
name = "files"
world = "files"
fault_rate = 0.5
[data]
sequence = 128
tokens = 10240
[[data.source]]
name = "files"
world = "files"
fault_rate = 0.5
[[objective]]
term = "next_token"
weights = { observation = 0.1, failed_action = 0.0 }
"#;

/// What follows from a recipe.
pub fn resolved(text: &str) -> Resolved {
    Recipe::parse(text, "test").unwrap().resolve().unwrap()
}
