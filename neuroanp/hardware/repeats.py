"""`Repeats`: runs of a device, repeated where they fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from neuroanp.config import checks
from neuroanp.errors import DeviceFailed, InvalidValue, TrialFailed
from neuroanp.hardware.device import Device, Perturbed
from neuroanp.types import Arrays


class Repeats:
    """Runs of a device with weights of the host's, each repeated until it succeeds.

    Parameters
    ----------
    device : Device
    most : int
        Failures of one run in a row, after which it is given up.

    Attributes
    ----------
    failures : list of str
        A line each.
    """

    def __init__(self, device: Device, most: int) -> None:
        self.device, self.most = device, most
        self.failures: list[str] = []
        self._written: Arrays | None = None

    def __call__(self, what: str, weights: Arrays, run: Callable[[], Perturbed]) -> Perturbed:
        """Answer of a run with these weights on the device, which are written where others are there.

        Raises
        ------
        DeviceFailed
            After too many failures; says what failed, and the last reason.
        """
        for _ in range(self.most + 1):
            try:
                self._write(weights)
                answer = run()
                if _finite(answer):
                    return answer
                reason = "an answer that isn't finite"
            except (TrialFailed, OSError) as error:
                reason = f"{type(error).__name__}: {error}"
            self.failures.append(f"{what}: {reason}")
            self._recover(what)
        count = f"{self.most + 1} failures in a row"
        raise DeviceFailed(f"{what}: {count}, the last: {self.failures[-1]}")

    def _write(self, weights: Arrays) -> None:
        if self._written is not weights:
            self._written = None
            self.device.write_weights(weights)
            self._written = weights

    def _recover(self, what: str) -> None:
        """Device as after switching it on: what it held may be gone."""
        self._written = None
        restart: Callable[[], Any] | None = getattr(self.device, "restart", None)
        if restart is None:
            return
        try:
            restart()
        except (TrialFailed, OSError) as error:
            self.failures.append(f"{what}, restart: {type(error).__name__}: {error}")


def _finite(answer: Perturbed) -> bool:
    checks.instance("PerturbingDevice.perturb", answer, Perturbed)
    fields = ("outcome", "noise", "trace", "readout_noise")
    arrays = [(name, getattr(answer, name)) for name in fields]
    for name, value in arrays:
        if not (_numbers(value) or (value is None and name != "outcome")):
            raise InvalidValue(f"the device's {name}", "a number or an array of real numbers", value)
    return all(value is None or bool(np.isfinite(value).all()) for _, value in arrays)


def _numbers(value: Any) -> bool:
    try:
        return np.asarray(value).dtype.kind in "biuf"
    except ValueError:  # lists of different lengths
        return False
