"""On-chip mode: every synapse holds its own eligibility and changes itself.

`locality` says what that takes.
"""

from neuroanp.onchip.chip import OnChip as OnChip
from neuroanp.onchip.table import Locality as Locality
from neuroanp.onchip.table import locality as locality
