//! The canonical printer of types and declarations.

use std::fmt::{self, Display, Formatter, Write};
use std::sync::Arc;

use crate::print::write_name;
use crate::tool::{adopt, by_name};
use crate::{ErrorType, Field, NamedType, Tool, Type, Value};

/// How declarations are laid out: descriptions inside them stand on lines of their own, at this depth, or are left
/// out.
#[derive(Clone, Copy)]
struct Layout {
    depth: usize,
    docs: bool,
}

const OUTERMOST: Layout = Layout { depth: 0, docs: true };

impl Layout {
    fn line(self, f: &mut impl Write) -> fmt::Result {
        f.write_char('\n')?;
        (0..self.depth).try_for_each(|_| f.write_str("  "))
    }

    fn deeper(self) -> Layout {
        Layout { depth: self.depth + 1, ..self }
    }

    /// A description, with the line break behind it.
    fn doc(self, f: &mut impl Write, doc: &str) -> fmt::Result {
        if doc.is_empty() || !self.docs {
            return Ok(());
        }
        for line in doc.split('\n') {
            f.write_str(if line.is_empty() { "///" } else { "/// " })?;
            f.write_str(line)?;
            self.line(f)?;
        }
        Ok(())
    }

    fn fields(self, f: &mut impl Write, fields: &[Field], rest: Option<&Type>) -> fmt::Result {
        let tall = self.docs && fields.iter().any(|x| !x.doc.is_empty());
        let inside = if tall { self.deeper() } else { self };
        for (i, field) in fields.iter().enumerate() {
            if tall {
                inside.line(f)?;
            } else if i > 0 {
                f.write_str(", ")?;
            }
            inside.doc(f, &field.doc)?;
            inside.field(f, field)?;
            if tall {
                f.write_char(',')?;
            }
        }
        if let Some(rest) = rest {
            if tall {
                inside.line(f)?;
            } else if !fields.is_empty() {
                f.write_str(", ")?;
            }
            f.write_str("*: ")?;
            inside.ty(f, rest)?;
            if tall {
                f.write_char(',')?;
            }
        }
        if tall { self.line(f) } else { Ok(()) }
    }

    fn field(self, f: &mut impl Write, field: &Field) -> fmt::Result {
        write_name(f, &field.name)?;
        f.write_str(if field.optional && field.default.is_none() { "?: " } else { ": " })?;
        self.ty(f, &field.ty)?;
        match &field.default {
            Some(value) => write!(f, " = {value}"),
            None => Ok(()),
        }
    }

    fn ty(self, f: &mut impl Write, ty: &Type) -> fmt::Result {
        match ty {
            Type::Any => f.write_str("any"),
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::Float => f.write_str("float"),
            Type::Str => f.write_str("str"),
            Type::Path => f.write_str("path"),
            Type::Named(name) => f.write_str(name),
            Type::List(item) => {
                f.write_char('[')?;
                self.ty(f, item)?;
                f.write_char(']')
            }
            Type::Record(fields) => {
                f.write_char('{')?;
                self.fields(f, fields, None)?;
                f.write_char('}')
            }
            Type::Open(fields, rest) => {
                f.write_char('{')?;
                self.fields(f, fields, Some(rest))?;
                f.write_char('}')
            }
            Type::Enum(values) => joined(f, values, " | ", |f, v: &Value| write!(f, "{v}")),
            Type::Optional(inner) => {
                self.grouped(f, inner, inner.is_compound())?;
                f.write_char('?')
            }
            Type::Bounded(inner, bounds) => {
                self.ty(f, inner)?;
                if bounds.is_empty() { Ok(()) } else { write!(f, "{bounds}") }
            }
            Type::Union(types) => {
                for (i, ty) in types.iter().enumerate() {
                    if i > 0 {
                        f.write_str(" | ")?;
                    }
                    // Neighbouring literals would otherwise be read as one enum.
                    let after_enum = i > 0 && matches!(types[i - 1], Type::Enum(_));
                    let brackets =
                        matches!(ty, Type::Union(_)) || (after_enum && matches!(ty, Type::Enum(_)));
                    self.grouped(f, ty, brackets)?;
                }
                Ok(())
            }
        }
    }

    fn grouped(self, f: &mut impl Write, ty: &Type, brackets: bool) -> fmt::Result {
        if !brackets {
            return self.ty(f, ty);
        }
        f.write_char('(')?;
        self.ty(f, ty)?;
        f.write_char(')')
    }

    fn error(self, f: &mut impl Write, error: &ErrorType) -> fmt::Result {
        write_name(f, &error.name)?;
        if error.args.is_empty() {
            return Ok(());
        }
        f.write_char('(')?;
        joined(f, &error.args, ", ", |f, ty| self.ty(f, ty))?;
        f.write_char(')')
    }

    fn signature(self, f: &mut impl Write, tool: &Tool) -> fmt::Result {
        write_name(f, &tool.name)?;
        f.write_char('(')?;
        self.fields(f, &tool.params, None)?;
        f.write_str(") -> ")?;
        self.ty(f, &tool.result)?;
        let tall = self.docs && tool.errors.iter().any(|e| !e.doc.is_empty());
        for (i, error) in tool.errors.iter().enumerate() {
            f.write_str(if i > 0 { " |" } else { " !" })?;
            if tall {
                self.deeper().line(f)?;
                self.deeper().doc(f, &error.doc)?;
            } else {
                f.write_char(' ')?;
            }
            self.error(f, error)?;
        }
        Ok(())
    }
}

fn joined<W: Write, T>(
    f: &mut W,
    items: &[T],
    between: &str,
    mut write: impl FnMut(&mut W, &T) -> fmt::Result,
) -> fmt::Result {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            f.write_str(between)?;
        }
        write(f, item)?;
    }
    Ok(())
}

impl Type {
    /// Whether the type has to stand in brackets before a `?`.
    fn is_compound(&self) -> bool {
        match self {
            Type::Union(_) => true,
            Type::Enum(values) => values.len() != 1,
            _ => false,
        }
    }
}

impl Display for Type {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        OUTERMOST.ty(f, self)
    }
}

/// In one line, without descriptions.
impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Layout { docs: false, ..OUTERMOST }.field(f, self)
    }
}

/// In one line, without its description.
impl Display for ErrorType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        OUTERMOST.error(f, self)
    }
}

/// The description in `///` lines, then the type.
impl Display for NamedType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        OUTERMOST.doc(f, &self.doc)?;
        write!(f, "type {} = ", self.name)?;
        OUTERMOST.ty(f, &self.ty)
    }
}

impl Tool {
    /// The declaration in one line, without descriptions: `read(path: path) -> str ! NotFound`.
    pub fn signature(&self) -> String {
        let mut out = String::new();
        // Writing into a String cannot fail.
        let _ = Layout { docs: false, ..OUTERMOST }.signature(&mut out, self);
        out
    }

    /// The body of a `tools` span that declares these tools in full, their types first. Where two of them mean
    /// different types by one name, the later one is renamed.
    pub fn print_all(tools: &[Tool]) -> String {
        let mut out = String::from("{\n");
        let mut put = |declaration: &dyn Display| {
            for line in declaration.to_string().split('\n') {
                out.push_str(if line.is_empty() { "" } else { "  " });
                out.push_str(line);
                out.push('\n');
            }
        };
        let (types, tools) = shared_types(tools);
        types.iter().for_each(|t| put(t));
        tools.iter().for_each(|t| put(&Untyped(t)));
        out.push('}');
        out
    }
}

/// The types of several tools together, and the tools with the names that these have then.
pub(crate) fn shared_types(tools: &[Tool]) -> (Vec<Arc<NamedType>>, Vec<Tool>) {
    let mut types: Vec<Arc<NamedType>> = Vec::new();
    let mut renamed = tools.to_vec();
    for tool in &mut renamed {
        if let Some(number) = adopt(&types, &tool.types) {
            let own: Vec<String> = tool.types.iter().map(|t| t.name.clone()).collect();
            tool.rename_types(&|name: &mut String| {
                if own.contains(name) {
                    name.push_str(&format!("_{number}"));
                }
            });
        }
        let known = by_name(&types);
        let new = tool.types.iter().filter(|t| !known.contains_key(t.name.as_str()));
        let new: Vec<Arc<NamedType>> = new.cloned().collect();
        types.extend(new);
    }
    (types, renamed)
}

/// A tool without the types that it names.
struct Untyped<'a>(&'a Tool);

impl Display for Untyped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        OUTERMOST.doc(f, &self.0.doc)?;
        OUTERMOST.signature(f, self.0)
    }
}

/// The types that it names, the description in `///` lines, then the signature.
impl Display for Tool {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for named in &self.types {
            writeln!(f, "{named}")?;
        }
        Untyped(self).fmt(f)
    }
}
