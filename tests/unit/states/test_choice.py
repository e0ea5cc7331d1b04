# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which state a rollback without a number goes to, and how its option is written."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import EngineError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.record import Record, ReleaseState
from ansible_collections.slipway.cluster.plugins.module_utils.addons.revisions import Entry
from ansible_collections.slipway.cluster.plugins.module_utils.addons.states import State, choose
from ansible_collections.slipway.cluster.plugins.plugin_utils.options import settings


def release(number: int, text: str, status: str = "superseded") -> State:
    return State(number, status, kept={"manifest": text, "config": {}, "chart": {"metadata": {"version": "1"}}})


def record(revision: int, state: ReleaseState = ReleaseState.APPLIED, source: str = "chart") -> Record:
    return Record("app", "app", "app", source, state, revision=revision, history=revision)


@pytest.mark.parametrize(
    ("states", "revision", "number", "wanted"),
    [
        ([release(1, "a"), release(2, "b", "deployed")], 2, 0, 1),
        # Repaired or rolled back to the same once more: that is no other state.
        ([release(1, "a"), release(2, "b"), release(3, "b", "deployed")], 3, 0, 1),
        ([release(1, "a"), release(2, "b"), release(3, "a", "deployed")], 3, 0, 2),
        # What never came to be, and what cannot be read.
        ([release(1, "a"), release(2, "x", "failed"), release(3, "b", "deployed")], 3, 0, 1),
        ([release(1, "a"), State(2, "superseded"), release(3, "b", "deployed")], 3, 0, 1),
        # Moved on by Helm: what is live is Helm's.
        ([release(1, "a"), release(2, "b"), release(3, "c", "deployed")], 2, 0, 2),
        ([release(1, "a", "deployed")], 1, 0, None),
        ([release(2, "x", "failed"), release(3, "b", "deployed")], 3, 2, 2),
        ([release(3, "b", "deployed")], 3, 1, None),
    ],
)
def test_the_state_before_is_the_last_other_one(
    states: list[State], revision: int, number: int, wanted: int | None
) -> None:
    found = choose(record(revision), states, number)
    assert (found.number if found else None) == wanted


def test_after_an_unfinished_run_it_is_the_last_that_was_reached() -> None:
    states = [release(1, "a"), release(2, "b", "deployed")]
    found = choose(record(2, ReleaseState.PENDING), states, 0)
    assert found is not None
    assert found.number == 2


def test_own_states_are_told_apart_by_what_they_hold() -> None:
    def state(number: int, content: str, status: str = "superseded") -> State:
        return State(number, status, kept=Entry(number, "", "install", "who", "when", content))

    states = [state(1, "a"), state(2, "b"), state(3, "b", "deployed")]
    found = choose(record(3, source="objects"), states, 0)
    assert found is not None
    assert found.number == 1


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("portal", {"portal": 0}),
        ("portal=3", {"portal": 3}),
        ("portal, loki=12", {"portal": 0, "loki": 12}),
        (["portal", "loki=2"], {"portal": 0, "loki": 2}),
        ({"portal": 3, "loki": None}, {"portal": 3, "loki": 0}),
        ('{"portal": "3"}', {"portal": 3}),
    ],
)
def test_the_option(given: Any, wanted: dict[str, int]) -> None:
    found = settings({"rollback": given}, "rollback", only=(), skip=())
    assert found.rollback == wanted
    # Of no use to other operations, and no danger to them.
    assert not settings({"rollback": given}, "install", only=(), skip=()).rollback


@pytest.mark.parametrize(
    "given", ["", [], None, "portal=", "portal=0", "portal=x", "=3", "portal=-1", {"portal": "two"}]
)
def test_the_option_is_refused(given: Any) -> None:
    with pytest.raises(EngineError, match="SLW-6201 slipway_rollback"):
        settings({"rollback": given}, "rollback", only=(), skip=())


def test_disown_and_history() -> None:
    found = settings({"disown": "a,b", "history_max": "3"}, "remove", only=(), skip=())
    assert (found.disown, found.history_max) == (("a", "b"), 3)
    assert settings({"disown": "a"}, "install", only=(), skip=()).disown == ()
    with pytest.raises(EngineError, match="slipway_history_max"):
        settings({"history_max": 0}, "install", only=(), skip=())
