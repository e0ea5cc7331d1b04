# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A cluster out of a stack: groups, files, the same as data; and all that is wrong with what was given, at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.addons.catalog import load as load_catalog
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.groups import Inventory, check_groups
from ansible_collections.slipway.cluster.plugins.module_utils.stacks.definition import ROLES
from tests.unit.stacks.small import ANSWERS, ROOT, SMALL, made, refused, shipped, some_hosts, write_stack

STACKS = shipped()
NUMBERS = [(name, number) for name, stack in STACKS.items() for number in range(1, 10) if number in stack.hosts]


def test_the_stacks_that_were_promised() -> None:
    assert set(STACKS) == {"air_gapped", "ha_storage_monitoring", "single_node", "three_nodes"}


@pytest.mark.parametrize(("stack", "number"), NUMBERS)
def test_groups_of_each_number_of_hosts_are_as_kubespray_wants_them(stack: str, number: int) -> None:
    cluster = made(stack, "prod", some_hosts(number), **ANSWERS.get(stack, {}))
    parts = cluster.groups["kube_control_plane"], cluster.groups["kube_node"]
    members = list(dict.fromkeys([*parts[0], *parts[1]]))
    everybody = {**cluster.groups, "k8s_cluster": members, "all": members}
    assert check_groups(Inventory(everybody, list(cluster.inventory["_meta"]["hostvars"]))) == []


@pytest.mark.parametrize(
    ("stack", "number", "counts"),
    [
        ("single_node", 1, (1, 1, 1)),
        ("three_nodes", 3, (3, 3, 3)),
        ("ha_storage_monitoring", 7, (3, 3, 4)),
        ("air_gapped", 2, (1, 1, 2)),
        ("air_gapped", 4, (3, 3, 4)),
        ("air_gapped", 5, (3, 3, 2)),
    ],
)
def test_roles_by_the_order_of_hosts(stack: str, number: int, counts: tuple[int, int, int]) -> None:
    cluster = made(stack, "prod", some_hosts(number), **ANSWERS.get(stack, {}))
    assert tuple(len(cluster.groups[group]) for group in ROLES.values()) == counts
    assert cluster.groups["kube_control_plane"] == [f"node{n}" for n in range(1, counts[0] + 1)]


def test_roles_that_hosts_say_themselves() -> None:
    lines = "w1\nc1 control_plane\nc2 control_plane\nc3 control_plane\nw2 worker"
    cluster = made("ha_storage_monitoring", "prod", lines)
    assert cluster.groups == {
        "kube_control_plane": ["c1", "c2", "c3"],
        "etcd": ["c1", "c2", "c3"],
        "kube_node": ["w1", "w2"],
    }
    apart = made("ha_storage_monitoring", "prod", f"{lines}\ne1 etcd\ne2 etcd\ne3 etcd")
    assert apart.groups["etcd"] == ["e1", "e2", "e3"]


@pytest.mark.parametrize(
    ("stack", "hosts", "code", "said"),
    [
        ("single_node", "a\nb", "SLW-8909", "the stack single_node is for 1 host, and there are 2"),
        ("three_nodes", "", "SLW-8909", "is for 3 hosts, and there are 0"),
        ("ha_storage_monitoring", some_hosts(4), "SLW-8909", "is for 5 or more hosts, and there are 4"),
        ("three_nodes", "a etcd\nb etcd control_plane\nc", "SLW-8910", "wants 3 or more with the role control_plane"),
        ("air_gapped", "a control_plane\nb control_plane\nc", "SLW-8910", "2 hosts have the role etcd: an even number"),
        ("air_gapped", "a control_plane etcd", "SLW-8910", "wants 1 or more with the role worker, and there are 0"),
    ],
)
def test_hosts_that_do_not_fit(stack: str, hosts: str, code: str, said: str) -> None:
    problems = refused(stack, "prod", hosts, **ANSWERS.get(stack, {}))
    assert any(problem.code == code and said in problem.message for problem in problems), problems
    assert {problem.code for problem in problems} == {code}


def test_all_that_is_wrong_is_told_at_once() -> None:
    problems = refused("air_gapped", "My Cluster", "a etcdd\nb", kubernetes_version="v1", pod_network="{{ x }}", hue=1)
    assert [problem.code for problem in problems] == [
        "SLW-8904", "SLW-8905", "SLW-8913", "SLW-8911", "SLW-8911", "SLW-8911", "SLW-8912", "SLW-8914",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "slipway_name is empty (give the cluster a name, such as prod)"),
        ("Prod 1", "slipway_name 'Prod 1' may hold only"),
        ("../prod", "slipway_name '../prod' may hold only"),
        ("a" * 41, "has 41 characters, 40 are allowed"),
    ],
)
def test_names_that_no_cluster_can_have(name: str, said: str) -> None:
    (problem,) = refused("single_node", name, "a")
    assert problem.code == "SLW-8904"
    assert said in str(problem)


def test_an_unknown_stack_is_told_with_the_nearest() -> None:
    (problem,) = refused("three-node", "prod", "a")
    assert str(problem) == "SLW-8901 there is no stack 'three-node' (did you mean 'three_nodes'?)"
    (problem,) = refused("", "prod", "a")
    assert problem.message == "slipway_stack is empty"
    assert "air_gapped, ha_storage_monitoring" in problem.remedy


def test_an_answer_to_another_stack_is_left_out() -> None:
    """One survey may ask for all stacks."""
    assert (
        made("single_node", "prod", "a", registry="registry.example.com").answers.keys()
        == STACKS["single_node"].questions.keys()
    )
    assert [problem.code for problem in refused("single_node", "prod", "a", registri="x")] == ["SLW-8913"]


@pytest.mark.parametrize("stack", sorted(STACKS))
def test_data_are_what_ansible_reads_from_the_files(stack: str, tmp_path: Path) -> None:
    number = STACKS[stack].hosts.least
    hosts = "no=192.0.2.1 port=2222 user=core\n123=192.0.2.2\n" + some_hosts(9).split("\n", 2)[2]
    more = {"user": "ubuntu", "virtual_address": "192.0.2.100"} if number > 1 else {"user": "ubuntu"}
    cluster = made(stack, "prod", hosts.splitlines()[:number], **ANSWERS.get(stack, {}), **more)
    for path, text in cluster.files.items():
        (tmp_path / "prod" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "prod" / path).write_text(text)
    command = [Path(sys.executable).parent / "ansible-inventory", "-i", "prod", "--list", "--export"]
    env = {**os.environ, "ANSIBLE_HOME": str(tmp_path / "home")}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    assert comparable(read) == comparable(dict(cluster.inventory))


def comparable(inventory: dict[str, Any]) -> dict[str, Any]:
    """Without what one may write in several ways."""
    found = {group: dict(content) for group, content in inventory.items()}
    found["_meta"] = {"hostvars": {name: own for name, own in found["_meta"]["hostvars"].items() if own}}
    for content in found.values():
        if "children" in content:
            content["children"] = sorted(set(content["children"]) - {"ungrouped"})
    return found


@pytest.mark.parametrize("stack", sorted(STACKS))
def test_files_are_as_a_user_would_write_them(stack: str) -> None:
    cluster = made(stack, "prod", some_hosts(STACKS[stack].hosts.least), **ANSWERS.get(stack, {}))
    variables = cluster.inventory["all"]["vars"]
    assert variables["slipway_name"] == "prod"
    assert "ansible_user" not in variables
    for path, text in cluster.files.items():
        assert text.startswith("---\n"), path
        assert "<<" not in text
        assert max(map(len, text.splitlines())) <= 130
        assert "# " in text, "somebody is going to change it"


@pytest.mark.parametrize("stack", sorted(STACKS))
def test_what_a_stack_includes_is_what_it_says(stack: str) -> None:
    entries, findings = load_catalog([str(ROOT / "roles" / "addons" / "files" / "catalog")])
    assert findings == []
    cluster = made(stack, "prod", some_hosts(STACKS[stack].hosts.least), **ANSWERS.get(stack, {}))
    addons = cluster.inventory["all"]["vars"]["slipway_addons"]
    used = sorted(addon.get("use", name) for name, addon in addons.items())
    assert used == list(STACKS[stack].includes)
    assert set(used) <= set(entries)


def test_nothing_comes_from_elsewhere_without_the_internet() -> None:
    cluster = made("air_gapped", "prod", "a", **ANSWERS["air_gapped"])
    variables = cluster.inventory["all"]["vars"]
    assert variables["registry_host"] == "registry.example.com:5000"
    assert {one["prefix"] for one in variables["containerd_registries_mirrors"]} >= {
        *(image.split("/")[0] for image in ("docker.io/x", "ghcr.io/x", "quay.io/x", "registry.k8s.io/x", "gcr.io/x"))
    }
    for addon in variables["slipway_addons"].values():
        assert addon["chart"]["repo"] == "{{ slipway_values.charts }}"


def test_stacks_of_the_users_own_stand_beside_ours(tmp_path: Path) -> None:
    write_stack(tmp_path, "mine", SMALL, {"groups/k8s_cluster.yml": "a: <<colour>>\nname: <<name>>\n"})
    cluster = made("mine", "prod", "a", tmp_path, colour="red")
    assert cluster.inventory["k8s_cluster"]["vars"] == {"a": "red", "name": "prod"}
    assert yaml.safe_load(cluster.files["group_vars/k8s_cluster.yml"])["a"] == "red"
