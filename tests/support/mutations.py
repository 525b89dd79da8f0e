"""Mutations of settings, files and arrays for Hypothesis: strange, and harmless should they get through."""

from __future__ import annotations

import copy
import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers

from neuroanp.cli.main import main

providers.is_local_module_file = lambda path: False
"""Without it examples depend on the constants of all modules that a process has imported."""

FEW = 8
"""Examples of a quick test."""

EXAMPLES = pytest.mark.parametrize("examples", [FEW, pytest.param(500, marks=pytest.mark.slow)])
"""A quick test, of seconds, and a slow one, of two minutes at most; the same examples each time."""

ADDRESSES = (
    "os:system", "builtins:eval", "subprocess:Popen", "json:loads", "trap:Task", "this:s", "", ":", "::",
    "neuroanp:__builtins__", "neuroanp:tasks.os", "neuroanp.cli.main:main", "neuroanp.config.part:Part",
    "neuroanp.training.task:Task", "neuroanp.cli.train:Training", "neuroanp.tasks:Series", "neuroanp:Recipe",
    "neuroanp.models:LIF", "neuroanp.no_such:Part", "neuroanp.optim:Adam", "\x00:\n", "neuroanp.rules:EProp",
)  # fmt: skip
ODD = (
    None, True, False, 0, -1, 7, 1.5, -0.0, 1e308, 5e-324, 10**400, -(10**400), 10**18, 2**31, float("nan"),
    float("inf"), "nan", "inf", "-inf", "Infinity", "1e5", "0x10", "1_0", "", " ", "none", "x" * 5000,
    "a\x00b", "\ud800", "\x1b[31m\n\nred", "\u2028", [], [[]], [1, "a", None], {}, {"class": None},
    {"class": []}, {"not stored": 3}, "20 ms", "20 mV", "-20 ms", "1/0 ms", "1 ms**99999", "1 ms**0.5",
    "2 (((ms", "1 ms**mV", "1e400 ms", "nan ms", "5 ms if 1 else 2", "5 __import__('os')", "('" * 40, "tanh",
    "float32", "published", *({"class": address} for address in ADDRESSES),
)  # fmt: skip
DEEP = (("[", "", 100_000), ('{"a":', "", 5000), ("[", "]", 500), ('{"a": ', "}", 900), ('[{"a":', "}]", 99))
"""What opens, what closes, and how often; in an object, around a number."""

odd = st.sampled_from(ODD).map(copy.deepcopy) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=4,
)


def explore(examples: int, prop: Callable[..., None], **strategies: Any) -> None:
    """Try a property on so many examples."""
    chosen = settings(
        max_examples=examples, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck), print_blob=True,
    )  # fmt: skip
    chosen(given(**strategies)(prop))()


@st.composite
def documents(draw: Any, originals: list[Any]) -> Any:
    """JSON object with up to three changes: values, names, entries gone and entries new."""
    document = copy.deepcopy(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(1, 3))):
        branch, key = draw(st.sampled_from(list(_places(document)) or [(document, "new")]))
        changes = ["value", "value", "value", "gone", "renamed", "new", "class", "nested"]
        change = draw(st.sampled_from(changes))
        if change == "gone":
            branch.pop(key, None) if isinstance(branch, dict) else branch.pop()
        elif change == "renamed" and isinstance(branch, dict):
            other = draw(st.sampled_from([f"{key}s", key.upper(), "", "seed", "class"]))
            branch[other] = branch.pop(key, None)
        elif change == "new" and isinstance(branch, dict):
            branch[draw(st.sampled_from(["start", "out", "quiet", "updates", "preset", "written_by"]))] = (
                draw(odd)
            )
        elif change == "class" and isinstance(branch, dict):
            branch["class"] = draw(st.sampled_from(ADDRESSES))
        elif change == "nested" and isinstance(branch, dict):
            value = branch.get(key)
            branch[key] = draw(st.sampled_from([[value], {key: value}, str(value)]))
        else:
            branch[key] = draw(odd)
    return document


def _places(branch: Any) -> Iterator[tuple[Any, Any]]:
    items = branch.items() if isinstance(branch, dict) else enumerate(branch)
    for key, value in list(items):
        yield branch, key
        if isinstance(value, dict | list):
            yield from _places(value)


def texts(originals: list[Any]) -> st.SearchStrategy[bytes]:
    """JSON files of `documents`, and others that aren't JSON, or too deep."""
    written = documents(originals).map(lambda document: json.dumps(document).encode())
    broken = st.sampled_from(originals).map(lambda value: json.dumps(value).encode()).flatmap(damaged)
    return written | written | written | broken | st.sampled_from(DEEP).map(_deep)


def _deep(nesting: tuple[str, str, int]) -> bytes:
    opening, closing, times = nesting
    return f'{{"task": {opening * times}1{closing * times}}}'.encode()


@st.composite
def damaged(draw: Any, content: bytes) -> bytes:
    """Bytes cut short, flipped, put in, taken out or replaced; at times empty."""
    place = draw(st.integers(0, len(content)))
    some = draw(st.binary(min_size=1, max_size=6))
    flipped = bytearray(content)
    for at in draw(st.lists(st.integers(0, max(0, len(content) - 1)), min_size=1, max_size=4)):
        if content:
            flipped[at] ^= draw(st.integers(1, 255))
    whole = {
        "cut": content[:place], "flipped": bytes(flipped), "longer": content[:place] + some + content[place:],
        "shorter": content[:place] + content[place + len(some) :], "empty": b"", "other": some,
        "twice": content + content,
    }  # fmt: skip
    return whole[draw(st.sampled_from(sorted(whole)))]


ARRAYS: dict[str, Callable[[Any], Any]] = {
    "scalar": lambda a: a.reshape(-1)[0] if a.size else np.float64(3),
    "flat": lambda a: a.reshape(-1),
    "more axes": lambda a: a[None, ..., None],
    "twice as long": lambda a: np.concatenate([np.atleast_1d(a)] * 2),
    "empty": lambda a: a.reshape(-1)[:0],
    "nan": lambda a: np.full(a.shape, np.nan),
    "inf": lambda a: np.full(a.shape, np.inf),
    "text": lambda a: np.full(a.shape, "x\x1b"),
    "bytes": lambda a: np.full(a.shape, b"\x00x"),
    "complex": lambda a: np.full(a.shape, 1j),
    "bool": lambda a: np.zeros(a.shape, bool),
    "objects": lambda a: np.full(a.shape, Ellipsis, object),
    "records": lambda a: np.zeros(a.shape, [("a", "f8"), ("b", "i4")]),
    "dates": lambda a: np.zeros(a.shape, "M8[s]"),
    "turned": lambda a: a.T,
    "single": lambda a: a.astype("f4") if a.dtype.kind == "f" else a.astype("U9"),
    "negative": lambda a: -np.abs(a) - 1 if a.dtype.kind in "if" else a,
    "huge": lambda a: np.full(a.shape, 1e300),
}


NEW = ("new", "a/b", "", "W_skip", "D_in", "rule/x", "history/x")


def alterations(names: list[str]) -> st.SearchStrategy[tuple[str, str]]:
    """Names of an array and of what becomes of it, for `altered`; ``"new"`` is another array beside."""
    others = [name for name in NEW if name not in names]
    new = st.tuples(st.sampled_from(others), st.just("new"))
    return st.tuples(st.sampled_from(names), st.sampled_from([*ARRAYS, "gone", "renamed"])) | new


def altered(original: dict[str, Any], name: str, change: str) -> dict[str, Any]:
    """Named arrays with one of them changed, gone, renamed or new."""
    changed = dict(original)
    old = changed.pop(name, np.zeros(2))
    if change == "renamed":
        changed[f"{name}s"] = old
    elif change != "gone":
        changed[name] = old if change == "new" else np.asarray(ARRAYS[change](old))
    return changed


def same(one: Any, other: Any) -> bool:
    """True for arrays of the same type, shape and values."""
    one, other = np.asarray(one), np.asarray(other)
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def shell(*words: str) -> tuple[int, str, str]:
    """Exit code and output of the command; 0, 1 or one line on stderr and 2, or an AssertionError."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(list(words))
    said = err.getvalue()
    assert code in (0, 1, 2)
    if code == 2:
        assert said.startswith("neuroanp: ") and said.count("\n") == 1 and said.endswith("\n"), said
        assert said.removesuffix("\n").isprintable() and len(said) < 3000, said
    return code, out.getvalue(), said


OF_PYTHON = ("encodings", "_strptime")
"""Modules that Python imports when it first needs them."""
_WATCHED = ("os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen", "pickle.find_class")
_watching, _seen = [False], []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching[0] and event in _WATCHED:
        _seen.append((event, arguments))


sys.addaudithook(_watch)


@contextmanager
def nothing_executed() -> Iterator[None]:
    """Refuse, within the block, modules of others that are imported, processes that start, and unpickling."""
    before = set(sys.modules)
    _watching[0] = True
    try:
        yield
    finally:
        _watching[0] = False
        new = {name.partition(".")[0] for name in set(sys.modules) - before}
        seen = list(_seen)
        _seen.clear()
    assert not seen and new <= {"neuroanp", *OF_PYTHON}, (seen, new)
