"""What a user defines in a script trains like ours, without a registry, also in another process."""

import concurrent.futures
import json
import multiprocessing

import numpy as np
import pytest

import neuroanp as nap
from neuroanp.config.document import describe, restore
from neuroanp.errors import InvalidValue, UnknownName
from support.own_parts import SETTINGS, Descent, Echo, Halved, SignRule, Softsign, losses


def test_parts_that_are_registered_nowhere_train(tmp_path):
    class Local(Echo):
        """Defined in this function."""

        name = "local"

    class LocalRule(SignRule):
        """Defined in this function, too."""

        name = "local-sign"

        hold: int = nap.option(1, "steps for which a draw is held", least=1)

    run = nap.train(
        Softsign(hidden=20), Local(back=1), rule=LocalRule(sigma=0.05), optimizer=Descent(),
        modulator=nap.Modulator(baseline=Halved()), **SETTINGS,
    )  # fmt: skip
    assert run.result["test_loss"] < 0.3 * run.result["trivial"]["zero"]
    assert run.result["score"] == pytest.approx(1 - run.result["test_loss"], abs=0.1)
    assert "local: part of the target's variance explained" in str(run)
    assert nap.Run.load(run.save(tmp_path / "run")).config == run.config


def test_a_task_without_a_recipe_gets_the_general_one():
    recipe = nap.Recipe.of(Echo())
    assert recipe == nap.Recipe() and recipe.model.name == "tanh"
    with pytest.raises(UnknownName, match="preset: expected one of best, published, got 'bst'; did you mean"):
        nap.Recipe.of(Echo(), "bst")


def test_a_worker_process_trains_them_too():
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as pool:
        assert pool.submit(losses).result() == losses()


def test_they_are_stored_and_read_back_where_their_module_is_imported():
    recipe = nap.Recipe(model=Softsign(), rule=SignRule(), optimizer=Descent(length=0.1))
    stored = json.loads(json.dumps(describe(task=Echo(back=3), recipe=recipe)))
    assert restore(stored) == {"task": Echo(back=3), "recipe": recipe}


def test_what_is_no_part_is_refused_before_anything_is_built():
    with pytest.raises(InvalidValue, match=r"^train\.task: expected a task, such as CopyingMemory\(\), got"):
        nap.train(Softsign(), Echo)
    with pytest.raises(InvalidValue, match=r"^Recipe\.rule: expected an instance of Rule, got sign$"):
        nap.train(Softsign(), Echo(), rule="sign")
    with pytest.raises(UnknownName, match=r"option of Recipe: .*, got 'optimiser'; did you mean 'optimizer'"):
        nap.train(Softsign(), Echo(), optimiser=Descent())


def test_the_loop_is_an_iterator_that_can_be_left_and_taken_up():
    recipe = nap.Recipe(model=Softsign(hidden=8), rule=SignRule(), decorrelation=None, lanes=4, updates=12)
    whole, parted = (nap.Trainer(Echo(), recipe, seed=5, tests=3) for _ in range(2))
    steps = list(whole)
    assert [step.update for step in steps] == list(range(1, 13))
    assert [step.update for step in steps if step.evaluation] == [4, 8, 12]
    for step in parted:
        if step.update == 7:
            break
    assert len(parted.result().history["loss"]) == 7
    run = parted.run(progress=False)
    np.testing.assert_array_equal(run.history["loss"], [step.loss for step in steps])
    np.testing.assert_array_equal(run.history["test_update"], [4, 8, 12])


@pytest.mark.parametrize(("tests", "updates"), [(0, []), (1, [10]), (2, [5, 10])])
def test_evaluations_are_as_many_as_asked_for(tests, updates):
    recipe = nap.Recipe(model=Softsign(hidden=5), rule=SignRule(), decorrelation=None, lanes=2, updates=10)
    run = nap.Trainer(Echo(), recipe, tests=tests).run(progress=False)
    assert run.history["test_update"].tolist() == updates
    assert np.isfinite(run.result["test_loss"])
