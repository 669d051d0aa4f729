//! The parser: recursive descent with Python's precedences.

use std::sync::Arc;

use super::Error;
use super::ast::{Comparison, Expression, Function, Kind, Module, Operator, Statement, Text};
use super::lexer::{Token, tokens};

/// How deep expressions and blocks may be nested.
const MAX_DEPTH: u32 = 40;
/// How many operands may be joined without brackets, and how many calls, items and methods may follow each other.
const MAX_CHAIN: usize = 50;

/// Words that are no names.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// Reads a source file.
pub(crate) fn parse(source: &str) -> Result<Module, Error> {
    let mut parser = Parser { tokens: tokens(source)?, at: 0, depth: 0 };
    let mut body = Vec::new();
    while *parser.peek() != Token::End {
        if *parser.peek() == Token::Indent {
            return parser.fail("IndentationError: unexpected indent");
        }
        parser.statement(&mut body)?;
    }
    Ok(Module { body })
}

struct Parser<'a> {
    tokens: Vec<(Token<'a>, u32)>,
    at: usize,
    depth: u32,
}

type Parsed<T> = Result<T, Error>;

impl<'a> Parser<'a> {
    fn peek(&self) -> &Token<'a> {
        self.tokens.get(self.at).map_or(&Token::End, |t| &t.0)
    }

    fn line(&self) -> u32 {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |t| t.1)
    }

    fn fail<T>(&self, message: &str) -> Parsed<T> {
        Err(Error::new(self.line(), message))
    }

    fn invalid<T>(&self) -> Parsed<T> {
        self.fail("SyntaxError: invalid syntax")
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(s) if *s == sign);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Name(n) if *n == word);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Parsed<()> {
        if self.sign(sign) { Ok(()) } else { self.fail(&format!("SyntaxError: expected '{sign}'")) }
    }

    fn name(&mut self) -> Parsed<Text> {
        match self.peek() {
            Token::Name(name) if KEYWORDS.binary_search(name).is_err() => {
                let name = Arc::from(*name);
                self.at += 1;
                Ok(name)
            }
            _ => self.invalid(),
        }
    }

    fn names(&mut self) -> Parsed<Vec<Text>> {
        let mut names = vec![self.name()?];
        while self.sign(",") {
            names.push(self.name()?);
        }
        Ok(names)
    }

    fn newline(&mut self) -> Parsed<()> {
        match self.peek() {
            Token::Newline => {
                self.at += 1;
                Ok(())
            }
            Token::End => Ok(()),
            _ => self.invalid(),
        }
    }

    /// Does something one level deeper.
    fn deeper<T>(&mut self, inside: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return self.fail("SyntaxError: too deeply nested");
        }
        self.depth += 1;
        let result = inside(self);
        self.depth -= 1;
        result
    }

    fn block(&mut self) -> Parsed<Vec<Statement>> {
        self.expect(":")?;
        let mut body = Vec::new();
        if *self.peek() != Token::Newline {
            self.simple(&mut body)?;
            return Ok(body);
        }
        self.at += 1;
        if *self.peek() != Token::Indent {
            return self.fail("IndentationError: expected an indented block");
        }
        self.at += 1;
        self.deeper(|p| {
            while !matches!(p.peek(), Token::Dedent | Token::End) {
                if *p.peek() == Token::Indent {
                    return p.fail("IndentationError: unexpected indent");
                }
                p.statement(&mut body)?;
            }
            p.at += 1;
            Ok(())
        })?;
        Ok(body)
    }

    fn statement(&mut self, out: &mut Vec<Statement>) -> Parsed<()> {
        let line = self.line();
        let kind = if self.word("def") {
            let name = self.name()?;
            self.expect("(")?;
            let parameters = if self.sign(")") {
                Vec::new()
            } else {
                let names = self.names()?;
                self.expect(")")?;
                names
            };
            let body = self.block()?;
            let mut locals = parameters.clone();
            assigned(&body, &mut locals);
            Kind::Define(Arc::new(Function { name, parameters, locals, body }))
        } else if self.word("if") {
            let mut branches = vec![(self.expression()?, self.block()?)];
            while self.word("elif") {
                branches.push((self.expression()?, self.block()?));
            }
            let otherwise = if self.word("else") { self.block()? } else { Vec::new() };
            Kind::If { branches, otherwise }
        } else if self.word("while") {
            Kind::While { test: self.expression()?, body: self.block()? }
        } else if self.word("for") {
            let name = self.name()?;
            if !self.word("in") {
                return self.invalid();
            }
            Kind::For { name, over: self.expression()?, body: self.block()? }
        } else {
            return self.simple(out);
        };
        out.push(Statement { line, kind });
        Ok(())
    }

    /// Statements on one line.
    fn simple(&mut self, out: &mut Vec<Statement>) -> Parsed<()> {
        loop {
            let line = self.line();
            let kind = self.small()?;
            out.push(Statement { line, kind });
            if !self.sign(";") || *self.peek() == Token::Newline {
                return self.newline();
            }
        }
    }

    fn small(&mut self) -> Parsed<Kind> {
        if self.word("pass") {
            return Ok(Kind::Pass);
        }
        if self.word("break") {
            return Ok(Kind::Break);
        }
        if self.word("continue") {
            return Ok(Kind::Continue);
        }
        if self.word("return") {
            let value = if *self.peek() == Token::Newline { None } else { Some(self.expression()?) };
            return Ok(Kind::Return(value));
        }
        if self.word("assert") {
            let test = self.expression()?;
            let message = if self.sign(",") { Some(self.expression()?) } else { None };
            return Ok(Kind::Assert { test, message });
        }
        if self.word("from") {
            let module = self.name()?;
            if !self.word("import") {
                return self.invalid();
            }
            return Ok(Kind::Import { module, names: self.names()? });
        }
        let to = self.expression()?;
        let operator = match self.peek() {
            Token::Sign("=") => None,
            Token::Sign("+=") => Some(Operator::Add),
            Token::Sign("-=") => Some(Operator::Subtract),
            Token::Sign("*=") => Some(Operator::Multiply),
            Token::Sign("//=") => Some(Operator::Divide),
            Token::Sign("%=") => Some(Operator::Modulo),
            Token::Sign("**=") => Some(Operator::Power),
            _ => return Ok(Kind::Evaluate(to)),
        };
        if !matches!(to, Expression::Name(_) | Expression::Item(_)) {
            return self.fail("SyntaxError: cannot assign to this");
        }
        self.at += 1;
        let value = self.expression()?;
        Ok(match operator {
            None => Kind::Assign { to, value },
            Some(operator) => Kind::Augment { to, operator, value },
        })
    }

    fn expression(&mut self) -> Parsed<Expression> {
        self.deeper(|p| {
            let value = p.or()?;
            if !p.word("if") {
                return Ok(value);
            }
            let test = p.or()?;
            if !p.word("else") {
                return p.fail("SyntaxError: expected 'else' after 'if' expression");
            }
            Ok(Expression::Choose(Box::new((test, value, p.expression()?))))
        })
    }

    /// Refuses what is joined to too many others.
    fn link(&self, links: &mut usize) -> Parsed<()> {
        *links += 1;
        if *links < MAX_CHAIN { Ok(()) } else { self.fail("SyntaxError: too many operands") }
    }

    fn or(&mut self) -> Parsed<Expression> {
        let (mut left, mut links) = (self.and()?, 0);
        while self.word("or") {
            self.link(&mut links)?;
            left = Expression::Or(Box::new((left, self.and()?)));
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed<Expression> {
        let (mut left, mut links) = (self.not()?, 0);
        while self.word("and") {
            self.link(&mut links)?;
            left = Expression::And(Box::new((left, self.not()?)));
        }
        Ok(left)
    }

    fn not(&mut self) -> Parsed<Expression> {
        if self.word("not") {
            return self.deeper(|p| Ok(Expression::Not(Box::new(p.not()?))));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Parsed<Expression> {
        let first = self.sum()?;
        let mut rest = Vec::new();
        while let Some(comparison) = self.comparator()? {
            rest.push((comparison, self.sum()?));
        }
        Ok(if rest.is_empty() { first } else { Expression::Compare(Box::new(first), rest) })
    }

    fn comparator(&mut self) -> Parsed<Option<Comparison>> {
        for (sign, comparison) in [
            ("==", Comparison::Equal),
            ("!=", Comparison::Unequal),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ] {
            if self.sign(sign) {
                return Ok(Some(comparison));
            }
        }
        if self.word("in") {
            return Ok(Some(Comparison::In));
        }
        if self.word("is") {
            return Ok(Some(if self.word("not") { Comparison::IsNot } else { Comparison::Is }));
        }
        if self.word("not") {
            return if self.word("in") { Ok(Some(Comparison::NotIn)) } else { self.invalid() };
        }
        Ok(None)
    }

    /// Operands joined by operators of the same rank.
    fn joined(
        &mut self,
        operators: &[Operator],
        operand: fn(&mut Self) -> Parsed<Expression>,
    ) -> Parsed<Expression> {
        let (mut left, mut links) = (operand(self)?, 0);
        while let Some(&operator) =
            operators.iter().find(|o| matches!(self.peek(), Token::Sign(s) if *s == o.sign()))
        {
            self.at += 1;
            self.link(&mut links)?;
            left = Expression::Binary(operator, Box::new((left, operand(self)?)));
        }
        Ok(left)
    }

    fn sum(&mut self) -> Parsed<Expression> {
        self.joined(&[Operator::Add, Operator::Subtract], Self::product)
    }

    fn product(&mut self) -> Parsed<Expression> {
        self.joined(&[Operator::Multiply, Operator::Divide, Operator::Modulo], Self::signed)
    }

    fn signed(&mut self) -> Parsed<Expression> {
        if self.sign("-") {
            return self.deeper(|p| Ok(Expression::Negate(Box::new(p.signed()?))));
        }
        if self.sign("+") {
            return self.deeper(Self::signed);
        }
        let base = self.postfix()?;
        if self.sign("**") {
            let exponent = self.deeper(Self::signed)?;
            return Ok(Expression::Binary(Operator::Power, Box::new((base, exponent))));
        }
        Ok(base)
    }

    fn postfix(&mut self) -> Parsed<Expression> {
        let (mut value, mut links) = (self.atom()?, 0);
        loop {
            self.link(&mut links)?;
            if self.sign("(") {
                value = Expression::Call(Box::new(value), self.list(")")?);
            } else if self.sign("[") {
                value = self.item(value)?;
            } else if self.sign(".") {
                let name = self.name()?;
                self.expect("(")?;
                value = Expression::Method(Box::new(value), name, self.list(")")?);
            } else {
                return Ok(value);
            }
        }
    }

    fn item(&mut self, of: Expression) -> Parsed<Expression> {
        let bound = |p: &mut Self| -> Parsed<Option<Box<Expression>>> {
            let absent = matches!(p.peek(), Token::Sign(":" | "]"));
            if absent { Ok(None) } else { Ok(Some(Box::new(p.expression()?))) }
        };
        let from = bound(self)?;
        if self.sign(":") {
            let to = bound(self)?;
            self.expect("]")?;
            return Ok(Expression::Slice(Box::new(of), from, to));
        }
        self.expect("]")?;
        match from {
            Some(index) => Ok(Expression::Item(Box::new((of, *index)))),
            None => self.invalid(),
        }
    }

    /// Expressions up to the closing bracket.
    fn list(&mut self, close: &str) -> Parsed<Vec<Expression>> {
        let mut items = Vec::new();
        loop {
            if self.sign(close) {
                return Ok(items);
            }
            items.push(self.expression()?);
            if !self.sign(",") {
                self.expect(close)?;
                return Ok(items);
            }
        }
    }

    fn atom(&mut self) -> Parsed<Expression> {
        match self.peek().clone() {
            Token::Int(n) => {
                self.at += 1;
                Ok(Expression::Int(n))
            }
            Token::Text(text) => {
                self.at += 1;
                Ok(Expression::Text(text.into()))
            }
            Token::Name("True") => {
                self.at += 1;
                Ok(Expression::Bool(true))
            }
            Token::Name("False") => {
                self.at += 1;
                Ok(Expression::Bool(false))
            }
            Token::Name("None") => {
                self.at += 1;
                Ok(Expression::None)
            }
            Token::Name(_) => Ok(Expression::Name(self.name()?)),
            Token::Sign("(") => {
                self.at += 1;
                let inside = self.expression()?;
                self.expect(")")?;
                Ok(inside)
            }
            Token::Sign("[") => {
                self.at += 1;
                if self.sign("]") {
                    return Ok(Expression::List(Vec::new()));
                }
                let first = self.expression()?;
                if self.word("for") {
                    return self.comprehension(first);
                }
                let mut items = vec![first];
                if self.sign(",") {
                    items.extend(self.list("]")?);
                } else {
                    self.expect("]")?;
                }
                Ok(Expression::List(items))
            }
            _ => self.invalid(),
        }
    }

    fn comprehension(&mut self, item: Expression) -> Parsed<Expression> {
        let name = self.name()?;
        if !self.word("in") {
            return self.invalid();
        }
        let over = Box::new(self.or()?);
        let test = if self.word("if") { Some(Box::new(self.or()?)) } else { None };
        self.expect("]")?;
        Ok(Expression::Comprehension { item: Box::new(item), name, over, test })
    }
}

/// Collects the names that statements assign.
fn assigned(body: &[Statement], names: &mut Vec<Text>) {
    fn add(name: &Text, names: &mut Vec<Text>) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    for statement in body {
        match &statement.kind {
            Kind::Assign { to: Expression::Name(name), .. }
            | Kind::Augment { to: Expression::Name(name), .. } => add(name, names),
            Kind::Define(function) => add(&function.name, names),
            Kind::Import { names: imported, .. } => imported.iter().for_each(|name| add(name, names)),
            Kind::For { name, body, .. } => {
                add(name, names);
                assigned(body, names);
            }
            Kind::While { body, .. } => assigned(body, names),
            Kind::If { branches, otherwise } => {
                branches.iter().for_each(|b| assigned(&b.1, names));
                assigned(otherwise, names);
            }
            _ => {}
        }
    }
}
