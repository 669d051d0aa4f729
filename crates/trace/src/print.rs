//! The canonical printer of values, calls, errors, types and declarations.

use std::fmt::{self, Display, Formatter, Write};

use memchr::memchr2;

use crate::plain::plain_length;
use crate::scan::is_identifier;
use crate::{Call, ErrorType, Field, Number, Tool, ToolError, Type, Value};

impl Display for Number {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn write_joined<T: Display>(f: &mut Formatter<'_>, items: &[T], between: &str) -> fmt::Result {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            f.write_str(between)?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

/// Writes `s` between quotes; `"`, `\` and control characters are escaped.
pub(crate) fn write_quoted(f: &mut impl Write, s: &str) -> fmt::Result {
    f.write_char('"')?;
    let mut rest = s;
    // The bytes of a character that needs an escape: ASCII, or 0xC2 as the first byte of a C1 control.
    loop {
        let plain = plain_length(rest.as_bytes());
        let at = memchr2(0x7f, 0xc2, &rest.as_bytes()[..plain]).unwrap_or(plain);
        if at == rest.len() {
            break;
        }
        f.write_str(&rest[..at])?;
        let mut chars = rest[at..].chars();
        match chars.next() {
            Some('"') => f.write_str("\\\"")?,
            Some('\\') => f.write_str("\\\\")?,
            Some('\n') => f.write_str("\\n")?,
            Some('\t') => f.write_str("\\t")?,
            Some('\r') => f.write_str("\\r")?,
            Some(c) if c.is_control() => write!(f, "\\u{{{:x}}}", c as u32)?,
            Some(c) => f.write_char(c)?,
            None => {}
        }
        rest = chars.as_str();
    }
    f.write_str(rest)?;
    f.write_char('"')
}

/// Writes a name, between quotes if it is no identifier.
pub(crate) fn write_name(f: &mut impl Write, name: &str) -> fmt::Result {
    if is_identifier(name) { f.write_str(name) } else { write_quoted(f, name) }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(b) => f.write_str(if *b { "true" } else { "false" }),
            Value::Number(n) => n.fmt(f),
            Value::Str(s) => write_quoted(f, s),
            Value::List(items) => {
                f.write_char('[')?;
                write_joined(f, items, ", ")?;
                f.write_char(']')
            }
            Value::Record(fields) => {
                f.write_char('{')?;
                for (i, (name, value)) in fields.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    write_name(f, name)?;
                    f.write_str(": ")?;
                    value.fmt(f)?;
                }
                f.write_char('}')
            }
        }
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_name(f, &self.tool)?;
        f.write_char('(')?;
        for (i, (name, value)) in self.args.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write_name(f, name)?;
            f.write_char('=')?;
            value.fmt(f)?;
        }
        f.write_char(')')
    }
}

impl Display for ToolError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_name(f, &self.name)?;
        if !self.args.is_empty() {
            f.write_char('(')?;
            write_joined(f, &self.args, ", ")?;
            f.write_char(')')?;
        }
        Ok(())
    }
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
        match self {
            Type::Any => f.write_str("any"),
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::Float => f.write_str("float"),
            Type::Str => f.write_str("str"),
            Type::Path => f.write_str("path"),
            Type::List(item) => write!(f, "[{item}]"),
            Type::Record(fields) => {
                f.write_char('{')?;
                write_joined(f, fields, ", ")?;
                f.write_char('}')
            }
            Type::Enum(values) => write_joined(f, values, " | "),
            Type::Optional(inner) if inner.is_compound() => write!(f, "({inner})?"),
            Type::Optional(inner) => write!(f, "{inner}?"),
            Type::Union(types) => {
                for (i, ty) in types.iter().enumerate() {
                    if i > 0 {
                        f.write_str(" | ")?;
                    }
                    // Neighbouring literals would otherwise be read as one enum.
                    let after_enum = i > 0 && matches!(types[i - 1], Type::Enum(_));
                    if matches!(ty, Type::Union(_)) || (after_enum && matches!(ty, Type::Enum(_))) {
                        write!(f, "({ty})")?;
                    } else {
                        ty.fmt(f)?;
                    }
                }
                Ok(())
            }
        }
    }
}

impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_name(f, &self.name)?;
        write!(f, ": {}", self.ty)?;
        match &self.default {
            Some(value) => write!(f, " = {value}"),
            None => Ok(()),
        }
    }
}

impl Display for ErrorType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_name(f, &self.name)?;
        if !self.args.is_empty() {
            f.write_char('(')?;
            write_joined(f, &self.args, ", ")?;
            f.write_char(')')?;
        }
        Ok(())
    }
}

impl Tool {
    /// The declaration in one line, without the description: `read(path: path) -> str ! NotFound`.
    pub fn signature(&self) -> String {
        let mut out = String::new();
        // Writing into a String cannot fail.
        let _ = self.write_signature(&mut out);
        out
    }

    fn write_signature(&self, f: &mut impl Write) -> fmt::Result {
        write_name(f, &self.name)?;
        f.write_char('(')?;
        for (i, param) in self.params.iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            write!(f, "{comma}{param}")?;
        }
        write!(f, ") -> {}", self.result)?;
        for (i, error) in self.errors.iter().enumerate() {
            let before = if i > 0 { " | " } else { " ! " };
            write!(f, "{before}{error}")?;
        }
        Ok(())
    }

    /// The body of a `tools` span that declares these tools in full.
    pub fn print_all(tools: &[Tool]) -> String {
        let mut out = String::from("{\n");
        for tool in tools {
            for line in tool.to_string().split('\n') {
                out.push_str("  ");
                out.push_str(line);
                out.push('\n');
            }
        }
        out.push('}');
        out
    }
}

/// The description in `///` lines, then the signature.
impl Display for Tool {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.doc.is_empty() {
            for line in self.doc.split('\n') {
                f.write_str(if line.is_empty() { "///" } else { "/// " })?;
                f.write_str(line)?;
                f.write_char('\n')?;
            }
        }
        self.write_signature(f)
    }
}
