//! Tools to the nodes of the machine.

use std::collections::HashMap;
use std::sync::Arc;

use groundwork_trace::{Bounds, Call, Field, Tool, Type};

use crate::GrammarError;
use crate::automaton::Automaton;
use crate::lengths::Lengths;
use crate::lexeme::Lexeme;
use crate::machine::{Fields, Machine, Node, NodeId};
use crate::{numbers, pattern};

/// How deep brackets may be nested in the language.
pub(crate) const DEEPEST: u8 = 128;

/// The items that a list without equals may have.
pub(crate) const MOST_DIFFERENT: u32 = 4096;

/// The nodes of a grammar, and the one that it begins with.
pub(crate) fn compile(tools: &[Tool]) -> Result<(Vec<Node>, NodeId), GrammarError> {
    let mut c = Compiler {
        nodes: Vec::new(),
        made: HashMap::new(),
        automata: HashMap::new(),
        types: named(tools),
        refused: None,
    };
    let mut calls = Vec::new();
    for (i, tool) in tools.iter().enumerate() {
        // Of two declarations of one name, the first counts.
        if tools[..i].iter().any(|t| t.name == tool.name) {
            continue;
        }
        let open = format!("{}(", name(&tool.name));
        calls.extend(c.fields(&open, &tool.params, None, Lengths::ANY, 1));
    }
    if let Some(error) = c.refused {
        return Err(error);
    }
    match c.one_of(calls) {
        Some(start) => Ok((c.nodes, start)),
        None => Err(GrammarError::NothingToCall { tools: tools.len() }),
    }
}

/// The types that the tools name. Of two of one name, the first counts.
pub(crate) fn named(tools: &[Tool]) -> HashMap<&str, &Type> {
    let mut types = HashMap::new();
    for declared in tools.iter().flat_map(|tool| &tool.types) {
        types.entry(declared.name.as_str()).or_insert(&declared.ty);
    }
    types
}

/// A name as it stands in a call or a record.
pub(crate) fn name(name: &str) -> String {
    let mut call = Call { tool: name.to_owned(), args: Vec::new() }.to_string();
    call.truncate(call.len() - "()".len());
    call
}

/// Why some bounds have no grammar that others of their type have.
pub(crate) fn unknown_bounds() -> String {
    "its bounds are none that such a type has, or too large to count to; ask for smaller ones".to_owned()
}

/// Why a named type has no grammar.
pub(crate) fn unknown_name() -> String {
    "no type of that name is declared; declare it beside the tools".to_owned()
}

struct Compiler<'a> {
    nodes: Vec<Node>,
    /// The nodes of types, which depend on how many brackets stand around them; nothing where there are no values.
    made: HashMap<(&'a Type, u8), Option<NodeId>>,
    /// The automata of bounded types.
    automata: HashMap<&'a Type, Option<Arc<Automaton>>>,
    types: HashMap<&'a str, &'a Type>,
    /// What is wrong with the first type that has no grammar.
    refused: Option<GrammarError>,
}

impl<'a> Compiler<'a> {
    fn node(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() as NodeId - 1
    }

    fn literal(&mut self, text: &str) -> NodeId {
        self.node(Node::Literal(text.as_bytes().into()))
    }

    fn one_of(&mut self, mut options: Vec<NodeId>) -> Option<NodeId> {
        match options.len() {
            0 => None,
            1 => options.pop(),
            _ => Some(self.node(Node::OneOf(options))),
        }
    }

    fn refuse(&mut self, ty: &Type, why: String) {
        self.refused.get_or_insert_with(|| GrammarError::Type { ty: ty.to_string(), why });
    }

    /// The values of a type inside `depth` brackets.
    fn ty(&mut self, ty: &'a Type, depth: u8) -> Option<NodeId> {
        if let Some(made) = self.made.get(&(ty, depth)) {
            return *made;
        }
        let made = match ty {
            Type::Any => Some(self.node(Node::Any { depth })),
            Type::Bool => {
                let options = vec![self.literal("true"), self.literal("false")];
                self.one_of(options)
            }
            Type::Int => Some(self.node(Node::Lexeme(Lexeme::Int))),
            Type::Float => Some(self.node(Node::Lexeme(Lexeme::Float))),
            Type::Str | Type::Path => Some(self.node(Node::Lexeme(Lexeme::Str))),
            Type::Enum(values) => {
                let options = values.iter().map(|v| self.literal(&v.to_string())).collect();
                self.one_of(options)
            }
            Type::Optional(inner) => {
                let mut options = vec![self.literal("null")];
                options.extend(self.ty(inner, depth));
                self.one_of(options)
            }
            Type::Union(types) => {
                let options = types.iter().filter_map(|t| self.ty(t, depth)).collect();
                self.one_of(options)
            }
            Type::List(_) | Type::Record(_) | Type::Open(..) if depth == DEEPEST => None,
            Type::List(item) => self.list(item, Lengths::ANY, depth),
            Type::Record(fields) => self.fields("{", fields, None, Lengths::ANY, depth + 1),
            Type::Open(fields, rest) => self.fields("{", fields, Some(rest), Lengths::ANY, depth + 1),
            // It names itself within brackets only, so that the depth comes to an end.
            Type::Named(name) => match self.types.get(name.as_str()) {
                Some(named) => self.ty(named, depth),
                None => {
                    self.refuse(ty, unknown_name());
                    None
                }
            },
            Type::Bounded(inner, bounds) => self.bounded(ty, inner, bounds, depth),
        };
        self.made.insert((ty, depth), made);
        made
    }

    /// The values of `ty`, which is `inner` with bounds.
    fn bounded(&mut self, ty: &'a Type, inner: &'a Type, bounds: &'a Bounds, depth: u8) -> Option<NodeId> {
        if bounds.is_empty() {
            return self.ty(inner, depth);
        }
        let lengths = Lengths::of(bounds);
        match (inner, lengths) {
            (Type::Int | Type::Float, _) => {
                let made = |_: &mut Self| numbers::spellings(bounds, *inner == Type::Float);
                self.automaton(ty, made).map(|a| self.node(Node::Number(a)))
            }
            (Type::Str | Type::Path, Some(lengths)) => {
                if bounds.checked_pattern().is_none() && bounds.checked_format().is_none() {
                    return lengths.exist().then(|| self.node(Node::Text(lengths)));
                }
                let made = |_: &mut Self| pattern::strings(bounds, lengths);
                self.automaton(ty, made).map(|a| self.node(Node::Checked(a)))
            }
            (Type::List(_) | Type::Open(..), Some(_)) if depth == DEEPEST => None,
            (Type::List(item), Some(lengths)) if !bounds.unique || lengths.at_most(1) => {
                self.list(item, lengths, depth)
            }
            (Type::List(item), Some(lengths)) => self.unique(ty, item, lengths, depth),
            (Type::Open(fields, rest), Some(lengths)) => {
                self.fields("{", fields, Some(rest), lengths, depth + 1)
            }
            _ => {
                self.refuse(ty, unknown_bounds());
                None
            }
        }
    }

    /// The automaton of a type, made once however many brackets stand around it.
    fn automaton(
        &mut self,
        ty: &'a Type,
        make: impl FnOnce(&mut Self) -> Result<Option<Automaton>, String>,
    ) -> Option<Arc<Automaton>> {
        if let Some(made) = self.automata.get(ty) {
            return made.clone();
        }
        let made = make(self).unwrap_or_else(|why| {
            self.refuse(ty, why);
            None
        });
        let made = made.map(Arc::new);
        self.automata.insert(ty, made.clone());
        made
    }

    /// Lists of so many items inside `depth` brackets.
    fn list(&mut self, item: &'a Type, lengths: Lengths, depth: u8) -> Option<NodeId> {
        match self.ty(item, depth + 1) {
            Some(item) => lengths.exist().then(|| self.node(Node::List(item, lengths))),
            None => lengths.allow_end(0).then(|| self.literal("[]")),
        }
    }

    /// Lists of so many items that differ.
    fn unique(&mut self, ty: &'a Type, item: &'a Type, lengths: Lengths, depth: u8) -> Option<NodeId> {
        let Some(item) = self.ty(item, depth + 1) else {
            return lengths.allow_end(0).then(|| self.literal("[]"));
        };
        if lengths.min() > MOST_DIFFERENT {
            let why = format!("no more than {MOST_DIFFERENT} items are kept apart; ask for a smaller `min`");
            self.refuse(ty, why);
            return None;
        }
        let most = u64::from(MOST_DIFFERENT.min(lengths.most()));
        let different = Machine::new(self.nodes.clone(), item).count(item, depth + 1, most);
        let lengths = lengths.up_to(different as u32);
        lengths.exist().then(|| self.node(Node::Unique(item, lengths, depth + 1)))
    }

    /// Fields behind a bracket, the innermost of `depth` ones, and others of the type `further`; nothing where one that
    /// must be given has no values.
    fn fields(
        &mut self,
        open: &str,
        fields: &'a [Field],
        further: Option<&'a Type>,
        lengths: Lengths,
        depth: u8,
    ) -> Option<NodeId> {
        let (between, close) = if open == "{" { (": ", "}") } else { ("=", ")") };
        let mut items = Vec::new();
        for (i, field) in fields.iter().enumerate() {
            // A name that is declared twice can be given once.
            if fields[..i].iter().any(|f| f.name == field.name) {
                continue;
            }
            let needed = field.is_needed();
            match self.ty(&field.ty, depth) {
                Some(value) => {
                    let key = self.literal(&format!("{}{between}", name(&field.name)));
                    items.push((key, value, needed));
                }
                None if needed => return None,
                None => {}
            }
        }
        let rest = further.and_then(|ty| self.ty(ty, depth));
        let needed = items.iter().filter(|(_, _, needed)| *needed).count();
        let enough = rest.is_some() || items.len() >= lengths.min() as usize;
        if !enough || !lengths.exist() || !lengths.allow(needed as u64) {
            return None;
        }
        let names = further.iter().flat_map(|_| fields.iter().map(|f| name(&f.name))).collect();
        let (open, close) = (self.literal(open), self.literal(close));
        Some(self.node(Node::Fields(Fields { open, items, close, rest, names, lengths, depth })))
    }
}
