# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The parts of `make ee` that need neither root nor podman: its Galaxy server, a job's folder, what it looks for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lab.ee import build, content, galaxy, job, podman, story, ways
from lab.ee.job import COLLECTIONS, Job
from lab.ee.podman import Podman
from lab.errors import LabError
from lab.serve import Server
from tests import packaging


@contextmanager
def served(site: Path) -> Iterator[str]:
    with Server(0, galaxy.handler(site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{server.server_name}:{server.server_port}"
        server.shutdown()


def collection(folder: Path, name: str, dependencies: dict[str, str]) -> Path:
    """An installed collection of one file, as Ansible's distribution has them."""
    (folder / "playbooks").mkdir(parents=True)
    (folder / "playbooks" / "hello.yml").write_text("---\n- hosts: all\n", encoding="utf-8")
    info = {"namespace": "example", "name": name, "version": "1.2.3", "dependencies": dependencies}
    manifest = {
        "collection_info": info,
        "file_manifest_file": {"name": "FILES.json", "chksum_type": "sha256", "chksum_sha256": "stale"},
    }
    (folder / "MANIFEST.json").write_text(json.dumps(manifest | {"format": 1}), encoding="utf-8")
    (folder / "FILES.json").write_text('{"files": ["tests/left_out.py"]}', encoding="utf-8")
    return folder


def test_ansible_galaxy_installs_from_the_server_and_verifies_what_it_got(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    with served(site) as address:
        galaxy.publish(collection(tmp_path / "one", "one", {"example.two": ">=1.0.0"}), site, address)
        galaxy.publish(collection(tmp_path / "two", "two", {}), site, address)
        target = tmp_path / "collections"
        packaging.ansible(
            "ansible-galaxy", "collection", "install", "example.one", "-s", f"{address}/", "-p", target,
            home=tmp_path, collections=target,
        )  # fmt: skip
        assert (target / "ansible_collections/example/two/playbooks/hello.yml").is_file()
        verify = ("ansible-galaxy", "collection", "verify", "example.one", "-s", f"{address}/")
        packaging.ansible(*verify, home=tmp_path, collections=target)


def test_the_server_gives_away_its_own_files_only(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "page.json").write_text("{}", encoding="utf-8")
    (tmp_path / "site").mkdir()
    with served(tmp_path / "site") as address:
        for path in ("secret", "../secret", "api/v3/collections/example/none"):
            asked = subprocess.run(
                ["curl", "-s", "--path-as-is", "--noproxy", "*", "-w", "%{http_code}", f"{address}/{path}"],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            assert asked.stdout.endswith("404")


def written(tmp_path: Path) -> Job:
    project = tmp_path / "project"
    (project / "slipway").mkdir(parents=True)
    (project / "slipway" / "plan.yml").write_text("---\n", encoding="utf-8")
    one = Job(Podman(tmp_path / "podman"), "image", tmp_path / "job", 7, "slipway/plan.yml", {"SLIPWAY_API_TOKEN": "t"})
    one.write(project, {"_meta": {"hostvars": {"a": {"text": 'it\'s \\ "{{ x }}"\n'}}}}, {"slipway_files_dir": "/x"})
    return one


def test_a_jobs_folder_is_as_awx_lays_it_out(tmp_path: Path) -> None:
    one = written(tmp_path)
    assert (one.folder / "project/slipway/plan.yml").is_file()
    told = subprocess.run([one.folder / "inventory/hosts"], capture_output=True, text=True, check=True).stdout
    assert json.loads(told)["_meta"]["hostvars"]["a"]["text"] == 'it\'s \\ "{{ x }}"\n'
    environment = json.loads((one.folder / "env/envvars").read_text(encoding="utf-8"))
    assert environment["SLIPWAY_API_TOKEN"] == "t"
    assert (environment["JOB_ID"], environment["ANSIBLE_HOST_KEY_CHECKING"]) == ("7", "False")
    assert json.loads((one.folder / "env/extravars").read_text(encoding="utf-8")) == {"slipway_files_dir": "/x"}
    for name in ("env", "inventory"):
        assert (one.folder / name).stat().st_mode & 0o077 == 0


def test_a_jobs_output_is_read_without_colours_and_carriage_returns(tmp_path: Path) -> None:
    one = written(tmp_path)
    assert one.output == ""
    one.artifacts.mkdir(parents=True)
    (one.artifacts / "stdout").write_bytes(b"\x1b[0;32mok: [a]\x1b[0m\r\nPLAN x\r\n")
    assert one.output == "ok: [a]\nPLAN x\n"


def test_what_is_written_among_the_collections_is_told_and_nothing_else() -> None:
    inside = f"{COLLECTIONS}/ansible_collections/slipway/cluster/plugins/x.pyc"
    lines = ["C /usr", "C /usr/share", f"C {COLLECTIONS}", f"A {inside}", f"A {COLLECTIONS}-not/x", "A /root/.ansible"]
    assert job.changes(lines) == [COLLECTIONS, inside]


def test_collections_are_compared_with_what_is_pinned() -> None:
    wanted = [
        {"name": "slipway.cluster", "version": ">=1.0.0,<2.0.0"},
        {"name": "https://example.com/kubespray", "type": "git", "version": "v2.31.0"},
        {"name": "example.one", "version": "1.0.0"},
        {"name": "example.two", "version": "1.0.0"},
    ]
    found = {"slipway.cluster": "1.4.0", "kubernetes_sigs.kubespray": "2.31.0", "example.one": "1.0.1"}
    assert content.differences(wanted, found) == ["example.one 1.0.1 in place of 1.0.0", "example.two is missing"]
    assert content.differences(wanted[:2], found) == []


def test_the_server_has_what_comes_neither_from_here_nor_by_git() -> None:
    wanted = [
        {"name": "slipway.cluster", "version": ">=1.0.0"},
        {"name": "https://example.com/kubespray", "type": "git"},
        {"name": "example.one", "version": "1.0.0"},
    ]
    assert build.distributed(wanted) == ["example.one"]


SAID = """>> ansible-playbook --version
ansible-playbook [core 2.18.19]
>> ansible-runner --version
2.4.3
>> helm version --short
v3.18.4+gd80839c
>> kubectl version --client
Client Version: v1.35.4
>> git --version
git version 2.39.5
>> rsync --version
rsync  version 3.2.7  protocol version 31
>> ssh -V
OpenSSH_9.2p1 Debian-2+deb12u7, OpenSSL 3.0.17 1 Jul 2025
>> sshpass -V
sshpass 1.09
"""


def test_versions_are_read_from_what_programs_say() -> None:
    assert content.versions(SAID) == {
        "ansible-playbook": "2.18.19", "ansible-runner": "2.4.3", "helm": "3.18.4", "kubectl": "1.35.4",
        "git": "2.39.5", "rsync": "3.2.7", "ssh": "9.2p1", "sshpass": "1.09",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("v3.18.4+gd80839c", "sh: 1: helm: not found"),
        ("[core 2.18.19]", "[core 2.21.0]"),
        (">> sshpass -V\nsshpass 1.09\n", ""),
    ],
)
def test_a_program_that_is_missing_or_another_is_an_error(old: str, new: str) -> None:
    assert old in SAID
    with pytest.raises(LabError, match="in the image says"):
        content.versions(SAID.replace(old, new))


def test_a_job_that_says_something_else_is_an_error() -> None:
    out = "TASK\nPLAN trial  cluster 1  1 add-on: 1 install\n"
    assert story._line(out, "PLAN trial .* 1 install") == "PLAN trial cluster 1 1 add-on: 1 install"
    with pytest.raises(LabError, match="1 add-on: 1 install"):
        story._line(out, "1 unchanged")


def test_mounts_that_are_left_are_found_and_nobody_elses() -> None:
    line = "36 35 98:0 / {} rw,noatime master:1 - ext4 /dev/root rw"
    places = ("/", "/var/ee/podman/storage/overlay", "/var/ee/podman-2/x", "/var/ee/podman/storage/overlay/a/merged")
    listing = "\n".join(line.format(place) for place in places)
    assert podman.mounts(listing, Path("/var/ee/podman")) == [places[3], places[1]]


def test_podman_reads_and_writes_its_own_folder_only(tmp_path: Path) -> None:
    one = Podman(tmp_path / "podman")
    one.prepare()
    for name in ("CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF", "CONTAINERS_REGISTRIES_CONF", "TMPDIR"):
        assert Path(one.environment[name]).is_relative_to(one.folder)
    storage = (one.folder / "storage.conf").read_text(encoding="utf-8")
    assert f'graphroot = "{one.folder}/storage"' in storage
    assert f'runroot = "{one.folder}/run"' in storage


@pytest.mark.parametrize(
    ("user", "missing", "words"),
    [
        (1000, "", "start it as root"),
        (0, "apt-get", "it takes a Debian"),
        (0, "podman", r"no podman here: `apt install podman`"),
        (0, "runc", r"no runc here: `apt install runc`"),
    ],
)
def test_a_machine_that_cannot_hold_it_is_refused(
    monkeypatch: pytest.MonkeyPatch, user: int, missing: str, words: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(shutil, "which", lambda name: None if name == missing else f"/usr/bin/{name}")
    with pytest.raises(LabError, match=words):
        podman.check()


def test_a_machine_that_has_everything_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    podman.check()


def test_a_build_gets_kubespray_where_it_looks_for_it_and_programs_by_their_sums(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[list[str]] = []

    def run(command: list[str]) -> str:
        calls.append(command)
        return "/srv/kubespray\n" if "ls-remote" in command else ""

    monkeypatch.setattr(ways.debs, "run", run)
    programs = {name: tmp_path / name for name in ("helm3", "kubectl")}
    for name, path in programs.items():
        path.write_text(name, encoding="utf-8")
    one = ways.Ways(tmp_path / "ways")
    one.prepare("http://127.0.0.1:1", programs)
    assert calls[1][-2:] == ["file:///srv/kubespray", str(one.folder / "kubespray.git")]
    assert "--branch=v2.31.0" in calls[1]
    told = (one.folder / "gitconfig").read_text(encoding="utf-8")
    assert "insteadOf = https://github.com/kubernetes-sigs/kubespray" in told
    for name in ("HELM", "KUBECTL"):
        file = one.folder / Path(one.arguments[f"{name}_URL"]).name
        command = ["sha256sum", "--check"]
        subprocess.run(command, input=f"{one.arguments[f'{name}_SHA256']}  {file}\n", text=True, check=True)
    assert all(volume.endswith(":ro") for volume in one.volumes)


def test_pip_gets_what_says_where_packages_are_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = "global.cert='{0}'\nglobal.index-url='https://pypi.example.com/simple'\ninstall.user='true'\n"
    (tmp_path / "ca.crt").write_text("authority", encoding="utf-8")

    def run(*_arguments: Any, **_options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0, told.format(tmp_path / "ca.crt"))

    monkeypatch.setattr(ways.subprocess, "run", run)
    one = ways.Ways(tmp_path)
    one._pip()
    written = (tmp_path / "pip.conf").read_text(encoding="utf-8")
    assert "index-url = https://pypi.example.com/simple" in written
    assert "user" not in written
    assert f"cert = {ways.INSIDE}/certificates.crt" in written
    assert (tmp_path / "certificates.crt").read_text(encoding="utf-8") == "authority"
