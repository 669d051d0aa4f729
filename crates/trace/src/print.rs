//! The canonical printer of values, calls and errors.

use std::fmt::{self, Display, Formatter, Write};

use memchr::memchr2;

use crate::plain::plain_length;
use crate::scan::is_identifier;
use crate::{Call, Number, ToolError, Value};

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
