# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What hosts say of themselves, judged: each finding on a host that has it, and none on one that has not."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.host_faults import fault_of
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.hosts import Limits, Seen, judge
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.hosts_together import judge_together, peers_of
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import Problem, Severity

GOOD: dict[str, Any] = {
    "python": "3.11.2",
    "is_root": True,
    "os": {"ID": "debian", "PRETTY_NAME": "Debian GNU/Linux 12"},
    "kernel": "6.1.0",
    "hostname": "w1",
    "machine_id": "a1",
    "memory_mib": 4000,
    "swap": [],
    "disks": {"/var/lib": 50000},
    "systemd": True,
    "nameservers": ["192.0.2.1"],
    "remains": [],
    "missing_modules": [],
    "settings_writable": True,
    "cgroup": 2,
    "controllers": ["cpuset", "cpu", "io", "memory", "pids"],
    "ports": [],
    "peers": [{"name": "w2", "address": "192.0.2.12", "port": 22, "error": ""}],
}
LIMITS = Limits(distributions=frozenset({"Debian", "RedHat"}))


def host(name: str = "w1", *roles: str, skew: float = 0, member: bool | None = False, **facts: Any) -> Seen:
    return Seen(name, frozenset(roles or ("kube_node",)), {**GOOD, **facts}, skew, member)


def codes(seen: Seen, limits: Limits = LIMITS) -> list[str]:
    return [problem.code for problem in judge(seen, limits)]


def test_nothing_is_found_on_a_good_host() -> None:
    assert codes(host()) == []
    assert codes(host("cp1", "kube_control_plane", "etcd")) == []


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"is_root": False}, "SLW-8202"),
        ({"python": "3.6.8"}, "SLW-8203"),
        ({"os": {"ID": "arch", "NAME": "Arch Linux"}}, "SLW-8204"),
        ({"os": {}}, "SLW-8204"),
        ({"memory_mib": 1023}, "SLW-8205"),
        ({"disks": {"/var/lib": 50000, "/var/lib/etcd": 100}}, "SLW-8206"),
        ({"ports": [{"port": 10250, "by": "nginx"}]}, "SLW-8210"),
        ({"swap": ["/dev/sda2"]}, "SLW-8211"),
        ({"missing_modules": ["overlay"]}, "SLW-8212"),
        ({"settings_writable": False}, "SLW-8213"),
        ({"cgroup": 1, "controllers": []}, "SLW-8214"),
        ({"controllers": ["cpu", "memory"]}, "SLW-8214"),
        ({"systemd": False}, "SLW-8215"),
        ({"nameservers": []}, "SLW-8216"),
        ({"remains": ["/etc/kubernetes/kubelet.conf"]}, "SLW-8218"),
        ({"fault": "unreachable", "said": "no route"}, "SLW-8201"),
        ({"fault": "root", "said": "sudo"}, "SLW-8202"),
        ({"fault": "python", "said": "not found"}, "SLW-8203"),
        ({"fault": "other", "said": "?"}, "SLW-8219"),
    ],
)
def test_each_fault_is_found_once(facts: dict[str, Any], code: str) -> None:
    (problem,) = judge(host(**facts), LIMITS)
    assert (problem.code, problem.host) == (code, "w1")
    light = {"SLW-8211": Severity.HINT, "SLW-8218": Severity.WARNING}
    assert problem.severity is light.get(code, Severity.ERROR)


@pytest.mark.parametrize(("skew", "side"), [(94.2, "ahead of"), (-94.2, "behind")])
def test_a_clock_that_is_off(skew: float, side: str) -> None:
    (problem,) = judge(host(skew=skew), LIMITS)
    assert (problem.code, problem.message[:20]) == ("SLW-8207", "its clock is 94 s " + side[:2])
    assert codes(host(skew=skew), Limits(clock=100)) == []


def test_a_control_plane_needs_more() -> None:
    assert codes(host("cp1", "kube_control_plane", memory_mib=1200)) == ["SLW-8205"]
    assert codes(host("w1", "kube_node", memory_mib=1200)) == []


@pytest.mark.parametrize(
    ("role", "port"),
    [("kube_control_plane", 6443), ("kube_control_plane", 10257), ("etcd", 2379), ("kube_node", 10250)],
)
def test_ports_are_asked_for_by_role(role: str, port: int) -> None:
    taken = [{"port": port, "by": ""}]
    assert codes(host("x", role, ports=taken)) == ["SLW-8210"]
    others = {"kube_control_plane", "etcd", "kube_node"} - {role} - ({"kube_control_plane"} if port == 10250 else set())
    assert codes(host("x", *others, ports=taken)) == []


def test_a_module_that_some_networks_do_without_is_a_warning() -> None:
    (problem,) = judge(host(missing_modules=["br_netfilter"]), LIMITS)
    assert (problem.code, problem.severity) == ("SLW-8212", Severity.WARNING)


def test_what_an_earlier_run_started_takes_no_port() -> None:
    assert codes(host(ports=[{"port": 10250, "by": "kubelet"}])) == []


def test_a_member_is_not_asked_for_what_a_fresh_host_must_have() -> None:
    bad = {
        "memory_mib": 100, "disks": {"/var/lib": 1}, "systemd": False, "cgroup": 1, "missing_modules": ["overlay"],
        "ports": [{"port": 10250, "by": "nginx"}], "remains": ["/etc/kubernetes/kubelet.conf"], "nameservers": [],
    }  # fmt: skip
    assert codes(host(member=True, **bad)) == []
    assert codes(host(member=None, **bad)) == [], "its own files say so where nobody else knows"
    assert len(codes(host(member=False, **bad))) == 8
    assert codes(host(member=True, is_root=False, skew=60, **bad)) == ["SLW-8202", "SLW-8207"]


def test_what_kubespray_is_told_to_bear_is_borne() -> None:
    assert codes(host(os={"ID": "arch"}), Limits()) == []
    assert codes(host(swap=["/dev/sda2"]), Limits(swap_is_switched_off=False)) == []
    assert codes(host(cgroup=1, controllers=[]), Limits(old_cgroups_fail=False)) == []
    assert codes(host(disks={"/x": -1}, memory_mib=0)) == [], "what could not be told is no finding"


def together(*hosts: Seen, set_by_us: bool = True) -> list[Problem]:
    return judge_together(hosts, hostnames_are_set=set_by_us)


def test_hosts_that_differ_are_fine() -> None:
    assert together(host("w1"), host("w2", machine_id="b2", hostname="w2")) == []


def test_shared_machine_ids_are_one_finding() -> None:
    (problem,) = together(host("w1"), host("w2", hostname="w2"), host("w3", hostname="w3"))
    assert problem.code == "SLW-8208"
    assert problem.message.startswith("w1, w2 and w3 have the same machine id a1")
    assert [p.code for p in together(host("w1", machine_id=""))] == ["SLW-8208"]
    assert together(host("w1", member=True), host("w2", hostname="w2", member=True)) == []


@pytest.mark.parametrize(("set_by_us", "severity"), [(True, Severity.HINT), (False, Severity.ERROR)])
def test_shared_hostnames(set_by_us: bool, severity: Severity) -> None:
    (problem,) = together(host("w1"), host("w2", machine_id="b2"), set_by_us=set_by_us)
    assert (problem.code, problem.severity) == ("SLW-8209", severity)


def test_hosts_that_do_not_answer_each_other() -> None:
    silent = [{"name": "w2", "address": "192.0.2.12", "port": 22, "error": "timed out"}]
    (problem,) = together(host("w1", peers=silent), host("w2", hostname="w2", machine_id="b2"))
    assert (problem.code, problem.host) == ("SLW-8217", "w1")
    assert together(host("w1", peers=silent, fault="other")) == [], "a host that was not looked at says nothing"


@pytest.mark.parametrize("many", [1, 2, 3, 4, 50, 500])
def test_attempts_grow_with_hosts_and_not_with_their_square(many: int) -> None:
    names = [f"h{number}" for number in range(many)]
    tried = [peer for name in names for peer in peers_of(name, names, 3)]
    assert len(tried) == many * min(3, many - 1)
    assert all(tried.count(name) == min(3, many - 1) for name in names), "everybody is tried as often"
    assert all(name not in peers_of(name, names, 3) for name in names)
    assert peers_of("stranger", names, 3) == []


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"msg": "Missing sudo password"}, "root"),
        ({"module_stderr": "sudo: a password is required\n", "msg": "MODULE FAILURE"}, "root"),
        ({"msg": "Timeout (12s) waiting for privilege escalation prompt: "}, "root"),
        ({"module_stderr": "/bin/sh: 1: /usr/bin/python3: not found\n"}, "python"),
        ({"module_stdout": "/bin/sh: /usr/bin/python3: No such file or directory\r\n"}, "python"),
        ({"msg": "ansible-core requires a minimum of Python version 3.8. Current version: 3.6.8"}, "python"),
        ({"module_stderr": "Traceback ...\nMemoryError"}, "other"),
        ({}, "other"),
    ],
)
def test_why_a_module_could_not_run(said: dict[str, str], fault: str) -> None:
    assert fault_of(said)["fault"] == fault
    assert fault_of(said)["said"]
