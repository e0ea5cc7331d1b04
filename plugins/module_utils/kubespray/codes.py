# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The stable codes of what is checked before nodes are touched.

SLW-80xx: Kubespray itself, inventory and groups; 81xx: variables of Kubespray; 82xx: hosts.
"""

from __future__ import annotations

CODES: dict[str, str] = {}
