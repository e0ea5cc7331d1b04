# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Weights that the user sets, and the order of findings."""

from __future__ import annotations

import itertools

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.severity import in_order, tune
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import Problem, Severity

KNOWN = ["SLW-8101", "SLW-8103"]
ONE = Problem("SLW-8101", "a")
OTHER = Problem("SLW-8103", "b", severity=Severity.HINT)


@pytest.mark.parametrize("word", ["error", "warning", "hint"])
def test_a_weight_is_set_for_its_code_alone(word: str) -> None:
    by_code = {problem.code: problem.severity for problem in tune([ONE, OTHER], {"SLW-8103": word}, KNOWN)}
    assert by_code == {"SLW-8101": Severity.ERROR, "SLW-8103": Severity(word)}


def test_a_code_can_be_ignored() -> None:
    assert tune([ONE, OTHER], {"SLW-8103": "ignore"}, KNOWN) == [ONE]


@pytest.mark.parametrize("wanted", [{"SLW-8999": "hint"}, {"SLW-8103": "warn"}, {"8103": "hint"}])
def test_a_wrong_option_is_an_error_and_changes_nothing(wanted: dict[str, str]) -> None:
    first, *rest = tune([ONE, OTHER], wanted, KNOWN)
    assert (first.code, first.severity) == ("SLW-8030", Severity.ERROR)
    assert rest == [ONE, OTHER]


def test_the_order_does_not_depend_on_the_order_of_finding() -> None:
    problems = [
        Problem("SLW-8101", "x", where="all.yml:9:1"),
        Problem("SLW-8101", "x", where="all.yml:10:1"),
        Problem("SLW-8101", "y", where="all.yml:10:1"),
        Problem("SLW-8207", "z", host="a"),
        Problem("SLW-8207", "z", host="b"),
        Problem("SLW-8001", "w", severity=Severity.WARNING),
        Problem("SLW-8001", "h", severity=Severity.HINT),
    ]
    for mixed in itertools.islice(itertools.permutations(problems), 0, 5040, 97):
        assert in_order(mixed) == problems


def test_the_same_is_told_once() -> None:
    assert in_order([ONE, Problem("SLW-8101", "a")]) == [ONE]
