//! The expert of the ledger.

use std::collections::VecDeque;

use groundwork_trace::{Call, SpanKind, ToolError, Value};

use super::{Job, Ledger, Need, Question, pay_call};
use crate::expert::{Recorder, carried, is_away};
use crate::guide::{Guide, ask_user};
use crate::names::{Name, nearest};
use crate::world::Outcome;

/// Solves the jobs, knowing only what the goal says and the tools answer.
pub(super) fn solve(jobs: &[Job], limit: Option<i64>, expert: &mut Recorder) {
    let mut limit = limit;
    expert.take_over::<Ledger>();
    expert.say(SpanKind::Plan, jobs.iter().map(|job| plan(job, limit)).collect::<Vec<_>>().join("; "));
    let answers: Vec<String> = jobs
        .iter()
        .map(|job| Work { expert, limit: &mut limit, left: None, reached: None }.job(job))
        .collect();
    expert.say(SpanKind::Answer, answers.join(", "));
}

/// As [`solve`], with a policy to keep to and a user: asks whom the goal leaves open.
pub(super) fn solve_guided(jobs: &[Job], limit: Option<i64>, guide: &Guide, expert: &mut Recorder) {
    let mut jobs = jobs.to_vec();
    if guide.open.is_some() {
        expert.say(SpanKind::Plan, "ask what is open, then do it");
        if let Some(name) = Name::parse(&ask_user(expert)) {
            jobs[0].to = name;
        }
    }
    solve(&jobs, limit, expert);
}

fn plan(job: &Job, limit: Option<i64>) -> String {
    let pay = match (job.need, limit) {
        (Need::Amount(n), Some(limit)) if n > limit => format!("pay {}", parts(n, limit)),
        (Need::Amount(n), _) => format!("pay {n}"),
        (Need::Target(_), _) => format!("see {}, pay the rest", job.to),
    };
    match job.question {
        Question::Has => format!("{pay}, see {}", job.to),
        Question::Left | Question::Nothing => pay,
    }
}

/// The payments that make up `n`: `9 9 2`.
fn parts(n: i64, limit: i64) -> String {
    let limit = limit.max(1);
    let mut parts = vec![limit.to_string(); (n / limit) as usize];
    if n % limit > 0 {
        parts.push((n % limit).to_string());
    }
    parts.join(" ")
}

/// What became of a wish to pay.
enum Paid {
    /// This much was paid.
    Some(i64),
    /// The account has only this much.
    Short(i64),
    /// More than this must not be paid at once.
    Limit(i64),
    /// There is no access to the account.
    Denied,
    /// The account was called something else.
    Renamed(Name),
    /// It cannot be done.
    No,
}

/// Who is to have it after all, as the user says.
fn wished(said: &str) -> Option<Name> {
    Name::parse(said.split_once("pay it to ")?.1.get(..4)?)
}

struct Work<'a> {
    expert: &'a mut Recorder,
    limit: &'a mut Option<i64>,
    /// What the last payment left in its source.
    left: Option<i64>,
    /// What the target has, where the last payment was in cash.
    reached: Option<i64>,
}

impl Work<'_> {
    fn job(&mut self, job: &Job) -> String {
        let mut to = job.to;
        let mut need = match job.need {
            Need::Amount(n) => n,
            Need::Target(target) => {
                let Some(has) = self.balance(job.to) else { return String::new() };
                self.expert.say(SpanKind::Thought, format!("{target} - {has} = {}", target - has));
                target - has
            }
        };
        let mut sources: VecDeque<Name> = job.sources.iter().copied().collect();
        let mut refused: Vec<Name> = Vec::new();
        // With one source there must be enough; with several, look before paying.
        let look = sources.len() > 1;
        let mut seen: Vec<(Name, i64)> = Vec::new();
        while need > 0 {
            let Some(&source) = sources.front() else { break };
            let known = seen.iter().position(|(name, _)| *name == source);
            if look && known.is_none() {
                match self.look(source) {
                    Ok(balance) => seen.push((source, balance)),
                    Err(Some(name)) => sources[0] = name,
                    Err(None) => break,
                }
                continue;
            }
            let has = known.map_or(need, |i| seen[i].1);
            let sum = need.min(has).min(self.limit.unwrap_or(need));
            if sum == 0 {
                sources.pop_front();
                continue;
            }
            match self.pay(source, to, sum) {
                Paid::Some(paid) => {
                    need -= paid;
                    if let Some(wish) = self.expert.heard().as_deref().and_then(wished) {
                        let left = self.left;
                        self.pay(to, wish, paid);
                        (self.left, to) = (left, wish);
                    }
                    if let Some(i) = known {
                        seen[i].1 -= paid;
                    }
                }
                Paid::Short(balance) => {
                    seen.retain(|(name, _)| *name != source);
                    seen.push((source, balance));
                }
                Paid::Limit(limit) => {
                    self.expert.reflect(format!("at most {limit}, pay {}", parts(need.min(has), limit)));
                    *self.limit = Some(limit);
                }
                Paid::Renamed(name) => sources[0] = name,
                Paid::Denied if sources.len() > 1 && !refused.contains(&source) => {
                    self.expert.reflect(format!("no access to {source}, use {}", sources[1]));
                    refused.push(source);
                    sources.rotate_left(1);
                }
                Paid::Denied => self.expert.ask(source.as_str()),
                Paid::No => break,
            }
        }
        match job.question {
            Question::Nothing => "done".to_owned(),
            Question::Left => self.left.map_or_else(String::new, |n| n.to_string()),
            Question::Has => {
                let has = self.reached.or_else(|| self.balance(to));
                has.map_or_else(String::new, |n| n.to_string())
            }
        }
    }

    fn balance(&mut self, of: Name) -> Option<i64> {
        self.look(of).ok()
    }

    /// The balance of an account, or the name that it really has.
    fn look(&mut self, of: Name) -> Result<i64, Option<Name>> {
        let call = Call::new("balance", [("of", Value::str(of.as_str()))]);
        match self.expert.attempt_asking::<Ledger>(&call) {
            Outcome::Observation { value, .. } => value.as_i64().ok_or(None),
            Outcome::Error(error) => Err(self.correct(&error)),
        }
    }

    fn pay(&mut self, from: Name, to: Name, sum: i64) -> Paid {
        let name = |n: Name| Value::str(n.as_str());
        let mut outcome = None;
        if self.expert.away("pay") == 0 {
            outcome = Some(self.expert.attempt::<Ledger>(&pay_call(from.as_str(), to.as_str(), sum)));
            if matches!(&outcome, Some(Outcome::Error(e)) if is_away(e)) {
                self.expert.reflect("pay is gone, take and put");
                outcome = None;
            }
        }
        let by_cash = outcome.is_none();
        let outcome = outcome.unwrap_or_else(|| {
            let call = Call::new("take", [("from", name(from)), ("amount", Value::int(sum))]);
            self.expert.attempt::<Ledger>(&call)
        });
        let error = match outcome {
            Outcome::Observation { value, .. } => {
                self.left = value.as_i64();
                self.reached = None;
                if by_cash {
                    let put = Call::new("put", [("to", name(to)), ("amount", Value::int(sum))]);
                    if let Outcome::Observation { value, .. } = self.expert.attempt::<Ledger>(&put) {
                        self.reached = value.as_i64();
                    }
                }
                return Paid::Some(sum);
            }
            Outcome::Error(error) => error,
        };
        match (error.name.as_str(), error.args.first().and_then(Value::as_i64)) {
            ("Denied", _) => Paid::Denied,
            ("Short", Some(balance)) => {
                self.expert.reflect(format!("{from} has only {balance}"));
                Paid::Short(balance)
            }
            ("Limit", Some(limit)) => Paid::Limit(limit),
            _ => self.correct(&error).map_or(Paid::No, Paid::Renamed),
        }
    }

    /// After a `NotFound`: lists the accounts and takes the nearest name.
    fn correct(&mut self, error: &ToolError) -> Option<Name> {
        let wrong = carried(error);
        self.expert.reflect(format!("there is no {wrong}, list the names"));
        let outcome = self.expert.attempt_asking::<Ledger>(&Call::new("list", []));
        let Outcome::Observation { value: Value::List(items), .. } = outcome else { return None };
        let name = nearest(wrong, items.iter().filter_map(|v| Name::parse(v.as_str()?)))?;
        self.expert.reflect(format!("it is {name}"));
        Some(name)
    }
}
