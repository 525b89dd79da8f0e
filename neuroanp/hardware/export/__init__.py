"""Networks and their learning rules as files for other simulators and for chips, a target a file."""

from neuroanp.hardware.export.loihi import loihi as loihi
from neuroanp.hardware.export.loihi_file import loihi_file as loihi_file
from neuroanp.hardware.export.nir import nir as nir
from neuroanp.hardware.export.rtl import rtl as rtl
from neuroanp.hardware.export.rtl import simulated as simulated
