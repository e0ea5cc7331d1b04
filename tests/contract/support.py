# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The engine against a real API server, without Ansible around it: one call of these is one run of a playbook."""

from __future__ import annotations

import json
import re
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.addons.answers import Decisions
from ansible_collections.slipway.cluster.plugins.module_utils.addons.consent import Consent
from ansible_collections.slipway.cluster.plugins.module_utils.addons.engine import Engine, Report
from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import FindingsError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.manifest import Loader, ManifestInput
from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import AddonPlan, Plan
from ansible_collections.slipway.cluster.plugins.module_utils.addons.reading import LiveOutputs
from ansible_collections.slipway.cluster.plugins.module_utils.addons.settings import Settings
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.helm import ServerAccess
from ansible_collections.slipway.cluster.plugins.module_utils.addons.work import Event
from ansible_collections.slipway.cluster.plugins.module_utils.kube.access import Access, from_kubeconfig
from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.discovery import Discovery
from ansible_collections.slipway.cluster.plugins.module_utils.kube.objects import NODE
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.counts import node_counts
from ansible_collections.slipway.cluster.plugins.module_utils.report.plan_text import plan_lines
from tests.unit.manifest.support import PlainEvaluator, variables_of

ROOT = Path(__file__).resolve().parents[2]
CHARTS = ROOT / "lab" / "charts"
CATALOG = ROOT / "lab" / "catalog"


@dataclass
class Cluster:
    """One ``slipway_name`` on the lab's cluster. ``ns`` makes namespace names of its own."""

    env: dict[str, Any]
    cache: Path
    helm_version: int = 4
    name: str = field(default_factory=lambda: f"t-{uuid.uuid4().hex[:8]}")
    patience: float = 30.0

    @property
    def helm(self) -> str:
        return str(self.env["bin"][f"helm{self.helm_version}"])

    @property
    def access(self) -> Access:
        return from_kubeconfig(Path(self.env["kubeconfig"]))

    def client(self) -> Client:
        return Client(self.access, user_agent=f"test {self.name}", patience=self.patience)

    @property
    def home(self) -> str:
        """A records' namespace of its own keeps tests on one cluster apart."""
        return f"{self.name}-home"

    def ns(self, name: str) -> str:
        return f"{self.name}-{name}"

    def settings(self, operation: str, **options: Any) -> Settings:
        consent = Consent(
            addons=tuple(options.pop("remove", ())),
            pvcs=frozenset(options.pop("pvcs", ())),
            crds=options.pop("crds", {}),
            kept=frozenset(options.pop("kept", ())),
            protected=frozenset(options.pop("protected", ())),
            prune=frozenset(options.pop("prune", ())),
            prune_all=options.pop("prune_all", False),
            scale_down=frozenset(options.pop("scale_down", ())),
        )
        said = (frozenset(options.pop(answer, ())) for answer in ("overwrite", "keep", "adopt"))
        decisions = Decisions(*said)
        return Settings(
            operation=operation,
            helm=self.helm,
            kustomize=(str(self.env["bin"]["kubectl"]), "kustomize"),
            cache_dir=self.cache,
            namespace=self.home,
            lock_duration=options.pop("lock_duration", 5.0),
            consent=consent,
            decisions=decisions,
            server=ServerAccess(kubeconfig=self.env["kubeconfig"]),
            who="test",
            **options,
        )

    def engine(self, addons: dict[str, Any], operation: str = "install", **options: Any) -> Engine:
        """``values`` are slipway_values; ``variables`` any other; ``client`` and ``emit`` replace the usual ones."""
        body = {"slipway_name": self.name, "slipway_addons": addons, "slipway_values": options.pop("values", {})}
        others = options.pop("variables", {})
        client = options.pop("client", None) or self.client()
        emit = options.pop("emit", lambda event: None)
        reading = operation != "remove"
        loader = Loader(
            ManifestInput(
                variables=variables_of(yaml.safe_dump(body, sort_keys=False)),
                evaluator=PlainEvaluator(others, options.pop("lookups", None)),
                raw=lambda name: None,
                catalogs=(str(CATALOG),),
                files_dir=str(ROOT),
                nodes=lambda: node_counts(client.list(NODE.collection())),
                outputs=(lambda: LiveOutputs(client)) if reading else None,
            )
        )
        manifest, findings = loader.load()
        if manifest is None:
            raise FindingsError(findings)
        return Engine(client, manifest, self.settings(operation, **options), emit=emit, reload=loader.again)

    def plan(self, addons: dict[str, Any], operation: str = "install", **options: Any) -> Plan:
        return self.engine(addons, operation, **options).plan()

    def text(self, addons: dict[str, Any], operation: str = "install", **options: Any) -> str:
        """The plan as a user reads it."""
        engine = self.engine(addons, operation, **options)
        return "\n".join(plan_lines(engine.plan(), engine.masker, verbose=True))

    def run(self, addons: dict[str, Any], operation: str = "install", **options: Any) -> Report:
        engine = self.engine(addons, operation, **options)
        return engine.execute(engine.plan())

    def ok(self, addons: dict[str, Any], operation: str = "install", **options: Any) -> Report:
        """A run that must succeed."""
        report = self.run(addons, operation, **options)
        assert not report.failed, {n: r.reason for n, r in report.results.items()}
        return report

    def remove(self, *names: str, **options: Any) -> Report:
        return self.run(options.pop("addons", {}), "remove", remove=names, **options)

    def get(self, path: str) -> dict[str, Any] | None:
        return self.client().get(path)

    def apply(self, path: str, body: dict[str, Any], manager: str = "kubectl-client-side-apply") -> dict[str, Any]:
        """Somebody else's write."""
        return self.client().apply(path, body, manager=manager, force=True)

    def patch(self, path: str, body: dict[str, Any], manager: str = "kubectl-edit") -> dict[str, Any]:
        return self.client().write("PATCH", path, body, {"fieldManager": manager}, "application/merge-patch+json")


def by_name(plan: Plan) -> dict[str, AddonPlan]:
    return {addon.name: addon for addon in plan.addons}


def snapshot(client: Client) -> set[str]:
    """Every object of the API by path, but what the cluster itself writes all the time."""
    discovery = Discovery.read(client)
    found = set()
    for namespaced in (True, False):
        for resource in discovery.listable(namespaced=namespaced):
            if resource.kind in ("Event", "Lease", "Node", "EndpointSlice", "Endpoints", "Pod"):
                continue
            for item in client.list(resource.collection(), metadata=True):
                meta = item["metadata"]
                found.add(f"{resource.kind} {meta.get('namespace', '')}/{meta['name']}")
    return found


def events_of(engine_events: list[Event]) -> list[tuple[str, str]]:
    return [(event.addon, event.state) for event in engine_events]


def writes_in(audit_log: str, agent: str, *, dry_runs: bool = False) -> list[str]:
    """Mutating requests of one user agent in the API server's audit log: those that were meant, or the dry runs."""
    found = []
    for line in Path(audit_log).read_text(encoding="utf-8").splitlines():
        if agent not in line:
            continue
        entry = json.loads(line)
        mutating = entry.get("verb") in ("create", "update", "patch", "delete")
        dry_run = bool(re.search(r"[?&]dryRun=", entry.get("requestURI", "")))
        if mutating and dry_run is dry_runs and agent in entry.get("userAgent", ""):
            found.append(f"{entry['verb']} {entry['requestURI']}")
    return found


def eventually(check: Any, seconds: float = 20.0) -> Any:
    """What ``check`` returns once it is true."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < deadline, f"not true within {seconds} s"
        time.sleep(0.2)
