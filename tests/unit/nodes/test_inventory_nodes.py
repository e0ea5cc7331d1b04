# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the inventory says of the cluster's hosts, held against Ansible's own variables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.model import Desired
from ansible_collections.slipway.cluster.plugins.plugin_utils import inventory_nodes


def variables(tmp_path: Path, text: str) -> dict[str, Any]:
    file = tmp_path / "hosts"
    file.write_text(text, encoding="utf-8")
    loader = DataLoader()
    inventory = InventoryManager(loader=loader, sources=[str(file)])
    manager = VariableManager(loader=loader, inventory=inventory)
    return {"groups": inventory.get_groups_dict(), "hostvars": HostVars(inventory, manager, loader)}


def read(tmp_path: Path, text: str) -> dict[str, Desired]:
    return {host.name: host for host in inventory_nodes.read(variables(tmp_path, text), None)}


def test_how_a_host_is_reached_is_none_of_its_own_addresses(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
[kube_control_plane]
cp1 ansible_host=203.0.113.5
[kube_node]
w1 ansible_host=203.0.113.6 ip=10.0.0.6 access_ip=192.0.2.6 ip6=fd00::6
""",
    )
    assert (found["cp1"].own, found["cp1"].access, found["cp1"].address) == ((), (), "203.0.113.5")
    assert found["w1"].own == ("10.0.0.6", "fd00::6")
    assert (found["w1"].access, found["w1"].address) == (("192.0.2.6",), "192.0.2.6")


NAMED = """
[kube_control_plane]
cp1
[kube_node]
w1 kube_override_hostname=node-w1
w2 kube_override_hostname="{{ inventory_hostname }}"
w3 kube_override_hostname="{{ inventory_hostname }}.lab"
w4 kube_override_hostname="{{ ansible_hostname }}"
"""


def test_the_names_of_nodes(tmp_path: Path) -> None:
    nodes = {name: host.node for name, host in read(tmp_path, NAMED).items()}
    # That needs facts, which nobody has gathered: it is told as it stands.
    assert nodes == {"cp1": "cp1", "w1": "node-w1", "w2": "w2", "w3": "w3.lab", "w4": "{{ ansible_hostname }}"}


def test_hosts_stand_for_their_nodes(tmp_path: Path) -> None:
    found = inventory_nodes.node_names(variables(tmp_path, NAMED), ["w3", "cp1", "node-w1", "elsewhere"])
    assert found == ["w3.lab", "cp1", "node-w1", "elsewhere"]
