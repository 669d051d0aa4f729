//! The ledger with a policy and a user.

use std::sync::{Arc, LazyLock};

use groundwork_trace::Tool;

use super::{DECLARATIONS, Job, Ledger, Need, Question, expert};
use crate::dice::Dice;
use crate::expert::Recorder;
use crate::guide::{First, Guidable, Guide, Policy, USER_TOOLS};
use crate::names::Name;

static TOOLS: LazyLock<Vec<Tool>> =
    LazyLock::new(|| Tool::parse_all(&format!("{DECLARATIONS}{USER_TOOLS}")).unwrap_or_default());

static CONFIRM: First = First {
    text: "confirm an account with the user before you pay or put into it",
    tools: &["pay", "put"],
    argument: "to",
    before: ("confirm", "name"),
};

static LOOK: First = First {
    text: "see the balance of an account before you pay or take from it",
    tools: &["pay", "take"],
    argument: "from",
    before: ("balance", "of"),
};

const CASH: Policy = Policy::Never { tool: "pay", text: "never use pay, but take and put" };

impl Guidable for Ledger {
    const GUIDED: &str = "ledger_guided";

    fn guided_tools() -> &'static [Tool] {
        &TOOLS
    }

    fn guide(&mut self, dice: &mut Dice) -> Guide {
        let job = self.jobs[0].clone();
        let policy = [CASH, Policy::First(&CONFIRM), Policy::First(&LOOK)][dice.below(3)];
        let main = if policy == CASH { "take" } else { "pay" };
        let mut guide = Guide { policy, open: None, change: None, main, guarded: job.sources[0] };
        match (dice.below(3), job.need) {
            (1, _) => guide.open = Some(job.to.to_string()),
            (2, Need::Amount(_)) => {
                let busy = |name: &Name| self.jobs.iter().any(|j| j.to == *name || j.sources.contains(name));
                let free: Vec<Name> = self.accounts.iter().map(|a| a.name).filter(|n| !busy(n)).collect();
                if let Some(&first) = free.get(dice.below(free.len().max(1))) {
                    Arc::make_mut(&mut self.jobs)[0].to = first;
                    let after: &[&str] = if policy == CASH { &["put"] } else { &["pay"] };
                    let words = match job.question {
                        Question::Has => format!("no, pay it to {0}; what has {0}?", job.to),
                        _ => format!("no, pay it to {}", job.to),
                    };
                    guide.change = Some((after, words));
                    guide.open = dice.coin().then(|| first.to_string());
                }
            }
            _ => {}
        }
        guide
    }

    fn open_goal(&self) -> String {
        let job = &self.jobs[0];
        let from = job.sources.iter().map(Name::as_str).collect::<Vec<_>>().join(", ");
        let task = match job.need {
            Need::Amount(n) => format!("pay {n} from {from} to whom I tell you"),
            Need::Target(n) => format!("bring whom I tell you to {n} from {from}"),
        };
        let first = match job.question {
            Question::Left => format!("{task}; what is left?"),
            Question::Has => format!("{task}; what is there then?"),
            Question::Nothing => task,
        };
        let rest = self.jobs[1..].iter().map(Job::goal);
        let jobs = [first].into_iter().chain(rest).collect::<Vec<_>>().join("; ");
        self.stated.map_or(jobs.clone(), |limit| format!("limit {limit}; {jobs}"))
    }

    fn solve_guided(self, guide: &Guide, expert: &mut Recorder) {
        expert::solve_guided(&self.jobs, self.stated, guide, expert);
    }
}
