# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The stable codes of credentials.

SLW-70xx: settings; 71xx: authorities; 72xx: hosts; 73xx: trust on hosts; 74xx: tokens of Kubernetes.
"""

from __future__ import annotations

CODES: dict[str, str] = {
    "SLW-7401": "access by a control plane host is not possible as set",
    "SLW-7402": "kubeconfig on the host cannot be used",
    "SLW-7403": "control plane host cannot be asked",
    "SLW-7404": "what a reader may see cannot be told",
    "SLW-7405": "forward to the API server does not work",
    "SLW-7406": "rights of a run were not taken back",
    "SLW-7407": "life of a token is out of bounds",
    "SLW-7408": "group of a join token is no bootstrappers' group",
}
