from .alif import ALIF as ALIF
from .balanced_lif import BalancedLIF as BalancedLIF
from .conductance_lif import ConductanceLIF as ConductanceLIF
from .ei import EI as EI
from .izhikevich import Izhikevich as Izhikevich
from .leaky_tanh import LeakyTanhRNN as LeakyTanhRNN
from .lif import LIF as LIF
from .tanh import TanhRNN as TanhRNN
