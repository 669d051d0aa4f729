//! A ledger: accounts with balances, payments between them, rules that refuse.
//!
//! | level | accounts | jobs | kinds of job |
//! |---|---|---|---|
//! | 1 | 3 | 1 | `pay 7 from bada to kilo; what is left?` or `…; what has kilo?` |
//! | 2 | 4 | 1 | also `bring kilo to 20 from bada`, which takes a look at the balance and a subtraction |
//! | 3 | 5 | 1 | a limit a payment is stated (`limit 9; …`): larger sums are split |
//! | ℓ ≥ 4 | 2 + ℓ | 1 + ⌊(ℓ−1)/4⌋ | `bring kilo to 60 from bada, tuzi`: the first source may not have enough |
//!
//! The answer is the balance asked for, or `done`; several are joined by `, `. Success asks for the exact answer,
//! for the right sums to have gone from the named sources (in any division), and for every other account to be
//! untouched. Collateral damage counts accounts that were changed without need, targets that got too much,
//! and cash kept in hand (from `take` without `put`).
//!
//! **Faults**: `limit` is this world's own: a payment is refused because of a limit that nobody stated, and
//! must be split. `denied` freezes the first source until one has asked; where there is another source, the
//! expert uses that one first. `stale`: a balance is old, or a payment is refused until one has looked at
//! the source's balance.
//!
//! The expert is optimal but for jobs with two sources: there it looks at a source before it pays and turns to
//! the second only when the first is empty or frozen. Against an agent that knew the balances it makes up to two
//! looks and one payment more.

mod expert;
mod guided;

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use groundwork_trace::{Call, Tool, ToolError, Value};

use crate::capability::Capability;
use crate::dice::Dice;
use crate::expert::Recorder;
use crate::faults::FaultKind;
use crate::names::{Name, Names};
use crate::world::{Kind, Outcome, Verification, World, name_arg, text};

#[derive(Clone, Copy, Debug)]
struct Account {
    name: Name,
    balance: i64,
    /// Whether the balance follows from what was shown.
    known: bool,
}

/// How much a job moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Need {
    /// This much.
    Amount(i64),
    /// As much as brings the target to this balance.
    Target(i64),
}

/// What a job wants to know in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Question {
    /// The balance of the source.
    Left,
    /// The balance of the target.
    Has,
    /// Nothing: the answer is `done`.
    Nothing,
}

/// One job of the goal, as the goal states it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Job {
    need: Need,
    sources: Vec<Name>,
    to: Name,
    question: Question,
}

impl Job {
    fn goal(&self) -> String {
        let from = self.sources.iter().map(Name::as_str).collect::<Vec<_>>().join(", ");
        let to = self.to;
        let task = match self.need {
            Need::Amount(n) => format!("pay {n} from {from} to {to}"),
            Need::Target(n) => format!("bring {to} to {n} from {from}"),
        };
        match self.question {
            Question::Left => format!("{task}; what is left?"),
            Question::Has => format!("{task}; what has {to}?"),
            Question::Nothing => task,
        }
    }
}

/// What the verifier knows of one job.
#[derive(Debug)]
struct Due {
    sources: Vec<usize>,
    to: usize,
    amount: i64,
}

#[derive(Debug)]
struct Truth {
    before: Vec<i64>,
    dues: Vec<Due>,
    answer: String,
}

/// The ledger world.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    accounts: Vec<Account>,
    cash: i64,
    /// The limit that the goal states.
    stated: Option<i64>,
    /// The limit that holds.
    limit: Option<i64>,
    names_seen: bool,
    /// The jobs as the goal states them (a misspelling included).
    jobs: Arc<Vec<Job>>,
    /// By how much an old balance is wrong.
    drift: i64,
    /// What was paid by mistake before the agent came, or 0.
    slip: i64,
    truth: Arc<Truth>,
}

impl Hash for Ledger {
    fn hash<H: Hasher>(&self, h: &mut H) {
        for account in &self.accounts {
            (account.name, account.balance).hash(h);
        }
        (self.cash, self.stated, self.limit, self.drift, self.slip).hash(h);
        self.jobs.hash(h);
    }
}

const DECLARATIONS: &str = "
/// Lists the names of the accounts.
list() -> [str]
/// Tells the balance of an account.
balance(of: str) -> int ! NotFound(str)
/// Pays; tells what is left.
pay(from: str, to: str, amount: int) -> int ! NotFound(str) | Short(int) | Limit(int) | BadAmount(int) | Denied(str) | Busy | Gone(str, int) | Stale(str)
/// Takes cash out of an account; tells what is left.
take(from: str, amount: int) -> int ! NotFound(str) | Short(int) | Limit(int) | BadAmount(int) | Denied(str)
/// Puts cash into an account; tells what it has then.
put(to: str, amount: int) -> int ! NotFound(str) | Short(int) | BadAmount(int)
/// Asks for access to an account.
ask(name: str) -> str ! NotFound(str)
";

static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| Tool::parse_all(DECLARATIONS).unwrap_or_default());

fn pay_call(from: &str, to: &str, amount: i64) -> Call {
    let (from, to) = (Value::str(from), Value::str(to));
    Call::new("pay", [("from", from), ("to", to), ("amount", Value::int(amount))])
}

fn refuse_int(name: &str, n: i64) -> Outcome {
    Outcome::refuse(name, [Value::int(n)])
}

impl Ledger {
    fn account(&self, call: &Call, arg: &str) -> Result<usize, Outcome> {
        name_arg(call, arg)
            .and_then(|n| self.index(n))
            .ok_or_else(|| Outcome::refuse("NotFound", [Value::str(text(call, arg))]))
    }

    fn index(&self, name: Name) -> Option<usize> {
        self.accounts.iter().position(|a| a.name == name)
    }

    fn amount(&self, call: &Call) -> Result<i64, Outcome> {
        match call.arg("amount").and_then(Value::as_i64) {
            Some(n) if n > 0 => Ok(n),
            _ => Err(Outcome::refuse("BadAmount", call.arg("amount").cloned())),
        }
    }

    /// Takes `amount` out of the account at `from`.
    fn withdraw(&mut self, from: usize, amount: i64) -> Result<Outcome, Outcome> {
        if let Some(limit) = self.limit.filter(|l| amount > *l) {
            return Err(refuse_int("Limit", limit));
        }
        let account = &mut self.accounts[from];
        if amount > account.balance {
            account.known = true;
            return Err(refuse_int("Short", account.balance));
        }
        account.balance -= amount;
        Ok(Outcome::shown(Value::int(account.balance), &mut account.known))
    }

    fn change(&mut self, call: &Call) -> Result<Outcome, Outcome> {
        match call.tool.as_str() {
            "pay" => {
                let (from, to) = (self.account(call, "from")?, self.account(call, "to")?);
                let amount = self.amount(call)?;
                let outcome = self.withdraw(from, amount)?;
                self.accounts[to].balance += amount;
                Ok(if from == to { Outcome::known(Value::int(self.accounts[to].balance)) } else { outcome })
            }
            "take" => {
                let from = self.account(call, "from")?;
                let amount = self.amount(call)?;
                let outcome = self.withdraw(from, amount)?;
                self.cash += amount;
                Ok(outcome)
            }
            "put" => {
                let to = self.account(call, "to")?;
                let amount = self.amount(call)?;
                if amount > self.cash {
                    return Err(refuse_int("Short", self.cash));
                }
                self.cash -= amount;
                let account = &mut self.accounts[to];
                account.balance += amount;
                Ok(Outcome::shown(Value::int(account.balance), &mut account.known))
            }
            "balance" => {
                let of = self.account(call, "of")?;
                let account = &mut self.accounts[of];
                Ok(Outcome::shown(Value::int(account.balance), &mut account.known))
            }
            "list" => {
                let names = self.accounts.iter().map(|a| Value::str(a.name.as_str())).collect();
                Ok(Outcome::shown(Value::List(names), &mut self.names_seen))
            }
            _ => self.account(call, "name").map(|_| Outcome::known(Value::str("granted"))),
        }
    }

    /// Sums that may make sense: the balances, the limits, the cash, and from each job what the goal says and
    /// what is still missing.
    fn sums(&self) -> Vec<i64> {
        let mut sums: Vec<i64> = self.accounts.iter().map(|a| a.balance).collect();
        sums.extend(self.stated.into_iter().chain(self.limit));
        sums.extend([self.cash, self.slip]);
        for (job, due) in self.jobs.iter().zip(&self.truth.dues) {
            let missing = self.truth.before[due.to] + due.amount - self.accounts[due.to].balance;
            let (Need::Amount(said) | Need::Target(said)) = job.need;
            sums.extend([said, due.amount, missing]);
        }
        sums.retain(|n| *n > 0);
        sums.sort_unstable();
        sums.dedup();
        sums
    }
}

impl Kind for Ledger {
    type World = Self;
    const NAME: &str = "ledger";

    fn tools() -> Option<&'static [Tool]> {
        Some(&TOOLS)
    }

    fn capabilities() -> &'static [Capability] {
        &[Capability::ToolUse, Capability::Planning]
    }

    fn faults() -> &'static [FaultKind] {
        use FaultKind::*;
        &[Transient, Timeout, Drift, Removed, Misspelt, Denied, Stale, Gone, Limit, Planted, Inherited]
    }

    fn generate(level: u32, names: &mut Names, dice: &mut Dice) -> Self {
        let high = if level < 3 { 40 } else { 90 };
        let accounts: Vec<Account> = (0..2 + level)
            .map(|_| Account { name: names.draw(dice), balance: dice.between(10, high), known: false })
            .collect();
        let stated = (level >= 3).then(|| dice.between(8, 20));
        // Jobs share no account, so that the order of their payments does not matter.
        let mut free: Vec<usize> = (0..accounts.len()).collect();
        dice.shuffle(&mut free);
        let (mut jobs, mut dues, mut answers) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..1 + (level - 1) / 4 {
            let bring = level >= 2 && dice.coin();
            let wanted = if bring && level >= 4 { 2 } else { 1 };
            if free.len() < wanted + 1 {
                break;
            }
            let to = free.swap_remove(0);
            let sources: Vec<usize> = (0..wanted).map(|_| free.swap_remove(0)).collect();
            let have: i64 = sources.iter().map(|s| accounts[*s].balance).sum();
            let amount = dice.between(2, if level < 3 { 9 } else { have.min(40) });
            let question = match (bring, dice.coin()) {
                (true, _) => Question::Nothing,
                (false, true) => Question::Left,
                (false, false) => Question::Has,
            };
            let target = accounts[to].balance + amount;
            answers.push(match question {
                Question::Nothing => "done".to_owned(),
                Question::Left => (have - amount).to_string(),
                Question::Has => target.to_string(),
            });
            let need = if bring { Need::Target(target) } else { Need::Amount(amount) };
            let source_names = sources.iter().map(|s| accounts[*s].name).collect();
            jobs.push(Job { need, sources: source_names, to: accounts[to].name, question });
            dues.push(Due { sources, to, amount });
        }
        let before = accounts.iter().map(|a| a.balance).collect();
        let truth = Arc::new(Truth { before, dues, answer: answers.join(", ") });
        Ledger {
            accounts,
            cash: 0,
            stated,
            limit: stated,
            names_seen: false,
            jobs: Arc::new(jobs),
            drift: 0,
            slip: 0,
            truth,
        }
    }
}

impl World for Ledger {
    fn tools(&self) -> &[Tool] {
        &TOOLS
    }

    fn arm(&mut self, fault: FaultKind, names: &mut Names, dice: &mut Dice) {
        match fault {
            FaultKind::Misspelt => {
                let jobs = Arc::make_mut(&mut self.jobs);
                jobs[0].sources[0] = names.misspell(jobs[0].sources[0], dice);
            }
            FaultKind::Stale => {
                let up = dice.between(1, 9);
                self.drift = if dice.coin() { up } else { -up };
            }
            FaultKind::Planted | FaultKind::Inherited => {
                let most = self.accounts[self.truth.dues[0].to].balance.min(9);
                self.slip = dice.between(2, self.stated.map_or(most, |limit| most.min(limit)));
            }
            FaultKind::Limit => {
                let due = &self.truth.dues[0];
                let first = due.amount.min(self.accounts[due.sources[0]].balance);
                let first = self.stated.map_or(first, |l| first.min(l));
                self.limit = Some(dice.between((first + 1) / 2, first - 1));
            }
            _ => {}
        }
    }

    fn goal(&self) -> String {
        let jobs = self.jobs.iter().map(Job::goal).collect::<Vec<_>>().join("; ");
        match self.stated {
            Some(limit) => format!("limit {limit}; {jobs}"),
            None => jobs,
        }
    }

    fn step(&mut self, call: &Call) -> Outcome {
        self.change(call).unwrap_or_else(|refusal| refusal)
    }

    fn verify(&self, answer: &str) -> Verification {
        let Truth { before, dues, answer: right } = &*self.truth;
        let change = |i: usize| self.accounts[i].balance - before[i];
        let mut involved = vec![false; self.accounts.len()];
        let mut met = true;
        let mut collateral = u32::from(self.cash != 0);
        for due in dues {
            involved[due.to] = true;
            due.sources.iter().for_each(|s| involved[*s] = true);
            met &= change(due.to) == due.amount && due.sources.iter().all(|s| change(*s) <= 0);
            collateral += u32::from(change(due.to) > due.amount);
        }
        collateral += (0..before.len()).filter(|i| !involved[*i] && change(*i) != 0).count() as u32;
        Verification { success: met && collateral == 0 && answer == right, collateral }
    }

    fn legal_actions(&self) -> Vec<Call> {
        let mut names: Vec<Name> = self.accounts.iter().map(|a| a.name).collect();
        // A name that the goal misspells may be tried all the same.
        names.extend(self.jobs.iter().flat_map(|j| j.sources.iter().copied()));
        names.sort_unstable();
        names.dedup();
        let sums = self.sums();
        let mut calls = vec![Call::new("list", [])];
        for name in &names {
            let name = || Value::str(name.as_str());
            calls.push(Call::new("balance", [("of", name())]));
            calls.push(Call::new("ask", [("name", name())]));
            for &sum in &sums {
                calls.push(Call::new("take", [("from", name()), ("amount", Value::int(sum))]));
                calls.push(Call::new("put", [("to", name()), ("amount", Value::int(sum))]));
            }
        }
        for (i, from) in names.iter().enumerate() {
            for (_, to) in names.iter().enumerate().filter(|(j, _)| *j != i) {
                for &sum in &sums {
                    let (from, to) = (Value::str(from.as_str()), Value::str(to.as_str()));
                    calls.push(Call::new("pay", [("from", from), ("to", to), ("amount", Value::int(sum))]));
                }
            }
        }
        calls
    }

    fn main_tool(&self) -> (Cow<'static, str>, u32) {
        ("pay".into(), 1)
    }

    fn stale_tool(&self) -> Cow<'static, str> {
        match self.jobs[0].need {
            Need::Amount(_) => "pay".into(),
            Need::Target(_) => "balance".into(),
        }
    }

    fn guarded(&self, _: &mut Dice) -> String {
        self.jobs[0].sources[0].to_string()
    }

    fn resource(&self, call: &Call) -> Option<String> {
        match call.tool.as_str() {
            "pay" | "take" => Some(text(call, "from").to_owned()),
            _ => None,
        }
    }

    fn outdated(&self, call: &Call) -> Option<Value> {
        if call.tool != "balance" {
            return None;
        }
        let balance = self.accounts[self.index(name_arg(call, "of")?)?].balance;
        // Never the truth, and never below zero.
        Some(Value::int(if balance + self.drift < 0 { balance - self.drift } else { balance + self.drift }))
    }

    fn mistake(&self, dice: &mut Dice) -> Vec<Call> {
        // Whom the first job is to pay has paid one whom no job names.
        let Truth { dues, .. } = &*self.truth;
        let named = |i: &usize| dues.iter().any(|d| d.to == *i || d.sources.contains(i));
        let others: Vec<usize> = (0..self.accounts.len()).filter(|i| !named(i)).collect();
        let Some(&other) = others.get(dice.below(others.len().max(1))) else { return Vec::new() };
        let (from, to) = (self.accounts[dues[0].to].name, self.accounts[other].name);
        vec![pay_call(from.as_str(), to.as_str(), self.slip)]
    }

    fn undo(call: &Call) -> Option<Call> {
        Some(pay_call(text(call, "to"), text(call, "from"), call.arg("amount")?.as_i64()?))
    }

    fn refresh(name: &str) -> Call {
        Call::new("balance", [("of", Value::str(name))])
    }

    fn shows(&self, fault: FaultKind, _: &Call, error: &ToolError) -> bool {
        match fault {
            FaultKind::Limit => error.name == "Limit",
            FaultKind::Misspelt => {
                error.name == "NotFound" && crate::expert::carried(error) == self.jobs[0].sources[0].as_str()
            }
            _ => false,
        }
    }

    fn solve(self, expert: &mut Recorder) {
        expert::solve(&self.jobs, self.stated, expert);
    }
}
