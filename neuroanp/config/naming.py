"""`ClassName`: name of a class that doesn't have one of its own."""

from __future__ import annotations

import re


class ClassName:
    """Name of a class that gives none, as in the shell: ``sign-perturbation`` of ``SignPerturbation``."""

    def __get__(self, owner: object, cls: type) -> str:
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", cls.__name__).lower()
