"""Cart-pole in closed loop: keep a pole upright by pushing its cart left or right."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import kilogram, meter, ms, second

from neuroanp.config.option import option
from neuroanp.models import BalancedLIF, LeakyTanhRNN
from neuroanp.network.plant import Plant
from neuroanp.optim import Adam
from neuroanp.reward import InputCritic, Modulator
from neuroanp.rules import NodePerturbation
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import PlantTask
from neuroanp.types import Array

GRAVITY, CART, POLE, HALF_LENGTH, FORCE = 9.8, 1.0, 0.1, 0.5, 10.0
EDGE, TILT, TICK = 2.4, 12 * 2 * np.pi / 360, 0.02
RANDOM_EPISODES = 2000


class CartPolePlant(Plant):
    r"""Cart on a track, 1 kg, and on it a pole of 1 m and 0.1 kg, pushed with 10 N at every moment.

    .. math::
        \ddot\theta &= \frac{g \sin\theta - \cos\theta \, f}{l (4/3 - m \cos^2\theta / M)}, \qquad
        f = \frac{F + m l \dot\theta^2 \sin\theta}{M} \\
        \ddot x &= f - m l \, \ddot\theta \cos\theta / M

    with the mass :math:`M` of both and half the pole's length :math:`l`, in Euler steps of 20 ms. The sign of
    the readout is that of the push :math:`F`. An episode ends when the cart is more than 2.4 m from the
    middle or the pole more than 12 degrees from upright; it starts with four numbers from -0.05 to 0.05. The
    network sees place and angle over their limits, velocities over 2 m/s and 2 rad/s.

    Parameters
    ----------
    velocities : bool
        True if the network sees the velocities too, beside place and angle.

    References
    ----------
    Barto, Sutton, Anderson, IEEE Trans. SMC 13, 834 (1983); equations and limits of Gymnasium's CartPole-v1.
    """

    equations = """
        x : meter
        v : meter/second
        theta : 1
        omega : 1/second
        push : 1
        seen_x : 1
        seen_v : 1
        seen_theta : 1
        seen_omega : 1
        edge : meter (shared)
        tilt : 1 (shared)
        gravity : meter/second**2 (shared)
        pole : kilogram (shared)
        mass : kilogram (shared)
        half_length : meter (shared)
        strength : kilogram*meter/second**2 (shared)
    """
    observe = """
        seen_x = x / edge
        seen_v = v / (2*meter/second)
        seen_theta = theta / tilt
        seen_omega = omega * 0.5*second
    """
    update = """
        force = strength * (2 * int(push > 0) - 1)
        common = (force + pole * half_length * omega**2 * sin(theta)) / mass
        turn = gravity * sin(theta) - common * cos(theta)
        omega_dot = turn / (half_length * (4.0/3.0 - pole * cos(theta)**2 / mass))
        v_dot = common - pole * half_length * omega_dot * cos(theta) / mass
        x += alive * tick * v
        v += alive * tick * v_dot
        theta += alive * tick * omega
        omega += alive * tick * omega_dot
    """
    actions = ("push",)
    loss = "1 - alive"
    over = "abs(x) > edge or abs(theta) > tilt"
    dt = TICK * second

    velocities: bool = option(True, "let the network see the velocities too")

    @property
    def observations(self) -> tuple[str, ...]:
        if self.velocities:
            return ("seen_x", "seen_v", "seen_theta", "seen_omega")
        return ("seen_x", "seen_theta")

    def parameters(self) -> dict[str, Any]:
        return {
            "edge": EDGE * meter, "tilt": TILT, "gravity": GRAVITY * meter / second**2,
            "pole": POLE * kilogram, "mass": (CART + POLE) * kilogram, "half_length": HALF_LENGTH * meter,
            "strength": FORCE * kilogram * meter / second**2,
        }  # fmt: skip

    def draw_start(self, rng: np.random.Generator, lanes: int) -> dict[str, Array]:
        values = rng.uniform(-0.05, 0.05, (4, lanes))
        return dict(zip(("x", "v", "theta", "omega"), values, strict=True))


BARTO = """@article{barto1983neuronlike,
  author = {Barto, Andrew G. and Sutton, Richard S. and Anderson, Charles W.},
  title = {Neuronlike adaptive elements that can solve difficult learning control problems},
  journal = {IEEE Transactions on Systems, Man, and Cybernetics},
  volume = {SMC-13},
  number = {5},
  pages = {834--846},
  year = {1983},
  doi = {10.1109/TSMC.1983.6313077}
}"""


class CartPole(PlantTask):
    """Balance of a pole on a cart that is pushed left or right; only survival is rewarded.

    The loss is 1 at the step in which the pole falls or the cart leaves the track, 0 at all others, so
    that the loss of a run is the number of falls per step. Network and plant
    advance together in one run, the network four steps of 5 ms for each of the plant's. A score is the mean
    number of the plant's steps, at most `longest`, over `episodes` unseen episodes.

    With ``velocities=False`` the network has to find the velocities itself: preset "rates" does.
    """

    name = "cart-pole"
    sources = (BARTO,)
    presets = ("best", "published", "rates")
    dt = 5 * ms

    longest: int = option(500, "steps of the plant, of 20 ms, after which an episode is over", least=1)
    velocities: bool = option(True, "let the network see the velocities too")

    @property
    def plant(self) -> CartPolePlant:
        return CartPolePlant(longest=self.longest, velocities=self.velocities)

    def _random(self) -> Array:
        """Lengths in steps of episodes with random pushes, the last step included."""
        rng = np.random.default_rng(0)
        state = np.array(list(self.plant.draw_start(rng, RANDOM_EPISODES).values()))
        steps, going = np.zeros(RANDOM_EPISODES), np.ones(RANDOM_EPISODES, bool)
        for _ in range(self.longest):
            steps += going
            state = pushed(state, rng.integers(2, size=RANDOM_EPISODES))
            going &= (np.abs(state[0]) <= EDGE) & (np.abs(state[2]) <= TILT)
        return steps

    def trivial(self) -> dict[str, float]:
        """Falls per step of pushing at random."""
        steps, ratio = self._random(), self.plant.steps_each(self.dt)
        fell = steps < self.longest
        counted = np.where(fell, (steps - 1) * ratio + 1, steps * ratio)
        return {"random": float(fell.sum() / counted.sum())}

    def trivial_scores(self) -> dict[str, float]:
        return {"random": float(self._random().mean())}

    def recipe(self, preset: str) -> Recipe:
        """Spiking cells, one noisy pass; the discount is 0.985 per step of the plant.

        "rates": leaky rate units of many time constants, which find hidden velocities too.
        """
        general = super().recipe(preset)
        if preset == "published":
            return general
        best = general.replace(
            model=BalancedLIF(),
            rule=NodePerturbation(sigma=1.0, hold=4, readout_sigma=0.1, mirrored=False),
            modulator=Modulator(discount=0.985**0.25, baseline=InputCritic()),
            optimizer=Adam(lr=1e-3, input_lr=2e-2, readout_lr=1e-2),
            decorrelation=None,
            lanes=32,
            updates=100,
        )
        if preset != "rates":
            return best
        return best.replace(
            model=LeakyTanhRNN(hidden=50),
            rule=NodePerturbation(sigma=0.3, readout_sigma=0.5, mirrored=False),
            optimizer=Adam(lr=1e-3, input_lr=1e-2, readout_lr=1e-2),
            lanes=64,
            updates=300,
        )


def pushed(state: Array, right: Array) -> Array:
    """Place, velocity, angle and angular velocity (4, n) one step later, in NumPy.

    Parameters
    ----------
    state : (4, n) array
        In m, m/s, rad, rad/s.
    right : (n,) array
        True for a push to the right.
    """
    x, v, theta, omega = state
    mass, moment = CART + POLE, POLE * HALF_LENGTH
    common = (np.where(right, FORCE, -FORCE) + moment * omega**2 * np.sin(theta)) / mass
    turn = GRAVITY * np.sin(theta) - common * np.cos(theta)
    omega_dot = turn / (HALF_LENGTH * (4 / 3 - POLE * np.cos(theta) ** 2 / mass))
    v_dot = common - moment * omega_dot * np.cos(theta) / mass
    return np.array([x + TICK * v, v + TICK * v_dot, theta + TICK * omega, omega + TICK * omega_dot])
