//! How long it takes to say which tokens may come next, at every token of the experts' actions.
//!
//! `mask_time TOKENS [FOLDER]`, where `TOKENS` is a file with the bytes of one token a line, in hexadecimal; the last one is
//! the end token. `benches/constrained.sh` makes one of a real vocabulary. To the folder go, for every set of tools, its
//! grammar, the tokens of the calls, and every mask (bit after bit in little endian), so that others can check them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use groundwork_grammar::{ActionGrammar, Vocabulary, lark};
use groundwork_trace::{SpanKind, Tool};
use groundwork_worlds::{Declare, Episode, Split, Task, world_names};

/// Tools as people write them, with every sort of type.
const OFFICE: &str = r#"
    search(query: str, kind: "mail" | "file" | "event" = "mail", limit: int(min=1, max=100) = 20, tags: [str](max=8) = []) -> [any]
    send(to: [str], subject: str, body: str, attach: [{path: path, inline: bool = false}] = [], after: str? = null) -> str
    event(title: str(min=1, max=80), start: str, end: str, people: [{name: str, mail: str, needed: bool}], room: str | int = 1) -> str
    store(key: str, value: any) -> null
    move(x: float, y: float, speed: float = 1.0) -> bool
    book(day: str(format="date"), from: str(format="time"), room: str(pattern="^[A-Z]{1,2}-[0-9]{3}$"), seats: int(min=2, max=200, step=2), note: str(max=200, pattern="[^ \n]") = "-") -> str
    pay(amount: float(above=0, max=5000, step=0.01), account: str(format="uuid"), from: str(format="ipv4") | str(format="ipv6"), rate: float(min=0) = 1.0) -> null
"#;
/// Tools whose lists have no equals and whose records are open, which Lark has no words for.
const MUSEUM: &str = r#"
    label(work: int(min=1), tags: [str](min=1, max=5, unique=true), rooms: ["north" | "south" | "east" | "west"](unique=true) = []) -> null
    describe(work: int(min=1), facts: {title: str, year?: int(min=-3000, max=2100), *: str | float}, sizes: {*: float(above=0)}(min=1, max=3)) -> null
"#;
const LABELS: [&str; 3] = [
    r#"label(work=17, tags=["oil on canvas", "portrait", "1650"], rooms=["south", "north"])"#,
    r#"label(work=18, tags=["oil on canvas", "still life", "on loan"])"#,
    r#"describe(work=17, facts={title: "A woman", painter: "unknown", year: 1650, "bought in": 1899.5}, sizes={width: 0.62, height: 0.805})"#,
];
const CALLS: [&str; 7] = [
    r#"search(query="the report of last week", kind="file", limit=5, tags=["work", "2026"])"#,
    r#"send(to=["ann@example.org", "bob@example.org"], subject="Hello", body="It is done.\nSee you", attach=[{path: "/a/b.txt"}])"#,
    r#"event(title="Review", start="2026-03-01T10:00", end="2026-03-01T11:00", people=[{name: "Ann", mail: "a@b.c", needed: true}])"#,
    r#"store(key="state", value={done: [1, 2, 3], next: {name: "x", at: null}, "other name": 1.5e3})"#,
    r#"move(x=-12.75, y=0.5, speed=1e2)"#,
    r#"book(day="2028-02-29", from="09:30:00+01:00", room="B-204", seats=12, note="near the \"garden\"")"#,
    r#"pay(amount=1249.5, account="123e4567-e89b-12d3-a456-426614174000", from="2001:db8::7:1", rate=1.25e-1)"#,
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("usage: mask_time TOKENS [FOLDER]")?;
    let folder = args.next().map(PathBuf::from);
    let tokens = std::fs::read_to_string(path)?
        .lines()
        .map(bytes)
        .collect::<Option<Vec<_>>>()
        .ok_or("no hexadecimal")?;
    let end = tokens.len() as u32 - 1;
    let began = Instant::now();
    let vocabulary = Vocabulary::new(tokens.iter().map(Vec::as_slice), |id| id == end, end)?;
    println!("{} tokens, laid out in {:.0} ms", tokens.len(), began.elapsed().as_secs_f64() * 1e3);
    let mut ordinary: Vec<(u32, &[u8])> = (0..end).zip(tokens.iter().map(Vec::as_slice)).collect();
    ordinary.sort_by_key(|(_, bytes)| std::cmp::Reverse(bytes.len()));

    println!(
        "{:<18} {:>7} {:>9} {:>8} {:>8} {:>8} {:>8}",
        "tools", "tokens", "compile", "median", "p90", "p99", "max"
    );
    let mut sets = vec![
        ("office".to_owned(), Tool::parse_all(OFFICE)?, CALLS.map(str::to_owned).to_vec()),
        ("museum".to_owned(), Tool::parse_all(MUSEUM)?, LABELS.map(str::to_owned).to_vec()),
    ];
    for &world in world_names() {
        let task = |seed| Task { world: world.into(), split: Split::Train, seed, level: 2, fault: None };
        let tools = Episode::new(&task(0))?.tools().to_vec();
        let mut calls = Vec::new();
        // Where tools differ by task, those of the first task have its calls alone.
        for seed in 0..20 {
            if Episode::new(&task(seed))?.tools() != tools.as_slice() {
                continue;
            }
            let trace = Episode::expert_trace(&task(seed), Declare::None)?;
            calls.extend(trace.spans.into_iter().filter(|s| s.kind == SpanKind::Action).map(|s| s.body));
        }
        sets.push((world.to_owned(), tools, calls));
    }
    let mut all = Vec::new();
    for (name, tools, calls) in sets.into_iter().filter(|(_, _, calls)| !calls.is_empty()) {
        let began = Instant::now();
        let grammar = ActionGrammar::new(&tools, &vocabulary)?;
        let compile = began.elapsed();
        let mut times = Vec::new();
        let (mut said, mut masks) = (String::new(), Vec::new());
        for call in &calls {
            let mut action = grammar.action();
            let mut rest = call.as_bytes();
            let mut ids: Vec<String> = Vec::new();
            loop {
                let began = Instant::now();
                let allowed = action.allowed();
                times.push(began.elapsed());
                if folder.is_some() {
                    let byte = |i: u32| (0..8).fold(0, |b, j| b | u8::from(allowed.has(8 * i + j)) << j);
                    masks.extend((0..tokens.len().div_ceil(32) as u32 * 4).map(byte));
                }
                if rest.is_empty() {
                    assert!(allowed.has(end), "complete: {call}");
                    break;
                }
                let fits = ordinary.iter().find(|(id, bytes)| rest.starts_with(bytes) && allowed.has(*id));
                let (id, bytes) = fits.ok_or_else(|| format!("no token goes on to {call}"))?;
                action.push(*id)?;
                ids.push(id.to_string());
                rest = &rest[bytes.len()..];
            }
            said += &format!("{}\n", ids.join(" "));
        }
        if let Some(folder) = folder.as_ref().filter(|_| name != "museum") {
            std::fs::write(folder.join(format!("{name}.lark")), lark(&tools)?)?;
            std::fs::write(folder.join(format!("{name}.calls")), said)?;
            std::fs::write(folder.join(format!("{name}.masks")), masks)?;
        }
        report(&name, Some(compile), &mut times);
        all.extend(times);
    }
    report("all", None, &mut all);
    Ok(())
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(hex.get(i..i + 2)?, 16).ok()).collect()
}

fn report(name: &str, compile: Option<Duration>, times: &mut [Duration]) {
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    let compile = compile.map_or(String::new(), |c| format!("{:.1} ms", c.as_secs_f64() * 1e3));
    println!(
        "{name:<18} {:>7} {compile:>9} {:>5.1} µs {:>5.1} µs {:>5.0} µs {:>5.0} µs",
        times.len(),
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
}
