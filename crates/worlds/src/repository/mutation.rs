//! What a line could say instead: the mistakes that are made, and the repairs that are possible.
//!
//! Each mutation's reverse is one, too (of the kinds that change a line), so that among the repairs of a line stands what it
//! said before.

/// What kind of mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Mistake {
    /// A number, a bound or a length is off by one.
    OffByOne,
    /// Another operator.
    Operator,
    /// Another variable.
    Variable,
    /// Another function, or its arguments the wrong way round.
    Call,
    /// A case is missing.
    Missing,
}

impl Mistake {
    pub(super) const ALL: [Mistake; 5] =
        [Mistake::OffByOne, Mistake::Operator, Mistake::Variable, Mistake::Call, Mistake::Missing];
}

/// Words that are no variables.
const WORDS: [&str; 26] = [
    "False", "None", "True", "abs", "and", "append", "assert", "def", "elif", "else", "for", "from", "if",
    "import", "in", "len", "max", "min", "not", "or", "pass", "range", "return", "sum", "while", "xor",
];

/// What a line may refer to.
pub(super) struct Scope<'a> {
    pub(super) variables: Vec<&'a str>,
    pub(super) functions: Vec<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Word,
    Number,
    Sign,
    Space,
}

/// The pieces of a line, with their places.
fn pieces(line: &str) -> Vec<(Piece, usize, usize)> {
    let bytes = line.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    let run =
        |from: usize, test: fn(&u8) -> bool| from + bytes[from..].iter().take_while(|b| test(b)).count();
    while at < bytes.len() {
        let (piece, end) = match bytes[at] {
            b if b.is_ascii_alphabetic() || b == b'_' => {
                (Piece::Word, run(at, |b| b.is_ascii_alphanumeric() || *b == b'_'))
            }
            b if b.is_ascii_digit() => (Piece::Number, run(at, u8::is_ascii_digit)),
            b' ' => (Piece::Space, run(at, |b| *b == b' ')),
            b'<' | b'>' | b'=' | b'!' | b'+' | b'-' | b'*' | b'/' | b'%' => {
                (Piece::Sign, run(at, |b| b"<>=!+-*/%".contains(b)))
            }
            // One character, of however many bytes.
            _ => (Piece::Sign, at + line[at..].chars().next().map_or(1, char::len_utf8)),
        };
        out.push((piece, at, end));
        at = end;
    }
    out
}

/// What `line` could say instead, in one place of it.
pub(super) fn mutations(line: &str, scope: &Scope<'_>) -> Vec<(Mistake, String)> {
    let pieces = pieces(line);
    let mut out: Vec<(Mistake, String)> = Vec::new();
    for (i, &(piece, from, to)) in pieces.iter().enumerate() {
        let text = &line[from..to];
        let mut put =
            |mistake, new: &str| out.push((mistake, format!("{}{new}{}", &line[..from], &line[to..])));
        match piece {
            Piece::Number => {
                let Ok(n) = text.parse::<u32>() else { continue };
                put(Mistake::OffByOne, &n.saturating_add(1).to_string());
                if n > 0 {
                    put(Mistake::OffByOne, &(n - 1).to_string());
                }
            }
            Piece::Sign => {
                let one = |new: &str, put: &mut dyn FnMut(Mistake, &str)| put(Mistake::Operator, new);
                match text {
                    "<" | "<=" | ">" | ">=" => {
                        let strict = text.len() == 1;
                        let (near, far) = (if strict { "=" } else { "" }, &text[..1]);
                        put(Mistake::OffByOne, &format!("{far}{near}"));
                        let turned = if far == "<" { ">" } else { "<" };
                        put(Mistake::Operator, &text.replace(far, turned));
                    }
                    "==" => one("!=", &mut put),
                    "!=" => one("==", &mut put),
                    "+" => {
                        put(Mistake::Operator, "-");
                        put(Mistake::Operator, "*");
                    }
                    "-" | "*" => one("+", &mut put),
                    "//" => one("%", &mut put),
                    "%" => one("//", &mut put),
                    "+=" => one("-=", &mut put),
                    "-=" => one("+=", &mut put),
                    _ => {}
                }
            }
            Piece::Word => {
                let next = |n: usize| pieces.get(i + n).map_or("", |p| &line[p.1..p.2]);
                match text {
                    "and" => put(Mistake::Operator, "or"),
                    "or" => put(Mistake::Operator, "and"),
                    "len" if next(1) == "(" && next(3) == ")" => {
                        let end = pieces[i + 3].2;
                        let rest = &line[end..];
                        let new = match rest.strip_prefix(" - 1") {
                            Some(rest) => format!("{}{rest}", &line[..end]),
                            None => format!("{} - 1{rest}", &line[..end]),
                        };
                        out.push((Mistake::OffByOne, new));
                    }
                    _ if WORDS.binary_search(&text).is_ok() => {}
                    _ if next(1) == "(" => {
                        for function in scope.functions.iter().filter(|f| **f != text) {
                            put(Mistake::Call, function);
                        }
                        if let Some(turned) = turned(line, to) {
                            out.push((Mistake::Call, turned));
                        }
                    }
                    _ if next(1) == "." => {}
                    // What is assigned or walked stays, so that every name keeps its meaning.
                    _ if matches!(next(2), "=" | "+=" | "-=") && i <= 1 => {}
                    _ if i >= 2 && line[pieces[i - 2].1..pieces[i - 2].2] == *"for" => {}
                    _ if scope.variables.contains(&text) => {
                        for variable in scope.variables.iter().filter(|v| **v != text) {
                            put(Mistake::Variable, variable);
                        }
                    }
                    _ => {}
                }
            }
            Piece::Space => {}
        }
    }
    out.retain(|(_, new)| new != line);
    out
}

/// The line with the two arguments of the call whose bracket opens at `open` the other way round.
fn turned(line: &str, open: usize) -> Option<String> {
    let inside = &line[open + 1..];
    let close = inside.find(')')?;
    let arguments = &inside[..close];
    let (first, second) = arguments.split_once(", ")?;
    let plain = !arguments.contains(['(', '[']) && !second.contains(", ");
    plain.then(|| format!("{}{second}, {first}{}", &line[..=open], &inside[close..]))
}

/// The cases that a line of documentation lists: the lines of each, at the indentation of a body.
pub(super) fn cases(documentation: &str) -> Vec<[String; 2]> {
    let text = documentation.trim().trim_matches('"');
    let case = |part: &str| {
        let (value, test) = part.split_once(" if ")?;
        Some([format!("    if {test}:"), format!("        return {value}")])
    };
    if text.contains("; else ") { text.split("; ").filter_map(case).collect() } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope<'static> {
        Scope { variables: vec!["xs", "n", "x", "total", "i"], functions: vec!["bada", "kilo"] }
    }

    #[test]
    fn words_are_sorted() {
        assert!(WORDS.is_sorted());
    }

    #[test]
    fn every_mutation_can_be_undone_by_another_of_its_kind() {
        let lines = [
            "    if x > n:",
            "        total += xs[i] * (i + 1)",
            "    for i in range(1, len(xs)):",
            "    return bada(xs, n) - kilo(xs, 3)",
            "    while n > 0 and n <= total:",
            "    return xs[len(xs) - 1 - i] // 2 % 3",
            "    return [x for x in xs if x != n]",
        ];
        for line in lines {
            let all = mutations(line, &scope());
            assert!(all.len() > 3, "{line}");
            for (mistake, mutated) in all {
                let back = mutations(&mutated, &scope());
                assert!(back.iter().any(|(m, l)| *m == mistake && l == line), "{line} / {mutated}");
            }
        }
    }

    #[test]
    fn cases_are_read_from_documentation() {
        let found = cases("    \"\"\"2 if n < 3; bada(n, k) if n < 7; else n + k.\"\"\"");
        assert_eq!(found.len(), 2);
        assert_eq!(found[1], ["    if n < 7:".to_owned(), "        return bada(n, k)".to_owned()]);
        assert!(cases("The largest item of xs, or n if that is larger.").is_empty());
    }
}
