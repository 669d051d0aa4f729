//! Tools to the nodes of the machine.

use std::collections::HashMap;

use groundwork_trace::{Field, Tool, Type};

use crate::GrammarError;
use crate::lark::name;
use crate::lexeme::Lexeme;
use crate::machine::{Node, NodeId};
use crate::range::{Lengths, spellings};

/// How deep brackets may be nested in the language.
pub(crate) const DEEPEST: u8 = 128;

/// The nodes of a grammar, and the one that it begins with.
pub(crate) fn compile(tools: &[Tool]) -> Result<(Vec<Node>, NodeId), GrammarError> {
    let mut c = Compiler { nodes: Vec::new(), made: HashMap::new(), types: named(tools), refused: None };
    let mut calls = Vec::new();
    for (i, tool) in tools.iter().enumerate() {
        // Of two declarations of one name, the first counts.
        if tools[..i].iter().any(|t| t.name == tool.name) {
            continue;
        }
        let open = format!("{}(", name(&tool.name));
        calls.extend(c.fields(&open, &tool.params, "=", ")", 1));
    }
    if let Some(ty) = c.refused {
        return Err(GrammarError::Type { ty });
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

struct Compiler<'a> {
    nodes: Vec<Node>,
    /// The nodes of types, which depend on how many brackets stand around them; nothing where there are no values.
    made: HashMap<(&'a Type, u8), Option<NodeId>>,
    types: HashMap<&'a str, &'a Type>,
    /// A type whose values no grammar can be held to.
    refused: Option<String>,
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
            Type::List(_) | Type::Record(_) if depth == DEEPEST => None,
            Type::List(item) => self.list(item, Lengths::ANY, depth),
            Type::Record(fields) => self.fields("{", fields, ": ", "}", depth + 1),
            // It names itself within brackets only, so that the depth comes to an end.
            Type::Named(name) if self.types.contains_key(name.as_str()) => {
                self.ty(self.types[name.as_str()], depth)
            }
            Type::Bounded(inner, bounds) => match (&**inner, Lengths::of(bounds)) {
                (Type::Int, _) if let Some(all) = spellings(bounds) => {
                    let options = all.into_iter().map(|s| self.node(Node::Digits(s))).collect();
                    self.one_of(options)
                }
                (Type::List(item), Some(lengths)) if !bounds.unique || lengths.at_most(1) => {
                    if depth == DEEPEST { None } else { self.list(item, lengths, depth) }
                }
                (Type::Str | Type::Path, Some(lengths)) if !bounds.checks_text() => {
                    lengths.exist().then(|| self.node(Node::Text(lengths)))
                }
                _ => {
                    self.refused.get_or_insert_with(|| ty.to_string());
                    None
                }
            },
            Type::Named(_) | Type::Open(..) => {
                self.refused.get_or_insert_with(|| ty.to_string());
                None
            }
        };
        self.made.insert((ty, depth), made);
        made
    }

    /// Lists of so many items inside `depth` brackets.
    fn list(&mut self, item: &'a Type, lengths: Lengths, depth: u8) -> Option<NodeId> {
        match self.ty(item, depth + 1) {
            Some(item) => lengths.exist().then(|| self.node(Node::List(item, lengths))),
            None => lengths.allow_end(0).then(|| self.literal("[]")),
        }
    }

    /// Fields between brackets; nothing where one that must be given has no values.
    fn fields(
        &mut self,
        open: &str,
        fields: &'a [Field],
        between: &str,
        close: &str,
        depth: u8,
    ) -> Option<NodeId> {
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
        let (open, close) = (self.literal(open), self.literal(close));
        Some(self.node(Node::Fields { open, items, close }))
    }
}
