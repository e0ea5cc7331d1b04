# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How planning grows: the manifest's reading, checking, resolving and ordering, without a cluster."""

from __future__ import annotations

import time
from typing import Any

import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.addons import collector
from ansible_collections.slipway.cluster.plugins.module_utils.addons.graph import layers
from ansible_collections.slipway.cluster.plugins.module_utils.addons.manifest import ManifestInput, load
from tests.unit.manifest.support import PlainEvaluator, variables_of

SIZES = (100, 1000)
RUNS = 5


def measure() -> dict[str, list[float]]:
    """CPU seconds of every run, by number of add-ons: nothing in it waits for anybody."""
    collector.calm()  # as the action does
    _measure(SIZES[0])  # imports and caches
    return {str(size): [_measure(size) for _run in range(RUNS)] for size in SIZES}


def _measure(size: int) -> float:
    variables = variables_of(yaml.safe_dump(_manifest(size), sort_keys=False))
    began = time.process_time()
    manifest, findings = load(
        ManifestInput(variables=variables, evaluator=PlainEvaluator(), raw=lambda name: None, files_dir="/")
    )
    if manifest is None:
        raise SystemExit("\n".join(map(str, findings)))
    layers({name: addon.depends for name, addon in manifest.addons.items()})
    return time.process_time() - began


def _manifest(size: int) -> dict[str, Any]:
    def addon(number: int) -> dict[str, Any]:
        return {
            "chart": {"repo": "https://charts.example.com", "name": "web", "version": "1.2.3"},
            "values": {"host": f"h{number}.{{{{ slipway_values.domain }}}}", "replicas": number % 5, "level": "info"},
            "after": [f"a{number - 1}"] if number % 10 else [],
        }

    return {
        "slipway_name": "bench",
        "slipway_values": {"domain": "apps.example.com"},
        "slipway_addons": {f"a{number}": addon(number) for number in range(size)},
    }
