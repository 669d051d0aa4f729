//! Running modules.

mod builtins;
mod operators;

use std::sync::Arc;

use super::Error;
use super::ast::{Comparison, Expression, Function, Kind, Module, Operator, Statement, Text};

/// Steps that a run may take; what makes or copies values costs more.
const FUEL: u32 = 20_000;
/// Calls that may be open at once.
const MAX_CALLS: usize = 60;
/// Blocks and expressions that may be open at once, so that no program exhausts the stack.
const MAX_DEPTH: usize = 500;
/// Items of a list, or bytes of a string.
const MAX_LENGTH: usize = 10_000;

/// A value. Lists live in the machine.
#[derive(Clone, Debug)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Text(Text),
    List(usize),
    /// From, to, by.
    Range(i64, i64, i64),
    /// A function and the module whose names it sees.
    Function(usize, Arc<Function>),
    Builtin(&'static str),
}

/// Why a statement or expression came to nothing: what Python would say.
pub(super) type Raised = String;

/// How a block ended.
enum Flow {
    Next,
    Break,
    Continue,
    Return(Value),
}

/// Modules by name, in a fixed order.
pub(crate) struct Program<'a> {
    /// Each module's name and its source, or why it cannot be read.
    pub(crate) modules: Vec<(&'a str, Result<&'a Module, &'a Error>)>,
}

/// An argument of a call from outside.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Argument {
    /// A whole number.
    Int(i64),
    /// A list of whole numbers.
    List(Vec<i64>),
}

/// One run of a program.
pub(crate) struct Machine<'a> {
    program: &'a Program<'a>,
    lists: Vec<Vec<Value>>,
    /// The names of each module; `None` before it is imported.
    globals: Vec<Option<Vec<(Text, Value)>>>,
    fuel: u32,
    calls: usize,
    depth: usize,
    /// Where the run is.
    module: usize,
    line: u32,
}

/// The names of a call.
type Locals<'f> = Option<(&'f Function, Vec<(Text, Value)>)>;

impl<'a> Machine<'a> {
    /// A fresh run.
    pub(crate) fn new(program: &'a Program<'a>) -> Self {
        let globals = program.modules.iter().map(|_| None).collect();
        Machine { program, lists: Vec::new(), globals, fuel: FUEL, calls: 0, depth: 0, module: 0, line: 0 }
    }

    /// Calls a function of a module; its value as Python prints it.
    pub(crate) fn call(
        &mut self,
        module: &str,
        function: &str,
        arguments: &[Argument],
    ) -> Result<String, Error> {
        let result = self.import(module).and_then(|at| {
            let called = self.global(at, function).ok_or_else(|| undefined(function))?;
            let mut values = Vec::with_capacity(arguments.len());
            for argument in arguments {
                values.push(match argument {
                    Argument::Int(n) => Value::Int(*n),
                    Argument::List(items) => self.new_list(items.iter().map(|n| Value::Int(*n)).collect())?,
                });
            }
            let value = self.apply(called, values)?;
            self.print(&value, 0)
        });
        result.map_err(|message| Error { line: self.line, module: self.module, message })
    }

    /// Spends some fuel.
    fn spend(&mut self, amount: usize) -> Result<(), Raised> {
        let left = u32::try_from(amount).ok().and_then(|n| self.fuel.checked_sub(n));
        self.fuel = left.ok_or("TimeoutError: the program takes too long")?;
        Ok(())
    }

    fn new_list(&mut self, items: Vec<Value>) -> Result<Value, Raised> {
        if items.len() > MAX_LENGTH {
            return Err("MemoryError: the list is too long".to_owned());
        }
        self.spend(1 + items.len() / 8)?;
        self.lists.push(items);
        Ok(Value::List(self.lists.len() - 1))
    }

    fn new_text(&mut self, text: String) -> Result<Value, Raised> {
        if text.len() > MAX_LENGTH {
            return Err("MemoryError: the string is too long".to_owned());
        }
        self.spend(1 + text.len() / 32)?;
        Ok(Value::Text(text.into()))
    }

    /// The place of a module, which is run if it was not.
    fn import(&mut self, name: &str) -> Result<usize, Raised> {
        let program = self.program;
        let Some(at) = program.modules.iter().position(|m| m.0 == name) else {
            return Err(format!("ModuleNotFoundError: No module named '{name}'"));
        };
        if self.globals[at].is_some() {
            return Ok(at);
        }
        let module = match program.modules[at].1 {
            Ok(module) => module,
            Err(error) => {
                (self.module, self.line) = (at, error.line);
                return Err(error.message.clone());
            }
        };
        if self.calls >= MAX_CALLS {
            return Err(too_deep());
        }
        self.globals[at] = Some(Vec::new());
        let here = (self.module, self.line);
        self.module = at;
        self.calls += 1;
        self.block(&module.body, &mut None)?;
        self.calls -= 1;
        (self.module, self.line) = here;
        Ok(at)
    }

    fn global(&self, module: usize, name: &str) -> Option<Value> {
        let names = self.globals[module].as_ref()?;
        names.iter().find(|n| &*n.0 == name).map(|n| n.1.clone())
    }

    /// Goes one level deeper. (After an error nothing goes on, so that only success has to come back up.)
    fn descend(&mut self) -> Result<(), Raised> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(too_deep()) } else { Ok(()) }
    }

    fn block(&mut self, body: &[Statement], locals: &mut Locals<'_>) -> Result<Flow, Raised> {
        self.descend()?;
        for statement in body {
            match self.statement(statement, locals)? {
                Flow::Next => {}
                flow => {
                    self.depth -= 1;
                    return Ok(flow);
                }
            }
        }
        self.depth -= 1;
        Ok(Flow::Next)
    }

    fn statement(&mut self, statement: &Statement, locals: &mut Locals<'_>) -> Result<Flow, Raised> {
        self.line = statement.line;
        self.spend(1)?;
        match &statement.kind {
            Kind::Define(function) => {
                let value = Value::Function(self.module, function.clone());
                self.bind(&function.name, value, locals);
            }
            Kind::Import { module, names } => {
                let at = self.import(module)?;
                for name in names {
                    let value = self
                        .global(at, name)
                        .ok_or_else(|| format!("ImportError: cannot import name '{name}' from '{module}'"))?;
                    self.bind(name, value, locals);
                }
            }
            Kind::Return(value) => {
                if locals.is_none() {
                    return Err("SyntaxError: 'return' outside function".to_owned());
                }
                let value = value.as_ref().map_or(Ok(Value::None), |value| self.value(value, locals))?;
                return Ok(Flow::Return(value));
            }
            Kind::If { branches, otherwise } => {
                for (test, body) in branches {
                    let test = self.value(test, locals)?;
                    if self.truth(&test) {
                        return self.block(body, locals);
                    }
                }
                return self.block(otherwise, locals);
            }
            Kind::While { test, body } => loop {
                self.line = statement.line;
                self.spend(1)?;
                let test = self.value(test, locals)?;
                if !self.truth(&test) {
                    break;
                }
                match self.block(body, locals)? {
                    Flow::Break => break,
                    Flow::Return(value) => return Ok(Flow::Return(value)),
                    Flow::Next | Flow::Continue => {}
                }
            },
            Kind::For { name, over, body } => {
                let over = self.value(over, locals)?;
                let mut at = 0;
                // A list may grow or shrink while it is walked.
                while let Some(item) = self.nth(&over, at)? {
                    at += 1;
                    self.spend(1)?;
                    self.bind(name, item, locals);
                    match self.block(body, locals)? {
                        Flow::Break => break,
                        Flow::Return(value) => return Ok(Flow::Return(value)),
                        Flow::Next | Flow::Continue => {}
                    }
                }
            }
            Kind::Break => return Ok(Flow::Break),
            Kind::Continue => return Ok(Flow::Continue),
            Kind::Pass => {}
            Kind::Assert { test, message } => self.assert(test, message.as_ref(), locals)?,
            Kind::Assign { to, value } => {
                let value = self.value(value, locals)?;
                self.assign(to, value, locals)?;
            }
            Kind::Augment { to, operator, value } => {
                let old = self.value(to, locals)?;
                let value = self.value(value, locals)?;
                // `+=` changes a list in place.
                if let (Operator::Add, Value::List(list)) = (operator, &old) {
                    let more = self.items(&value)?;
                    let length = self.lists[*list].len() + more.len();
                    if length > MAX_LENGTH {
                        return Err("MemoryError: the list is too long".to_owned());
                    }
                    self.lists[*list].extend(more);
                } else {
                    let new = self.binary(*operator, &old, &value)?;
                    self.assign(to, new, locals)?;
                }
            }
            Kind::Evaluate(expression) => drop(self.value(expression, locals)?),
        }
        Ok(Flow::Next)
    }

    fn assert(
        &mut self,
        test: &Expression,
        message: Option<&Expression>,
        locals: &mut Locals<'_>,
    ) -> Result<(), Raised> {
        // A comparison shows its sides.
        let shown = if let Expression::Compare(left, rest) = test
            && let [(comparison, right)] = rest.as_slice()
        {
            let (left, right) = (self.value(left, locals)?, self.value(right, locals)?);
            if self.compare(*comparison, &left, &right)? {
                return Ok(());
            }
            format!("{} {} {}", self.print(&left, 0)?, comparison.sign(), self.print(&right, 0)?)
        } else {
            let value = self.value(test, locals)?;
            if self.truth(&value) {
                return Ok(());
            }
            self.print(&value, 0)?
        };
        match message {
            Some(message) => {
                let message = self.value(message, locals)?;
                Err(format!("AssertionError: {}", self.text(&message)?))
            }
            None => Err(format!("AssertionError: {shown}")),
        }
    }

    fn bind(&mut self, name: &Text, value: Value, locals: &mut Locals<'_>) {
        let names = match locals {
            Some((_, names)) => names,
            None => self.globals[self.module].get_or_insert_default(),
        };
        match names.iter_mut().find(|n| n.0 == *name) {
            Some(place) => place.1 = value,
            None => names.push((name.clone(), value)),
        }
    }

    fn assign(&mut self, to: &Expression, value: Value, locals: &mut Locals<'_>) -> Result<(), Raised> {
        match to {
            Expression::Name(name) => self.bind(name, value, locals),
            Expression::Item(parts) => {
                let on = self.value(&parts.0, locals)?;
                let index = self.value(&parts.1, locals)?;
                let Value::List(list) = on else {
                    return Err(format!(
                        "TypeError: '{}' object does not support item assignment",
                        kind(&on)
                    ));
                };
                let at = position(&index, self.lists[list].len(), "list")?;
                self.lists[list][at] = value;
            }
            _ => return Err("SyntaxError: cannot assign to this".to_owned()),
        }
        Ok(())
    }

    fn look_up(&self, name: &Text, locals: &Locals<'_>) -> Result<Value, Raised> {
        if let Some((function, names)) = locals {
            if let Some(found) = names.iter().find(|n| n.0 == *name) {
                return Ok(found.1.clone());
            }
            if function.locals.contains(name) {
                return Err(format!(
                    "UnboundLocalError: cannot access local variable '{name}' where it is not associated with a value"
                ));
            }
        }
        let found = self.global(self.module, name).or_else(|| builtins::named(name).map(Value::Builtin));
        found.ok_or_else(|| undefined(name))
    }

    fn value(&mut self, expression: &Expression, locals: &mut Locals<'_>) -> Result<Value, Raised> {
        self.spend(1)?;
        self.descend()?;
        let value = match expression {
            Expression::None => Value::None,
            Expression::Bool(b) => Value::Bool(*b),
            Expression::Int(n) => Value::Int(*n),
            Expression::Text(text) => Value::Text(text.clone()),
            Expression::Name(name) => self.look_up(name, locals)?,
            Expression::List(items) => {
                let items = self.values(items, locals)?;
                self.new_list(items)?
            }
            Expression::Negate(operand) => {
                let operand = self.value(operand, locals)?;
                let n = int(&operand).ok_or_else(|| {
                    format!("TypeError: bad operand type for unary -: '{}'", kind(&operand))
                })?;
                Value::Int(n.checked_neg().ok_or_else(operators::overflow)?)
            }
            Expression::Not(operand) => {
                let operand = self.value(operand, locals)?;
                Value::Bool(!self.truth(&operand))
            }
            Expression::Binary(operator, sides) => {
                let left = self.value(&sides.0, locals)?;
                let right = self.value(&sides.1, locals)?;
                self.binary(*operator, &left, &right)?
            }
            Expression::Compare(first, rest) => {
                let mut left = self.value(first, locals)?;
                for (comparison, right) in rest {
                    let right = self.value(right, locals)?;
                    if !self.compare(*comparison, &left, &right)? {
                        self.depth -= 1;
                        return Ok(Value::Bool(false));
                    }
                    left = right;
                }
                Value::Bool(true)
            }
            Expression::And(sides) => {
                let left = self.value(&sides.0, locals)?;
                if self.truth(&left) { self.value(&sides.1, locals)? } else { left }
            }
            Expression::Or(sides) => {
                let left = self.value(&sides.0, locals)?;
                if self.truth(&left) { left } else { self.value(&sides.1, locals)? }
            }
            Expression::Choose(parts) => {
                let test = self.value(&parts.0, locals)?;
                self.value(if self.truth(&test) { &parts.1 } else { &parts.2 }, locals)?
            }
            Expression::Call(function, arguments) => {
                let function = self.value(function, locals)?;
                let arguments = self.values(arguments, locals)?;
                self.apply(function, arguments)?
            }
            Expression::Method(on, name, arguments) => {
                let on = self.value(on, locals)?;
                let arguments = self.values(arguments, locals)?;
                self.method(&on, name, &arguments)?
            }
            Expression::Item(parts) => {
                let on = self.value(&parts.0, locals)?;
                let index = self.value(&parts.1, locals)?;
                self.item(&on, &index)?
            }
            Expression::Slice(on, from, to) => {
                let on = self.value(on, locals)?;
                let mut bound = |e: &Option<Box<Expression>>, m: &mut Self| {
                    e.as_ref().map(|e| m.value(e, locals)).transpose()
                };
                let (from, to) = (bound(from, self)?, bound(to, self)?);
                self.slice(&on, from.as_ref(), to.as_ref())?
            }
            Expression::Comprehension { item, name, over, test } => {
                let over = self.value(over, locals)?;
                let (mut out, mut at) = (Vec::new(), 0);
                while let Some(next) = self.nth(&over, at)? {
                    at += 1;
                    self.spend(1)?;
                    self.bind(name, next, locals);
                    if let Some(test) = test {
                        let test = self.value(test, locals)?;
                        if !self.truth(&test) {
                            continue;
                        }
                    }
                    out.push(self.value(item, locals)?);
                }
                self.new_list(out)?
            }
        };
        self.depth -= 1;
        Ok(value)
    }

    fn values(&mut self, all: &[Expression], locals: &mut Locals<'_>) -> Result<Vec<Value>, Raised> {
        all.iter().map(|e| self.value(e, locals)).collect()
    }

    /// Calls a function.
    fn apply(&mut self, function: Value, arguments: Vec<Value>) -> Result<Value, Raised> {
        let (module, function) = match function {
            Value::Function(module, function) => (module, function),
            Value::Builtin(name) => return self.builtin(name, &arguments),
            other => return Err(format!("TypeError: '{}' object is not callable", kind(&other))),
        };
        let wanted = function.parameters.len();
        if arguments.len() != wanted {
            let s = if wanted == 1 { "" } else { "s" };
            return Err(format!(
                "TypeError: {}() takes {wanted} positional argument{s} but {} were given",
                function.name,
                arguments.len()
            ));
        }
        if self.calls >= MAX_CALLS {
            return Err(too_deep());
        }
        let here = (self.module, self.line);
        self.module = module;
        self.calls += 1;
        let names = function.parameters.iter().cloned().zip(arguments).collect();
        let flow = self.block(&function.body, &mut Some((&function, names)))?;
        self.calls -= 1;
        (self.module, self.line) = here;
        Ok(match flow {
            Flow::Return(value) => value,
            _ => Value::None,
        })
    }
}

fn too_deep() -> Raised {
    "RecursionError: maximum recursion depth exceeded".to_owned()
}

fn undefined(name: &str) -> Raised {
    format!("NameError: name '{name}' is not defined")
}

/// What Python calls the type of a value.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::None => "NoneType",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Text(_) => "str",
        Value::List(_) => "list",
        Value::Range(..) => "range",
        Value::Function(..) => "function",
        Value::Builtin(_) => "builtin_function_or_method",
    }
}

/// The whole number that a value is.
fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Int(n) => Some(*n),
        Value::Bool(b) => Some(i64::from(*b)),
        _ => None,
    }
}

/// The place that an index means in something of this length.
fn position(index: &Value, length: usize, what: &str) -> Result<usize, Raised> {
    let Some(n) = int(index) else {
        return Err(format!("TypeError: {what} indices must be integers or slices, not {}", kind(index)));
    };
    let at = if n < 0 { n.checked_add(length as i64) } else { Some(n) };
    let at = at.and_then(|n| usize::try_from(n).ok()).filter(|n| *n < length);
    at.ok_or_else(|| {
        format!("IndexError: {} index out of range", if what == "str" { "string" } else { what })
    })
}

#[cfg(test)]
mod tests;
