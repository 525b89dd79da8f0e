"""On-chip mode: every synapse holds its own eligibility and changes itself.

`OnChip` does so in Brian2, `IntegerChip` in whole numbers. `locality` says what it takes,
and `cost` what a trained network would; `export` writes networks for other simulators and for chips.
`BoardTrainer` trains a `Device`: a board, or any black box.
"""

from neuroanp.hardware import export as export
from neuroanp.hardware.board_trainer import BoardTrainer as BoardTrainer
from neuroanp.hardware.cost import Cost as Cost
from neuroanp.hardware.cost import cost as cost
from neuroanp.hardware.device import Device as Device
from neuroanp.hardware.device import Perturbed as Perturbed
from neuroanp.hardware.device import PerturbingDevice as PerturbingDevice
from neuroanp.hardware.integer_chip import IntegerChip as IntegerChip
from neuroanp.hardware.integer_report import IntegerReport as IntegerReport
from neuroanp.hardware.locality import Locality as Locality
from neuroanp.hardware.locality import locality as locality
from neuroanp.hardware.nir_import import Imported as Imported
from neuroanp.hardware.nir_import import import_nir as import_nir
from neuroanp.hardware.onchip import OnChip as OnChip
