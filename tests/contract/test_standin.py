# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The lab's stand-in for Kubespray makes, grows, upgrades and ends a cluster on the lab's hosts.

One cluster for the whole file, its tests in the order of its life; what a test needs of the one before is said by a
fixture.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from lab.hosts.log import counting
from tests.contract.kubespray.site import NEXT, Site, site

pytestmark = [pytest.mark.lab, pytest.mark.slow]

OLD, NEW = "1.34.6", "1.35.4"
FIRST, LATER = ("worker1",), ("worker2", "worker3")
# Nobody is there to answer a drain's wait.
DRAIN = {"drain_grace_period": 1, "drain_timeout": "30s"}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Hosts, facts of all of them, and no cluster."""
    with site(f"standin-{os.getpid()}", tmp_path_factory.mktemp("standin"), "1", "3") as one:
        yield one


@pytest.fixture(scope="module")
def small(empty: Site) -> Site:
    """A cluster of the control plane and one worker."""
    empty.ok("facts")
    empty.ok("cluster", "--limit", f"!{LATER[0]},!{LATER[1]}", kube_version=OLD)
    return empty


@pytest.fixture(scope="module")
def grown(small: Site) -> Site:
    """Two more workers."""
    token = small.token()
    with counting(small.hosts.values()) as new:
        words = {"kube_version": OLD, "kubeadm_token": token, "lab_seconds_per_host": 1}
        small.ok("scale", "--limit", ",".join(LATER), alone=True, **words)
    small.revoke(token)
    assert [new[name] for name in FIRST] == [0]
    assert all(new[name] for name in ("control1", *LATER))
    return small


@pytest.mark.parametrize("core", ["2.18", "2.21"])
def test_both_cores(empty: Site, core: str) -> None:
    if core == "2.21" and not (NEXT / "ansible-playbook").exists():
        pytest.skip("ansible-core 2.21 is not installed")
    ran = empty.ok("facts", python=NEXT if core == "2.21" else None)
    assert "stand-in for Kubespray" in ran.out
    assert {call["playbook"] for call in empty.calls()} == {"ansible_version", "boilerplate", "internal_facts"}


def test_limited_runs_want_the_facts_of_the_others(empty: Site, tmp_path: Path) -> None:
    fresh = Site(empty.name, tmp_path)
    ran = fresh.run("scale", "--limit", LATER[1])
    assert ran.status == 2
    assert "the facts of all other hosts of the cluster must be known" in ran.out


def test_cluster(small: Site) -> None:
    assert small.nodes() == dict.fromkeys(("control1", *FIRST), f"v{OLD}")
    assert [line["host"] for line in small.orders("init")] == ["control1"]
    admin = Path("etc", "kubernetes", "admin.conf")
    assert [name for name, host in small.hosts.items() if (Path(host.folder) / admin).exists()] == ["control1"]
    plays = [call for call in small.calls() if call.get("play") == "Join and network"]
    assert plays[-1]["hosts"] == ["control1", *FIRST]
    assert plays[-1]["variables"]["kube_version"] == OLD
    # As there: without kubeadm_token one of a day for each host, joined already or not.
    assert len(small.orders("token create")) >= 2


def test_new_workers_join_at_the_same_time_by_one_token(grown: Site) -> None:
    joins = [line for line in grown.orders("join") if line["host"] in LATER]
    assert sorted(line["host"] for line in joins) == list(LATER)
    for one, other in pairwise(sorted(joins, key=lambda line: line["began"])):
        assert other["began"] < one["ended"]
    assert grown.nodes().keys() == {"control1", *FIRST, *LATER}


def test_a_second_run_lets_nobody_join_again(grown: Site) -> None:
    before = len(grown.orders("join"))
    grown.ok("scale", "--limit", ",".join(LATER), kube_version=OLD)
    assert len(grown.orders("join")) == before


@pytest.mark.parametrize("playbook", ["remove_node", "reset"])
def test_nothing_is_removed_without_a_yes(grown: Site, playbook: str) -> None:
    words = {"node": LATER[1]} if playbook == "remove_node" else {"skip_confirmation": True}
    ran = grown.run(playbook, **words)
    assert ran.status == 2
    assert "not confirmed" in ran.out
    assert LATER[1] in grown.nodes()
    assert grown.orders("reset") == []


def test_remove_node_names_its_nodes(grown: Site) -> None:
    assert grown.run("remove_node", skip_confirmation=True).status == 2
    assert len(grown.nodes()) == 4


def test_upgrade_goes_node_by_node(grown: Site) -> None:
    before = len(grown.orders("restart"))
    grown.ok("upgrade_cluster", kube_version=NEW, serial=1, **DRAIN)
    assert set(grown.nodes().values()) == {f"v{NEW}"}
    assert [line["host"] for line in grown.orders("restart")[before:]] == ["control1", *FIRST, *LATER]
    assert len(grown.orders("upgrade apply")) == 1


def test_remove_node_and_tokens_that_do_not_work(grown: Site) -> None:
    grown.ok("remove_node", node=LATER[1], skip_confirmation=True, **DRAIN)
    assert grown.nodes().keys() == {"control1", *FIRST, "worker2"}
    assert not (Path(grown.hosts[LATER[1]].folder) / "etc" / "kubernetes").exists()
    token = grown.token()
    grown.revoke(token)
    for bad in (token, "abcdef.0123456789abcdef"):
        ran = grown.run("scale", "--limit", LATER[1], kubeadm_token=bad, kubeadm_join_timeout="20s")
        assert ran.status == 2
        assert "could not find a JWS signature" in ran.out
    assert LATER[1] not in grown.nodes()


def test_faults_on_order(grown: Site) -> None:
    ran = grown.run("scale", "--limit", LATER[1], lab_fail={"kubeadm": [LATER[1]]})
    assert ran.status == 2
    assert "as ordered by lab_fail" in ran.out
    assert grown.run("scale", "--limit", LATER[1], lab_die="node").status == -9
    assert LATER[1] not in grown.nodes()


def test_reset_ends_the_cluster(grown: Site) -> None:
    grown.ok("reset", skip_confirmation=True, reset_confirmation="yes")
    assert "kube-apiserver" not in grown.state.processes
    with pytest.raises(OSError, match="refused"):
        grown.nodes()
    assert not any((Path(host.folder) / "etc" / "kubernetes").exists() for host in grown.hosts.values())
