"""Code of a network for some of its rows, which are as many for each lane of each pass."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from brian2 import NeuronGroup
from brian2.core.functions import Function

from neuroanp.engine.operations._base import Operation

_LOOP = re.compile(r"for\((int|size_t) _idx=0; _idx<_?N; _idx\+\+\)")
_FIRES, _COUNTED = re.compile(r"if\(_cond\) \{"), re.compile(r"^(?=.*\[N\] = _count;)", re.MULTILINE)


class Rows(NamedTuple):
    """Rows of a network whose groups all have (passes, lanes, n) cells, where no row depends on another."""

    passes: int
    lanes: int

    @property
    def number(self) -> int:
        """Passes x lanes."""
        return self.passes * self.lanes


def by_rows(text: str, codeobj: Any, rows: Rows | None) -> str:
    """Code of a group of cells, row by row: then a row's numbers don't depend on the rows beside it.

    The compiler makes vectors of neighbouring cells, and the last ones, which don't fill a vector, may come
    out with other bits.
    """
    if rows is None or not _LOOP.search(text):
        return text
    each = codeobj.variables["N"].get_value() // rows.number
    loops = (
        f"for (const auto& _rows : neuroanp::stretches({rows.number})) "
        "for (int64_t _row = _rows.first; _row < _rows.end; neuroanp::go_on(_row)) {{"
        rf"for (\1 _idx = _row * {each}; _idx < (\1)((_row + 1) * {each}); _idx++)"
    )
    if codeobj.template_name != "threshold":
        return _LOOP.sub(loops.replace("{{", ""), text)
    # who fires is found for a whole row, in vectors, before the few that do are gone through
    conditions = f"_fired[_idx - _row * {each}] = _cond;\n}}\n"
    spikes = f"for (const int _k : neuroanp::Marked{{_fired, {each}}}) {{\n"
    spikes += f"const size_t _idx = _row * {each} + _k;\n{{"
    marks = f"alignas(64) static char _fired[{-(-each // 8) * 8}];\n"
    text = _LOOP.sub(marks + loops.replace("{{", "{"), text)
    return _COUNTED.sub("}\n", _FIRES.sub(conditions + spikes, text))


def separable(objects: Iterable[Any], used: Iterable[Any], rows: Rows | None) -> bool:
    """True where threads can run the rows of a network apart from each other.

    Parameters
    ----------
    objects : iterable of BrianObject
    used : iterable of CodeObject
    rows : Rows, optional
        None where rows aren't known.
    """
    if rows is None:
        return False
    groups_fit = all(len(obj) % rows.number == 0 for obj in objects if isinstance(obj, NeuronGroup))
    return groups_fit and len({obj.clock for obj in objects}) == 1 and all(map(_separable, used))


def _separable(codeobj: Any) -> bool:
    owner = codeobj.owner
    if isinstance(owner, Operation):
        return owner.by_rows
    if codeobj.template_name not in ("stateupdate", "threshold", "reset", "block_mean"):
        return False
    functions = [value for value in codeobj.variables.values() if isinstance(value, Function)]
    return all(function.stateless for function in functions)
