//! The grammar of a set of tools as a text, for other programs.

use std::collections::HashMap;
use std::fmt::Write;

use groundwork_trace::{Bounds, Field, Tool, Type};

use crate::GrammarError;
use crate::automaton::Automaton;
use crate::compile::{name, named, unknown_bounds, unknown_name};
use crate::lengths::Lengths;
use crate::machine::MOST_IN_ANY_ORDER;
use crate::regex::{ESCAPE, PLAIN, insides, words};
use crate::{numbers, pattern};

/// How deep a value of type `any` may be nested in the text.
pub(crate) const DEEPEST_ANY: usize = 16;

/// The grammar of exactly the valid actions of `tools`, in the Lark notation of llguidance.
///
/// Its sentences are those of [`crate::ActionGrammar`], with `any` values up to 16 brackets deep.
///
/// # Errors
/// [`GrammarError::NothingToCall`] where no call is valid, [`GrammarError::Type`] for a type that has no grammar: those
/// that [`crate::ActionGrammar::new`] refuses, and those that only this notation has no words for: lists whose items must
/// differ, open records (of whose names none is given twice), patterns with word boundaries, with ends of lines or with
/// anchors anywhere but at their ends, and numbers whose regular expression would be longer than 64 KiB (many steps).
pub fn lark(tools: &[Tool]) -> Result<String, GrammarError> {
    let mut w = Writer {
        rules: String::new(),
        names: HashMap::new(),
        types: named(tools),
        refused: None,
        count: 0,
        any: false,
    };
    let calls: Vec<String> = tools
        .iter()
        .filter_map(|tool| {
            let open = format!("{}(", name(&tool.name));
            w.fields(&open, &tool.params, "=", ")")
        })
        .collect();
    if let Some(error) = w.refused {
        return Err(error);
    }
    if calls.is_empty() {
        return Err(GrammarError::NothingToCall { tools: tools.len() });
    }
    if w.any {
        w.any_rules();
    }
    let mut out = format!("start: {}\n", calls.join(" | "));
    out.push_str(&w.rules);
    let _ = write!(
        out,
        "INT: /-?(0|[1-9][0-9]*)/\n\
         FLOAT: /-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?/\n\
         STRING: /\"({PLAIN}|{ESCAPE})*\"/\n\
         NAME: /[A-Za-z_][A-Za-z0-9_]*/\n\
         QUOTED: STRING & ~/\"[A-Za-z_][A-Za-z0-9_]*\"/\n"
    );
    Ok(out)
}

/// A literal of the notation.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            // Nothing canonical holds a control character.
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

struct Writer<'a> {
    rules: String,
    /// The rules of types that have one.
    names: HashMap<Type, Option<String>>,
    types: HashMap<&'a str, &'a Type>,
    /// What is wrong with the first type that has no grammar.
    refused: Option<GrammarError>,
    count: usize,
    /// Whether a value of any type is asked for somewhere.
    any: bool,
}

impl Writer<'_> {
    fn rule(&mut self) -> String {
        self.count += 1;
        format!("r{}", self.count)
    }

    /// What stands for a value of the type; nothing where the type has no values.
    fn ty(&mut self, ty: &Type) -> Option<String> {
        match ty {
            Type::Any => {
                self.any = true;
                Some("any0".to_owned())
            }
            Type::Bool => Some("(\"true\" | \"false\")".to_owned()),
            Type::Int => Some("INT".to_owned()),
            Type::Float => Some("FLOAT".to_owned()),
            Type::Str | Type::Path => Some("STRING".to_owned()),
            Type::Enum(values) => one_of(values.iter().map(|v| literal(&v.to_string()))),
            Type::Optional(inner) => one_of(self.ty(inner).into_iter().chain(["\"null\"".to_owned()])),
            Type::Union(types) => {
                let types: Vec<String> = types.iter().filter_map(|t| self.ty(t)).collect();
                one_of(types)
            }
            Type::List(item) => self.list(item, Lengths::ANY),
            Type::Record(fields) => {
                if let Some(known) = self.names.get(ty) {
                    return known.clone();
                }
                let made = self.fields("{", fields, ": ", "}");
                self.names.insert(ty.clone(), made.clone());
                made
            }
            Type::Named(name) if self.types.contains_key(name.as_str()) => {
                if let Some(known) = self.names.get(ty) {
                    return known.clone();
                }
                // Known before it is made, since it may name itself.
                let rule = self.rule();
                self.names.insert(ty.clone(), Some(rule.clone()));
                let made = self.ty(self.types[name.as_str()])?;
                let _ = writeln!(self.rules, "{rule}: {made}");
                Some(rule)
            }
            Type::Bounded(inner, bounds) => self.bounded(ty, inner, bounds),
            Type::Named(_) => self.refuse(ty, unknown_name()),
            Type::Open(..) => self.refuse(ty, REPEATED.to_owned()),
        }
    }

    fn refuse(&mut self, ty: &Type, why: String) -> Option<String> {
        self.refused.get_or_insert_with(|| GrammarError::Type { ty: ty.to_string(), why });
        None
    }

    /// What stands for a value of `ty`, which is `inner` with bounds.
    fn bounded(&mut self, ty: &Type, inner: &Type, bounds: &Bounds) -> Option<String> {
        if bounds.is_empty() {
            return self.ty(inner);
        }
        if let Some(known) = self.names.get(ty) {
            return known.clone();
        }
        let made = match (inner, Lengths::of(bounds)) {
            (Type::Int | Type::Float, _) => number(bounds, *inner == Type::Float),
            (Type::Str | Type::Path, Some(lengths)) => string(bounds, lengths),
            (Type::List(_), Some(lengths)) if bounds.unique && !lengths.at_most(1) => Err(EQUAL.to_owned()),
            (Type::List(item), Some(lengths)) => return self.list(item, lengths),
            (Type::Open(..), _) => Err(REPEATED.to_owned()),
            _ => Err(unknown_bounds()),
        };
        let made = match made {
            Ok(expressions) => expressions?,
            Err(why) => return self.refuse(ty, why),
        };
        self.count += 1;
        let terminal = format!("T{}", self.count);
        let expressions: Vec<String> = made.iter().map(|e| format!("/{e}/")).collect();
        let _ = writeln!(self.rules, "{terminal}: {}", expressions.join(" & "));
        self.names.insert(ty.clone(), Some(terminal.clone()));
        Some(terminal)
    }

    fn list(&mut self, item: &Type, lengths: Lengths) -> Option<String> {
        match self.ty(item) {
            Some(_) if lengths.at_most(0) && lengths.exist() => Some("\"[]\"".to_owned()),
            Some(item) => lengths.exist().then(|| list_of(&item, lengths)),
            None => lengths.allow_end(0).then(|| "\"[]\"".to_owned()),
        }
    }

    /// A rule for fields between brackets; nothing where one that must be given has no values.
    fn fields(&mut self, open: &str, fields: &[Field], between: &str, close: &str) -> Option<String> {
        // Those that must be given come first, so that their bits stand side by side.
        let ordered = fields.len() > MOST_IN_ANY_ORDER;
        let mut sorted: Vec<&Field> = fields.iter().collect();
        if !ordered {
            sorted.sort_by_key(|f| !f.is_needed());
        }
        let mut items: Vec<(String, bool)> = Vec::new();
        for field in sorted {
            let needed = field.is_needed();
            match self.ty(&field.ty) {
                Some(ty) => {
                    let key = literal(&format!("{}{between}", name(&field.name)));
                    let item = self.rule();
                    let _ = writeln!(self.rules, "{item}: {key} {ty}");
                    items.push((item, needed));
                }
                None if needed => return None,
                None => {}
            }
        }
        let (open, close) = (literal(open), literal(close));
        let rule = self.rule();
        if items.is_empty() {
            let _ = writeln!(self.rules, "{rule}: {open} {close}");
        } else if ordered {
            self.in_order(&rule, &open, &items, &close);
        } else {
            self.in_any_order(&rule, &open, &items, &close);
        }
        Some(rule)
    }

    /// A state of bits, one a field, remembers which were given.
    fn in_any_order(&mut self, rule: &str, open: &str, items: &[(String, bool)], close: &str) {
        let needed = items.iter().filter(|(_, needed)| *needed).count();
        let _ = writeln!(self.rules, "{rule}: {open} {rule}_first::0x0");
        for (state, comma) in [("first", ""), ("more", "\", \" ")] {
            let complete = if needed > 0 { format!(" %if is_ones([0:{needed}])") } else { String::new() };
            let _ = write!(self.rules, "{rule}_{state}::_: {close}{complete}");
            for (bit, (item, _)) in items.iter().enumerate() {
                let _ = write!(
                    self.rules,
                    "\n  | {comma}{item} {rule}_more::set_bit({bit}) %if bit_clear({bit})"
                );
            }
            self.rules.push('\n');
        }
    }

    fn in_order(&mut self, rule: &str, open: &str, items: &[(String, bool)], close: &str) {
        let _ = writeln!(self.rules, "{rule}: {open} {rule}_first0");
        for (state, comma) in [("first", ""), ("more", "\", \" ")] {
            for (i, (item, needed)) in items.iter().enumerate() {
                let next = i + 1;
                let skip = if *needed { String::new() } else { format!(" | {rule}_{state}{next}") };
                let _ = writeln!(self.rules, "{rule}_{state}{i}: {comma}{item} {rule}_more{next}{skip}");
            }
            let _ = writeln!(self.rules, "{rule}_{state}{}: {close}", items.len());
        }
    }

    /// Values of any type; the last of the rules has no brackets.
    fn any_rules(&mut self) {
        let plain = "\"true\" | \"false\" | \"null\" | FLOAT | STRING";
        for depth in 0..DEEPEST_ANY {
            let inner = format!("any{}", depth + 1);
            let field = format!("(NAME | QUOTED) \": \" {inner}");
            let _ = writeln!(
                self.rules,
                "any{depth}: {plain} | {} | \"{{\" ({field} (\", \" {field})*)? \"}}\"",
                list_of(&inner, Lengths::ANY)
            );
        }
        let _ = writeln!(self.rules, "any{DEEPEST_ANY}: {plain}");
    }
}

const EQUAL: &str = "Lark cannot say that the items of a list differ; ask for a list with equals";
const REPEATED: &str =
    "Lark cannot say that no other name is given twice; declare all fields, or ask for a list of pairs";

/// The regular expressions that a number must keep together; nothing where none does.
fn number(bounds: &Bounds, float: bool) -> Result<Option<Vec<String>>, String> {
    if numbers::spellings(bounds, float)?.is_none() {
        return Ok(None);
    }
    let range = Bounds { step: None, ..bounds.clone() };
    let step = Bounds { step: bounds.step.clone(), ..Bounds::default() };
    let mut out = Vec::new();
    for bounds in [range, step].into_iter().filter(|b| !b.is_empty()) {
        let words = |automaton: Option<Automaton>| automaton.and_then(|a| words(&a));
        out.push(words(numbers::spellings(&bounds, float)?).ok_or(
            "the regular expression of its numbers becomes too long for Lark; ask for a rounder bound or `step`",
        )?);
    }
    Ok(Some(out))
}

/// The regular expressions that a string must keep together; nothing where none does.
fn string(bounds: &Bounds, lengths: Lengths) -> Result<Option<Vec<String>>, String> {
    let searched = pattern::searched(bounds)?;
    let exist =
        if searched.is_empty() { lengths.exist() } else { pattern::strings(bounds, lengths)?.is_some() };
    if !exist {
        return Ok(None);
    }
    let mut out = Vec::new();
    if searched.is_empty() || lengths != Lengths::ANY {
        out.push(format!("\"{}\"", lengths.times(&format!("({PLAIN}|{ESCAPE})"))));
    }
    for (hir, what) in searched {
        let inside =
            insides(&hir).map_err(|e| format!("{what} has {e}, which Lark cannot say; ask for another"))?;
        out.push(format!("\"{inside}\""));
    }
    Ok(Some(out))
}

fn list_of(item: &str, lengths: Lengths) -> String {
    let further = lengths.after_first().times(&format!("(\", \" {item})"));
    let empty = if lengths.allow_end(0) { "?" } else { "" };
    format!("(\"[\" ({item} {further}){empty} \"]\")")
}

fn one_of(options: impl IntoIterator<Item = String>) -> Option<String> {
    let options: Vec<String> = options.into_iter().collect();
    match options.len() {
        0 => None,
        1 => options.into_iter().next(),
        _ => Some(format!("({})", options.join(" | "))),
    }
}
