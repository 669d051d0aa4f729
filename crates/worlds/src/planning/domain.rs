//! Domains: types, predicates and actions, as PDDL states them.

use std::ops::Range;

use super::sexp::{Is, Node, Read, wrong};

/// What the reader understands of PDDL's requirements.
const REQUIREMENTS: [&str; 4] = [":strips", ":typing", ":negative-preconditions", ":equality"];

/// A set of types, by their index, of which an object must have one. Empty for any object.
pub(super) type Types = Vec<usize>;

/// A predicate, and what its places may hold.
#[derive(Clone, Debug)]
pub(super) struct Predicate {
    pub(super) name: String,
    pub(super) params: Vec<Types>,
    /// No action changes it.
    pub(super) fixed: bool,
}

/// What stands at a place of a predicate inside an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Term {
    Param(usize),
    /// One of the domain's constants.
    Constant(usize),
}

/// A predicate that holds, or does not.
#[derive(Clone, Debug)]
pub(super) struct Literal<T> {
    pub(super) holds: bool,
    pub(super) predicate: usize,
    pub(super) args: Vec<T>,
}

/// An operator.
#[derive(Clone, Debug)]
pub(super) struct Action {
    pub(super) name: String,
    pub(super) params: Vec<(String, Types)>,
    pub(super) needs: Vec<Literal<Term>>,
    /// Pairs that must be the same (or not).
    pub(super) same: Vec<(bool, Term, Term)>,
    pub(super) effects: Vec<Literal<Term>>,
}

/// A domain.
#[derive(Clone, Debug)]
pub(super) struct Domain {
    pub(super) name: String,
    /// Each type's name and parent. The first is `object`.
    pub(super) types: Vec<(String, Option<usize>)>,
    pub(super) constants: Vec<(String, usize)>,
    pub(super) predicates: Vec<Predicate>,
    pub(super) actions: Vec<Action>,
}

/// Words with their places, each with the types that follow the next `-`.
pub(super) struct Typed<'a> {
    pub(super) word: &'a str,
    pub(super) at: Range<usize>,
    pub(super) types: Types,
}

impl Domain {
    /// Reads a domain.
    pub(super) fn parse(text: &str) -> Read<Domain> {
        let file = Node::parse(text)?;
        let (name, sections) = definition(&file, "domain")?;
        let mut domain = Domain { name, ..Domain::nothing() };
        for section in sections {
            let (head, rest) = section.form("a section such as `(:predicates …)`")?;
            match head {
                ":requirements" => requirements(rest)?,
                ":types" => domain.read_types(rest)?,
                ":constants" => {
                    for c in domain.typed(rest)? {
                        let ty = domain.one_type(&c)?;
                        domain.constants.push((c.word.to_owned(), ty));
                    }
                }
                ":predicates" => {
                    for node in rest {
                        let (name, params) = node.form("a predicate such as `(on ?a ?b)`")?;
                        if domain.predicates.iter().any(|p| p.name == name) {
                            return wrong(
                                format!("`{name}` is declared twice"),
                                &node.at,
                                "leave one of them out",
                            );
                        }
                        let params = domain.params(params)?.into_iter().map(|p| p.1).collect();
                        domain.predicates.push(Predicate { name: name.to_owned(), params, fixed: true });
                    }
                }
                ":action" => {
                    let action = domain.read_action(rest, &section.at)?;
                    domain.actions.push(action);
                }
                other => {
                    return wrong(
                        format!("`{other}` is not understood"),
                        &section.at,
                        "a domain has :requirements, :types, :constants, :predicates and :action",
                    );
                }
            }
        }
        if domain.actions.is_empty() {
            return wrong("a domain without an :action", &file.at, "add one: there would be nothing to do");
        }
        for effect in domain.actions.iter().flat_map(|a| &a.effects) {
            domain.predicates[effect.predicate].fixed = false;
        }
        Ok(domain)
    }

    /// A domain in which there is nothing to do.
    pub(super) fn nothing() -> Domain {
        let types = vec![("object".to_owned(), None)];
        Domain {
            name: String::new(),
            types,
            constants: Vec::new(),
            predicates: Vec::new(),
            actions: Vec::new(),
        }
    }

    fn read_types(&mut self, nodes: &[Node]) -> Read<()> {
        // A type may be named before it is declared, so that names come first.
        for word in nodes.iter().filter_map(|n| if let Is::Word(w) = &n.is { Some(w) } else { None }) {
            if word != "-" && !self.types.iter().any(|t| t.0 == *word) {
                self.types.push((word.clone(), Some(0)));
            }
        }
        for t in self.typed(nodes)? {
            let (Some(child), Some(parent)) = (self.find_type(t.word), t.types.first()) else { continue };
            let mut above = Some(*parent);
            while let Some(i) = above {
                if i == child {
                    let message = format!("`{}` would be a kind of itself", t.word);
                    return wrong(message, &t.at, "types form a tree under `object`");
                }
                above = self.types[i].1;
            }
            self.types[child].1 = Some(*parent);
        }
        Ok(())
    }

    fn find_type(&self, name: &str) -> Option<usize> {
        self.types.iter().position(|t| t.0 == name)
    }

    /// Reads `a b - t c - (either u v) d`.
    pub(super) fn typed<'a>(&self, nodes: &'a [Node]) -> Read<Vec<Typed<'a>>> {
        let mut found: Vec<Typed<'a>> = Vec::new();
        let mut from = 0;
        let mut nodes = nodes.iter();
        while let Some(node) = nodes.next() {
            let word = node.word("a name")?;
            if word != "-" {
                found.push(Typed { word, at: node.at.clone(), types: Vec::new() });
                continue;
            }
            let Some(node) = nodes.next() else {
                return wrong("no type follows `-`", &node.at, "name a type, or leave `-` out");
            };
            let named = match &node.is {
                Is::Word(_) => vec![node],
                Is::List(_) => match node.form("`(either …)`")? {
                    ("either", types) => types.iter().collect(),
                    (other, _) => {
                        return wrong(
                            format!("`{other}` is no way to join types"),
                            &node.at,
                            "write `(either a b)`",
                        );
                    }
                },
            };
            let mut types = Vec::new();
            for node in named {
                let word = node.word("a type")?;
                match self.find_type(word) {
                    Some(t) => types.push(t),
                    None => {
                        let known: Vec<&str> = self.types.iter().map(|t| t.0.as_str()).collect();
                        return wrong(
                            format!("there is no type `{word}`"),
                            &node.at,
                            format!("the types are {}", known.join(", ")),
                        );
                    }
                }
            }
            found[from..].iter_mut().for_each(|t| t.types.clone_from(&types));
            from = found.len();
        }
        Ok(found)
    }

    /// The one type of an object or constant.
    pub(super) fn one_type(&self, t: &Typed<'_>) -> Read<usize> {
        match t.types[..] {
            [] => Ok(0),
            [one] => Ok(one),
            _ => wrong(format!("`{}` must have one type", t.word), &t.at, "`either` is for parameters"),
        }
    }

    /// Reads parameters: `?a ?b - t`.
    fn params(&self, nodes: &[Node]) -> Read<Vec<(String, Types)>> {
        let mut params: Vec<(String, Types)> = Vec::new();
        for t in self.typed(nodes)? {
            let Some(name) = t.word.strip_prefix('?').filter(|n| !n.is_empty()) else {
                let hint = format!("parameters begin with `?`: `?{}`", t.word);
                return wrong(format!("`{}` is no parameter", t.word), &t.at, hint);
            };
            if params.iter().any(|p| p.0 == name) {
                return wrong(
                    format!("there are two parameters `?{name}`"),
                    &t.at,
                    "give them different names",
                );
            }
            params.push((name.to_owned(), t.types));
        }
        Ok(params)
    }

    fn read_action(&self, nodes: &[Node], at: &Range<usize>) -> Read<Action> {
        let [name, rest @ ..] = nodes else {
            return wrong("an :action without a name", at, "write `(:action move :parameters (…) …)`");
        };
        let name_at = &name.at;
        let name = name.word("the action's name")?.to_owned();
        if self.actions.iter().any(|a| a.name == name) {
            return wrong(format!("there are two actions `{name}`"), name_at, "give them different names");
        }
        let mut action =
            Action { name, params: Vec::new(), needs: Vec::new(), same: Vec::new(), effects: Vec::new() };
        let mut rest = rest.iter();
        while let Some(key) = rest.next() {
            let word = key.word("`:parameters`, `:precondition` or `:effect`")?;
            let Some(value) = rest.next() else {
                return wrong(format!("nothing follows `{word}`"), &key.at, "a bracket follows");
            };
            match word {
                ":parameters" => action.params = self.params(value.list("the parameters in brackets")?)?,
                ":precondition" => {
                    for (holds, node) in conjunction(value)? {
                        let (head, args) = node.form("a predicate")?;
                        if head == "=" {
                            let [a, b] = args else {
                                return wrong("`=` compares two things", &node.at, "write `(= ?a ?b)`");
                            };
                            let pair = (self.term(a, &action.params)?, self.term(b, &action.params)?);
                            action.same.push((holds, pair.0, pair.1));
                        } else {
                            action.needs.push(self.literal(holds, node, |n| self.term(n, &action.params))?);
                        }
                    }
                }
                ":effect" => {
                    for (holds, node) in conjunction(value)? {
                        action.effects.push(self.literal(holds, node, |n| self.term(n, &action.params))?);
                    }
                }
                other => {
                    return wrong(
                        format!("`{other}` is not understood"),
                        &key.at,
                        "an action has :parameters, :precondition and :effect",
                    );
                }
            }
        }
        Ok(action)
    }

    fn term(&self, node: &Node, params: &[(String, Types)]) -> Read<Term> {
        let word = node.word("a parameter or a constant")?;
        let found = match word.strip_prefix('?') {
            Some(name) => params.iter().position(|p| p.0 == name).map(Term::Param),
            None => self.constants.iter().position(|c| c.0 == word).map(Term::Constant),
        };
        match found {
            Some(term) => Ok(term),
            None => wrong(
                format!("`{word}` is neither a parameter of this action nor a constant"),
                &node.at,
                "name it in :parameters before it is used, or in :constants",
            ),
        }
    }

    /// Reads `(on a b)`, its places by `read`.
    pub(super) fn literal<T>(
        &self,
        holds: bool,
        node: &Node,
        read: impl Fn(&Node) -> Read<T>,
    ) -> Read<Literal<T>> {
        let (name, args) = node.form("a predicate")?;
        let Some(predicate) = self.predicates.iter().position(|p| p.name == name) else {
            let known: Vec<&str> = self.predicates.iter().map(|p| p.name.as_str()).collect();
            let hint = format!("the predicates are {}", known.join(", "));
            return wrong(format!("there is no predicate `{name}`"), &node.at, hint);
        };
        let places = self.predicates[predicate].params.len();
        if args.len() != places {
            let message = format!("`{name}` has {places} places, not {}", args.len());
            return wrong(message, &node.at, "write as many as its declaration");
        }
        let args = args.iter().map(read).collect::<Read<Vec<T>>>()?;
        Ok(Literal { holds, predicate, args })
    }

    /// Whether an object of type `ty` may stand where one of `types` is asked for.
    pub(super) fn fits(&self, ty: usize, types: &Types) -> bool {
        let mut above = Some(ty);
        while let Some(t) = above {
            if types.is_empty() || types.contains(&t) {
                return true;
            }
            above = self.types[t].1;
        }
        false
    }
}

/// The name and the sections of `(define (WHAT name) section…)`.
pub(super) fn definition<'a>(file: &'a Node, what: &str) -> Read<(String, &'a [Node])> {
    let hint = format!("a file holds `(define ({what} name) …)`");
    let ("define", [name, sections @ ..]) = file.form("`define`")? else {
        return wrong(format!("this is not the definition of a {what}"), &file.at, hint);
    };
    match name.form(what)? {
        (head, [name]) if head == what => Ok((name.word("a name")?.to_owned(), sections)),
        (other, _) => wrong(format!("expected `({what} name)`, found `({other} …)`"), &name.at, hint),
    }
}

fn requirements(nodes: &[Node]) -> Read<()> {
    for node in nodes {
        let word = node.word("a requirement")?;
        if !REQUIREMENTS.contains(&word) {
            let hint = format!("what can be read is {}", REQUIREMENTS.join(", "));
            return wrong(format!("`{word}` is not supported"), &node.at, hint);
        }
    }
    Ok(())
}

/// The literals of `(and x (not y) …)`, or of one alone, or of `()`.
pub(super) fn conjunction(node: &Node) -> Read<Vec<(bool, &Node)>> {
    let mut found = Vec::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        match node.list("a condition")? {
            [] => {}
            [head, rest @ ..] => match (head.word("a predicate, `and` or `not`")?, rest) {
                ("and", all) => open.extend(all.iter().rev()),
                ("not", [one]) => found.push((false, one)),
                ("not", _) => {
                    return wrong("`not` takes one condition", &node.at, "write `(not (on ?a ?b))`");
                }
                (other @ ("or" | "forall" | "exists" | "imply" | "when" | "increase"), _) => {
                    return wrong(
                        format!("`{other}` is not supported"),
                        &node.at,
                        "conditions and effects are conjunctions of predicates and their negations",
                    );
                }
                _ => found.push((true, node)),
            },
        }
    }
    Ok(found)
}
