"""Learning attached to an existing Brian2 network."""

from neuroanp.learner.learner import Learner as Learner
from neuroanp.learner.workers import Workers as Workers
