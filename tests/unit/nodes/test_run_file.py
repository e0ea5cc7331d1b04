# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One run at a time works on nodes, and one that died wedges nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.run_file import RunFile


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path, clock: Clock) -> RunFile:
    return RunFile(str(tmp_path / "lib"), clock)


def claim(holder: str) -> dict[str, str]:
    return {"holder": holder, "operation": "install", "stage": ""}


def test_the_second_has_to_wait(file: RunFile, clock: Clock) -> None:
    assert file.look() is None
    assert file.take(claim("a"), 60) == {"taken": True, "found": None}
    refused = file.take(claim("b"), 60)
    assert not refused["taken"]
    assert (refused["found"]["holder"], refused["found"]["remaining"]) == ("a", 60)
    clock.now += 61
    taken = file.take(claim("b"), 60)
    assert taken["taken"]
    assert taken["found"]["holder"] == "a"


def test_the_dead_need_not_be_waited_for(file: RunFile) -> None:
    file.take(claim("a"), 60)
    assert not file.take(claim("b"), 60, dead="c")["taken"]
    assert file.take(claim("b"), 60, dead="a")["taken"]


def test_what_failed_need_not_be_waited_for_and_is_not_forgotten(file: RunFile, clock: Clock) -> None:
    file.take({**claim("a"), "tokens": ["aaaaaa"]}, 60)
    file.renew("a", 60, stage="cluster")
    assert not file.abandon("b")
    assert file.abandon("a")
    answer = file.take(claim("b"), 60)
    assert answer["taken"]
    assert answer["found"]["remaining"] == 0
    assert (answer["found"]["stage"], answer["found"]["tokens"]) == ("cluster", ["aaaaaa"])


def test_a_stage_claims_more_time_and_is_remembered(file: RunFile, clock: Clock) -> None:
    file.take(claim("a"), 60)
    clock.now += 50
    assert file.renew("a", 60, stage="cluster")
    clock.now += 50
    found = file.take(claim("b"), 60)["found"]
    assert (found["stage"], found["remaining"]) == ("cluster", 10)


def test_renewed_without_a_stage_it_keeps_the_one_before(file: RunFile, clock: Clock) -> None:
    file.take(claim("a"), 60)
    file.renew("a", 60, stage="cluster")
    clock.now += 50
    assert file.renew("a", 60)
    found = file.look() or {}
    assert (found["stage"], found["cleared"], found["remaining"]) == ("cluster", False, 60)


def test_that_nothing_is_left_outside_is_known_to_those_that_go_on(file: RunFile) -> None:
    removal = {"operation": "remove_cluster", "stage": ""}
    file.take({**removal, "holder": "a"}, 60)
    assert not (file.look() or {})["cleared"]
    file.renew("a", 60, cleared=True)
    file.take({**removal, "holder": "b"}, 60, dead="a")
    assert (file.look() or {})["cleared"]
    file.renew("b", 60)
    assert (file.take({**removal, "holder": "c"}, 60, dead="b")["found"])["cleared"]
    # Another operation may make new things outside.
    file.take(claim("d"), 60, dead="c")
    file.take({**removal, "holder": "e"}, 60, dead="d")
    assert not (file.look() or {})["cleared"]


def test_who_has_lost_the_lock_cannot_use_it(file: RunFile, clock: Clock) -> None:
    file.take(claim("a"), 60)
    clock.now += 61
    file.take(claim("b"), 60)
    assert not file.renew("a", 60, stage="cluster")
    assert not file.release("a")
    assert file.release("b")
    assert file.look() is None
    assert not file.release("b")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"expires": "soon"}'])
def test_a_broken_file_holds_nobody_up(file: RunFile, tmp_path: Path, text: str) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "run.json").write_text(text, encoding="utf-8")
    assert file.look() is None
    assert file.take(claim("a"), 60)["taken"]


def test_tokens_of_the_dead_are_known_until_one_comes_to_its_end(file: RunFile) -> None:
    file.take({**claim("a"), "tokens": ["aaaaaa"]}, 60)
    file.take({**claim("b"), "tokens": ["bbbbbb"]}, 60, dead="a")
    file.renew("b", 60, stage="cluster")
    found = file.take({**claim("c"), "tokens": ["cccccc"]}, 60, dead="b")["found"]
    assert found["tokens"] == ["aaaaaa", "bbbbbb"]
    file.release("c")
    assert file.take(claim("d"), 60)["found"] is None
