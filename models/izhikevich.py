"""Izhikevich cells, regular spiking to chattering."""

from __future__ import annotations

from typing import Any

from brian2 import ms

from neuroanp.config.option import option
from neuroanp.models.lif import LIF, golden_ratio_spread
from neuroanp.network.dynamics import Cells

IZHIKEVICH_2003 = """@article{izhikevich2003simple,
  author = {Izhikevich, Eugene M.},
  title = {Simple model of spiking neurons},
  journal = {IEEE Transactions on Neural Networks},
  volume = {14},
  number = {6},
  pages = {1569--1572},
  year = {2003},
  doi = {10.1109/TNN.2003.820440}
}"""


class Izhikevich(LIF):
    r"""Izhikevich cells: two equations that spike like most kinds of cortical cells, in mV and ms.

    .. math::
        \dot v &= 0.04 v^2 + 5 v + 140 - w + s + W_{in} u + \xi, \qquad \dot w = a (b v - w) \\
        \tau_s \dot s &= -s \quad (+ W_{rec} \text{ column for every spike}); \qquad
        v > 30: \; v \leftarrow c, \; w \leftarrow w + d

    with the published regular-spiking cells at one end and chattering ones at the other: :math:`a = 0.02`,
    :math:`b = 0.2`, :math:`c = -65 + 15 r^2`, :math:`d = 8 - 6 r^2`, r from 0 to `diversity`. As published, v
    makes two half steps in each step; steps of about 1 ms are the longest that work.

    There is no refractory time; the recovery w takes its place.

    References
    ----------
    Izhikevich, IEEE Transactions on Neural Networks 14, 1569 (2003).
    """

    name = "izhikevich"
    sources = (IZHIKEVICH_2003,)
    equations = """
        v : 1
        w : 1
        s : 1
        drive : 1
        noise : 1
        spiked : 1
        a : 1 (shared)
        b : 1 (shared)
        c : 1
        d : 1
        tau_s : second (shared)
        unit : second (shared)
    """
    update = """
        spiked = 0
        s *= exp(-dt / tau_s)
        v += 0.5 * dt / unit * (0.04 * v**2 + 5 * v + 140 - w + s + drive + noise)
        v += 0.5 * dt / unit * (0.04 * v**2 + 5 * v + 140 - w + s + drive + noise)
        w += dt / unit * a * (b * v - w)
    """
    threshold = "v > 30"
    reset = "v = c; w += d; spiked = 1"
    refractory = None
    method = None
    synaptic = "s"

    tau_s: Any = option(5 * ms, "time constant of synaptic currents", unit="ms", above=0)
    diversity: float = option(
        1.0, "how far cells reach from regular spiking, 0, to chattering, 1", least=0, most=1
    )
    input_gain: float = option(5.0, "input weights have this standard deviation")
    bias_mean: float = option(5.0, "mean current of a cell without input")
    bias_spread: float = option(2.0, "standard deviation of that current")
    recurrent_gain: float = option(
        5.0, "recurrent weights have standard deviation gain / sqrt(density * hidden)"
    )

    def parameters(self) -> dict[str, Any]:
        r = self.diversity * golden_ratio_spread(self.hidden)
        shared = {"a": 0.02, "b": 0.2, "tau_s": self.tau_s, "unit": 1 * ms}
        return shared | {"c": -65 + 15 * r**2, "d": 8 - 6 * r**2}

    def initial_state(self) -> dict[str, Any]:
        v = -65 + 10 * self.v_spread * golden_ratio_spread(self.hidden)
        return {"v": v, "w": 0.2 * v}

    def cells(self, dt: Any) -> Cells | None:
        return None
