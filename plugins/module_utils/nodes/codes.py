# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The stable codes of nodes.

SLW-83xx: plan of nodes, record and lock; 84xx: removal, drain and guards; 85xx: upgrade; 86xx: labels and taints.
"""

from __future__ import annotations

CODES: dict[str, str] = {}
