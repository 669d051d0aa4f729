//! The machine that reads an action byte by byte: all ways to read it at once, each as a stack of what is still to come.
//!
//! Stacks, sets of stacks (*states*) and steps between states are numbered and kept, so that the machine becomes an
//! automaton of the states that it has met. What must not come again (an item of a list whose items differ, the name of a
//! field) is part of a state; what is being written is not: it is looked up in the text when it is complete, and such a
//! step is not kept.

use std::collections::HashMap;
use std::sync::Arc;

use crate::automaton::{At, Automaton};
use crate::compile::DEEPEST;
use crate::given::{Given, NONE, Sets, last_inside};
use crate::lengths::Lengths;
use crate::lexeme::{INSIDE, Lexeme, begins_character, escapes, text};

pub(crate) type NodeId = u32;

/// A part of the grammar.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Literal(Box<[u8]>),
    Lexeme(Lexeme),
    /// A number that an automaton spells.
    Number(Arc<Automaton>),
    OneOf(Vec<NodeId>),
    /// A string of so many characters.
    Text(Lengths),
    /// A string whose UTF-8 an automaton accepts.
    Checked(Arc<Automaton>),
    /// `[`, so many items, `]`
    List(NodeId, Lengths),
    /// The same with items that differ, inside that many brackets; there are as many of them as the list may have.
    Unique(NodeId, Lengths, u8),
    Fields(Fields),
    /// Any value, inside that many brackets.
    Any {
        depth: u8,
    },
}

/// A bracket, fields in any order, and the other bracket.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub(crate) open: NodeId,
    /// The literal of each name, the value, and whether it must be given.
    pub(crate) items: Vec<(NodeId, NodeId, bool)>,
    pub(crate) close: NodeId,
    /// The values of further fields, where there may be some.
    pub(crate) rest: Option<NodeId>,
    /// The names that further fields do not have.
    pub(crate) names: Vec<String>,
    /// How many fields there may be.
    pub(crate) lengths: Lengths,
    /// How many brackets stand around the names.
    pub(crate) depth: u8,
}

/// What is still to come, first thing first.
type StackId = u32;
/// The stack on which nothing is left.
const EMPTY: StackId = 0;

/// A set of stacks.
pub(crate) type StateId = u32;
/// The state in which no way of reading is left.
pub(crate) const DEAD: StateId = 0;
/// The state in which nothing is read.
pub(crate) const START: StateId = 1;
/// A step that was not tried yet.
const UNTRIED: StateId = StateId::MAX;

/// More fields than that have no bit each; they come in their order.
pub(crate) const MOST_IN_ANY_ORDER: usize = 60;
/// What a machine keeps before it begins anew.
const MOST_KEPT: usize = 1 << 17;

/// One thing that is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Item {
    Node(NodeId),
    /// The bytes of a literal from this one on.
    Literal(NodeId, u32),
    /// The rest of a number.
    Number(NodeId, At),
    /// A lexeme in this state.
    Lexeme(Lexeme, u8),
    /// These bytes.
    Fixed(&'static [u8], u32),
    /// A string in this state, with so many characters as far as they matter.
    Text(NodeId, u8, u32),
    /// A string in this state, which has led the automaton to that one.
    Checked(NodeId, u8, At),
    /// The same behind a backslash and these bytes.
    Escape(NodeId, [u8; 4], At),
    /// The rest of a list of this node, after so many items as far as they matter.
    List(NodeId, u32),
    /// A list without equals from its first item on.
    UniqueFirst(NodeId),
    Unique(NodeId, Unique),
    /// What follows an item of a list without equals, before a comma and behind it.
    UniqueAfter(NodeId, Given, u32),
    UniqueNext(NodeId, Given, u32),
    /// The rest of the fields of this node.
    Fields(NodeId, Done),
    /// The name of a further field, in the state of a lexeme, and the names given that begin so.
    NewName(NodeId, Done, Lexeme, u8, Given),
    /// The value of a further field.
    NewValue(NodeId, Done),
    Any(u8),
    /// The rest of a list of anything, or of the fields of a record of anything, inside that many brackets.
    AnyList(u8, bool),
    AnyFields(u8, bool),
}

/// An item of a list without equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Unique {
    /// The state that reads it.
    state: StateId,
    /// The items before it.
    given: Given,
    /// Those of them that begin as this one does.
    alike: Given,
    count: u32,
}

/// The fields that were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Done {
    /// The declared ones: a bit each, or the number of the next where there are too many.
    declared: u64,
    /// The names of the others, and those that they must not have.
    names: Given,
    /// How many, as far as it matters.
    count: u32,
}

pub(crate) struct Machine {
    nodes: Vec<Node>,
    start: NodeId,
    stacks: Vec<(Item, StackId)>,
    stack_ids: HashMap<(Item, StackId), StackId>,
    states: Vec<State>,
    state_ids: HashMap<Vec<StackId>, StateId>,
    sets: Sets,
    /// What was read, as far as the caller says so.
    pub(crate) text: Vec<u8>,
    /// Whether a step has looked into the text.
    pub(crate) looked: bool,
    /// How often it has begun anew.
    pub(crate) generation: u32,
    /// How much it keeps at most.
    pub(crate) most: usize,
}

struct State {
    stacks: Vec<StackId>,
    steps: Option<Box<[StateId; 256]>>,
}

impl Machine {
    /// A machine for a grammar.
    pub(crate) fn new(nodes: Vec<Node>, start: NodeId) -> Machine {
        let mut machine = Machine {
            nodes,
            start,
            stacks: Vec::new(),
            stack_ids: HashMap::new(),
            states: Vec::new(),
            state_ids: HashMap::new(),
            sets: Sets::new(),
            text: Vec::new(),
            looked: false,
            generation: 0,
            most: MOST_KEPT,
        };
        machine.begin();
        machine
    }

    fn begin(&mut self) {
        // The first stack has nothing on it; what stands here is never looked at.
        self.stacks.push((Item::Node(self.start), EMPTY));
        let dead = self.state(Vec::new());
        let start = self.beginning(self.start);
        debug_assert_eq!((dead, start), (DEAD, START));
    }

    /// Forgets all states but the first two where it keeps too many. Texts that are not to come again make states
    /// without end; whoever holds a state of an earlier generation reads its text again.
    pub(crate) fn forget(&mut self) -> bool {
        let full = self.size() > self.most;
        if full {
            self.stacks.clear();
            self.stack_ids.clear();
            self.states.clear();
            self.state_ids.clear();
            self.sets = Sets::new();
            self.generation += 1;
            self.begin();
        }
        full
    }

    /// How many states and parts of them it keeps.
    pub(crate) fn size(&self) -> usize {
        self.states.len() + self.stacks.len() + self.sets.len()
    }

    /// Whether what was read is a sentence as it stands.
    pub(crate) fn accepts(&self, state: StateId) -> bool {
        self.states[state as usize].stacks.first() == Some(&EMPTY)
    }

    /// The state after another byte; `text` is what was read before it.
    pub(crate) fn step(&mut self, state: StateId, byte: u8) -> StateId {
        if let Some(steps) = &self.states[state as usize].steps
            && steps[byte as usize] != UNTRIED
        {
            return steps[byte as usize];
        }
        let looked = std::mem::replace(&mut self.looked, false);
        let mut next = Vec::new();
        for i in 0..self.states[state as usize].stacks.len() {
            let stack = self.states[state as usize].stacks[i];
            self.read(stack, byte, &mut next);
        }
        let next = self.state(next);
        if !self.looked {
            let steps = self.states[state as usize].steps.get_or_insert_with(|| Box::new([UNTRIED; 256]));
            steps[byte as usize] = next;
        }
        self.looked |= looked;
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

    /// The state before a node, behind which nothing is to come.
    fn beginning(&mut self, node: NodeId) -> StateId {
        let mut stacks = Vec::new();
        self.expand_node(node, EMPTY, &mut stacks);
        self.state(stacks)
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
            Item::Number(node, at) => {
                let Node::Number(automaton) = &self.nodes[node as usize] else { return };
                let Some(to) = automaton.step(at, byte) else { return };
                let ends = automaton.ends(to);
                if automaton.goes_on(to) {
                    out.push(self.push(Item::Number(node, to), rest));
                }
                if ends {
                    self.expand(rest, out);
                }
                return;
            }
            Item::Checked(node, state, at) => return self.checked(node, state, at, byte, rest, out),
            Item::Escape(node, written, at) => {
                let len = written.iter().take_while(|b| **b > 0).count();
                return self.escape(node, written, len, at, byte, rest, out);
            }
            Item::Unique(node, unique) => return self.unique(node, unique, byte, rest, out),
            Item::NewName(node, done, lexeme, state, alike) => {
                let Some(step) = lexeme.step(state, byte) else { return };
                let alike = self.sets.below(alike, byte);
                // Every name can be made longer into one that was not given.
                if step.open {
                    out.push(self.push(Item::NewName(node, done, lexeme, step.state, alike), rest));
                }
                if step.done && !self.sets.ends(alike) {
                    let value = self.push(Item::NewValue(node, done), rest);
                    out.push(self.fixed(b": ", value));
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

    /// A byte of a string that an automaton checks.
    fn checked(&mut self, node: NodeId, state: u8, at: At, byte: u8, rest: StackId, out: &mut Vec<StackId>) {
        let Node::Checked(automaton) = &self.nodes[node as usize] else { return };
        let Some(step) = text(state, byte) else { return };
        if step.done {
            if automaton.ends(at) {
                self.expand(rest, out);
            }
            return;
        }
        if begins_character(state) && byte == b'\\' {
            let item = Item::Escape(node, [0; 4], at);
            if escapes().iter().any(|e| automaton.steps(at, &e.utf8).is_some()) {
                out.push(self.push(item, rest));
            }
            return;
        }
        // The opening quote is no part of the text.
        let to = if state == 0 { Some(at) } else { automaton.step(at, byte) };
        let Some(to) = to else { return };
        // Where only one more byte makes a character, it may be one that must be escaped.
        let goes_on = begins_character(step.state)
            || (0x80..=0xbf)
                .any(|next| text(step.state, next).is_some() && automaton.step(to, next).is_some());
        if goes_on {
            out.push(self.push(Item::Checked(node, step.state, to), rest));
        }
    }

    /// A byte behind a backslash and `len` bytes that were `written`.
    #[expect(clippy::too_many_arguments, reason = "where the text is, and what comes after it")]
    fn escape(
        &mut self,
        node: NodeId,
        mut written: [u8; 4],
        len: usize,
        at: At,
        byte: u8,
        rest: StackId,
        out: &mut Vec<StackId>,
    ) {
        let Node::Checked(automaton) = &self.nodes[node as usize] else { return };
        let begun = |spelt: &[u8]| spelt.len() > len && spelt[..len] == written[..len] && spelt[len] == byte;
        let mut begun = escapes().iter().filter(|e| begun(&e.spelt));
        let alive = begun.find_map(|e| Some((e.spelt.len(), automaton.steps(at, &e.utf8)?)));
        let Some((spelt, to)) = alive else { return };
        let item = if spelt == len + 1 {
            Item::Checked(node, INSIDE, to)
        } else {
            written[len] = byte;
            Item::Escape(node, written, at)
        };
        out.push(self.push(item, rest));
    }

    /// A byte of an item of a list without equals.
    fn unique(&mut self, node: NodeId, unique: Unique, byte: u8, rest: StackId, out: &mut Vec<StackId>) {
        let Node::Unique(_, lengths, _) = self.nodes[node as usize] else { return };
        let state = self.step(unique.state, byte);
        let alike = self.sets.below(unique.alike, byte);
        self.text.push(byte);
        if state != DEAD && self.goes_on(state, alike) {
            out.push(self.push(Item::Unique(node, Unique { state, alike, ..unique }), rest));
        }
        self.text.pop();
        if self.accepts(state) && !self.sets.ends(alike) {
            let after = Item::UniqueAfter(node, unique.given, lengths.next(unique.count));
            let after = self.push(after, rest);
            self.expand(after, out);
        }
    }

    /// Whether more bytes lead from `state` to an end other than those of `alike`.
    fn goes_on(&mut self, state: StateId, alike: Given) -> bool {
        if alike == NONE {
            return self.states[state as usize].stacks.iter().any(|stack| *stack != EMPTY);
        }
        (0..=255).any(|byte| {
            let to = self.step(state, byte);
            if to == DEAD {
                return false;
            }
            let alike = self.sets.below(alike, byte);
            self.text.push(byte);
            let ends = (self.accepts(to) && !self.sets.ends(alike)) || self.goes_on(to, alike);
            self.text.pop();
            ends
        })
    }

    /// How many sentences there are from `node` on, inside `depth` brackets; `most` where there are as many or more.
    pub(crate) fn count(&mut self, node: NodeId, depth: u8, most: u64) -> u64 {
        // Texts with one state have the same ends, unless a list or a record in them still looks into the text.
        let looks = self.nodes.iter().any(|n| match n {
            Node::Unique(..) => true,
            Node::Fields(fields) => fields.rest.is_some(),
            _ => false,
        });
        let start = self.beginning(node);
        let mut open = vec![(start, vec![b'['; usize::from(depth)], 1u64)];
        let mut ended = 0u64;
        while !open.is_empty() {
            let mut next: HashMap<(StateId, Vec<u8>), u64> = HashMap::new();
            for (state, text, ways) in open {
                self.text = text;
                for byte in 0..=255 {
                    let to = self.step(state, byte);
                    ended += if self.accepts(to) { ways } else { 0 };
                    if self.states[to as usize].stacks.iter().any(|stack| *stack != EMPTY) {
                        let text = if looks { [&self.text[..], &[byte]].concat() } else { Vec::new() };
                        *next.entry((to, text)).or_insert(0) += ways;
                    }
                }
            }
            if ended + next.values().sum::<u64>() >= most {
                return most;
            }
            open = next.into_iter().map(|((state, text), ways)| (state, text, ways)).collect();
        }
        ended
    }

    /// The set with what was just written inside `depth` brackets.
    fn and_last(&mut self, set: Given, depth: u8) -> Given {
        self.looked = true;
        self.sets.with(set, last_inside(&self.text, depth))
    }

    /// The stacks that `stack` stands for, each of whose first item waits for bytes.
    fn expand(&mut self, stack: StackId, out: &mut Vec<StackId>) {
        if stack == EMPTY {
            out.push(EMPTY);
            return;
        }
        let (item, rest) = self.stacks[stack as usize];
        match item {
            Item::Literal(..)
            | Item::Lexeme(..)
            | Item::Fixed(..)
            | Item::Number(..)
            | Item::Text(..)
            | Item::Checked(..)
            | Item::Escape(..)
            | Item::Unique(..)
            | Item::NewName(..) => out.push(stack),
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
            Item::UniqueFirst(node) => {
                let Node::Unique(_, lengths, _) = self.nodes[node as usize] else { return };
                if lengths.allow_end(0) {
                    out.push(self.fixed(b"]", rest));
                }
                if lengths.allow_more(0) {
                    self.begin_unique(node, NONE, 0, rest, out);
                }
            }
            Item::UniqueAfter(node, given, count) => {
                let Node::Unique(_, lengths, _) = self.nodes[node as usize] else { return };
                if lengths.allow_end(count) {
                    out.push(self.fixed(b"]", rest));
                }
                if lengths.allow_more(count) {
                    let next = self.push(Item::UniqueNext(node, given, count), rest);
                    out.push(self.fixed(b", ", next));
                }
            }
            Item::UniqueNext(node, given, count) => {
                let Node::Unique(_, _, depth) = self.nodes[node as usize] else { return };
                let given = self.and_last(given, depth);
                self.begin_unique(node, given, count, rest, out);
            }
            Item::Fields(node, done) => self.expand_fields(node, done, rest, out),
            Item::NewValue(node, done) => {
                let Node::Fields(Fields { rest: Some(value), depth, lengths, .. }) =
                    self.nodes[node as usize]
                else {
                    return;
                };
                let names = self.and_last(done.names, depth);
                let done = Done { names, count: lengths.next(done.count), ..done };
                let after = self.push(Item::Fields(node, done), rest);
                self.expand_node(value, after, out);
            }
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

    /// An item that differs from those that were given, of which there are fewer than the list may have.
    fn begin_unique(
        &mut self,
        node: NodeId,
        given: Given,
        count: u32,
        rest: StackId,
        out: &mut Vec<StackId>,
    ) {
        let Node::Unique(inner, ..) = self.nodes[node as usize] else { return };
        let unique = Unique { state: self.beginning(inner), given, alike: given, count };
        out.push(self.push(Item::Unique(node, unique), rest));
    }

    fn expand_node(&mut self, node: NodeId, rest: StackId, out: &mut Vec<StackId>) {
        match &self.nodes[node as usize] {
            Node::Literal(_) => out.push(self.push(Item::Literal(node, 0), rest)),
            Node::Number(automaton) => {
                let item = Item::Number(node, automaton.start);
                out.push(self.push(item, rest));
            }
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
            Node::Checked(automaton) => {
                let item = Item::Checked(node, 0, automaton.start);
                out.push(self.push(item, rest));
            }
            Node::List(..) => {
                let list = self.push(Item::List(node, 0), rest);
                out.push(self.fixed(b"[", list));
            }
            Node::Unique(..) => {
                let list = self.push(Item::UniqueFirst(node), rest);
                out.push(self.fixed(b"[", list));
            }
            Node::Fields(fields) => {
                let (open, names) = (fields.open, fields.names.clone());
                let names = names.iter().fold(NONE, |set, name| self.sets.with(set, name.as_bytes()));
                let fields = Item::Fields(node, Done { declared: 0, names, count: 0 });
                let fields = self.push(fields, rest);
                out.push(self.push(Item::Literal(open, 0), fields));
            }
            Node::Any { depth } => {
                let any = self.push(Item::Any(*depth), rest);
                self.expand(any, out);
            }
        }
    }

    fn expand_fields(&mut self, node: NodeId, done: Done, rest: StackId, out: &mut Vec<StackId>) {
        let Node::Fields(fields) = &self.nodes[node as usize] else { return };
        let (items, close, further, lengths) =
            (fields.items.clone(), fields.close, fields.rest, fields.lengths);
        let ordered = items.len() > MOST_IN_ANY_ORDER;
        let given = |i: usize| match ordered {
            true => (i as u64) < done.declared,
            false => done.declared >> i & 1 == 1,
        };
        let missing = (0..items.len()).filter(|i| items[*i].2 && !given(*i)).count() as u32;
        let begun = done.count > 0;
        let count = lengths.next(done.count);
        for (i, (key, value, needed)) in items.iter().copied().enumerate().filter(|(i, _)| !given(*i)) {
            let declared = if ordered { i as u64 + 1 } else { done.declared | 1 << i };
            // Those that must be given still find a place, and no more are passed over than may be left out.
            let fit = lengths.allow(u64::from(done.count) + 1 + u64::from(missing - u32::from(needed)));
            let enough =
                !ordered || further.is_some() || count as usize + items.len() > lengths.min() as usize + i;
            if fit && enough {
                let after = self.push(Item::Fields(node, Done { declared, count, ..done }), rest);
                let value = self.push(Item::Node(value), after);
                self.item(Item::Literal(key, 0), value, begun, out);
            }
            // In their order, what follows one that must be given comes after it.
            if ordered && needed {
                break;
            }
        }
        if further.is_some() && lengths.allow(u64::from(done.count) + 1 + u64::from(missing)) {
            for name in [Lexeme::Name, Lexeme::Quoted] {
                self.item(Item::NewName(node, done, name, 0, done.names), rest, begun, out);
            }
        }
        if missing == 0 && lengths.allow_end(done.count) {
            out.push(self.push(Item::Literal(close, 0), rest));
        }
    }
}
