# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The stable codes of manifest findings: SLW-1xxx, but for 1310, which is in ``sources/codes.py``.

Each has a page under ``docs/errors``.
"""

from __future__ import annotations

CODES: dict[str, str] = {
    "SLW-1000": "several errors",
    # shape
    "SLW-1001": "unknown key",
    "SLW-1002": "wrong type",
    "SLW-1003": "value not allowed",
    "SLW-1004": "text that should be a structure",
    "SLW-1005": "not a value of JSON",
    "SLW-1006": "nested too deep",
    "SLW-1007": "invalid name",
    "SLW-1008": "slipway_name is missing",
    "SLW-1009": "contradictory layers",
    "SLW-1010": "escaped dot in a key",
    "SLW-1011": "vaulted value cannot be decrypted",
    "SLW-1012": "key is missing",
    # sources and catalog
    "SLW-1101": "unknown catalog entry",
    "SLW-1102": "no source",
    "SLW-1103": "several sources",
    "SLW-1104": "chart is incomplete",
    "SLW-1105": "chart version is missing",
    "SLW-1106": "path does not exist",
    "SLW-1107": "replicas has no place to go",
    "SLW-1108": "catalog cannot be read",
    "SLW-1109": "catalog entry defined twice",
    "SLW-1110": "unknown integration",
    # relations between add-ons
    "SLW-1201": "capability is not provided",
    "SLW-1202": "capability provided twice",
    "SLW-1203": "unknown add-on or capability",
    "SLW-1204": "dependency cycle",
    "SLW-1205": "release name used twice",
    "SLW-1206": "Kubespray would install it too",
    "SLW-1207": "required add-on is switched off",
    "SLW-1208": "selection leaves out what it needs",
    # values
    "SLW-1301": "undefined value",
    "SLW-1302": "values refer to each other in a circle",
    "SLW-1303": "placeholder",
    "SLW-1304": "template cannot be evaluated",
    "SLW-1305": "template syntax error",
    "SLW-1306": "template result is not a value of JSON",
    # outputs of add-ons
    "SLW-1401": "output of an unknown add-on",
    "SLW-1402": "unknown output",
    "SLW-1403": "output is not named outright",
    "SLW-1404": "output has no place here",
    "SLW-1405": "output is not defined correctly",
    # smoke checks
    "SLW-1421": "smoke check of a capability that is not provided",
    "SLW-1422": "smoke check is incomplete",
    # hooks
    "SLW-1411": "hook file does not exist",
    "SLW-1412": "hook file is no list of tasks",
    "SLW-1413": "Ansible cannot read a hook's task",
    # hints
    "SLW-1901": "shared value is not used",
    "SLW-1902": "one literal in many places",
}
