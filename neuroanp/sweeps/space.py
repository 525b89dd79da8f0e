"""`Space`: what a sweep varies, by dotted name, and the settings of a point in it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from neuroanp.config import document, dotted, registry
from neuroanp.config.dotted import Option
from neuroanp.config.part import Part
from neuroanp.config.text import Form
from neuroanp.config.units import quantity_text
from neuroanp.errors import InvalidValue, UnknownName
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import Task

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

LOG = "log:"
"""Start of the text of a range that is even in its logarithm."""

OF_TASK = "task."
"""Start of the dotted names of a task's options."""

Label = bool | int | float | str | None
"""Value of a point as it is stored and shown: of a quantity in a range the number, in the option's unit."""


@dataclasses.dataclass(frozen=True)
class Choice:
    """Values to choose from.

    Attributes
    ----------
    labels : tuple
        As they are stored and shown.
    values : tuple
        As the option takes them.
    """

    labels: tuple[Label, ...]
    values: tuple[Any, ...]
    unit: str | None = None

    def value(self, label: Label) -> Any:
        """Value of the option."""
        return self.values[self.labels.index(label)]

    @property
    def corners(self) -> tuple[Label, ...]:
        """Labels that stand for all."""
        return self.labels

    def distribution(self) -> BaseDistribution:
        """Distribution in Optuna's words."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.labels)

    def describe(self) -> Any:
        """Description for the sweep's file."""
        return list(self.labels)


@dataclasses.dataclass(frozen=True)
class Range:
    """Numbers between two, both among them.

    Attributes
    ----------
    low, high : float or int
        In `unit`.
    log : bool
        True is even in the logarithm.
    unit : str or None
    """

    low: float
    high: float
    log: bool = False
    unit: str | None = None

    @property
    def whole(self) -> bool:
        """True for whole numbers."""
        return isinstance(self.low, int)

    def value(self, label: Label) -> Any:
        """Value of the option, as text where it has a unit."""
        return label if self.unit is None else f"{label!r} {self.unit}"

    @property
    def corners(self) -> tuple[Label, ...]:
        """Labels that stand for all: both ends."""
        return (self.low, self.high)

    def distribution(self) -> BaseDistribution:
        """Distribution in Optuna's words."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.whole:
            return IntDistribution(int(self.low), int(self.high), log=self.log)
        return FloatDistribution(self.low, self.high, log=self.log)

    def describe(self) -> Any:
        """Description for the sweep's file."""
        ends = ":".join(map(str, (self.low, self.high)))
        return f"{LOG if self.log else ''}{ends}{f' {self.unit}' if self.unit else ''}"


class Space:
    """Options that a sweep varies around a task and a recipe.

    Parameters
    ----------
    task : Task
    recipe : Recipe
    vary : mapping
        By dotted name (``"rule.sigma"``, ``"task.delay"``, ``"optimizer"``, ``"lanes"``): a list of values,
        or a text, with commas between values, or a range: ``"0.001:0.3"``, ``"log:0.001:0.3"``,
        ``"log:5 ms:50 ms"``. Of parts the values are shell names or parts, None for off.

    Raises
    ------
    UnknownName
        For a name of no option.
    InvalidValue
        For values that the option can't have, in any of their combinations at the ends of ranges.
    """

    def __init__(self, task: Task, recipe: Recipe, vary: Mapping[str, Any]) -> None:
        if not isinstance(vary, Mapping) or not vary:
            raise InvalidValue("sweep.vary", 'values by name, such as {"rule.sigma": [0.01, 0.1]}', vary)
        self.task, self.recipe = task, recipe
        known = _options(task, recipe, vary)
        self.axes: dict[str, Choice | Range] = {}
        for name, given in vary.items():
            if name not in known:
                raise UnknownName("sweep.vary", str(name), list(known))
            self.axes[name] = _axis(f"sweep.vary: {name}", known[name], given)
        self._check()

    @property
    def is_grid(self) -> bool:
        """True where all values are listed."""
        return all(isinstance(axis, Choice) for axis in self.axes.values())

    def grid(self) -> Iterator[dict[str, Label]]:
        """Points of all combinations, the last name's values next to each other."""
        yield from map(self.corner, range(self.corners))

    def corner(self, number: int) -> dict[str, Label]:
        """Point of a number in `grid`."""
        labels: list[Label] = []
        for axis in reversed(list(self.axes.values())):
            number, place = divmod(number, len(axis.corners))
            labels.insert(0, axis.corners[place])
        return dict(zip(self.axes, labels, strict=True))

    @property
    def corners(self) -> int:
        """Number of points of `grid`."""
        return math.prod(len(axis.corners) for axis in self.axes.values())

    def settings(self, point: Mapping[str, Label]) -> tuple[Task, Recipe]:
        """Task and recipe of a point; `InvalidValue` where they refuse its values."""
        return self.task_of(point), self.recipe_of(point)

    def task_of(self, point: Mapping[str, Label]) -> Task:
        """Task of a point; `InvalidValue` where it refuses its values."""
        return dotted.apply(OF_TASK.removesuffix("."), self.task, self._values(point))

    def recipe_of(self, point: Mapping[str, Label]) -> Recipe:
        """Recipe of a point; `InvalidValue` where it refuses its values."""
        return dotted.apply("", self.recipe, self._values(point))

    def _values(self, point: Mapping[str, Label]) -> dict[str, Any]:
        return {name: self.axes[name].value(label) for name, label in point.items()}

    def distributions(self) -> dict[str, BaseDistribution]:
        """Distributions in Optuna's words, by name."""
        return {name: axis.distribution() for name, axis in self.axes.items()}

    def describe(self) -> dict[str, Any]:
        """Description for the sweep's file, by name."""
        return {name: axis.describe() for name, axis in self.axes.items()}

    def units(self) -> dict[str, str]:
        """Units of quantities, by name."""
        return {name: axis.unit for name, axis in self.axes.items() if axis.unit is not None}

    def _check(self, most: int = 200) -> None:
        """Check of single values, and of combinations where there aren't too many."""
        singly = ({name: label} for name, axis in self.axes.items() for label in axis.corners)
        for point in self.grid() if self.corners <= most else singly:
            task, recipe = self.settings(point)
            recipe.check(task)


def _options(task: Task, recipe: Recipe, vary: Mapping[str, Any]) -> dict[str, Option]:
    """Options by dotted name, those of parts to choose from too."""
    known: dict[str, Option] = {}
    starts: list[tuple[str, Part]] = [(OF_TASK.removesuffix("."), task), ("", recipe)]
    for prefix, part in starts:
        for option in dotted.every(prefix, part):
            known.setdefault(option.name, option)
    for name in [name for name in vary if name in known and known[name].kind]:
        given = vary[name].split(",") if isinstance(vary[name], str) else vary[name]
        for value in given if isinstance(given, Sequence) else ():
            chosen = value if isinstance(value, Part) else _named(known[name], value)
            for option in dotted.every(name, chosen) if chosen is not None else ():
                known.setdefault(option.name, option)
    return known


def _named(option: Option, name: Any) -> Part | None:
    """Part of a name, with the options that the present one shares; None for another name."""
    if option.kind is None or name not in registry.names(option.kind):
        return None
    part: Part = dotted.like(registry.find(option.kind, name), option.value)
    return part


def _axis(where: str, option: Option, given: Any) -> Choice | Range:
    form = option.form
    if isinstance(given, str):
        text = given.removeprefix(LOG)
        low, colon, high = text.partition(":")
        if colon and form is not None:
            return _range(where, option, form, low.strip(), high.strip(), given.startswith(LOG))
        given = [word.strip() for word in given.split(",") if word.strip()]
    if isinstance(given, (str, bytes, Mapping)) or not hasattr(given, "__iter__"):
        raise InvalidValue(where, "a list of values, or a text such as 'log:1e-3:0.3'", given)
    values = tuple(form.parse(where, v) if form is not None and isinstance(v, str) else v for v in given)
    labels = tuple(_label(value, option) for value in values)
    if not values or len(set(labels)) < len(labels):
        raise InvalidValue(where, "at least one value, each once", f"{list(labels)}")
    return Choice(labels, values, form.unit if form is not None else None)


def _range(where: str, option: Option, form: Form, low: str, high: str, log: bool) -> Range:
    ends = [form.parse(where, low), form.parse(where, high)]
    if form.unit is not None:
        from neuroanp.config.units import parse_unit

        ends = [float(end / parse_unit(form.unit)) for end in ends]
    is_number = all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in ends)
    if not is_number or not all(map(math.isfinite, ends)):
        raise InvalidValue(where, "a range of numbers for an option that is one", f"{low}:{high}")
    if all(isinstance(end, int) for end in ends) and isinstance(option.value, float):
        ends = list(map(float, ends))
    if not ends[0] < ends[1] or (log and ends[0] <= 0):
        expected = "two numbers above 0, the smaller one first" if log else "the smaller number first"
        raise InvalidValue(where, expected, f"{low}:{high}")
    return Range(ends[0], ends[1], log, form.unit)


def _label(value: Any, option: Option) -> Label:
    """Value as it is stored and shown."""
    if isinstance(value, Part):
        return _part_label(value)
    if option.form is not None and option.form.unit is not None and hasattr(value, "dim"):
        return quantity_text(value, option.form.unit)
    plain = document.describe(value=value)["value"]
    if isinstance(plain, (list, dict)):
        return repr(value) if isinstance(plain, dict) else ",".join(map(str, plain))
    label: Label = plain
    return label


def _part_label(part: Part) -> str:
    changed = [
        f"{name}={document.describe(value=getattr(part, name))['value']}"
        for name in vars(part)
        if getattr(part, name) != getattr(type(part), name, None)
    ]
    name = getattr(part, "name", type(part).__name__)
    return f"{name}({', '.join(changed)})" if changed else str(name)
