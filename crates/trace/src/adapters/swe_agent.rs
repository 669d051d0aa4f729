//! SWE-agent's `.traj`: the messages before the first step, and one step after the other, each a text to the shell.

use super::builder::Builder;
use super::content;
use super::json::{At, Node};
use super::loss::{Loss, LossKind, Read};
use super::output::Output;
use super::spelling::{COMPACT, observation_text};
use super::turns::{Agent, Turn, tersely_placed};
use crate::{Call, Trace, Value};

/// The tool that takes what is said to the shell.
const SHELL: &str = "bash";

/// Writes a trace without parallel calls.
pub(crate) fn write(trace: &Trace) -> String {
    let (mut history, mut steps) = (Output::default(), Output::default());
    history.open('[');
    steps.open('[');
    // A later turn of a user has no place among the steps.
    let mut turns =
        tersely_placed(trace, |t| !matches!(t, Turn::Agent(_) | Turn::Results(_))).into_iter().peekable();
    while let Some(turn) = turns.next() {
        match turn {
            Turn::System(text) => message(&mut history, "system", text),
            Turn::User(text) => message(&mut history, "user", text),
            Turn::Agent(agent) => {
                let results = match turns.next_if(|t| matches!(t, Turn::Results(_))) {
                    Some(Turn::Results(results)) => results,
                    _ => Vec::new(),
                };
                let observation = results
                    .first()
                    .map(|r| if r.error { r.body.to_owned() } else { observation_text(r.body, COMPACT) });
                write_step(&mut steps, &agent, observation.as_deref());
            }
            _ => {}
        }
    }
    history.close(']');
    steps.close(']');
    let mut out = Output::default();
    out.open('{').key("trajectory").raw(&steps.finish()).key("history").raw(&history.finish());
    out.key("info").raw("{}").close('}');
    out.finish()
}

fn message(out: &mut Output, role: &str, text: &str) {
    out.open('{').key("role").text(role).key("content").text(text).close('}');
}

fn write_step(out: &mut Output, agent: &Agent<'_>, observation: Option<&str>) {
    let action = agent.calls.first().map(|body| said_to_shell(body).unwrap_or_else(|| (*body).to_owned()));
    let text = agent.text.unwrap_or_default();
    out.open('{').key("action").text(action.as_deref().unwrap_or_default());
    out.key("observation");
    // The episode may end with an action.
    match observation {
        None if action.is_some() => out.raw("null"),
        // Nothing that nothing came of would be no attempt at all.
        Some("") if action.as_deref() == Some("") => out.text("\n"),
        said => out.text(said.unwrap_or_default()),
    };
    let response = [text, action.as_deref().unwrap_or_default()].concat();
    out.key("response").text(&response).key("thought").text(text);
    if let Some(thought) = agent.thought {
        out.key("thinking_blocks").open('[').open('{');
        out.key("type").text("thinking").key("thinking").text(thought).close('}').close(']');
    }
    out.close('}');
}

/// The text of a call of the shell that is written as [`read`] writes it.
fn said_to_shell(body: &str) -> Option<String> {
    let call = Call::parse(body).ok().filter(|c| c.tool == SHELL && c.to_string() == body)?;
    match call.args.as_slice() {
        [(name, Value::Str(text))] if name == "command" => Some(text.clone()),
        _ => None,
    }
}

/// Reads one document.
pub(crate) fn read(node: &Node<'_>, at: At<'_>) -> Read<(Trace, Vec<Loss>)> {
    let mut b = Builder::new(COMPACT);
    let mut fields = node.fields(at)?;
    let inside = At::Key(&at, "history");
    let history = fields.take("history", at)?.map(|h| h.items(inside)).transpose()?.unwrap_or_default();
    for (i, node) in history.iter().enumerate() {
        let at = At::Item(&inside, i);
        let mut m = node.fields(at)?;
        let role = m.need_text("role", at)?;
        let demonstration = m.take("is_demo", at)?.is_some_and(|d| d.raw == "true");
        if role == "assistant" && !demonstration {
            break;
        }
        let text =
            content::text(&mut b, m.take("content", at)?, At::Key(&at, "content"))?.unwrap_or_default();
        match &*role {
            "system" => b.system(text)?,
            _ => b.user(text)?,
        }
        m.rest(at, &mut b.losses);
    }
    let inside = At::Key(&at, "trajectory");
    for (i, step) in fields.need("trajectory", at)?.items(inside)?.iter().enumerate() {
        read_step(&mut b, step, At::Item(&inside, i))?;
    }
    if let Some(info) = fields.take("info", at)? {
        let at = At::Key(&at, "info");
        info.fields(at)?.rest(at, &mut b.losses);
    }
    fields.rest(at, &mut b.losses);
    b.finish()
}

fn read_step(b: &mut Builder, node: &Node<'_>, at: At<'_>) -> Read<()> {
    let mut f = node.fields(at)?;
    let text = |f: &mut super::json::Fields<'_, '_>, key| {
        f.text(key, at).map(|t| t.unwrap_or_default().into_owned())
    };
    let observation = f.text("observation", at)?.map(|t| t.into_owned());
    let action = text(&mut f, "action")?;
    let (thought, response) = (text(&mut f, "thought")?, text(&mut f, "response")?);
    if response != [thought.as_str(), action.as_str()].concat() && response != thought {
        b.lose_once(
            LossKind::Layout,
            || At::Key(&at, "response").place(),
            "the layout of what the model said",
        );
    }
    let inside = At::Key(&at, "thinking_blocks");
    let blocks = f.take("thinking_blocks", at)?.map(|n| n.items(inside)).transpose()?.unwrap_or_default();
    let acts = !action.is_empty() || observation.as_deref() != Some("");
    b.message(acts && thought.is_empty() && blocks.is_empty())?;
    for (i, block) in blocks.iter().enumerate() {
        let at = At::Item(&inside, i);
        let mut k = block.fields(at)?;
        k.take("type", at)?;
        if let Some(signature) = k.text("signature", at)? {
            b.note("signature", Value::str(signature));
        }
        b.thought(k.need_text("thinking", at)?)?;
        k.rest(at, &mut b.losses);
    }
    let says_nothing = thought.is_empty();
    if !says_nothing {
        b.say(thought)?;
    }
    if !action.is_empty() {
        // Some agents are asked for calls, and say them to the shell.
        let body = match Call::parse(&action) {
            Ok(_) => action,
            Err(_) => Call::new(SHELL, [("command", Value::Str(action))]).to_string(),
        };
        b.action(body, true, None, at.place())?;
        if let Some(observation) = observation {
            b.result(None, &observation, false, at)?;
        }
    } else if acts {
        // The agent said nothing that could be run, and was told so.
        b.action(action, false, None, at.place())?;
        if let Some(observation) = observation {
            b.result(None, &observation, false, at)?;
        }
    } else if blocks.is_empty() && says_nothing {
        b.say("")?;
    }
    f.rest(at, &mut b.losses);
    Ok(())
}
