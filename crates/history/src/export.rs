//! Runs written for programs that show curves: TensorBoard and Trackio.

use std::fs;
use std::path::{Path, PathBuf};

use groundwork_lab::{CurvePoint, Run};
use serde_json::Value;

use crate::{EventWriter, HistoryError, TrackioWriter};

/// A step of a run as trackers want it: step, Unix time, and numbers by tag.
type Scalars = (i64, f64, Vec<(String, f64)>);

/// Writes a run to `<folder>/<run>/`, in place of what an earlier call wrote there; returns the event file.
///
/// # Errors
/// If the folder cannot be written.
pub fn export_to_tensorboard(run: &Run, folder: &Path) -> Result<PathBuf, HistoryError> {
    let folder = folder.join(&run.summary.folder);
    for entry in fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("events.out.tfevents.") && name.contains(".groundwork") {
            fs::remove_file(entry.path())
                .map_err(|e| HistoryError::Write { path: entry.path(), message: e.to_string() })?;
        }
    }
    let scalars = scalars(run);
    let mut writer = EventWriter::create(&folder, scalars.first().map_or(0.0, |s| s.1))?;
    for (step, time, values) in &scalars {
        let values: Vec<(&str, f64)> = values.iter().map(|(tag, v)| (tag.as_str(), *v)).collect();
        writer.scalars(*step, *time, &values)?;
    }
    writer.finish()
}

/// Writes a run into a Trackio database, in place of an earlier one of the same name and recipe.
///
/// # Errors
/// If the database cannot be written.
pub fn export_to_trackio(run: &Run, to: &mut TrackioWriter) -> Result<(), HistoryError> {
    let scalars = scalars(run);
    let name = run.recipe.get("name").and_then(toml::Value::as_str).unwrap_or(&run.summary.folder);
    let mut config = serde_json::to_value(&run.recipe).unwrap_or(Value::Null);
    if let (Value::Object(fields), Some(size)) = (&mut config, &run.summary.size) {
        fields.insert("size".into(), size.as_str().into());
    }
    let created = scalars.first().map_or(0.0, |s| s.1);
    let rows = scalars.iter().map(|(step, time, values)| {
        (*step, utc(*time), values.iter().map(|(t, v)| (t.as_str(), *v)).collect())
    });
    to.run(&run.summary.folder, name, &utc(created), &config, rows)
}

fn utc(time: f64) -> String {
    let stamp = jiff::Timestamp::from_millisecond((time * 1000.0) as i64).unwrap_or_default();
    stamp.strftime("%Y-%m-%dT%H:%M:%S.%3f+00:00").to_string()
}

/// The logged steps of a run, and at its last step the metrics of its evaluation.
fn scalars(run: &Run) -> Vec<Scalars> {
    let mut scalars: Vec<Scalars> = run
        .log
        .curve
        .iter()
        .map(|p| (p.step.cast_signed(), run.log.time_of(p).unwrap_or(p.seconds), values(p)))
        .collect();
    let evaluation = run.summary.metrics.iter().map(|(name, m)| (format!("eval/{name}"), m.value));
    let last = run.summary.done.as_ref().map_or(0, |d| d.steps.cast_signed());
    match scalars.last_mut() {
        Some((step, _, values)) if *step >= last => values.extend(evaluation),
        before => {
            let time = before.map_or(0.0, |s| s.1);
            let values: Vec<(String, f64)> = evaluation.collect();
            if !values.is_empty() {
                scalars.push((last, time, values));
            }
        }
    }
    scalars
}

/// What a logged step says, by tag.
fn values(p: &CurvePoint) -> Vec<(String, f64)> {
    let mut values = vec![("loss".to_owned(), p.loss)];
    values.extend(p.by_kind.iter().map(|(kind, loss)| (format!("loss/{kind}"), *loss)));
    values.extend([
        ("train/tokens".to_owned(), p.tokens as f64),
        ("train/seconds".to_owned(), p.seconds),
        ("train/tokens_per_second".to_owned(), p.tokens_per_second),
        ("train/mfu".to_owned(), p.mfu),
        ("train/learning_rate".to_owned(), p.learning_rate),
        ("train/gradient_norm".to_owned(), p.gradient_norm),
    ]);
    values
}
