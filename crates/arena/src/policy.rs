//! What the arena asks of a model.

/// A model of token sequences, as the arena uses it.
///
/// The two forms agree: [`Policy::step`] gives the logits that [`Policy::logits`] gives at the same position.
pub trait Policy {
    /// What sequences side by side have left behind: a key-value cache, recurrent states.
    type State;

    /// The number of tokens that the model knows.
    fn vocabulary(&self) -> usize;

    /// The state of `rows` sequences that have not begun.
    fn start(&self, rows: usize) -> Self::State;

    /// Advances rows, each at most once and by at least one token. Returns the logits of the token after the last of each,
    /// `[advances, vocabulary]`, which depend on nothing but what that row has taken.
    fn step(&self, advances: &[(usize, &[u32])], state: &mut Self::State) -> Vec<f32>;

    /// As [`Policy::step`], with the logits after each of the tokens, in their order: `[tokens, vocabulary]`.
    fn follow(&self, advances: &[(usize, &[u32])], state: &mut Self::State) -> Vec<f32>;

    /// Forgets all that a row has taken but its first tokens, at most `len` of them, and returns how many it still knows: the
    /// next sequence of the row may begin like the last one. A model that cannot go back forgets everything.
    fn rewind(&self, state: &mut Self::State, row: usize, len: usize) -> usize;

    /// Teacher forcing. `tokens` and `documents`: `[rows, sequence]`, where document 0 is padding; returns the
    /// logits of the token after each position, `[rows, sequence, vocabulary]`.
    fn logits(&self, tokens: &[u32], documents: &[u32], rows: usize) -> Vec<f32>;
}

/// Tokens that a row is given in one step at most, of those that are known: enough to be fast, few enough to need little memory.
pub(crate) const GIVEN: usize = 256;

/// The surprisal of `token` in bits under `logits`, `[vocabulary]`: −log₂ softmax(logits)\[token\].
///
/// A token that the model cannot say, or logits that are not numbers, cost infinitely many bits.
pub(crate) fn surprisal(logits: &[f32], token: u32) -> f64 {
    let Some(&own) = logits.get(token as usize) else { return f64::INFINITY };
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if !top.is_finite() || own.is_nan() {
        return f64::INFINITY;
    }
    let sum: f64 = logits.iter().map(|&l| f64::from(l - top).exp()).sum();
    (f64::from(top - own) + sum.ln()) * std::f64::consts::LOG2_E
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surprisal_of_known_distributions() {
        for vocabulary in [2, 7, 512] {
            let bits = surprisal(&vec![3.5; vocabulary], 1);
            assert!((bits - (vocabulary as f64).log2()).abs() < 1e-12);
        }
        // Odds of 3 to 1: ¾ and ¼.
        let logits = [3f32.ln(), 0.0];
        assert!((surprisal(&logits, 1) - 2.0).abs() < 1e-6);
        assert!((surprisal(&logits, 0) - (4.0f64 / 3.0).log2()).abs() < 1e-6);
        assert_eq!(surprisal(&[0.0, f32::NEG_INFINITY], 1), f64::INFINITY);
        assert_eq!(surprisal(&[0.0], 9), f64::INFINITY);
    }
}
