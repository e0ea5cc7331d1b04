# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The status of a fleet as JUnit: one case for each cluster, for whatever shows test results."""

from __future__ import annotations

import re
from collections.abc import Collection
from xml.etree import ElementTree as ET

from ..fleet.cluster import Fleet
from .fleet_text import details, row

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def fleet_junit(fleet: Fleet, fail_on: Collection[str]) -> str:
    """A cluster that could not be looked at is an error; one with what ``fail_on`` names is a failure."""
    suite = ET.Element("testsuite", name="fleet", tests=str(len(fleet.clusters)), timestamp=fleet.looked)
    failures = errors = 0
    for one in fleet.clusters:
        case = ET.SubElement(suite, "testcase", classname="slipway.fleet", name=_clean(one.name), time=str(one.seconds))
        found = sorted(one.conditions.intersection(fail_on))
        text = _clean("\n".join(f"{kind}: {line}" for kind, line in details(one)))
        if one.failure:
            errors += 1
            ET.SubElement(case, "error", message=_clean(str(one.failure)), type=one.failure.code).text = text
        elif found:
            failures += 1
            ET.SubElement(case, "failure", message=", ".join(found), type="SLW-4901").text = text
        ET.SubElement(case, "system-out").text = _clean("  ".join(row(one)))
    suite.set("failures", str(failures))
    suite.set("errors", str(errors))
    ET.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suite, encoding="unicode") + "\n"


def _clean(text: str) -> str:
    return _NOT_XML.sub("?", text)
