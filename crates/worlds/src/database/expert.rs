//! The expert of the database.

use groundwork_trace::{Call, SpanKind, Value};

use super::request::{Request, What};
use super::{Database, SEARCH_COLUMNS};
use crate::expert::Recorder;
use crate::names::{Name, nearest};
use crate::world::Outcome;

/// Does what is asked, knowing only what the goal says and the tools answer.
pub(super) fn solve(request: &Request, level: u32, expert: &mut Recorder) {
    let mut request = request.clone();
    let search = level >= SEARCH_COLUMNS;
    let columns: Vec<&str> = if search { vec!["see where the columns are"] } else { Vec::new() };
    let act = if request.changes() { "change" } else { "query" };
    expert.say(SpanKind::Plan, columns.into_iter().chain([act]).collect::<Vec<_>>().join(", "));
    let mut path = if search { find_columns(&mut request, expert) } else { near(&request) };
    for _ in 0..4 {
        let tool = if request.changes() { "execute" } else { "query" };
        while expert.away(tool) > 0 {
            expert.act(&Call::new("wait", []));
        }
        let call = Call::new(tool, [("sql", Value::str(request.sql(&path)))]);
        match expert.attempt_asking::<Database>(&call) {
            Outcome::Observation { value, .. } => {
                let answer = if request.changes() { "done".to_owned() } else { only(&value) };
                expert.say(SpanKind::Answer, answer);
                return;
            }
            Outcome::Error(error) if error.name == "Gone" => {
                expert.reflect(format!("{tool} is gone, wait {}", expert.away(tool)));
            }
            Outcome::Error(_) => {
                if !correct(&mut request.table, expert) {
                    break;
                }
                path[0] = request.table;
            }
        }
    }
    expert.say(SpanKind::Answer, "");
}

/// The tables of a request whose columns are all in the asked one.
fn near(request: &Request) -> Vec<Name> {
    match request.what {
        What::Group { parent, .. } => vec![request.table, parent],
        _ => vec![request.table],
    }
}

/// Reads schemas, from the asked table upwards, until every column is found; the tables that the statement needs.
fn find_columns(request: &mut Request, expert: &mut Recorder) -> Vec<Name> {
    let mut line: Vec<Name> = Vec::new();
    let mut columns: Vec<Vec<Name>> = Vec::new();
    let mut next = Some(request.table);
    while let Some(table) = next {
        let call = Call::new("schema", [("of", Value::str(table.as_str()))]);
        let declaration = match expert.attempt_asking::<Database>(&call) {
            Outcome::Observation { value, .. } => value.as_str().unwrap_or_default().to_owned(),
            Outcome::Error(_) => {
                if line.is_empty() && correct(&mut request.table, expert) {
                    next = Some(request.table);
                    continue;
                }
                break;
            }
        };
        let inside = declaration.split_once('(').map_or("", |(_, inside)| inside);
        let words = || inside.split(", ").filter_map(|column| column.split(' ').next());
        line.push(table);
        columns.push(words().filter_map(Name::parse).collect());
        next = words().filter_map(|w| w.strip_suffix("_id")).find_map(Name::parse);
        if request.columns().iter().all(|c| columns.iter().any(|known| known.contains(c))) {
            break;
        }
    }
    let mut reach = request.reach(line.len(), |t, column| columns[t].contains(&column));
    if let What::Group { parent, .. } = request.what
        && line.len() < 2
    {
        line.push(parent);
        reach = 2;
    }
    line.truncate(reach.max(1));
    if line.is_empty() {
        line.push(request.table);
    }
    if line.len() > 1 {
        let steps: Vec<String> = line.iter().map(Name::to_string).collect();
        expert.say(SpanKind::Thought, format!("join {}", steps.join(" ")));
    }
    line
}

/// After an error about the table: lists the tables and takes the nearest name. Says whether that helped.
fn correct(table: &mut Name, expert: &mut Recorder) -> bool {
    let wrong = *table;
    expert.reflect(format!("there is no {wrong}, list the tables"));
    let outcome = expert.attempt_asking::<Database>(&Call::new("tables", []));
    let Outcome::Observation { value: Value::List(items), .. } = outcome else { return false };
    let Some(right) = nearest(wrong.as_str(), items.iter().filter_map(|v| Name::parse(v.as_str()?))) else {
        return false;
    };
    expert.reflect(format!("it is {right}"));
    *table = right;
    right != wrong
}

/// The one cell of a result.
fn only(value: &Value) -> String {
    let Value::List(rows) = value else { return String::new() };
    match rows.first() {
        Some(Value::List(cells)) => match cells.first() {
            Some(Value::Str(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        },
        _ => String::new(),
    }
}
