# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The stable codes of what Slipway makes of an AWX: SLW-90xx."""

from __future__ import annotations

CODES: dict[str, str] = {
    "SLW-9001": "description of an AWX is wrong",
    "SLW-9002": "two things in AWX would have one name",
    "SLW-9003": "schedule cannot use this credential",
    "SLW-9004": "credential lacks a value",
    "SLW-9005": "consent to remove something from AWX does not match",
    "SLW-9006": "operation's survey is wrong",
    "SLW-9007": "cluster is in AWX already",
}
