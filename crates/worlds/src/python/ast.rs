//! The syntax tree.

use std::sync::Arc;

/// A name or a text.
pub(crate) type Text = Arc<str>;

/// One source file.
#[derive(Clone, Debug)]
pub(crate) struct Module {
    pub(super) body: Vec<Statement>,
}

#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) line: u32,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Define(Arc<Function>),
    Import { module: Text, names: Vec<Text> },
    Return(Option<Expression>),
    If { branches: Vec<(Expression, Vec<Statement>)>, otherwise: Vec<Statement> },
    While { test: Expression, body: Vec<Statement> },
    For { name: Text, over: Expression, body: Vec<Statement> },
    Break,
    Continue,
    Pass,
    Assert { test: Expression, message: Option<Expression> },
    Assign { to: Expression, value: Expression },
    Augment { to: Expression, operator: Operator, value: Expression },
    Evaluate(Expression),
}

#[derive(Clone, Debug)]
pub(super) struct Function {
    pub(super) name: Text,
    pub(super) parameters: Vec<Text>,
    /// The names that the body assigns, its parameters among them.
    pub(super) locals: Vec<Text>,
    pub(super) body: Vec<Statement>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
}

impl Operator {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "//",
            Operator::Modulo => "%",
            Operator::Power => "**",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Is,
    IsNot,
}

impl Comparison {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::Unequal => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
            Comparison::In => "in",
            Comparison::NotIn => "not in",
            Comparison::Is => "is",
            Comparison::IsNot => "is not",
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Expression {
    None,
    Bool(bool),
    Int(i64),
    Text(Text),
    Name(Text),
    List(Vec<Expression>),
    Negate(Box<Expression>),
    Not(Box<Expression>),
    Binary(Operator, Box<(Expression, Expression)>),
    Compare(Box<Expression>, Vec<(Comparison, Expression)>),
    And(Box<(Expression, Expression)>),
    Or(Box<(Expression, Expression)>),
    /// Test, value if it holds, value otherwise.
    Choose(Box<(Expression, Expression, Expression)>),
    Call(Box<Expression>, Vec<Expression>),
    Method(Box<Expression>, Text, Vec<Expression>),
    Item(Box<(Expression, Expression)>),
    Slice(Box<Expression>, Option<Box<Expression>>, Option<Box<Expression>>),
    Comprehension {
        item: Box<Expression>,
        name: Text,
        over: Box<Expression>,
        test: Option<Box<Expression>>,
    },
}
