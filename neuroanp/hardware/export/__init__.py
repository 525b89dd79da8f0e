"""Networks and their learning rules as files for other simulators and for chips, a target a file."""

from neuroanp.hardware.export.nir import nir as nir
