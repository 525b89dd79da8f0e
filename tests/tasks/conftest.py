"""Data for the tests of tasks."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.fixture(scope="session")
def observations() -> Path:
    """The real weather observations, which are not part of the repository."""
    shared = Path(os.environ.get("NEUROANP_SHARED", REPOSITORY.parent / "shared"))
    path = shared / "data" / "WTH.csv"
    if not path.is_file():
        pytest.skip("no weather observations: set NEUROANP_SHARED to the folder that has data/WTH.csv")
    return path
