# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the API server writes into its audit log: tests count requests from it."""

from __future__ import annotations

SYSTEM_USERS = ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler", "lab-kwok", "lab-setup"]
SYSTEM_GROUPS = ["system:serviceaccounts:kube-system"]
READS = ["get", "list", "watch"]


def policy(*, bodies: bool) -> dict[str, object]:
    """Policy with every write by anybody and every read by others than the control plane.

    :param bodies: log what is sent as well, for looking into one case.
    """
    quiet: list[dict[str, object]] = [
        {"level": "None", "nonResourceURLs": ["/readyz*", "/livez*", "/healthz*"]},
        {"level": "None", "users": SYSTEM_USERS, "verbs": READS},
        {"level": "None", "userGroups": SYSTEM_GROUPS, "verbs": READS},
        {"level": "None", "resources": [{"group": "", "resources": ["events"]}, {"group": "events.k8s.io"}]},
        {
            "level": "None",
            "users": SYSTEM_USERS,
            "resources": [{"group": "coordination.k8s.io", "resources": ["leases"]}],
        },
    ]
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        # One line for each request, written when it ends.
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "rules": [*quiet, {"level": "Request" if bodies else "Metadata"}],
    }
