"""`Network`: a model in lanes and passes, with `run(trial) -> Record`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from neuroanp.engine import device_for
from neuroanp.engine.codegen.rows import Rows
from neuroanp.engine.device import LOCK
from neuroanp.engine.threads import threads as present_threads
from neuroanp.errors import InvalidValue
from neuroanp.network.assembly import Assembly
from neuroanp.network.base import NetworkBase
from neuroanp.network.layout import DECORRELATING, PROJECTIONS, mixed
from neuroanp.network.model import Model, Weights
from neuroanp.network.model_checks import check_numbers
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.plant import Plant
from neuroanp.network.record import Record
from neuroanp.network.state import State
from neuroanp.network.trial import Trial
from neuroanp.network.weight_checks import check_weights, check_wiring
from neuroanp.network.wiring import Wiring
from neuroanp.types import Array, Arrays


class Network(NetworkBase):
    """A model with P passes of L lanes side by side, sharing weights.

    Parameters
    ----------
    model : Model
    n_in, n_out : int
        Number of inputs and outputs of a trial; a model with a bias sees one more input, always 1.
    dt : Quantity
        Length of a step.
    lanes : int
    passes : tuple of str
        Of ``"clean"``, ``"plus"``, ``"minus"``.
    perturbation : Perturbation, optional
        None when left out.
    seed : int
        Seed of the noise, and of the wiring where not all recurrent synapses exist.
    engine : {"auto", "compiled", "runtime"}
    dtype : {"float64", "float32"}
        Precision of the simulation.
    decorrelated : bool
        True where `load` will get decorrelating matrices.
    plant : Plant, optional
        World that is observed through the first inputs and takes the readout.
    loss : str, optional
        Loss of one output at one step, an expression of ``y`` and ``target``; the model's when left out.
    threads : int, optional
        Threads that share a run on the compiled engine, with the same numbers; those of
        `neuroanp.engine.threads.using` when left out, 1 outside of it.

    Attributes
    ----------
    parts : Assembly
        The Brian2 objects; each state variable reshapes, without a copy, to (P, L, n).
    wiring : Wiring or None
        The recurrent synapses that exist; None for all.

    Raises
    ------
    InvalidValue
        For lanes below 1, an unknown engine or dtype, and decorrelation where not all synapses exist.
    """

    def __init__(
        self,
        model: Model,
        n_in: int,
        n_out: int,
        dt: Any,
        *,
        lanes: int,
        passes: tuple[str, ...] = ("clean",),
        perturbation: Perturbation | None = None,
        seed: int = 0,
        engine: str = "auto",
        dtype: str = "float64",
        decorrelated: bool = False,
        plant: Plant | None = None,
        loss: str | None = None,
        threads: int | None = None,
    ) -> None:
        threads = present_threads() if threads is None else threads
        check_numbers(threads=threads)
        super().__init__(
            model,
            n_in,
            n_out,
            dt,
            lanes=lanes,
            passes=passes,
            perturbation=perturbation,
            seed=seed,
            dtype=dtype,
        )
        model = self.model
        if decorrelated and model.outgoing is not None:
            raise InvalidValue("Network.decorrelated", "False where not all recurrent synapses exist", True)
        self.wiring = model.wiring(np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,))), dt)
        self._process = os.getpid()
        self.device = device_for(engine)
        with self.device.active():
            self.parts = Assembly(
                model, self.layout, self.perturbation, decorrelated=decorrelated, plant=plant,
                wiring=self.wiring, loss=loss,
            )  # fmt: skip
            rows = Rows(len(self.passes), lanes)
            self._program = self.device.program(self.parts.net, {}, None, rows)
            self._program.use_threads(threads)
        queues = () if self.wiring is None else (self.parts.projections["W_rec"],)
        self._state = State(self.parts.groups, self.layout, queues)

    @property
    def engine(self) -> str:
        """``"compiled"`` or ``"runtime"``."""
        return self.device.resolved_engine()

    def load(self, weights: Weights, decorrelation: Mapping[str, Array] | None = None) -> None:
        """Take over weights, and decorrelating matrices folded into them.

        The simulator works with W D on the plain trace, which is W on the decorrelated one.

        Parameters
        ----------
        weights : dict
            ``W_in`` (N, n_in), ``W_rec`` (N, N) or, of a wiring, (N K,), ``W_out`` (n_out, N), and
            ``W_skip`` (n_out, skip_steps * n_in) where inputs reach the readout directly, the weights of the
            present ones first. The wiring of a run, ``rec_targets`` (N, K) and ``rec_delays`` (N,), takes the
            place of the network's own.
        decorrelation : mapping, optional
            ``D_in`` (n_in, n_in), ``D_hidden`` (N, N), if they are not among the weights, as those of a run
            are.

        Raises
        ------
        InvalidValue
            For weights that are missing, unknown, of other shapes or not finite, and for a wiring whose cells
            or number of synapses aren't the model's.
        """
        matrices = set(DECORRELATING) & set(weights)
        decorrelation = {name: weights[name] for name in matrices} | dict(decorrelation or {})
        weights = {name: w for name, w in weights.items() if name not in matrices}
        check_weights(self.layout, self.model, weights, decorrelation)
        stored = Wiring.stored(weights)
        if stored is not None:
            check_wiring(self.model, stored)
            self.wiring = stored
            self.parts.projections["W_rec"].connect(stored.targets, stored.delays)
        self.write(weights, decorrelation)

    def write(self, weights: Weights, decorrelation: Mapping[str, Array]) -> None:
        """`load` without checks, for the updates of a training."""
        self.weights, self.decorrelation = dict(weights), dict(decorrelation)
        sources, effective = self.parts.noises.sources, {}
        for name in self.parts.projections:
            w, D = weights[name], self.decorrelation.get(PROJECTIONS[name].decorrelated_by)
            effective[name] = w if D is None else mixed(w, D.astype(w.dtype, copy=False))
            if D is not None and name in sources:
                sources[name].mix[:] = np.kron(np.eye(len(sources[name].mix) // len(D)), D)
        for name, values in self.model.realised(effective).items():
            (sources[name].mean if name in sources else self.parts.projections[name].weights)[...] = values

    def run(
        self,
        trial: Trial,
        index: int = 0,
        *,
        sigma: float | None = None,
        noise: Mapping[str, Array] | None = None,
    ) -> Record:
        """Run one trial in all passes.

        Parameters
        ----------
        trial : Trial
            With as many lanes as the network.
        index : int
            Number of the trial: with the seed it fixes the noise.
        sigma : float, optional
            Standard deviation of the noise in this trial; see `Perturbation.deviation`.
        noise : mapping, optional
            The noise of an external perturbation: ``hidden`` (T, L, N), ``output`` (T, L, n_out), or ``W_in``
            ... (T, post, pre), per lane (T, L, post, pre).

        Returns
        -------
        Record
            Its arrays are the simulator's memory: good until the next run.

        Raises
        ------
        InvalidValue
            If the trial's shapes don't fit the network.
        """
        if os.getpid() != self._process:
            expected = "the process that built the network, as forks of it would draw the same numbers"
            raise InvalidValue("Network.run", f"{expected}: build one in each, with its own seed", "a fork")
        trial.check(self.lanes, self.n_in - self.model.bias, self.n_out, self.parts.loop is not None)
        self.device.use(self._program)
        parts, layout = self.parts, self.layout
        steps, hidden = trial.steps, layout.hidden
        if trial.carry:
            self._state.carry(elapsed=parts.net.t_)
        else:
            self._state.restore()
        past, inputs_before = self._past(), self.parts.inputs_before()
        inputs = self._show(trial.inputs)
        targets = parts.teacher.play(trial.targets)
        for projection in parts.dense:
            projection.prepare()
        loss = parts.reward.prepare(layout.shape(steps, 1)[:-1])
        trace, traces = parts.trace.prepare(steps)
        outputs = parts.outputs.prepare(layout.shape(steps, self.n_out))
        shape = layout.shape(steps, hidden)
        watched = {name: recorder.prepare(shape) for name, recorder in parts.watched.items()}
        if parts.loop is not None:
            parts.loop.prepare(trial.plant or {}, steps)
        buffers = parts.noises.prepare(steps, self.seed, index, sigma, noise)
        parts.net.t_ = 0.0
        mask = np.asarray(trial.mask)
        if parts.loop is None:
            self._advance(steps)
        else:
            parts.loop.drive(self._advance, loss)
            counts = parts.loop.counts(loss)
            inputs, mask = parts.loop.inputs(), mask * counts
            for layer in {"hidden", "output"} & set(buffers):
                buffers[layer][counts == 0] = 0.0
        absent = np.zeros(0, self.dtype)
        return Record(
            passes=self.passes, loss=loss, mask=mask, inputs=inputs, outputs=outputs, targets=targets,
            trace=trace.reshape(steps + 1, self.lanes, hidden), traces=traces.reshape(-1, *shape[1:]),
            activity=watched.pop("activity", absent), hidden=watched, noise=buffers.get("hidden", absent),
            noise_out=buffers.get("output", np.zeros((steps, self.lanes, self.n_out), self.dtype)),
            weight_noise=parts.noises.on_weights(steps), weights=self.weights,
            decorrelation=self.decorrelation, wiring=self.wiring, past=past,
            inputs_before=inputs_before, carried=trial.carry, owner=self, **self.constants,
        )  # fmt: skip

    def _advance(self, steps: int) -> None:
        with LOCK:
            self.device.run_program(self._program, steps * float(self.parts.clock.dt_))

    def get_state(self) -> Arrays:
        """State between two trials, by name, for `set_state`: cells, spikes under way, and time."""
        return self._state.copy() | {"time": np.array(float(self.parts.net.t_))}

    def set_state(self, state: Arrays) -> None:
        """Go back to a state that `get_state` gave; a carried trial then goes on from there."""
        self._state.put(state)
        self.parts.net.t_ = float(state["time"])

    def _past(self) -> Array | None:
        """`Record.past` of a trial that starts now."""
        if self.wiring is None:
            return None
        arriving = self.parts.projections["W_rec"].arriving().astype(self.dtype)
        rows = self.layout.shape(len(arriving), self.model.hidden)
        return self.wiring.fired(self.passes.clean(arriving.reshape(rows)))

    def _show(self, inputs: Array) -> Array:
        """Inputs in the network's memory, with a 1 for the bias."""
        width = inputs.shape[2]
        memory: Array = self.parts.player.prepare((*inputs.shape[:2], self.n_in))
        memory[..., :width] = inputs
        memory[..., width:] = 1.0
        return memory
