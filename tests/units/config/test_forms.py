from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from brian2 import Quantity, get_dimensions, ms, mV, nA, nS, second

from neuroanp.config.option import option
from neuroanp.config.text import form
from neuroanp.config.units import quantity_text, read_quantity
from neuroanp.errors import InvalidValue


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("20 ms", "ms", 20 * ms),
        ("20ms", "ms", 20 * ms),
        ("20*ms", "ms", 20 * ms),
        ("2e-2 second", "ms", 20 * ms),
        ("-70 mV", "mV", -70 * mV),
        (".5 nA/ms", "nA/ms", 0.5 * nA / ms),
        ("3 ms**-1", "Hz", 3 / ms),
        ("3 ms^-1", "Hz", 3 / ms),
    ],
)
def test_quantity_is_read(text, unit, value):
    found = read_quantity(text, unit)
    assert float(found) == pytest.approx(float(value), rel=1e-15)
    assert get_dimensions(found) is get_dimensions(value)


@pytest.mark.parametrize(
    "text", ["20", "ms", "20 mV", "20 parsecs", "twenty ms", "20 ms; 1", "20 __import__('os')", ""]
)
def test_what_is_no_quantity_of_that_unit_is_refused(text):
    with pytest.raises(InvalidValue, match=r"Net\.tau: expected a quantity in ms, such as '20 ms', got "):
        _form("h").parse("Net.tau", text)


@pytest.mark.parametrize("number", [20.0, 0.1, 9.000000000000001, 1 / 3, 1e-7, -70.0, 12345.678, 0.0])
@pytest.mark.parametrize("unit", [("ms", ms), ("mV", mV), ("nS/ms", nS / ms)])
def test_quantity_survives_as_text_exactly(number, unit):
    value = number * unit[1]
    back = read_quantity(quantity_text(value, unit[0]), unit[0])
    assert float(back) == float(value)


def test_quantity_that_its_unit_cant_hold_exactly_is_in_base_units():
    assert float(0.009 * second / ms) * 1e-3 != 0.009
    assert float(read_quantity(quantity_text(0.009 * second, "ms"), "ms")) == 0.009


def test_quantity_text_uses_the_unit_of_the_option():
    assert quantity_text(0.02 * second, "ms") == "20 ms"


@dataclasses.dataclass(frozen=True)
class Fields:
    a: int = option(1, "")
    b: float = option(1.0, "")
    c: bool = option(True, "")
    d: str = option("x", "")
    e: Path | None = option(None, "")
    f: Literal["low", "high"] = option("low", "")
    g: tuple[float, ...] = option((1.0,), "")
    h: Any = option(20 * ms, "", "ms")
    j: Quantity | None = option(None, "", "ms")
    k: int | str = option(1, "")
    l: np.ndarray = option(None, "")  # noqa: E741


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("a", "3", 3),
        ("b", "3", 3.0),
        ("c", "False", False),
        ("d", "three", "three"),
        ("e", "a/b", Path("a/b")),
        ("e", "none", None),
        ("f", "high", "high"),
        ("g", "1, 2.5", (1.0, 2.5)),
        ("h", "3 ms", 3 * ms),
        ("j", "3 ms", 3 * ms),
        ("k", "7", 7),
        ("k", "seven", "seven"),
    ],
)
def test_field_is_read_by_its_type(name, text, value):
    found = _form(name).parse("Fields", text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(("name", "text"), [("a", "1.5"), ("b", "much"), ("c", "maybe"), ("f", "middle")])
def test_text_of_another_form_is_refused(name, text):
    with pytest.raises(InvalidValue, match=rf"Fields\.{name}: expected .*, got {text}"):
        _form(name).parse(f"Fields.{name}", text)


def test_an_array_has_no_written_form():
    assert _form("l") is None


def _form(name):
    import typing

    field = next(field for field in dataclasses.fields(Fields) if field.name == name)
    return form(field, typing.get_type_hints(Fields)[name])
