"""Export as a NIR graph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from neuroanp.cli.export_target import Target
from neuroanp.config.option import option

if TYPE_CHECKING:
    from neuroanp.training.run import Run


class Nir(Target):
    """Options of a NIR graph."""

    text = """\
Writes a trained network of current-lif cells as a graph of the Neuromorphic Intermediate Representation, with
its learning rule in the metadata, and FILE.readout.npz beside it. What no graph has exactly is refused.

r=1 is for norse and spikingjelly, r=tau/dt for snn-mlir and spikingjelly; no file serves all.
norse, spikingjelly and snntorch want --no-readout."""

    dialect: Literal["r=1", "r=tau/dt"] = option(
        "r=1", "factor dt / tau left to the reader, or in the weights"
    )
    dtype: Literal["float32", "float64"] = option("float32", "precision of the graph's numbers")
    readout: bool = option(True, "end the graph at the readout, not at the spikes")

    def write(self, run: Run, path: Path) -> str:
        from neuroanp.hardware.export import nir

        nir(run, path, dialect=self.dialect, dtype=self.dtype, readout=self.readout)
        return f"NIR graph: {path}; numbers of its readout: {path}.readout.npz"
