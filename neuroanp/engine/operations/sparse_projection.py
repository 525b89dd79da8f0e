"""Sparse projection: only the synapses that exist, and spikes that take their time to reach them."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroanp.engine.operations._spike_driven import SpikeDriven
from neuroanp.errors import InvalidValue
from neuroanp.types import Arrays


class SparseProjection(SpikeDriven):
    """For every spike of cell j that arrives: ``target[targets[j, k]] += weights[j * K + k]`` for all k < K.

    Pass and lane stay the same. A spike arrives in the step in which it was fired, or as many steps later as
    the axonal delay of its cell says. Cost follows the spikes times K, memory the synapses.

    Parameters
    ----------
    targets : (n_in, K) array of int
        Postsynaptic cells, none twice in a row.
    delays : (n_in,) array of int
        In steps, 0 or more.

    The others are those of `SpikeDriven`.
    """

    native = """
    const int64_t slots = @sizes[0], outgoing = @sizes[1], now = @now[0];
    @counts[(now + slots - 1) % slots] = 0;
    neuroanp::send(@spikes, @spikes[@@cells], @delays, @@n_in, @@cells, @waiting, @counts, now, slots);
    neuroanp::@@add(@weights, @targets, outgoing, @waiting + now * @@cells, @counts[now], @@to, @@n_in,
                    @@n_out);
    @now[0] = (now + 1) % slots;
    """

    def __init__(
        self, source: Any, target: Any, write: str, *, targets: np.ndarray, delays: np.ndarray, **options: Any
    ) -> None:
        super().__init__(source, target, write, **options)
        for variable, size in (("sizes", 2), ("now", 1)):
            self.variables.add_array(variable, size=size, dtype=np.int64)
        self._buffer("weights", target.variables[write].dtype)
        for variable in ("targets", "delays", "waiting", "counts"):
            self._buffer(variable, np.int32)
        add, to = "add_existing", "@target"
        if self.signed:
            add, to = "add_existing_by_sign", "@target, @inhibited"
        self.native = self.native.replace("@@add", add).replace("@@to", to)
        self._ready(n_in=self.n_in, n_out=self.n_out, cells=len(source))
        self.connect(targets, delays)

    def connect(self, targets: np.ndarray, delays: np.ndarray) -> None:
        """Let these be the synapses, with weights to be set and no spike under way; see the parameters."""
        # the slot of the step before stays, for `arriving`
        slots = int(delays.max()) + 2
        self.array("sizes")[:] = slots, targets.shape[1]
        for name, values in (("targets", targets), ("delays", delays)):
            self.allocate(name, values.shape)[...] = values
        self.allocate("weights", (targets.size,))
        self.allocate("waiting", (slots, self.rows * self.n_in))
        self.allocate("counts", (slots,))
        self.rest()

    @property
    def weights(self) -> Any:
        """(n_in * K,) view of the weights, a presynaptic cell's side by side."""
        return self.allocate("weights", (self.n_in * int(self.array("sizes")[1]),))

    def _slots(self) -> tuple[int, np.ndarray, np.ndarray]:
        """Number of the present slot, spikes (slots, cells), and the count of them in each slot (slots,)."""
        slots = int(self.array("sizes")[0])
        waiting = self.allocate("waiting", (slots, self.rows * self.n_in))
        return int(self.array("now")[0]), waiting, self.allocate("counts", (slots,))

    def step(self) -> None:
        """The addition in NumPy."""
        now, waiting, counts = self._slots()
        spikes, outgoing = self._spikes(), int(self.array("sizes")[1])
        counts[now - 1] = 0
        slots = (now + self.array("delays")[spikes % self.n_in]) % len(counts)
        for slot in np.unique(slots):
            later = spikes[slots == slot]
            waiting[slot, counts[slot] : counts[slot] + len(later)] = later
            counts[slot] += len(later)
        row, cell = np.divmod(waiting[now, : counts[now]], self.n_in)
        where = row[:, None], self.allocate("targets", (self.n_in, outgoing))[cell]
        self._add(where, self.weights.reshape(self.n_in, outgoing)[cell])
        self.array("now")[0] = (now + 1) % len(counts)

    def rest(self) -> None:
        """Forget the spikes under way."""
        self.array("now")[0] = 0
        self._slots()[2][:] = 0

    def copy(self) -> Arrays:
        """The spikes under way, for `put`: the present slot, the count of each, and the spikes of all."""
        now, waiting, counts = self._slots()
        spikes = [slot[:count] for slot, count in zip(waiting, counts, strict=True)]
        return {"now": np.array(now), "counts": counts.copy(), "spikes": np.concatenate(spikes)}

    def put(self, queue: Arrays) -> None:
        """Go back to what `copy` gave; `InvalidValue` for what no queue of this size gave."""
        _, waiting, counts = self._slots()
        held, spikes = queue["counts"], queue["spikes"]
        cells, slots = self.rows * self.n_in, len(counts)
        sound = 0 <= queue["now"] < slots and ((held >= 0) & (held <= waiting.shape[1])).all()
        if not sound or held.sum() != len(spikes) or not ((spikes >= 0) & (spikes < cells)).all():
            expected = f"spikes of {cells} cells in {slots} slots"
            raise InvalidValue(
                f"{type(self).__name__}.put", expected, f"{len(spikes)} of other cells or slots"
            )
        self.array("now")[0] = queue["now"]
        counts[:] = queue["counts"]
        for slot, spikes in enumerate(np.split(queue["spikes"], np.cumsum(queue["counts"])[:-1])):
            waiting[slot, : len(spikes)] = spikes

    def arriving(self) -> np.ndarray:
        """Spikes that arrived in the last step or will later, (longest delay + 1, rows, n_in) of bool."""
        now, waiting, counts = self._slots()
        spikes = np.zeros((len(counts) - 1, self.rows * self.n_in), bool)
        for ahead, arrive in enumerate(spikes):
            slot = (now - 1 + ahead) % len(counts)
            arrive[waiting[slot, : counts[slot]]] = True
        return spikes.reshape(-1, self.rows, self.n_in)

    def take(self, origin: np.ndarray) -> None:
        """Let each row's spikes to come be those of another row.

        Parameters
        ----------
        origin : (rows,) array of int
            The row that each row takes them from.
        """
        now, waiting, counts = self._slots()
        for ahead, arrive in enumerate(self.arriving()[1:, origin]):
            spikes, slot = np.flatnonzero(arrive), (now + ahead) % len(counts)
            waiting[slot, : len(spikes)] = spikes
            counts[slot] = len(spikes)
