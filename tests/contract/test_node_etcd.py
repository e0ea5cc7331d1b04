# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Snapshots of a real etcd: taken, looked at, restored into another etcd, and refused when they are no good."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.etcd_ctl import Etcd, EtcdError, find
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.etcd_snapshot import take, verify
from tests.contract.fixtures import objects as o
from tests.contract.rights import CORES
from tests.contract.support import ROOT, Cluster, eventually

pytestmark = pytest.mark.lab

Json = dict[str, Any]


def files_of(cluster: Cluster) -> dict[str, str]:
    pki = Path(cluster.env["state_dir"]) / "pki"
    state = json.loads((Path(cluster.env["state_dir"]) / "state.json").read_text(encoding="utf-8"))
    return {
        "endpoint": f"https://127.0.0.1:{state['ports']['etcd']}",
        "ca": str(pki / "etcd-ca.crt"),
        "cert": str(pki / "etcd-client.crt"),
        "key": str(pki / "etcd-client.key"),
    }


@pytest.fixture
def tools(cluster: Cluster, tmp_path: Path) -> str:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("etcdctl", "etcdutl"):
        (folder / name).symlink_to(cluster.env["bin"][name])
    return str(folder)


@pytest.fixture
def etcd(cluster: Cluster, tools: str) -> Etcd:
    return find({**files_of(cluster), "bin": tools}, env_file="/not/there", folders=())


def port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_snapshot_holds_what_the_cluster_has(cluster: Cluster, etcd: Etcd, home: None, tmp_path: Path) -> None:
    """Another etcd is started from it."""
    cluster.client().write("POST", f"/api/v1/namespaces/{cluster.home}/configmaps", o.config_map("witness"))
    found = take(etcd, str(tmp_path / "snapshots"), 3)
    path = Path(found["path"])
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.with_suffix(".restore.txt").stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert found["keys"] > 100
    assert found["revision"] >= 1
    assert re.fullmatch(rf"etcd-\d{{8}}T\d{{6}}Z-r{found['revision']}\.db", path.name)

    steps = path.with_suffix(".restore.txt").read_text(encoding="utf-8").splitlines()
    assert steps == found["restore"]
    (line,) = [step for step in steps if " snapshot restore " in step]
    data, client, peer = tmp_path / "restored", port(), port()
    # The line as it is told, but for the folder and the address.
    told = re.sub(r"http://127\.0\.0\.1:\d+", f"http://127.0.0.1:{peer}", line)
    command = told.replace(f"--data-dir {etcd.data}", f"--data-dir {data}").split()
    subprocess.run(command, check=True, capture_output=True)
    urls = [f"--{what}-client-urls=http://127.0.0.1:{client}" for what in ("listen", "advertise")]
    name = command[command.index("--name") + 1]
    program = [cluster.env["bin"]["etcd"], f"--data-dir={data}", f"--name={name}", *urls, "--log-level=error"]
    program += [f"--listen-peer-urls=http://127.0.0.1:{peer}", f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}"]
    program += [f"--initial-cluster={name}=http://127.0.0.1:{peer}", "--unsafe-no-fsync"]
    with subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as other:
        try:
            key = f"/registry/configmaps/{cluster.home}/witness"
            ask = [etcd.etcdctl, "--endpoints", f"http://127.0.0.1:{client}", "get", "--keys-only", key]

            def there() -> bool:
                return key in subprocess.run(ask, capture_output=True, text=True, check=False, timeout=30).stdout

            eventually(there)
        finally:
            other.kill()


def test_only_so_many_are_kept(etcd: Etcd, tmp_path: Path) -> None:
    folder = tmp_path / "snapshots"
    folder.mkdir()
    (folder / "etcd-20200101T000000Z.part").write_text("of a run that died")
    (folder / "mine.db").write_text("somebody else's")
    taken = [take(etcd, str(folder), 2, now=1_700_000_000.0 + number) for number in range(4)]
    assert [len(one["removed"]) for one in taken] == [0, 0, 1, 1]
    left = sorted(path.name for path in folder.iterdir())
    names = [Path(one["path"]).name for one in taken[2:]]
    assert left == sorted([*names, *(name.replace(".db", ".restore.txt") for name in names), "mine.db"])


def test_damage_is_found(etcd: Etcd, tmp_path: Path) -> None:
    path = Path(take(etcd, str(tmp_path / "s"), 1)["path"])
    sound = path.read_bytes()
    middle = len(sound) // 2
    for damaged in (
        sound[:middle] + bytes([sound[middle] ^ 1]) + sound[middle + 1 :],
        sound[:-512],
        sound[:-32],
        b"",
        b"x" * 1056,
    ):
        path.write_bytes(damaged)
        with pytest.raises(EtcdError, match="SLW-8512"):
            verify(etcd, str(path))
    path.write_bytes(sound)
    revision = verify(etcd, str(path))["revision"]
    assert verify(etcd, str(path), least=revision)["revision"] == revision
    with pytest.raises(EtcdError, match=r"SLW-8512.*was at revision"):
        verify(etcd, str(path), least=revision + 1)


def test_failure_leaves_the_older_ones(cluster: Cluster, etcd: Etcd, tmp_path: Path) -> None:
    folder = tmp_path / "snapshots"
    first = take(etcd, str(folder), 1)["path"]
    pki = Path(cluster.env["state_dir"]) / "pki"
    stranger = replace(etcd, cert=str(pki / "admin.crt"), key=str(pki / "admin.key"))
    with pytest.raises(EtcdError, match=r"SLW-8510 etcdctl .*"):
        take(stranger, str(folder), 1)
    assert Path(first).exists()
    bent = tmp_path / "etcdutl"
    bent.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    bent.chmod(0o755)
    with pytest.raises(EtcdError, match="SLW-8512"):
        take(replace(etcd, etcdutl=str(bent)), str(folder), 1)
    assert Path(first).exists()
    with pytest.raises(EtcdError, match="SLW-8511"):
        take(etcd, "/proc/nowhere", 1)


def test_members_and_one_that_is_down(etcd: Etcd) -> None:
    (member,) = etcd.members()
    assert (member["name"], member["healthy"], member["learner"]) == ("lab", True, False)
    assert etcd._healthy([f"https://127.0.0.1:{port()}"]) is False


def test_found_where_kubespray_puts_it(cluster: Cluster, tools: str, tmp_path: Path) -> None:
    given = files_of(cluster)
    service = tmp_path / "etcd.env"
    service.write_text(
        "# Environment file for etcd 3.6.10\nETCD_DATA_DIR=/data/etcd\nETCD_LISTEN_CLIENT_URLS=https://10.0.0.1:2379\n"
        f"ETCDCTL_ENDPOINTS={given['endpoint']}\nETCDCTL_CACERT={given['ca']}\n"
        f"ETCDCTL_KEY={given['key']}\nETCDCTL_CERT={given['cert']}\n",
        encoding="utf-8",
    )
    found = find({"bin": tools}, env_file=str(service), folders=())
    assert (found.way, found.data, found.endpoint) == ("host", "/data/etcd", given["endpoint"])
    assert take(found, str(tmp_path / "a"), 1)["keys"] > 100

    pod = tmp_path / "ssl" / "etcd"
    pod.mkdir(parents=True)
    for name, source in (("ca.crt", "ca"), ("server.crt", "cert"), ("server.key", "key")):
        shutil.copy(given[source], pod / name)
    found = find({"bin": tools, "endpoint": given["endpoint"]}, env_file="/not/there", folders=(str(pod),))
    assert (found.way, found.data) == ("kubeadm", "/var/lib/etcd")
    steps = take(found, str(tmp_path / "b"), 1)["restore"]
    assert "mv /etc/kubernetes/manifests/etcd.yaml /root/stopped/" in steps
    assert not any("systemctl" in step for step in steps)

    with pytest.raises(EtcdError, match="SLW-8510 no ca, cert, key for etcd on this host"):
        find({"bin": tools}, env_file="/not/there", folders=())
    with pytest.raises(EtcdError, match="SLW-8510 there is no etcdctl"):
        find({**given, "bin": str(tmp_path)})


PLAY = """
- hosts: all
  gather_facts: false
  environment: {ETCDCTL_CERT: /from/a/shell}
  tasks:
    - slipway.cluster.etcd_snapshot: "{{ options | combine({'state': 'asked'}) }}"
      register: asked
    - slipway.cluster.etcd_snapshot: "{{ options }}"
      check_mode: true
      register: checked
    - slipway.cluster.etcd_snapshot: "{{ options }}"
      register: taken
    - slipway.cluster.etcd_snapshot: "{{ options | combine({'bin_dir': '/nowhere'}) }}"
      register: failed
      ignore_errors: true
    - copy:
        content: "{{ {'asked': asked, 'checked': checked, 'taken': taken, 'failed': failed} | to_json }}"
        dest: "{{ told }}"
"""


def test_module_on_an_old_python(cluster: Cluster, tools: str, tmp_path: Path) -> None:
    given = files_of(cluster)
    options = {
        "folder": str(tmp_path / "snapshots"),
        "endpoint": given["endpoint"],
        "bin_dir": tools,
        **{f"{name}_file": given[name] for name in ("ca", "cert", "key")},
    }
    variables = {"ansible_connection": "local", "ansible_python_interpreter": str(old_python())}
    inventory = {"all": {"hosts": {"node": variables}, "vars": {"options": options, "told": str(tmp_path / "told")}}}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    (tmp_path / "play.yml").write_text(PLAY, encoding="utf-8")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "PYTHON"))}
    environment = {
        **kept,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "collections"),
        "ANSIBLE_HOME": str(tmp_path / "h"),
    }
    command = [CORES["2.18"] / "ansible-playbook", "-i", "hosts.yml", "play.yml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads((tmp_path / "told").read_text(encoding="utf-8"))
    assert not told["asked"]["changed"]
    assert told["asked"]["members"][0]["healthy"]
    assert told["checked"]["changed"]
    assert "path" not in told["checked"]
    assert Path(told["taken"]["path"]).exists()
    assert len(list((tmp_path / "snapshots").glob("*.db"))) == 1
    assert told["failed"]["code"] == "SLW-8510"


def old_python() -> Path:
    for version in ("3.8", "3.9", "3.10"):
        on_path = shutil.which(f"python{version}")
        for place in (
            *([Path(on_path)] if on_path else []),
            *Path.home().glob(f".pyenv/versions/{version}.*/bin/python"),
        ):
            if subprocess.run([place, "-c", "import ssl"], capture_output=True, check=False).returncode == 0:
                return place
    pytest.skip("no older Python is here: none of 3.8, 3.9, 3.10")
