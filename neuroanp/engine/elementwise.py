"""Assignments of a few lines for every element of some arrays, in one pass over their memory."""

from __future__ import annotations

import functools
from ctypes import byref, c_char, c_double, c_int64, c_void_p
from typing import Any

import numpy as np

from neuroanp.arrays import namespace
from neuroanp.engine.kernel import REAL, kernel
from neuroanp.engine.threads import parts, together
from neuroanp.errors import InvalidValue
from neuroanp.types import Array

_FUNCTION = """
extern "C" __attribute__((visibility("default")))
void elementwise_{dtype}(int64_t size, {pointers}, {numbers}) {{
    for (int64_t k = 0; k < size; k++) {{
        {c} {loads};
        {code}
        {stores}
    }}
}}
"""


class Elementwise:
    """Operation on each element, compiled where there is a compiler, else in NumPy.

    NumPy goes through the memory once for every operation; for a handful of operations on large arrays that
    is several times the arithmetic. Compiled code agrees with it to rounding.

    Parameters
    ----------
    code : str
        A line an assignment, in arithmetic and ``sqrt`` as C++ and Python both have them.
    arrays : tuple of str
        Names in the code that stand for an element of each array, which may be assigned.
    numbers : tuple of str
        Names that stand for a number.

    Examples
    --------
    >>> decay = Elementwise("x = x - rate * x", arrays=("x",), numbers=("rate",))
    >>> x = np.array([4.0, 8.0])
    >>> decay(x, 0.5)
    (array([2., 4.]),)
    """

    def __init__(self, code: str, arrays: tuple[str, ...], numbers: tuple[str, ...]) -> None:
        self.lines = [line.strip() for line in code.strip().splitlines()]
        self.arrays, self.numbers = arrays, numbers
        self._functions: dict[str, Any] | None = None

    def __call__(self, *values: Any) -> tuple[Any, ...]:
        """Arrays after the operation on contiguous arrays and numbers, given in their order.

        NumPy's arrays are changed and returned; for others, of another array module, new ones are.

        Raises
        ------
        InvalidValue
            For arrays that aren't of one size and one dtype.
        """
        count = len(self.arrays)
        arrays, numbers = values[:count], values[count:]
        if not isinstance(arrays[0], np.ndarray):
            return self._elsewhere(arrays, numbers)
        size, dtype = arrays[0].size, arrays[0].dtype
        for array in arrays:
            if array.size != size or array.dtype is not dtype:
                self._refuse(arrays)
        compiled = self.compile().get(dtype.char)
        if compiled is None:
            self._in_numpy(arrays, numbers)
        elif size:
            together([
                functools.partial(self._some, compiled, arrays, numbers, first, number)
                for first, number in parts(size)
            ])  # fmt: skip
        return arrays

    @staticmethod
    def _some(
        compiled: Any, arrays: tuple[Array, ...], numbers: tuple[float, ...], first: int, number: int
    ) -> None:
        start = first * arrays[0].itemsize
        memory: tuple[Any, ...] = arrays
        compiled(number, *[byref(c_char.from_buffer(array, start)) for array in memory], *numbers)

    def _refuse(self, arrays: tuple[Array, ...]) -> None:
        kinds = {(array.size, array.dtype.name) for array in arrays}
        if len(kinds) > 1:
            got = ", ".join(f"{size} {name}" for size, name in sorted(kinds))
            raise InvalidValue(f"Elementwise({', '.join(self.arrays)})", "arrays of one size and dtype", got)

    def compile(self) -> dict[str, Any]:
        """The function for each dtype, built at the first call; none where no compiler works."""
        if self._functions is None:
            arguments = [c_int64, *[c_void_p] * len(self.arrays), *[c_double] * len(self.numbers)]
            self._functions = kernel("elementwise", self._function, arguments)
        return self._functions

    def _function(self, dtype: str) -> str:
        c = REAL[dtype]
        return _FUNCTION.format(
            dtype=dtype,
            c=c,
            pointers=", ".join(f"{c}* __restrict {name}_" for name in self.arrays),
            numbers=", ".join(f"double {name}_" for name in self.numbers),
            loads=", ".join(
                [f"{name} = {name}_[k]" for name in self.arrays]
                + [f"{name} = ({c}){name}_" for name in self.numbers]
            ),
            code="".join(f"{line}; " for line in self.lines),
            stores="".join(f"{name}_[k] = {name}; " for name in self.arrays),
        )

    def _elsewhere(self, arrays: tuple[Any, ...], numbers: tuple[Any, ...]) -> tuple[Any, ...]:
        xp, dtype = namespace(arrays[0]), arrays[0].dtype
        names = {name: xp.asarray(value, dtype) for name, value in zip(self.numbers, numbers, strict=True)}
        names |= {"sqrt": xp.sqrt, **dict(zip(self.arrays, arrays, strict=True))}
        for line in self.lines:
            name, expression = line.split("=", 1)
            names[name.strip()] = eval(expression, names)
        return tuple(names[name] for name in self.arrays)

    def _in_numpy(self, arrays: tuple[Array, ...], numbers: tuple[float, ...]) -> None:
        names = dict(zip(self.numbers, numbers, strict=True)) | {"sqrt": np.sqrt}
        elements = dict(zip(self.arrays, arrays, strict=True))
        for line in self.lines:
            name, expression = line.split("=", 1)
            elements[name.strip()][...] = eval(expression, names, elements)
