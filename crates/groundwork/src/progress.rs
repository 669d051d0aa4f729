//! Progress for people: bars on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Seconds between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(15);

/// A set of bars, one below the other, on standard error.
pub struct Bars {
    multi: MultiProgress,
    terminal: bool,
}

/// One bar. Its length is in any unit; what it says is the caller's.
pub struct Bar {
    bar: ProgressBar,
    terminal: bool,
    label: String,
    printed: Option<Instant>,
}

impl Bars {
    /// Bars on standard error, or lines where it is no terminal.
    pub fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Bars { multi: MultiProgress::with_draw_target(target), terminal }
    }

    /// Adds a bar that runs to `of`.
    pub fn bar(&self, label: &str, of: u64) -> Bar {
        let style = ProgressStyle::with_template("{prefix:26} {bar:28} {percent:>3}%  {msg}")
            .expect("the template is well formed")
            .progress_chars("━╸─");
        let bar = self.multi.add(ProgressBar::new(of.max(1)).with_style(style));
        bar.set_prefix(label.to_owned());
        Bar { bar, terminal: self.terminal, label: label.to_owned(), printed: None }
    }

    /// Prints a line above the bars.
    pub fn line(&self, text: &str) {
        if self.terminal {
            self.multi.suspend(|| eprintln!("{text}"));
        } else {
            eprintln!("{text}");
        }
    }
}

impl Bar {
    /// Moves the bar to `done` and says `message` beside it.
    pub fn set(&mut self, done: u64, message: &str) {
        self.bar.set_position(done);
        self.bar.set_message(message.to_owned());
        if !self.terminal && self.printed.is_none_or(|at| at.elapsed() >= LINE_EVERY) {
            self.printed = Some(Instant::now());
            let of = self.bar.length().unwrap_or(1);
            eprintln!("{}  {:.0}%  {message}", self.label, 100.0 * done as f64 / of as f64);
        }
    }

    /// Changes where the bar ends.
    pub fn set_length(&self, of: u64) {
        self.bar.set_length(of.max(1));
    }

    /// Removes the bar.
    pub fn clear(self) {
        self.bar.finish_and_clear();
    }
}

/// A duration for people: `8 s`, `3 min 20 s`, `2 h 5 min`.
pub fn duration(seconds: f64) -> String {
    let s = seconds.max(0.0).round() as u64;
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min {:02} s", s / 60, s % 60),
        _ => format!("{} h {:02} min", s / 3600, s % 3600 / 60),
    }
}

/// An amount of memory for people: `107 MiB`.
pub fn bytes(n: u64) -> String {
    let mib = n as f64 / f64::from(1 << 20);
    if mib < 1024.0 { format!("{mib:.0} MiB") } else { format!("{:.1} GiB", mib / 1024.0) }
}

/// A count for people: `1.72 M`.
pub fn count(n: f64) -> String {
    for (scale, unit) in [(1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")] {
        if n >= scale {
            return format!("{:.3} {unit}", n / scale).replacen(".000", "", 1);
        }
    }
    format!("{n:.0}")
}
