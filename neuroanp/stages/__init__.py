"""Stages: optimizers, clipping and weight bounds, one a file, to be put together with `Chain`."""

from neuroanp.stages._base import Chain as Chain
from neuroanp.stages._base import Stage as Stage
from neuroanp.stages.adam import Adam as Adam
from neuroanp.stages.bounds import WeightBounds as WeightBounds
from neuroanp.stages.clip import Clip as Clip
from neuroanp.stages.sgd import SGD as SGD
from neuroanp.stages.signs import KeepSigns as KeepSigns
