//! A code base in Python with a failing test: find the function that is wrong, and repair it.
//!
//! | level | functions | files | calls from the named function down to the wrong one |
//! |---|---|---|---|
//! | ℓ | 2 + ℓ | 1 + ⌈ℓ/3⌉, and the tests | ⌊ℓ/3⌋ |
//!
//! Goal: `test_bada fails; which function is wrong? repair it`. Functions are filled from templates and call each other across
//! files; each has a documentation that says what it should do, and a test of three calls. One line is wrong, or a case is
//! missing: a number, bound or length off by one, another operator, another variable, another function or its arguments
//! the wrong way round, a case that the documentation lists and the body lacks. The answer is the function's name. Success
//! asks for it, for all tests to pass, and for every function to do as it should also in five calls that the tests do not
//! show (any repair will do). Functions that no longer do what they did, and a changed file of tests, are collateral damage.
//!
//! Programs run in an interpreter of a part of Python, under limits that are counted, not timed. Besides edits of the
//! agent's own wording, the legal ones are: in files that were read, each line of a function with one number, operator,
//! variable or function in it changed, or with a documented case before it.
//!
//! **Held-out structure**: besides the names, *which mistake in which template* decides the split: a hash of the two belongs to
//! `Test` if it is divisible by four, otherwise to `Train`.
//!
//! **Faults**: `transient` and `gone` strike the edit (`insert` and `remove` do the same), `denied` the file with the wrong
//! function, `stale` the first read (lines are lacking), `misspelt` the function that the goal names.
//!
//! The expert runs the named test, reads the function, runs the tests of what it calls, and goes down where one fails; where
//! none does, the function itself is wrong, and it compares body and documentation. It makes two calls and a test for each
//! callee on the way, then an edit and a test. A luckier agent could go down the right way at once; none can be sure
//! without these tests.

mod expert;
mod mutation;
mod program;
mod source;
mod templates;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use groundwork_trace::{Call, Tool, ToolError, Value};

use self::program::{Drawn, TESTS, test};
use self::source::Sources;
use crate::capability::Capability;
use crate::dice::Dice;
use crate::expert::{Recorder, carried};
use crate::faults::FaultKind;
use crate::hash::Fnv;
use crate::names::{Name, Names};
use crate::world::{Kind, Outcome, Verification, World, name_arg, text};

/// How long a text may be that is put into a file, and how many lines a file may have.
const MAX_TEXT: usize = 1_000;
const MAX_LINES: usize = 400;

/// The repository world.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    drawn: Arc<Drawn>,
    sources: Sources,
    /// How the goal spells the function whose test fails.
    spelt: Name,
    /// The function that `find` does not know.
    unlisted: Option<Name>,
    /// The files that were read, as bits.
    read: u32,
    /// Hashes of what was asked and of the state in which it was.
    asked: Vec<u64>,
}

impl Hash for Repository {
    fn hash<H: Hasher>(&self, h: &mut H) {
        (&self.sources, self.spelt, self.unlisted, self.read).hash(h);
        h.write_usize(self.drawn.wrong);
    }
}

const DECLARATIONS: &str = "
/// Lists the files.
list() -> [path]
/// Lists the functions that have a test.
tested() -> [str]
/// Runs the test of a function: `passed`, or what went wrong and where.
test(of: str) -> str ! NotFound(str)
/// Finds where a function is defined.
find(function: str) -> {path: path, at: int} ! NotFound(str)
/// Finds the lines that contain a text, in all files.
search(text: str) -> [str]
/// Reads a file, with the numbers of its lines.
read(path: path) -> [str] ! NotFound(path)
/// Puts a text of one or more lines in the place of a line.
edit(path: path, at: int, text: str) -> \"ok\" ! NotFound(path) | BadPlace(int) | TooLong | Denied(str) | Busy | Gone(str, int)
/// Puts a text before a line.
insert(path: path, at: int, text: str) -> \"ok\" ! NotFound(path) | BadPlace(int) | TooLong | Denied(str)
/// Removes a line.
remove(path: path, at: int) -> \"ok\" ! NotFound(path) | BadPlace(int) | Denied(str)
/// Asks for access to a file, by its name without the ending.
ask(name: str) -> str ! NotFound(str)
";

static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| Tool::parse_all(DECLARATIONS).unwrap_or_default());

/// A file as it is read.
fn numbered(lines: &[String]) -> Value {
    let lines = lines.iter().enumerate();
    Value::List(lines.map(|(i, l)| Value::str(format!("{} {l}", i + 1).trim_end())).collect())
}

/// How the definition of a function begins.
fn definition(function: &str) -> String {
    format!("def {function}(")
}

fn path(module: &str) -> Value {
    Value::str(format!("{module}.py"))
}

impl Repository {
    /// Marks a question as asked in this state; says whether it is new.
    fn is_new(&mut self, call: &Call) -> bool {
        let mut h = Fnv::default();
        self.sources.hash(&mut h);
        (&call.tool, call.args.len()).hash(&mut h);
        call.args.iter().for_each(|(_, value)| value.hash(&mut h));
        let hash = h.finish();
        let new = !self.asked.contains(&hash);
        if new {
            self.asked.push(hash);
        }
        new
    }

    fn function(&self, name: Option<Name>) -> Option<Name> {
        self.drawn.functions.iter().map(|f| f.name).find(|n| Some(*n) == name)
    }

    fn file(&self, call: &Call) -> Result<usize, Outcome> {
        let path = text(call, "path");
        self.sources.find(path).ok_or_else(|| Outcome::refuse("NotFound", [Value::str(path)]))
    }

    /// Replaces the line of the call by `new`, with the line itself after it or not.
    fn change(&mut self, call: &Call, keep: bool, new: Option<&str>) -> Result<Outcome, Outcome> {
        let file = self.file(call)?;
        let at = call.arg("at").and_then(Value::as_i64).and_then(|n| usize::try_from(n).ok());
        let mut lines = self.sources.0[file].lines.clone();
        let place = at.and_then(|n| n.checked_sub(1)).filter(|n| *n < lines.len() + usize::from(keep));
        let Some(place) = place else { return Err(Outcome::refuse("BadPlace", call.arg("at").cloned())) };
        let new: Vec<String> = new.map_or_else(Vec::new, |t| t.split('\n').map(str::to_owned).collect());
        if lines.len() + new.len() > MAX_LINES || new.iter().map(String::len).sum::<usize>() > MAX_TEXT {
            return Err(Outcome::refuse("TooLong", []));
        }
        lines.splice(place..place + usize::from(!keep), new);
        self.sources.replace(file, lines);
        Ok(Outcome::known(Value::str("ok")))
    }

    fn perform(&mut self, call: &Call) -> Result<Outcome, Outcome> {
        let own = |world: &mut Self, value| Outcome::Observation { value, own: world.is_new(call) };
        let not_found = |arg| Outcome::refuse("NotFound", [Value::str(text(call, arg))]);
        match call.tool.as_str() {
            "list" => {
                let files = self.sources.0.iter().map(|s| path(&s.module)).collect();
                Ok(own(self, Value::List(files)))
            }
            "tested" => {
                let mut names: Vec<Name> = self.drawn.functions.iter().map(|f| f.name).collect();
                names.sort_unstable();
                let names = names.iter().map(|n| Value::str(n.as_str())).collect();
                Ok(own(self, Value::List(names)))
            }
            "test" => {
                let function = self.function(name_arg(call, "of")).ok_or_else(|| not_found("of"))?;
                let result =
                    test(&self.sources, function).map_or_else(|error| error, |_| "passed".to_owned());
                // That everything passes in the end follows from the repair.
                let known = result == "passed";
                let new = self.is_new(call);
                Ok(Outcome::Observation { value: Value::str(result), own: new && !known })
            }
            "find" => {
                let known = self.unlisted.is_none_or(|name| name.as_str() != text(call, "function"));
                let found = self.sources.definition(text(call, "function")).filter(|_| known);
                let (file, line) = found.ok_or_else(|| not_found("function"))?;
                let at = Value::int(line as i64 + 1);
                let value = Value::Record(vec![
                    ("path".to_owned(), path(&self.sources.0[file].module)),
                    ("at".to_owned(), at),
                ]);
                Ok(own(self, value))
            }
            "search" => {
                let wanted = text(call, "text");
                let mut hits = Vec::new();
                for source in &self.sources.0 {
                    let lines = source
                        .lines
                        .iter()
                        .enumerate()
                        .filter(|(_, l)| !wanted.is_empty() && l.contains(wanted));
                    hits.extend(
                        lines.map(|(i, l)| Value::str(format!("{}.py:{}: {l}", source.module, i + 1))),
                    );
                }
                hits.truncate(20);
                Ok(own(self, Value::List(hits)))
            }
            "read" => {
                let file = self.file(call)?;
                self.read |= 1 << file;
                let lines = numbered(&self.sources.0[file].lines);
                Ok(own(self, lines))
            }
            "edit" => self.change(call, false, Some(text(call, "text"))),
            "insert" => self.change(call, true, Some(text(call, "text"))),
            "remove" => self.change(call, false, None),
            _ => match self.sources.find(&format!("{}.py", text(call, "name"))) {
                Some(_) => Ok(Outcome::known(Value::str("granted"))),
                None => Err(not_found("name")),
            },
        }
    }
}

impl Kind for Repository {
    type World = Self;
    const NAME: &str = "repository";
    const HELD_OUT: Option<&str> = Some("the mistakes in templates");

    fn tools() -> Option<&'static [Tool]> {
        Some(&TOOLS)
    }

    fn capabilities() -> &'static [Capability] {
        &[Capability::ToolUse, Capability::Reasoning]
    }

    fn faults() -> &'static [FaultKind] {
        use FaultKind::*;
        &[Transient, Misspelt, NotFound, Denied, Stale, Gone, Truncated, Wrong]
    }

    fn generate(level: u32, names: &mut Names, dice: &mut Dice) -> Self {
        let drawn = program::draw(level, names, dice);
        let (sources, spelt) = (drawn.sources.clone(), drawn.functions[drawn.named].name);
        let drawn = Arc::new(drawn);
        Repository { drawn, sources, spelt, unlisted: None, read: 0, asked: Vec::new() }
    }
}

impl World for Repository {
    fn tools(&self) -> &[Tool] {
        &TOOLS
    }

    fn arm(&mut self, fault: FaultKind, names: &mut Names, dice: &mut Dice) {
        match fault {
            FaultKind::Misspelt => self.spelt = names.misspell(self.spelt, dice),
            FaultKind::NotFound => self.unlisted = Some(self.spelt),
            _ => {}
        }
    }

    fn goal(&self) -> String {
        format!("test_{} fails; which function is wrong? repair it", self.spelt)
    }

    fn step(&mut self, call: &Call) -> Outcome {
        self.perform(call).unwrap_or_else(|refusal| refusal)
    }

    fn verify(&self, answer: &str) -> Verification {
        let drawn = &*self.drawn;
        let (mut right, mut collateral) = (true, 0);
        for (f, function) in drawn.functions.iter().enumerate() {
            let gives = |sources: &Sources, (arguments, _): &(Vec<_>, String)| {
                sources.call(function.module.as_str(), function.name.as_str(), arguments)
            };
            let wrong = function.trials.iter().filter(|t| gives(&self.sources, t).as_ref() != Ok(&t.1));
            let wrong: Vec<_> = wrong.collect();
            right &= wrong.is_empty();
            // What is wrong as it was from the beginning is no damage.
            let damaged = || wrong.iter().any(|t| gives(&self.sources, t) != gives(&drawn.sources, t));
            collateral += u32::from(f != drawn.wrong && damaged());
        }
        let tests =
            |sources: &Sources| sources.find(&format!("{TESTS}.py")).map(|f| sources.0[f].lines.clone());
        collateral += u32::from(tests(&self.sources) != tests(&drawn.sources));
        let name = drawn.functions[drawn.wrong].name;
        Verification { success: right && collateral == 0 && answer == name.as_str(), collateral }
    }

    fn legal_actions(&self) -> Vec<Call> {
        let mut calls: Vec<Call> = ["list", "tested"].into_iter().map(|tool| Call::new(tool, [])).collect();
        let mut names: BTreeSet<Name> = self.drawn.functions.iter().map(|f| f.name).collect();
        // A name that the goal misspells may be tried all the same.
        names.insert(self.spelt);
        for name in &names {
            for (tool, arg) in [("test", "of"), ("find", "function"), ("search", "text")] {
                calls.push(Call::new(tool, [(arg, Value::str(name.as_str()))]));
            }
            calls.push(Call::new("search", [("text", Value::str(definition(name.as_str())))]));
        }
        for (f, source) in self.sources.0.iter().enumerate() {
            calls.push(Call::new("read", [("path", path(&source.module))]));
            if source.module == TESTS {
                continue;
            }
            calls.push(Call::new("ask", [("name", Value::str(source.module.as_str()))]));
            if self.read >> f & 1 == 0 {
                continue;
            }
            let mut edits: BTreeSet<(&str, usize, String)> = BTreeSet::new();
            for (at, repairs) in source.repairs() {
                calls.push(Call::new(
                    "remove",
                    [("path", path(&source.module)), ("at", Value::int(at as i64 + 1))],
                ));
                for repair in repairs {
                    edits.insert(("insert", at, repair.before.unwrap_or_else(|| repair.text.clone())));
                    edits.insert(("edit", at, repair.text));
                }
            }
            calls.extend(edits.into_iter().map(|(tool, at, text)| {
                let at = Value::int(at as i64 + 1);
                Call::new(tool, [("path", path(&source.module)), ("at", at), ("text", Value::str(text))])
            }));
        }
        calls
    }

    fn main_tool(&self) -> (Cow<'static, str>, u32) {
        ("edit".into(), 1)
    }

    fn stale_tool(&self) -> Cow<'static, str> {
        "read".into()
    }

    fn guarded(&self, _: &mut Dice) -> String {
        self.drawn.functions[self.drawn.wrong].module.to_string()
    }

    fn resource(&self, call: &Call) -> Option<String> {
        match call.tool.as_str() {
            "edit" | "insert" | "remove" => Some(text(call, "path").strip_suffix(".py")?.to_owned()),
            _ => None,
        }
    }

    fn outdated(&self, call: &Call) -> Option<Value> {
        let lines = &self.sources.0[self.sources.find(text(call, "path"))?].lines;
        (call.tool == "read").then(|| numbered(&lines[..lines.len() - lines.len() / 3]))
    }

    fn listing_tool(&self) -> (Cow<'static, str>, u32) {
        ("read".into(), 1)
    }

    fn deceive(&mut self, call: &Call) -> Option<Value> {
        // The goal says that it does not.
        (call.tool == "test" && text(call, "of") == self.spelt.as_str()).then(|| Value::str("passed"))
    }

    fn refresh(name: &str) -> Call {
        Call::new("read", [("path", path(name))])
    }

    fn shows(&self, fault: FaultKind, _: &Call, error: &ToolError) -> bool {
        matches!(fault, FaultKind::Misspelt | FaultKind::NotFound)
            && error.name == "NotFound"
            && carried(error) == self.spelt.as_str()
    }

    fn solve(self, expert: &mut Recorder) {
        expert::solve(self.spelt, &self.drawn.fix, expert);
    }
}
