"""Histories of runs as tables of other libraries."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from typing import Any

from neuroanp import storage
from neuroanp.errors import MissingExtra
from neuroanp.types import Array


def required(package: str, extra: str) -> Any:
    """Optional package; `MissingExtra` where it isn't installed."""
    try:
        return importlib.import_module(package)
    except ImportError:
        raise MissingExtra(package, extra) from None


def history_frame(history: Mapping[str, Array]) -> Any:
    """`pandas.DataFrame` of a history, a row an update."""
    pandas = required("pandas", "tables")
    dense, sparse = _by_evaluation(history)
    frame = pandas.DataFrame(dense).set_index("update")
    if not sparse:
        return frame
    return frame.join(pandas.DataFrame(sparse).set_index(f"{storage.SPARSE}update"), how="outer")


def history_dataset(history: Mapping[str, Array], result: Mapping[str, Any]) -> Any:
    """`xarray.Dataset` of a history; values of the result that aren't plain are JSON among its attributes."""
    xarray = required("xarray", "tables")
    dense, sparse = _by_evaluation(history)
    axes = ((dense, "update"), (sparse, f"{storage.SPARSE}update"))
    variables = {
        name: (axis, values, {"units": "s"} if name == "seconds" else {})
        for table, axis in axes
        for name, values in table.items()
        if name != axis
    }
    plain = storage.finite(result)
    attributes = {
        name: value if type(value) in (str, int, float) else json.dumps(value)
        for name, value in plain.items()
    }
    coordinates = {axis: table[axis] for table, axis in axes if axis in table}
    return xarray.Dataset(variables, coords=coordinates, attrs=attributes)


def _by_evaluation(history: Mapping[str, Array]) -> tuple[dict[str, Array], dict[str, Array]]:
    sparse = {name: values for name, values in history.items() if name.startswith(storage.SPARSE)}
    return {name: values for name, values in history.items() if name not in sparse}, sparse
