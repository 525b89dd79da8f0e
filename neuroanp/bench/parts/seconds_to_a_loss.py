"""Part "seconds-to-a-loss": time until decorrelated BPTT's final loss times 1, 2 and 10, in the same loop.

Each training is a process of its own, one after the other on all cores, on seeds that no setting was chosen
on. There are two clocks: one of the updates alone, and one from the start, with what it takes to make the
network and compile for JAX; our own builds are in the cache, as after the first run on a machine. Neither
counts tests.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from neuroanp.bench.races import DTYPE, PLAIN, RACES, REFERENCE, RESPONSE, Course, course
from neuroanp.bench.table import Row
from neuroanp.bench.timing import spread
from neuroanp.engine.threads import physical_cores
from neuroanp.training.recipe import Recipe
from neuroanp.training.seeds import fresh

FACTORS = (10, 2, 1)
SEEDS = fresh(3)
CLOCKS = {"updates alone": True, "from the start": False}
LIMITS = {
    ("mackey-glass", RESPONSE, 10): 1.0,
    ("copying, medium", RESPONSE, 10): 0.7,
}
"""Largest acceptable ratio to BPTT's seconds."""


def rows(quick: bool) -> Iterator[Row]:
    """The rows of each race; quickly one seed of the first."""
    for race in list(RACES)[:1] if quick else RACES:
        yield from one_race(race, SEEDS[:1] if quick else SEEDS)


def one_race(race: str, seeds: tuple[int, ...]) -> Iterator[Row]:
    """The rows of one race: each way to learn beside BPTT, by factor and clock."""
    _, entries, late = RACES[race]()
    different = {id(recipe): recipe for recipe in (*entries.values(), *late.values())}
    courses = {(key, seed): _alone(race, recipe, seed) for seed in seeds for key, recipe in different.items()}
    goals = [courses[id(entries[REFERENCE]), seed].losses[-1] for seed in seeds]
    for factor in FACTORS:
        recipes = entries if factor == FACTORS[0] else late
        for entry in [name for name in recipes if name != PLAIN]:
            for clock, alone in CLOCKS.items():
                ours, theirs = (
                    np.array([
                        courses[id(recipes[name]), seed].seconds_to(factor * goal, alone)
                        for seed, goal in zip(seeds, goals, strict=True)
                    ])
                    for name in (entry, PLAIN)
                )  # fmt: skip
                limit = LIMITS.get((race, entry, factor))
                yield _row(race, f"{entry}, {clock}", factor, goals, ours, theirs, limit)


def _row(
    race: str, what: str, factor: int, goals: list[float], ours: np.ndarray, theirs: np.ndarray,
    limit: float | None,
) -> Row:  # fmt: skip
    size = f"{race}, {DTYPE}, {physical_cores()} cores, to {factor} x {np.median(goals):.2g}"
    both = np.isfinite(ours) & np.isfinite(theirs)
    reached = (
        f"reached with {np.isfinite(ours).sum()} of {len(ours)} seeds, BPTT with {np.isfinite(theirs).sum()}"
    )
    return Row(
        part="seconds-to-a-loss", what=f"{what} / BPTT", size=size, unit="s",
        ours=float(np.median(ours)) if np.isfinite(ours).all() else None,
        other=float(np.median(theirs)) if np.isfinite(theirs).all() else None,
        ratio=spread(ours / theirs) if both.all() else None, limit=limit if both.all() else None,
        note="" if both.all() else reached,
    )  # fmt: skip


def _alone(race: str, recipe: Recipe, seed: int) -> Course:
    """Course of a training in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(course, race, recipe, seed).result()
