//! Tool declarations and their types.

use crate::Value;

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
    /// `"north" | "south"`: one of these literals
    Enum(Vec<Value>),
    /// `T?`: a `T` or `null`
    Optional(Box<Type>),
    /// `A | B`
    Union(Vec<Type>),
}

/// A field of a record type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The field's name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Its value where it is left out.
    pub default: Option<Value>,
}

/// A parameter of a tool: the same as a record's field.
pub type Param = Field;

/// A declared error type: `NotFound` or `NotFound(path)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ErrorType {
    /// The error's name.
    pub name: String,
    /// The types of the values that it carries.
    pub args: Vec<Type>,
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
}
