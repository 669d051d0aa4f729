//! The machine that reads an action byte by byte: all ways to read it at once, each as a stack of what is still to come.
//!
//! Stacks, sets of stacks (*states*) and steps between states are numbered and kept, so that the machine becomes an
//! automaton of the states that it has met.

use std::collections::HashMap;

use crate::compile::DEEPEST;
use crate::lexeme::{Lexeme, begins_character, text};
use crate::range::{Lengths, Spelling};

pub(crate) type NodeId = u32;

/// A part of the grammar.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Literal(Box<[u8]>),
    Lexeme(Lexeme),
    /// An integer of a range.
    Digits(Spelling),
    OneOf(Vec<NodeId>),
    /// A string of so many characters.
    Text(Lengths),
    /// `[`, so many items, `]`
    List(NodeId, Lengths),
    /// A bracket, fields in any order (each with the literal of its name, its value, and whether it must be given), and
    /// the other bracket.
    Fields {
        open: NodeId,
        items: Vec<(NodeId, NodeId, bool)>,
        close: NodeId,
    },
    /// Any value, inside that many brackets.
    Any {
        depth: u8,
    },
}

/// What is still to come, first thing first.
type StackId = u32;
/// The stack on which nothing is left.
const EMPTY: StackId = 0;

/// A set of stacks.
pub(crate) type StateId = u32;
/// The state in which no way of reading is left.
pub(crate) const DEAD: StateId = 0;
/// A step that was not tried yet.
const UNTRIED: StateId = StateId::MAX;

/// More fields than that have no bit each; they come in their order.
pub(crate) const MOST_IN_ANY_ORDER: usize = 60;

/// One thing that is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Item {
    Node(NodeId),
    /// The bytes of a literal from this one on.
    Literal(NodeId, u32),
    /// The bytes of an integer from this one on; behind the last, further digits.
    Digits(NodeId, u32),
    /// A lexeme in this state.
    Lexeme(Lexeme, u8),
    /// These bytes.
    Fixed(&'static [u8], u32),
    /// A string in this state, with so many characters as far as they matter.
    Text(NodeId, u8, u32),
    /// The rest of a list of this node, after so many items as far as they matter.
    List(NodeId, u32),
    /// The rest of the fields of this node, of which these were given (a bit each, or the number of the next where there
    /// are too many); whether one was.
    Fields(NodeId, u64, bool),
    Any(u8),
    /// The rest of a list of anything, or of the fields of a record of anything, inside that many brackets.
    AnyList(u8, bool),
    AnyFields(u8, bool),
}

pub(crate) struct Machine {
    nodes: Vec<Node>,
    stacks: Vec<(Item, StackId)>,
    stack_ids: HashMap<(Item, StackId), StackId>,
    states: Vec<State>,
    state_ids: HashMap<Vec<StackId>, StateId>,
}

struct State {
    stacks: Vec<StackId>,
    steps: Option<Box<[StateId; 256]>>,
}

impl Machine {
    /// A machine for a grammar, and the state in which it begins.
    pub(crate) fn new(nodes: Vec<Node>, start: NodeId) -> (Machine, StateId) {
        let mut machine = Machine {
            nodes,
            // The first stack has nothing on it; what stands here is never looked at.
            stacks: vec![(Item::Node(start), EMPTY)],
            stack_ids: HashMap::new(),
            states: Vec::new(),
            state_ids: HashMap::new(),
        };
        let dead = machine.state(Vec::new());
        debug_assert_eq!(dead, DEAD);
        let mut stacks = Vec::new();
        let stack = machine.push(Item::Node(start), EMPTY);
        machine.expand(stack, &mut stacks);
        let state = machine.state(stacks);
        (machine, state)
    }

    /// Whether what was read is a sentence as it stands.
    pub(crate) fn accepts(&self, state: StateId) -> bool {
        self.states[state as usize].stacks.first() == Some(&EMPTY)
    }

    /// The state after another byte.
    pub(crate) fn step(&mut self, state: StateId, byte: u8) -> StateId {
        if let Some(steps) = &self.states[state as usize].steps
            && steps[byte as usize] != UNTRIED
        {
            return steps[byte as usize];
        }
        let mut next = Vec::new();
        for i in 0..self.states[state as usize].stacks.len() {
            let stack = self.states[state as usize].stacks[i];
            self.read(stack, byte, &mut next);
        }
        let next = self.state(next);
        let steps = self.states[state as usize].steps.get_or_insert_with(|| Box::new([UNTRIED; 256]));
        steps[byte as usize] = next;
        next
    }

    fn state(&mut self, mut stacks: Vec<StackId>) -> StateId {
        stacks.sort_unstable();
        stacks.dedup();
        if let Some(id) = self.state_ids.get(&stacks) {
            return *id;
        }
        let id = self.states.len() as StateId;
        self.states.push(State { stacks: stacks.clone(), steps: None });
        self.state_ids.insert(stacks, id);
        id
    }

    fn push(&mut self, item: Item, rest: StackId) -> StackId {
        let stacks = &mut self.stacks;
        *self.stack_ids.entry((item, rest)).or_insert_with(|| {
            stacks.push((item, rest));
            stacks.len() as StackId - 1
        })
    }

    fn fixed(&mut self, bytes: &'static [u8], rest: StackId) -> StackId {
        self.push(Item::Fixed(bytes, 0), rest)
    }

    /// The stacks to which `stack`, whose first item waits for bytes, comes by `byte`.
    fn read(&mut self, stack: StackId, byte: u8, out: &mut Vec<StackId>) {
        if stack == EMPTY {
            return;
        }
        let (item, rest) = self.stacks[stack as usize];
        let (bytes, at): (&[u8], u32) = match item {
            Item::Literal(node, at) => match &self.nodes[node as usize] {
                Node::Literal(bytes) => (bytes, at),
                _ => return,
            },
            Item::Fixed(bytes, at) => (bytes, at),
            Item::Lexeme(lexeme, state) => {
                let Some(step) = lexeme.step(state, byte) else { return };
                if step.open {
                    out.push(self.push(Item::Lexeme(lexeme, step.state), rest));
                }
                if step.done {
                    self.expand(rest, out);
                }
                return;
            }
            Item::Text(node, state, count) => {
                let Node::Text(lengths) = self.nodes[node as usize] else { return };
                let Some(step) = text(state, byte) else { return };
                if step.done {
                    if lengths.allow_end(count) {
                        self.expand(rest, out);
                    }
                    return;
                }
                if begins_character(state) && !lengths.allow_more(count) {
                    return;
                }
                let ends = state != 0 && begins_character(step.state);
                let count = if ends { lengths.next(count) } else { count };
                out.push(self.push(Item::Text(node, step.state, count), rest));
                return;
            }
            Item::Digits(node, at) => {
                let Node::Digits(spelling) = &self.nodes[node as usize] else { return };
                let len = spelling.bytes.len() as u32;
                let (from, to) = spelling.bytes.get(at as usize).copied().unwrap_or((b'0', b'9'));
                let more = spelling.more;
                if !(from..=to).contains(&byte) {
                    return;
                }
                let next = (at + 1).min(len);
                if next < len || more {
                    out.push(self.push(Item::Digits(node, next), rest));
                }
                if next == len {
                    self.expand(rest, out);
                }
                return;
            }
            _ => return,
        };
        if bytes[at as usize] != byte {
            return;
        }
        let more = (at as usize) + 1 < bytes.len();
        match item {
            Item::Literal(node, at) if more => out.push(self.push(Item::Literal(node, at + 1), rest)),
            Item::Fixed(bytes, at) if more => out.push(self.push(Item::Fixed(bytes, at + 1), rest)),
            _ => self.expand(rest, out),
        }
    }

    /// The stacks that `stack` stands for, each of whose first item waits for bytes.
    fn expand(&mut self, stack: StackId, out: &mut Vec<StackId>) {
        if stack == EMPTY {
            out.push(EMPTY);
            return;
        }
        let (item, rest) = self.stacks[stack as usize];
        match item {
            Item::Literal(..) | Item::Lexeme(..) | Item::Fixed(..) | Item::Digits(..) | Item::Text(..) => {
                out.push(stack)
            }
            Item::Node(node) => self.expand_node(node, rest, out),
            Item::List(node, count) => {
                let Node::List(inner, lengths) = self.nodes[node as usize] else { return };
                if lengths.allow_end(count) {
                    out.push(self.fixed(b"]", rest));
                }
                if lengths.allow_more(count) {
                    let after = self.push(Item::List(node, lengths.next(count)), rest);
                    self.item(Item::Node(inner), after, count > 0, out);
                }
            }
            Item::Fields(node, given, begun) => self.expand_fields(node, given, begun, rest, out),
            Item::Any(depth) => {
                for word in [&b"true"[..], b"false", b"null"] {
                    out.push(self.fixed(word, rest));
                }
                for lexeme in [Lexeme::Float, Lexeme::Str] {
                    out.push(self.push(Item::Lexeme(lexeme, 0), rest));
                }
                if depth < DEEPEST {
                    let list = self.push(Item::AnyList(depth + 1, false), rest);
                    out.push(self.fixed(b"[", list));
                    let fields = self.push(Item::AnyFields(depth + 1, false), rest);
                    out.push(self.fixed(b"{", fields));
                }
            }
            Item::AnyList(depth, begun) => {
                out.push(self.fixed(b"]", rest));
                let after = self.push(Item::AnyList(depth, true), rest);
                self.item(Item::Any(depth), after, begun, out);
            }
            Item::AnyFields(depth, begun) => {
                out.push(self.fixed(b"}", rest));
                let after = self.push(Item::AnyFields(depth, true), rest);
                let value = self.push(Item::Any(depth), after);
                let colon = self.fixed(b": ", value);
                for name in [Lexeme::Name, Lexeme::Quoted] {
                    self.item(Item::Lexeme(name, 0), colon, begun, out);
                }
            }
        }
    }

    /// An item of a list: after a comma, unless it is the first.
    fn item(&mut self, item: Item, after: StackId, begun: bool, out: &mut Vec<StackId>) {
        let stack = self.push(item, after);
        if begun {
            out.push(self.fixed(b", ", stack));
        } else {
            self.expand(stack, out);
        }
    }

    fn expand_node(&mut self, node: NodeId, rest: StackId, out: &mut Vec<StackId>) {
        match &self.nodes[node as usize] {
            Node::Literal(_) => out.push(self.push(Item::Literal(node, 0), rest)),
            Node::Digits(_) => out.push(self.push(Item::Digits(node, 0), rest)),
            Node::Lexeme(lexeme) => {
                let item = Item::Lexeme(*lexeme, 0);
                out.push(self.push(item, rest));
            }
            Node::OneOf(options) => {
                for option in options.clone() {
                    self.expand_node(option, rest, out);
                }
            }
            Node::Text(_) => out.push(self.push(Item::Text(node, 0, 0), rest)),
            Node::List(..) => {
                let list = self.push(Item::List(node, 0), rest);
                out.push(self.fixed(b"[", list));
            }
            Node::Fields { open, .. } => {
                let open = *open;
                let fields = self.push(Item::Fields(node, 0, false), rest);
                out.push(self.push(Item::Literal(open, 0), fields));
            }
            Node::Any { depth } => {
                let any = self.push(Item::Any(*depth), rest);
                self.expand(any, out);
            }
        }
    }

    fn expand_fields(
        &mut self,
        node: NodeId,
        given: u64,
        begun: bool,
        rest: StackId,
        out: &mut Vec<StackId>,
    ) {
        let Node::Fields { items, close, .. } = self.nodes[node as usize].clone() else { return };
        let ordered = items.len() > MOST_IN_ANY_ORDER;
        let mut complete = true;
        for (i, (key, value, needed)) in items.into_iter().enumerate() {
            let (was_given, after) = match ordered {
                true => ((i as u64) < given, i as u64 + 1),
                false => (given >> i & 1 == 1, given | 1 << i),
            };
            if was_given {
                continue;
            }
            complete &= !needed;
            let after = self.push(Item::Fields(node, after, true), rest);
            let value = self.push(Item::Node(value), after);
            self.item(Item::Literal(key, 0), value, begun, out);
            // In their order, what follows one that must be given comes after it.
            if ordered && needed {
                break;
            }
        }
        if complete {
            out.push(self.push(Item::Literal(close, 0), rest));
        }
    }
}
