# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The stable codes of new clusters and of stacks (SLW-89xx)."""

from __future__ import annotations

CODES: dict[str, str] = {
    "SLW-8901": "unknown stack",
    "SLW-8902": "stack cannot be read",
    "SLW-8903": "stack defined twice",
    "SLW-8904": "name cannot be that of a cluster",
    "SLW-8905": "host cannot be read",
    "SLW-8906": "name cannot be that of a host",
    "SLW-8907": "address or port of a host is none",
    "SLW-8908": "host or address named twice",
    "SLW-8909": "number of hosts does not fit the stack",
    "SLW-8910": "roles of the hosts do not fit the stack",
    "SLW-8911": "question without an answer",
    "SLW-8912": "answer of another kind than the question",
    "SLW-8913": "answer to a question that the stack does not ask",
    "SLW-8914": "answer holds a template",
    "SLW-8915": "inventory is there already",
    "SLW-8916": "project cannot be written",
}
