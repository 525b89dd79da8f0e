"""A compiled network in this process: its arrays, queues and random state, and `advance`."""

from __future__ import annotations

import _ctypes
import ctypes
import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np

from neuroanp.engine.build.cache import explained


def blas_pointer(name: str) -> int:
    """Address of a routine of the BLAS that SciPy carries."""
    import scipy.linalg.cython_blas  # takes longer than the whole engine, and few networks need it

    capsule = scipy.linalg.cython_blas.__pyx_capi__[name]
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype, api.PyCapsule_GetName.argtypes = ctypes.c_char_p, [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    return api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule))


class Library:
    """One loaded copy of a compiled network.

    Two networks with the same source have the same file in the cache but each its own copy of it in
    memory, as the generated code keeps its state in globals.

    Parameters
    ----------
    path : Path
        The shared library.
    constants : list of float
        First values of the constants block.

    Attributes
    ----------
    bound : dict
        Memory of the source's arrays, by slot.
    """

    def __init__(self, path: Path, constants: list[float]) -> None:
        with explained(path.parent):
            handle, copy = tempfile.mkstemp(suffix=".so", dir=path.parent)
            os.close(handle)
            try:
                shutil.copyfile(path, copy)
                self.dll = ctypes.CDLL(copy)
            finally:
                os.unlink(copy)
        weakref.finalize(self, _ctypes.dlclose, self.dll._handle)
        self._declare()
        block = self.dll.neuroanp_constants()
        self.constants = (ctypes.c_double * len(constants)).from_address(block)
        self.constants[:] = constants  # type: ignore[assignment]
        self.bound: dict[int, np.ndarray] = {}
        self._kept: dict[Any, np.ndarray] = {}
        self._now = ctypes.c_double()
        self._now_pointer = ctypes.byref(self._now)

    def _declare(self) -> None:
        dll, pointer, i64, i32 = self.dll, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int
        shapes: dict[str, tuple[Any, list[Any]]] = {
            "constants": (pointer, []),
            "bind": (None, [i32, pointer]),
            "start": (None, []),
            "before_run": (None, [i32]),
            "gather": (None, [i32]),
            "help": (None, [i32]),
            "part": (None, [i64, i64, i64, i64]),
            "advance": (i32, [pointer, ctypes.c_double, pointer, pointer]),
            "vector_data": (pointer, [i32]),
            "vector_size": (i64, [i32]),
            "vector_resize": (None, [i32, i64]),
            "borrow": (None, [i32, pointer, i64]),
            "table_shape": (None, [i32, pointer]),
            "table_resize": (None, [i32, i64, i64]),
            "table_read": (None, [i32, pointer]),
            "table_write": (None, [i32, pointer]),
            "queue_size": (i64, [i32]),
            "queue_read": (None, [i32, pointer]),
            "queue_write": (None, [i32, pointer]),
            "queue_dt": (ctypes.POINTER(ctypes.c_double), [i32]),
            "random_size": (i64, []),
            "random_bind": (None, [pointer]),
            "random_seed": (None, [ctypes.c_ulong]),
            "blas": (None, [pointer, pointer]),
        }
        for name, (result, arguments) in shapes.items():
            function = getattr(dll, f"neuroanp_{name}", None)  # a network without synapses has no queues
            if function is not None:
                function.restype, function.argtypes = result, arguments

    def view(self, address: int | None, dtype: Any, size: int) -> np.ndarray:
        """`size` numbers of the library's own memory."""
        if not size or not address:
            return np.zeros(0, dtype)
        buffer = (ctypes.c_char * (size * np.dtype(dtype).itemsize)).from_address(address)
        buffer.owner = self  # the memory lives as long as a view of it
        return np.frombuffer(buffer, dtype=dtype)

    def bind(self, slot: int, array: np.ndarray) -> None:
        """Let an array of the source be the memory of `array`, kept alive here.

        Slots are numbered as the source has them: variables first, then arrays of functions.
        """
        self.bound[slot] = array
        self.dll.neuroanp_bind(slot, array.ctypes.data)

    def borrow(self, index: int, array: np.ndarray) -> None:
        """Let a dynamic array of the source be the memory of `array`, kept alive here."""
        self._kept["borrowed", index] = array
        self.dll.neuroanp_borrow(index, array.ctypes.data, len(array))

    def bind_blas(self) -> None:
        """Let matrix products be SciPy's."""
        self.dll.neuroanp_blas(blas_pointer("sgemm"), blas_pointer("dgemm"))

    def bind_random(self, state: np.ndarray) -> None:
        """Let the random generator be in the memory of `state`, kept alive here."""
        self._kept["random"] = state
        self.dll.neuroanp_random_bind(state.ctypes.data)

    def take_part(self, passes: int, lanes: int, first: int, number: int) -> None:
        """Run some lanes alone, `number` of `lanes` from `first` on; all of them where it is 0."""
        self.dll.neuroanp_part(passes, lanes, first, number)

    def bind_clocks(self) -> None:
        """Connect the clocks to their bound arrays."""
        self.dll.neuroanp_start()

    def before_run(self, queues: bool) -> None:
        """Run the code that comes before a run; with `queues`, also sort the synapses by delay."""
        self.dll.neuroanp_before_run(queues)

    def gather(self, members: int) -> None:
        """Let so many threads share products, this one's and those that `help`, until the next stop."""
        self.dll.neuroanp_gather(members)

    def help(self, member: int) -> None:
        """Share products until the library stops."""
        self.dll.neuroanp_help(member)

    def advance(self, ends: Any, budget: float, spent: np.ndarray | None = None) -> tuple[bool, float]:
        """Run to the clocks' last steps `ends`, or for `budget` seconds; (finished, time of last step).

        `spent`, where there is one, gets the seconds that each part of a step took, added up.
        """
        times = None if spent is None else spent.ctypes.data
        finished = self.dll.neuroanp_advance(ends, budget, self._now_pointer, times)
        return bool(finished), self._now.value


class LibraryVector:
    """A one-dimensional dynamic array in a library, with the face of Brian2's `DynamicArray1D`.

    Reading it makes a copy: a run moves its memory.
    """

    def __init__(self, library: Library, index: int, dtype: Any) -> None:
        self.library, self.index, self.dtype = library, index, np.dtype(dtype)

    @property
    def data(self) -> np.ndarray:
        """The values."""
        return self._view().copy()

    def _view(self) -> np.ndarray:
        return self.library.view(self.library.dll.neuroanp_vector_data(self.index), self.dtype, len(self))

    @property
    def shape(self) -> tuple[int]:
        """Length, as a shape."""
        return (self.library.dll.neuroanp_vector_size(self.index),)

    def resize(self, size: Any) -> None:
        """Change the length."""
        self.library.dll.neuroanp_vector_resize(self.index, int(np.ravel(size)[0]))

    resize_along_first = resize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, item: Any) -> Any:
        return self.data[item]

    def __setitem__(self, item: Any, value: Any) -> None:
        self._view()[item] = value


class LibraryTable:
    """A two-dimensional dynamic array in a library; reading it makes a copy."""

    def __init__(self, library: Library, index: int, dtype: Any) -> None:
        self.library, self.index, self.dtype = library, index, np.dtype(dtype)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        shape = (ctypes.c_int64 * 2)()
        self.library.dll.neuroanp_table_shape(self.index, shape)
        return shape[0], shape[1]

    @property
    def data(self) -> np.ndarray:
        """The values, (rows, columns)."""
        values = np.empty(self.shape, self.dtype)
        if values.size:
            self.library.dll.neuroanp_table_read(self.index, values.ctypes.data)
        return values

    def resize(self, shape: Any) -> None:
        """Change rows and columns."""
        rows, columns = (shape, self.shape[1]) if np.ndim(shape) == 0 else shape
        self.library.dll.neuroanp_table_resize(self.index, int(rows), int(columns))

    resize_along_first = resize

    def __getitem__(self, item: Any) -> Any:
        return self.data[item]

    def __setitem__(self, item: Any, value: Any) -> None:
        values = self.data
        values[item] = value
        if values.size:
            self.library.dll.neuroanp_table_write(self.index, np.ascontiguousarray(values).ctypes.data)
