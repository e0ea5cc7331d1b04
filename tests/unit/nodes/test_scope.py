# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which hosts later plays see, held against Ansible's own inventory and variables; and whether a run is dead."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.vars.manager import VariableManager

from ansible_collections.slipway.cluster.plugins.plugin_utils.scope import Scope, is_dead, myself

HOSTS = """
[kube_control_plane]
cp1
[kube_node]
w1
w2
w3
"""
RUNS = {
    "runs": {"cluster": [], "scale": ["w3"], "remove_node": ["w1", "w2"]},
    "facts": {"cp1": {"main_ip": "10.0.0.1"}, "w3": {"main_ip": "10.0.0.4"}},
    "given": {"w2": {"reset_nodes": False}},
}


@pytest.fixture
def manager(tmp_path: Path) -> VariableManager:
    file = tmp_path / "hosts"
    file.write_text(HOSTS, encoding="utf-8")
    loader = DataLoader()
    return VariableManager(loader=loader, inventory=InventoryManager(loader=loader, sources=[str(file)]))


@pytest.fixture
def scope(manager: VariableManager) -> Scope:
    one = Scope()
    one.obey(RUNS, manager)
    return one


def seen(manager: Any, pattern: str) -> list[str]:
    return [host.name for host in manager._inventory.get_hosts(pattern)]


def told(manager: Any, host: str) -> dict[str, Any]:
    return dict(manager.get_vars(host=manager._inventory.get_host(host)))


def test_what_is_planned_narrows_nothing_yet(manager: VariableManager, scope: Scope) -> None:
    assert seen(manager, "all") == ["cp1", "w1", "w2", "w3"]
    assert "main_ip" not in told(manager, "cp1")


def test_one_run_sees_its_hosts_alone(manager: VariableManager, scope: Scope) -> None:
    scope.obey({"narrow": "scale"}, manager)
    assert seen(manager, "kube_control_plane:kube_node") == ["w3"]
    assert "ansible_limit" not in told(manager, "w3")
    # Groups are as they were: templates look hosts up in them.
    assert told(manager, "w3")["groups"]["kube_node"] == ["w1", "w2", "w3"]


def test_others_are_known_and_own_hosts_are_asked(manager: VariableManager, scope: Scope) -> None:
    scope.obey({"narrow": "scale"}, manager)
    assert told(manager, "cp1")["main_ip"] == "10.0.0.1"
    assert "main_ip" not in told(manager, "w3")


def test_a_host_that_a_later_run_visits_tells_of_itself(manager: Any) -> None:
    told_of_w1 = {"main_ip": "10.0.0.2", "ansible_default_ipv4": {"address": "10.0.0.2"}}
    scope = Scope()
    runs = {"leading": ["cp1"], "workers": ["w1", "w2"]}
    scope.obey({"runs": runs, "facts": {**RUNS["facts"], "w1": told_of_w1}, "given": {}}, manager)
    scope.obey({"narrow": "leading"}, manager)
    assert told(manager, "w1")["main_ip"] == "10.0.0.2"
    manager.set_nonpersistent_facts("w1", {"ours": 1})
    manager.set_nonpersistent_facts("cp1", {"main_ip": "10.0.0.9"})
    scope.obey({"narrow": ""}, manager)
    scope.obey({"narrow": "workers"}, manager)
    assert not told_of_w1.keys() & told(manager, "w1").keys()
    assert told(manager, "w1")["ours"] == 1
    # What the first run has gathered is not less than what we know.
    assert told(manager, "cp1")["main_ip"] == "10.0.0.9"


def test_a_look_at_the_hosts_gathers_nothing_for_kubespray(manager: Any) -> None:
    scope = Scope()
    scope.obey({**RUNS, "runs": {"hosts": ["cp1", "w3"], "scale": ["w3"]}}, manager)
    scope.obey({"narrow": "hosts"}, manager)
    scope.obey({"narrow": "scale"}, manager)
    assert told(manager, "cp1")["main_ip"] == "10.0.0.1"


def test_a_run_without_hosts_sees_none(manager: VariableManager, scope: Scope) -> None:
    for run in ("cluster", "never planned"):
        scope.obey({"narrow": run}, manager)
        assert seen(manager, "all") == []
    assert "main_ip" not in told(manager, "cp1")


def test_the_play_that_widens_is_not_skipped(manager: VariableManager, scope: Scope) -> None:
    scope.obey({"narrow": "cluster"}, manager)
    assert seen(manager, "localhost") == ["localhost"]


def test_hosts_of_a_run_are_given_their_variables(manager: VariableManager, scope: Scope) -> None:
    scope.obey({"narrow": "scale"}, manager)
    assert "reset_nodes" not in told(manager, "w2")
    scope.obey({"narrow": "remove_node"}, manager)
    assert told(manager, "w2")["reset_nodes"] is False
    assert "reset_nodes" not in told(manager, "w1")


def test_all_hosts_again(manager: VariableManager, scope: Scope) -> None:
    scope.obey({"narrow": "cluster"}, manager)
    scope.obey({"narrow": "scale"}, manager)
    scope.obey({"narrow": ""}, manager)
    assert seen(manager, "all") == ["cp1", "w1", "w2", "w3"]


def test_the_limit_of_a_user_comes_back(manager: Any) -> None:
    manager._inventory.subset("w1,w2")
    scope = Scope()
    scope.obey(RUNS, manager)
    scope.obey({"narrow": "scale"}, manager)
    assert seen(manager, "all") == ["w3"]
    scope.obey({"narrow": ""}, manager)
    assert seen(manager, "all") == ["w1", "w2"]


def test_a_run_of_this_machine_is_dead_when_its_process_is() -> None:
    ours = myself().controller
    assert ours["pid"] == str(os.getppid())
    assert not is_dead(ours)
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    assert is_dead({**ours, "pid": str(process.pid)})
    # The number is used again by somebody else.
    assert is_dead({**ours, "started": "1"})


@pytest.mark.parametrize("other", [{"boot": "another"}, {"pids": "another"}, {"started": ""}, {}])
def test_of_runs_elsewhere_nothing_is_known(other: dict[str, str]) -> None:
    gone = {**myself().controller, "pid": "0"}
    assert is_dead(gone)
    assert not is_dead({**gone, **other} if other else {})
