//! The file tree with a policy and a user.

use std::sync::LazyLock;

use groundwork_trace::Tool;

use super::{Act, Content, DECLARATIONS, Files, Job, expert};
use crate::dice::Dice;
use crate::expert::Recorder;
use crate::guide::{First, Guidable, Guide, Policy, USER_TOOLS};

static TOOLS: LazyLock<Vec<Tool>> =
    LazyLock::new(|| Tool::parse_all(&format!("{DECLARATIONS}{USER_TOOLS}")).unwrap_or_default());

static CONFIRM: First = First {
    text: "confirm a folder with the user before you move or copy a file to it",
    tools: &["move", "copy"],
    argument: "to",
    before: ("confirm", "name"),
};

static LIST: First = First {
    text: "list a folder before you read a file in it",
    tools: &["read", "backup"],
    argument: "path",
    before: ("list", "dir"),
};

const COPY: Policy = Policy::Never { tool: "move", text: "never use move, but copy and delete" };

impl Guidable for Files {
    const GUIDED: &str = "files_guided";

    fn guided_tools() -> &'static [Tool] {
        &TOOLS
    }

    fn guide(&mut self, dice: &mut Dice) -> Guide {
        let job = self.jobs[0];
        let mode = dice.below(3);
        let (policy, main) = match job.act {
            Act::Move { .. } if dice.coin() => (COPY, "copy"),
            Act::Move { .. } => (Policy::First(&CONFIRM), "move"),
            Act::Read | Act::Follow => (Policy::First(&LIST), "read"),
        };
        let mut guide = Guide { policy, open: None, change: None, main, guarded: self.first.0 };
        match (job.act, mode) {
            (Act::Move { to }, 1) => guide.open = Some(to.to_string()),
            (_, 1) => guide.open = Some(format!("{}/{}", self.first.0, job.file)),
            (Act::Move { to }, 2) => {
                let others = self.folders.iter().map(|f| f.name).filter(|f| *f != to && *f != self.first.0);
                let others: Vec<_> = others.collect();
                if let Some(&first) = others.get(dice.below(others.len().max(1))) {
                    self.jobs[0].act = Act::Move { to: first };
                    let after: &[&str] = if policy == COPY { &["delete"] } else { &["move"] };
                    guide.change = Some((after, format!("no, move it to {to}")));
                    guide.open = dice.coin().then(|| first.to_string());
                }
            }
            (_, 2) => {
                let folder = &self.folders[dice.below(self.folders.len())];
                let words = folder.files.iter().filter(|f| matches!(f.content, Content::Word(_)));
                let words: Vec<_> = words.filter(|f| f.name != job.file).collect();
                if let Some(file) = words.get(dice.below(words.len().max(1))) {
                    self.jobs[0] = Job { folder: Some(folder.name), file: file.name, act: job.act };
                    guide.change = Some((&["read", "backup"], format!("no, {}", job.goal())));
                }
            }
            _ => {}
        }
        guide
    }

    fn open_goal(&self) -> String {
        let first = match self.jobs[0].act {
            Act::Read => format!("read the file in {} that I tell you", self.first.0),
            Act::Follow => format!("follow the file in {} that I tell you", self.first.0),
            Act::Move { .. } => format!("move {} where I tell you", self.jobs[0].path()),
        };
        let rest = self.jobs[1..].iter().map(Job::goal);
        [first].into_iter().chain(rest).collect::<Vec<_>>().join("; ")
    }

    fn solve_guided(self, guide: &Guide, expert: &mut Recorder) {
        expert::solve_guided(&self.jobs, guide, expert);
    }
}
