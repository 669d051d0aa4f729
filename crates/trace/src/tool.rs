//! Tool declarations and their types.

use std::collections::HashMap;
use std::sync::Arc;

use crate::{Bounds, Value};

/// A type of the trace language.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// `any`
    Any,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `float`
    Float,
    /// `str`
    Str,
    /// `path`: a string that names a place
    Path,
    /// `[T]`
    List(Box<Type>),
    /// `{name: T, size: int}`
    Record(Vec<Field>),
    /// `{name: T, *: U}`: a record with these fields and any others, of type `U`; `{*: U}` is a map
    Open(Vec<Field>, Box<Type>),
    /// `"north" | "south"`: one of these literals
    Enum(Vec<Value>),
    /// `T?`: a `T` or `null`
    Optional(Box<Type>),
    /// `A | B`
    Union(Vec<Type>),
    /// `int(min=0, max=10)`: those values of an `int`, `float`, `str`, `path`, list or open record that keep the
    /// bounds
    Bounded(Box<Type>, Bounds),
    /// `Tree`: a type that is declared beside the tools
    Named(String),
}

/// A field of a record type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The field's name.
    pub name: String,
    /// What it holds, in a sentence or more; empty where nothing is said.
    pub doc: String,
    /// Its type.
    pub ty: Type,
    /// Whether it may be left out though it has no default (`name?: T`).
    pub optional: bool,
    /// Its value where it is left out.
    pub default: Option<Value>,
}

impl Field {
    /// A field that must be given.
    pub fn new(name: impl Into<String>, ty: Type) -> Self {
        Field { name: name.into(), doc: String::new(), ty, optional: false, default: None }
    }

    /// Whether a value must be given for it.
    pub fn is_needed(&self) -> bool {
        !self.optional && self.default.is_none()
    }
}

/// A parameter of a tool: the same as a record's field.
pub type Param = Field;

/// A declared error type: `NotFound` or `NotFound(path)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ErrorType {
    /// The error's name.
    pub name: String,
    /// When it is raised; empty where nothing is said.
    pub doc: String,
    /// The types of the values that it carries.
    pub args: Vec<Type>,
}

/// A type with a name: `type Tree = {value: int, children: [Tree]}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NamedType {
    /// Its name, an ASCII identifier.
    pub name: String,
    /// What it is; empty where nothing is said.
    pub doc: String,
    /// The type; it may name itself inside a list or a record.
    pub ty: Type,
}

/// A declared tool: `read(path: path, max: int = 4096) -> str ! NotFound | Denied`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it does, in a sentence or more.
    pub doc: String,
    /// Its parameters, in order.
    pub params: Vec<Param>,
    /// What it returns.
    pub result: Type,
    /// How it can fail.
    pub errors: Vec<ErrorType>,
    /// The named types that it uses, in the order of their names.
    pub types: Vec<Arc<NamedType>>,
}

impl Type {
    /// Calls `note` with the name of every named type that stands in this one, definitions not followed.
    pub(crate) fn names(&self, note: &mut impl FnMut(&str)) {
        match self {
            Type::Named(name) => note(name),
            Type::List(inner) | Type::Optional(inner) | Type::Bounded(inner, _) => inner.names(note),
            Type::Record(fields) => fields.iter().for_each(|f| f.ty.names(note)),
            Type::Open(fields, rest) => {
                fields.iter().for_each(|f| f.ty.names(note));
                rest.names(note);
            }
            Type::Union(types) => types.iter().for_each(|t| t.names(note)),
            _ => {}
        }
    }

    /// Calls `change` with every name of a type that stands in this one.
    pub(crate) fn rename(&mut self, change: &impl Fn(&mut String)) {
        match self {
            Type::Named(name) => change(name),
            Type::List(inner) | Type::Optional(inner) | Type::Bounded(inner, _) => inner.rename(change),
            Type::Record(fields) => fields.iter_mut().for_each(|f| f.ty.rename(change)),
            Type::Open(fields, rest) => {
                fields.iter_mut().for_each(|f| f.ty.rename(change));
                rest.rename(change);
            }
            Type::Union(types) => types.iter_mut().for_each(|t| t.rename(change)),
            _ => {}
        }
    }
}

impl Tool {
    /// All types that stand in the declaration, definitions not included.
    fn all_types(&self) -> impl Iterator<Item = &Type> {
        let errors = self.errors.iter().flat_map(|e| &e.args);
        self.params.iter().map(|p| &p.ty).chain([&self.result]).chain(errors)
    }

    /// Those of the named types that `ty` uses, directly or through others, in the order of their names.
    pub fn types_in(&self, ty: &Type) -> impl Iterator<Item = &NamedType> {
        let mut used: Vec<String> = Vec::new();
        ty.names(&mut |name| used.push(name.to_owned()));
        let mut followed = 0;
        while let Some(name) = used.get(followed).cloned() {
            if let Some(named) = self.types.iter().find(|t| t.name == name) {
                named.ty.names(&mut |name| {
                    if !used.iter().any(|u| u == name) {
                        used.push(name.to_owned());
                    }
                });
            }
            followed += 1;
        }
        self.types.iter().map(AsRef::as_ref).filter(move |t| used.contains(&t.name))
    }

    /// Whether all types that the declaration names are among `known`.
    pub(crate) fn names_only(&self, known: &HashMap<&str, usize>) -> bool {
        let mut all = true;
        self.all_types().for_each(|t| t.names(&mut |name| all &= known.contains_key(name)));
        all
    }

    /// Keeps those of `declared` that the tool uses, directly or through others; `by_name` are their numbers.
    pub(crate) fn use_types(&mut self, declared: &[Arc<NamedType>], by_name: &HashMap<&str, usize>) {
        let mut used = Vec::new();
        let mut seen = vec![false; declared.len()];
        let mut note = |name: &str, used: &mut Vec<usize>| {
            if let Some(&i) = by_name.get(name)
                && !std::mem::replace(&mut seen[i], true)
            {
                used.push(i);
            }
        };
        self.all_types().for_each(|t| t.names(&mut |name| note(name, &mut used)));
        let mut followed = 0;
        while let Some(&i) = used.get(followed) {
            declared[i].ty.names(&mut |name| note(name, &mut used));
            followed += 1;
        }
        self.types = used.into_iter().map(|i| Arc::clone(&declared[i])).collect();
        self.types.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// Calls `change` with every name of a named type.
    pub(crate) fn rename_types(&mut self, change: &impl Fn(&mut String)) {
        self.params.iter_mut().for_each(|p| p.ty.rename(change));
        self.result.rename(change);
        self.errors.iter_mut().flat_map(|e| &mut e.args).for_each(|t| t.rename(change));
        for named in &mut self.types {
            let named = Arc::make_mut(named);
            change(&mut named.name);
            named.ty.rename(change);
        }
    }
}

/// The number of every type, by its name; of several with one name, that of the first.
pub(crate) fn by_name(types: &[Arc<NamedType>]) -> HashMap<&str, usize> {
    types.iter().enumerate().rev().map(|(i, t)| (t.name.as_str(), i)).collect()
}

/// The types that lead back to themselves without a list or a record between, one for each such circle.
pub(crate) fn endless(types: &[Arc<NamedType>], by_name: &HashMap<&str, usize>) -> Vec<usize> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; types.len()];
    let mut found = Vec::new();
    for start in 0..types.len() {
        // A type is done when what stands above it on the stack is.
        let mut stack = vec![start];
        while let Some(&i) = stack.last() {
            if marks[i] != Mark::New {
                marks[i] = Mark::Done;
                stack.pop();
                continue;
            }
            marks[i] = Mark::Open;
            let mut to_follow = vec![&types[i].ty];
            while let Some(ty) = to_follow.pop() {
                match ty {
                    Type::Optional(inner) | Type::Bounded(inner, _) => to_follow.push(inner),
                    Type::Union(all) => to_follow.extend(all),
                    Type::Named(name) => match by_name.get(name.as_str()) {
                        Some(&next) if marks[next] == Mark::Open => found.push(next),
                        Some(&next) if marks[next] == Mark::New => stack.push(next),
                        _ => {}
                    },
                    _ => {}
                }
            }
        }
    }
    found
}

/// Whether `own` types can stand beside the `known` ones; otherwise the number that makes their names new. A type is
/// another's equal if all that it leads to is, so they are taken as they are together or not at all.
pub(crate) fn adopt(known: &[Arc<NamedType>], own: &[Arc<NamedType>]) -> Option<usize> {
    let (by, own_by) = (by_name(known), by_name(own));
    if own.iter().all(|t| by.get(t.name.as_str()).is_none_or(|&i| known[i] == *t)) {
        return None;
    }
    let taken = |name: &str| by.contains_key(name) || own_by.contains_key(name);
    (2..).find(|n| !own.iter().any(|t| taken(&format!("{}_{n}", t.name))))
}
