"""States of a learning core that visit all synapses, one a cycle, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Const, Mux, Signal, signed

if TYPE_CHECKING:
    from neuroanp.hardware.export.rtl_core import Core


def sweep(core: Core, name: str, block: str, command: str) -> None:
    """All synapses of a projection, row by row."""
    words = core.blocks.steps[name][block].words
    m, names = core.m, list(core.network.synapses)
    posts, pres = core.network.sizes(name)
    following = names[names.index(name) + 1 :]
    visited = Signal(range(max(posts, 2)), name=f"row_{command}_{name}")
    with m.State(f"{command} {name}"):
        with m.If(core.at < posts * pres):
            last = core.column == pres - 1
            m.d.sync += [
                core.valid.eq(1), core.at.eq(core.at + 1), core.column.eq(Mux(last, 0, core.column + 1)),
                visited.eq(Mux(last, visited + 1, visited)), core.row.eq(visited),
            ]  # fmt: skip
        with m.If(core.valid):
            m.d.comb += [core.taken.eq(words), *core.writing[name, block]]
        with m.If(core.at == posts * pres):
            m.d.sync += visited.eq(0)
            with m.If(~core.valid):
                m.d.sync += [core.at.eq(0), core.column.eq(0), core.row.eq(0)]
                m.next = f"{command} {following[0]}" if following else "idle"


def perturb(core: Core, name: str) -> None:
    """Draw of the noise of a projection's weights, where it has any."""
    m, names = core.m, list(core.network.synapses)
    depth = core.network.sizes(name)[0] * core.network.sizes(name)[1]
    following = names[names.index(name) + 1 :]
    with m.State(f"perturb {name}"):
        ends = f"perturb {following[0]}" if following else "idle"
        if core.network.sigma(name) == 0:
            m.next = ends
            return
        port = core.writes[name]["weight_noise"]
        with m.If(core.at < depth):
            sign = Mux(core.words[0][0], Const(-1, signed(2)), Const(1, signed(2)))
            m.d.comb += [core.taken.eq(1), port.en.eq(1), port.addr.eq(core.at), port.data.eq(sign)]
            m.d.sync += core.at.eq(core.at + 1)
        with m.Else():
            m.d.sync += core.at.eq(0)
            m.next = ends
