//! `groundwork verdict` and `groundwork fit`

use groundwork_history::{Columns, FitQuestion, Histories, HistoriesError, HistoryQuestion};
use groundwork_lab::judge::{ArchiveNoise, CostBasis, Field, Judgement, Problem, Scale, judge_all};
use groundwork_lab::{Direction, render_judgement};
use serde::Serialize;

use super::{print_json, write_file};
use crate::cli::{ColumnArgs, CostOf, FitArgs, ScaleOf, VerdictArgs, Way};
use crate::failure::Failure;

impl From<HistoriesError> for Failure {
    fn from(e: HistoriesError) -> Self {
        Failure::input(e)
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Output<'a> {
    verdicts: &'a [Judgement],
    /// All arms together, where there are several candidates.
    field: Option<&'a Field>,
    problems: &'a [Problem],
    assumed: &'a [String],
}

pub fn run(args: &VerdictArgs) -> Result<(), Failure> {
    let question = question(args)?;
    let Histories { mut table, rule, candidates, problems, assumed } = question.ask(&args.files)?;
    table.runs.retain(|r| r.arm == table.baseline || candidates.contains(&r.arm));
    let noise = ArchiveNoise::default();
    let verdicts = judge_all(&table, &rule, &noise);
    let field = (verdicts.len() > 1).then(|| Field::of(&table, &verdicts, &rule, &noise));
    let together = field.as_ref().map_or_else(Vec::new, Field::to_lines);
    let notes: Vec<String> = (together.iter().cloned())
        .chain([UNREGISTERED.to_owned()])
        .chain(assumed.iter().cloned())
        .chain(problems.iter().map(ToString::to_string))
        .collect();
    let name = if question.question.is_empty() { &question.metric } else { &question.question };
    for (i, verdict) in verdicts.iter().enumerate() {
        let path = match i {
            0 => args.report.clone(),
            _ => {
                let stem = args.report.file_stem().unwrap_or_default().to_string_lossy();
                args.report.with_file_name(format!("{stem}-{}.html", i + 1))
            }
        };
        let page = render_judgement(name, &notes, verdict, &table, None);
        write_file(&path, page.as_bytes())?;
        if !args.json {
            println!("{} against {}", verdict.candidate, verdict.baseline);
            println!("{}", verdict.to_text());
            println!("report: {}\n", path.display());
        }
    }
    if args.json {
        let field = field.as_ref();
        print_json(&Output { verdicts: &verdicts, field, problems: &problems, assumed: &assumed });
        return Ok(());
    }
    list("all candidates together", together.into_iter());
    list("in the data", problems.iter().map(ToString::to_string));
    list("assumed", std::iter::once(UNREGISTERED.to_owned()).chain(assumed));
    Ok(())
}

const UNREGISTERED: &str = "These runs were not registered before they were made: nothing shows that the question, the metric \
                            and the margin were chosen before the results were known.";

fn list(title: &str, items: impl Iterator<Item = String>) {
    for (i, item) in items.enumerate() {
        if i == 0 {
            println!("{title}");
        }
        println!("  - {item}");
    }
}

/// The question of the file, with what the flags say in front.
fn question(args: &VerdictArgs) -> Result<HistoryQuestion, Failure> {
    let mut q = match &args.question {
        Some(path) => HistoryQuestion::load(path)?,
        None => HistoryQuestion::default(),
    };
    if let Some(metric) = &args.metric {
        q.metric.clone_from(metric);
    }
    if let Some(baseline) = &args.baseline {
        q.baseline.clone_from(baseline);
    }
    if !args.candidate.is_empty() {
        q.candidates.clone_from(&args.candidate);
    }
    q.once |= args.once;
    let direction = args.direction.map(|way| match way {
        Way::Lower => Direction::Lower,
        Way::Higher => Direction::Higher,
    });
    q.direction = direction.or(q.direction);
    let scale = args.scale.map(|scale| match scale {
        ScaleOf::Multiplier => Scale::Multiplier,
        ScaleOf::Metric => Scale::Metric,
    });
    q.rule.scale = scale.or(q.rule.scale);
    let cost = args.cost.map(|cost| match cost {
        CostOf::Flops => CostBasis::Flops,
        CostOf::Seconds => CostBasis::Seconds,
    });
    q.rule.cost = cost.or(q.rule.cost);
    q.rule.margin = args.margin.or(q.rule.margin);
    q.rule.target = args.target.or(q.rule.target);
    q.columns = columns(&args.columns, q.columns);
    Ok(q)
}

fn columns(args: &ColumnArgs, file: Columns) -> Columns {
    let mut only = file.only;
    only.extend(args.only.iter().cloned());
    let first = |flag: &Option<String>, file: Option<String>| flag.clone().or(file);
    Columns {
        arm: first(&args.arm, file.arm),
        size: first(&args.size, file.size),
        seed: first(&args.seed, file.seed),
        step: first(&args.step, file.step),
        run: first(&args.run, file.run),
        flops: first(&args.flops, file.flops),
        tokens: first(&args.tokens, file.tokens),
        tokens_per_step: args.tokens_per_step.or(file.tokens_per_step),
        seconds: first(&args.seconds, file.seconds),
        pattern: first(&args.pattern, file.pattern),
        at: args.at.or(file.at),
        only,
        ..file
    }
}

pub fn fit(args: &FitArgs) -> Result<(), Failure> {
    let question = FitQuestion {
        metric: args.metric.clone(),
        columns: columns(&args.columns, Columns::default()),
        drop_largest: args.drop_largest,
        resamples: args.resamples,
        seed: args.random_seed,
    };
    let fit = question.ask(&args.files)?;
    if args.json {
        print_json(&fit);
    } else {
        print!("{}", fit.to_text());
    }
    Ok(())
}
