//! Tools as programs declare them: Python functions with docstrings, and a TypeScript namespace. Nothing else of a trace
//! has a place there.

mod cursor;
mod docstring;
mod python_read;
mod python_write;
mod typescript_read;
mod typescript_write;

use std::collections::HashMap;
use std::sync::Arc;

pub(crate) use python_read::read as read_python;
pub(crate) use python_write::write as write_python;
pub(crate) use typescript_read::{is_namespace, read as read_typescript};
pub(crate) use typescript_write::{namespace, write as write_typescript};

use super::loss::{Loss, LossKind, Place, Read};
use super::schemas;
use crate::declare_type::is_reserved;
use crate::tool::{by_name, endless};
use crate::{NamedType, Span, SpanKind, Tool, Trace, Type, Value};

/// The tools that a trace declares in full.
fn declared(trace: &Trace) -> Option<Vec<Tool>> {
    let bodies = trace.spans.iter().filter(|s| s.kind == SpanKind::Tools);
    bodies.filter_map(|s| schemas::declared(&s.body)).next_back()
}

/// What was read: tools, the types that they name, and what was left out.
#[derive(Default)]
struct Found {
    tools: Vec<Tool>,
    types: Vec<NamedType>,
    losses: Vec<Loss>,
    /// Whether there is a place for tools, be there any or not.
    namespace: bool,
}

impl Found {
    fn lose(&mut self, place: Place, what: impl Into<String>) {
        self.losses.push(Loss { kind: LossKind::Tools, place, what: what.into() });
    }

    /// The trace that declares the tools.
    fn into_trace(self) -> Read<(Trace, Vec<Loss>)> {
        let Found { mut tools, types, losses, namespace } = self;
        if tools.is_empty() && !namespace {
            return Ok((Trace::default(), losses));
        }
        let mut types: Vec<Arc<NamedType>> = types.into_iter().map(Arc::new).collect();
        // What leads back to itself with nothing between is any value.
        for i in endless(&types, &by_name(&types)) {
            Arc::make_mut(&mut types[i]).ty = Type::Any;
        }
        let numbers = by_name(&types);
        for tool in &mut tools {
            tool.use_types(&types, &numbers);
        }
        Ok((Trace::new(vec![Span::new(SpanKind::Tools, Tool::print_all(&tools))]), losses))
    }

    /// Puts `any` where a type is named that is not declared, and makes the names of types names of the language.
    fn resolve(&mut self, place: impl Fn(&str) -> Place) {
        let mut names: HashMap<String, String> = HashMap::new();
        for (i, named) in self.types.iter().enumerate() {
            let name =
                if is_reserved(&named.name) { format!("{}_{i}", named.name) } else { named.name.clone() };
            names.entry(named.name.clone()).or_insert(name);
        }
        let mut unknown = Vec::new();
        for tool in &mut self.tools {
            let types = tool.params.iter_mut().map(|p| &mut p.ty).chain([&mut tool.result]);
            let errors = tool.errors.iter_mut().flat_map(|e| &mut e.args);
            types.chain(errors).for_each(|t| known(t, &names, &mut unknown));
        }
        for named in &mut self.types {
            named.name = names[&named.name].clone();
            known(&mut named.ty, &names, &mut unknown);
        }
        let mut seen = std::collections::HashSet::new();
        self.types.retain(|t| seen.insert(t.name.clone()));
        unknown.sort();
        unknown.dedup();
        for name in unknown {
            let place = place(&name);
            self.lose(place, format!("the type `{name}`, which is not declared here"));
        }
    }
}

/// Replaces the names of types in `ty`.
fn known(ty: &mut Type, names: &HashMap<String, String>, unknown: &mut Vec<String>) {
    match ty {
        Type::Named(name) => match names.get(name) {
            Some(new) => new.clone_into(name),
            None => {
                unknown.push(name.clone());
                *ty = Type::Any;
            }
        },
        Type::List(inner) | Type::Optional(inner) | Type::Bounded(inner, _) => known(inner, names, unknown),
        Type::Record(fields) => fields.iter_mut().for_each(|f| known(&mut f.ty, names, unknown)),
        Type::Open(fields, rest) => {
            fields.iter_mut().for_each(|f| known(&mut f.ty, names, unknown));
            known(rest, names, unknown);
        }
        Type::Union(types) => types.iter_mut().for_each(|t| known(t, names, unknown)),
        _ => {}
    }
}

/// Alternatives as one type: `null` at the end makes an optional, and where literals stand alone, those next to each other
/// are one enum.
fn union(mut types: Vec<Type>, literals: bool) -> Type {
    let null = |t: &Type| matches!(t, Type::Enum(v) if v.as_slice() == [Value::Null]);
    let optional = types.len() > 1 && types.last().is_some_and(null);
    if optional {
        types.pop();
    }
    let mut joined: Vec<Type> = Vec::new();
    for ty in types {
        match (joined.last_mut(), ty) {
            (Some(Type::Enum(before)), Type::Enum(values)) if literals => before.extend(values),
            (_, ty) => joined.push(ty),
        }
    }
    let ty = if joined.len() == 1 { joined.remove(0) } else { Type::Union(joined) };
    if optional { Type::Optional(Box::new(ty)) } else { ty }
}
