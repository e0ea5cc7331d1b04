# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Pods that really run: a Deployment over all workers and its Service, asked from a host."""

from __future__ import annotations

import json
import time

from lab.errors import LabError
from lab.real import machine
from lab.real.model import MIRROR, Run
from lab.real.steps import Steps

PATIENCE = 60.0
OBJECTS = [
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "containers": [
                        {
                            "name": "web",
                            "image": f"{MIRROR}/lab/web:1",
                            "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
                        }
                    ]
                },
            },
        },
    },
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
    },
]


def verify(run: Run, steps: Steps, workers: int) -> None:
    """Check that all nodes are Ready and that pods answer over their Service and find it by name.

    :raises LabError: when that does not come about within a minute each.
    """
    with steps.step(f"{1 + workers} nodes Ready"):
        nodes = _wait(run, 1 + workers)
    with steps.step(f"pods on {', '.join(sorted(nodes))}") as step:
        kubectl(run, "apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": OBJECTS}))
        # Pods do not move to a new node by themselves.
        kubectl(run, "rollout", "restart", "deployment/web")
        kubectl(run, "rollout", "status", "deployment/web", f"--timeout={PATIENCE:.0f}s")
        address = kubectl(run, "get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")
        answers = {ask(run, "w1", f"http://{address}") for _turn in range(20)}
        named = kubectl(run, "exec", "deployment/web", "--", "/web", "dns", "web.default.svc.cluster.local")
        if named != address:
            raise LabError(f"the cluster's DNS says {named!r} for the Service, and not {address}")
        step.note = f"{len(answers)} pods answered over the Service"


def kubectl(run: Run, *arguments: str, text: str | None = None) -> str:
    """Output of kubectl on the control plane, as the cluster's administrator."""
    command = ["kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf", *arguments]
    return machine.execute(run, "cp1", command, text).strip()


def ask(run: Run, host: str, url: str) -> str:
    """What a web server answers to that host."""
    return machine.execute(run, host, ["curl", "--silent", "--show-error", "--fail", "--max-time", "5", url]).strip()


def _wait(run: Run, wanted: int) -> set[str]:
    deadline = time.monotonic() + PATIENCE
    while len(ready := _ready(run)) < wanted:
        if time.monotonic() > deadline:
            raise LabError(f"only {', '.join(sorted(ready)) or 'no node'} became Ready")
        time.sleep(0.5)
    return ready


def _ready(run: Run) -> set[str]:
    listed = json.loads(kubectl(run, "get", "nodes", "-o", "json"))["items"]
    return {
        node["metadata"]["name"]
        for node in listed
        if any(state["type"] == "Ready" and state["status"] == "True" for state in node["status"]["conditions"])
    }
