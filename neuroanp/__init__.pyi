from . import (
    engine,
    gradients,
    hardware,
    learner,
    models,
    optim,
    plotting,
    reward,
    rules,
    substrate,
    tasks,
    testing,
    verify,
)
from .config.option import option
from .config.part import Part
from .learner.learner import Learner
from .network.model import Model
from .network.network import Network
from .network.perturbation import Perturbation
from .network.plant import Plant, PythonPlant
from .network.record import Record
from .network.reward_monitor import RewardMonitor
from .network.trial import Trial
from .optim.decorrelation import Decorrelation
from .reward.modulator import Modulator
from .rules.rate_penalty import RatePenalty
from .sweeps.results import Sweep
from .sweeps.sweep import sweep
from .training.citing import cite
from .training.evaluation import Evaluation, evaluate
from .training.jax_options import Jax
from .training.loop import Trainer
from .training.recipe import Recipe
from .training.recording import Recording
from .training.run import Run, load
from .training.run_folder import Checkpoints, resume
from .training.task import PlantTask, Task
from .training.train import train

__all__ = [
    "Checkpoints",
    "Decorrelation",
    "Evaluation",
    "Jax",
    "Learner",
    "Model",
    "Modulator",
    "Network",
    "Part",
    "Perturbation",
    "Plant",
    "PlantTask",
    "PythonPlant",
    "RatePenalty",
    "Recipe",
    "Record",
    "Recording",
    "RewardMonitor",
    "Run",
    "Sweep",
    "Task",
    "Trainer",
    "Trial",
    "cite",
    "engine",
    "evaluate",
    "gradients",
    "hardware",
    "learner",
    "load",
    "models",
    "optim",
    "option",
    "plotting",
    "resume",
    "reward",
    "rules",
    "substrate",
    "sweep",
    "tasks",
    "testing",
    "train",
    "verify",
]
