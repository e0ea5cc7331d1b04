# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The parts of the real lab that need neither root nor Kubespray: images, inventory, control groups, hosts' files."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from lab import debian, procs
from lab.cache import sha256_of
from lab.errors import LabError
from lab.procs import Process
from lab.real import cgroups, ground, guest, images, inventory, kubespray, login, model, modules, network
from lab.real.images import Image
from lab.real.steps import Steps

V1 = """tmpfs /sys/fs/cgroup tmpfs rw 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,relatime,name=systemd 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
/dev/sda / ext4 rw 0 0
"""
V2 = "cgroup2 /sys/fs/cgroup cgroup2 rw,memory_recursiveprot 0 0\n"


def published(folder: Path) -> tuple[str, Path]:
    program = folder / "program"
    program.write_text("#!/bin/sh\n")
    image = Image("lab/web", "1", {"usr/bin/b": "a", "usr/bin/a": program}, ("/usr/bin/a",))
    return images.publish(image, folder / "registry"), folder / "registry/v2/lab/web"


def test_an_image_is_what_its_digests_say(tmp_path: Path) -> None:
    digest, place = published(tmp_path)
    text = (place / "manifests/1").read_bytes()
    assert (place / "manifests" / digest).read_bytes() == text
    assert digest == f"sha256:{hashlib.sha256(text).hexdigest()}"
    manifest = json.loads(text)
    for blob in [manifest["config"], *manifest["layers"]]:
        path = place / "blobs" / blob["digest"]
        assert (blob["digest"], blob["size"]) == (f"sha256:{sha256_of(path)}", path.stat().st_size)
    layer = gzip.decompress((place / "blobs" / manifest["layers"][0]["digest"]).read_bytes())
    config = json.loads((place / "blobs" / manifest["config"]["digest"]).read_text())
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    assert config["config"]["Entrypoint"] == ["/usr/bin/a"]
    with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
        assert [(entry.name, entry.linkname) for entry in archive] == [("usr/bin/a", ""), ("usr/bin/b", "a")]
        assert archive.getmember("usr/bin/a").mode == 0o755
    assert {path.name for path in (place / "blobs").iterdir()} == {
        blob["digest"] for blob in [manifest["config"], *manifest["layers"]]
    }


def test_the_same_files_make_the_same_image(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    assert published(tmp_path / "one")[0] == published(tmp_path / "two")[0]


def test_every_hierarchy_is_found() -> None:
    found = [path.name for path in cgroups.hierarchies(V1)]
    assert found == ["memory", "systemd", "unified"]


@pytest.mark.parametrize("mounts", [V2, ""])
def test_a_machine_with_other_control_groups_is_refused(mounts: str) -> None:
    with pytest.raises(LabError, match="control groups of version 1"):
        cgroups.hierarchies(mounts)


def test_only_the_distributions_own_archive_is_used() -> None:
    listing = (
        "http://archive.invalid/debian bookworm-updates main Debian\n"
        "http://archive.invalid/debian bookworm main Debian\n"
        "http://other.invalid/debian nodistro main Other\n"
        "http://archive.invalid/debian bookworm main Debian\n"
    )
    assert debian.sources(listing) == [
        "deb http://archive.invalid/debian bookworm main",
        "deb http://archive.invalid/debian bookworm-updates main",
    ]


def test_hosts_keep_their_addresses_when_more_come() -> None:
    few, many = model.hosts(1, 1), model.hosts(3, 5)
    assert set(few) <= set(many)
    assert len({host.address for host in many}) == len({host.pods for host in many}) == 8
    assert {host.name for host in many if host.control_plane} == {"cp1", "cp2", "cp3"}


def test_a_host_has_a_way_to_every_other_hosts_pods_and_none_around_its_own() -> None:
    one, other = model.hosts(1, 1)
    script = guest.files(one)["opt/lab/network"]
    assert f"ip route add {other.pods} via {other.address}\n" in script
    assert one.pods not in script
    plugin = json.loads(guest.files(one)[guest.CNI])["plugins"][0]
    assert plugin["ipam"]["ranges"] == [[{"subnet": one.pods}]]


def test_the_inventory_names_every_file_with_its_checksum(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    run = model.Run(tmp_path / "run", kubernetes=modules.EARLIER)
    for _prefix, named, _kind in inventory.DOWNLOADS:
        name = named.format(kubernetes=run.kubernetes)
        (tmp_path / "files" / name).write_text(name)
    run.folder.mkdir()
    place = inventory.write(run, model.hosts(1, 2), tmp_path)
    told = yaml.safe_load((place / "group_vars/all/kubespray.yml").read_text())
    assert told["kube_version"] == "1.35.3"
    for prefix, named, kind in inventory.DOWNLOADS:
        name = named.format(kubernetes=run.kubernetes)
        assert told[f"{prefix}_download_url"].endswith(f"/files/{name}")
        assert told[f"{prefix}_{kind}_checksum"] == f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
    groups = yaml.safe_load((place / "hosts.yml").read_text())["all"]
    assert groups["hosts"]["w2"] == dict.fromkeys(("ansible_host", "ip", "access_ip"), "10.99.0.21")
    members = {name: list(group.get("hosts") or group["children"]) for name, group in groups["children"].items()}
    assert members == {
        "kube_control_plane": ["cp1"],
        "etcd": ["cp1"],
        "kube_node": ["w1", "w2"],
        "k8s_cluster": ["kube_control_plane", "kube_node"],
    }


def test_hosts_are_entered_by_the_key_or_by_certificates_and_known_by_the_same(tmp_path: Path) -> None:
    run = model.Run(tmp_path)
    host = model.hosts(1, 0)[0]
    public = run.root(host.name) / f"{login.HOST_KEY}.pub"
    public.parent.mkdir(parents=True)
    public.write_text("ssh-ed25519 AAAA cp1\n")
    login.by_key(run)
    assert login.variables(run) == {"ansible_ssh_private_key_file": str(tmp_path / "key")}
    assert login.known_hosts(run, [host]) == "10.99.0.11 ssh-ed25519 AAAA cp1\n"
    (tmp_path / login.TRUSTED).write_text('{"user_ca": "u", "host_ca": "h", "role_id": "r"}')
    told = login.variables(run)
    assert list(told) == ["slipway_ssh"]
    assert (told["slipway_ssh"]["host_check"], told["slipway_ssh"]["host_ca"]) == ("enforce", "h")
    assert login.known_hosts(run, [host]) == ""


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    run = model.Run(tmp_path, machines={"cp1": Process("cp1", 12, 34, ("a", "b"))}, settings={"vm/x": "1"})
    run.save()
    assert model.load(tmp_path) == run
    assert model.load(tmp_path / "absent") is None


def test_the_machines_own_network_is_nobodys_to_clear() -> None:
    assert network.members(network.identity(None)) == []
    assert network.members("") == []


def test_a_second_run_knows_the_settings_from_before_the_first(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    here = procs.find(os.getpid())
    first = model.Run(tmp_path / "one", server=here, settings={"vm/panic_on_oom": "7"})
    first.save()
    assert ground._beside(tmp_path / "two") == first.settings
    assert ground._beside(tmp_path / "one") == {}
    assert here is not None
    first.server = replace(here, started=here.started - 1)
    first.save()
    assert ground._beside(tmp_path / "two") == {}


def test_without_kubespray_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kubespray, "PLACES", (tmp_path / "empty",))
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", "")
    with pytest.raises(kubespray.NotInstalledError, match=r"run `ansible-galaxy collection install`.*v2\.31\.0"):
        kubespray.find()
    manifest = tmp_path / kubespray.INSIDE / "MANIFEST.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text('{"collection_info": {"version": "2.30.0"}}')
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", str(tmp_path))
    with pytest.raises(kubespray.NotInstalledError, match=r"holds Kubespray 2\.30\.0: install 2\.31\.0"):
        kubespray.find()
    manifest.write_text(manifest.read_text().replace("2.30.0", kubespray.VERSION))
    assert kubespray.find() == tmp_path


def test_the_last_lines_of_a_run_are_counted() -> None:
    log = "PLAY RECAP ***\ncp1                        : ok=59   changed=6    unreachable=0    failed=1    skipped=25\n"
    assert kubespray.recap(log) == {"cp1": (59, 6, 0, 1)}


def test_who_is_not_root_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(LabError, match="start it as root"):
        ground.check()


def test_a_step_that_fails_is_printed_and_not_counted(capsys: pytest.CaptureFixture[str]) -> None:
    steps = Steps()
    with steps.step("one") as step:
        step.note = "two of two"
    with pytest.raises(LabError), steps.step("other"):
        raise LabError("no")
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith(" s  one: two of two")
    assert second.endswith(" s  FAILED  other")
    assert [step.name for step in steps.done] == ["one"]


def test_no_program_is_built_twice() -> None:
    for version in modules.KUBERNETES:
        built = [*modules.MODULES, *modules.KUBERNETES[version]]
        names = [name for module in built for name, _package in module.programs]
        assert len(names) == len(set(names))
    every = [*modules.MODULES, *(module for all_of in modules.KUBERNETES.values() for module in all_of)]
    assert len({module.unit().key for module in every}) == len(every)
