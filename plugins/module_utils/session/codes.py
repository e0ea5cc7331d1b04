# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The stable codes of credentials.

SLW-70xx: settings; 71xx: authorities; 72xx: hosts; 73xx: trust on hosts; 74xx: tokens of Kubernetes.
"""

from __future__ import annotations

CODES: dict[str, str] = {}
