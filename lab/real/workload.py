# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Pods that really run: a Deployment over all workers and its Service, asked from a host."""

from __future__ import annotations

import json
import time
from typing import Any

import yaml

from lab.errors import LabError
from lab.real import login, machine
from lab.real.model import MIRROR, Run
from lab.real.steps import Steps

PATIENCE = 60.0
OBJECTS: list[dict[str, Any]] = [
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
                    "topologySpreadConstraints": [
                        {
                            "maxSkew": 1,
                            "topologyKey": "kubernetes.io/hostname",
                            "whenUnsatisfiable": "ScheduleAnyway",
                            "labelSelector": {"matchLabels": {"app": "web"}},
                        }
                    ],
                    "containers": [
                        {
                            "name": "web",
                            "image": f"{MIRROR}/lab/web:1",
                            "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
                        }
                    ],
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


def apply(run: Run) -> None:
    """Bring the Deployment and its Service onto the cluster by kubectl."""
    kubectl(run, "apply", "-f", "-", text=yaml.safe_dump_all(OBJECTS))


def write_addon(run: Run) -> None:
    """Say in the inventory that they are an add-on."""
    everybody = run.folder / "inventory" / "group_vars" / "all"
    (run.folder / "inventory" / "web.yml").write_text(yaml.safe_dump_all(OBJECTS))
    manifest = {"slipway_name": login.NAME, "slipway_addons": {"web": {"manifests": ["web.yml"]}}}
    (everybody / "slipway.yml").write_text(yaml.safe_dump(manifest))


def verify(run: Run, steps: Steps, workers: int) -> None:
    """Check that all nodes are Ready, and that pods on every worker answer over their Service and find it by name.

    :raises LabError: when that does not come about within a minute each.
    """
    with steps.step(f"{1 + workers} nodes Ready"):
        _wait(run, 1 + workers)
    with steps.step(f"pods on {workers} workers") as step:
        # Pods do not move to a new node by themselves.
        kubectl(run, "delete", "pod", "-l", "app=web", "--grace-period=1")
        kubectl(run, "rollout", "status", "deployment/web", f"--timeout={PATIENCE:.0f}s")
        listed = json.loads(kubectl(run, "get", "pod", "-l", "app=web", "-o", "json"))["items"]
        pods = {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in listed}
        if len(set(pods.values())) < workers:
            raise LabError(f"pods run on {', '.join(sorted(pods.values()))} only")
        address = kubectl(run, "get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")
        _wait_for_answers(run, f"http://{address}", set(pods))
        named = kubectl(run, "exec", "deployment/web", "--", "/web", "dns", "web.default.svc.cluster.local")
        if named != address:
            raise LabError(f"the cluster's DNS says {named!r} for the Service, and not {address}")
        step.note = f"on {', '.join(sorted(set(pods.values())))}, all of them answer over the Service"


def _wait_for_answers(run: Run, url: str, pods: set[str]) -> None:
    """Ask until each of the pods has answered; kube-proxy hears of new pods a little later than we do."""
    deadline = time.monotonic() + PATIENCE
    heard: set[str] = set()
    said = ""
    while not pods <= heard:
        if time.monotonic() > deadline:
            raise LabError(f"over {url} only {', '.join(sorted(heard)) or 'nobody'} answered, and not all pods {said}")
        try:
            heard.add(ask(run, "w1", url))
        except LabError as error:
            said = f"({error})"
            time.sleep(0.2)


def kubectl(run: Run, *arguments: str, text: str | None = None) -> str:
    """Output of kubectl on the control plane, as the cluster's administrator."""
    command = ["kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf", *arguments]
    return machine.execute(run, "cp1", command, text).strip()


def ask(run: Run, host: str, url: str) -> str:
    """What a web server answers to that host."""
    return machine.execute(run, host, ["curl", "--silent", "--show-error", "--fail", "--max-time", "5", url]).strip()


def _wait(run: Run, wanted: int) -> set[str]:
    deadline = time.monotonic() + PATIENCE
    while len(there := ready(run)) < wanted:
        if time.monotonic() > deadline:
            raise LabError(f"only {', '.join(sorted(there)) or 'no node'} became Ready")
        time.sleep(0.5)
    return there


def nodes(run: Run) -> set[str]:
    """Names of the cluster's nodes, ready or not."""
    return set(kubectl(run, "get", "nodes", "-o", "jsonpath={.items[*].metadata.name}").split())


def ready(run: Run) -> set[str]:
    """Names of the nodes that are Ready."""
    listed = json.loads(kubectl(run, "get", "nodes", "-o", "json"))["items"]
    return {
        node["metadata"]["name"]
        for node in listed
        if any(state["type"] == "Ready" and state["status"] == "True" for state in node["status"]["conditions"])
    }
