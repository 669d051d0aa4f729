//! Tokens, with the lines' indentation as tokens of its own.

use super::Error;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'a> {
    Name(&'a str),
    Int(i64),
    Text(String),
    /// An operator or a bracket.
    Sign(&'static str),
    Newline,
    Indent,
    Dedent,
    End,
}

const SIGNS: [&str; 34] = [
    "**", "//", "==", "!=", "<=", ">=", "+=", "-=", "*=", "%=", "->", "(", ")", "[", "]", "{", "}", "+", "-",
    "*", "%", "<", ">", "=", ",", ":", ".", ";", "/", "&", "|", "^", "~", "@",
];

/// The tokens of a source, each with its line.
pub(super) fn tokens(source: &str) -> Result<Vec<(Token<'_>, u32)>, Error> {
    let mut out: Vec<(Token<'_>, u32)> = Vec::with_capacity(source.len() / 3);
    let mut indents: Vec<usize> = vec![0];
    let (mut at, mut line, mut depth, mut fresh) = (0, 1, 0usize, true);
    let bytes = source.as_bytes();
    while at < bytes.len() {
        if fresh && depth == 0 {
            let width = bytes[at..].iter().take_while(|b| **b == b' ').count();
            at += width;
            match bytes.get(at) {
                // An empty line, or one with a comment alone, has no indentation.
                None | Some(b'\n' | b'\r' | b'#') => {}
                Some(b'\t') => return Err(Error::new(line, "TabError: tabs in indentation")),
                Some(_) => {
                    if indents.last().is_some_and(|top| width > *top) {
                        indents.push(width);
                        out.push((Token::Indent, line));
                    }
                    while indents.last().is_some_and(|top| width < *top) {
                        indents.pop();
                        out.push((Token::Dedent, line));
                    }
                    if indents.last() != Some(&width) {
                        let what = "IndentationError: unindent does not match any outer indentation level";
                        return Err(Error::new(line, what));
                    }
                }
            }
            fresh = false;
            continue;
        }
        match bytes[at] {
            b' ' | b'\r' | b'\t' => at += 1,
            b'#' => at += bytes[at..].iter().position(|b| *b == b'\n').unwrap_or(bytes.len() - at),
            b'\n' => {
                if depth == 0
                    && !matches!(out.last(), None | Some((Token::Newline | Token::Indent | Token::Dedent, _)))
                {
                    out.push((Token::Newline, line));
                }
                at += 1;
                line += 1;
                fresh = true;
            }
            b'0'..=b'9' => {
                let length =
                    bytes[at..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
                let digits = &source[at..at + length];
                let value = digits.replace('_', "").parse().map_err(|_| {
                    Error::new(
                        line,
                        format!("SyntaxError: `{}` is no whole number of 64 bits", shorten(digits)),
                    )
                })?;
                if bytes.get(at + length) == Some(&b'.') {
                    return Err(Error::new(line, "SyntaxError: there are no floats here"));
                }
                out.push((Token::Int(value), line));
                at += length;
            }
            b'"' | b'\'' => {
                let (text, length) = text(&source[at..], line)?;
                let lines = source[at..at + length].matches('\n').count() as u32;
                out.push((Token::Text(text), line));
                at += length;
                line += lines;
            }
            b if b.is_ascii_alphabetic() || b == b'_' => {
                let length =
                    bytes[at..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
                out.push((Token::Name(&source[at..at + length]), line));
                at += length;
            }
            _ => {
                let sign = SIGNS.into_iter().find(|s| source[at..].starts_with(s));
                let Some(sign) = sign else {
                    return Err(Error::new(line, "SyntaxError: invalid character"));
                };
                // `//=` and `**=`
                let augmented = bytes.get(at + sign.len()) == Some(&b'=');
                let sign = match sign {
                    "//" if augmented => "//=",
                    "**" if augmented => "**=",
                    sign => sign,
                };
                match sign {
                    "(" | "[" | "{" => depth += 1,
                    ")" | "]" | "}" => depth = depth.saturating_sub(1),
                    _ => {}
                }
                out.push((Token::Sign(sign), line));
                at += sign.len();
            }
        }
    }
    if !matches!(out.last(), None | Some((Token::Newline | Token::Dedent, _))) {
        out.push((Token::Newline, line));
    }
    out.extend(indents.iter().skip(1).map(|_| (Token::Dedent, line)));
    out.push((Token::End, line));
    Ok(out)
}

/// At most twenty characters of a text.
fn shorten(text: &str) -> String {
    text.chars().take(20).collect()
}

/// The string that begins here, and its length in the source.
fn text(source: &str, line: u32) -> Result<(String, usize), Error> {
    let quote = &source[..1];
    let triple = quote.repeat(3);
    let quote = if source.starts_with(&triple) { triple.as_str() } else { quote };
    let mut out = String::new();
    let mut chars = source[quote.len()..].char_indices();
    while let Some((i, c)) = chars.next() {
        if source[quote.len() + i..].starts_with(quote) {
            return Ok((out, i + 2 * quote.len()));
        }
        match c {
            '\\' => match chars.next().map(|(_, c)| c) {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(c @ ('\\' | '\'' | '"')) => out.push(c),
                _ => return Err(Error::new(line, "SyntaxError: this escape is not known here")),
            },
            '\n' if quote.len() == 1 => break,
            c => out.push(c),
        }
    }
    Err(Error::new(line, "SyntaxError: unterminated string literal"))
}
