"""Task zoo: one task a file."""

from neuroanp.tasks.cart_pole import CartPole, CartPolePlant
from neuroanp.tasks.copying_memory import CopyingMemory
from neuroanp.tasks.cue_accumulation import CueAccumulation
from neuroanp.tasks.delayed_xor import DelayedXOR
from neuroanp.tasks.digits import Digits
from neuroanp.tasks.gymnasium_task import Gymnasium, GymnasiumPlant
from neuroanp.tasks.mackey_glass import MackeyGlass
from neuroanp.tasks.pattern_generation import PatternGeneration
from neuroanp.tasks.series import Series
from neuroanp.tasks.spiking_digits import SpikingDigits
from neuroanp.tasks.store_recall import StoreRecall
from neuroanp.tasks.trial_arrays import TrialArrays
from neuroanp.tasks.weather import Weather

__all__ = [
    "CartPole",
    "CartPolePlant",
    "CopyingMemory",
    "CueAccumulation",
    "DelayedXOR",
    "Digits",
    "Gymnasium",
    "GymnasiumPlant",
    "MackeyGlass",
    "PatternGeneration",
    "Series",
    "SpikingDigits",
    "StoreRecall",
    "TrialArrays",
    "Weather",
]
