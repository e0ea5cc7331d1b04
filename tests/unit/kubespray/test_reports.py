# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The findings as text, JSON and JUnit."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import Problem, Severity
from ansible_collections.slipway.cluster.plugins.module_utils.report.preflight_json import preflight_dict
from ansible_collections.slipway.cluster.plugins.module_utils.report.preflight_junit import preflight_junit
from ansible_collections.slipway.cluster.plugins.module_utils.report.preflight_text import preflight_lines

TITLES = {"SLW-8101": "variable is misspelt", "SLW-8103": "no effect", "SLW-8212": "kernel lacks a module"}
PROBLEMS = [
    Problem("SLW-8101", "did you mean <b>?", "correct it", "all.yml:2:1"),
    *(Problem("SLW-8212", "no module overlay", "install it", host=f"w{number}") for number in range(1, 6)),
    Problem("SLW-8103", "a\x1b[0m b", where="all.yml:3:1", severity=Severity.HINT),
]


def test_text_has_one_line_for_each_thing() -> None:
    assert preflight_lines(PROBLEMS, "prod", 5) == [
        "PREFLIGHT prod  5 hosts looked at: 6 errors, 1 hint",
        "error    SLW-8101  all.yml:2:1            did you mean <b>?",
        "                                          -> correct it",
        "error    SLW-8212  w1, w2, w3 and 2 more  no module overlay",
        "                                          -> install it",
        "hint     SLW-8103  all.yml:3:1            a\x1b[0m b",
    ]
    assert preflight_lines([], "prod", 1) == ["PREFLIGHT prod  1 host looked at: nothing found"]


def test_json_names_every_host() -> None:
    report = json.loads(
        json.dumps(preflight_dict(PROBLEMS, name="prod", kubespray="2.31.0", hosts=["b", "a"], titles=TITLES))
    )
    assert report["counts"] == {"error": 6, "warning": 0, "hint": 1}
    assert report["hosts"] == ["a", "b"]
    assert [finding["host"] for finding in report["findings"]] == ["", "w1", "w2", "w3", "w4", "w5", ""]
    assert report["findings"][0] == {
        "severity": "error", "code": "SLW-8101", "title": "variable is misspelt", "message": "did you mean <b>?",
        "remedy": "correct it", "where": "all.yml:2:1", "host": "",
    }  # fmt: skip


def test_junit_has_a_case_for_each_check_and_fails_those_with_errors() -> None:
    suite = ET.fromstring(preflight_junit(PROBLEMS, name="prod", titles=TITLES))  # noqa: S314 - our own
    assert (suite.get("tests"), suite.get("failures")) == ("3", "2")
    cases = {str(case.get("name"))[:8]: case for case in suite}
    assert len((cases["SLW-8212"].find("failure").text or "").splitlines()) == 5  # type: ignore[union-attr]
    assert cases["SLW-8103"].find("failure") is None
    assert cases["SLW-8103"].findtext("system-out") == "hint: all.yml:3:1: SLW-8103 a?[0m b"
    clean = ET.fromstring(preflight_junit([], name="prod", titles=TITLES))  # noqa: S314 - our own
    assert (clean.get("tests"), clean.get("failures")) == ("3", "0")
