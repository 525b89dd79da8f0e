#!/usr/bin/env bash
# Optuna: with ask and tell, the tell of a grid's last point raises, and the point is stored.
#
# Versions   optuna 5.0.0 (Python 3.11).
# Behaviour  `GridSampler` of two points, `ask`, `suggest_float`, `tell`, twice. When the grid is done the sampler asks
#            the study to stop, which only `optimize` can.
# Seen       told, RuntimeError; then COMPLETE, COMPLETE
# A guess    would have been that the last `tell` returns as the first does: a grid and ask-and-tell are both offered.
# Matters    because a loop that takes the error for a failed point trains the last one again, and one that doesn't
#            catch it ends without its report. Look at the trial's state after the error.
#
# Exit status: 0 as described, 1 if the behaviour changed.
set -euo pipefail
shopt -s inherit_errexit

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check 'optuna==5.0.0'

cat >"$dir/trial.py" <<'PYTHON'
import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.create_study(sampler=optuna.samplers.GridSampler({"x": [1.0, 2.0]}, seed=0))
for _ in range(2):
    trial = study.ask()
    x = trial.suggest_float("x", 0, 5)
    try:
        study.tell(trial, x)
        print("told")
    except RuntimeError as error:
        print(type(error).__name__)
print(", ".join(trial.state.name for trial in study.trials))
PYTHON

cd "$dir"
seen=$("$dir/venv/bin/python" trial.py)
echo "$seen"
expected="told
RuntimeError
COMPLETE, COMPLETE"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected"$'\n'"$expected" >&2
    exit 1
fi
