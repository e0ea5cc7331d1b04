# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The stable codes of nodes.

SLW-83xx: plan of nodes, record and lock; 84xx: removal, drain and guards; 85xx: upgrade; 86xx: labels and taints.
"""

from __future__ import annotations

CODES: dict[str, str] = {
    "SLW-8601": "labels, taints or annotations are of the wrong form",
    "SLW-8602": "label or annotation is not text",
    "SLW-8603": "label or annotation is not valid",
    "SLW-8604": "taint is not valid",
    "SLW-8605": "two taints of one key and effect",
    "SLW-8606": "label, taint or annotation is kept by Kubernetes",
    "SLW-8607": "what a node remembers of its marks cannot be read",
    "SLW-8608": "marks of a node were not written",
}
