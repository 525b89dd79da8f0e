"""Display in notebooks: tables, folds and the options of a part, as HTML in which every text is escaped."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from neuroanp.config.part import Part, inner_parts, options
from neuroanp.config.text import first_line
from neuroanp.config.units import quantity_text

LONGEST = 120
"""Characters of a value that are shown."""


class Markup(str):
    """Text that is HTML already, of ours."""

    __slots__ = ()


def escaped(value: object) -> Markup:
    """Text of a value for HTML; `Markup` as it is."""
    return value if isinstance(value, Markup) else Markup(html.escape(str(value)))


def table(rows: Iterable[Sequence[object]], heads: Sequence[str] = (), numbers: Sequence[int] = ()) -> Markup:
    """Table of rows of cells.

    Parameters
    ----------
    rows : iterable of sequences
        Texts, numbers, or `Markup`.
    heads : sequence of str
        Heads of the columns; none when left out.
    numbers : sequence of int
        Columns that are set to the right.
    """
    head = "".join(f"<th style='text-align:left'>{escaped(text)}</th>" for text in heads)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td style='text-align:{'right' if column in numbers else 'left'}'>{escaped(cell)}</td>"
            for column, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return Markup(f"<table>{f'<tr>{head}</tr>' if head else ''}{body}</table>")


def fold(summary: object, *content: str, opened: bool = False) -> Markup:
    """Content below a line that unfolds it."""
    inside = "".join(escaped(part) for part in content)
    return Markup(
        f"<details{' open' if opened else ''}><summary>{escaped(summary)}</summary>"
        f"<div style='margin-left:1.5em'>{inside}</div></details>"
    )


def paragraph(text: object) -> Markup:
    """Paragraph of text."""
    return Markup(f"<p style='max-width:60em'>{escaped(text)}</p>")


def bold(text: object) -> Markup:
    """Text that stands out."""
    return Markup(f"<b>{escaped(text)}</b>")


class Setting(NamedTuple):
    """Option of a part with its value."""

    name: str
    doc: str
    value: Any
    default: Any
    """`dataclasses.MISSING` for an option that has to be given."""
    unit: str

    @property
    def changed(self) -> bool:
        """True for a value other than the default."""
        return self.default is dataclasses.MISSING or not same(self.value, self.default)


def settings(part: Part) -> Iterator[Setting]:
    """Options of a part with their values, in their order."""
    for name, (field, _) in options(type(part)).items():
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        unit = field.metadata.get("unit", "1")
        yield Setting(name, field.metadata.get("doc", ""), getattr(part, name), default, unit)


def same(first: Any, second: Any) -> bool:
    """True for equal values, arrays among them."""
    if type(first) is type(second) and isinstance(first, Part):
        pairs = [*zip(settings(first), settings(second), strict=True)]
        inner = [tuple(value for _, value in inner_parts(part)) for part in (first, second)]
        return all(same(one.value, other.value) for one, other in pairs) and same(*inner)
    if isinstance(first, tuple) and isinstance(second, tuple):
        return len(first) == len(second) and all(map(same, first, second))
    if first is None or second is None:
        return first is second
    equal = first is second or first == second
    return bool(equal) if np.ndim(equal) == 0 else np.shape(first) == np.shape(second) and bool(np.all(equal))


def value_text(value: Any, unit: str = "1") -> str:
    """Text of an option's value, with its unit, of bearable length."""
    if value is None:
        return "none"
    if unit != "1" and np.ndim(value) == 0:
        return quantity_text(value, unit)
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = ", ".join(map(str, value)) if isinstance(value, tuple) and value else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def part_text(part: Part) -> str:
    """Call that makes a part, with the options that differ from their defaults."""
    given = (f"{setting.name}={setting.value!r}" for setting in settings(part) if setting.changed)
    return f"{type(part).__qualname__}({', '.join(given)})"


def part_html(part: Part) -> Markup:
    """Part as a table of its options, what differs from the default in bold, its own parts folded below."""
    heading = Markup(f"{bold(type(part).__qualname__)}{_sentence(part)}")
    return Markup(paragraph(heading) + _options(part))


def _options(part: Part) -> Markup:
    inner = list(inner_parts(part))
    nested = [fold(_call(value, name), _options(value)) for name, value in inner]
    plain = [setting for setting in settings(part) if setting.name not in dict(inner)]
    heads = ("option", "value", "default", "what it is")
    shown = table([_row(setting) for setting in plain], heads) if plain else ""
    return Markup(shown + "".join(nested))


def _call(part: Part, title: str) -> Markup:
    """Line for a part that is folded: what differs from its defaults, and its sentence."""
    name, call = type(part).__qualname__, part_text(part)
    arguments = value_text(call.removeprefix(name))
    return Markup(f"{escaped(title)}: {bold(name)}{escaped(arguments)}{_sentence(part)}")


def _sentence(part: Part) -> str:
    line = first_line(type(part))
    return f" &ndash; {escaped(line)}" if line else ""


def _row(setting: Setting) -> tuple[object, ...]:
    value = value_text(setting.value, setting.unit)
    if not setting.changed:
        return (setting.name, value, "", setting.doc)
    required = setting.default is dataclasses.MISSING
    default = "" if required else value_text(setting.default, setting.unit)
    return (setting.name, value if required else bold(value), default, setting.doc)
