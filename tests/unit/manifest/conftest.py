# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A small catalog, and a folder for the sources of a manifest."""

from __future__ import annotations

from pathlib import Path

import pytest

ENTRIES = {
    "local-path": """
chart: {repo: https://charts.example.com, name: local-path, version: 1.0.0}
provides: [default-storage-class]
kubespray: [local_path_provisioner_enabled]
""",
    "kube-prometheus-stack": """
chart: {repo: https://charts.example.com, name: kube-prometheus-stack, version: 88.5.0, digest: sha256:abc}
namespace: monitoring
provides: [metrics]
requires: [default-storage-class]
values: {grafana: {enabled: true}, alert: "{{ $labels.pod }}"}
integrations: {tls-issuer: {values: {grafana: {ingress: {tls: true}}}}}
timeout: 900
wait: {conditions: [{kind: Prometheus, type: Available}]}
""",
    "loki": """
chart: {repo: https://charts.example.com, name: loki, version: 6.1.0}
namespace: logging
provides: [logs]
requires: [default-storage-class]
after: [kube-prometheus-stack]
replicas: singleBinary.replicas
values: {singleBinary: {replicas: 1, extra: {a: 1}}}
images: [docker.example.com/loki-operator:1]
integrations: {metrics: {values: {monitoring: {serviceMonitor: {enabled: true}}}}}
remove: {first: [LokiStack], timeout: 60}
""",
    "cert-manager": """
chart: {repo: https://charts.example.com, name: cert-manager, version: 1.21.1}
provides: [tls-issuer]
kubespray: [cert_manager_enabled]
integrations: {metrics: {values: {prometheus: {enabled: true}}}}
""",
}


@pytest.fixture(scope="session")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of the catalog entries above."""
    folder = tmp_path_factory.mktemp("catalog")
    for name, text in ENTRIES.items():
        (folder / f"{name}.yml").write_text(text, encoding="utf-8")
    return str(folder)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with one of each source."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "kustomization.yaml").write_text("resources: []\n", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart" / "Chart.yaml").write_text("name: c\nversion: 1.0.0\n", encoding="utf-8")
    (tmp_path / "app.yml").write_text("{}\n", encoding="utf-8")
    return tmp_path
