"""Checks that people outside run on their own parts, and replays of recorded updates."""

from neuroanp.testing.check_model import check_model as check_model
from neuroanp.testing.check_rule import check_rule as check_rule
from neuroanp.testing.check_task import check_task as check_task
from neuroanp.testing.replay import replay as replay
