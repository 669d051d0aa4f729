//! Controls for unseen tools: the tools of a known world under invented names and with other types.
//!
//! `files_renamed` and `ledger_renamed` are the tasks of [`files`](crate::files) and [`ledger`](crate::ledger), seed by seed, but for
//! this: tools and parameters have names drawn for the task, a path is a list of its parts (`["bada", "kilo"]`; `[]` is the root) and a
//! number is a text of its digits (`"17"`), in arguments and in answers. What the tools do and how they are documented is the same,
//! so who can use `unseen` tools but not these fails at something else than at names, and who can use neither may know nothing but names.
//!
//! ```text
//! /// Moves a file to a folder.
//! vupi(lofa: [str], keno: [str]) -> [str] ! NotFound(path) | …
//! ```
//!
//! The declarations are always given in full. Errors keep their names and types. The faults are those that name no tool.

use groundwork_trace::{Call, Tool, Type, Value};

use crate::dice::Dice;
use crate::episode::assemble;
use crate::error::WorldError;
use crate::faults::{FaultKind, Faults};
use crate::files::Files;
use crate::ledger::Ledger;
use crate::names::Names;
use crate::task::Task;
use crate::world::{Kind, Outcome, World};

/// A world whose tools can be had under other names.
pub(crate) trait Renamable: Kind {
    /// The name of the world with other names.
    const RENAMED: &str;
}

impl Renamable for Files {
    const RENAMED: &str = "files_renamed";
}

impl Renamable for Ledger {
    const RENAMED: &str = "ledger_renamed";
}

/// The faults of such a world: those of the known one that name no tool and no parameter.
pub(crate) const FAULTS: &[FaultKind] = {
    use FaultKind::*;
    &[Transient, Timeout, Misspelt, Denied, Stale, Planted, Inherited]
};

/// Builds the task of the known world, with other names.
pub(crate) fn build<K: Renamable>(task: &Task) -> Result<(K::World, Faults, Disguise), WorldError> {
    if let Some(fault) = task.fault.filter(|f| !FAULTS.contains(f)) {
        return Err(WorldError::FaultNotHere {
            world: task.world.clone(),
            fault: fault.as_str().to_owned(),
            known: FAULTS.iter().map(|f| f.as_str()).collect::<Vec<_>>().join(", "),
        });
    }
    let known = Task { world: K::NAME.to_owned(), ..task.clone() };
    let mut disguise = Disguise::default();
    let (world, faults) = assemble(&known, FAULTS, |level, names, dice| {
        let world = K::generate(level, names, dice);
        let words = [task.split as u64, task.seed, u64::from(task.level)];
        disguise = Disguise::draw(world.tools(), names, &mut Dice::new(K::RENAMED, &words));
        world
    })?;
    Ok((world, faults, disguise))
}

/// Other names and types for the tools of a world, one by one.
#[derive(Debug, Default)]
pub(crate) struct Disguise {
    known: Vec<Tool>,
    shown: Vec<Tool>,
}

impl Disguise {
    fn draw(known: &[Tool], names: &mut Names, dice: &mut Dice) -> Disguise {
        let shown = known.iter().map(|tool| {
            let mut tool = tool.clone();
            tool.name = names.draw(dice).to_string();
            tool.doc = tool.doc.replace("`/`", "`[]`");
            tool.result = retype(&tool.result);
            for param in &mut tool.params {
                param.name = names.draw(dice).to_string();
                param.ty = retype(&param.ty);
            }
            tool
        });
        let mut shown: Vec<Tool> = shown.collect();
        // Every world has this one under its name.
        if let Some((i, known)) = known.iter().enumerate().find(|(_, t)| t.name == "ask") {
            shown[i] = known.clone();
        }
        Disguise { known: known.to_vec(), shown }
    }

    /// The tools as they are declared.
    pub(crate) fn tools(&self) -> &[Tool] {
        &self.shown
    }

    /// A call of the known world as it is made here.
    pub(crate) fn outward(&self, call: Call) -> Call {
        translate(call, &self.known, &self.shown, shown)
    }

    /// A call that fits the declarations as the known world understands it.
    pub(crate) fn inward(&self, call: Call) -> Call {
        // The types are those of the known tool, which the translation finds by its place.
        let types = |call: &Call| {
            let at = self.shown.iter().position(|t| t.name == call.tool);
            at.map(|i| &self.known[i].params[..]).unwrap_or_default()
        };
        let known = types(&call);
        let mut call = translate(call, &self.shown, &self.known, |_, value| value);
        for (name, value) in &mut call.args {
            let Some(param) = known.iter().find(|p| p.name == *name) else { continue };
            *value = meant(&param.ty, std::mem::replace(value, Value::Null));
        }
        call
    }

    /// What came of a call of this tool of the known world, as it is shown here.
    pub(crate) fn shown(&self, tool: &str, outcome: Outcome) -> Outcome {
        match (outcome, self.known.iter().find(|t| t.name == tool)) {
            (Outcome::Observation { value, own }, Some(tool)) => {
                Outcome::Observation { value: shown_all(&tool.result, value), own }
            }
            (outcome, _) => outcome,
        }
    }
}

/// The type that stands for another.
fn retype(ty: &Type) -> Type {
    match ty {
        Type::Path => Type::List(Box::new(Type::Str)),
        Type::Int => Type::Str,
        other => other.clone(),
    }
}

fn translate(mut call: Call, from: &[Tool], to: &[Tool], value: impl Fn(&Type, Value) -> Value) -> Call {
    let Some(at) = from.iter().position(|t| t.name == call.tool) else { return call };
    let (from, to) = (&from[at], &to[at]);
    call.tool.clone_from(&to.name);
    for (name, old) in &mut call.args {
        if let Some(place) = from.params.iter().position(|p| p.name == *name) {
            name.clone_from(&to.params[place].name);
            if from.params[place].ty != to.params[place].ty {
                *old = value(&from.params[place].ty, std::mem::replace(old, Value::Null));
            }
        }
    }
    call
}

/// A value of this type of the known world, as it is shown here.
fn shown(ty: &Type, value: Value) -> Value {
    match (ty, value) {
        (Type::Path, Value::Str(path)) => {
            Value::List(path.split('/').filter(|part| !part.is_empty()).map(Value::str).collect())
        }
        (Type::Int, Value::Number(n)) => Value::str(n.to_string()),
        (_, value) => value,
    }
}

/// The same, or what an old view shows of it.
fn shown_all(ty: &Type, value: Value) -> Value {
    match value {
        Value::Record(fields) if !matches!(ty, Type::Record(_)) => {
            Value::Record(fields.into_iter().map(|(name, value)| (name, shown(ty, value))).collect())
        }
        value => shown(ty, value),
    }
}

/// What a value means in the known world, where it has this type; what means nothing stays as it is.
fn meant(ty: &Type, value: Value) -> Value {
    match (ty, value) {
        (Type::Path, Value::List(parts)) => {
            let parts: Vec<&str> = parts.iter().filter_map(Value::as_str).collect();
            Value::str(if parts.is_empty() { "/".to_owned() } else { parts.join("/") })
        }
        (Type::Int, Value::Str(digits)) => match digits.parse::<i64>() {
            Ok(n) if n.to_string() == digits => Value::int(n),
            _ => Value::Str(digits),
        },
        (_, value) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Split;

    #[test]
    fn calls_mean_the_same_there_and_back_and_no_known_name_is_left() {
        for seed in 0..50 {
            let task = |world: &str| Task {
                world: world.to_owned(),
                split: Split::Train,
                seed,
                level: 1 + (seed % 4) as u32,
                fault: None,
            };
            let (files, _, disguise) = build::<Files>(&task("files_renamed")).expect("a valid task");
            for call in files.legal_actions() {
                let said = disguise.outward(call.clone());
                assert_eq!(disguise.inward(said.clone()), call);
                if call.tool == "ask" {
                    continue;
                }
                assert_ne!(said.tool, call.tool);
                let fits = |(name, value): &(String, Value)| {
                    let tool = disguise.tools().iter().find(|t| t.name == said.tool).expect("a tool");
                    tool.params.iter().any(|p| p.name == *name && p.ty.accepts(value).is_ok())
                };
                assert!(said.args.iter().all(fits), "{said}");
            }
            let (ledger, _, disguise) = build::<Ledger>(&task("ledger_renamed")).expect("a valid task");
            for call in ledger.legal_actions() {
                assert_eq!(disguise.inward(disguise.outward(call.clone())), call);
            }
        }
    }
}
