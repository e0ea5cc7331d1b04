# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Values of a wrong type, and texts that mean the opposite."""

from __future__ import annotations

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.values import problem_of_value


def code(name: str, value: object, wanted: str, *, literal: bool = False) -> str:
    problem = problem_of_value(name, value, wanted, literal=literal)
    return problem.code if problem else ""


@pytest.mark.parametrize("value", ["false", "False", "no", "off", "0", "true", "yes", "", "calico"])
def test_text_for_a_boolean(value: str) -> None:
    assert code("x", value, "bool") == "SLW-8109"


def test_what_a_text_means_is_told() -> None:
    problem = problem_of_value("x", "False", "bool")
    assert problem is not None
    assert "counts as true" in problem.message
    assert "x: false" in problem.remedy
    problem = problem_of_value("x", "yes", "bool")
    assert problem is not None
    assert "counts as true" not in problem.message
    assert "x: true" in problem.remedy


@pytest.mark.parametrize(
    ("value", "wanted"),
    [([], "str"), ({}, "list"), ([], "dict"), ("a", "list"), ("a", "dict"), ("many", "int"), (True, "str"), (7, "bool"),
     (True, "list"), (["a"], "bool"), (["a"], "int")],
)  # fmt: skip
def test_another_type(value: object, wanted: str) -> None:
    assert code("x", value, wanted) == "SLW-8106"


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(None, "bool"), (True, "bool"), (0, "bool"), (1, "bool"), ("4", "int"), (4, "float"), (4.5, "float"),
     ("4.5", "float"),
     (4, "str"), ("a", "str"), ([], "list"), ({}, "dict"), ("", "str"), ("", "list"), ("a", "any"), ([], "any")],
)  # fmt: skip
def test_fitting_types(value: object, wanted: str) -> None:
    assert code("x", value, wanted) == ""


@pytest.mark.parametrize("value", ["{{ other }}", "{% if a %}x{% endif %}"])
def test_templates_may_become_anything(value: str) -> None:
    assert code("x", value, "bool") == ""
    assert code("x", value, "bool", literal=True) == "SLW-8109"


def test_versions_without_quotes() -> None:
    assert code("kube_version", 1.3, "any") == "SLW-8108"
    assert code("kube_version", "1.30", "any") == ""
    assert code("kube_cpu", 1.3, "any") == ""
