"""`kept_network`: the network of the training before, where the next differs in seed and weights alone."""

from __future__ import annotations

import threading
from typing import Any

from neuroanp.config.display import same
from neuroanp.network.model import Model
from neuroanp.network.network import Network

_kept = threading.local()


def kept_network(model: Model, *arguments: Any, seed: int, **settings: Any) -> Network:
    """Network as `Network` makes it, or the last one of this thread, back at its start, where it is the same.

    A wiring is drawn from the seed, and a plant has a state of its own: such networks are always made anew.
    A network that is given again belongs to the training before no longer.
    """
    asked = (model, *arguments, *(settings[name] for name in sorted(settings)))
    if model.outgoing is None and settings["plant"] is None:
        if not same(asked, getattr(_kept, "asked", None)):
            _kept.network = Network(model, *arguments, seed=seed, **settings)
            _kept.asked, _kept.start = asked, _kept.network.get_state()
        _kept.network.set_state(_kept.start)
        _kept.network.seed = seed
        network: Network = _kept.network
        return network
    return Network(model, *arguments, seed=seed, **settings)
