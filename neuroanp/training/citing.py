"""`cite`: BibTeX of what was used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from neuroanp.config import environment
from neuroanp.config.part import Part, inner_parts
from neuroanp.config.sources import ANP, BRIAN2
from neuroanp.errors import InvalidValue
from neuroanp.network.model import Model

SOFTWARE = """@misc{{neuroanp,
  author = {{{{NeuroANP developers}}}},
  title = {{{{NeuroANP}}: recurrent networks trained without gradients in {{Brian2}}}},
  note = {{Version {version}}}
}}"""

HOLDERS = ("task", "model", "rule", "modulator", "optimizer", "recipe")
"""Attributes of a run, a trainer, a network or a learner that are parts."""

_KEY = re.compile(r"@\w+\s*\{\s*([^\s,{}]+)\s*,")


class Bibliography(str):
    """BibTeX entries, shown as they are, by a notebook too."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def cite(*subjects: Any) -> Bibliography:
    """BibTeX of what was used: NeuroANP, the paper that it builds on, and the sources of each part, once.

    Brian2 is among them where a network of it is: for a run, a trainer, a network, a learner, a recipe and a
    model. The sources of a class are its attribute ``sources``, entries of BibTeX.

    Parameters
    ----------
    *subjects
        Runs, recipes, tasks, models, rules and other parts or their classes, trainers, networks, learners.

    Raises
    ------
    InvalidValue
        For something else, and for sources that are no BibTeX.
    DataError
        For a run whose task or recipe its folder can't hold.

    Examples
    --------
    >>> print(cite(run))                                                  # doctest: +SKIP
    """
    classes = [cls for subject in subjects for cls in _classes(subject)]
    entries = [SOFTWARE.format(version=environment.version("neuroanp") or "not installed"), ANP]
    ran = not all(isinstance(subject, (Part, type)) for subject in subjects)
    if ran or any(issubclass(cls, Model) for cls in classes):
        entries.append(BRIAN2)
    for cls in classes:
        entries += cls.sources
    return Bibliography("\n\n".join({_key(entry): entry for entry in entries}.values()))


def _key(entry: str) -> str:
    start = _KEY.match(entry)
    if start is None:
        raise InvalidValue("sources", "BibTeX, as @article{key, ...}", entry)
    return start[1]


def _classes(subject: Any) -> Iterator[type[Part]]:
    """Classes of a part and of the parts in it, in the order of their options."""
    if isinstance(subject, type) and issubclass(subject, Part):
        yield subject
    elif isinstance(subject, Part):
        yield type(subject)
        for _, inner in inner_parts(subject):
            yield from _classes(inner)
    else:
        held = [part for name in HOLDERS if isinstance(part := getattr(subject, name, None), Part)]
        if not held:
            expected = "runs, recipes, tasks, models, rules, trainers, networks or learners"
            raise InvalidValue("cite", expected, subject)
        for part in held:
            yield from _classes(part)
