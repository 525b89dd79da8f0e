"""Brian2 objects that work on whole arrays in each step; one a file, in C++ and in NumPy."""

from neuroanp.engine.operations._base import Operation
from neuroanp.engine.operations.added_noise import AddedNoise
from neuroanp.engine.operations.arrival_recorder import ArrivalRecorder, Arrivals
from neuroanp.engine.operations.block_mean import BlockMean
from neuroanp.engine.operations.delay_line import DelayLine
from neuroanp.engine.operations.dense_projection import DenseProjection
from neuroanp.engine.operations.interleave import Interleave
from neuroanp.engine.operations.node_noise import CounterNoise
from neuroanp.engine.operations.player import Player
from neuroanp.engine.operations.recorder import CourseRecorder, Recorder
from neuroanp.engine.operations.sparse_projection import SparseProjection
from neuroanp.engine.operations.spike_projection import SpikeProjection
from neuroanp.engine.operations.weight_noise import WanderingWeightNoise, WeightNoise

__all__ = [
    "AddedNoise",
    "ArrivalRecorder",
    "Arrivals",
    "BlockMean",
    "CounterNoise",
    "CourseRecorder",
    "DelayLine",
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
