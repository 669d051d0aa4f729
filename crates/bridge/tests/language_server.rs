//! The language server, as an editor speaks to it.

use groundwork_bridge::{KnownTools, LanguageServer};
use groundwork_trace::{Tool, Trace};
use groundwork_worlds::{tool_set, world_names};
use serde_json::{Value, json};

const URI: &str = "file:///x.trace";
/// Tools, a mistake, and characters of every width before it.
const TEXT: &str = "tools {\n  /// Reads a file.\n  read(path: path, max: int = 4096, mode: \"text\" | \"bytes\" = \"text\") -> str ! NotFound(path)\n}\n\
                    goal: Find ä𝄞.\naction: read(path=\"ä𝄞\", mox=1)\nerror: NotFound(\"a\")\nanswer: no\n";

fn framed(messages: &[Value]) -> Vec<u8> {
    let framed = messages.iter().map(|m| {
        let text = m.to_string();
        format!("Content-Length: {}\r\n\r\n{text}", text.len())
    });
    framed.collect::<String>().into_bytes()
}

fn unframed(mut bytes: &[u8]) -> Vec<Value> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let length: usize = std::str::from_utf8(&bytes[..end])
            .unwrap()
            .strip_prefix("Content-Length: ")
            .unwrap()
            .parse()
            .unwrap();
        messages.push(serde_json::from_slice(&bytes[end + 4..end + 4 + length]).unwrap());
        bytes = &bytes[end + 4 + length..];
    }
    messages
}

fn server() -> LanguageServer {
    LanguageServer::new(KnownTools {
        names: world_names().iter().map(ToString::to_string).collect(),
        tools: |name| tool_set(name).map(<[Tool]>::to_vec),
    })
}

/// A conversation: what the editor says after it has opened the file, and what it hears.
fn talk(capabilities: Value, text: &str, then: &[(&str, Value)]) -> Vec<Value> {
    let mut messages = vec![
        json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"capabilities": capabilities}}),
        json!({"jsonrpc": "2.0", "method": "initialized", "params": {}}),
        json!({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {
            "textDocument": {"uri": URI, "languageId": "trace", "version": 1, "text": text}
        }}),
    ];
    for (i, (method, params)) in then.iter().enumerate() {
        let mut message = json!({"jsonrpc": "2.0", "method": method, "params": params});
        message["params"]["textDocument"]["uri"] = json!(URI);
        if !method.contains("did") {
            message["id"] = json!(i + 1);
        }
        messages.push(message);
    }
    messages.push(json!({"jsonrpc": "2.0", "id": "last", "method": "shutdown"}));
    messages.push(json!({"jsonrpc": "2.0", "method": "exit"}));
    let mut out = Vec::new();
    assert!(server().serve(&framed(&messages)[..], &mut out).unwrap());
    unframed(&out)
}

/// What the server answers to one request about the file.
fn ask(text: &str, method: &str, params: Value) -> Value {
    ask_with(json!({}), text, method, params)
}

fn ask_with(capabilities: Value, text: &str, method: &str, params: Value) -> Value {
    let said = talk(capabilities, text, &[(method, params)]);
    said.iter().find(|m| m["id"] == 1).unwrap_or_else(|| panic!("{said:#?}"))["result"].clone()
}

/// The position of the cursor, which stands at `¦` in the text, in UTF-16 units.
fn cursor(text: &str) -> (String, Value) {
    let at = text.find('¦').unwrap();
    let line = text[..at].matches('\n').count();
    let start = text[..at].rfind('\n').map_or(0, |i| i + 1);
    let character = text[start..at].encode_utf16().count();
    (text.replacen('¦', "", 1), json!({"position": {"line": line, "character": character}}))
}

/// The labels that are offered at the cursor, and the text after the first is taken.
fn completed(text: &str) -> (Vec<String>, String) {
    let (text, at) = cursor(text);
    let items = ask(&text, "textDocument/completion", at)["items"].as_array().unwrap().clone();
    let labels = items.iter().map(|i| i["label"].as_str().unwrap().to_owned()).collect();
    let taken = items.first().map_or(text.clone(), |item| edited(&text, &item["textEdit"]));
    (labels, taken)
}

/// The text after an edit in UTF-16 positions.
fn edited(text: &str, edit: &Value) -> String {
    let offset = |p: &Value| {
        let line = p["line"].as_u64().unwrap() as usize;
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        let mut left = p["character"].as_u64().unwrap() as usize;
        let mut at = start;
        for c in text[start..].chars() {
            if left == 0 {
                break;
            }
            left -= c.len_utf16();
            at += c.len_utf8();
        }
        at
    };
    let (start, end) = (offset(&edit["range"]["start"]), offset(&edit["range"]["end"]));
    format!("{}{}{}", &text[..start], edit["newText"].as_str().unwrap(), &text[end..])
}

#[test]
fn mistakes_are_published_in_utf16_positions() {
    let said = talk(json!({}), TEXT, &[]);
    assert_eq!(said[0]["result"]["capabilities"]["positionEncoding"], "utf-16");
    let published = &said[1]["params"];
    assert_eq!((&published["uri"], &published["version"]), (&json!(URI), &json!(1)));
    let found = published["diagnostics"].as_array().unwrap();
    assert_eq!(found.len(), 1, "{found:#?}");
    // `action: read(path="ä𝄞", ` is 25 units long: the clef is two of them.
    let range = json!({"start": {"line": 5, "character": 25}, "end": {"line": 5, "character": 28}});
    assert_eq!(found[0]["range"], range);
    assert_eq!((&found[0]["code"], &found[0]["severity"]), (&json!("unknown-parameter"), &json!(1)));
    assert!(found[0]["message"].as_str().unwrap().ends_with("did you mean `max`?"));
    for (encoding, character) in [("utf-8", 28), ("utf-32", 24)] {
        let capabilities = json!({"general": {"positionEncodings": [encoding, "utf-16"]}});
        let said = talk(capabilities, TEXT, &[]);
        assert_eq!(said[0]["result"]["capabilities"]["positionEncoding"], encoding);
        assert_eq!(said[1]["params"]["diagnostics"][0]["range"]["start"]["character"], character);
    }
}

#[test]
fn changes_are_followed_and_closed_files_forgotten() {
    let range = json!({"start": {"line": 5, "character": 26}, "end": {"line": 5, "character": 27}});
    let change = json!({"textDocument": {"version": 2}, "contentChanges": [
        {"range": range, "text": "b𝄞"},
        {"range": {"start": {"line": 5, "character": 26}, "end": {"line": 5, "character": 29}}, "text": "a"},
    ]});
    let said = talk(
        json!({}),
        TEXT,
        &[
            ("textDocument/didChange", change),
            ("textDocument/didClose", json!({})),
            ("textDocument/hover", json!({"position": {"line": 0, "character": 0}})),
        ],
    );
    let published: Vec<&Value> =
        said.iter().filter(|m| m["method"] == "textDocument/publishDiagnostics").collect();
    assert_eq!(published.len(), 3);
    assert_eq!(published[1]["params"], json!({"uri": URI, "version": 2, "diagnostics": []}));
    assert_eq!(published[2]["params"]["diagnostics"], json!([]));
    let hover = said.iter().find(|m| m["id"] == 3).unwrap();
    assert_eq!(hover["error"]["code"], -32602, "the file is closed: {hover}");
}

#[test]
fn hover_says_what_things_are() {
    for (place, words) in [
        ("go¦al: Find", "the task"),
        ("action: re¦ad", "Reads a file."),
        ("action: re¦ad", "read(path: path, max: int = 4096"),
        ("read(pa¦th=\"ä", "path: path"),
        ("read(path=\"ä¦", "path: path"),
        ("error: Not¦Found", "NotFound(path)"),
        ("  re¦ad(path: path,", "Reads a file."),
    ] {
        let whole = TEXT.replacen(&place.replace('¦', ""), place, 1);
        let (text, at) = cursor(&whole);
        let hover = ask(&text, "textDocument/hover", at);
        let said = hover["contents"]["value"].as_str().unwrap_or_else(|| panic!("{place}: {hover}"));
        assert!(said.contains(words), "{place}: {said}");
    }
    let (text, at) = cursor("tools: fi¦les\n");
    let said = ask(&text, "textDocument/hover", at);
    assert!(said["contents"]["value"].as_str().unwrap().contains("read("), "{said}");
    let (text, at) = cursor("goal: no¦thing\n");
    assert!(ask(&text, "textDocument/hover", at).is_null());
}

#[test]
fn completion_of_spans_tools_and_arguments() {
    let head = "tools {\n  read(path: path, mode: (\"text\" | \"bytes\")? = \"text\", all: bool = false) -> str ! NotFound(path) | Busy\n  \
                list() -> [str]\n}\n";
    // The labels, and the line of the cursor after the first is taken.
    let complete = |rest: &str| {
        let whole = format!("{head}{rest}");
        let line = whole[..whole.find('¦').unwrap()].matches('\n').count();
        let (labels, taken) = completed(&whole);
        (labels, taken.lines().nth(line).unwrap_or_default().to_owned())
    };
    let labels = |rest: &str| complete(rest).0;
    assert_eq!(labels("goal: x\nac¦").len(), 12);
    assert_eq!(labels("action: list()\n¦")[..2], ["observation", "error"]);
    assert_eq!(complete("action: list()\n¦").1, "observation: ");
    assert_eq!(complete("action: re¦"), (vec!["read".into(), "list".into()], "action: read(".into()));
    assert_eq!(complete("action: ä¦").1, "action: ä", "no name has an umlaut");
    assert_eq!(
        complete("action: read(¦"),
        (vec!["path".into(), "mode".into(), "all".into()], "action: read(path=".into())
    );
    assert_eq!(labels("action: read(path=\"ä𝄞\", m¦)"), ["mode", "all"]);
    assert_eq!(complete("action: read(path=\"ä𝄞\", m¦)").1, "action: read(path=\"ä𝄞\", mode=)");
    assert_eq!(labels("action: read(¦, mode=null)"), ["path", "mode", "all"], "it cannot be read as a call");
    assert_eq!(labels("action: read(mode=¦"), ["\"text\"", "\"bytes\"", "null"]);
    assert_eq!(labels("action: read(all=t¦"), ["true", "false"]);
    assert_eq!(labels("action: read(path=¦"), Vec::<String>::new());
    assert_eq!(labels("action: read(path=\"a\")¦"), Vec::<String>::new());
    assert_eq!(labels("action: read(path=\"a\")\nerror: ¦"), ["NotFound", "Busy"]);
    assert_eq!(
        labels("action: list()\naction: read(path=\"a\")\nobservation: []\nerror: No¦"),
        ["NotFound", "Busy"]
    );
    assert_eq!(labels("action [¦")[..4], ["failed", "fault=", "own=", "weight="]);
    assert_eq!(complete("action [failed we¦").0.len(), 14);
    assert_eq!(labels("goal: ac¦"), Vec::<String>::new());
    let worlds: Vec<String> = world_names().iter().map(ToString::to_string).collect();
    assert_eq!(completed("tools: fi¦").0, worlds);
    assert_eq!(completed("tools {\n  a(x: ¦\n}\n").0, ["any", "bool", "float", "int", "path", "str"]);
    assert_eq!(completed("¦").0.len(), 12);
}

/// Every part of it is explained, and uses a type with a name.
const EXPLAINED: &str = "tools {\n  /// How loud.\n  type Level = \"low\" | \"high\"\n  /// Says something.\n  say(\n    \
    /// What to say.\n    text: str,\n    /// How to say it.\n    level?: Level,\n    /// How often.\n    times: int(min=1) = 1,\n  \
    ) -> {level: Level} !\n    /// Nobody listens.\n    Alone(Level) |\n    Busy\n}\n";

#[test]
fn types_defaults_and_descriptions_are_shown() {
    let hover = |rest: &str| {
        let (text, at) = cursor(&format!("{EXPLAINED}{rest}\n"));
        let said = ask(&text, "textDocument/hover", at);
        said["contents"]["value"].as_str().unwrap_or_else(|| panic!("{rest}: {said}")).to_owned()
    };
    let level = "/// How loud.\ntype Level = \"low\" | \"high\"\n";
    assert_eq!(hover("action: say(ti¦mes=2)"), "```trace\ntimes: int(min=1) = 1\n```\n\nHow often.");
    assert_eq!(hover("action: say(times=¦2)"), "```trace\ntimes: int(min=1) = 1\n```\n\nHow often.");
    assert_eq!(
        hover("action: say(l¦evel=\"low\")"),
        format!("```trace\n{level}level?: Level\n```\n\nHow to say it.")
    );
    assert!(hover("action: s¦ay(text=\"a\")").ends_with("\n```\n\nSays something."));
    let head = "action: say(text=\"a\")\n";
    assert!(
        hover(&format!("{head}error: Al¦one(\"low\")"))
            .ends_with(&format!("{level}Alone(Level)\n```\n\nNobody listens."))
    );
    assert!(
        hover(&format!("{head}observation: {{le¦vel: 1}}")).contains(&format!("{level}{{level: Level}}"))
    );
    let docs = |rest: &str| completed_docs(&format!("{EXPLAINED}{rest}\n"));
    assert!(docs("action: s¦")[0].ends_with("Says something."));
    let arguments = docs("action: say(¦");
    assert!(
        ["What to say.", "How to say it.", "How often."].iter().zip(&arguments).all(|(a, b)| b.ends_with(a)),
        "{arguments:?}"
    );
    assert_eq!(docs("action: say(level=¦").len(), 2, "the values of the named type");
    assert!(docs("action: say(level=¦")[0].ends_with("How to say it."));
    assert!(docs(&format!("{head}error: ¦"))[0].ends_with("Nobody listens."));
    let sets = completed_docs("tools: ¦\n");
    assert!(!sets.is_empty() && sets.iter().all(|d| d.starts_with("```trace\n")), "{sets:?}");
    // A type that leads back to itself is a mistake, and no end of the server.
    let (text, at) = cursor("tools {\n  type A = A | \"a\"\n  f(x: A) -> A\n}\naction: f(x=¦\n");
    ask(&text, "textDocument/completion", at.clone());
    ask(&text, "textDocument/hover", at);
}

fn completed_docs(text: &str) -> Vec<String> {
    let (text, at) = cursor(text);
    let items = ask(&text, "textDocument/completion", at);
    let doc = |item: &Value| item["documentation"]["value"].as_str().unwrap_or_default().to_owned();
    items["items"].as_array().unwrap().iter().map(doc).collect()
}

#[test]
fn snippets_where_the_editor_knows_them() {
    let capabilities = json!({"textDocument": {"completion": {"completionItem": {"snippetSupport": true}}}});
    let (text, at) = cursor("tools {\n  \"a$b\"(n: int, s: str, t: str = \"\") -> str\n}\naction: ¦\n");
    let items = ask_with(capabilities, &text, "textDocument/completion", at);
    let item = &items["items"][0];
    assert_eq!(item["insertTextFormat"], 2);
    assert_eq!(item["textEdit"]["newText"], "\"a\\$b\"(n=$1, s=\"$2\")$0");
}

#[test]
fn formatting_changes_no_more_than_it_must() {
    let loose = "goal: ä𝄞\n\naction [ weight=0.50 failed ] : read(path=\"𝄞\")\nerror:Busy\nanswer: 𝄞\n";
    let edits = ask(loose, "textDocument/formatting", json!({"options": {}}));
    let [edit] = &edits.as_array().unwrap()[..] else { panic!("{edits}") };
    let canonical = Trace::print_all(&Trace::parse_all(loose).unwrap());
    assert_eq!(edited(loose, edit), canonical);
    assert!(!edit["newText"].as_str().unwrap().contains("answer"), "{edit}");
    assert_eq!(ask(&canonical, "textDocument/formatting", json!({})), json!([]));
    assert_eq!(ask("gaol: x\n", "textDocument/formatting", json!({})), json!([]));
    for text in [
        "goal:x",
        "goal: x\n\n\n",
        "%trace 1\ngoal: x\n",
        "goal: x\n---\n",
        "\ngoal: a\n  b\n\n\n  c\nanswer:x",
    ] {
        let edits = ask(text, "textDocument/formatting", json!({}));
        assert_eq!(edited(text, &edits[0]), Trace::print_all(&Trace::parse_all(text).unwrap()), "{text:?}");
    }
}

#[test]
fn symbols_folds_and_definitions() {
    let symbols = ask(TEXT, "textDocument/documentSymbol", json!({}));
    let names: Vec<&str> = symbols.as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["tools", "goal", "action", "error", "answer"]);
    assert_eq!(symbols[0]["children"][0]["name"], "read");
    assert_eq!(symbols[2]["detail"], "read(path=\"ä𝄞\", mox=1)");
    assert_eq!(symbols[2]["range"]["end"]["character"], 31);
    let two = ask("goal: a\n---\ngoal: b\nanswer: c\n", "textDocument/documentSymbol", json!({}));
    assert_eq!((two[1]["name"].as_str(), two[1]["children"].as_array().unwrap().len()), (Some("trace 1"), 2));

    let folds = ask(TEXT, "textDocument/foldingRange", json!({}));
    assert_eq!(folds, json!([{"startLine": 0, "endLine": 3}]));

    let place = json!({"position": {"line": 5, "character": 10}});
    let definition = ask(TEXT, "textDocument/definition", place);
    assert_eq!(definition["range"]["start"], json!({"line": 2, "character": 2}));
    assert!(ask(TEXT, "textDocument/definition", json!({"position": {"line": 4, "character": 8}})).is_null());
}

#[test]
fn a_mistake_whose_remedy_is_known_can_be_fixed() {
    let range = json!({"start": {"line": 5, "character": 25}, "end": {"line": 5, "character": 25}});
    let fixes = ask(TEXT, "textDocument/codeAction", json!({"range": range, "context": {"diagnostics": []}}));
    assert_eq!(fixes[0]["title"], "Change to `max`");
    let fixed = edited(TEXT, &fixes[0]["edit"]["changes"][URI][0]);
    assert!(fixed.contains("max=1"), "{fixed}");
    let text = "tools: fiels\n";
    let range = json!({"start": {"line": 0, "character": 8}, "end": {"line": 0, "character": 8}});
    let fixes = ask(text, "textDocument/codeAction", json!({"range": range, "context": {"diagnostics": []}}));
    assert_eq!(edited(text, &fixes[0]["edit"]["changes"][URI][0]), "tools: files\n");
    let range = json!({"start": {"line": 7, "character": 0}, "end": {"line": 7, "character": 1}});
    assert_eq!(ask(TEXT, "textDocument/codeAction", json!({"range": range})), json!([]));
}

#[test]
fn the_protocol_is_kept() {
    let serve = |messages: &[Value]| {
        let mut out = Vec::new();
        let left = server().serve(&framed(messages)[..], &mut out).unwrap();
        (left, unframed(&out))
    };
    let request = |id: u32, method: &str| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": {}});
    let (left, said) = serve(&[
        request(1, "textDocument/hover"),
        request(2, "initialize"),
        request(3, "initialize"),
        request(4, "no/such"),
        request(5, "textDocument/hover"),
        json!({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 4}}),
        json!([]),
        request(6, "shutdown"),
        request(7, "textDocument/hover"),
        json!({"jsonrpc": "2.0", "method": "exit"}),
        request(8, "shutdown"),
    ]);
    assert!(left);
    let codes: Vec<Option<i64>> = said.iter().map(|m| m["error"]["code"].as_i64()).collect();
    assert_eq!(
        codes,
        [Some(-32002), None, Some(-32600), Some(-32601), Some(-32602), Some(-32600), None, Some(-32600)]
    );
    assert!(said[6]["result"].is_null() && said[6].get("result").is_some());
    assert!(!serve(&[request(1, "initialize"), json!({"jsonrpc": "2.0", "method": "exit"})]).0);
    assert!(!serve(&[]).0);
    let mut out = Vec::new();
    assert!(server().serve(&b"rubbish\r\n\r\n"[..], &mut out).is_err());
    server().serve(&b"Content-Length: 2\r\n\r\n{]"[..], &mut out).unwrap();
    assert_eq!(unframed(&out)[0]["error"]["code"], -32700);
}

#[test]
fn no_place_in_no_file_is_a_surprise() {
    let texts = [
        TEXT,
        "tools {\r\n  a(\"x\": [\r\naction: \"a(\r\n",
        "\u{feff}action [failed: x\n\n  \n",
        "---\n---\ntools: ",
        "action: a(b={c: \"",
        "error",
    ];
    for text in texts {
        let lines: Vec<&str> = text.split('\n').collect();
        for method in ["textDocument/hover", "textDocument/completion", "textDocument/definition"] {
            let places = lines.iter().enumerate().flat_map(|(line, l)| {
                (0..=l.len() + 1).map(move |c| (method, json!({"position": {"line": line, "character": c}})))
            });
            let places: Vec<(&str, Value)> = places.collect();
            let said = talk(json!({}), text, &places);
            assert!(said.iter().all(|m| m.get("error").is_none()), "{text:?}");
        }
    }
}
