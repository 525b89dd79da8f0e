#!/usr/bin/env bash
# Optuna: fail_stale_trials does nothing for a study in a journal, without a word.
#
# Versions   optuna 5.0.0 (Python 3.11).
# Behaviour  A trial is asked for and never told, as after a kill of its process; its last heartbeat is two seconds
#            old where the storage has one, with a grace of one. Then `fail_stale_trials`.
# Seen       RDBStorage: FAIL
#            JournalStorage: RUNNING
# A guess    would have been FAIL from both, or an error from the one that has no heartbeat.
# Matters    because the journal is the storage that is advised for shared file systems, where jobs die of time limits:
#            the study waits for dead trials for ever, and samplers count them as points on their way.
#
# Exit status: 0 as described, 1 if the behaviour changed.
set -euo pipefail
shopt -s inherit_errexit

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check 'optuna==5.0.0'

cat >"$dir/trial.py" <<'PYTHON'
import time
import warnings

import optuna
from optuna.storages import JournalStorage, RDBStorage, fail_stale_trials
from optuna.storages.journal import JournalFileBackend

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
for storage in (
    RDBStorage("sqlite:///trials.db", heartbeat_interval=1, grace_period=1),
    JournalStorage(JournalFileBackend("trials.log")),
):
    study = optuna.create_study(storage=storage)
    trial = study.ask()
    if isinstance(storage, RDBStorage):
        storage.record_heartbeat(trial._trial_id)
    time.sleep(3)
    fail_stale_trials(study)
    print(f"{type(storage).__name__}: {study.trials[0].state.name}")
PYTHON

cd "$dir"
seen=$("$dir/venv/bin/python" trial.py)
echo "$seen"
expected="RDBStorage: FAIL
JournalStorage: RUNNING"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected"$'\n'"$expected" >&2
    exit 1
fi
