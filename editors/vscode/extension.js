// A client of `groundwork trace lsp`, written against VS Code alone: there is nothing to install and nothing to build.
"use strict";

const { spawn } = require("child_process");
const vscode = require("vscode");

const SELECTOR = { language: "trace" };
const PATIENCE_MS = 10000;

/** One language server, and what it was asked. */
class Server {
  constructor(path, onDiagnostics, onEnd) {
    this.next = 1;
    this.waiting = new Map();
    this.buffer = Buffer.alloc(0);
    this.ended = false;
    this.onDiagnostics = onDiagnostics;
    this.process = spawn(path, ["trace", "lsp"], { stdio: ["pipe", "pipe", "pipe"] });
    this.process.stdout.on("data", (data) => this.receive(data));
    this.process.stderr.resume();
    this.process.stdin.on("error", () => {});
    const end = (why) => {
      if (this.ended) return;
      this.ended = true;
      for (const { reject } of this.waiting.values()) reject(new Error(why));
      this.waiting.clear();
      onEnd(why);
    };
    this.process.on("error", (e) => end(e.message));
    this.process.on("exit", (code) => end(`it ended with exit code ${code}`));
    const completionItem = { snippetSupport: true };
    const capabilities = {
      general: { positionEncodings: ["utf-16"] },
      textDocument: { completion: { completionItem } },
    };
    this.ready = this.request("initialize", { processId: process.pid, rootUri: null, capabilities }).then(() =>
      this.notify("initialized", {})
    );
    this.ready.catch(() => {});
  }

  send(message) {
    if (this.ended) return;
    const text = JSON.stringify({ jsonrpc: "2.0", ...message });
    this.process.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  notify(method, params) {
    this.send({ method, params });
  }

  request(method, params) {
    if (this.ended) return Promise.reject(new Error("the server has ended"));
    const id = this.next++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(new Error(`no answer to ${method}`));
      }, PATIENCE_MS);
      const done = (f) => (value) => {
        clearTimeout(timer);
        f(value);
      };
      this.waiting.set(id, { resolve: done(resolve), reject: done(reject) });
      this.send({ id, method, params });
    });
  }

  receive(data) {
    this.buffer = Buffer.concat([this.buffer, data]);
    for (;;) {
      const end = this.buffer.indexOf("\r\n\r\n");
      if (end < 0) return;
      const length = Number(/content-length: *(\d+)/i.exec(this.buffer.toString("ascii", 0, end))[1]);
      if (this.buffer.length < end + 4 + length) return;
      const message = JSON.parse(this.buffer.toString("utf8", end + 4, end + 4 + length));
      this.buffer = this.buffer.subarray(end + 4 + length);
      if (message.method === "textDocument/publishDiagnostics") {
        this.onDiagnostics(message.params);
      } else if (this.waiting.has(message.id)) {
        const { resolve, reject } = this.waiting.get(message.id);
        this.waiting.delete(message.id);
        if (message.error) reject(new Error(message.error.message));
        else resolve(message.result);
      }
    }
  }

  stop() {
    if (this.ended) return;
    this.request("shutdown").then(
      () => this.notify("exit"),
      () => {}
    );
    setTimeout(() => this.process.kill(), 2000).unref();
  }
}

const position = (p) => new vscode.Position(p.line, p.character);
const range = (r) => new vscode.Range(position(r.start), position(r.end));
// What VS Code writes as JSON is not what the protocol wants.
const point = ({ line, character }) => ({ line, character });
const plain = ({ start, end }) => ({ start: point(start), end: point(end) });
const uri = (document) => ({ uri: document.uri.toString() });
const at = (document, p) => ({
  textDocument: uri(document),
  position: point(p),
});

function symbol(s) {
  // The protocol counts kinds from 1, VS Code from 0.
  const made = new vscode.DocumentSymbol(s.name, s.detail || "", s.kind - 1, range(s.range), range(s.selectionRange));
  made.children = (s.children || []).map(symbol);
  return made;
}

function diagnostic(d) {
  const made = new vscode.Diagnostic(range(d.range), d.message, d.severity - 1);
  made.code = d.code;
  made.source = d.source;
  return made;
}

function completion(item) {
  const made = new vscode.CompletionItem(item.label, item.kind - 1);
  made.detail = item.detail;
  made.sortText = item.sortText;
  made.filterText = item.filterText;
  made.range = range(item.textEdit.range);
  const { newText } = item.textEdit;
  made.insertText = item.insertTextFormat === 2 ? new vscode.SnippetString(newText) : newText;
  if (item.documentation) made.documentation = new vscode.MarkdownString(item.documentation.value);
  return made;
}

function fix(document, action) {
  const made = new vscode.CodeAction(action.title, vscode.CodeActionKind.QuickFix);
  made.isPreferred = action.isPreferred;
  made.diagnostics = action.diagnostics.map(diagnostic);
  made.edit = new vscode.WorkspaceEdit();
  for (const edit of action.edit.changes[document.uri.toString()]) {
    made.edit.replace(document.uri, range(edit.range), edit.newText);
  }
  return made;
}

function activate(context) {
  const found = vscode.languages.createDiagnosticCollection("groundwork");
  let server;

  const publish = ({ uri, diagnostics }) => found.set(vscode.Uri.parse(uri), diagnostics.map(diagnostic));
  const ours = (document) => document.languageId === "trace";
  const open = (document) => {
    if (!ours(document)) return;
    const { version } = document;
    server.notify("textDocument/didOpen", {
      textDocument: { ...uri(document), languageId: "trace", version, text: document.getText() },
    });
  };
  const start = () => {
    found.clear();
    const path = vscode.workspace.getConfiguration("groundwork").get("path");
    const mine = new Server(path, publish, (why) => {
      // A server that was replaced may end as it likes.
      if (server !== mine) return;
      const message = `Groundwork's language server \`${path} trace lsp\`: ${why}. Set \`groundwork.path\` to the program.`;
      vscode.window.showErrorMessage(message);
    });
    server = mine;
    mine.ready.then(() => vscode.workspace.textDocuments.forEach(open)).catch(() => {});
  };
  const restart = () => {
    const old = server;
    start();
    old.stop();
  };
  // What cannot be answered is answered with nothing: the server's end has been told already.
  const ask = (method, params, made) =>
    server.ready
      .then(() => server.request(method, params))
      .then((result) => (result === null ? undefined : made(result)))
      .catch(() => undefined);

  start();
  context.subscriptions.push(
    found,
    { dispose: () => server.stop() },
    vscode.commands.registerCommand("groundwork.restart", restart),
    vscode.workspace.onDidChangeConfiguration((e) => e.affectsConfiguration("groundwork.path") && restart()),
    vscode.workspace.onDidOpenTextDocument(open),
    vscode.workspace.onDidCloseTextDocument((document) => {
      if (ours(document)) server.notify("textDocument/didClose", { textDocument: uri(document) });
    }),
    vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      if (!ours(document) || contentChanges.length === 0) return;
      server.notify("textDocument/didChange", {
        textDocument: { ...uri(document), version: document.version },
        contentChanges: contentChanges.map(({ range, text }) => ({ range: plain(range), text })),
      });
    }),
    vscode.languages.registerHoverProvider(SELECTOR, {
      provideHover: (document, place) =>
        ask("textDocument/hover", at(document, place), (h) =>
          new vscode.Hover(new vscode.MarkdownString(h.contents.value), range(h.range))),
    }),
    vscode.languages.registerCompletionItemProvider(
      SELECTOR,
      {
        provideCompletionItems: (document, place) =>
          ask("textDocument/completion", at(document, place), (list) => list.items.map(completion)),
      },
      "(", ",", "=", ":", "[", " "
    ),
    vscode.languages.registerDefinitionProvider(SELECTOR, {
      provideDefinition: (document, place) =>
        ask("textDocument/definition", at(document, place), (d) => new vscode.Location(document.uri, range(d.range))),
    }),
    vscode.languages.registerDocumentSymbolProvider(SELECTOR, {
      provideDocumentSymbols: (document) =>
        ask("textDocument/documentSymbol", { textDocument: uri(document) }, (all) => all.map(symbol)),
    }),
    vscode.languages.registerFoldingRangeProvider(SELECTOR, {
      provideFoldingRanges: (document) =>
        ask("textDocument/foldingRange", { textDocument: uri(document) }, (all) =>
          all.map((f) => new vscode.FoldingRange(f.startLine, f.endLine))),
    }),
    vscode.languages.registerDocumentFormattingEditProvider(SELECTOR, {
      provideDocumentFormattingEdits: (document, options) =>
        ask("textDocument/formatting", { textDocument: uri(document), options }, (edits) =>
          edits.map((e) => vscode.TextEdit.replace(range(e.range), e.newText))),
    }),
    vscode.languages.registerCodeActionsProvider(SELECTOR, {
      provideCodeActions: (document, place) =>
        ask(
          "textDocument/codeAction",
          { textDocument: uri(document), range: plain(place), context: { diagnostics: [] } },
          (all) => all.map((action) => fix(document, action))
        ),
    })
  );
}

module.exports = { activate, deactivate() {} };
