#!/usr/bin/env bash
# The judge's operating characteristics in full: error, power, ladder, forecasts, real noise of published runs, refits, speed.
# benches/verdict.sh [BETS [PART]], default 100000; some minutes on two cores. PART is rung, ladder, forecast, runs, fits or speed;
# without it all are run. Published runs are read from
# $GROUNDWORK_PUBLISHED_RUNS, or from shared/data/published-runs beside the checkout, and skipped where absent.
set -euo pipefail
cd "$(dirname "$0")/.."
exec cargo run --release -q -p groundwork-lab --example verdict_bars -- "${1:-100000}" ${2:+"$2"}
