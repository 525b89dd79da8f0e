"""Networks and their learning rules as files for other simulators and for chips, a target a file."""

from neuroanp.hardware.export.nir import nir as nir
from neuroanp.hardware.export.rtl import rtl as rtl
from neuroanp.hardware.export.rtl import simulated as simulated
