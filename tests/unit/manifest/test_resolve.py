# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Catalog, sources, values and relations of whole add-ons."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.model import (
    ChartSource,
    Condition,
    KustomizeSource,
    ManifestsSource,
    RemovePolicy,
    Wait,
)
from ansible_collections.slipway.cluster.plugins.module_utils.addons.select import select

from .support import codes, errors_of, run


def test_the_catalog_gives_what_the_user_does_not_write(catalog: str) -> None:
    manifest, findings = run(
        """
slipway_addons:
  local-path:
  monitoring: {use: kube-prometheus-stack, values: {grafana: {size: 1}}}
  loki: {replicas: 3, version: "6.2.0", images: [x], wait: {load_balancer: optional}}
  logs-b: {use: loki, provides: [], namespace: other, integrations: {metrics: false}, timeout: 5}
  idle: {use: loki, enabled: false, values: {x: CHANGEME}}
""",
        catalogs=(catalog,),
    )
    assert manifest is not None, findings
    monitoring, loki, other = (manifest.addons[name] for name in ("monitoring", "loki", "logs-b"))
    assert monitoring.source == ChartSource(
        "https://charts.example.com", "kube-prometheus-stack", "88.5.0", "sha256:abc"
    )
    assert (monitoring.namespace, monitoring.release, monitoring.catalog) == (
        "monitoring",
        "monitoring",
        "kube-prometheus-stack",
    )
    assert monitoring.values == {"grafana": {"enabled": True, "size": 1}, "alert": "{{ $labels.pod }}"}
    assert monitoring.wait == Wait(900, (Condition("Prometheus", "Available"),))
    assert loki.source == ChartSource("https://charts.example.com", "loki", "6.2.0")
    assert loki.values == {
        "singleBinary": {"replicas": 3, "extra": {"a": 1}},
        "monitoring": {"serviceMonitor": {"enabled": True}},
    }
    assert loki.wait == Wait(600, (), "optional")
    assert loki.remove == RemovePolicy(("LokiStack",), 60)
    assert loki.images == ("docker.example.com/loki-operator:1", "x")
    assert loki.depends == ("local-path", "monitoring")
    assert "monitoring" not in other.values
    assert (other.namespace, other.wait.timeout) == ("other", 5)
    assert manifest.dropped == ("idle",)
    assert str(loki.origins["monitoring", "serviceMonitor", "enabled"]).startswith(f"{catalog}/loki.yml:10:")


def test_sources(files: Path) -> None:
    manifest, findings = run(
        """
slipway_addons:
  k: {kustomize: policies}
  m: {manifests: app.yml}
  ms: {manifests: [app.yml, policies]}
  c: {chart: {path: chart}}
  oci: {chart: {repo: oci://registry.example.com/charts, name: x, version: 1.0.0}}
""",
        files_dir=str(files),
    )
    assert manifest is not None, findings
    sources = {name: addon.source for name, addon in manifest.addons.items()}
    assert sources["k"] == KustomizeSource(str(files / "policies"))
    assert sources["m"] == ManifestsSource((str(files / "app.yml"),))
    assert sources["ms"] == ManifestsSource((str(files / "app.yml"), str(files / "policies")))
    assert sources["c"] == ChartSource(path=str(files / "chart"))


@pytest.mark.parametrize(
    ("addon", "code"),
    [
        ("{chart: {repo: x, name: y}}", "SLW-1105"),
        ("{chart: {repo: x, version: 1.0.0}}", "SLW-1104"),
        ("{chart: {name: x, version: 1.0.0}}", "SLW-1104"),
        ("{chart: {path: chart, repo: x}}", "SLW-1104"),
        ("{chart: {path: nope}}", "SLW-1106"),
        ("{chart: {path: empty}}", "SLW-1106"),
        ("{kustomize: nope}", "SLW-1106"),
        ("{kustomize: empty}", "SLW-1106"),
        ("{manifests: [app.yml, nope]}", "SLW-1106"),
        ('{manifests: "a\\0b"}', "SLW-1106"),
        ("{values: {a: 1}, namespace: x}", "SLW-1102"),
        ("{}", "SLW-1101"),
        ("{use: lokki}", "SLW-1101"),
        ("{use: loki, manifests: app.yml}", "SLW-1103"),
        ("{manifests: app.yml, objects: []}", "SLW-1103"),
        ("{objects: [], replicas: 3}", "SLW-1107"),
        ("{use: cert-manager, replicas: 3}", "SLW-1107"),
        ("{use: cert-manager, integrations: {metric: false}}", "SLW-1110"),
        ("{objects: [], requires: [metrics]}", "SLW-1201"),
        ("{objects: [], requires: [loki]}", "SLW-1201"),
        ("{objects: [], requires: [metrix]}", "SLW-1203"),
        ("{objects: [], after: [metrix]}", "SLW-1203"),
        ("{objects: [], requires: [idle]}", "SLW-1207"),
        ("{objects: [], requires: [a]}", "SLW-1204"),
        ("{objects: [], provides: [default-storage-class]}", "SLW-1202"),
    ],
)
def test_what_is_wrong_with_one_addon(addon: str, code: str, catalog: str, files: Path) -> None:
    _manifest, findings = run(
        f"slipway_addons: {{a: {addon}, idle: {{objects: [], enabled: false}}}}",
        "slipway_capabilities: [default-storage-class]",
        catalogs=(catalog,),
        files_dir=str(files),
    )
    assert codes(findings) == [code], [str(f) for f in findings]


def test_a_missing_capability_names_who_could_provide_it(catalog: str) -> None:
    _manifest, findings = run("slipway_addons: {loki: {}}", catalogs=(catalog,))
    (finding,) = errors_of(findings)
    assert finding.code == "SLW-1201"
    assert "local-path" in finding.advice
    manifest, _findings = run(
        "slipway_addons: {loki: {}}\nslipway_capabilities: [default-storage-class]", catalogs=(catalog,)
    )
    assert manifest is not None


def test_two_default_storage_classes(catalog: str) -> None:
    _manifest, findings = run(
        """
slipway_addons:
  local-path: {}
  nfs: {objects: [], provides: [default-storage-class]}
""",
        catalogs=(catalog,),
    )
    (finding,) = errors_of(findings)
    assert finding.code == "SLW-1202"
    assert "'local-path' (addons.yml:3:3)" in finding.message
    assert finding.position.line == 4


def test_circles_of_addons_show_path_and_places() -> None:
    _manifest, findings = run("""
slipway_addons:
  a: {objects: [], after: [b]}
  b: {objects: [], requires: [cap]}
  c: {objects: [], provides: [cap], after: [a]}
  d: {objects: [], after: [e]}
  e: {objects: [], after: [d, a]}
""")
    found = errors_of(findings)
    assert [f.code for f in found] == ["SLW-1204", "SLW-1204"]
    assert "circle a -> b -> c -> a: a needs b (addons.yml:3:28), b needs c (addons.yml:4:31)" in found[0].message


def test_integrations_order_unless_they_close_a_circle(catalog: str) -> None:
    manifest, findings = run(
        "slipway_addons: {kube-prometheus-stack: {}, cert-manager: {}, local-path: {}, loki: {}}", catalogs=(catalog,)
    )
    assert manifest is not None, findings
    # each integrates with the other; one edge only, both overlays
    assert manifest.addons["kube-prometheus-stack"].depends == ("cert-manager", "local-path")
    assert manifest.addons["cert-manager"].depends == ()
    assert manifest.addons["cert-manager"].values == {"prometheus": {"enabled": True}}
    assert manifest.addons["kube-prometheus-stack"].values["grafana"] == {"enabled": True, "ingress": {"tls": True}}
    assert manifest.addons["loki"].depends == ("kube-prometheus-stack", "local-path")


def test_the_same_release_twice(catalog: str) -> None:
    _manifest, findings = run(
        """
slipway_addons:
  a: {objects: [], namespace: n, release: r}
  b: {objects: [], namespace: n, release: r}
  c: {objects: [], namespace: m, release: r}
""",
        catalogs=(catalog,),
    )
    (finding,) = errors_of(findings)
    assert (finding.code, finding.position.line) == ("SLW-1205", 4)
    assert "'a'" in finding.message


@pytest.mark.parametrize(
    ("value", "owned"),
    [
        ("true", True),
        ("'yes'", True),
        ('"{{ true }}"', True),
        ('"{{ other }}"', True),
        ("1", True),
        ("false", False),
        ("'false'", False),
        ('"{{ false }}"', False),
        ('"{{ nope }}"', False),
        ("null", False),
    ],
)
def test_double_ownership_with_kubespray(value: str, owned: bool, catalog: str) -> None:
    _manifest, findings = run(
        f"slipway_addons: {{cert-manager: {{}}}}\ncert_manager_enabled: {value}\nother: true", catalogs=(catalog,)
    )
    assert codes(findings) == (["SLW-1206"] if owned else [])


def test_selection_is_closed_over_dependencies(catalog: str) -> None:
    manifest, _findings = run(
        "slipway_addons: {local-path: {}, kube-prometheus-stack: {}, loki: {}, cert-manager: {}}", catalogs=(catalog,)
    )
    assert manifest is not None
    chosen, pulled, findings = select(manifest.addons, only=["loki"])
    assert list(chosen) == ["local-path", "kube-prometheus-stack", "loki", "cert-manager"]
    assert pulled == ("cert-manager", "kube-prometheus-stack", "local-path")
    assert findings == []
    chosen, pulled, findings = select(manifest.addons, skip=["loki"])
    assert (list(chosen), pulled) == (["local-path", "kube-prometheus-stack", "cert-manager"], ())
    _chosen, _pulled, findings = select(manifest.addons, only=["loki"], skip=["local-path", "lokii"])
    assert sorted(f.code for f in findings) == ["SLW-1203", "SLW-1208"]
