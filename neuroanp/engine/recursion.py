"""Assignments of a few lines at each step of some arrays, with variables carried from step to step."""

from __future__ import annotations

from ctypes import c_double, c_int64, c_void_p
from typing import Any

import numpy as np

from neuroanp.arrays import namespace, scanned
from neuroanp.engine.kernel import REAL, kernel
from neuroanp.errors import InvalidValue
from neuroanp.types import Array

_FUNCTION = """
extern "C" __attribute__((visibility("default")))
void recursion_{dtype}(int64_t steps, int64_t size, {pointers}) {{
    {constants}
    for (int64_t step = 0; step < steps; step++) {{
        const int64_t start = ({row}) * size;
        for (int64_t k = 0; k < size; k++) {{
            {loads}
            {code}
            {stores}
        }}
    }}
}}
"""


class Recursion:
    r"""Operation on each step of arrays (T, n), compiled where there is a compiler, else in NumPy.

    A sum over the past or the future of every element costs one pass over the memory. Compiled code agrees
    with NumPy to rounding.

    Parameters
    ----------
    code : str
        A line an assignment, in arithmetic, comparisons, ``abs`` and ``exp`` as C++ and Python both have
        them. Names that are none of the following are local to the step.
    arrays : tuple of str
        Names that stand for an element of a step of each array, which may be assigned.
    units : tuple of str
        Names that stand for an element of arrays (n,), which may not.
    carried : tuple of str
        Names of arrays (n,) whose elements hold what the step before left in them.
    numbers : tuple of str
        Names that stand for a number.
    backwards : bool
        From the last step to the first.

    Examples
    --------
    >>> total = Recursion("s = memory * s + x\nx = s", arrays=("x",), carried=("s",), numbers=("memory",))
    >>> x = np.array([[4.0], [2.0], [1.0]])
    >>> (x,), _ = total([x], carried=[np.zeros(1)], numbers=[0.5])
    >>> x.ravel()
    array([4., 4., 3.])
    """

    def __init__(
        self,
        code: str,
        arrays: tuple[str, ...],
        units: tuple[str, ...] = (),
        carried: tuple[str, ...] = (),
        numbers: tuple[str, ...] = (),
        backwards: bool = False,
    ) -> None:
        lines = [line.split("=", 1) for line in code.splitlines() if line.strip()]
        self.lines = [(name.strip(), expression.strip()) for name, expression in lines]
        self.arrays, self.units, self.carried, self.numbers = arrays, units, carried, numbers
        self.backwards = backwards
        self._functions: dict[str, Any] | None = None

    def __call__(
        self,
        arrays: list[Array],
        units: list[Array] | None = None,
        carried: list[Array] | None = None,
        numbers: list[float] | None = None,
    ) -> tuple[list[Any], list[Any]]:
        """Arrays and carried arrays after the operation on contiguous ones, in the order of their names.

        NumPy's arrays are changed and returned; for JAX's new ones are.

        Raises
        ------
        InvalidValue
            For arrays that aren't contiguous, of one shape and dtype, and others that aren't of a step's.
        """
        if not isinstance(arrays[0], np.ndarray):
            return self._in_jax(arrays, units or [], carried or [], numbers or [])
        steps, single = arrays[0].shape[0], [*(units or []), *(carried or [])]
        shape, dtype = arrays[0].shape, arrays[0].dtype
        for array, of in [*((a, shape) for a in arrays), *((a, shape[1:]) for a in single)]:
            if array.shape != of or array.dtype != dtype or not array.flags.c_contiguous:
                expected = f"contiguous arrays {shape} and {shape[1:]} of {dtype}"
                raise InvalidValue("Recursion.arrays", expected, f"{array.shape} of {array.dtype}")
        compiled = self.compile().get(dtype.char)
        if compiled is None:
            self._in_numpy(arrays, single, numbers or [])
        else:
            pointers = [array.ctypes.data for array in (*arrays, *single)]
            compiled(steps, arrays[0][:1].size, *pointers, *(numbers or []))
        return arrays, carried or []

    def compile(self) -> dict[str, Any]:
        """The function for each dtype, built at the first call; none where no compiler works."""
        if self._functions is None:
            pointers = len((*self.arrays, *self.units, *self.carried))
            arguments = [c_int64, c_int64, *[c_void_p] * pointers, *[c_double] * len(self.numbers)]
            self._functions = kernel("recursion", self._function, arguments)
        return self._functions

    def _function(self, dtype: str) -> str:
        c = REAL[dtype]
        assigned = [name for name, _ in self.lines]
        known = {*self.arrays, *self.units, *self.carried, *self.numbers}
        local = [name for name in dict.fromkeys(assigned) if name not in known]
        places = {name: f"{name}_[start + k]" for name in self.arrays}
        places |= {name: f"{name}_[k]" for name in (*self.units, *self.carried)}
        return _FUNCTION.format(
            dtype=dtype,
            row="steps - 1 - step" if self.backwards else "step",
            pointers=", ".join(
                [f"{c}* __restrict {name}_" for name in places] + [f"double {name}_" for name in self.numbers]
            ),
            constants="".join(f"const {c} {name} = ({c}){name}_; " for name in self.numbers),
            loads="".join(f"{c} {name} = {place}; " for name, place in places.items())
            + "".join(f"{c} {name}; " for name in local),
            code="".join(f"{name} = {expression}; " for name, expression in self.lines),
            stores="".join(f"{place} = {name}; " for name, place in places.items() if name in assigned),
        )

    def _in_jax(
        self, arrays: list[Any], units: list[Any], carried: list[Any], numbers: list[float]
    ) -> tuple[list[Any], list[Any]]:
        xp, dtype = namespace(arrays[0]), arrays[0].dtype
        known: dict[str, Any] = {"abs": xp.abs, "exp": xp.exp}
        known |= {name: dtype.type(value) for name, value in zip(self.numbers, numbers, strict=True)}
        known |= dict(zip(self.units, units, strict=True))

        def step(carry: list[Any], row: list[Any]) -> tuple[list[Any], list[Any]]:
            scope = known | dict(zip((*self.carried, *self.arrays), (*carry, *row), strict=True))
            for name, expression in self.lines:
                scope[name] = xp.asarray(eval(expression, scope), dtype)
            after = [scope[name] for name in self.carried]
            return after, [scope[name] for name in self.arrays]

        carried = [xp.asarray(values, dtype) for values in carried]
        last, results = scanned(step, carried, arrays, self.backwards)
        return results, last

    def _in_numpy(self, arrays: list[Array], single: list[Array], numbers: list[float]) -> None:
        names: dict[str, Any] = {"abs": np.abs, "exp": np.exp}
        names |= {
            name: arrays[0].dtype.type(value) for name, value in zip(self.numbers, numbers, strict=True)
        }
        held = dict(zip((*self.units, *self.carried), single, strict=True))
        steps = range(len(arrays[0]))
        for step in reversed(steps) if self.backwards else steps:
            places = held | {name: array[step] for name, array in zip(self.arrays, arrays, strict=True)}
            scope = dict(places)
            for name, expression in self.lines:
                value = eval(expression, names, scope)
                if name in places:
                    places[name][...] = value
                else:
                    scope[name] = value
