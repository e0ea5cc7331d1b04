# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The preflight on hosts with a real sshd: what hosts lack is found in one look, and nothing is changed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from lab.hosts import log, manage
from lab.hosts.machine import python
from lab.hosts.model import USER, Host
from tests.contract.fixtures.session import CORES, PERSIST
from tests.contract.support import ROOT
from tests.unit.kubespray.small import make_collection

pytestmark = pytest.mark.lab

# What the lab's machines have or lack, being no machines: other tests than this one say something about it.
OF_THE_LAB = dict.fromkeys(["SLW-8212", "SLW-8214", "SLW-8215"], "ignore")
CONFIG = f"[defaults]\nhost_key_checking = False\nforks = 10\n[ssh_connection]\npipelining = True\n{PERSIST}\n"
SKEWED = "import time\nreal = time.time\ntime.time = lambda: real() - 94\n"


@dataclass
class Done:
    rc: int
    text: str
    report: dict[str, Any]
    junit: str

    def found(self, code: str) -> list[tuple[str, str, str]]:
        """Host, place and message of each finding with ``code``."""
        return [(f["host"], f["where"], f["message"]) for f in self.report["findings"] if f["code"] == code]

    @property
    def codes(self) -> list[str]:
        return sorted({finding["code"] for finding in self.report["findings"]})


class Project:
    """An inventory of a user's, over hosts of this test."""

    def __init__(self, env: dict[str, Any], folder: Path, hosts: list[Host]) -> None:
        self.env, self.folder, self.hosts = env, folder, hosts
        self.own: dict[str, dict[str, Any]] = {host.name: {} for host in hosts}
        self.groups: dict[str, Any] = {
            "kube_control_plane": [hosts[0].name],
            "etcd": [hosts[0].name],
            "kube_node": [host.name for host in hosts[1:]],
        }
        self.variables: dict[str, Any] = {"slipway_name": "prod", "slipway_preflight_severity": OF_THE_LAB}
        self.collections = folder / "collections"
        make_collection(self.collections, "2.31.0", requires=">=2.18.0")
        (folder / "ansible.cfg").write_text(CONFIG)

    def run(self, *options: str, core: str = "2.18") -> Done:
        program = CORES[core] / "ansible-playbook"
        if not program.exists():
            pytest.skip(f"ansible-core {core} is not installed: {program} does not exist")
        self._write()
        told, suite = self.folder / "report.json", self.folder / "report.xml"
        told.unlink(missing_ok=True)
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": f"{ROOT / '.build/collections'}:{self.collections}",
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
            "SSH_AUTH_SOCK": "",
        }
        files = {"slipway_preflight_json_file": str(told), "slipway_preflight_junit_file": str(suite),
                 "slipway_cache_dir": str(self.folder / "cache")}  # fmt: skip
        command = [str(program), "-i", "inventory", "slipway.cluster.preflight", "-e", json.dumps(files), *options]
        done = subprocess.run(
            command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            stdin=subprocess.DEVNULL, timeout=300, check=False,
        )  # fmt: skip
        assert told.exists(), done.stdout
        return Done(done.returncode, done.stdout, json.loads(told.read_text()), suite.read_text())

    def _write(self) -> None:
        shown = {}
        for host in self.hosts:
            way = {"ansible_host": host.address, "ansible_port": host.port}
            shown[host.name] = {**way, **self.own[host.name]}
        children: dict[str, Any] = {group: {"hosts": {name: {} for name in own}} for group, own in self.groups.items()}
        children["k8s_cluster"] = {"children": {"kube_control_plane": {}, "kube_node": {}}}
        common = {"ansible_user": USER, "ansible_python_interpreter": python(),
                  "ansible_ssh_private_key_file": self.env["static_key_file"]}  # fmt: skip
        inventory = self.folder / "inventory"
        shutil.rmtree(inventory, ignore_errors=True)
        (inventory / "group_vars").mkdir(parents=True)
        content = {"all": {"vars": common, "hosts": shown, "children": children}}
        (inventory / "hosts.yml").write_text(yaml.safe_dump(content, sort_keys=False))
        (inventory / "group_vars/all.yml").write_text(yaml.safe_dump(self.variables, sort_keys=False))


def root(host: Host) -> Path:
    return Path(host.folder)


@pytest.fixture
def project(lab_env: dict[str, Any], tmp_path: Path) -> Iterator[Project]:
    """One control plane host and two workers, as a user would want them."""
    lab = str(lab_env["name"])
    names = [f"pf-{uuid.uuid4().hex[:6]}-{number}" for number in range(3)]
    hosts = manage.add(lab, names, "bare", say=lambda text: None)
    state = json.loads((Path(lab_env["state_dir"]) / "env.json").read_text(encoding="utf-8"))
    for number, host in enumerate(hosts):
        (root(host) / "etc/machine-id").write_text(f"{number:032x}\n")
        (root(host) / "etc/resolv.conf").write_text("nameserver 127.0.0.53\n")
    try:
        yield Project(state, tmp_path, hosts)
    finally:
        for name in names:
            manage.remove(lab, name, say=lambda text: None)


@pytest.mark.parametrize("core", CORES)
def test_good_hosts_are_looked_at_over_one_connection_each(project: Project, core: str) -> None:
    before = {host.name: snapshot(host) for host in project.hosts}
    done = project.run(core=core)
    assert (done.rc, done.report["findings"]) == (0, []), done.text
    assert done.report["hosts"] == sorted(host.name for host in project.hosts)
    assert done.report["kubespray"] == "2.31.0"
    for host in project.hosts:
        assert len(log.logins(host)) == 1
        assert snapshot(host) == before[host.name], "nothing is changed on a host"


def snapshot(host: Host) -> dict[str, str]:
    folder = root(host) / "etc"
    return {str(path): path.read_text(errors="replace") for path in sorted(folder.rglob("*")) if path.is_file()}


def test_all_that_hosts_lack_is_found_at_once(project: Project, lab_env: dict[str, Any]) -> None:
    one, two, three = project.hosts
    (root(two) / "etc/machine-id").write_text((root(one) / "etc/machine-id").read_text())
    (root(three) / "etc/resolv.conf").write_text("")
    (root(three) / "etc/os-release").unlink(missing_ok=True)
    (root(three) / "etc/os-release").write_text("ID=arch\nNAME='Arch Linux'\n")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        project.variables |= {
            "kube_apiserver_port": "{{ my_port }}",
            "my_port": port,
            "slipway_preflight_disk_mib": 10**9,
        }
        project.variables |= {"minimal_node_memory_mb": 10**8, "minimal_master_memory_mb": 10**8}
        preinstall = project.collections / "ansible_collections/kubernetes_sigs/kubespray/roles/kubernetes/preinstall"
        (preinstall / "defaults").mkdir(parents=True)
        (preinstall / "defaults/main.yml").write_text(
            "supported_os_distributions: [Debian]\nminimal_node_memory_mb: 1\nminimal_master_memory_mb: 1\n"
            "kube_apiserver_port: 1\n"
        )
        done = project.run()
    assert done.rc == 2
    assert [host for host, _, _ in done.found("SLW-8204")] == [three.name], done.text
    assert len(done.found("SLW-8205")) == len(done.found("SLW-8206")) == 3
    assert next(message for _, _, message in done.found("SLW-8208")).startswith(f"{one.name} and {two.name} have")
    (taken,) = done.found("SLW-8210")
    assert taken[0] == one.name
    assert f"port {port} is taken" in taken[2]
    assert [host for host, _, _ in done.found("SLW-8216")] == [three.name]
    failed = [case.get("name", "")[:8] for case in ET.fromstring(done.junit) if case.find("failure") is not None]  # noqa: S314
    assert failed == [code for code in done.codes if code in failed]
    assert {"SLW-8204", "SLW-8205", "SLW-8206", "SLW-8208", "SLW-8210", "SLW-8216"} <= set(failed)


def test_hosts_that_cannot_be_looked_at_are_findings(project: Project, lab_env: dict[str, Any]) -> None:
    one, two, three = project.hosts
    (dead,) = manage.add(str(lab_env["name"]), [f"pf-{uuid.uuid4().hex[:6]}"], "dead", say=lambda text: None)
    project.hosts = [*project.hosts, dead]
    project.own[dead.name] = {}
    project.groups["kube_node"].append(dead.name)
    sudo = root(two) / "opt" / "nosudo"
    sudo.write_text("#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n")
    sudo.chmod(0o755)
    project.own[two.name] = {"ansible_become_exe": "/opt/nosudo"}
    project.own[three.name] = {"ansible_python_interpreter": "/opt/no/python3"}
    try:
        done = project.run()
    finally:
        manage.remove(str(lab_env["name"]), dead.name, say=lambda text: None)
    assert done.rc == 2
    for code, host in (("SLW-8201", dead), ("SLW-8202", two), ("SLW-8203", three)):
        assert [name for name, _, _ in done.found(code)] == [host.name], done.text
    assert done.report["hosts"] == sorted([one.name, two.name, three.name, dead.name])
    assert "unreachable=1" not in done.text


def test_a_clock_is_compared_with_the_controllers(project: Project) -> None:
    host = project.hosts[1]
    (root(host) / "opt/skew").mkdir()
    (root(host) / "opt/skew/sitecustomize.py").write_text(SKEWED)
    late = root(host) / "opt/skew/python"
    late.write_text(f'#!/bin/sh\nPYTHONPATH=/opt/skew exec {python()} "$@"\n')
    late.chmod(0o755)
    project.own[host.name] = {"ansible_python_interpreter": "/opt/skew/python"}
    done = project.run()
    ((name, _, message),) = done.found("SLW-8207")
    assert name == host.name
    assert "s behind the controller's" in message
    project.variables["slipway_preflight_clock_skew_s"] = 100
    assert project.run().found("SLW-8207") == []


def test_a_node_is_not_asked_for_what_a_fresh_host_must_have(project: Project) -> None:
    host = project.hosts[1]
    project.variables |= {"slipway_preflight_disk_mib": 10**9}
    assert len(project.run().found("SLW-8206")) == 3
    (root(host) / "etc/kubernetes").mkdir(exist_ok=True)
    (root(host) / "etc/kubernetes/kubelet.conf").write_text("")
    assert host.name not in [name for name, _, _ in project.run().found("SLW-8206")]


@pytest.mark.parametrize("core", CORES)
def test_variables_are_told_with_their_places(project: Project, core: str) -> None:
    project.variables |= {
        "kube_netwrok_plugin": "calico",
        "kube_proxy_strict_arp": "no",
        "kubelet_gone": "/x",
        "my_retries": 4,
        "etcd_retrie": 5,
        "etcd_retries": "{{ etcd_retrie }}",
        "slipway_addons": {"certs": {"use": "cert-manager"}},
        "cert_manager_enabled": True,
        "grafana_password": "x",
    }
    project.own[project.hosts[1].name] = {"kube_verison": "1.35.3"}
    done = project.run("-e", "kube_proxy_strict_arp=false", core=core)
    lines = (project.folder / "inventory/group_vars/all.yml").read_text().splitlines()
    at = 1 + next(number for number, line in enumerate(lines) if line.startswith("kube_netwrok_plugin"))
    assert done.rc == 2
    places = {message.split()[5].rstrip(":"): where for _, where, message in done.found("SLW-8101")}
    assert places["kube_netwrok_plugin"] == f"inventory/group_vars/all.yml:{at}:1", done.text
    assert places["kube_verison"].startswith("inventory/hosts.yml:")
    assert set(places) == {"kube_netwrok_plugin", "kube_verison"}, "what another variable reads is the user's own"
    assert sorted(where.partition(":")[0] for _, where, _ in done.found("SLW-8109")) == [
        "extra variables", "inventory/group_vars/all.yml",
    ]  # fmt: skip
    assert len(done.found("SLW-8105")) == len(done.found("SLW-8021")) == len(done.found("SLW-8022")) == 1


def test_nothing_is_found_twice_in_other_order(project: Project) -> None:
    project.variables |= {"kube_netwrok_plugin": 1, "kube_verison": 1, "slipway_preflight_disk_mib": 10**9}
    first, second = project.run(), project.run()
    shown = [[(f["code"], f["host"], f["where"]) for f in done.report["findings"]] for done in (first, second)]
    assert shown[0] == shown[1]
    assert len(set(shown[0])) == len(shown[0]) == 5


def test_only_the_hosts_of_the_play_are_contacted(project: Project) -> None:
    one, two, three = project.hosts
    done = project.run("-e", f"slipway_preflight_hosts={three.name}")
    assert done.report["hosts"] == [three.name]
    assert (log.connections(one), log.connections(two)) == (0, 0), "not even to see whether they answer"
    assert len(log.logins(three)) == 1
