//! `groundwork play`

use std::io::{BufRead, IsTerminal, Write};

use groundwork_trace::{Span, SpanKind, Trace};
use groundwork_worlds::{Declare, Episode, Split, Task};

use crate::cli::TaskArgs;
use crate::failure::Failure;

const HELP: &str = "\
Type an action, such as list(dir=\"bada\"), or one of these:
  answer TEXT   give the final answer
  tools         show the tools again
  legal         list the actions that are possible now
  give up       see how the expert does it
  help          this text";

pub fn run(args: &TaskArgs) -> Result<(), Failure> {
    let task = super::task(args, Split::Train)?;
    let mut episode = Episode::new(&task)?;
    let colour = std::io::stdout().is_terminal();
    let prompt = episode.prompt(Declare::Full);
    print!("{}", Trace::new(prompt.clone()).to_terminal(colour));
    println!("\n{HELP}\n");
    for line in Lines::new() {
        let line = line.map_err(|e| Failure::input(format!("standard input: {e}")))?;
        let said = line.trim();
        match said {
            "" => {}
            "help" => println!("{HELP}"),
            "tools" => {
                let tools = prompt.iter().filter(|s| s.kind == SpanKind::Tools).cloned().collect();
                print!("{}", Trace::new(tools).to_terminal(colour));
            }
            "legal" => {
                for call in episode.legal_actions() {
                    println!("  {call}");
                }
            }
            "give up" | "quit" | "exit" => break,
            _ => match said.strip_prefix("answer") {
                Some(answer) if answer.starts_with([' ', ':']) => {
                    let verdict = episode.verify(answer.trim_start_matches(':').trim());
                    println!("{}", if verdict.success { "Solved." } else { "Not solved." });
                    if verdict.collateral > 0 {
                        println!("{} things were changed that nobody asked for.", verdict.collateral);
                    }
                    return expert(&task, colour, verdict.success);
                }
                _ => {
                    let reply = episode.act(said);
                    print!("{}", shown([reply.span].into_iter().chain(reply.turn).collect(), colour));
                }
            },
        }
    }
    expert(&task, colour, false)
}

fn shown(spans: Vec<Span>, colour: bool) -> String {
    Trace::new(spans).to_terminal(colour)
}

fn expert(task: &Task, colour: bool, solved: bool) -> Result<(), Failure> {
    println!(
        "\n{}\n",
        if solved { "The expert did it like this:" } else { "The expert would have done this:" }
    );
    let told = Episode::new(task)?.prompt(Declare::Name).len();
    let trace = Episode::expert_trace(task, Declare::Name)?;
    print!("{}", shown(trace.spans[told..].to_vec(), colour));
    Ok(())
}

/// Lines of standard input, with a prompt where a person types them.
struct Lines {
    terminal: bool,
}

impl Lines {
    fn new() -> Self {
        Lines { terminal: std::io::stdin().is_terminal() }
    }
}

impl Iterator for Lines {
    type Item = std::io::Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.terminal {
            print!("> ");
            std::io::stdout().flush().ok();
        }
        // What is no UTF-8 is no action either, and is answered like any other mistake.
        let mut line = Vec::new();
        match std::io::stdin().lock().read_until(b'\n', &mut line) {
            Ok(0) => None,
            Ok(_) => Some(Ok(String::from_utf8_lossy(&line).into_owned())),
            Err(e) => Some(Err(e)),
        }
    }
}
