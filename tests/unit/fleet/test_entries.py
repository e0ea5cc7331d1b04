# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which inventories a fleet is: text, lists, patterns and maps, and everything that is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.fleet.entries import read


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("inventories/prod", "inventories/edge", "inventories/.hidden", "other/prod"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "hosts.yml").touch()
    (tmp_path / "inventories" / "lab.ini").touch()
    return tmp_path


def told(value: object, folder: Path) -> list[tuple[str, str]]:
    entries, problems = read(value, folder)
    assert not problems
    return [(entry.name, entry.inventory) for entry in entries]


@pytest.mark.parametrize(
    "value",
    [
        "inventories/prod,inventories/edge",
        " inventories/prod\n inventories/edge,\n",
        '["inventories/prod", "inventories/edge"]',
        ["inventories/prod", "inventories/edge"],
        ("inventories/prod", {"inventory": "inventories/edge"}),
    ],
)
def test_the_same_fleet_in_all_ways_to_write_it(value: object, folder: Path) -> None:
    assert told(value, folder) == [("prod", "inventories/prod"), ("edge", "inventories/edge")]


def test_a_pattern_is_all_that_fit_but_hidden_ones(folder: Path) -> None:
    assert told("inventories/*", folder) == [
        ("edge", "inventories/edge"),
        ("lab", "inventories/lab.ini"),
        ("prod", "inventories/prod"),
    ]
    assert told(str(folder / "inv*" / "e*"), folder) == [("edge", "inventories/edge")]


def test_a_file_has_the_name_of_its_folder_unless_it_has_one_of_its_own(folder: Path) -> None:
    assert told("inventories/prod/hosts.yml,inventories/lab.ini", folder) == [
        ("prod", "inventories/prod/hosts.yml"),
        ("lab", "inventories/lab.ini"),
    ]


def test_two_folders_of_one_name_are_told_by_their_paths(folder: Path) -> None:
    assert told("inventories/prod,other/prod,inventories/edge", folder) == [
        ("inventories/prod", "inventories/prod"),
        ("other/prod", "other/prod"),
        ("edge", "inventories/edge"),
    ]


def test_an_entry_has_what_its_map_says(folder: Path) -> None:
    entry = {"inventory": "inventories/prod", "name": "far", "vars": {"a": 1}, "timeout": "900"}
    (found,), problems = read([entry], folder)
    assert not problems
    assert (found.name, dict(found.variables), found.timeout) == ("far", {"a": 1}, 900.0)


def test_one_inventory_may_be_two_clusters_with_names_of_their_own(folder: Path) -> None:
    entries = [{"inventory": "inventories/prod", "name": name} for name in ("blue", "green")]
    assert [name for name, _inventory in told(entries, folder)] == ["blue", "green"]


WRONG: list[tuple[Any, str]] = [
    (7, "slipway_fleet: SLW-8801 it is int"),
    ("", "it names no inventory"),
    ([], "it names no inventory"),
    ("[inventories/prod", "it is not JSON"),
    ([7], "slipway_fleet[0]: SLW-8801 it is int"),
    ([{}], "inventory is missing"),
    ([{"inventory": ""}], "inventory is missing"),
    ([{"inventory": "inventories/prod", "inventry": 1}], "did you mean 'inventory'?"),
    ([{"inventory": "inventories/prod", "vars": ["a"]}], "vars is list"),
    ([{"inventory": "inventories/prod", "name": ["a"]}], "name is ['a']"),
    ([{"inventory": "inventories/prod", "timeout": 0}], "timeout is 0"),
    ([{"inventory": "inventories/prod", "timeout": True}], "timeout is True"),
    ([{"inventory": "inventories/prod", "timeout": "inf"}], "timeout is 'inf'"),
    ("inventories/prd", "inventories/prd: there is no such folder or file"),
    ("inventories/x*", "inventories/x*: nothing there has such a name"),
    ([{"inventory": "inventories/*", "name": "a"}], "inventories/* is 3 inventories"),
    ("inventories/prod,inventories/prod", "inventories/prod is named 2 times as prod"),
    ("inventories/prod,inventories/*", "inventories/prod is named 2 times as prod"),
]


@pytest.mark.parametrize(("value", "words"), WRONG)
def test_what_is_wrong_is_told(value: object, words: str, folder: Path) -> None:
    problems = read(value, folder)[1]
    assert [problem.code for problem in problems] == ["SLW-8801"]
    assert words in str(problems[0])


def test_all_that_is_wrong_is_told_at_once(folder: Path) -> None:
    problems = read([7, {"inventry": 1}, "nowhere", {"inventory": "inventories/prod", "vars": 1}], folder)[1]
    assert [problem.where for problem in problems] == [f"slipway_fleet[{at}]" for at in (0, 1, 1, 2, 3)]
