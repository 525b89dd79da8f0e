"""Bits of a synapse in whole numbers."""

from __future__ import annotations

from neuroanp.cli.main import main
from neuroanp.hardware import locality
from neuroanp.optim import ShiftSGD
from neuroanp.substrate import FixedPoint
from support.integers import RULES, chip


def test_the_bits_are_those_of_the_chip():
    """Counted by hand: weight 8, eligibility 12, gradient 20; STDP has a copied spike and two traces more."""
    numbers = FixedPoint(weight_bits=8, eligibility_bits=12, gradient_bits=20)
    for rule, bits in (("nodes", 8 + 12 + 20), ("stdp", 8 + 1 + 3 * 12 + 20), ("weights", 8 + 1 + 20)):
        text = str(locality(RULES[rule], optimizer=ShiftSGD(), numbers=numbers))
        assert f"= {bits} bits" in text
        formats = chip(rule=RULES[rule], numbers=numbers).machine.blocks.formats["W_rec"]
        assert sum(f.bits - (f.bits == 2) for f in formats.values()) == bits  # a bit is held as -1, 0, 1


def test_the_shell_counts_them_when_asked(capsys):
    words = ["locality", "node-perturbation", "--optimizer", "shift-sgd", "--bits.weight_bits", "4"]
    assert main(words) == 0
    assert "weight, eligibility, gradient: 4 + 16 + 24 = 44 bits" in capsys.readouterr().out
