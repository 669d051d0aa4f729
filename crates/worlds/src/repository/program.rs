//! Code bases: functions in files that call each other, tests, and one mistake.

use std::sync::Arc;

use super::mutation::Mistake;
use super::source::{Source, Sources};
use super::templates::{Signature, TEMPLATES, Template};
use crate::dice::Dice;
use crate::hash::mix;
use crate::names::{Name, Names};
use crate::python::Argument;
use crate::task::Split;

/// The file with the tests.
pub(super) const TESTS: &str = "tests";

/// Calls of each function that the tests show, and that they do not.
const SHOWN: usize = 3;
const HIDDEN: usize = 5;

/// A function of the code base as it should be.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: Name,
    pub(super) template: usize,
    /// The functions that it calls, by their places.
    pub(super) calls: Vec<usize>,
    /// How many calls the longest chain below it has.
    reach: usize,
    /// What it is called with by way of trial, and what it gives then; the first ones stand in the tests.
    pub(super) trials: Vec<(Vec<Argument>, String)>,
    /// The module that it is in.
    pub(super) module: Name,
}

/// The one repair that puts everything right.
#[derive(Clone, Debug)]
pub(super) struct Fix {
    pub(super) path: String,
    /// The line, from 1.
    pub(super) at: usize,
    /// What it should say; with `before` the lines that are missing before it.
    pub(super) text: String,
    pub(super) before: Option<String>,
}

/// A code base with a mistake in it.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) functions: Vec<Function>,
    pub(super) sources: Sources,
    /// The function whose test the goal names, and the one that is wrong.
    pub(super) named: usize,
    pub(super) wrong: usize,
    pub(super) fix: Fix,
}

/// Draws a code base for this level: functions, then a mistake that the tests show, of a kind that belongs to the split.
pub(super) fn draw(level: u32, names: &mut Names, dice: &mut Dice) -> Drawn {
    let count = 2 + level as usize;
    let modules: Vec<Name> = (0..1 + (level as usize).div_ceil(3)).map(|_| names.draw(dice)).collect();
    let mut called: Vec<Name> = (0..count).map(|_| names.draw(dice)).collect();
    // Any of them may be misspelt in the goal.
    for name in &mut called {
        while !names.is_clear(*name) {
            *name = names.draw(dice);
        }
    }
    loop {
        if let Some(drawn) = attempt(level, &modules, &called, names.split(), dice) {
            return drawn;
        }
    }
}

fn attempt(level: u32, modules: &[Name], called: &[Name], split: Split, dice: &mut Dice) -> Option<Drawn> {
    let depth = level as usize / 3;
    let (functions, lines) = functions(modules, called, depth, dice)?;
    let sources = tested(modules, &functions, &lines);
    // Who is named: somebody with a chain of calls of the wanted length below.
    let able: Vec<usize> = (0..functions.len()).filter(|f| functions[*f].reach >= depth).collect();
    let named = *able.get(dice.below(able.len().max(1)))?;
    let mut wrong = named;
    for left in (0..depth).rev() {
        let on: Vec<usize> =
            functions[wrong].calls.iter().copied().filter(|c| functions[*c].reach >= left).collect();
        wrong = *on.get(dice.below(on.len().max(1)))?;
    }
    let (broken, fix) = mistake(&functions, &sources, named, wrong, split, dice)?;
    Some(Drawn { functions, sources: broken, named, wrong, fix })
}

/// Fills templates and tries each function at once. Later functions call earlier ones, and no module imports a later one, so
/// that there is no circle. `None` if nothing fits.
fn functions(
    modules: &[Name],
    called: &[Name],
    depth: usize,
    dice: &mut Dice,
) -> Option<(Vec<Function>, Vec<Vec<String>>)> {
    let mut functions: Vec<Function> = Vec::with_capacity(called.len());
    let mut lines = Vec::with_capacity(called.len());
    // For the trials each function is a module of its own.
    let mut apart = Sources(Vec::with_capacity(called.len()));
    for (i, &name) in called.iter().enumerate() {
        let simple = i < called.len() / 3 + 1;
        let module = modules[i * modules.len() / called.len()];
        let mut found = false;
        for _ in 0..20 {
            let Some((function, source)) = function(name, module, simple, depth, &functions, dice) else {
                continue;
            };
            let imports = function.calls.iter().map(|c| functions[*c].name);
            let mut alone: Vec<String> = imports.map(|n| format!("from {n} import {n}")).collect();
            alone.extend(source.iter().cloned());
            apart.0.push(Arc::new(Source::new(name.to_string(), alone)));
            if let Some(trials) = trials(&function, &apart, dice) {
                functions.push(Function { trials, ..function });
                lines.push(source);
                found = true;
                break;
            }
            apart.0.pop();
        }
        if !found {
            return None;
        }
    }
    Some((functions, lines))
}

/// A template filled with constants and with earlier functions to call; what it says, line by line.
fn function(
    name: Name,
    module: Name,
    simple: bool,
    depth: usize,
    earlier: &[Function],
    dice: &mut Dice,
) -> Option<(Function, Vec<String>)> {
    let able: Vec<usize> =
        (0..TEMPLATES.len()).filter(|t| TEMPLATES[*t].calls.is_empty() == simple).collect();
    let template = able[dice.below(able.len())];
    let Template { signature, calls: wanted, documentation, body } = &TEMPLATES[template];
    let mut calls: Vec<usize> = Vec::new();
    for want in *wanted {
        let fit = |f: &usize| TEMPLATES[earlier[*f].template].signature == *want;
        let able: Vec<usize> = (0..earlier.len()).filter(fit).collect();
        // Where the chain must become long, mostly what has the longest chain below.
        let longest = able.iter().copied().max_by_key(|f| earlier[*f].reach)?;
        let pick =
            if calls.is_empty() && dice.below(4) < depth { longest } else { able[dice.below(able.len())] };
        calls.push(pick);
    }
    let constants = [0, 1, 2].map(|_| dice.between(2, 9).to_string());
    let fill = |text: &str| {
        let mut text = text.to_owned();
        for (place, n) in ["{p}", "{q}", "{r}"].iter().zip(&constants) {
            text = text.replace(place, n);
        }
        for (place, call) in ["{a}", "{b}"].iter().zip(&calls) {
            text = text.replace(place, earlier[*call].name.as_str());
        }
        text
    };
    let [first, second] = signature.parameters();
    let mut source =
        vec![format!("def {name}({first}, {second}):"), format!("    \"\"\"{}\"\"\"", fill(documentation))];
    source.extend(fill(body).lines().map(|l| format!("    {l}")));
    let reach = calls.iter().map(|c| earlier[*c].reach + 1).max().unwrap_or(0);
    Some((Function { name, template, calls, reach, trials: Vec::new(), module }, source))
}

/// Calls a function several times. `None` if one call fails or gives too much, or if all give the same.
fn trials(function: &Function, apart: &Sources, dice: &mut Dice) -> Option<Vec<(Vec<Argument>, String)>> {
    let mut trials: Vec<(Vec<Argument>, String)> = Vec::with_capacity(SHOWN + HIDDEN);
    let name = function.name.as_str();
    for _ in 0..SHOWN + HIDDEN {
        let arguments = arguments(TEMPLATES[function.template].signature, dice);
        let given = apart.call(name, name, &arguments).ok().filter(|given| given.len() <= 60)?;
        trials.push((arguments, given));
    }
    trials.iter().any(|t| t.1 != trials[0].1).then_some(trials)
}

/// The files, without tests.
fn files(modules: &[Name], functions: &[Function], lines: &[Vec<String>]) -> Vec<Arc<Source>> {
    let file = |module: &Name| {
        let mut out: Vec<String> = Vec::new();
        for from in modules.iter().filter(|m| *m != module) {
            let mut imported: Vec<&str> = Vec::new();
            for function in functions.iter().filter(|f| f.module == *module) {
                for call in function.calls.iter().map(|c| &functions[*c]).filter(|c| c.module == *from) {
                    if !imported.contains(&call.name.as_str()) {
                        imported.push(call.name.as_str());
                    }
                }
            }
            if !imported.is_empty() {
                out.push(format!("from {from} import {}", imported.join(", ")));
            }
        }
        for (_, lines) in functions.iter().zip(lines).filter(|(f, _)| f.module == *module) {
            if !out.is_empty() {
                out.push(String::new());
            }
            out.extend(lines.iter().cloned());
        }
        Arc::new(Source::new(module.to_string(), out))
    };
    modules.iter().map(file).collect()
}

fn arguments(signature: Signature, dice: &mut Dice) -> Vec<Argument> {
    match signature {
        Signature::Number => vec![Argument::Int(dice.between(0, 20)), Argument::Int(dice.between(1, 6))],
        Signature::Fold | Signature::Map => {
            let items = (0..dice.between(3, 6)).map(|_| dice.between(0, 12)).collect();
            vec![Argument::List(items), Argument::Int(dice.between(1, 6))]
        }
    }
}

/// A call as Python spells it.
fn spelt(name: Name, arguments: &[Argument]) -> String {
    let argument = |a: &Argument| match a {
        Argument::Int(n) => n.to_string(),
        Argument::List(items) => format!("{items:?}"),
    };
    format!("{name}({})", arguments.iter().map(argument).collect::<Vec<_>>().join(", "))
}

/// All files, with the tests.
fn tested(modules: &[Name], functions: &[Function], lines: &[Vec<String>]) -> Sources {
    let mut sources = Sources(files(modules, functions, lines));
    let mut tests: Vec<String> = Vec::new();
    for module in modules {
        let inside: Vec<&str> =
            functions.iter().filter(|f| f.module == *module).map(|f| f.name.as_str()).collect();
        if !inside.is_empty() {
            tests.push(format!("from {module} import {}", inside.join(", ")));
        }
    }
    for function in functions {
        tests.push(String::new());
        tests.push(format!("def test_{}():", function.name));
        let shown = function.trials.iter().take(SHOWN);
        tests.extend(shown.map(|(a, given)| format!("    assert {} == {given}", spelt(function.name, a))));
    }
    sources.0.push(Arc::new(Source::new(TESTS.to_owned(), tests)));
    sources
}

/// Runs the test of a function.
pub(super) fn test(sources: &Sources, function: Name) -> Result<String, String> {
    sources.call(TESTS, &format!("test_{function}"), &[])
}

/// Puts a mistake into the function that is to be wrong, such that its test, that of the named one and those of all between
/// them fail.
fn mistake(
    functions: &[Function],
    sources: &Sources,
    named: usize,
    wrong: usize,
    split: Split,
    dice: &mut Dice,
) -> Option<(Sources, Fix)> {
    let function = &functions[wrong];
    let (file, start) = sources.definition(function.name.as_str())?;
    let source = &sources.0[file];
    let body =
        |at: &usize| *at > start && source.lines[start + 1..=*at].iter().all(|l| !l.starts_with("def "));
    let mut kinds = Mistake::ALL;
    dice.shuffle(&mut kinds);
    for kind in kinds {
        let signature = mix((function.template as u64) << 8 | kind as u64);
        if (if signature.is_multiple_of(4) { Split::Test } else { Split::Train }) != split {
            continue;
        }
        let mut able: Vec<(Vec<String>, Fix)> = Vec::new();
        let path = format!("{}.py", source.module);
        let repairs = source.repairs();
        for (at, repairs) in repairs.iter().filter(|(at, _)| body(at)) {
            // A mistake makes no circle of calls.
            let later = |text: &str| functions[wrong..].iter().any(|f| text.contains(f.name.as_str()));
            for repair in repairs.iter().filter(|r| r.mistake == kind && !later(&r.text)) {
                if kind == Mistake::Missing {
                    continue;
                }
                let mut lines = source.lines.clone();
                lines[*at] = repair.text.clone();
                let fix =
                    Fix { path: path.clone(), at: at + 1, text: source.lines[*at].clone(), before: None };
                able.push((lines, fix));
            }
            // A case is missing where the documentation lists it and the body has it.
            if kind == Mistake::Missing {
                for before in repairs.iter().filter_map(|r| r.before.as_ref()) {
                    let case: Vec<&str> = before.split('\n').collect();
                    let here = source.lines[*at..].iter().zip(&case).all(|(l, c)| l == c);
                    let Some(next) = source.lines.get(at + case.len()).filter(|_| here) else { continue };
                    let mut lines = source.lines.clone();
                    lines.drain(*at..at + case.len());
                    let text = format!("{before}\n{next}");
                    let fix = Fix { path: path.clone(), at: at + 1, text, before: Some(before.clone()) };
                    able.push((lines, fix));
                }
            }
        }
        dice.shuffle(&mut able);
        for (lines, fix) in able.into_iter().take(6) {
            let mut broken = sources.clone();
            broken.replace(file, lines);
            if shown(functions, &broken, named, wrong) {
                return Some((broken, fix));
            }
        }
    }
    None
}

/// Whether the tests of all functions from the named one down to the wrong one fail.
fn shown(functions: &[Function], broken: &Sources, named: usize, wrong: usize) -> bool {
    // Earlier functions first: who leads to the wrong one?
    let mut leads = vec![false; functions.len()];
    leads[wrong] = true;
    for f in wrong + 1..functions.len() {
        leads[f] = functions[f].calls.iter().any(|c| leads[*c]);
    }
    let mut reached = vec![false; functions.len()];
    reached[named] = true;
    for f in (0..=named).rev() {
        if reached[f] {
            for &call in &functions[f].calls {
                reached[call] = true;
            }
        }
    }
    (0..functions.len())
        .filter(|f| leads[*f] && reached[*f])
        .all(|f| test(broken, functions[f].name).is_err())
}
