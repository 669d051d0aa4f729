//! A problem laid out for running: facts as bits, and the actions that its objects allow.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock};

use groundwork_trace::{Call, ErrorType, Param, Tool, Type, Value};

use super::domain::{Domain, Literal, Term};
use super::search;

/// What holds, a bit a fact.
pub(super) type Facts = Vec<u64>;

/// Whether the bit is set.
pub(super) fn holds(facts: &[u64], bit: u32) -> bool {
    facts[bit as usize / 64] >> (bit % 64) & 1 == 1
}

/// Sets the bit, or clears it.
pub(super) fn put(facts: &mut [u64], bit: u32, on: bool) {
    let mask = 1 << (bit % 64);
    if on {
        facts[bit as usize / 64] |= mask;
    } else {
        facts[bit as usize / 64] &= !mask;
    }
}

/// The tools that every planning world has besides its actions.
pub(super) const QUERIES: &str = "
/// Lists what holds now.
state() -> [str]
/// Lists what holds of one object now.
about(name: str) -> [str] ! NotFound(str)
/// Waits.
wait() -> str
/// Asks for access to an object.
ask(name: str) -> str ! NotFound(str)
";

/// A domain with its tools: one an action, in their order, and then the queries.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) domain: Domain,
    pub(super) tools: Vec<Tool>,
    /// The layouts met, by the types of the objects.
    layouts: Kept<Vec<usize>, Layout>,
}

/// Results that are kept for problems alike: at most so many, and then from the beginning again.
#[derive(Debug)]
struct Kept<K, V>(Mutex<HashMap<K, Arc<V>>>);

impl<K: Clone + Eq + Hash, V> Kept<K, V> {
    fn new() -> Self {
        Kept(Mutex::new(HashMap::new()))
    }

    /// The value for a key, made where it is not kept; `None` where it cannot be made.
    fn get(&self, key: &K, most: usize, make: impl FnOnce() -> Option<V>) -> Option<Arc<V>> {
        let kept = || self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(found) = kept().get(key) {
            return Some(found.clone());
        }
        let made = Arc::new(make()?);
        let mut kept = kept();
        if kept.len() >= most {
            kept.clear();
        }
        kept.insert(key.clone(), made.clone());
        Some(made)
    }
}

/// Where the bits of facts are: the same for all objects of the same types.
#[derive(Debug)]
struct Layout {
    /// For each predicate, where its bits begin, and its places.
    places: Vec<(u32, Vec<Place>)>,
    /// How many facts can change, and how many never do.
    sizes: [u64; 2],
    /// The steps, by the facts that never change.
    steps: Kept<Facts, Vec<Step>>,
}

/// So many layouts are kept, and for each of them so many lists of steps, of so many at most.
const LAYOUTS: usize = 64;
const LISTS: usize = 16;
const KEPT_STEPS: usize = 4096;

impl Layout {
    /// `None` if there are too many facts.
    fn new(domain: &Domain, types: &[usize]) -> Option<Layout> {
        let (mut places, mut sizes) = (Vec::with_capacity(domain.predicates.len()), [0u64; 2]);
        for p in &domain.predicates {
            let mut count = 1u64;
            let ranks = p.params.iter().map(|wanted| {
                let mut next = 0;
                let rank = |of: &usize| match domain.fits(*of, wanted) {
                    true => {
                        next += 1;
                        next - 1
                    }
                    false => u16::MAX,
                };
                let ranks: Vec<u16> = types.iter().map(rank).collect();
                count = count.saturating_mul(u64::from(next));
                (ranks, u32::from(next))
            });
            let ranks: Vec<_> = ranks.collect();
            let size = &mut sizes[usize::from(p.fixed)];
            places.push((*size as u32, ranks));
            *size = size.saturating_add(count);
            if *size > MOST_FACTS {
                return None;
            }
        }
        Some(Layout { places, sizes, steps: Kept::new() })
    }
}

impl Rules {
    pub(super) fn new(domain: Domain) -> Rules {
        let mut tools: Vec<Tool> = domain.actions.iter().map(|a| tool(&domain, a)).collect();
        tools.extend(Tool::parse_all(QUERIES).unwrap_or_default());
        Rules { domain, tools, layouts: Kept::new() }
    }
}

/// `name` with everything replaced that no identifier has.
pub(super) fn identifier(name: &str) -> String {
    let mut out: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if !out.starts_with(|c: char| c.is_ascii_alphabetic()) {
        out.insert(0, '_');
    }
    out
}

fn tool(domain: &Domain, action: &super::domain::Action) -> Tool {
    let term = |t: &Term| match *t {
        Term::Param(i) => identifier(&action.params[i].0),
        Term::Constant(i) => domain.constants[i].0.clone(),
    };
    let literal = |l: &Literal<Term>| {
        let words: Vec<String> = std::iter::once(domain.predicates[l.predicate].name.clone())
            .chain(l.args.iter().map(term))
            .collect();
        if l.holds { words.join(" ") } else { format!("not {}", words.join(" ")) }
    };
    let mut needs: Vec<String> = action
        .params
        .iter()
        .filter(|(_, types)| !types.is_empty())
        .map(|(name, types)| {
            let types: Vec<&str> = types.iter().map(|t| domain.types[*t].0.as_str()).collect();
            format!("{} {}", types.join("/"), identifier(name))
        })
        .collect();
    needs.extend(action.needs.iter().map(literal));
    needs.extend(
        action
            .same
            .iter()
            .map(|(same, a, b)| format!("{}{} = {}", if *same { "" } else { "not " }, term(a), term(b))),
    );
    let makes: Vec<String> = action.effects.iter().map(literal).collect();
    let doc = match needs.is_empty() {
        true => format!("Makes {}.", makes.join(", ")),
        false => format!("Needs {}; makes {}.", needs.join(", "), makes.join(", ")),
    };
    let errors = [
        ("NotFound", vec![Type::Str]),
        ("Unfit", vec![Type::Str]),
        ("Unmet", vec![Type::Str]),
        ("Broken", vec![Type::Str]),
        ("Denied", vec![Type::Str]),
        ("Stale", vec![Type::Str]),
        ("Busy", vec![]),
        ("Gone", vec![Type::Str, Type::Int]),
    ];
    Tool {
        name: identifier(&action.name),
        doc,
        params: action.params.iter().map(|(name, _)| Param::new(identifier(name), Type::Str)).collect(),
        result: Type::Enum(vec![Value::str("ok")]),
        errors: errors
            .into_iter()
            .map(|(name, args)| ErrorType { name: name.to_owned(), doc: String::new(), args })
            .collect(),
        types: Vec::new(),
    }
}

/// An action with objects in the places of its parameters. Only what can change is left of its conditions.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) action: u16,
    pub(super) args: Box<[u16]>,
    /// Facts that must hold, or must not, in the order of the domain.
    pub(super) needs: Box<[(u32, bool)]>,
    /// Facts that it ends and then facts that it makes.
    pub(super) ends: Box<[u32]>,
    pub(super) makes: Box<[u32]>,
}

impl Step {
    pub(super) fn possible(&self, facts: &[u64]) -> bool {
        self.needs.iter().all(|&(bit, on)| holds(facts, bit) == on)
    }

    pub(super) fn apply(&self, facts: &mut [u64]) {
        self.ends.iter().for_each(|&bit| put(facts, bit, false));
        self.makes.iter().for_each(|&bit| put(facts, bit, true));
    }
}

/// A place of a predicate: the rank of each object (or `u16::MAX`), and how many objects fit.
type Place = (Vec<u16>, u32);

/// A problem as it is run. Facts that no action changes have bits of their own, in `fixed`.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) rules: Arc<Rules>,
    /// Names and types of the objects.
    pub(super) objects: Vec<(String, usize)>,
    layout: Arc<Layout>,
    fixed: Facts,
    pub(super) init: Facts,
    pub(super) goal: Vec<(u32, bool)>,
    /// Whether the goal tells what holds in the beginning.
    pub(super) told: bool,
    steps: OnceLock<Arc<Vec<Step>>>,
    plan: OnceLock<Option<search::Plan>>,
}

/// The most facts that a problem may have.
const MOST_FACTS: u64 = 1 << 24;
/// The most steps that the objects of a problem may allow.
const MOST_STEPS: usize = 1 << 20;

impl Scene {
    /// Lays a problem out. `None` if it is too large.
    pub(super) fn new(
        rules: Arc<Rules>,
        objects: Vec<(String, usize)>,
        init: &[Literal<u16>],
        goal: &[Literal<u16>],
        told: bool,
    ) -> Option<Scene> {
        let types: Vec<usize> = objects.iter().map(|o| o.1).collect();
        let layout = rules.layouts.get(&types, LAYOUTS, || Layout::new(&rules.domain, &types))?;
        let blank = |n: u64| vec![0u64; (n as usize).div_ceil(64).max(1)];
        let [init_bits, fixed] = layout.sizes.map(blank);
        let mut scene = Scene {
            rules,
            objects,
            layout,
            fixed,
            init: init_bits,
            goal: Vec::with_capacity(goal.len()),
            told,
            steps: OnceLock::new(),
            plan: OnceLock::new(),
        };
        for fact in init {
            let Some(bit) = scene.bit(fact.predicate, &fact.args) else { continue };
            let fixed = scene.rules.domain.predicates[fact.predicate].fixed;
            put(if fixed { &mut scene.fixed } else { &mut scene.init }, bit, true);
        }
        for fact in goal {
            let bit = scene.bit(fact.predicate, &fact.args)?;
            if !scene.rules.domain.predicates[fact.predicate].fixed {
                scene.goal.push((bit, fact.holds));
            } else if holds(&scene.fixed, bit) != fact.holds {
                // No action can ever make it so: kept as a goal that nothing makes.
                scene.goal.push((bit, !holds(&scene.init, bit)));
            }
        }
        Some(scene)
    }

    pub(super) fn domain(&self) -> &Domain {
        &self.rules.domain
    }

    /// The bit of a fact among those of its sort; `None` if an object does not fit its place.
    fn bit(&self, predicate: usize, args: &[u16]) -> Option<u32> {
        let (start, places) = &self.layout.places[predicate];
        let mut index = 0;
        for (arg, (ranks, size)) in args.iter().zip(places) {
            let rank = ranks[usize::from(*arg)];
            if rank == u16::MAX {
                return None;
            }
            index = index * size + u32::from(rank);
        }
        Some(start + index)
    }

    /// The object of this name.
    pub(super) fn object(&self, name: &str) -> Option<u16> {
        self.objects.iter().position(|o| o.0 == name).map(|i| i as u16)
    }

    /// The bit of the fact that `words` says (`on kilo bada`), if it can change.
    pub(super) fn read(&self, words: &str) -> Option<u32> {
        let mut words = words.split(' ');
        let name = words.next()?;
        let predicate = self.domain().predicates.iter().position(|p| p.name == name && !p.fixed)?;
        let args = words.map(|w| self.object(w)).collect::<Option<Vec<u16>>>()?;
        (args.len() == self.layout.places[predicate].1.len()).then(|| self.bit(predicate, &args)).flatten()
    }

    /// Every fact of `facts`, in words, in a fixed order; `also_fixed` adds those that never change.
    pub(super) fn list(&self, facts: &[u64], also_fixed: bool) -> Vec<String> {
        let mut out = Vec::new();
        self.each(facts, also_fixed, |p, i| {
            let mut words = String::with_capacity(20);
            self.words(p, i, &mut words);
            out.push(words);
        });
        out
    }

    /// The same in one line, added to `out`.
    pub(super) fn tell(&self, facts: &[u64], also_fixed: bool, out: &mut String) {
        let mut first = true;
        self.each(facts, also_fixed, |p, i| {
            if !std::mem::take(&mut first) {
                *out += ", ";
            }
            self.words(p, i, out);
        });
    }

    /// Takes every fact: its predicate, and its index among those of the predicate.
    fn each(&self, facts: &[u64], also_fixed: bool, mut take: impl FnMut(usize, u32)) {
        for (p, predicate) in self.domain().predicates.iter().enumerate() {
            let (start, places) = &self.layout.places[p];
            let count: u32 = places.iter().map(|p| p.1).product();
            let bits: &[u64] = match (predicate.fixed, also_fixed) {
                (true, true) => &self.fixed,
                (true, false) => continue,
                (false, _) => facts,
            };
            (0..count).filter(|i| holds(bits, start + i)).for_each(|i| take(p, i));
        }
    }

    /// Adds the fact of a predicate with this index among its own, in words.
    fn words(&self, predicate: usize, index: u32, out: &mut String) {
        *out += &self.domain().predicates[predicate].name;
        let places = &self.layout.places[predicate].1;
        let mut below: u32 = places.iter().map(|p| p.1).product();
        for (ranks, size) in places {
            below /= size;
            let rank = (index / below % size) as u16;
            let object = ranks.iter().position(|r| *r == rank).unwrap_or(0);
            out.push(' ');
            *out += &self.objects[object].0;
        }
    }

    /// The fact of this bit, in words.
    pub(super) fn say(&self, bit: u32) -> String {
        let places = &self.layout.places;
        let changing = |p: &usize| !self.domain().predicates[*p].fixed && places[*p].0 <= bit;
        let last = (0..places.len()).filter(changing).max_by_key(|p| (places[*p].0, *p));
        let mut words = String::with_capacity(20);
        if let Some(p) = last {
            self.words(p, bit - places[p].0, &mut words);
        }
        words
    }

    /// Every step that the fixed facts allow.
    pub(super) fn steps(&self) -> &[Step] {
        self.steps.get_or_init(|| {
            let made = |most: usize| {
                let mut steps = Vec::new();
                for action in 0..self.domain().actions.len() {
                    let params = self.domain().actions[action].params.len();
                    self.ground(action, &mut Vec::with_capacity(params), &mut steps);
                }
                (steps.len() <= most).then_some(steps)
            };
            let kept = self.layout.steps.get(&self.fixed, LISTS, || made(KEPT_STEPS));
            kept.unwrap_or_else(|| Arc::new(made(usize::MAX).unwrap_or_default()))
        })
    }

    /// Adds all steps of an action whose first arguments are `args`.
    fn ground(&self, action: usize, args: &mut Vec<u16>, steps: &mut Vec<Step>) {
        let a = &self.domain().actions[action];
        if self.ruled_out(action, args) || steps.len() >= MOST_STEPS {
            return;
        }
        if args.len() == a.params.len() {
            steps.extend(self.step(action, args));
            return;
        }
        let types = &a.params[args.len()].1;
        for object in 0..self.objects.len() {
            if self.domain().fits(self.objects[object].1, types) {
                args.push(object as u16);
                self.ground(action, args, steps);
                args.pop();
            }
        }
    }

    /// Whether a fixed condition fails that the last of `args` completes.
    fn ruled_out(&self, action: usize, args: &[u16]) -> bool {
        let a = &self.domain().actions[action];
        let newest = |t: &Term| *t == Term::Param(args.len().wrapping_sub(1));
        let bound = |t: &Term| !matches!(t, Term::Param(i) if *i >= args.len());
        let fails = |l: &&Literal<Term>| {
            let due = self.domain().predicates[l.predicate].fixed
                && l.args.iter().all(bound)
                && (l.args.iter().any(newest) || args.is_empty());
            due && self.filled(l, args).is_none_or(|bit| holds(&self.fixed, bit) != l.holds)
        };
        let unlike = |(same, x, y): &(bool, Term, Term)| {
            bound(x) && bound(y) && (fill(x, args) == fill(y, args)) != *same
        };
        a.needs.iter().any(|l| fails(&l)) || a.same.iter().any(unlike)
    }

    fn filled(&self, l: &Literal<Term>, args: &[u16]) -> Option<u32> {
        let mut filled = [0u16; 8];
        match filled.get_mut(..l.args.len()) {
            Some(places) => {
                places.iter_mut().zip(&l.args).for_each(|(p, t)| *p = fill(t, args));
                self.bit(l.predicate, places)
            }
            None => self.bit(l.predicate, &l.args.iter().map(|t| fill(t, args)).collect::<Vec<_>>()),
        }
    }

    /// Does what an action with these arguments, of the right types, does.
    pub(super) fn apply(&self, action: usize, args: &[u16], facts: &mut [u64]) {
        for on in [false, true] {
            for l in self.domain().actions[action].effects.iter().filter(|l| l.holds == on) {
                if let Some(bit) = self.filled(l, args) {
                    put(facts, bit, on);
                }
            }
        }
    }

    /// The step that an action with these arguments, of the right types, is; `None` if it can never be.
    pub(super) fn step(&self, action: usize, args: &[u16]) -> Option<Step> {
        let a = &self.domain().actions[action];
        let mut needs = Vec::with_capacity(a.needs.len());
        for l in a.needs.iter().filter(|l| !self.domain().predicates[l.predicate].fixed) {
            needs.push((self.filled(l, args)?, l.holds));
        }
        let part = |on: bool| {
            let of = a.effects.iter().filter(move |l| l.holds == on);
            of.map(|l| self.filled(l, args)).collect::<Option<Box<[u32]>>>()
        };
        Some(Step {
            action: action as u16,
            args: args.into(),
            needs: needs.into(),
            ends: part(false)?,
            makes: part(true)?,
        })
    }

    /// The condition of an action that fails first, in words.
    pub(super) fn unmet(&self, action: usize, args: &[u16], facts: &[u64]) -> Option<String> {
        let a = &self.domain().actions[action];
        for (same, x, y) in &a.same {
            let (x, y) = (fill(x, args), fill(y, args));
            if (x == y) != *same {
                let name = |o: u16| &self.objects[usize::from(o)].0;
                return Some(format!("{}{} = {}", if *same { "" } else { "not " }, name(x), name(y)));
            }
        }
        a.needs.iter().find_map(|l| {
            let fixed = self.domain().predicates[l.predicate].fixed;
            let bit = self.filled(l, args);
            let now = bit.is_some_and(|b| holds(if fixed { &self.fixed } else { facts }, b));
            (now != l.holds).then(|| {
                let mut words = if l.holds { String::new() } else { "not ".to_owned() };
                words += &self.domain().predicates[l.predicate].name;
                for t in &l.args {
                    words.push(' ');
                    words += &self.objects[usize::from(fill(t, args))].0;
                }
                words
            })
        })
    }

    /// The call that performs a step.
    pub(super) fn call(&self, step: &Step) -> Call {
        let tool = &self.rules.tools[usize::from(step.action)];
        let args = tool.params.iter().zip(&step.args);
        Call {
            tool: tool.name.clone(),
            args: args
                .map(|(p, &o)| (p.name.clone(), Value::str(self.objects[usize::from(o)].0.as_str())))
                .collect(),
        }
    }

    /// Adds a step in words: `stack kilo bada`.
    pub(super) fn brief(&self, step: &Step, out: &mut String) {
        *out += &self.rules.tools[usize::from(step.action)].name;
        for &o in &step.args {
            out.push(' ');
            *out += &self.objects[usize::from(o)].0;
        }
    }

    /// Whether the goal is reached.
    pub(super) fn reached(&self, facts: &[u64]) -> bool {
        self.goal.iter().all(|&(bit, on)| holds(facts, bit) == on)
    }

    /// The plan from the beginning.
    pub(super) fn plan(&self) -> Option<&search::Plan> {
        self.plan.get_or_init(|| search::plan(self, &self.init, None)).as_ref()
    }
}

fn fill(term: &Term, args: &[u16]) -> u16 {
    match *term {
        Term::Param(i) => args[i],
        Term::Constant(i) => i as u16,
    }
}
