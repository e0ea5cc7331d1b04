# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The cluster record keeps what was built, small and without anybody's secrets."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import ApiError
from ansible_collections.slipway.cluster.plugins.module_utils.nodes import facts
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.digests import digest, relevant
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.model import Actual, Desired
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.record import NAME, Host, Record, Store, dump, load

WORKER = frozenset({"worker"})


def test_a_record_is_what_was_written() -> None:
    hosts = {f"w{n}": Host(WORKER, f"10.0.0.{n}", {"a": "1", "b": "2" if n else "3"}) for n in range(3)}
    record = Record("prod", "2.31.0", "1.35.4", hosts, {"etcd": "cp1"}, adopted=True)
    assert load(dump(record)) == record
    assert load(dump(Record("new"))) == Record("new")


def test_what_all_hosts_share_is_written_once() -> None:
    shared = {f"variable_{n}": digest(n) for n in range(50)}
    small, large = (
        len(dump(Record("p", hosts={f"w{n}": Host(WORKER, "10.0.0.1", shared) for n in range(count)})))
        for count in (10, 500)
    )
    assert large < 500 * 80
    assert large - small < 490 * 70


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema": 9}', '{"schema": 1, "hosts": 3}'])
def test_what_is_no_record_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(NodesError, match="SLW-8310"):
        load(text)


def test_hosts_come_and_go() -> None:
    record = Record("p").with_hosts([Desired("w1", WORKER, "10.0.0.1", {"a": "1"}), Desired("w2", WORKER)])
    assert set(record.without(["w2", "w9"]).hosts) == {"w1"}
    assert record.with_hosts([Desired("w1", WORKER, "10.0.0.9", {})]).hosts["w1"] == Host(WORKER, "10.0.0.9", {})


def test_only_what_kubespray_reads_counts_and_what_that_mentions() -> None:
    values = {
        "kube_pods_subnet": "{{ net.pods }}",
        "net": {"pods": "{{ site }}.0/16"},
        "site": "10.1",
        "retention": "7d",
        "kube_network_plugin": "calico",
    }
    known = {"kube_pods_subnet", "kube_network_plugin", "kube_version"}
    assert relevant(values, known.__contains__) == {"kube_pods_subnet", "net", "site", "kube_network_plugin"}


def test_a_circle_ends() -> None:
    assert relevant({"a": "{{ b }}", "b": "{{ a }}"}, {"a"}.__contains__) == {"a", "b"}


def test_a_digest_changes_with_the_value_and_not_with_the_order() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest("1") != digest(1)
    assert digest([1, 2]) != digest([2, 1])
    assert len(digest("secret", secret=True)) == 5


def test_facts_of_hosts_that_are_not_visited() -> None:
    hosts = [
        Desired("cp1", frozenset({"etcd"}), "cp1.example.com"),
        Desired("w1.lab", WORKER, "10.0.0.2", own=("10.0.0.2",)),
        Desired("x", WORKER),
    ]
    live = {"cp1": Actual("cp1", WORKER, True, "", "", ("10.0.0.1", "fd00::1"), False, "")}
    found = facts.of_others(hosts, live, Record("p", hosts={"w1.lab": Host(WORKER, "10.0.0.3", {})}))
    assert set(found) == {"cp1", "w1.lab"}
    assert found["cp1"]["main_ip"] == "10.0.0.1"
    assert found["cp1"]["main_access_ips"] == ["10.0.0.1", "fd00::1"]
    assert found["cp1"]["ansible_default_ipv6"] == {"address": "fd00::1"}
    assert found["w1.lab"]["main_access_ip"] == "10.0.0.2"
    assert found["w1.lab"]["ansible_hostname"] == "w1"
    assert found["w1.lab"]["main_ips"] == ["10.0.0.2"]


def facts_of(host: Desired, *of_api: str, recorded: str = "") -> dict[str, Any]:
    live = {host.name: Actual(host.name, WORKER, True, "", "", of_api, False, "")} if of_api else {}
    return facts.of_others([host], live, Record("p", hosts={host.name: Host(WORKER, recorded, {})}))[host.name]


def test_a_floating_address_is_not_a_nodes_own() -> None:
    floating = Desired("cp1", WORKER, "203.0.113.5")
    told = facts_of(floating, "10.0.0.5", recorded="203.0.113.5")
    assert (told["main_ip"], told["main_access_ip"]) == ("10.0.0.5", "10.0.0.5")
    assert told["ansible_default_ipv4"] == {"address": "10.0.0.5"}
    # Of a host that is no node the API knows nothing.
    assert facts_of(floating, recorded="10.0.0.6")["main_ip"] == "10.0.0.6"
    assert facts_of(floating)["main_ip"] == "203.0.113.5"


def test_own_address_and_that_for_others_are_two() -> None:
    both = Desired("cp1", WORKER, "192.0.2.5", own=("10.0.0.5",), access=("192.0.2.5",))
    told = facts_of(both, "10.0.0.5")
    assert (told["main_ip"], told["main_access_ip"]) == ("10.0.0.5", "192.0.2.5")
    assert (told["main_ips"], told["main_access_ips"]) == (["10.0.0.5"], ["192.0.2.5"])
    access_alone = Desired("cp1", WORKER, "192.0.2.5", access=("192.0.2.5",))
    assert facts_of(access_alone, "10.0.0.5")["main_ip"] == "10.0.0.5"
    assert facts_of(access_alone, "10.0.0.5")["main_access_ip"] == "192.0.2.5"


def test_of_two_families_those_that_the_cluster_has() -> None:
    host = Desired("cp1", WORKER, "10.0.0.5", own=("10.0.0.5", "fd00::5"), access=("192.0.2.5",))
    assert facts_of(host, "10.0.0.5")["main_ips"] == ["10.0.0.5"]
    assert facts_of(host, "fd00::5")["main_access_ips"] == ["fd00::5"]
    assert facts_of(host, "10.0.0.5", "fd00::5")["main_access_ips"] == ["192.0.2.5", "fd00::5"]
    v4 = Desired("cp1", WORKER, "10.0.0.5", own=("10.0.0.5",))
    assert facts_of(v4, "10.0.0.6", "fd00::5")["main_ips"] == ["10.0.0.5", "fd00::5"]


class Reader:
    """May read what is in namespaces that are there."""

    def __init__(self, *namespaces: str) -> None:
        self.namespaces = namespaces

    def get(self, path: str) -> dict[str, Any] | None:
        name = path.split("/")[4]
        if path.endswith(NAME):
            raise ApiError(403, "Forbidden", "may not", (), f"GET {path}")
        return {"metadata": {"name": name}} if name in self.namespaces else None


def test_where_our_namespace_is_not_there_is_no_record() -> None:
    client: Any = Reader("default")
    assert Store(client, "slipway-system").read() is None


def test_who_may_not_read_the_record_knows_nothing_of_it() -> None:
    client: Any = Reader("slipway-system")
    with pytest.raises(ApiError, match="403"):
        Store(client, "slipway-system").read()
