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
    test_in_parallel=["neuroanp"], additional_args=["-p", "neuroanp.engine", "-p", "no:cacheprovider"],
)
raise SystemExit(0 if passed else "failed")
"""


@pytest.mark.slow
def test_brian2s_own_suite(tmp_path):
    """Long tests too; 240 compiled networks, about 8 minutes of CPU."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT], env=environment(), cwd=tmp_path, capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:]
    assert "3/3 test suite(s) did complete successfully" in done.stdout


DEMAND_A_RUNTIME = {
    "test_ufunc_at_vectorisation": "asserts what the NumPy target logs of the code that it makes",
}
"""Tests of Brian2 for its runtime targets that can't hold for compiled networks, with the reason."""

RUNTIME_SCRIPT = """
import os
import sys
import brian2
import pytest
import neuroanp.engine
from brian2.tests import PreferencePlugin, make_argv
plugin = PreferencePlugin({"codegen.target": "numpy", "codegen.string_expression_target": "numpy"})
plugin.device, plugin.device_options = "neuroanp", {}
markers = "not standalone_compatible and not standalone_only and not codegen_independent"
words = make_argv([os.path.dirname(brian2.__file__)], markers)
words += ["-n", "auto", "-p", "neuroanp.engine", "-p", "no:cacheprovider", *sys.argv[1:]]
raise SystemExit(pytest.main(words, plugins=[plugin]))
"""


@pytest.mark.slow
def test_brian2s_tests_for_its_runtime_targets(tmp_path):
    """State between runs, which standalone devices don't have: about 3 minutes."""
    words = ["-k", " and ".join(f"not {name}" for name in DEMAND_A_RUNTIME)]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUNTIME_SCRIPT, *words], env=environment(), cwd=tmp_path,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:]
