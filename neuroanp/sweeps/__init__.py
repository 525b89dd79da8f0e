"""Sweeps: many trainings with other settings, side by side, so that nothing is lost.

`space` says what is varied, `sampling` proposes points of it and `pruning` stops bad ones (both by Optuna),
`work` trains a point in a worker process, `store` keeps the file, `coordinator` is the loop that joins them,
and `results` reads the file.
"""

EXTRA = "sweep"
"""Extra that brings Optuna, Loky and what tables need."""
