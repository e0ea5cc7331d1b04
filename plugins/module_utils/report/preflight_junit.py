# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The preflight's findings as JUnit XML: a test case for each check, failed when it found an error."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

from ..nodes.problem import Problem, Severity

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def preflight_junit(problems: Sequence[Problem], *, name: str, titles: Mapping[str, str]) -> str:
    """One case for every code in ``titles``, so that a list of passed checks tells what was looked for."""
    by_code: dict[str, list[Problem]] = {code: [] for code in titles}
    for problem in problems:
        by_code.setdefault(problem.code, []).append(problem)
    failed = [code for code, found in by_code.items() if _errors(found)]
    suite = ET.Element(
        "testsuite", name=f"preflight {name}", tests=str(len(by_code)), failures=str(len(failed)), errors="0"
    )
    for code, found in sorted(by_code.items()):
        case = ET.SubElement(suite, "testcase", classname="slipway.preflight", name=f"{code} {titles.get(code, '')}")
        errors = _errors(found)
        if errors:
            failure = ET.SubElement(case, "failure", message=_clean(str(errors[0])), type=code)
            failure.text = _clean("\n".join(str(problem) for problem in errors))
        rest = [problem for problem in found if problem not in errors]
        if rest:
            lines = (f"{problem.severity.value}: {problem}" for problem in rest)
            ET.SubElement(case, "system-out").text = _clean("\n".join(lines))
    ET.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suite, encoding="unicode") + "\n"


def _errors(problems: Sequence[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.severity is Severity.ERROR]


def _clean(text: str) -> str:
    return _NOT_XML.sub("?", text)
