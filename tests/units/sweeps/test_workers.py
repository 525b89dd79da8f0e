"""Who does the work of a sweep."""

import pytest

from neuroanp.cli import quick
from neuroanp.errors import InvalidValue
from neuroanp.sweeps import workers
from support.executors import InTurn


class Idle:
    """Worker processes that don't exist."""

    def __init__(self, number):
        self.number, self.closed = number, False

    def close(self):
        self.closed = True


@pytest.fixture(autouse=True)
def idle(monkeypatch):
    monkeypatch.setattr(workers, "LocalWorkers", Idle)
    monkeypatch.setattr(workers, "_begun", {})


def test_the_shell_begins_the_processes_that_the_sweep_asks_for():
    quick.begin("sweep", ["copying-memory", "--workers", "3"])
    (begun,) = workers._begun.values()
    assert workers.workers_of(3, None) is begun and workers.workers_of(3, None) is not begun
    quick.begin("sweep", ["copying-memory"])
    (begun,) = workers._begun.values()
    assert begun.number == workers.cores()
    workers._end()
    assert begun.closed and not workers._begun


@pytest.mark.parametrize(
    "words",
    [
        ["status", "a.db"],
        ["--help"],
        ["t", "--workers=0"],
        ["t", "--workers=x"],
        ["t", "--dask", "tcp://h:1"],
    ],
)
def test_it_begins_none_where_none_are_needed(words):
    quick.begin("sweep", words)
    quick.begin("train", ["t", "--workers=3"])
    assert not workers._begun


def test_executors_of_others():
    given = workers.workers_of(1, InTurn())
    assert isinstance(given, workers.GivenExecutor) and given.capacity > 1
    with pytest.raises(InvalidValue, match=r"sweep.executor: expected a concurrent.futures executor"):
        workers.workers_of(1, 3)
