"""Model zoo: one model a file."""

from neuroanp.models.alif import ALIF
from neuroanp.models.balanced_lif import BalancedLIF
from neuroanp.models.conductance_lif import ConductanceLIF
from neuroanp.models.ei import EI
from neuroanp.models.izhikevich import Izhikevich
from neuroanp.models.leaky_tanh import LeakyTanhRNN
from neuroanp.models.lif import LIF
from neuroanp.models.tanh import TanhRNN

__all__ = [
    "ALIF",
    "EI",
    "LIF",
    "BalancedLIF",
    "ConductanceLIF",
    "Izhikevich",
    "LeakyTanhRNN",
    "TanhRNN",
]
