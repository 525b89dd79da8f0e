"""From losses to the scalar that is broadcast."""

from neuroanp.reward.baselines import Baseline as Baseline
from neuroanp.reward.baselines import OtherLanes as OtherLanes
from neuroanp.reward.baselines import OtherPass as OtherPass
from neuroanp.reward.baselines import RunningMean as RunningMean
from neuroanp.reward.critic import InputCritic as InputCritic
from neuroanp.reward.modulator import Modulator as Modulator
from neuroanp.reward.noise_critic import NoiseCritic as NoiseCritic
