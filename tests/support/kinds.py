"""Small networks, one of each kind that Brian2's documentation shows, by name.

Each returns its objects and what to compare. They are deterministic. A run is 40 ms: short enough that
rounding, which the compiled engine's fast arithmetic does in another order, is not amplified beyond 1e-12,
and long enough that every cell that can spike does.
"""

from brian2 import ms

from support import kinds_of_cells, kinds_that_refer

KINDS = kinds_of_cells.KINDS | kinds_that_refer.KINDS
DURATION = 40 * ms
