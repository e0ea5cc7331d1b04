# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What stacks set, against the real Kubespray: it knows every variable, and without the Internet nothing is left that
would be downloaded from there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.index import Index, load
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.variables import SetVariable, check
from tests.unit.kubespray import real
from tests.unit.stacks.small import ANSWERS, SHIPPED, made, shipped, some_hosts

PROGRAMS = Path(sys.executable).parent
DEFAULTS = "kubernetes_sigs.kubespray.kubespray_defaults"
PLUGINS = ("calico", "cilium", "flannel")
# The one thing that the stack does not cover; Kubespray installs it only where asked, and the catalog has its own.
ELSEWHERE = {"argocd_install"}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return load(real.installed(), tmp_path_factory.mktemp("cache"))


def variables(stack: str, hosts: int, **answers: str) -> Mapping[str, Any]:
    cluster = made(stack, "prod", some_hosts(hosts), **ANSWERS.get(stack, {}), **answers)
    found: dict[str, Any] = cluster.inventory["all"]["vars"]
    return found


@pytest.mark.parametrize("stack", sorted(path.name for path in SHIPPED.iterdir()))
@pytest.mark.parametrize("plugin", PLUGINS)
def test_it_knows_every_variable_with_all_questions_answered(index: Index, stack: str, plugin: str) -> None:
    definition = shipped()[stack]
    optional = {"user": "ubuntu", "virtual_address": "192.0.2.100"}
    asked = {name: answer for name, answer in optional.items() if name in definition.questions}
    there = variables(stack, definition.hosts.least, network_plugin=plugin, **asked)
    ours = {name for name in there if name.startswith("slipway_")}
    # Variables of the stack's own, from which others are made.
    own = {name for name in there if any(f"{{{{ {name} }}}}" in json.dumps(value) for value in there.values())}
    theirs = set(there) - ours - own - {"ansible_become", "ansible_user"}
    assert {name for name in theirs if index.kind(name) not in ("default", "input")} == set()
    found = check([SetVariable(name, value, stack) for name, value in there.items()], index, referenced=own)
    assert [str(problem) for problem in found] == []
    assert len(theirs) >= 4


def test_without_the_internet_nothing_comes_from_there(tmp_path: Path) -> None:
    """By Kubespray's own dictionary of downloads, for each network plugin."""
    hosts = {}
    for plugin in PLUGINS:
        # With kube-vip once, and twice with the load balancer that it takes the place of.
        address = {"virtual_address": "192.0.2.100"} if plugin == "cilium" else {}
        there = variables("air_gapped", 1, network_plugin=plugin, **address)
        hosts[plugin] = {name: one for name, one in there.items() if name != "ansible_become"}
    groups = {group: {"hosts": dict.fromkeys(hosts)} for group in ("kube_control_plane", "etcd", "kube_node")}
    k8s = {"k8s_cluster": {"children": {"kube_control_plane": {}, "kube_node": {}}}}
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory = {"all": {"vars": local, "hosts": hosts, "children": groups | k8s}}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(inventory))
    tasks = [
        {"ansible.builtin.setup": {"gather_subset": ["!all"]}},
        {"ansible.builtin.include_role": {"name": DEFAULTS, "public": True}},
        {
            "ansible.builtin.copy": {
                "content": "{{ downloads | to_json }}",
                "dest": f"{tmp_path}/{{{{ inventory_hostname }}}}.json",
            }
        },
    ]
    (tmp_path / "site.yml").write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    env = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")} | {
        "ANSIBLE_COLLECTIONS_PATH": str(real.installed().parents[2]),
        "ANSIBLE_HOME": str(tmp_path / "home"),
    }
    done = subprocess.run(
        [PROGRAMS / "ansible-playbook", "-i", "hosts.yml", "site.yml"], cwd=tmp_path, env=env,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    mirrors = (f"{ANSWERS['air_gapped']['files_url']}/", f"{ANSWERS['air_gapped']['registry']}/")
    used = set()
    for name in hosts:
        downloads = json.loads((tmp_path / f"{name}.json").read_text())
        used |= {what for what, one in downloads.items() if one.get("enabled")}
        places = {what: one.get("url") or one.get("repo") for what, one in downloads.items()}
        assert {what for what, place in places.items() if not place.startswith(mirrors)} == ELSEWHERE
    assert used >= {"calico_node", "cilium", "flannel", "kube-vip", "kubelet", "containerd", "etcd", "coredns", "nginx"}
    assert not used & ELSEWHERE
