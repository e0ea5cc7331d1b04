# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What sealing takes, leaves and refuses, on a folder that holds a worker."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.image import manifest, place, sealing, suitable
from ansible_collections.slipway.cluster.plugins.module_utils.image.errors import ImageError
from ansible_collections.slipway.cluster.plugins.module_utils.image.leftovers import Search, search
from ansible_collections.slipway.cluster.plugins.module_utils.image.place import Place
from ansible_collections.slipway.cluster.plugins.module_utils.image.suitable import Layout
from tests.unit.image import worker_tree
from tests.unit.image.sealed import Told, seal, wanted
from tests.unit.image.worker_tree import ADDRESS, KEPT, NAME, RENDERED, build, gone, put


@pytest.fixture
def worker(tmp_path: Path) -> Path:
    return build(tmp_path)


def found(root: Path) -> list[str]:
    return [one.path for one in search(Search(str(root), names=[NAME, ADDRESS])).findings]


def content(root: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in sorted(root.rglob("*")) if file.is_file()}


def codes(call: Callable[[], object]) -> list[str]:
    with pytest.raises(ImageError) as caught:
        call()
    return [problem.code for problem in caught.value.problems]


def test_nothing_of_the_host_is_left(worker: Path) -> None:
    # An authority's certificate is no finding, nor is a network that somebody has written.
    assert set(found(worker)) >= set(gone()) - {
        "/etc/kubernetes/ssl/ca.crt",
        "/etc/cni/net.d/10-calico.conflist",
    }
    seal(worker)
    assert found(worker) == []
    assert [path for path in gone() if (worker / path[1:]).exists()] == []


def test_what_makes_a_node_stays(worker: Path) -> None:
    seal(worker)
    for path, text in KEPT.items():
        assert (worker / path[1:]).read_text() == text, path
    assert (worker / "etc/kubernetes/pki").is_symlink()
    assert (worker / "var/lib/kubelet").is_dir()


def test_an_image_is_not_sealed_again(worker: Path) -> None:
    first = seal(worker)
    before = content(worker)
    again = seal(worker)
    assert first.changed
    assert not again.changed
    assert again.manifest == first.manifest
    assert content(worker) == before


def test_a_run_that_died_is_finished(worker: Path) -> None:
    """Everything was written and nothing removed but what made it a node."""
    place_, layout = Place(str(worker)), Layout()
    plan = sealing.plan(place_, Told(place_), layout, wanted(), lambda: "2026-04-24T10:11:12Z")
    for path, data, mode in plan.writes:
        place_.write(path, data, mode)
    place_.remove(layout.kubelet_conf)
    seal(worker)
    assert found(worker) == []
    assert not (worker / "etc/kubernetes/kubelet.env").exists()
    assert not seal(worker).changed


def test_planning_changes_nothing(worker: Path) -> None:
    before = content(worker)
    place_ = Place(str(worker))
    programs = Told(place_)
    assert sealing.plan(place_, programs, Layout(), wanted(), lambda: "now").changed
    assert content(worker) == before
    assert programs.done == []


def test_pods_and_kubelet_are_stopped_before_anything_goes(worker: Path) -> None:
    place_ = Place(str(worker))
    programs = Told(place_)
    plan = sealing.plan(place_, programs, Layout(), wanted(), lambda: "now")
    sealing.carry_out(place_, programs, Layout(), plan)
    assert [command[:2] for command in programs.done] == [
        ("systemctl", "disable"),
        ("/usr/local/bin/crictl", "rmp"),
        ("systemctl", "daemon-reload"),
    ]
    wants = worker / "etc/systemd/system/multi-user.target.wants"
    assert sorted(path.name for path in wants.iterdir()) == sorted(sealing.UNITS)


def test_other_hosts_stay_in_the_hosts_file(worker: Path) -> None:
    seal(worker)
    text = (worker / "etc/hosts").read_text()
    assert f"10.0.0.190 {NAME}0.cluster.local {NAME}0\n" in text
    assert "10.0.0.11 cp1.cluster.local cp1\n" in text
    assert text.count("\n") == worker_tree.HOSTS.count("\n") - 2
    assert (worker / "etc/hostname").read_text() == "localhost\n"
    assert (worker / "etc/machine-id").read_bytes() == b""


def test_what_is_to_be_kept_is_kept(worker: Path) -> None:
    seal(worker, keep=["/root/.ssh/authorized_keys", "/tmp/releases/*", "/var/log/auth.log"])
    assert (worker / "root/.ssh/authorized_keys").exists()
    assert (worker / "tmp/releases/kubelet").exists()
    assert (worker / "var/log/auth.log").exists()
    assert not (worker / "root/.ssh/known_hosts").exists()
    assert not (worker / "var/log/journal/0123").exists()


def test_folders_that_the_program_needs_are_kept(worker: Path) -> None:
    seal(worker, own=frozenset({"/root/.ansible/tmp/ansible-tmp-1"}))
    assert (worker / "root/.ansible/tmp/ansible-tmp-1/AnsiballZ_setup.py").exists()


def test_the_users_own_network_stays(worker: Path) -> None:
    """With the plugin cni nobody else writes it."""
    put(worker, "/etc/cni/net.d/10-calico.conflist", f'{{"ranges": "{ADDRESS}"}}\n')
    put(worker, "/etc/cni/net.d/20-other.conflist", "{}\n")
    (worker / "etc/cni/net.d/calico-kubeconfig").unlink()
    seal(worker, Layout(network_plugin="cni"))
    assert (worker / "etc/cni/net.d/20-other.conflist").read_text() == "{}\n"
    assert not (worker / "etc/cni/net.d/10-calico.conflist").exists()
    assert (worker / "etc/slipway/join/10-calico.conflist").read_text() == '{"ranges": "@SLIPWAY_ADDRESS@"}\n'


def test_the_manifest_says_what_is_in_it(worker: Path) -> None:
    sealed = seal(worker).manifest
    there = json.loads((worker / "etc/slipway/image.json").read_text())
    assert there == sealed
    assert manifest.digest(there) == there["digest"]
    assert {key: there[key] for key in ("schema", "name", "kubespray", "kubernetes", "network_plugin", "server")} == {
        "schema": 1,
        "name": "gold",
        "kubespray": "2.31.0",
        "kubernetes": "1.35.4",
        "network_plugin": "calico",
        "server": "https://127.0.0.1:6443",
    }
    assert there["container_runtime"] == {"name": "containerd", "version": "2.2.3"}
    assert there["os"] == {"id": "debian", "version_id": "12"}
    assert there["images"] == [{"name": "registry.k8s.io/pause:3.10.1", "digest": "sha256:1234"}]
    assert there["variables"] == {"kube_network_plugin": "0123456789ab"}
    assert there["trust"] == [worker_tree.USER_CA_PRINT]
    assert set(there["programs"]) == {
        "/opt/cni/bin/loopback", "/usr/local/bin/containerd", "/usr/local/bin/kubeadm", "/usr/local/bin/kubelet",
    }  # fmt: skip
    assert there["sealed"] == "2026-04-24T10:11:12Z"


def test_a_manifest_that_was_changed_is_refused(worker: Path) -> None:
    seal(worker)
    text = (worker / "etc/slipway/image.json").read_text()
    (worker / "etc/slipway/image.json").write_text(text.replace("1.35.4", "1.36.4"))
    assert codes(lambda: seal(worker)) == ["SLW-8759"]


@pytest.mark.parametrize(
    "sign",
    [
        "/etc/kubernetes/admin.conf",
        "/etc/kubernetes/super-admin.conf",
        "/etc/kubernetes/manifests/kube-apiserver.yaml",
        "/etc/etcd.env",
        "/etc/kubernetes/manifests/etcd.yaml",
        "/var/lib/etcd/member/snap/db",
    ],
)
def test_who_holds_the_cluster_is_refused(worker: Path, sign: str) -> None:
    put(worker, sign, "x")
    before = content(worker)
    assert codes(lambda: seal(worker)) == ["SLW-8751"]
    assert content(worker) == before


def test_a_node_of_the_cluster_is_refused(worker: Path) -> None:
    assert codes(lambda: seal(worker, left=False)) == ["SLW-8752"]


def test_a_network_that_needs_etcd_is_refused(worker: Path) -> None:
    assert codes(lambda: seal(worker, Layout(network_etcd=True))) == ["SLW-8753"]
    put(worker, "/etc/calico/certs/key.pem", "x")
    assert codes(lambda: seal(worker)) == ["SLW-8753"]


def test_a_network_with_files_of_its_own_is_refused(worker: Path) -> None:
    assert codes(lambda: seal(worker, Layout(network_plugin="macvlan"))) == ["SLW-8753"]


@pytest.mark.parametrize("path", [*Layout().rendered, "/etc/kubernetes/kubelet.conf", "/usr/local/bin/kubelet"])
def test_what_kubespray_has_not_prepared_is_refused(worker: Path, path: str) -> None:
    (worker / path[1:]).unlink()
    assert codes(lambda: seal(worker)) == ["SLW-8754"]


def test_two_families_of_addresses_are_refused(worker: Path) -> None:
    text = RENDERED["/etc/kubernetes/kubelet.env"][1].replace(ADDRESS, f"{ADDRESS},fd00::19")
    put(worker, "/etc/kubernetes/kubelet.env", text)
    assert codes(lambda: seal(worker)) == ["SLW-8751"]


def test_everything_that_speaks_against_it_is_told_at_once(worker: Path) -> None:
    put(worker, "/etc/kubernetes/admin.conf", "x")
    put(worker, "/etc/etcd.env", "x")
    layout = Layout(network_plugin="macvlan", network_etcd=True)
    assert codes(lambda: seal(worker, layout, left=False)) == [
        "SLW-8751",
        "SLW-8751",
        "SLW-8753",
        "SLW-8753",
        "SLW-8752",
    ]


def test_what_is_mounted_is_not_removed(worker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "mounts", lambda: {"/": "ext4", f"{worker}/var/tmp/notes": "nfs"})
    before = content(worker)
    assert codes(lambda: seal(worker)) == ["SLW-8756"]
    assert content(worker) == before


def test_what_pods_have_mounted_is_unmounted(worker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point = "/var/lib/kubelet/pods/4711/volumes/kubernetes.io~secret/db"
    there = {"/": "ext4", f"{worker}/var/lib/kubelet": "ext4", f"{worker}{point}": "tmpfs"}
    monkeypatch.setattr(place, "mounts", lambda: there)
    place_ = Place(str(worker))

    class Unmounting(Told):
        def do(self, *command: str) -> None:
            super().do(*command)
            if command[0] == "umount":
                del there[f"{worker}{command[-1]}"]

    programs = Unmounting(place_)
    plan = sealing.plan(place_, programs, Layout(), wanted(), lambda: "now")
    sealing.carry_out(place_, programs, Layout(), plan)
    assert ("umount", "-f", point) in programs.done
    assert not (worker / "var/lib/kubelet/pods").exists()


def test_a_volume_that_stays_mounted_stays(worker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point = "/var/lib/kubelet/pods/4711/volumes/kubernetes.io~secret/db"
    monkeypatch.setattr(place, "mounts", lambda: {"/": "ext4", f"{worker}{point}": "nfs"})
    assert codes(lambda: seal(worker)) == ["SLW-8756"]
    assert (worker / point[1:] / "password").read_text() == "secret"


def test_a_program_without_a_version_is_an_error(worker: Path) -> None:
    place_ = Place(str(worker))
    programs = Told(place_, {"kubelet": "no such file"})
    assert codes(lambda: sealing.plan(place_, programs, Layout(), wanted(), lambda: "now")) == ["SLW-8757"]


def test_links_out_of_the_root_are_left_alone(worker: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    put(outside, "/precious", "x")
    (worker / "var/tmp/link").symlink_to(outside)
    (worker / "var/log/other").symlink_to(outside)
    (worker / "home/ops/.aws").symlink_to(outside)
    seal(worker)
    assert (outside / "precious").read_text() == "x"


def test_the_node_is_told_by_what_its_kubelet_is_told(worker: Path) -> None:
    assert suitable.identity(Place(str(worker)), Layout()) == (NAME, ADDRESS)
