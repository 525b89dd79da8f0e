"""Arrays as the signatures name them; shapes and units stand in the docstrings."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]
Arrays = dict[str, Array]
