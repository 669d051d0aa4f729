//! The tokens of a model.

use std::sync::Arc;

use crate::GrammarError;

/// The tokens of a model, laid out for masks. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    /// The bytes of every token that text can hold; none for the others.
    pub(crate) tokens: Vec<Box<[u8]>>,
    pub(crate) end: u32,
    /// The tree of the tokens' bytes: a node before what is below it.
    pub(crate) tree: Vec<Branch>,
    /// The tokens that end at a node, in the order of the nodes.
    pub(crate) ends: Vec<u32>,
}

/// A byte that goes on from the branch above it.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) byte: u8,
    /// How many bytes stand above it.
    pub(crate) depth: u16,
    /// How many of the tokens in `ends` end here.
    pub(crate) ends: u16,
    /// The next branch that is not below this one.
    pub(crate) next: u32,
    /// The place in `ends` of the first token that ends here or below.
    pub(crate) first: u32,
}

impl Vocabulary {
    /// Takes the bytes of every token, in the order of their ids. No text spells a token that is `special`; `end`
    /// is the special token that may follow an action that is complete.
    ///
    /// # Errors
    /// [`GrammarError::Vocabulary`] where there is no token `end`.
    pub fn new<'a>(
        tokens: impl IntoIterator<Item = &'a [u8]>,
        special: impl Fn(u32) -> bool,
        end: u32,
    ) -> Result<Vocabulary, GrammarError> {
        let tokens: Vec<Box<[u8]>> = (0..)
            .zip(tokens)
            .map(|(id, bytes)| if special(id) { Box::default() } else { bytes.into() })
            .collect();
        if tokens.get(end as usize).is_none() {
            return Err(GrammarError::Vocabulary { tokens: tokens.len(), end });
        }
        let mut sorted: Vec<u32> =
            (0..tokens.len() as u32).filter(|id| usable(&tokens[*id as usize])).collect();
        sorted.sort_by_key(|id| &tokens[*id as usize]);
        let (tree, ends) = plant(&tokens, sorted);
        Ok(Vocabulary { inner: Arc::new(Inner { tokens, end, tree, ends }) })
    }

    /// The number of tokens.
    pub fn size(&self) -> usize {
        self.inner.tokens.len()
    }
}

/// Whether a token can be part of a text; one that is so long that no action needs it counts as special.
fn usable(bytes: &[u8]) -> bool {
    (1..=usize::from(u16::MAX)).contains(&bytes.len())
}

/// The tree of tokens that are sorted by their bytes.
fn plant(tokens: &[Box<[u8]>], sorted: Vec<u32>) -> (Vec<Branch>, Vec<u32>) {
    let mut tree: Vec<Branch> = Vec::new();
    // The branches above the present place.
    let mut path: Vec<usize> = Vec::new();
    let mut before: &[u8] = &[];
    for (place, id) in sorted.iter().enumerate() {
        let bytes: &[u8] = &tokens[*id as usize];
        let shared = before.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        let at = tree.len() as u32;
        path.drain(shared..).for_each(|branch| tree[branch].next = at);
        for (depth, byte) in bytes.iter().enumerate().skip(shared) {
            path.push(tree.len());
            tree.push(Branch { byte: *byte, depth: depth as u16, ends: 0, next: 0, first: place as u32 });
        }
        if let Some(last) = path.last() {
            tree[*last].ends += 1;
        }
        before = bytes;
    }
    let at = tree.len() as u32;
    path.into_iter().for_each(|branch| tree[branch].next = at);
    (tree, sorted)
}
