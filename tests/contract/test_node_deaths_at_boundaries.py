# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Each operation dies at each of its boundaries, one after the other: what follows says so and goes on from there.

One story on one lab, its tests in the order of a cluster's life. The boundaries of an installation are looked at in
test_node_deaths.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.kubespray.deaths import BEFORE_THE_LOCK, RECORDED, THROUGH, TOKENS, dies, rights
from tests.contract.kubespray.operations import Operations, operations

pytestmark = [pytest.mark.lab, pytest.mark.slow]

FIRST = ("control1", "worker1")
ALL = (*FIRST, "worker2")
OLD, NEW = "1.34.7", "1.35.4"
LOCKING = BEFORE_THE_LOCK["locking"]
LAST = "nodes : Let others work on the nodes"
QUIET = ""
"""Nothing was there to go on with."""
NOTHING = "no playbook of Kubespray's was through"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operations]:
    """A cluster of a control plane and one worker."""
    with operations(f"bounds-{os.getpid()}", tmp_path_factory.mktemp("bounds"), "1", "2") as one:
        one.write(*FIRST, kube_version=OLD)
        one.done("install")
        yield one


def said_of_the_one_before(operation: str, text: str) -> str:
    """What a run says of how far the one before has come."""
    found = [line for line in text.splitlines() if "did not come to its end" in line]
    assert len(found) <= 1, text
    if not found:
        return QUIET
    assert found[0].startswith(f"an earlier {operation} by "), found
    assert found[0].endswith("; this run goes on from what is there"), found
    return found[0].partition("did not come to its end, ")[2].partition(";")[0]


def chain(site: Operations, playbook: str, points: dict[str, str], after: str, **extra: str) -> None:
    """Runs that die one after the other, at the key; the value is what each says of the one before. ``after``: what the
    one says that comes to its end."""
    for task, said in points.items():
        text = dies(site, playbook, task, **extra)
        assert (task, said_of_the_one_before(playbook, text)) == (task, said), text
    ran = site.done(playbook, **extra)
    assert said_of_the_one_before(playbook, ran.out) == after, ran.out
    assert not site.run_file.exists()


def is_clean(site: Operations) -> None:
    assert site.secrets(TOKENS) == []
    assert rights(site) == []


def test_upgrade(site: Operations) -> None:
    site.write(*FIRST, kube_version=NEW)
    chain(
        site,
        "upgrade",
        {
            LOCKING: QUIET,
            "Ask for what they depend on": QUIET,
            "Ask for what they depend on#2": NOTHING,
            f"{THROUGH}#2": "Kubespray's upgrade_control_plane was through",
            LAST: NOTHING,
        },
        NOTHING,
    )
    assert site.nodes() == dict.fromkeys(FIRST, f"v{NEW}")
    assert site.record()["kubernetes"] == NEW
    is_clean(site)


def test_scale(site: Operations) -> None:
    site.write(*ALL, kube_version=NEW)
    chain(
        site,
        "scale",
        {
            LOCKING: QUIET,
            "nodes : One token of minutes for all that join": QUIET,
            "Ask for what they depend on": NOTHING,
            THROUGH: NOTHING,
            RECORDED: NOTHING,
            LAST: "Kubespray's scale was through",
        },
        NOTHING,
    )
    assert site.nodes().keys() == site.record()["hosts"].keys() == set(ALL)
    is_clean(site)


def test_removal_of_a_node(site: Operations) -> None:
    chain(
        site,
        "remove",
        {
            LOCKING: QUIET,
            "nodes : Drain them within their budgets": QUIET,
            "nodes : Forget the nodes": NOTHING,
            LAST: NOTHING,
        },
        NOTHING,
        slipway_remove_nodes="worker2",
    )
    assert site.nodes().keys() == site.record()["hosts"].keys() == set(FIRST)
    site.write(*FIRST, kube_version=NEW)
    before = site.tasks
    site.done("install")
    assert site.tasks == before
    is_clean(site)


def test_removal_of_the_cluster(site: Operations) -> None:
    """Where a reset dies in the middle the API is gone, and the kubeconfig may be there still. That nothing is left
    outside is known all the same."""
    consent = {"slipway_remove_cluster": site.name}
    config = Path(site.hosts["control1"].folder) / "etc" / "kubernetes" / "admin.conf"
    kept = config.read_text(encoding="utf-8")
    for task in (
        "nodes : Let nobody else work on the nodes",
        "nodes : Take away what the cluster has outside of itself",
    ):
        assert said_of_the_one_before("remove_cluster", dies(site, "remove", task, **consent)) == QUIET
    said = dies(site, "remove", "reset : Delete what it left", **consent)
    assert said_of_the_one_before("remove_cluster", said) == NOTHING
    config.parent.mkdir(exist_ok=True)
    config.write_text(kept, encoding="utf-8")
    said = dies(site, "remove", LAST, **consent)
    assert said_of_the_one_before("remove_cluster", said) == NOTHING
    assert "what it had outside of itself is gone: " in said
    assert "SLW-8431" not in said
    ran = site.done("remove", **consent)
    assert said_of_the_one_before("remove_cluster", ran.out) == NOTHING
    assert not site.run_file.exists()
    assert "kube-apiserver" not in site.state.processes
    said = site.done("install").out
    assert said_of_the_one_before("install", said) == QUIET
    assert site.nodes().keys() == set(FIRST)
