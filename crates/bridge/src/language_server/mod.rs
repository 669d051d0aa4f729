//! The language server for trace files.

mod completion;
mod cursor;
mod document;
mod hover;
mod scope;
mod symbols;

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use groundwork_trace::{Diagnostic, Severity, Tool, Trace, check, nearest};
use serde_json::{Value, json};

use crate::framing::{read_framed, write_framed};
use crate::json_rpc::{INVALID_PARAMS, INVALID_REQUEST, Incoming, Refusal, answered};
use document::{Document, Units};
use scope::Scope;

/// The code of an answer to a request that comes before `initialize`.
const NOT_INITIALIZED: i64 = -32002;

/// The sets of tools that a trace can name.
pub struct KnownTools {
    /// Their names.
    pub names: Vec<String>,
    /// The tools of a set.
    pub tools: fn(&str) -> Option<Vec<Tool>>,
}

/// A language server for trace files, which speaks the Language Server Protocol 3.17.
///
/// It knows the open documents and answers from their text alone. Positions are counted in UTF-16 units unless the
/// editor offers UTF-8 or UTF-32.
pub struct LanguageServer {
    known: KnownTools,
    units: Units,
    snippets: bool,
    initialized: bool,
    shut_down: bool,
    documents: BTreeMap<String, Document>,
}

impl LanguageServer {
    /// A server to which the tools of these sets are known.
    pub fn new(known: KnownTools) -> LanguageServer {
        LanguageServer {
            known,
            units: Units::Utf16,
            snippets: false,
            initialized: false,
            shut_down: false,
            documents: BTreeMap::new(),
        }
    }

    /// Serves one editor until it says `exit` or the stream ends; whether it took its leave as it should (`shutdown`
    /// before `exit`).
    ///
    /// # Errors
    /// A stream that fails or holds something else than messages.
    pub fn serve(mut self, mut input: impl BufRead, mut output: impl Write) -> io::Result<bool> {
        while let Some(message) = read_framed(&mut input)? {
            let mut send = |message: &Value| write_framed(&mut output, message.to_string().as_bytes());
            match Incoming::read(&message) {
                Err(response) => send(&response)?,
                Ok(Incoming::Response) => {}
                Ok(Incoming::Notification { method, .. }) if method == "exit" => return Ok(self.shut_down),
                Ok(Incoming::Notification { method, params }) => {
                    if let Some(published) = self.notified(&method, &params) {
                        send(&published)?;
                    }
                }
                Ok(Incoming::Request { id, method, params }) => {
                    let result = self.asked(&method, &params);
                    send(&answered(id, result))?;
                }
            }
        }
        Ok(self.shut_down)
    }

    fn asked(&mut self, method: &str, params: &Value) -> Result<Value, Refusal> {
        match method {
            "initialize" if self.initialized => {
                Err(Refusal::new(INVALID_REQUEST, "it is initialised already"))
            }
            "initialize" => Ok(self.initialize(params)),
            _ if !self.initialized => Err(Refusal::new(NOT_INITIALIZED, "`initialize` comes first")),
            _ if self.shut_down => Err(Refusal::new(INVALID_REQUEST, "it is shut down")),
            "shutdown" => {
                self.shut_down = true;
                Ok(Value::Null)
            }
            "textDocument/hover" => {
                let (document, at) = self.place(params)?;
                Ok(hover::hover(document, &Scope::read(document.text(), &self.known), at))
            }
            "textDocument/completion" => {
                let (document, at) = self.place(params)?;
                let scope = Scope::read(document.text(), &self.known);
                Ok(completion::completion(document, &scope, at, self.snippets))
            }
            "textDocument/definition" => {
                let (document, at) = self.place(params)?;
                let place = Scope::read(document.text(), &self.known).definition(at);
                let uri = &params["textDocument"]["uri"];
                Ok(place.map_or(Value::Null, |at| json!({"uri": uri, "range": document.range(&at)})))
            }
            "textDocument/documentSymbol" => Ok(symbols::symbols(self.document(params)?)),
            "textDocument/foldingRange" => Ok(symbols::folds(self.document(params)?)),
            "textDocument/formatting" => Ok(format(self.document(params)?)),
            "textDocument/codeAction" => {
                let uri = params["textDocument"]["uri"].as_str().unwrap_or_default();
                Ok(self.fixes(uri, self.document(params)?, &params["range"]))
            }
            other => Err(Refusal::unknown_method(other)),
        }
    }

    fn initialize(&mut self, params: &Value) -> Value {
        self.initialized = true;
        let capabilities = &params["capabilities"];
        let offered: Vec<&str> = capabilities["general"]["positionEncodings"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        // The first that the editor names is what it likes best.
        self.units = offered
            .iter()
            .find_map(|name| {
                [Units::Utf8, Units::Utf16, Units::Utf32].into_iter().find(|u| u.name() == *name)
            })
            .unwrap_or(Units::Utf16);
        let item = &capabilities["textDocument"]["completion"]["completionItem"];
        self.snippets = item["snippetSupport"] == true;
        json!({
            "capabilities": {
                "positionEncoding": self.units.name(),
                "textDocumentSync": {"openClose": true, "change": 2},
                "hoverProvider": true,
                "completionProvider": {"triggerCharacters": ["(", ",", "=", ":", "[", " "]},
                "definitionProvider": true,
                "documentSymbolProvider": true,
                "documentFormattingProvider": true,
                "foldingRangeProvider": true,
                "codeActionProvider": {"codeActionKinds": ["quickfix"]},
            },
            "serverInfo": {"name": "groundwork", "version": env!("CARGO_PKG_VERSION")},
        })
    }

    /// Follows what the editor does to a document; what it is to show in return.
    fn notified(&mut self, method: &str, params: &Value) -> Option<Value> {
        let document = &params["textDocument"];
        let uri = document["uri"].as_str()?;
        match method {
            "textDocument/didOpen" => {
                let text = document["text"].as_str()?.to_owned();
                self.documents.insert(uri.to_owned(), Document::new(text, self.units));
            }
            "textDocument/didChange" => {
                for change in params["contentChanges"].as_array()? {
                    let open = self.documents.get_mut(uri)?;
                    *open = Document::new(open.changed(change)?, self.units);
                }
            }
            "textDocument/didClose" => {
                self.documents.remove(uri);
                return Some(published(uri, &Value::Null, json!([])));
            }
            _ => return None,
        }
        let open = self.documents.get(uri)?;
        let found: Vec<Value> = self.check(open).iter().map(|d| diagnostic(open, d)).collect();
        Some(published(uri, &document["version"], json!(found)))
    }

    fn check(&self, document: &Document) -> Vec<Diagnostic> {
        let known = |name: &str| {
            let names = &self.known.names;
            let hint = || match nearest(name, names.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the named sets are {}", names.join(", ")),
            };
            (self.known.tools)(name).ok_or_else(hint)
        };
        check(document.text(), known).0
    }

    fn document(&self, params: &Value) -> Result<&Document, Refusal> {
        let uri = params["textDocument"]["uri"].as_str().unwrap_or_default();
        let missing = || Refusal::new(INVALID_PARAMS, format!("the document `{uri}` is not open"));
        self.documents.get(uri).ok_or_else(missing)
    }

    fn place(&self, params: &Value) -> Result<(&Document, usize), Refusal> {
        let document = self.document(params)?;
        let at = document.offset(&params["position"]);
        Ok((
            document,
            at.ok_or_else(|| Refusal::new(INVALID_PARAMS, "`position` has a line and a character"))?,
        ))
    }

    /// A fix for every mistake in a range whose hint says what was meant.
    fn fixes(&self, uri: &str, document: &Document, range: &Value) -> Value {
        let (Some(start), Some(end)) = (document.offset(&range["start"]), document.offset(&range["end"]))
        else {
            return json!([]);
        };
        let near = |d: &&Diagnostic| d.range.start <= end && start <= d.range.end;
        let fix = |d: &Diagnostic| {
            let meant = d.hint.as_ref()?.strip_prefix("did you mean `")?.strip_suffix("`?")?.to_owned();
            Some(json!({
                "title": format!("Change to `{meant}`"),
                "kind": "quickfix",
                "diagnostics": [diagnostic(document, d)],
                "isPreferred": true,
                "edit": {"changes": {uri: [{"range": document.range(&d.range), "newText": meant}]}},
            }))
        };
        self.check(document).iter().filter(near).filter_map(fix).collect()
    }
}

fn published(uri: &str, version: &Value, diagnostics: Value) -> Value {
    let mut params = json!({"uri": uri, "diagnostics": diagnostics});
    if version.is_i64() {
        params["version"] = version.clone();
    }
    json!({"jsonrpc": "2.0", "method": "textDocument/publishDiagnostics", "params": params})
}

fn diagnostic(document: &Document, d: &Diagnostic) -> Value {
    let severity = match d.severity {
        Severity::Error => 1,
        Severity::Warning => 2,
    };
    let message = match &d.hint {
        Some(hint) => format!("{}\n{hint}", d.message),
        None => d.message.clone(),
    };
    json!({
        "range": document.range(&d.range),
        "severity": severity,
        "code": d.code,
        "source": "groundwork",
        "message": message,
    })
}

/// One edit of the lines between the first and the last that change; none for a text that cannot be read.
fn format(document: &Document) -> Value {
    let text = document.text();
    let Ok(traces) = Trace::parse_all(text) else { return json!([]) };
    let printed = Trace::print_all(&traces);
    if printed == text {
        return json!([]);
    }
    let line = |s: &str, at: usize| s[..s.floor_char_boundary(at)].rfind('\n').map_or(0, |i| i + 1);
    let same = text.bytes().zip(printed.bytes()).take_while(|(a, b)| a == b).count();
    let head = line(text, same);
    let (old, new) = (&text[head..], &printed[head..]);
    let tail = old.bytes().rev().zip(new.bytes().rev()).take_while(|(a, b)| a == b).count();
    // Whole lines: from a line feed that both share to the end.
    let tail =
        old[old.ceil_char_boundary(old.len() - tail)..].split_once('\n').map_or(0, |(_, rest)| rest.len());
    let range = document.range(&(head..text.len() - tail));
    json!([{"range": range, "newText": new[..new.len() - tail]}])
}
