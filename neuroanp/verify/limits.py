"""Known reasons why a rule's mean is not the gradient."""

from __future__ import annotations

from neuroanp.network.model import Model
from neuroanp.reward.modulator import Modulator
from neuroanp.rules import Rule


def limits(rule: Rule, modulator: Modulator, model: Model) -> list[str]:
    """Reasons that keep the cosine's limit below 1, or the scale from 1, a sentence each.

    Parameters
    ----------
    rule, modulator, model
        As in `neuroanp.train`.
    """
    reasons = [rule.bias_note] if rule.bias_note else []
    noisy = rule.perturbation.target != "none"
    if noisy and modulator.discount < 1:
        reach = 1 / (1 - modulator.discount)
        reasons.append(
            f"Discount {modulator.discount:g}: what noise does to the loss more than about {reach:.3g} steps "
            "later is left out, as by a gradient that is truncated."
        )
    held = rule.perturbation.hold_steps or 1
    if noisy and rule.perturbation.target == "nodes" and held > 1:
        reasons.append(
            f"Noise is held for {held} steps: what a draw did is credited to all of its "
            "steps alike, so that the gradient is smeared over them."
        )
    if noisy and modulator.scope == "global":
        reasons.append(
            "One modulator for all lanes: the mean is the same, but the noise of every lane is judged by the "
            "losses of all, which multiplies the variance by the number of lanes."
        )
    if noisy and modulator.passes(rule.passes) == ("clean", "plus"):
        reasons.append(
            "One-sided noise: its bias grows with sigma; mirrored passes cancel the first part of it."
        )
    if model.threshold is not None:
        reasons.append(
            "A spike has no derivative. The gradient here is a surrogate's, with none through the reset: the "
            "gradient of no loss. Noise measures how the loss changes when currents do, spikes that come "
            "and go included, smoothed over the noise. The two agree in direction at best in part."
        )
    return reasons
