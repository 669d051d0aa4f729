//! Problems: objects, what holds in the beginning, and what is to hold in the end.

use super::domain::{Domain, Literal, conjunction, definition};
use super::sexp::{Node, Read, wrong};

/// A problem of a domain. Objects by their index, the domain's constants first.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    /// Names and types.
    pub(super) objects: Vec<(String, usize)>,
    pub(super) init: Vec<Literal<u16>>,
    pub(super) goal: Vec<Literal<u16>>,
}

impl Problem {
    /// Reads a problem of `domain`.
    pub(super) fn parse(text: &str, domain: &Domain) -> Read<Problem> {
        let file = Node::parse(text)?;
        let (_, sections) = definition(&file, "problem")?;
        let mut objects = domain.constants.clone();
        let (mut init, mut goal) = (None, None);
        for section in sections {
            let (head, rest) = section.form("a section such as `(:init …)`")?;
            match head {
                ":domain" => match rest {
                    [name] if name.word("the domain's name")? == domain.name => {}
                    _ => {
                        return wrong(
                            "this problem is of another domain",
                            &section.at,
                            format!("the domain read before is `{}`", domain.name),
                        );
                    }
                },
                ":requirements" => {}
                ":objects" => {
                    for o in domain.typed(rest)? {
                        if objects.iter().any(|known| known.0 == o.word) {
                            return wrong(
                                format!("there are two objects `{}`", o.word),
                                &o.at,
                                "give them different names",
                            );
                        }
                        if objects.len() > usize::from(u16::MAX) {
                            return wrong("too many objects", &o.at, "65,536 is the most");
                        }
                        let ty = domain.one_type(&o)?;
                        objects.push((o.word.to_owned(), ty));
                    }
                }
                ":init" => init = Some(rest),
                ":goal" => goal = Some((rest, section)),
                other => {
                    return wrong(
                        format!("`{other}` is not understood"),
                        &section.at,
                        "a problem has :domain, :objects, :init and :goal",
                    );
                }
            }
        }
        let Some(init) = init else {
            return wrong("there is no :init", &file.at, "say what holds in the beginning");
        };
        let Some((goal, goal_at)) = goal else {
            return wrong("there is no :goal", &file.at, "say what is to hold in the end");
        };
        let [goal] = goal else {
            return wrong("a :goal is one condition", &goal_at.at, "join several with `(and …)`");
        };
        let object = |node: &Node| {
            let word = node.word("an object")?;
            match objects.iter().position(|o| o.0 == word) {
                Some(i) => Ok(i as u16),
                None => wrong(
                    format!("there is no object `{word}`"),
                    &node.at,
                    "declare it in :objects before it is used",
                ),
            }
        };
        let facts = |all: Vec<(bool, &Node)>| -> Read<Vec<Literal<u16>>> {
            let read = |(holds, node): (bool, &Node)| {
                let fact = domain.literal(holds, node, object)?;
                let places = &domain.predicates[fact.predicate].params;
                for (place, &arg) in places.iter().zip(&fact.args) {
                    let (name, ty) = &objects[usize::from(arg)];
                    if !domain.fits(*ty, place) {
                        let message = format!("`{name}` is of the wrong type here");
                        return wrong(message, &node.at, format!("it is a `{}`", domain.types[*ty].0));
                    }
                }
                Ok(fact)
            };
            all.into_iter().map(read).collect()
        };
        let goal = facts(conjunction(goal)?)?;
        if goal.is_empty() {
            return wrong("the :goal asks for nothing", &goal_at.at, "name at least one fact");
        }
        let mut first = Vec::new();
        for node in init {
            first.extend(facts(conjunction(node)?)?);
        }
        first.retain(|f| f.holds);
        Ok(Problem { objects, init: first, goal })
    }
}
