"""Compares what TensorBoard and Trackio read with the run's own log, and the other way round. See benches/trackers.sh."""

import io
import json
import os
import pathlib
import random
import subprocess
import sys

import trackio
import zstandard
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

groundwork, runs, work = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])


def call(*args):
    done = subprocess.run([groundwork, *map(str, args)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"groundwork {' '.join(map(str, args))} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def own_log(run):
    text = zstandard.ZstdDecompressor().stream_reader(open(run / "events.jsonl.zst", "rb"), read_across_frames=True)
    events = [json.loads(line) for line in io.TextIOWrapper(text)]
    return {e["step"]: e["loss"] for e in events if e["event"] == "step"}


def compare(what, got, want):
    """Single precision is what event files hold."""
    if list(got) != list(want):
        sys.exit(f"{what}: steps {list(got)[:5]}… instead of {list(want)[:5]}…")
    worst = max(abs(got[s] - want[s]) / abs(want[s]) for s in want)
    print(f"{what}: {len(want)} steps, largest relative difference {worst:.1e}")
    if worst > 1e-6:
        sys.exit(f"{what} differs")


database = pathlib.Path(os.environ["TRACKIO_DIR"]) / "ours.db"
print(call("runs", "export", "--runs", runs, "--tensorboard", work / "tb", "--trackio", database).strip())
folders = sorted(p for p in runs.iterdir() if (p / "events.jsonl.zst").exists())
in_trackio = {r.id: r for r in trackio.Api().runs("ours")}
for run in folders:
    want = own_log(run)
    scalars = EventAccumulator(str(work / "tb" / run.name)).Reload()
    compare(f"TensorBoard, {run.name}", {s.step: s.value for s in scalars.Scalars("loss")}, want)
    record = in_trackio[run.name]
    logs = trackio.sqlite_storage.SQLiteStorage.get_logs("ours", record.name, run_id=record.id)
    compare(f"Trackio, {run.name}", {row["step"]: row["loss"] for row in logs if "loss" in row}, want)
    assert record.config["seed"] is not None, "the configuration is not there"

# The other way round: two arms, three seeds, as the trackers' own writers write them.
rng = random.Random(0)
finals = {}
for arm, gain in (("base", 0.0), ("new", 0.1)):
    for seed in (1, 2, 3):
        writer = EventFileWriter(str(work / "theirs" / arm / f"seed-{seed}"))
        run = trackio.init(
            project="theirs", name=f"{arm}-{seed}", config={"arm": arm, "seed": seed}, embed=False, auto_log_gpu=False
        )
        for step in range(1, 21):
            loss = 3.0 - gain + 1.0 / step + rng.gauss(0, 0.01)
            value = Summary.Value(tag="val_loss", simple_value=loss)
            writer.add_event(Event(wall_time=1e9 + step, step=step, summary=Summary(value=[value])))
            trackio.log({"val_loss": loss}, step=step)
            finals[arm, str(seed)] = loss
        writer.close()
        trackio.finish()
question = ["--metric", "val_loss", "--baseline", "base", "--json"]
for what, files in (
    ("event files", [work / "theirs", "--pattern", "{arm}/seed-{seed}"]),
    ("Trackio's database", [database.with_name("theirs.db")]),
):
    verdict = json.loads(call("verdict", *files, *question, "--report", work / "report.html"))
    pairs = verdict["verdicts"][0]["rungs"][0]["pairs"]
    got = {(arm, p["label"]): p["values"][i] for p in pairs for i, arm in enumerate(("base", "new"))}
    compare(f"groundwork verdict on {what}", dict(sorted(got.items())), dict(sorted(finals.items())))
print("all agree")
