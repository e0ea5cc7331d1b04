# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The playbooks as Ansible reads them: without Kubespray, without destructive imports, the same on every core."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CORES = {"2.18": ROOT / ".venv" / "bin", "2.21": ROOT / ".venv-next" / "bin"}
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))
HOSTS = "all: {hosts: {localhost: {ansible_connection: local}}}\n"
NODES = """
all:
  children:
    kube_control_plane: {hosts: {control1: {}}}
    etcd: {hosts: {control1: {}}}
    kube_node: {hosts: {worker1: {}, worker2: {}}}
    k8s_cluster: {children: {kube_control_plane: {}, kube_node: {}}}
"""
MANIFEST = """
slipway_name: playbooks
slipway_values: {domain: a.example.com}
slipway_addons:
  portal:
    chart: {path: CHARTS/portal}
    requires: [tls]
    values: {host: "portal.{{ slipway_values.domain }}"}
  issuer:
    provides: [tls]
    objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: issuer}, data: {n: "{{ '007' }}"}}]
  nodes:
    after: [issuer]
    objects:
      - apiVersion: v1
        kind: ConfigMap
        metadata: {name: nodes}
        data: {replicas: "{{ [3, slipway_nodes.workers] | min | string }}"}
"""


# How many nodes are upgraded at the same time is a variable of this name in Kubespray: there is no other way to set it.
KUBESPRAYS = ("reserved name: serial", "reserved name 'serial'")
# A task of each playbook that does not plan add-ons.
TASKS = {
    "access": "Trust the authority, and prove it by a login",
    "awx": "Make what is to be there",
    "image": "Seal",
    "join_data": "Do what this stage is for",
    "new": "Make the inventory, and the project around it",
    "preflight": "Judge all of it together",
    "session": "Ask the authority",
}


def ansible(core: str, folder: Path, *args: str, hosts: str = HOSTS) -> subprocess.CompletedProcess[str]:
    """ansible-playbook of this core, with a collections folder that holds nothing but ours."""
    program = CORES[core] / "ansible-playbook"
    if not program.exists():
        pytest.skip(f"ansible-core {core} is not installed: {program.relative_to(ROOT)} does not exist")
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "KUBE"))},
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "collections"),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "0",
    }
    command = [str(program), "-i", "hosts.yml", *args]
    (folder / "hosts.yml").write_text(hosts, encoding="utf-8")
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("name", PLAYBOOKS)
def test_every_playbook_is_read_without_kubespray(core: str, name: str, tmp_path: Path) -> None:
    for how in ("--syntax-check", "--list-tasks"):
        done = ansible(core, tmp_path, f"slipway.cluster.{name}", how)
        assert done.returncode == 0, done.stdout + done.stderr
        warned = [line for line in done.stderr.splitlines() if "WARNING" in line]
        assert not [line for line in warned if not any(known in line for known in KUBESPRAYS)]
    assert TASKS.get(name, "Plan the add-ons") in done.stdout


def test_removing_an_add_on_lists_no_task_that_touches_a_node(tmp_path: Path) -> None:
    done = ansible("2.18", tmp_path, "slipway.cluster.remove", "--list-tasks", "-e", "slipway_remove_addons=loki")
    assert done.returncode == 0, done.stderr
    tasks = [line.strip().lower() for line in done.stdout.splitlines() if "TAGS:" in line and "play #" not in line]
    assert tasks
    assert all(task.startswith("slipway.cluster.addons :") for task in tasks), tasks
    assert not any(
        word in done.stdout.lower() for word in ("kubespray", "reset", "remove_node", "remove-node", "drain")
    )


LIMIT = ("--limit", "worker1")
WIPE = ("remove", "-e", "slipway_remove_cluster=prod")


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize(
    ("playbook", "option"),
    [
        (("install",), LIMIT),
        (("scale",), LIMIT),
        (("upgrade",), LIMIT),
        (("remove", "-e", "slipway_remove_nodes=worker1"), LIMIT),
        (WIPE, LIMIT),
        (WIPE, ("--skip-tags", "always")),
        (WIPE, ("--start-at-task", "x")),
    ],
    ids=" ".join,
)
def test_kubespray_is_not_even_read_where_our_own_plays_are_left_out(
    core: str, playbook: tuple[str, ...], option: tuple[str, str], tmp_path: Path
) -> None:
    name, *more = playbook
    done = ansible(core, tmp_path, f"slipway.cluster.{name}", *more, *option, "--list-hosts", hosts=NODES)
    assert done.returncode != 0
    assert f"SLW-8314 {' '.join(option)} is given" in done.stderr


@pytest.mark.lab
def test_both_cores_plan_the_same(lab_env: dict[str, Any], tmp_path: Path) -> None:
    plans = {}
    (tmp_path / "vars.yml").write_text(
        MANIFEST.replace("CHARTS", str(ROOT / "lab" / "charts")).lstrip(), encoding="utf-8"
    )
    for core in CORES:
        report = tmp_path / f"{core}.json"
        extra = {
            "slipway_kubeconfig": lab_env["kubeconfig"],
            "slipway_helm": lab_env["bin"]["helm4"],
            "slipway_cache_dir": str(tmp_path / "cache"),
            "slipway_report_file": str(report),
        }
        done = ansible(core, tmp_path, "slipway.cluster.plan", "-e", "@vars.yml", "-e", json.dumps(extra))
        assert done.returncode == 0, done.stdout + done.stderr
        plans[core] = json.loads(report.read_text(encoding="utf-8"))
        assert plans[core].pop("seconds") > 0
    assert plans["2.18"]["result"] == "changes"
    assert len(plans["2.18"]["addons"]) == 3
    for plan in plans.values():
        for addon in plan["addons"]:
            # extra variables from a file: 2.18 keeps no place for them
            assert addon.pop("source")
    assert plans["2.18"] == plans["2.21"]


@pytest.mark.lab
def test_a_users_own_playbook_imports_ours(lab_env: dict[str, Any], tmp_path: Path) -> None:
    own = [
        {
            "name": "Before",
            "hosts": "localhost",
            "gather_facts": False,
            "tasks": [{"ansible.builtin.debug": {"msg": "before"}}],
        },
        {
            "import_playbook": "slipway.cluster.install",
            "vars": {
                "slipway_name": "imported",
                "slipway_kubeconfig": lab_env["kubeconfig"],
                "slipway_helm": lab_env["bin"]["helm4"],
                "slipway_addons": {
                    "one": {"objects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}}]}
                },
            },
        },
        {
            "name": "After",
            "hosts": "localhost",
            "gather_facts": False,
            "tasks": [{"ansible.builtin.debug": {"msg": "after"}}],
        },
    ]
    (tmp_path / "site.yml").write_text(yaml.safe_dump(own, sort_keys=False), encoding="utf-8")
    done = ansible("2.18", tmp_path, "site.yml", "--check")
    assert done.returncode == 0, done.stdout + done.stderr
    before, _, rest = done.stdout.partition("PLAN imported")
    assert '"msg": "before"' in before
    assert "+ one                  install" in rest
    assert '"msg": "after"' in rest
