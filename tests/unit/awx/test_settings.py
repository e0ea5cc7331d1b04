# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What ``slipway_awx`` may say, and what is said of what it may not."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.awx.settings import Settings, Survey, operation, read
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import Problem

OPERATIONS = [Survey(name, name, name, "") for name in ("plan", "install", "status")]
GOOD: dict[str, Any] = {
    "organization": "Platform",
    "project": {"scm_url": "https://git.example.com/clusters.git"},
    "execution_environment": "EE",
    "credentials": [
        {"name": "bao", "kind": "approle", "inputs": {"address": "https://b", "role_id": "r", "secret_id": "s"}},
        {"name": "once", "kind": "wrapped_token", "inputs": {"address": "https://b"}},
    ],
    "clusters": [{"name": "prod", "inventory": "inventories/prod", "credentials": ["bao", "of others"]}],
}
Change = Callable[[dict[str, Any]], Any]


def judge(value: object) -> tuple[Settings, list[Problem]]:
    return read(value, OPERATIONS, lambda path: "/".join(map(str, path)))


def test_good_settings() -> None:
    settings, problems = judge(GOOD)
    assert problems == []
    assert settings.prefix == "Slipway"
    assert settings.name("template", cluster="prod", operation="plan") == "Slipway prod: plan"


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        (lambda s: s.pop("organization"), "SLW-9001", "organization is missing"),
        (lambda s: s.update(organisation="x"), "SLW-9001", "did you mean organization?"),
        (lambda s: s.update(prefix=""), "SLW-9001", "slipway_awx.prefix: is empty"),
        (lambda s: s.update(clusters={}), "SLW-9001", "slipway_awx.clusters: a list is wanted"),
        (lambda s: s.update(project={}), "SLW-9001", "where its files are is not clear"),
        (lambda s: s["project"].update(local_path="x"), "SLW-9001", "where its files are is not clear"),
        (
            lambda s: s.update(project={"local_path": "x"}),
            "SLW-9001",
            "AWX takes none from a project that is a local_path",
        ),
        (
            lambda s: s.update(execution_environment={"name": "EE"}),
            "SLW-9001",
            "execution_environment: image is missing",
        ),
        (lambda s: s.update(names={"template": "{cluster}"}), "SLW-9001", "lacks {operation}"),
        (lambda s: s.update(names={"inventory": "{cluster} {owner}"}), "SLW-9001", "cannot be filled in"),
        (lambda s: s["clusters"].append(deepcopy(s["clusters"][0])), "SLW-9002", "prod is clusters[0] as well"),
        (lambda s: s.update(prefix="prod"), "SLW-9002", "is the prefix of all names as well"),
        (lambda s: s["clusters"][0].update(name="Prod"), "SLW-9001", "lower case letters, digits and -"),
        (lambda s: s["clusters"][0].update(operations=["instal"]), "SLW-9001", "did you mean install?"),
        (lambda s: s["clusters"][0].update(schedule={"at": "2:30"}), "SLW-9001", "write a time as 02:30"),
        (lambda s: s["clusters"][0].update(forks=0), "SLW-9001", "minimum: 1"),
        (lambda s: s["clusters"][0].update(credentials=["once"]), "SLW-9003", "good for one job"),
        (lambda s: s.update(fleet={"credentials": ["once"], "schedule": {}}), "SLW-9003", "slipway_awx.fleet"),
        (
            lambda s: (
                s["clusters"][0].update(credentials=["once"], schedule=False)
                or s.update(fleet={"schedule": {"at": "04:30"}})
            ),
            "SLW-9003",
            "slipway_awx.fleet: once holds",
        ),
        (
            lambda s: s.update(new_cluster={"controller_credential": "AWX", "credentials": ["once"]}),
            "SLW-9003",
            "slipway_awx.new_cluster: once holds",
        ),
        (
            lambda s: (
                s["clusters"][0].update(credentials=["once"], schedule=False)
                or s.update(new_cluster={"controller_credential": "AWX"})
            ),
            "SLW-9003",
            "give new_cluster.credentials of another kind",
        ),
        (
            lambda s: s["credentials"].append(
                {"name": "bao", "kind": "token", "inputs": {"address": "a", "token": "t"}}
            ),
            "SLW-9002",
            "slipway_awx.credentials[2]: bao is credentials[0] as well",
        ),
        (lambda s: s["credentials"][0].update(kind="password"), "SLW-9001", "is none of approle"),
        (lambda s: s["credentials"][0]["inputs"].update(secret_id=""), "SLW-9004", "(bao) lacks secret_id"),
        (lambda s: s["credentials"][0]["inputs"].update(secretid="x"), "SLW-9001", "did you mean secret_id?"),
        (lambda s: s["credentials"][1]["inputs"].pop("address"), "SLW-9004", "(once) lacks address"),
    ],
)
def test_problems(change: Change, code: str, text: str) -> None:
    value = deepcopy(GOOD)
    change(value)
    problems = judge(value)[1]
    assert [one.code for one in problems] == [code]
    assert text in str(problems[0])


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda s, two: s["clusters"][0].update(credentials=two), "clusters/0"),
        (lambda s, two: s["clusters"][0].update(access_credentials=two), "clusters/0/access_credentials"),
        (lambda s, two: s.update(fleet={"credentials": two}), "fleet"),
        (lambda s, two: s.update(new_cluster={"controller_credential": "AWX", "credentials": two}), "new_cluster"),
    ],
)
def test_credentials_of_one_type_do_not_go_together(
    change: Callable[[dict[str, Any], list[str]], Any], where: str
) -> None:
    value = deepcopy(GOOD)
    value["credentials"].append({**value["credentials"][0], "name": "bao 2"})
    change(value, ["bao", "bao 2"])
    (problem,) = judge(value)[1]
    assert "bao and bao 2 are of one type" in problem.message
    assert problem.where == where


def test_without_a_schedule_a_wrapped_token_will_do() -> None:
    value = deepcopy(GOOD)
    value["clusters"][0] |= {"credentials": ["once"], "schedule": False}
    assert judge(value)[1] == []
    # None at all is another answer than none written.
    value |= {"fleet": {"schedule": {}, "credentials": []}}
    value |= {"new_cluster": {"controller_credential": "AWX", "credentials": []}}
    settings, problems = judge(value)
    assert (settings.fleet_credentials, settings.new_credentials, problems) == ([], [], [])


def test_all_problems_at_once_each_with_its_place() -> None:
    problems = judge({"organization": 1, "clusters": [{"name": "prod", "inventry": "x"}], "extra": 1})[1]
    assert [one.where for one in problems] == ["", "", "clusters/0", "clusters/0", "organization"]


def test_no_problem_shows_a_secret() -> None:
    value = deepcopy(GOOD)
    value["credentials"][0]["inputs"] = {"secret_id": 4711, "address": "https://b", "role_id": "hidden-role"}
    value["credentials"].append({"name": "x", "kind": "approle", "inputs": "hidden-inputs"})
    told = "\n".join(str(one) for one in judge(value)[1])
    assert told
    assert "4711" not in told
    assert "hidden" not in told


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ({"type": "password"}, "'password' is none of text"),
        ({"type": "multiplechoice"}, "choices are missing"),
        ({"type": "text", "choices": ["a"]}, "a question of type text has no choices"),
        ({"type": "multiplechoice", "choices": ["a"], "default": "b"}, "the default 'b' is none of its choices"),
        ({"type": "integer", "default": "3"}, "the default '3' is no whole number"),
        ({"type": "text", "variable": "serial"}, "'serial' is not allowed"),
    ],
)
def test_questions(question: dict[str, Any], text: str) -> None:
    asked = {"variable": "slipway_x", "question": "X?", **question}
    _survey, problems = operation("scale", {"title": "t", "playbook": "scale", "description": "d", "survey": [asked]})
    assert [one.code for one in problems] == ["SLW-9006"]
    assert text in str(problems[0])
