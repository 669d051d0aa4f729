//! Sets of texts that must not come again.

use std::collections::HashMap;

/// A set of texts as a tree of their bytes, or what stands below a place in such a tree.
pub(crate) type Given = u32;
/// The set of no texts; also what stands below a place where no text goes on.
pub(crate) const NONE: Given = 0;

/// All sets that were met. Equal ones have one number, in whatever order their texts came.
pub(crate) struct Sets {
    nodes: Vec<Node>,
    ids: HashMap<Node, Given>,
}

#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Node {
    /// Whether a text ends here.
    ends: bool,
    /// What follows by the next byte, in the order of the bytes.
    below: Vec<(u8, Given)>,
}

impl Sets {
    pub(crate) fn new() -> Sets {
        Sets { nodes: vec![Node::default()], ids: HashMap::from([(Node::default(), NONE)]) }
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// What stands below the place that `byte` leads to.
    pub(crate) fn below(&self, at: Given, byte: u8) -> Given {
        let below = &self.nodes[at as usize].below;
        below.binary_search_by_key(&byte, |(b, _)| *b).map_or(NONE, |i| below[i].1)
    }

    /// Whether a text of the set ends here.
    pub(crate) fn ends(&self, at: Given) -> bool {
        self.nodes[at as usize].ends
    }

    /// The set with a text more.
    pub(crate) fn with(&mut self, set: Given, text: &[u8]) -> Given {
        let mut path = vec![set];
        for byte in text {
            path.push(self.below(path[path.len() - 1], *byte));
        }
        let end = path.pop().unwrap_or(set);
        let mut made = self.number(Node { ends: true, ..self.nodes[end as usize].clone() });
        for (at, byte) in path.into_iter().zip(text).rev() {
            let mut node = self.nodes[at as usize].clone();
            match node.below.binary_search_by_key(byte, |(b, _)| *b) {
                Ok(i) => node.below[i].1 = made,
                Err(i) => node.below.insert(i, (*byte, made)),
            }
            made = self.number(node);
        }
        made
    }

    fn number(&mut self, node: Node) -> Given {
        let nodes = &mut self.nodes;
        *self.ids.entry(node).or_insert_with_key(|node| {
            nodes.push(node.clone());
            nodes.len() as Given - 1
        })
    }
}

/// What was written last inside `depth` brackets, up to the byte before the last: an item and the comma behind it, or the
/// name of a field and its colon.
pub(crate) fn last_inside(text: &[u8], depth: u8) -> &[u8] {
    let (mut inside, mut quoted, mut from, mut at) = (0, false, 0, 0);
    while at < text.len() {
        match text[at] {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'(' | b'[' | b'{' => {
                inside += 1;
                if inside == depth {
                    from = at + 1;
                }
            }
            b')' | b']' | b'}' => inside -= 1,
            // A space follows; behind the last comma it is still to come.
            b',' if inside == depth && at + 1 < text.len() => from = at + 2,
            _ => {}
        }
        at += 1;
    }
    &text[from..text.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_sets_have_one_number() {
        let mut sets = Sets::new();
        let a = sets.with(NONE, b"a");
        let ab = sets.with(a, b"ab");
        let other = sets.with(NONE, b"ab");
        assert_eq!(sets.with(other, b"a"), ab);
        assert_eq!(sets.with(ab, b"a"), ab);
        let at = sets.below(ab, b'a');
        assert!(sets.ends(at) && !sets.ends(ab) && sets.ends(sets.below(at, b'b')));
        assert_eq!(sets.below(at, b'c'), NONE);
        // A long text takes no deep recursion.
        let long = sets.with(ab, &[b'x'; 200_000]);
        assert_ne!(sets.below(long, b'x'), NONE);
    }

    #[test]
    fn what_was_written_last() {
        for (text, depth, last) in [
            (r#"f(a=["x","#, 2, r#""x""#),
            (r#"f(a=["x", "y","#, 2, r#""y""#),
            (r#"f(a=[[1, 2], [3],"#, 2, "[3]"),
            (r#"f(a=[[1, 2], [3,"#, 3, "3"),
            (r#""f([,"(a={b: [1], ",\"]": 2, c:"#, 2, "c"),
            (r#"f(a={":"#, 2, r#"""#),
        ] {
            assert_eq!(last_inside(text.as_bytes(), depth), last.as_bytes(), "{text}");
        }
    }
}
