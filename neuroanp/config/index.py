"""Index of our own classes: ``python -m neuroanp.config.index`` writes it again.

``index.json`` has the first sentence of each class by kind and name, so that a list of them imports none.
"""

from __future__ import annotations

import json

from neuroanp.config import registry
from neuroanp.config.text import first_line


def index() -> str:
    """Text of the file as the classes say it."""
    kinds = {
        kind: {
            name: first_line(cls)
            for name, cls in registry.classes(kind).items()
            if cls.__module__.startswith(registry.OURS)
        }
        for kind in registry.GROUPS
    }
    return json.dumps(kinds, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    registry.INDEX.write_text(index(), encoding="utf-8")
