from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from brian2 import ms

from neuroanp.config.document import describe, restore
from neuroanp.errors import DataError, InvalidValue, UnknownName
from neuroanp.optim import Adam, Chain, WeightBounds
from support.toys import DeepNet, Echo, Net, Nodes, Reward


class Twice(Echo):
    def __init__(self, half):
        super().__init__(length=2 * half)


def through_json(**settings):
    return restore(json.loads(json.dumps(describe(**settings), allow_nan=False)))


def test_settings_come_back_as_they_were():
    settings = {
        "task": Echo(length=7, gap=(1 / 3) * ms, kind="hard"),
        "model": DeepNet(layers=(1, 2, 3)),
        "rule": Nodes(sigma=0.1, mirrored=False, reward=Reward(discount=0.9)),
        "decorrelation": None,
        "stages": (Adam(lr=1e-3), WeightBounds(low=-1.0)),
        "lanes": np.int64(4),
        "seed": 3,
    }
    back = through_json(**settings)
    assert back == settings
    assert float(back["task"].gap) == float(settings["task"].gap)
    assert type(back["stages"]) is tuple


def test_a_class_made_from_other_things_than_its_fields_is_not_taken_apart():
    assert describe(task=Twice(4))["task"] == {"not stored": "Twice"}


def test_classes_are_named_by_where_users_import_them():
    assert describe(optimizer=Adam())["optimizer"]["class"] == "neuroanp.optim:Adam"


def test_what_cant_be_stored_is_said_and_refused_on_return():
    stored = describe(optimizer=Chain(Adam()))
    assert stored["optimizer"] == {"not stored": "Chain"}
    with pytest.raises(DataError, match="optimizer was a Chain"):
        restore(stored)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"class": "nowhere.at.all:Net"}, DataError, "neither offered by an installed package nor imported"),
        ({"class": "os:getcwd"}, DataError, "is not a configuration class"),
        ({"hiden": 3}, UnknownName, "did you mean 'hidden'"),
        ({"tau": "20 mV"}, InvalidValue, r"Net\.tau: expected a quantity in ms"),
    ],
)
def test_a_damaged_file_is_refused(changes, error, words):
    stored = describe(model=Net())
    stored["model"] |= changes
    with pytest.raises(error, match=words):
        restore(stored)


def test_a_value_that_the_class_refuses_is_refused():
    stored = describe(task=Echo())
    stored["task"]["length"] = 0
    with pytest.raises(InvalidValue, match=r"Echo\.length"):
        restore(stored)


def test_every_field_is_written():
    stored = describe(model=Net())["model"]
    assert set(stored) == {"class"} | {field.name for field in dataclasses.fields(Net)}
    assert stored["tau"] == "20 ms"
