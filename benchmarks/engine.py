# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The engine without Ansible around it: what "engine call" means in the figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.slipway.cluster.plugins.module_utils.addons.consent import Consent
from ansible_collections.slipway.cluster.plugins.module_utils.addons.engine import Engine
from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import FindingsError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.manifest import ManifestInput, load
from ansible_collections.slipway.cluster.plugins.module_utils.addons.settings import Settings
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.helm import ServerAccess
from ansible_collections.slipway.cluster.plugins.module_utils.kube.access import from_kubeconfig
from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from benchmarks.ground import Ground
from tests.unit.manifest.support import PlainEvaluator, variables_of


def engine(
    ground: Ground, name: str, addons: dict[str, Any], operation: str = "install", crds: tuple[str, ...] = ()
) -> Engine:
    """A run of ``slipway_name`` over a connection of its own; the manifest is read already.

    A removal takes everything along: volumes, and the CRDs of the add-ons named in ``crds``.

    :raises FindingsError: when the manifest is wrong.
    """
    # JSON is YAML, and with it the reader need not guess at types.
    text = json.dumps({"slipway_name": name, "slipway_addons": addons}, indent=1)
    manifest, findings = load(
        ManifestInput(
            variables=variables_of(text),
            evaluator=PlainEvaluator(),
            raw=lambda variable: None,
            files_dir="/",
        )
    )
    if manifest is None:
        raise FindingsError(findings)
    consent = Consent()
    if operation == "remove":
        consent = Consent(addons=tuple(addons), pvcs=frozenset(addons), crds=dict.fromkeys(crds, 0))
    settings = Settings(
        operation=operation,
        helm=str(ground.env["bin"]["helm4"]),
        kustomize=(str(ground.env["bin"]["kubectl"]), "kustomize"),
        cache_dir=ground.work / "cache",
        namespace=f"{name}-home",
        consent=consent,
        server=ServerAccess(kubeconfig=str(ground.env["kubeconfig"])),
        who="benchmark",
    )
    client = Client(from_kubeconfig(Path(str(ground.env["kubeconfig"]))), user_agent=f"slipway ({operation})")
    return Engine(client, manifest, settings)
