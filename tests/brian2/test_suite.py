"""Brian2's own test suite on our device, as Brian2 runs it for its standalone devices."""

import subprocess
import sys

import pytest

from support.processes import environment

SCRIPT = """
import brian2
import neuroanp.engine
passed = brian2.test(
    codegen_targets=[], test_codegen_independent=False, test_standalone="neuroanp", long_tests=True,
    additional_args=["-p", "no:cacheprovider"],
)
raise SystemExit(0 if passed else "failed")
"""


@pytest.mark.slow
def test_brian2s_own_suite(tmp_path):
    """Long tests too; 240 compiled networks, about 8 minutes on one free core."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT], env=environment(), cwd=tmp_path, capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:]
    assert "3/3 test suite(s) did complete successfully" in done.stdout
