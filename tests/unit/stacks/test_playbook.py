# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""``slipway.cluster.new`` as a user or a job runs it: text on the screen, files, statistics, exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.stacks.project import OPERATIONS, project_files
from tests.unit.stacks.small import FILES, ROOT, some_hosts

PROGRAMS = Path(sys.executable).parent
THREE = {"slipway_stack": "three_nodes", "slipway_name": "prod", "slipway_hosts": some_hosts(3)}


@dataclass
class Ran:
    status: int
    text: str
    stats: dict[str, Any]


def run(folder: Path, *words: str, playbook: str = "slipway.cluster.new", **variables: Any) -> Ran:
    folder.mkdir(parents=True, exist_ok=True)
    env = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")} | {
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "collections"),
        "ANSIBLE_HOME": str(folder.parent / "home"),
        "ANSIBLE_SHOW_CUSTOM_STATS": "1",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
    }
    done = subprocess.run(
        [PROGRAMS / "ansible-playbook", playbook, "-e", json.dumps(variables), *words],
        cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False,
    )  # fmt: skip
    _before, found, stats = done.stdout.partition("CUSTOM STATS: ")
    told = json.loads(stats.partition("RUN: ")[2] or "{}") if found else {}
    return Ran(done.returncode, done.stdout, told.get("slipway_new", {}))


def content(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_cluster_and_its_project(tmp_path: Path) -> None:
    place = tmp_path / "project"
    tried = run(place, "--check", "--diff", **THREE)
    assert (tried.status, content(place)) == (0, {})
    assert "+ inventories/prod/hosts.yml  would be written" in tried.text
    assert "+    node1: {ansible_host: 192.0.2.1}" in tried.text

    first = run(place, **THREE)
    assert first.status == 0, first.text
    there = content(place)
    assert set(there) == {*project_files(FILES / "project", "prod"), *first.stats["written"]}
    assert set(there) >= {"inventories/prod/hosts.yml", "ansible.cfg", "collections/requirements.yml", ".gitignore"}
    head = "NEW prod  three_nodes: Three hosts that carry everything  3 hosts: 3 control plane, 3 etcd, 3 workers"
    assert head in first.text.splitlines()
    commands = first.text.partition("next:\n")[2].splitlines()[:4]
    assert [line.strip() for line in commands] == first.stats["next"] == [
        "ansible-galaxy collection install -r collections/requirements.yml",
        "ansible-playbook -i inventories/prod slipway.cluster.preflight",
        "ansible-playbook -i inventories/prod slipway.cluster.plan",
        "ansible-playbook -i inventories/prod slipway.cluster.install",
    ]  # fmt: skip

    second = run(place, **THREE)
    assert (second.status, content(place)) == (0, there)
    assert "changed=0" in second.text

    (place / "ansible.cfg").write_text("[defaults]\n")
    other = run(place, **{**THREE, "slipway_name": "other", "slipway_stack_network_plugin": "cilium"})
    assert other.stats["kept"] == ["README.md", "ansible.cfg"]
    assert "! ansible.cfg  is there with other content, and stays as it is" in other.text
    after = content(place)
    assert {path: after[path] for path in there} == {**there, "ansible.cfg": "[defaults]\n"}
    assert yaml.safe_load(after["inventories/other/group_vars/all/cluster.yml"])["kube_network_plugin"] == "cilium"

    refused = run(place, **{**THREE, "slipway_stack_network_plugin": "cilium"})
    assert (refused.status, content(place)) == (2, after)
    assert "SLW-8915" in refused.text


def test_all_that_is_wrong_at_once_and_nothing_written(tmp_path: Path) -> None:
    wrong = {
        "slipway_stack": "three_nodes",
        "slipway_name": "Prod",
        "slipway_hosts": "a\nb etdc",
        "slipway_stack_user": "-x",
    }
    done = run(tmp_path / "project", **wrong)
    assert (done.status, content(tmp_path / "project")) == (2, {})
    for code in ("SLW-8904", "SLW-8905 line 2", "SLW-8912"):
        assert code in done.text


@pytest.mark.parametrize("form", ["text", "json", "data"])
def test_nothing_is_written_without_a_destination(tmp_path: Path, form: str) -> None:
    """As a survey gives it, all text; and nothing of it is ever evaluated, neither here nor by who reads the data."""
    values: dict[str, Any] = {"registry": "r.example.com", "files_url": "https://f.example.com"}
    hosts: Any = [{"name": "edge1", "address": "192.0.2.1"}]
    given = {"slipway_stack_values": values, "slipway_hosts": hosts}
    if form == "json":
        given = {name: json.dumps(value) for name, value in given.items()}
    elif form == "text":
        given = {
            "slipway_hosts": "edge1=192.0.2.1",
            **{f"slipway_stack_{name}": value for name, value in values.items()},
        }
    more = {"slipway_stack": "air_gapped", "slipway_name": "edge", "slipway_destination": ""}
    done = run(tmp_path / "project", **more, **given, slipway_stack_charts_url="oci://c.example.com/charts")
    assert (done.status, content(tmp_path / "project")) == (0, {}), done.text
    assert (done.stats["written"], done.stats["next"]) == ([], [])
    inventory = done.stats["inventory"]
    assert inventory["_meta"]["hostvars"] == {"edge1": {"ansible_host": "192.0.2.1"}}
    assert inventory["all"]["vars"]["kube_image_repo"] == "{{ registry_host }}"
    assert inventory["all"]["vars"]["slipway_values"] == {"charts": "oci://c.example.com/charts"}


def test_a_template_is_refused_and_not_evaluated(tmp_path: Path) -> None:
    mine = tmp_path / "evaluated"
    nasty = {"__ansible_unsafe": "{{ lookup('ansible.builtin.pipe', 'touch " + str(mine) + "') }}"}
    done = run(tmp_path / "project", **THREE, slipway_stack_user=nasty)
    assert (done.status, mine.exists()) == (2, False)
    assert "SLW-8914" in done.text


def test_stacks_of_ones_own_and_the_playbook_of_the_project(tmp_path: Path) -> None:
    place = tmp_path / "project"
    assert run(place, **THREE).status == 0
    stack = yaml.safe_load((FILES / "stacks" / "single_node" / "stack.yml").read_text())
    del stack["only_with"], stack["questions"]
    (place / "stacks" / "mine").mkdir(parents=True)
    (place / "stacks" / "mine" / "stack.yml").write_text(yaml.safe_dump(stack))
    more = {"slipway_stacks": "stacks", "slipway_stack": "mine", "slipway_name": "own", "slipway_hosts": "a"}
    assert run(place, playbook="slipway/new.yml", **more).status == 0
    assert (place / "inventories" / "own" / "hosts.yml").exists()


def test_every_playbook_of_the_project_is_one_of_ours() -> None:
    assert {f"{operation}.yml" for operation in OPERATIONS} <= {
        path.name for path in (ROOT / "playbooks").glob("*.yml")
    }
    files = project_files(FILES / "project", "prod")
    for operation in OPERATIONS:
        (play,) = yaml.safe_load(files[f"slipway/{operation}.yml"])
        assert play["ansible.builtin.import_playbook"] == f"slipway.cluster.{operation}"


def test_the_project_pins_what_our_requirements_pin() -> None:
    files = project_files(FILES / "project", "prod")
    pinned = yaml.safe_load(files["collections/requirements.yml"])["collections"]
    ours = yaml.safe_load((ROOT / "requirements.yml").read_text(encoding="utf-8"))["collections"]
    assert [one for one in ours if one not in pinned] == []
    assert all("version" in one for one in pinned)
