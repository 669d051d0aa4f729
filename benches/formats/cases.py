"""Conversations for the comparison with independent renderers, as OpenAI chat documents."""

import json


def call(number, name, **arguments):
    function = {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))}
    return {"id": f"call_{number}", "type": "function", "function": function}


def said(text, *calls, thought=None):
    message = {"role": "assistant", "content": text}
    if thought is not None:
        message["reasoning_content"] = thought
    if calls:
        message["tool_calls"] = list(calls)
    return message


def result(number, value):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return {"role": "tool", "tool_call_id": f"call_{number}", "content": text}


def user(text):
    return {"role": "user", "content": text}


def tool(name, description, required=(), **properties):
    parameters = {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


SYSTEM = {"role": "system", "content": "Be brief."}
PAY = tool("pay", "Pays somebody.", ["to"], to={"type": "string"}, cents={"type": "integer", "default": 100})
LOOK = tool(
    "look_up",
    "Looks a word up.",
    ["word"],
    word={"type": "string", "description": "The word."},
    languages={"type": "array", "items": {"type": "string"}},
    exact={"type": "boolean", "default": False},
    kind={"type": "string", "enum": ["noun", "verb"]},
)
PAID = said(None, call(0, "pay", to="Ann", cents=5))

CASES = {
    "a question": [user("Who is there?"), said("Nobody.")],
    "a system text": [SYSTEM, user("Who is there?"), said("Nobody.")],
    "two questions": [user("Who is there?"), said("Nobody."), user("Sure?"), said("Yes.")],
    "lines": [user("Two lines:\n\n  one\n  two"), said("I see:\n\n1. one\n2. two")],
    "other letters": [user("Grüße, 世界 🌍 – “quoted” & <b>"), said("…")],
    "a call": [user("Pay Ann."), PAID, result(0, {"ok": True}), said("Done.")],
    "a call, with a system text": [SYSTEM, user("Pay Ann."), PAID, result(0, {"ok": True}), said("Done.")],
    "a plan before a call": [
        user("Pay Ann."),
        said("I pay.", call(0, "pay", to="Ann", cents=5)),
        result(0, "ok"),
        said("Done."),
    ],
    "a call without arguments": [user("List."), said(None, call(0, "list")), result(0, []), said("None.")],
    "two calls in a turn": [
        user("Pay both."),
        said(None, call(0, "pay", to="Ann", cents=5), call(1, "pay", to="Bob", cents=6)),
        result(0, {"ok": True}),
        result(1, "no money"),
        said("Ann has it."),
    ],
    "one call after the other": [
        user("Pay both."),
        said(None, call(0, "pay", to="Ann", cents=5)),
        result(0, "ok"),
        said(None, call(1, "pay", to="Bob", cents=6)),
        result(1, "ok"),
        said("Done."),
    ],
    "calls in two turns": [
        user("Pay Ann."),
        said(None, call(0, "pay", to="Ann", cents=5)),
        result(0, "ok"),
        said("Done."),
        user("Pay Bob."),
        said(None, call(1, "pay", to="Bob", cents=6)),
        result(1, "ok"),
        said("Done."),
    ],
    "strings of every sort": [
        user("Go."),
        said(None, call(0, "note", text='a "b" \\ c\nd\te', other="Grüße 世界", empty="", html="<b>&'")),
        result(0, "two\nlines"),
        said("Done."),
    ],
    "values of every sort": [
        user("Go."),
        said(None, call(0, "set", n=-3, x=2.5, yes=True, no=None, items=[1, "a", []], inner={"a": {"b": 1}})),
        result(0, {"items": [1, "a", None], "n": 2.5}),
        said("Done."),
    ],
    "a thought before an answer": [user("Who?"), said("Nobody.", thought="I look.\nNobody.")],
    "a thought before a call": [
        user("Pay Ann."),
        said(None, call(0, "pay", to="Ann", cents=5), thought="I pay."),
        result(0, "ok"),
        said("Done.", thought="Paid."),
    ],
    "a thought, a plan and a call": [
        user("Pay Ann."),
        said("I pay.", call(0, "pay", to="Ann", cents=5), thought="Ann wants 5."),
        result(0, "ok"),
        said("Done."),
    ],
    "a thought of an earlier turn": [
        user("Who?"),
        said("Nobody.", thought="I look."),
        user("Sure?"),
        said("Yes.", thought="I look again."),
    ],
    "a tool": {"tools": [PAY], "messages": [user("Pay Ann."), PAID, result(0, "ok"), said("Done.")]},
    "tools and a system text": {
        "tools": [PAY, LOOK],
        "messages": [SYSTEM, user("Pay Ann."), PAID, result(0, "ok"), said("Done.")],
    },
}


def documents():
    for name, case in CASES.items():
        yield name, case if isinstance(case, dict) else {"messages": case}
