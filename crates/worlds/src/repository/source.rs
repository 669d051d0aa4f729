//! The files of a code base, and running what is in them.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use super::mutation::{Mistake, Scope, cases, mutations};
use crate::hash::Fnv;
use crate::python::{Argument, Error, Machine, Module, Program, parse};

/// One file: its lines, and what the interpreter makes of them, once it is asked.
#[derive(Debug)]
pub(super) struct Source {
    /// Without `.py`.
    pub(super) module: String,
    pub(super) lines: Vec<String>,
    hash: u64,
    parsed: OnceLock<Result<Module, Error>>,
}

impl Source {
    pub(super) fn new(module: String, lines: Vec<String>) -> Source {
        let mut h = Fnv::default();
        (&module, &lines).hash(&mut h);
        Source { module, hash: h.finish(), lines, parsed: OnceLock::new() }
    }

    fn parsed(&self) -> Result<&Module, &Error> {
        let read = || {
            let mut text = self.lines.join("\n");
            text.push('\n');
            parse(&text)
        };
        self.parsed.get_or_init(read).as_ref()
    }

    /// What may stand in the place of each line of a function's body: whole texts, each with the lines that it would put
    /// before the line without replacing it, if it does that.
    pub(super) fn repairs(&self) -> Vec<(usize, Vec<Repair>)> {
        let mut functions: Vec<&str> = Vec::new();
        for line in &self.lines {
            if let Some((_, names)) = line.strip_prefix("from ").and_then(|l| l.split_once(" import ")) {
                functions.extend(names.split(", "));
            }
            functions.extend(line.strip_prefix("def ").and_then(|l| l.split('(').next()));
        }
        let mut out = Vec::new();
        let starts: Vec<usize> =
            (0..self.lines.len()).filter(|i| self.lines[*i].starts_with("def ")).collect();
        for (f, &start) in starts.iter().enumerate() {
            let end = starts.get(f + 1).copied().unwrap_or(self.lines.len());
            let scope = Scope { variables: variables(&self.lines[start..end]), functions: functions.clone() };
            let cases = self.lines.get(start + 1).map_or_else(Vec::new, |line| cases(line));
            for at in start + 1..end {
                let line = &self.lines[at];
                if line.trim().is_empty() || line.trim_start().starts_with('"') {
                    continue;
                }
                let mut repairs: Vec<Repair> = mutations(line, &scope)
                    .into_iter()
                    .map(|(mistake, text)| Repair { mistake, text, before: None })
                    .collect();
                if line.starts_with("    ") && !line.starts_with("     ") {
                    repairs.extend(cases.iter().map(|case| {
                        let before = case.join("\n");
                        Repair {
                            mistake: Mistake::Missing,
                            text: format!("{before}\n{line}"),
                            before: Some(before),
                        }
                    }));
                }
                out.push((at, repairs));
            }
        }
        out
    }
}

/// What may stand in the place of a line.
#[derive(Clone, Debug)]
pub(super) struct Repair {
    pub(super) mistake: Mistake,
    pub(super) text: String,
    /// What of it comes before the line, where the line itself stays.
    pub(super) before: Option<String>,
}

/// The parameters and assigned names of a function.
fn variables(lines: &[String]) -> Vec<&str> {
    let mut out: Vec<&str> = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let line = line.trim();
        if i == 0 {
            let inside = line.split_once('(').and_then(|(_, l)| l.split_once(')'));
            out.extend(inside.map_or("", |(l, _)| l).split(", ").filter(|p| !p.is_empty()));
        }
        if let Some((name, _)) =
            line.split_once(" = ").filter(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric()))
        {
            out.push(name);
        }
        if let Some((_, rest)) = line.split_once("for ") {
            out.extend(rest.split(' ').next());
        }
    }
    let mut seen: Vec<&str> = Vec::new();
    for name in out {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

/// The files of a code base, sorted by nothing but their making. A clone shares them.
#[derive(Clone, Debug)]
pub(super) struct Sources(pub(super) Vec<Arc<Source>>);

impl Hash for Sources {
    fn hash<H: Hasher>(&self, h: &mut H) {
        self.0.iter().for_each(|s| h.write_u64(s.hash));
    }
}

impl Sources {
    /// The place of the file at a path.
    pub(super) fn find(&self, path: &str) -> Option<usize> {
        let module = path.strip_suffix(".py")?;
        self.0.iter().position(|s| s.module == module)
    }

    /// Puts other lines into a file.
    pub(super) fn replace(&mut self, file: usize, lines: Vec<String>) {
        self.0[file] = Arc::new(Source::new(self.0[file].module.clone(), lines));
    }

    fn program(&self) -> Program<'_> {
        Program { modules: self.0.iter().map(|s| (s.module.as_str(), s.parsed())).collect() }
    }

    /// Calls a function in a fresh run; its value as Python prints it, or where and why it stopped.
    pub(super) fn call(
        &self,
        module: &str,
        function: &str,
        arguments: &[Argument],
    ) -> Result<String, String> {
        let program = self.program();
        Machine::new(&program)
            .call(module, function, arguments)
            .map_err(|error| format!("{}.py:{}: {}", self.0[error.module].module, error.line, error.message))
    }

    /// Where a function is defined: its file, and the line from 0.
    pub(super) fn definition(&self, function: &str) -> Option<(usize, usize)> {
        let defines =
            |line: &String| line.strip_prefix("def ").and_then(|l| l.split('(').next()) == Some(function);
        self.0.iter().enumerate().find_map(|(f, s)| Some((f, s.lines.iter().position(defines)?)))
    }
}
