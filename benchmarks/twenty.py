# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The twenty add-ons of the benchmark: how many objects of which kind each has.

The numbers are those of charts that platforms really install (a metrics server, certificates, a monitoring stack,
GitOps, a gateway, …), read off their rendered output. The content is made up, see ``charts.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Component:
    """A workload with its ServiceAccount and Service. ``storage`` is a claim's size, for a StatefulSet."""

    name: str
    kind: str = "Deployment"
    replicas: int = 1
    storage: str = ""
    service: str = "ClusterIP"


@dataclass(frozen=True)
class Shape:
    """What an add-on consists of. ``crds`` holds names of kinds with the size of their schema in KiB.

    ``hook`` is a Job as (name, events); ``crds_in_templates`` is the way of charts that upgrade their CRDs.
    Cluster roles and roles count once although each has a binding.
    """

    name: str
    components: tuple[Component, ...]
    cluster_roles: int = 0
    roles: int = 0
    config_maps: int = 0
    secrets: int = 0
    dashboards: int = 0
    rules: int = 0
    monitors: int = 0
    network_policies: bool = False
    budgets: bool = False
    ingress: bool = False
    hook: tuple[str, str] | None = None
    crds: dict[str, int] = field(default_factory=dict)
    crds_in_templates: bool = False

    @property
    def group(self) -> str:
        return f"{self.name}.bench.example"


def _deployments(*names: str) -> tuple[Component, ...]:
    return tuple(Component(name) for name in names)


MONITORING = Shape(
    "monitoring",
    (
        *_deployments("operator", "state-metrics", "dashboards"),
        Component("node-metrics", "DaemonSet"),
        Component("server", "StatefulSet", storage="50Gi"),
        Component("alerts", "StatefulSet", storage="2Gi"),
    ),
    cluster_roles=5,
    roles=3,
    config_maps=3,
    secrets=3,
    dashboards=26,
    rules=32,
    monitors=13,
    crds={
        "AlertRouting": 330,
        "MetricsServer": 300,
        "MetricsAgent": 240,
        "AlertServer": 220,
        "RuleServer": 180,
        "ScrapeJob": 120,
        "Monitor": 40,
        "PodMonitor": 40,
        "Probe": 35,
        "RuleSet": 8,
    },
)

TWENTY = (
    Shape("metrics", _deployments("server"), cluster_roles=2, roles=1),
    Shape(
        "certs",
        _deployments("controller", "injector", "webhook"),
        cluster_roles=11,
        roles=3,
        hook=("check", "post-install,post-upgrade"),
        crds={"Issuer": 90, "ClusterIssuer": 90, "Challenge": 60, "Certificate": 30, "Request": 20, "Order": 10},
        crds_in_templates=True,
    ),
    MONITORING,
    Shape(
        "gitops",
        (
            *_deployments("server", "repositories", "sets", "notifications", "login", "cache"),
            Component("controller", "StatefulSet"),
        ),
        cluster_roles=3,
        roles=6,
        config_maps=8,
        secrets=3,
        network_policies=True,
        monitors=4,
        hook=("prepare", "pre-install,pre-upgrade"),
        crds={"ApplicationSet": 300, "Application": 160, "Project": 15},
        crds_in_templates=True,
    ),
    Shape(
        "gateway",
        (Component("proxy", replicas=2, service="LoadBalancer"),),
        cluster_roles=1,
        config_maps=1,
        budgets=True,
        monitors=1,
        crds={
            "Middleware": 40,
            "Route": 25,
            "Transport": 20,
            "TlsOption": 15,
            "TlsStore": 10,
            "RouteTcp": 8,
            "RouteUdp": 8,
            "MiddlewareTcp": 6,
            "TransportTcp": 6,
            "Upstream": 6,
        },
    ),
    Shape(
        "secrets",
        _deployments("controller", "certificates", "webhook"),
        cluster_roles=5,
        crds={"Store": 160, "ClusterStore": 160, "ExternalSecret": 80, "ClusterSecret": 30, "PushSecret": 20},
        crds_in_templates=True,
    ),
    Shape(
        "balancer",
        (Component("controller"), Component("speaker", "DaemonSet")),
        cluster_roles=3,
        roles=3,
        config_maps=2,
        secrets=1,
        crds={"Pool": 25, "Peer": 15, "Profile": 12, "Advertisement": 10, "Community": 8, "Status": 8},
    ),
    Shape(
        "features",
        (*_deployments("controller", "collector"), Component("worker", "DaemonSet")),
        cluster_roles=3,
        roles=1,
        config_maps=2,
    ),
    Shape("reloader", _deployments("controller"), cluster_roles=1, roles=1),
    Shape("dns", _deployments("controller"), cluster_roles=1, monitors=1),
    Shape(
        "scaler",
        _deployments("operator", "metrics", "webhook"),
        cluster_roles=4,
        roles=2,
        network_policies=True,
        monitors=2,
    ),
    Shape(
        "logs",
        (
            *_deployments("gateway", "reader", "canary"),
            Component("writer", "StatefulSet", 3, "10Gi"),
            Component("backend", "StatefulSet", 3, "10Gi"),
        ),
        cluster_roles=1,
        roles=1,
        config_maps=2,
        secrets=1,
        rules=2,
        monitors=1,
        budgets=True,
    ),
    Shape("backup", (Component("server"), Component("agent", "DaemonSet")), cluster_roles=1, roles=1, secrets=1),
    Shape(
        "policy",
        (Component("admission", replicas=3), *_deployments("background", "cleanup", "reports")),
        cluster_roles=8,
        roles=4,
        config_maps=2,
        network_policies=True,
        budgets=True,
        monitors=4,
    ),
    Shape(
        "ingress",
        (Component("controller", replicas=2, service="LoadBalancer"), Component("default-backend")),
        cluster_roles=1,
        roles=1,
        config_maps=2,
        budgets=True,
    ),
    Shape("cleaner", _deployments("controller"), cluster_roles=1),
    Shape("collector", (Component("agent", "DaemonSet"),), cluster_roles=1, config_maps=1, monitors=1),
    Shape("console", _deployments("web"), cluster_roles=1, secrets=1, ingress=True),
    Shape("volumes", (Component("provisioner", "StatefulSet"),), cluster_roles=1, roles=1),
    Shape("database", _deployments("operator"), cluster_roles=3, roles=1, config_maps=2, monitors=1, rules=2),
)

# What the step "change" changes: one value of one add-on, two objects.
CHANGED = "console"
