# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""``make release``: when it refuses, and what it writes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from tests import release
from tests.packaging import ROOT
from tests.release import Checkout

READY = Checkout(
    branch="main",
    changed=[],
    tags=["v1.0.0"],
    released=["1.0.0", "1.10.0", "1.9.0"],
    fragments=["8-stacks.yml"],
    ranges={"requirements.yml": ">=1.0.0,<2.0.0"},
)


@pytest.mark.parametrize("version", ["1.10.1", "1.11.0", "1.11.0-rc.1", "1.11.0-beta2"])
def test_a_newer_version_can_be_released(version: str) -> None:
    assert release.problems(version, READY) == []


@pytest.mark.parametrize(
    ("version", "changes", "words"),
    [
        ("1.11.0", {"branch": "topic"}, "the branch is topic: releases are made on main"),
        ("1.11.0", {"branch": ""}, "the branch is none"),
        ("1.11.0", {"changed": ["b", "a"]}, "not committed: a, b"),
        ("1.11.0", {"fragments": []}, "there is nothing to release"),
        ("1.11.0", {"tags": ["v1.11.0"]}, "there is a tag v1.11.0"),
        ("1.10.0", {}, "1.10.0 was released already"),
        ("1.9.5", {}, "1.10.0 was released already, and 1.9.5 is not newer"),
        ("1.10.0-rc.1", {}, "1.10.0 was released already"),
        ("2.0.0", {}, "requirements.yml asks for slipway.cluster >=1.0.0,<2.0.0, which 2.0.0 is not"),
        ("", {}, "VERSION=: a release is called like 1.2.0"),
        ("v1.11.0", {}, "VERSION=v1.11.0"),
        ("1.11", {}, "VERSION=1.11:"),
        ("1.011.0", {}, "VERSION=1.011.0"),
        ("1.11.0+build", {}, "VERSION=1.11.0+build"),
        ("1.11.0; rm", {}, "VERSION=1.11.0; rm"),
    ],
)
def test_what_is_in_the_way_is_told(version: str, changes: dict[str, Any], words: str) -> None:
    (found,) = release.problems(version, replace(READY, **changes))
    assert words in found


def test_all_of_it_at_once() -> None:
    found = release.problems("2.0.0", replace(READY, branch="topic", changed=["a"], fragments=[], tags=["v2.0.0"]))
    assert len(found) == 5


def test_the_version_is_all_that_changes_in_the_metadata() -> None:
    text = (ROOT / "galaxy.yml").read_text(encoding="utf-8")
    changed = release.with_version(text, "3.4.5-rc.1")
    assert yaml.safe_load(changed) == yaml.safe_load(text) | {"version": "3.4.5-rc.1"}
    before, after = text.splitlines(), changed.splitlines()
    assert [line for line in after if line not in before] == ["version: 3.4.5-rc.1"]
    for odd in ("name: cluster\n", "version: 1\nversion: 2\n"):
        with pytest.raises(ValueError, match="times which version"):
            release.with_version(odd, "1.0.0")


def test_publishing_is_only_told() -> None:
    said = release.commands("1.2.0", release.FOLDER / "slipway-cluster-1.2.0.tar.gz")
    assert said == [
        "git push origin main v1.2.0",
        "ansible-galaxy collection publish .build/release/slipway-cluster-1.2.0.tar.gz",
    ]


def test_every_file_that_asks_for_slipway_is_looked_at() -> None:
    ranges = release.look().ranges
    assert set(ranges) == set(release.RANGES)
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    assert release.problems(version, replace(READY, tags=[], released=[], ranges=ranges)) == []
