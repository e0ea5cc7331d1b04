# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The stable codes of the fleet's status (SLW-88xx). Each has a page under ``docs/errors``."""

from __future__ import annotations

CODES: dict[str, str] = {
    "SLW-8801": "fleet cannot be read",
    "SLW-8802": "cluster was not looked at",
    "SLW-8803": "look at a cluster took too long",
    "SLW-8804": "no cluster of the fleet answered",
    "SLW-8805": "report of the fleet cannot be written",
    "SLW-8806": "cluster of the fleet was looked at in part only",
}
