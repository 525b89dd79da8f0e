"""Stages: optimizers, clipping and weight bounds, one a file, to be put together with `Chain`."""

from neuroanp.optim._base import Chain as Chain
from neuroanp.optim._base import Stage as Stage
from neuroanp.optim.adam import Adam as Adam
from neuroanp.optim.bounds import WeightBounds as WeightBounds
from neuroanp.optim.clip import Clip as Clip
from neuroanp.optim.sgd import SGD as SGD
from neuroanp.optim.shift_sgd import ShiftSGD as ShiftSGD
from neuroanp.optim.sign_sgd import SignSGD as SignSGD
from neuroanp.optim.signs import KeepSigns as KeepSigns
