# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Kubespray's dictionary of downloads as a literal is what the template is, for every host and wherever it is read.

Over real Kubespray; where that is looked for, says test_kubespray_contract.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.kubespray.frozen import Source
from tests.contract.support import ROOT
from tests.contract.test_kubespray_contract import HOME, programs, real

__all__ = ["programs", "real"]

HOSTS = ("control1", "worker1", "etcd1")
# What users set: for all, and for one host.
COMMON = {
    "kube_version": "1.34.4",
    "kube_network_plugin": "calico",
    "mirror": "https://mirror.example.com",
    "github_url": "{{ mirror }}/github",
    "dl_k8s_io_url": "{{ mirror }}/k8s",
    "registry": "registry.example.com:5000",
    "kube_image_repo": "{{ registry }}/kube",
    "quay_image_repo": "{{ registry }}/quay",
    "pod_infra_image_tag": "own",
    "helm_enabled": True,
}
OWN: dict[str, dict[str, Any]] = {
    "control1": {},
    "worker1": {"local_release_dir": "/srv/{{ inventory_hostname }}", "container_manager": "crio"},
    "etcd1": {"etcd_download_url": "{{ mirror }}/etcd-{{ inventory_hostname }}.tar.gz"},
}
DEFAULTS = "kubernetes_sigs.kubespray.kubespray_defaults"
# Nothing of the template may be left afterwards: what it is made of is gone.
GONE = {"kube_version": "0.0.0", "local_release_dir": "/gone", "github_url": "gone", "registry": "gone"}


def keep(kind: str) -> dict[str, Any]:
    """A task that writes the dictionary into a file of each host's."""
    return {"content": "{{ downloads | to_json }}", "dest": f"{{{{ out }}}}/{{{{ inventory_hostname }}}}.{kind}"}


PLAYS: list[dict[str, Any]] = [
    {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            {"ansible.builtin.setup": {"gather_subset": ["!all"]}},
            {"ansible.builtin.include_role": {"name": DEFAULTS, "public": True}},
            {"ansible.builtin.copy": keep("template")},
        ],
    },
    {"ansible.builtin.import_playbook": str(ROOT / "playbooks" / "parts" / "compute.yml")},
    # As Kubespray's own plays begin.
    {
        "hosts": "all",
        "gather_facts": False,
        "roles": [DEFAULTS],
        "tasks": [{"ansible.builtin.copy": keep("literal"), "vars": GONE}],
    },
]


@pytest.fixture(scope="module")
def values(real: Path, programs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, Any]]:
    """By host the dictionary as Kubespray templates it, and as its plays find it after ours."""
    folder = tmp_path_factory.mktemp("downloads")
    groups = {"kube_control_plane": "control1", "kube_node": "worker1", "etcd": "etcd1"}
    inventory = {
        "all": {
            "vars": {"ansible_connection": "local", "ansible_python_interpreter": str(programs / "python"), **COMMON},
            "hosts": OWN,
            "children": {
                **{group: {"hosts": {host: {}}} for group, host in groups.items()},
                "k8s_cluster": {"children": {"kube_control_plane": {}, "kube_node": {}}},
            },
        }
    }
    (folder / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    (folder / "site.yml").write_text(yaml.safe_dump(PLAYS, sort_keys=False), encoding="utf-8")
    done = subprocess.run(
        [programs / "ansible-playbook", "-i", folder / "hosts.yml", "-e", f"out={folder}", folder / "site.yml"],
        cwd=folder,
        env={
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(folder),
            "ANSIBLE_COLLECTIONS_PATH": f"{real}:{ROOT / '.build' / 'collections'}",
            "ANSIBLE_NOCOLOR": "1",
            "LC_ALL": "C.UTF-8",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout
    kept = {file.name: json.loads(file.read_text(encoding="utf-8")) for file in folder.glob("*1.*")}
    return {host: (kept[f"{host}.template"], kept[f"{host}.literal"]) for host in HOSTS}


@pytest.mark.parametrize("host", HOSTS)
def test_key_by_key(values: dict[str, tuple[Any, Any]], host: str) -> None:
    template, literal = values[host]
    assert len(template) > 60
    assert template.keys() == literal.keys()
    different = {name: (template[name], literal[name]) for name in template if template[name] != literal[name]}
    assert different == {}


def test_what_the_user_has_set_is_in_it(values: dict[str, tuple[Any, Any]]) -> None:
    """And hosts differ where the inventory makes them differ."""
    literals = {host: literal for host, (_template, literal) in values.items()}
    for one in literals.values():
        assert one["kubelet"]["url"].startswith(f"https://mirror.example.com/k8s/release/v{COMMON['kube_version']}/")
    assert literals["control1"]["pod_infra"]["repo"] == "registry.example.com:5000/kube/pause"
    assert literals["worker1"]["kubelet"]["dest"].startswith("/srv/worker1/")
    assert literals["etcd1"]["etcd"]["url"] == "https://mirror.example.com/etcd-etcd1.tar.gz"
    assert literals["control1"]["etcd"]["url"] != literals["etcd1"]["etcd"]["url"]
    assert literals["worker1"]["crio"]["enabled"] is True
    assert literals["control1"]["crio"]["enabled"] is False


def test_nothing_that_it_is_made_of_changes_later(real: Path) -> None:
    """``calico_datastore`` is set when an old cluster's network is found, by the role after all downloads; only
    ``enabled`` of one item depends on it, and that only the role for downloads reads. A newer Kubespray renames kinds
    of RedHat in ``ansible_facts``, of which the dictionary reads system and architecture."""
    source = Source(real / HOME)
    assert len(source.depends()) > 250
    assert source.depends() & source.set_by_tasks() - {"ansible_facts"} == {"calico_datastore"}
    mentions = [name for name, value in source.defaults["downloads"].items() if "calico_datastore" in str(value)]
    assert [key for name in mentions for key, text in source.defaults["downloads"][name].items()
            if "calico_datastore" in str(text)] == ["enabled"] * len(mentions)  # fmt: skip


def test_roles_that_read_it_see_the_same(real: Path) -> None:
    """Inside of a role its own defaults count more than those that the literal was made with. Where they differ, as for
    Argo CD's version, compute.yml leaves the dictionary as it is."""
    source = Source(real / HOME)
    users = source.users()
    assert {"download", "kubernetes/node", "container-engine/containerd"} <= set(users)
    needed = source.depends()
    differ = {
        (role, name)
        for role in users
        for name, value in source.with_dependencies(role).items()
        if name in needed and source.defaults.get(name) != value
    }
    assert differ <= {("kubernetes-apps/argocd", "argocd_version")}
    text = (ROOT / "playbooks" / "parts" / "compute.yml").read_text(encoding="utf-8")
    assert "not (argocd_enabled | default(false) | bool)" in text
