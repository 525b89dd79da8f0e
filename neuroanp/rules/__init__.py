"""Learning rules, one a file; other packages add theirs through the entry point group ``neuroanp.rules``."""

from neuroanp.rules._base import Layer as Layer
from neuroanp.rules._base import NodeRule as NodeRule
from neuroanp.rules._base import NoiseRule as NoiseRule
from neuroanp.rules._base import Rule as Rule
from neuroanp.rules._factors import arrived as arrived
from neuroanp.rules._factors import delta as delta
from neuroanp.rules._factors import direct as direct
from neuroanp.rules._factors import error as error
from neuroanp.rules._factors import outer as outer
from neuroanp.rules._factors import pre as pre
from neuroanp.rules._factors import recurrent as recurrent
from neuroanp.rules._factors import recurrent_leaky as recurrent_leaky
from neuroanp.rules._factors import slope as slope
from neuroanp.rules._factors import times as times
from neuroanp.rules.activity import ActivityPerturbation as ActivityPerturbation
from neuroanp.rules.delayed_hebbian import DelayedHebbian as DelayedHebbian
from neuroanp.rules.e_prop import EProp as EProp
from neuroanp.rules.evolution_strategies import EvolutionStrategies as EvolutionStrategies
from neuroanp.rules.node import NodePerturbation as NodePerturbation
from neuroanp.rules.ornstein_uhlenbeck import OrnsteinUhlenbeck as OrnsteinUhlenbeck
from neuroanp.rules.random_feedback import RandomFeedback as RandomFeedback
from neuroanp.rules.readout_only import ReadoutOnly as ReadoutOnly
from neuroanp.rules.response import ResponsePerturbation as ResponsePerturbation
from neuroanp.rules.reward_stdp import RewardSTDP as RewardSTDP
from neuroanp.rules.spsa import SPSA as SPSA
from neuroanp.rules.weight import WeightPerturbation as WeightPerturbation
