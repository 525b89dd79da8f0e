"""Names of a user's variables that mean something else in C++."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from brian2.core.functions import Function
from brian2.utils.stringtools import word_substitute

WORDS = re.compile(
    r"""
    alignas | alignof | and_eq | asm | auto | bitand | bitor | bool | case | catch | char | char8_t |
    char16_t | char32_t | compl | concept | const | consteval | constexpr | constinit | const_cast |
    co_await | co_return | co_yield | decltype | default | delete | do | double | dynamic_cast | enum
    | explicit | export | extern | false | float | friend | goto | inline | int | long | mutable |
    namespace | new | noexcept | not_eq | nullptr | operator | or_eq | private | protected | public |
    register | reinterpret_cast | requires | short | signed | sizeof | static | static_assert |
    static_cast | struct | switch | template | this | thread_local | throw | true | typedef | typeid |
    typename | typeof | union | unsigned | using | virtual | void | volatile | wchar_t | xor | xor_eq
    | BUFSIZ | EOF | FP_NAN | HUGE_VAL | INFINITY | NAN | NULL | RAND_MAX | errno | linux | unix |
    stdin | stdout | stderr | NZERO | SNAN\w* | P_tmpdir | math_errhandling | sched_priority
    | M_[A-Z0-9]\w* | E[A-Z0-9]{2,} | [A-Z]\w*_(MAX|MIN|WIDTH|BIT|ENDIAN)
    | size_t | u?int\w*_t | (ADJ|CLOCKS?|EXIT|FP|LC|MOD|SEEK|STA)_\w+
    """,
    re.VERBOSE,
)
"""Keywords, and macros and types of the headers that every network includes."""

MARK = "_word_of_cpp"


def renamed(
    code: Any, variables: dict[str, Any], indices: dict[str, str]
) -> tuple[Any, dict[str, Any], dict[str, str]]:
    """Abstract code, variables and their indices with other names for `WORDS`.

    Parameters
    ----------
    code : str or dict of str
    variables, indices : dict
        By name.
    """
    words = {
        name: name + MARK
        for name, variable in variables.items()
        if WORDS.fullmatch(name) and not isinstance(variable, Function)
    }
    if not words:
        return code, variables, indices
    if isinstance(code, dict):
        code = {block: word_substitute(text, words) for block, text in code.items()}
    else:
        code = word_substitute(code, words)
    return code, _with(words, variables), _with(words, indices)


def _with(words: Mapping[str, str], table: dict[str, Any]) -> dict[str, Any]:
    other = copy.copy(table)  # some have default values
    for name in words:
        if name in other:
            other[words[name]] = other.pop(name)
    return other


def true_name(name: str) -> str:
    """Name that the user gave."""
    return name.removesuffix(MARK)
