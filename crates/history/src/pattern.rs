//! Patterns that take a run's arm, size and seed from its name.

use crate::HistoryError;

/// A pattern such as `{arm}/{size}/seed-{seed}`: text stands for itself, `{name}` for some text without `/`, `*` for any
/// text without `/`, `**` for any text. It fits a name whole, or its end after a `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Field(String),
    Any,
    AnyPath,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// If a brace is not closed, or a field stands twice or has no name.
    pub fn parse(text: &str) -> Result<Pattern, HistoryError> {
        let wrong = |message: String| HistoryError::Pattern { pattern: text.to_owned(), message };
        let mut parts: Vec<Part> = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if let Some(inner) = rest.strip_prefix('{') {
                let Some((name, after)) = inner.split_once('}') else {
                    return Err(wrong("has a `{` without its `}`".into()));
                };
                if name.is_empty() || name.contains('{') {
                    return Err(wrong("has a field without a name".into()));
                }
                if parts.contains(&Part::Field(name.to_owned())) {
                    return Err(wrong(format!("has the field `{name}` twice")));
                }
                parts.push(Part::Field(name.to_owned()));
                rest = after;
            } else if let Some(after) = rest.strip_prefix("**") {
                parts.push(Part::AnyPath);
                rest = after;
            } else if let Some(after) = rest.strip_prefix('*') {
                parts.push(Part::Any);
                rest = after;
            } else {
                match parts.last_mut() {
                    Some(Part::Literal(literal)) => literal.push(first),
                    _ => parts.push(Part::Literal(first.to_string())),
                }
                rest = &rest[first.len_utf8()..];
            }
        }
        Ok(Pattern { parts })
    }

    /// Names of the fields.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Field(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The fields of `name`, in the order of the pattern; `None` if it does not fit. Earlier fields take as much as they can.
    pub fn fit<'n>(&self, name: &'n str) -> Option<Vec<(&str, &'n str)>> {
        let starts = std::iter::once(0).chain(name.match_indices('/').map(|(at, _)| at + 1));
        starts.into_iter().find_map(|start| {
            let mut found = Vec::new();
            fit(&self.parts, &name[start..], &mut found).then_some(found)
        })
    }
}

fn fit<'p, 'n>(parts: &'p [Part], name: &'n str, found: &mut Vec<(&'p str, &'n str)>) -> bool {
    let Some((part, after)) = parts.split_first() else { return name.is_empty() };
    let reach = |path: bool| if path { name.len() } else { name.find('/').unwrap_or(name.len()) };
    match part {
        Part::Literal(literal) => {
            name.strip_prefix(literal.as_str()).is_some_and(|rest| fit(after, rest, found))
        }
        Part::Field(field) => ends(name, reach(false), 1).any(|end| {
            found.push((field.as_str(), &name[..end]));
            let fits = fit(after, &name[end..], found);
            if !fits {
                found.pop();
            }
            fits
        }),
        Part::Any => ends(name, reach(false), 0).any(|end| fit(after, &name[end..], found)),
        Part::AnyPath => ends(name, reach(true), 0).any(|end| fit(after, &name[end..], found)),
    }
}

/// Ends of a stretch at the start of `name`, from `most` down to `least` bytes, at borders of characters.
fn ends(name: &str, most: usize, least: usize) -> impl Iterator<Item = usize> + '_ {
    (least..=most).rev().filter(|end| name.is_char_boundary(*end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pattern: &str, name: &str) -> Option<String> {
        let pattern = Pattern::parse(pattern).unwrap();
        let found = pattern.fit(name)?;
        Some(found.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn names_fall_into_their_fields() {
        assert_eq!(fields("{arm}-{size}-s{seed}", "my-arm-1M-s3").unwrap(), "arm=my-arm size=1M seed=3");
        assert_eq!(fields("{arm}/{size}/s{seed}", "logs/a/1M/s3").unwrap(), "arm=a size=1M seed=3");
        assert_eq!(fields("{arm}-s{seed}.csv", "deep/down/é-s1.csv").unwrap(), "arm=é seed=1");
        assert_eq!(fields("{arm}/**/{seed}", "a/b/c/7").unwrap(), "arm=a seed=7");
        assert_eq!(fields("x-{arm}-*", "x-base-0badcafe").unwrap(), "arm=base");
        assert_eq!(fields("{arm}-s{seed}", "other"), None);
        assert_eq!(fields("{arm}-{seed}", "-1"), None);
    }

    #[test]
    fn a_wrong_pattern_is_refused() {
        for (text, want) in [("{arm", "without its"), ("{}", "without a name"), ("{a}{a}", "twice")] {
            assert!(Pattern::parse(text).unwrap_err().to_string().contains(want), "{text}");
        }
    }
}
