"""Scripts in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]


def environment(**variables):
    """The environment of a process that can import the tests' modules."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]), **variables}


def python(script, **variables):
    """Run a script that can import the tests' modules; fails if it does."""
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(**variables), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done
