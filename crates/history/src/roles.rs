//! What the rows of a table say about runs: columns and name patterns made into one record a row.

use std::collections::{BTreeMap, BTreeSet};

use crate::table::{Cell, Row, Table};
use crate::{Columns, Findings, HistoryError, MetricSpec, Pattern, parse_size};

/// What a row says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) place: String,
    pub(crate) arm: String,
    pub(crate) size: String,
    pub(crate) params: Option<f64>,
    pub(crate) seed: Option<String>,
    pub(crate) run: String,
    pub(crate) step: Option<f64>,
    pub(crate) flops: Option<f64>,
    pub(crate) tokens: Option<f64>,
    pub(crate) seconds: Option<f64>,
    /// One entry a metric: `None` if the row does not hold it; not a number if it says so.
    pub(crate) values: Vec<Option<f64>>,
}

/// The size of runs whose size nothing says.
pub(crate) const ONE_SIZE: &str = "one size";
/// The size of runs whose sizes are the pairs.
const ALL_SIZES: &str = "all sizes";

/// Reads the rows of all tables.
pub(crate) fn records(
    tables: &[Table],
    columns: &Columns,
    metrics: &[MetricSpec],
    findings: &mut Findings,
) -> Result<Vec<Record>, HistoryError> {
    let pattern = columns.pattern.as_deref().map(Pattern::parse).transpose()?;
    check(tables, columns, metrics, pattern.as_ref())?;
    let mut records = Vec::new();
    for table in tables {
        Roles::of(table, columns, metrics, pattern.as_ref()).read(&mut records, findings);
    }
    Ok(records)
}

/// Every column that is named must be somewhere.
fn check(
    tables: &[Table],
    columns: &Columns,
    metrics: &[MetricSpec],
    pattern: Option<&Pattern>,
) -> Result<(), HistoryError> {
    let known: BTreeSet<&str> = tables.iter().flat_map(|t| t.names().iter().map(String::as_str)).collect();
    let named = [
        ("arm", &columns.arm),
        ("size", &columns.size),
        ("seed", &columns.seed),
        ("step", &columns.step),
        ("run", &columns.run),
        ("flops", &columns.flops),
        ("tokens", &columns.tokens),
        ("seconds", &columns.seconds),
    ];
    let named = named.into_iter().filter_map(|(role, name)| Some((role.to_owned(), name.as_deref()?)));
    let filters = columns.only.keys().map(|name| ("where".to_owned(), name.as_str()));
    let first = metrics.first().map(|m| ("the primary metric".to_owned(), m.column()));
    let conditions =
        metrics.iter().flat_map(|m| m.only.keys().map(|name| (format!("`{}`", m.name), name.as_str())));
    for (role, name) in named.chain(filters).chain(first).chain(conditions) {
        if !known.contains(name) {
            let message = format!("there is no column `{name}` ({role})");
            return Err(HistoryError::Column { message, hint: nearest(name, &known) });
        }
    }
    let from_pattern = |field: &str| pattern.is_some_and(|p| p.fields().any(|f| f == field));
    if columns.only_arm.is_none() && columns.arm.is_none() && !known.contains("arm") && !from_pattern("arm") {
        let message = "nothing says which arm a run belongs to".to_owned();
        let hint = format!(
            "name the column that does, or give a pattern for the names of runs, such as {{arm}}-s{{seed}}; {}",
            listed(&known)
        );
        return Err(HistoryError::Column { message, hint });
    }
    Ok(())
}

/// The nearest name among those known, or all of them.
fn nearest(name: &str, known: &BTreeSet<&str>) -> String {
    let best = known.iter().map(|k| (strsim::jaro_winkler(name, k), *k)).max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((likeness, k)) if likeness > 0.8 => format!("did you mean `{k}`? {}", listed(known)),
        _ => listed(known),
    }
}

fn listed(known: &BTreeSet<&str>) -> String {
    let few: Vec<String> = known.iter().take(30).map(|k| format!("`{k}`")).collect();
    let more = known.len().saturating_sub(few.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("the columns are {}{more}", few.join(", "))
}

struct Roles<'a> {
    table: &'a Table,
    columns: &'a Columns,
    metrics: &'a [MetricSpec],
    pattern: Option<&'a Pattern>,
    arm: Option<usize>,
    size: Option<usize>,
    seed: Option<usize>,
    step: Option<usize>,
    run: Option<usize>,
    flops: Option<usize>,
    tokens: Option<usize>,
    seconds: Option<usize>,
}

impl<'a> Roles<'a> {
    fn of(
        table: &'a Table,
        columns: &'a Columns,
        metrics: &'a [MetricSpec],
        pattern: Option<&'a Pattern>,
    ) -> Roles<'a> {
        let find = |given: &Option<String>, usual: &str| table.column(given.as_deref().unwrap_or(usual));
        Roles {
            table,
            columns,
            metrics,
            pattern,
            arm: find(&columns.arm, "arm"),
            size: find(&columns.size, "size"),
            seed: find(&columns.seed, "seed"),
            step: find(&columns.step, "step"),
            run: find(&columns.run, "run"),
            flops: find(&columns.flops, "flops"),
            tokens: find(&columns.tokens, "tokens"),
            seconds: find(&columns.seconds, "seconds"),
        }
    }

    fn read(&self, records: &mut Vec<Record>, findings: &mut Findings) {
        let table = self.table;
        if let Some(name) = self.columns.only.keys().find(|name| table.column(name).is_none()) {
            let what = format!("has no column `{name}`, which says which rows count");
            findings.note(&table.source, &table.source, what, "none of its rows are used");
            return;
        }
        let dense = self.dense();
        let mut fits: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for row in table.rows.iter().filter(|row| matches(table, row, &self.columns.only)) {
            let run = self.text(row, self.run).unwrap_or_else(|| table.run.clone());
            let fields = fits.entry(run.clone()).or_insert_with(|| self.fields_of(&run, findings));
            let or_named = |column: Option<usize>, field: &str| {
                self.text(row, column).or_else(|| fields.get(field).cloned())
            };
            let Some(arm) = self.columns.only_arm.clone().or_else(|| or_named(self.arm, "arm")) else {
                if self.pattern.is_none() || self.arm.is_some() {
                    findings.note(
                        &table.source,
                        table.place(row),
                        "nothing says the arm",
                        "the row is left out",
                    );
                }
                continue;
            };
            let size = or_named(self.size, "size");
            if size.is_none() && self.size.is_some() {
                findings.note(
                    &table.source,
                    table.place(row),
                    "the cell of the size is empty",
                    "the row is left out",
                );
                continue;
            }
            let seed = or_named(self.seed, "seed");
            if seed.is_none() && self.seed.is_some() {
                let what = "the cell of the seed is empty";
                findings.note(&table.source, table.place(row), what, "the row is left out");
                continue;
            }
            let step = self.number(row, self.step, "step", findings);
            if step.is_none() && self.step.is_some() {
                let what = "the cell of the step is empty or no number";
                findings.note(&table.source, table.place(row), what, "the row is left out");
                continue;
            }
            // Where one column is named as both, sizes are the pairs of a single comparison.
            let size =
                if self.seed.is_some() && self.seed == self.size { Some(ALL_SIZES.to_owned()) } else { size };
            let params = size.as_deref().and_then(parse_size);
            let tokens = self
                .number(row, self.tokens, "tokens", findings)
                .or_else(|| Some(self.columns.tokens_per_step? * step?));
            let flops = self
                .number(row, self.flops, "FLOPs", findings)
                .map(|f| f * self.columns.flops_unit.unwrap_or(1.0))
                .or_else(|| Some(6.0 * params? * tokens?));
            let values: Vec<Option<f64>> = self
                .metrics
                .iter()
                .enumerate()
                .map(|(i, m)| self.value(row, m, dense[i], findings))
                .collect();
            records.push(Record {
                place: table.place(row),
                arm,
                size: size.unwrap_or_else(|| ONE_SIZE.to_owned()),
                params,
                seed,
                run,
                step,
                flops,
                tokens,
                seconds: self.number(row, self.seconds, "seconds", findings),
                values,
            });
        }
    }

    /// Whether a metric's column is filled in nearly every row, so that an empty cell is a gap and not another cadence.
    fn dense(&self) -> Vec<bool> {
        let of = |metric: &MetricSpec| {
            let Some(column) = self.table.column(metric.column()) else { return false };
            let rows = self.table.rows.iter().filter(|row| {
                matches(self.table, row, &self.columns.only) && matches(self.table, row, &metric.only)
            });
            let (filled, all) =
                rows.fold((0, 0), |(f, n), row| (f + usize::from(!row.cell(column).is_missing()), n + 1));
            filled * 10 >= all * 9
        };
        self.metrics.iter().map(of).collect()
    }

    fn fields_of(&self, run: &str, findings: &mut Findings) -> BTreeMap<String, String> {
        let Some(pattern) = self.pattern else { return BTreeMap::new() };
        match pattern.fit(run) {
            Some(fields) => fields.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
            None => {
                let text = self.columns.pattern.as_deref().unwrap_or_default();
                let what = format!("the run's name does not fit the pattern `{text}`");
                let consequence =
                    if self.arm.is_some() { "nothing is taken from it" } else { "it is left out" };
                findings.note("pattern", run, what, consequence);
                BTreeMap::new()
            }
        }
    }

    fn text(&self, row: &Row, column: Option<usize>) -> Option<String> {
        row.cell(column?).text().map(std::borrow::Cow::into_owned)
    }

    fn number(&self, row: &Row, column: Option<usize>, what: &str, findings: &mut Findings) -> Option<f64> {
        let cell = row.cell(column?);
        let number = cell.number().filter(|n| n.is_finite());
        if number.is_none() && !cell.is_missing() && what != "step" {
            let text = format!("the cell of the {what} is no number");
            findings.note(&self.table.source, self.table.place(row), text, "it counts as empty");
        }
        number
    }

    fn value(&self, row: &Row, metric: &MetricSpec, dense: bool, findings: &mut Findings) -> Option<f64> {
        if !matches(self.table, row, &metric.only) {
            return None;
        }
        let cell = row.cell(self.table.column(metric.column())?);
        let column = metric.column();
        let mut note = |what: String| {
            findings.note(&self.table.source, self.table.place(row), what, "the point is left out");
        };
        match cell.number() {
            Some(value) => {
                if !value.is_finite() {
                    note(format!("`{column}` is {value}"));
                }
                Some(value)
            }
            None => {
                if *cell != Cell::Missing {
                    note(format!("`{column}` is text and no number"));
                } else if dense {
                    note(format!("`{column}` is empty"));
                }
                None
            }
        }
    }
}

fn matches(table: &Table, row: &Row, only: &BTreeMap<String, String>) -> bool {
    only.iter().all(|(name, want)| table.column(name).is_some_and(|column| row.cell(column).is(want)))
}
