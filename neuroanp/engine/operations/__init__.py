"""Brian2 objects that work on whole arrays in each step; one a file, in C++ and in NumPy."""

from neuroanp.engine.operations._base import Operation
from neuroanp.engine.operations.block_mean import BlockMean
from neuroanp.engine.operations.course import CourseRecorder
from neuroanp.engine.operations.dense import DenseProjection
from neuroanp.engine.operations.interleave import Interleave
from neuroanp.engine.operations.noise import CounterNoise
from neuroanp.engine.operations.play import Player
from neuroanp.engine.operations.record import Recorder
from neuroanp.engine.operations.sparse import SparseProjection
from neuroanp.engine.operations.spikes import SpikeProjection
from neuroanp.engine.operations.wandering import WanderingWeightNoise
from neuroanp.engine.operations.weight_noise import WeightNoise

__all__ = [
    "BlockMean",
    "CounterNoise",
    "CourseRecorder",
    "DenseProjection",
    "Interleave",
    "Operation",
    "Player",
    "Recorder",
    "SparseProjection",
    "SpikeProjection",
    "WanderingWeightNoise",
    "WeightNoise",
]
