"""Trimming of generated text: names, recorded state, and code that only a `main` would use."""

from __future__ import annotations

import re
from typing import Any

from brian2.input.binomial import BinomialFunction
from brian2.input.timedarray import TimedArray

from neuroanp.engine.codegen.source import StaticArray

_DEBUG = re.compile(r"^void _debugmsg_\w+\(\)\n\{.*?^\}", re.DOTALL | re.MULTILINE)


def plain_unit(text: str) -> str:
    """A code object's file without its debug message."""
    return _DEBUG.sub("", text)


_BY_NAME = re.compile(r"void set_variable_from_value\(.*?(?=/{4,} arrays /{4,})", re.DOTALL)


def only_objects(text: str) -> str:
    """``objects.cpp`` without the code for a `main`: arguments, start, results on disk."""
    text = _BY_NAME.sub("", text.split("void _init_arrays()")[0])
    # the recorded length of a two-dimensional array is state, not source
    return re.sub(r"\(\d+, \d+\)", "0", text)


_AUTOMATIC = re.compile(r"(_timedarray|_binomial|poissoninput_binomial)(_\d+)?$")


def with_plain_functions(files: dict[str, str], used: Any, static: list[StaticArray]) -> dict[str, str]:
    """Number the functions with automatic names, `TimedArray` for one, in the order of their use."""
    numbers: dict[str, str] = {}
    for codeobj in used:
        for variable in codeobj.variables.values():
            if isinstance(variable, (TimedArray, BinomialFunction)) and _AUTOMATIC.match(variable.name):
                numbers.setdefault(variable.name, f"_function{len(numbers)}")
    if not numbers:
        return dict(files)
    longest_first = sorted(map(re.escape, numbers), key=len, reverse=True)
    pattern = re.compile(rf"(\b|_namespace|_num_)({'|'.join(longest_first)})(?=\b|_values\b)")

    def plain(text: str) -> str:
        return pattern.sub(lambda match: match[1] + numbers[match[2]], text)

    for entry in static:
        entry.name = plain(entry.name)
    return {name: plain(text) for name, text in files.items()}
