"""Bases of the rules: options, factors, and the product of factors that is the update."""

from __future__ import annotations

import abc
from typing import ClassVar, Literal

import numpy as np

from neuroanp.arrays import namespace
from neuroanp.config.naming import ClassName
from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.errors import InvalidValue
from neuroanp.network.layout import Layout
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.record import Record
from neuroanp.rules._factors import DELTA, Layer, delta, to_hidden, to_readout
from neuroanp.rules._stretches import Stretch, over, stretches
from neuroanp.synapse import UNDECLARED, Neuron, NotLocal, Synapse
from neuroanp.types import Array, Arrays


class Rule(Part):
    """Base of all rules.

    A rule is one file. One that perturbs nodes and has three factors derives from `NodeRule` and defines
    `post`; one that needs noise of any kind derives from `NoiseRule`; any other defines `__call__`. The shell
    knows it by its name once its package lists it under the entry point group ``neuroanp.rules``.
    `own_synapse` gives the work of one synapse, for the on-chip mode.

    Engine ``jax`` runs the same file where arrays can't be changed in place: `neuroanp.arrays` has what both
    kinds of arrays need; what NumPy alone can do is refused there.

    Attributes
    ----------
    name : str
        Name in the shell.
    recorded : tuple of str
        Hidden variables that the rule reads besides the trace without noise: roles that a model gives
        (``"activity"``, ``"potential"``, ``"adaptation"``; ``"trace"`` for that of each pass) or variables by
        their own names.
    needs_two_passes : bool
        True for a rule that compares hidden variables of two passes.
    needs_baseline : bool
        True for a rule of one pass that learns from the modulator: no other pass can be its baseline.
    estimates_change : bool
        True for a rule that solves for the weights: its estimate is the change, which nothing may alter.
    supports_sparse : bool
        True where the update of ``W_rec`` covers the synapses of a wiring alone, see `recurrent`.
    bias_note : str
        Reason why the mean of the updates is not the gradient, in a sentence or two; empty where it is.

    Parameters
    ----------
    readout : str
        Learning of ``W_out`` and ``W_skip``: ``"perturb"`` by the rule, from noise on the readout;
        ``"delta"`` by the local delta rule, without noise; ``"fixed"`` none.

    Raises
    ------
    InvalidValue
        For an unknown `readout`.
    """

    registered_as: ClassVar[str] = "rule"
    name: ClassVar[str] = ClassName()  # type: ignore[assignment]
    recorded: ClassVar[tuple[str, ...]] = ()
    needs_two_passes: ClassVar[bool] = False
    needs_baseline: ClassVar[bool] = False
    estimates_change: ClassVar[bool] = False
    supports_sparse: ClassVar[bool] = False
    bias_note: ClassVar[str] = ""

    readout: Literal["perturb", "delta", "fixed"] = option("perturb", "how the readout learns")

    def require_extras(self) -> None:
        """Raise `MissingExtra` where an optional dependency of the rule isn't installed."""

    @property
    def passes(self) -> tuple[str, ...]:
        """Passes that the rule needs."""
        return ("clean",)

    @property
    def perturbation(self) -> Perturbation:
        """Noise that the rule asks of a network."""
        return Perturbation(recorded=self.recorded)

    def start(self, layout: Layout) -> Arrays:
        """State before the first trial: arrays by name."""
        return {}

    @abc.abstractmethod
    def __call__(self, record: Record, modulator: Array, state: Arrays) -> Arrays:
        """Estimate of the gradient from one trial.

        Parameters
        ----------
        record : Record
        modulator : (T, L) or (T, 1) array
            One column a lane, or one for all lanes.
        state : dict of arrays
            From `start`; brought up to date here.

        Returns
        -------
        dict of (post, pre) arrays by weight name, new ones, of float64 or the record's dtype, to be
        subtracted from the weights times a learning rate; without weights that don't learn.
        """

    @property
    def by_steps(self) -> bool:
        """True for a rule whose update is a sum over steps, of which `share` gives some, and `of_losses`.

        It isn't asked where a subclass has a `__call__` of its own.
        """
        return False

    def share(self, record: Record, modulator: Array, error: Array | None) -> Arrays:
        """Part of `__call__` that some steps have, from their record without D and their `delta`."""
        return self.readout_update(record, error)

    def of_losses(self, record: Record, modulator: Array) -> Arrays:
        """Part of `__call__` that needs no traces."""
        return {}

    def hidden_update(self, record: Record, post: Array) -> Arrays:
        """`__call__` for the hidden weights, from the postsynaptic factor (T, L, N)."""
        return to_hidden(record, post)

    def readout_update(self, record: Record, error: Array | None = None) -> Arrays:
        """`__call__` for the readout where it learns without noise, from the error `delta`."""
        if self.readout != "delta":
            return {}
        return to_readout(record, delta(record) if error is None else error)

    def synapse(self, name: str, passes: tuple[str, ...]) -> Synapse | NotLocal:
        """Work of one synapse of `name` in the on-chip mode, where `passes` follow one another."""
        if name == "W_out" and self.readout == "fixed":
            return Synapse()
        if name == "W_out" and self.readout == "delta":
            if "minus" in passes:
                return NotLocal(
                    quantity="the means of output and trace over the plus and the minus pass",
                    variant=f"{type(self).__name__}(mirrored=False)",
                )
            return DELTA
        return self.own_synapse(name, passes)

    def own_synapse(self, name: str, passes: tuple[str, ...]) -> Synapse | NotLocal:
        """`synapse` of weights that learn by the rule itself; a rule without it can't go on a chip."""
        return UNDECLARED

    @property
    def neuron(self) -> Neuron | None:
        """Work of one hidden cell for the synapses to see; None for a rule whose cells do none."""
        return None

    def feedback_start(self, n_out: int, hidden: int) -> Array | None:
        """Feedback (n_out, N) of the synapses ``"B"`` from outputs to cells; None for a rule without."""
        return None


class NoiseRule(Rule):
    """Base of the rules that need noise.

    Attributes
    ----------
    perturbs : str
        Place of the noise: ``"nodes"`` (activity) or ``"weights"``.
    linear_in_modulator : bool
        False for a rule that forms a scalar itself.

    Parameters
    ----------
    sigma : float
        Standard deviation of the noise, 0 or more, in the unit of the activity or weight; 0 learns nothing.
    mirrored : bool
        Compare a pass with +noise and one with -noise, instead of +noise and none. Second-order effects of
        the noise cancel, so a larger sigma can be used. No difference with a modulator that needs one noisy
        pass only.
    distribution : str
        ``"gaussian"``, or ``"sign"``: plus or minus sigma, cheaper to draw and of less variance.

    See `Rule` for `readout`.

    Raises
    ------
    InvalidValue
        For a sigma that isn't a finite number of 0 or more, and an unknown `readout` or `distribution`.
    """

    perturbs: ClassVar[Literal["nodes", "weights"]] = "nodes"
    linear_in_modulator: ClassVar[bool] = True

    sigma: float = option(0.01, "standard deviation of the noise", least=0)
    mirrored: bool = option(True, "compare +noise with -noise instead of with no noise")
    distribution: Literal["gaussian", "sign"] = option("gaussian", "distribution of the noise")

    @property
    def passes(self) -> tuple[str, ...]:
        """Passes that the rule compares."""
        return ("plus", "minus") if self.mirrored else ("clean", "plus")

    @property
    def perturbation(self) -> Perturbation:
        return Perturbation(
            target=self.perturbs,
            sigma=self.sigma,
            distribution=self.distribution,
            hold_steps=self.hold_steps,
            readout=self.readout == "perturb",
            readout_sigma=self.output_sigma,
            recorded=self.recorded,
        )

    @property
    def hold_steps(self) -> int | None:
        """Steps for which one draw of the noise lasts, None for the whole trial."""
        return 1

    @property
    def output_sigma(self) -> float:
        """Standard deviation of the noise on the readout."""
        return self.sigma


class NodeRule(NoiseRule):
    r"""Base of the rules of three factors.

    .. math:: \Delta W_{ij} \propto \sum_{t,l} M_{t,l} \; \mathrm{post}_{t,l,i} \; \mathrm{pre}_{t,l,j}

    A subclass gives the first two as `post`; the trace `pre` and the sum are the same for all.

    Examples
    --------
    A new rule, here with the sign of the noise for hardware that can't multiply by it::

        class SignPerturbation(NodeRule):
            name: ClassVar[str] = "sign-perturbation"

            def post(self, layer, record, modulator):
                return times(modulator / layer.sigma, np.sign(layer.noise))
    """

    supports_sparse = True

    @property
    def by_steps(self) -> bool:
        return True

    @abc.abstractmethod
    def post(self, layer: Layer, record: Record, modulator: Array) -> Array:
        """Modulator times postsynaptic factor (T, L, n) of one layer.

        Long trials come in parts, so a step must not depend on others. Not called for a sigma of 0.
        """

    def __call__(self, record: Record, modulator: Array, state: Arrays) -> Arrays:
        """Sum over steps and lanes of post times trace, by weight name; see `Rule.__call__`."""
        error = delta(record) if self.readout == "delta" else None

        def products(part: Stretch) -> Arrays:
            errors = None if error is None else error[part.steps]
            return self.share(part.record, modulator[part.steps], errors)

        return over(record, products, stretches(record, self.hold_steps or 1))

    def share(self, record: Record, modulator: Array, error: Array | None) -> Arrays:
        layer = Layer(record.noise, record.activity, self.sigma)
        post = self._post(layer, record, modulator, record.trace[1:])
        return self.hidden_update(record, post) | self._readout(record, modulator, error)

    def _readout(self, record: Record, modulator: Array, error: Array | None = None) -> Arrays:
        if self.readout != "perturb":
            return self.readout_update(record, error)
        layer = Layer(record.noise_out, record.outputs, self.output_sigma)
        return to_readout(record, self._post(layer, record, modulator, record.targets))

    def _post(self, layer: Layer, record: Record, modulator: Array, like: Array) -> Array:
        if layer.sigma == 0:
            return namespace(like).zeros_like(like)
        post = self.post(layer, record, modulator)
        if np.shape(post) != like.shape:
            where = f"{type(self).__name__}.post"
            raise InvalidValue(where, f"shape {like.shape} (T, L, n)", f"shape {np.shape(post)}")
        return post
