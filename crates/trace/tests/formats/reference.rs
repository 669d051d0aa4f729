//! `docs/trace-formats.md` says what the code does. `UPDATE_DOCS=1` writes its generated parts anew.

use groundwork_trace::adapters::{Document, Format, LossKind, Place};
use groundwork_trace::{Span, SpanKind, Trace};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/trace-formats.md");

const EXAMPLE: &str = r#"tools {
  /// Pays somebody.
  pay(to: str, cents: int = 100) -> any
}
system: Be brief.
goal: Pay Ann and Bob.
thought: Two payments.
plan: I pay both.
action: pay(to="Ann", cents=5)
action [failed]: pay(to="Bob")
observation: {ok: true}
error: NoMoney(2)
answer: Ann is paid; for Bob there was no money.
"#;

fn trace(text: &str) -> Trace {
    Trace::parse(text).unwrap_or_else(|d| panic!("{}", d.render(text, "probe", false)))
}

/// A name, the losses that are asked about, and a trace with this one thing in it.
fn probes() -> Vec<(&'static str, Trace)> {
    let goal = "goal: Go.\n";
    let with = |rest: &str| trace(&format!("{goal}{rest}"));
    let mut raw = with("action: x\n");
    raw.spans[1] = Span { failed: true, ..Span::new(SpanKind::Action, "pay: Ann, 5") };
    let markers = "<|im_end|></s><｜User｜><|user|><|eot_id|><|eot|>[e~[<turn|><|end|>";
    vec![
        ("tool", trace("tools {\n  pay(to: str) -> any\n}\ngoal: Go.\n")),
        ("result and error types", trace("tools {\n  pay(to: str) -> int ! NoMoney\n}\ngoal: Go.\n")),
        ("set of tools", trace("tools: files\ngoal: Go.\n")),
        ("system", trace("system: Be brief.\ngoal: Go.\n")),
        ("thought", with("thought: Hm.\nanswer: Yes.\n")),
        ("reflection", with("reflection: Hm.\nanswer: Yes.\n")),
        ("plan before a call", with("plan: I pay.\naction: pay(to=\"Ann\")\nobservation: null\n")),
        ("parallel calls", with("action: pay(a=1)\naction: pay(a=2)\nobservation: 1\nobservation: 2\n")),
        ("error", with("action [failed]: pay(a=1)\nerror: NoMoney\n")),
        ("order of fields", with("action: pay(to=\"Ann\", cents=5)\nobservation: null\n")),
        ("spelling", with("action: pay(a= 1e3)\nobservation: null\n")),
        ("\"5\"", with("action: pay(a=\"5\")\nobservation: \"5\"\n")),
        ("no JSON", raw),
        ("a marker", Trace::new(vec![Span::new(SpanKind::Goal, markers)])),
    ]
}

fn table() -> String {
    let probes = probes();
    let mut out = String::from("\n| |");
    probes.iter().for_each(|(name, _)| out.push_str(&format!(" {name} |")));
    out.push_str("\n|---|");
    out.push_str(&"---|".repeat(probes.len()));
    for format in Format::ALL {
        out.push_str(&format!("\n| `{}` |", format.name()));
        for (_, probe) in &probes {
            // The goal around the probe is not asked about, unless it is the probe.
            let asked = |l: &&groundwork_trace::adapters::Loss| {
                probe.spans.len() == 1
                    || !matches!(l.place, Place::Span(i) if probe.spans[i].kind == SpanKind::Goal)
            };
            let written = format.write(probe);
            let mut kinds: Vec<LossKind> = written.losses.iter().filter(asked).map(|l| l.kind).collect();
            kinds.sort();
            kinds.dedup();
            let names: Vec<&str> = kinds.iter().map(|k| k.name()).collect();
            out.push_str(&format!(" {} |", if names.is_empty() { "–".to_owned() } else { names.join(", ") }));
        }
    }
    out.push_str("\n\n");
    out
}

/// What a tool may declare, and what comes back of it.
const DECLARED: [(&str, &str); 22] = [
    ("a description", "/// Pays.\npay() -> any"),
    ("one of a parameter", "pay(\n/// Who.\nto: str) -> any"),
    ("`str`, `bool`, `any`", "pay(a: str, b: bool, c: any) -> any"),
    ("`int`", "pay(a: int) -> any"),
    ("`float`", "pay(a: float) -> any"),
    ("`path`", "pay(a: path) -> any"),
    ("a default", "pay(a: str = \"x\", b: float = 1.5) -> any"),
    ("`a?: T`", "pay(a?: str) -> any"),
    ("`T?`", "pay(a: str?) -> any"),
    ("lists", "pay(a: [[str]]) -> any"),
    ("maps", "pay(a: {*: str}) -> any"),
    ("records", "pay(a: {x: float, y?: float}) -> any"),
    ("open records", "pay(a: {x: float, *: float}) -> any"),
    ("described fields", "pay(a: {\n/// Across.\nx: float}) -> any"),
    ("enums", "pay(a: \"n\" | \"s\", b: 1 | 2) -> any"),
    ("unions", "pay(a: str | [str]) -> any"),
    ("bounds", "pay(a: str(min=1, pattern=\"^a\")) -> any"),
    ("formats", "pay(a: str(format=\"date\")) -> any"),
    ("named types", "type Node = {children: [Node]}\npay(a: Node) -> any"),
    ("the result", "pay() -> [str]"),
    ("errors", "pay() -> any ! Poor(str) | Gone"),
    ("names like `get-weather`", "\"get-weather\"(\"at-time\": str) -> any"),
];

fn signatures() -> String {
    let formats = [Format::Python, Format::TypeScript, Format::OpenAiChat, Format::Mcp2026];
    let mut out = String::from("\n| |");
    formats.iter().for_each(|f| out.push_str(&format!(" `{}` |", f.name())));
    out.push_str("\n|---|---|---|---|---|");
    for (what, declaration) in DECLARED {
        out.push_str(&format!("\n| {what} |"));
        let tools = groundwork_trace::Tool::parse_all(&format!("{{\n{declaration}\n}}")).unwrap();
        let trace = Trace::new(vec![Span::new(SpanKind::Tools, groundwork_trace::Tool::print_all(&tools))]);
        for format in formats {
            let written = format.write(&trace);
            let back = format.read(&written.value).unwrap().value.remove(0);
            let cell = if written.losses.is_empty() {
                "–".to_owned()
            } else {
                let back = groundwork_trace::Tool::parse_all(&back.spans[0].body).unwrap();
                format!("`{}`", back[0].signature().replace('|', "\\|"))
            };
            out.push_str(&format!(" {cell} |"));
        }
    }
    out.push_str("\n\n");
    out
}

fn examples() -> String {
    let trace = trace(EXAMPLE);
    let mut out = format!("\n```trace\n{EXAMPLE}```\n");
    for format in Format::ALL {
        let written = format.write(&trace);
        out.push_str(&format!("\n### `{}`\n\n{}.\n\n", format.name(), capitalised(format.description())));
        let text = match format.document() {
            Document::Json => {
                let json: serde_json::Value = serde_json::from_str(&written.value).unwrap();
                serde_json::to_string_pretty(&json).unwrap()
            }
            _ => written.value,
        };
        // A fence longer than those inside.
        out.push_str(&format!("````text\n{}\n````\n", text.trim_end_matches('\n')));
        if !written.losses.is_empty() {
            let losses: Vec<String> =
                written.losses.iter().map(|l| format!("`{}` (span {})", l.kind, span(&l.place))).collect();
            out.push_str(&format!("\nLost: {}.\n", losses.join(", ")));
        }
    }
    out.push('\n');
    out
}

fn span(place: &Place) -> usize {
    match place {
        Place::Span(i) => *i,
        other => panic!("a trace has spans, not {other}"),
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |c| c.to_uppercase().chain(chars).collect())
}

#[test]
fn the_documentation_is_what_the_code_does() {
    let found = std::fs::read_to_string(PATH).unwrap();
    let mut wanted = found.clone();
    for (name, generated) in [("table", table()), ("signatures", signatures()), ("examples", examples())] {
        let start = format!("<!-- generated: {name} -->\n");
        let from = wanted.find(&start).expect("the place of the generated part") + start.len();
        let to = from + wanted[from..].find("<!-- end -->").expect("its end");
        wanted.replace_range(from..to, &generated);
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PATH, &wanted).unwrap();
    } else {
        assert!(found == wanted, "docs/trace-formats.md is out of date: run this test with UPDATE_DOCS=1");
    }
    for kind in LossKind::ALL {
        assert!(wanted.contains(&format!("| `{kind}` |")), "{kind} is not in the catalogue");
    }
    for line in wanted.lines().filter(|l| l.starts_with("| `{\"to\"")) {
        let cells: Vec<&str> = line.split(" | ").map(|c| c.trim_matches(['|', ' ', '`'])).collect();
        let arguments = serde_json::Value::from(cells[0]);
        let text = format!(
            r#"[{{"role":"assistant","tool_calls":[{{"function":{{"name":"pay","arguments":{arguments}}}}}]}}]"#
        );
        assert_eq!(Format::OpenAiChat.read(&text).unwrap().value[0].spans[0].body, cells[1]);
    }
}
