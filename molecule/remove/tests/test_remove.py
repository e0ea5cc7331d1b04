# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Removal: dependents first, nothing without consent, and consents as AWX's surveys give them: as text.

The tests are one story: each begins with what the one before left.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

KINDS = "configmaps,deployments,daemonsets,statefulsets,clusterissuers"
MINE = "slipway.cluster/name=remove,!slipway.cluster/record"
ALL = ("storage", "certs", "issuer", "database", "cache", "notes", "more-notes", "keeper")
FOREIGN = {
    "apiVersion": "certs.lab.slipway/v1",
    "kind": "Certificate",
    "metadata": {"name": "of-somebody-else", "namespace": "default"},
    "spec": {"secretName": "x", "dnsNames": ["x.example.com"], "issuer": "platform"},
}


@pytest.fixture
def there(kubectl: Callable[..., Any]) -> Callable[[], set[str]]:
    """The add-ons that still have an object which removal does not keep."""

    def names() -> set[str]:
        items = kubectl("get", KINDS, "-A", "-l", MINE)
        kept = "helm.sh/resource-policy"
        mine = [i["metadata"] for i in items if kept not in (i["metadata"].get("annotations") or {})]
        return {metadata["labels"]["slipway.cluster/addon"] for metadata in mine}

    return names


@pytest.fixture
def untouched(writes: Callable[[], list[str]]) -> Callable[[], None]:
    def check() -> None:
        assert writes() == []

    return check


@pytest.mark.parametrize(
    ("names", "code", "said"),
    [
        ("certs", "SLW-5002", "slipway_remove_addons=certs,issuer"),
        ("keeper", "SLW-5003", "slipway_remove_protected=keeper"),
        ("database,,cache", "SLW-6201", "names of add-ons, separated by commas"),
    ],
)
def test_refused_before_anything_is_touched(
    names: str, code: str, said: str, playbook: Any, untouched: Callable[[], None], there: Callable[[], set[str]]
) -> None:
    run = playbook("remove", rc=2, slipway_remove_addons=names)
    assert code in run.out
    assert said in run.out
    untouched()
    assert there() == set(ALL)


def test_without_a_name_nothing_is_removed(playbook: Any, untouched: Callable[[], None]) -> None:
    assert playbook("remove", slipway_remove_addons="").actions == {}
    untouched()


def test_an_empty_manifest_with_prune_is_refused(playbook: Any, untouched: Callable[[], None]) -> None:
    run = playbook("install", rc=2, slipway_addons={}, slipway_prune="true")
    assert "SLW-5005" in run.out
    assert f"slipway_prune={','.join(sorted(ALL))}" in run.out
    untouched()


def test_dropped_add_ons_stay_until_they_are_named(
    playbook: Any, there: Callable[[], set[str]], kubectl: Callable[..., Any]
) -> None:
    drop = {"slipway_addons__drop": {"notes": {"enabled": False}, "more-notes": {"enabled": False}}}
    shown = playbook("install", **drop)
    assert shown.report["dropped"] == ["more-notes", "notes"]
    assert "? notes                not in the manifest: stays" in shown.plan
    assert "-e slipway_prune=notes" in shown.plan
    assert there() == set(ALL)

    wrong = playbook("install", rc=2, slipway_prune="cache", **drop)
    assert "SLW-5006" in wrong.out

    one = playbook("install", slipway_prune="notes", **drop)
    assert one.actions == {"notes": "remove"}
    assert there() == set(ALL) - {"notes"}
    # the other ones live in the same namespace
    assert kubectl("get", "configmap", "more-notes", "-n", "remove-keeper")

    rest = playbook("install", slipway_prune="true", **drop)
    assert rest.actions == {"more-notes": "remove"}
    assert there() == set(ALL) - {"notes", "more-notes"}


def test_dependents_go_first_and_data_stays(
    playbook: Any, there: Callable[[], set[str]], kubectl: Callable[..., Any]
) -> None:
    names = "storage,database, cache"
    checked = playbook("remove", "--check", slipway_remove_addons=names)
    assert {"storage", "database", "cache"} <= there()
    run = playbook("remove", slipway_remove_addons=names)
    assert run.plan == checked.plan
    gone = [e.addon for e in run.events if e.state == "removing"]
    assert gone == ["cache", "database", "storage"]
    assert there() == {"certs", "issuer", "keeper"}
    kept = run.report["kept"]["database"]
    assert any(line.startswith("PersistentVolumeClaim remove-data/data-database-0") for line in kept), kept
    assert "ConfigMap remove-data/database-recovery: helm.sh/resource-policy: keep" in kept
    assert "PersistentVolumeClaim remove-data/data-database-0" in run.plan
    assert kubectl("get", "persistentvolumeclaim", "data-database-0", "-n", "remove-data")
    assert kubectl("get", "statefulset", "-n", "remove-data") == []
    assert any(line.startswith("Namespace remove-data") for line in kept), kept


def test_crds_go_by_a_consent_that_counts_and_nothing_is_left(
    playbook: Any, there: Callable[[], set[str]], kubectl: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "foreign.json"
    file.write_text(json.dumps(FOREIGN), encoding="utf-8")
    kubectl("apply", "-f", str(file))
    rest = {"slipway_remove_addons": "certs,keeper,issuer", "slipway_remove_protected": "keeper"}
    wrong = playbook("remove", rc=2, slipway_remove_crds="certs=0", **rest)
    assert "SLW-5004" in wrong.out
    bad = playbook("remove", rc=2, slipway_remove_crds="certs", **rest)
    assert "SLW-6201" in bad.out
    assert "would destroy 1 foreign custom resources" in playbook("remove", "--check", **rest).plan
    assert there() == {"certs", "issuer", "keeper"}

    run = playbook("remove", slipway_remove_crds="certs=1", **rest)
    assert "destroys Certificate default/of-somebody-else" in run.plan
    removing = [e.addon for e in run.events if e.state == "removing"]
    assert removing.index("issuer") < removing.index("certs")
    assert there() == set()
    assert not [crd for crd in kubectl("get", "crd") if crd["metadata"]["name"].endswith(".certs.lab.slipway")]
    # what was kept on purpose is all that is left: not even the record's namespace
    spaces = [space["metadata"]["name"] for space in kubectl("get", "namespaces")]
    assert [name for name in spaces if name.startswith("remove-")] == ["remove-data"]
