"""Options of engine ``jax``."""

from __future__ import annotations

from typing import Literal

from neuroanp.config.option import option
from neuroanp.config.part import Part


class Jax(Part):
    """Options of engine ``jax``.

    Parameters
    ----------
    memory : {"auto", "keep", "replay"}
        ``"keep"`` keeps noise and traces of all steps of a trial; ``"replay"`` runs it twice in blocks of
        steps, the second time with the same noise and the returns known, and keeps one block. ``"auto"``
        keeps what fits.
    steps : int, optional
        Steps of a block; by the size of the network when left out.
    lane_blocks : int, optional
        Parts that the lanes are taken in, one after the other, with ``"replay"``; when left out as many as
        let a few steps fit.
    products : {"full", "fast"}
        Precision of matrix products of float32: ``"fast"`` leaves it to JAX, which rounds factors to 10 bits
        on GPUs (TF32) and to 7 on TPUs.

        A tanh network of 500 units is off by 2e-3 then after ten steps, by 5e-7 in full.
    """

    memory: Literal["auto", "keep", "replay"] = option(
        "auto", "what is kept of a trial: all of it, or a block of steps, for which it is run twice"
    )
    steps: int | None = option(None, "replay: steps of a block, by the network's size if none", least=1)
    lane_blocks: int | None = option(
        None, "replay: parts that lanes are taken in, one after the other, as many as needed if none", least=1
    )
    products: Literal["full", "fast"] = option(
        "full", "precision of products in float32; fast is TF32 on GPUs, off by 2e-3 after ten steps"
    )
