"""Names of classes that give none."""

import neuroanp as nap
from neuroanp.models import TanhRNN
from support.copying import COPYING


class OwnSignRule(nap.rules.NodePerturbation.__base__):
    """A rule without a name."""


class MyRNN2(TanhRNN):
    """A model that inherits one."""


class MyLIF(nap.Model):
    """A model without one."""


def test_a_class_is_named_by_itself_unless_it_says_so():
    assert (OwnSignRule.name, MyRNN2.name, MyLIF.name, COPYING.name) == (
        "own-sign-rule", "tanh", "my-lif", "copying-memory",
    )  # fmt: skip
