# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The look at a host, on made-up roots: what is there, and what is missing."""

from __future__ import annotations

import ast
import os
import socket
from pathlib import Path

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.host import kernel, peers, ports, system

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
NEWER = ("removeprefix", "removesuffix", "readlink_path")


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    (tmp_path / "var/lib").mkdir(parents=True)
    return write(tmp_path, {
        "etc/os-release": "# comment\nID=debian\nPRETTY_NAME=\"Debian 12\"\nVERSION_ID='12'\n",
        "etc/machine-id": "abc\n",
        "etc/resolv.conf": "search example.com\nnameserver 192.0.2.1\nnameserver\n",
        "proc/meminfo": "MemTotal:        2048000 kB\nMemFree: 1 kB\n",
        "proc/swaps": "Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n/dev/zram0 partition 1 0 5\n",
        "etc/kubernetes/kubelet.conf": "",
    })  # fmt: skip


def test_a_host_tells_what_it_has(root: Path) -> None:
    facts = system.look(root, ["/var/lib", "/var/lib/not/yet"])
    assert facts["os"] == {"ID": "debian", "PRETTY_NAME": "Debian 12", "VERSION_ID": "12"}
    assert (facts["machine_id"], facts["memory_mib"], facts["systemd"]) == ("abc", 2000, True)
    assert facts["swap"] == ["/dev/sda2", "/dev/zram0"]
    assert facts["nameservers"] == ["192.0.2.1"]
    assert facts["remains"] == ["/etc/kubernetes/kubelet.conf"]
    assert facts["disks"]["/var/lib"] == facts["disks"]["/var/lib/not/yet"] > 0
    assert facts["is_root"] is (os.geteuid() == 0)
    assert facts["hostname"] == socket.gethostname()


def test_an_empty_host_raises_nothing(tmp_path: Path) -> None:
    facts = system.look(tmp_path, ["/var/lib"])
    assert facts["os"] == {}
    assert (facts["machine_id"], facts["memory_mib"], facts["systemd"]) == ("", 0, False)
    assert facts["swap"] == facts["nameservers"] == facts["remains"] == []
    assert kernel.look(["overlay"], tmp_path) == {
        "missing_modules": ["overlay"], "settings_writable": False, "cgroup": 0, "controllers": [],
    }  # fmt: skip
    assert ports.taken([22], tmp_path) == []


def test_a_module_is_there_when_loaded_built_in_or_a_filesystem(tmp_path: Path) -> None:
    release = os.uname().release
    write(tmp_path, {
        "sys/module/br_netfilter/refcnt": "0",
        "proc/filesystems": "nodev\tsysfs\n\text4\nnodev\toverlay\n",
        f"lib/modules/{release}/modules.builtin": "kernel/net/netfilter/nf_conntrack.ko\nkernel/x/xnf_other.ko\n",
    })  # fmt: skip
    wanted = ["br_netfilter", "overlay", "nf_conntrack", "nf_other", "ip_vs"]
    assert kernel.look(wanted, tmp_path)["missing_modules"] == ["nf_other", "ip_vs"]


def test_a_module_is_there_when_its_settings_are(tmp_path: Path) -> None:
    """A container of a kernel that has it built in sees nothing else of it."""
    wanted = ["br_netfilter", "nf_conntrack", "overlay"]
    write(tmp_path, {"proc/sys/net/bridge/bridge-nf-call-iptables": "1"})
    assert kernel.look(wanted, tmp_path)["missing_modules"] == ["nf_conntrack", "overlay"]
    write(tmp_path, {"proc/sys/net/netfilter/nf_conntrack_max": "262144"})
    assert kernel.look(wanted, tmp_path)["missing_modules"] == ["overlay"]


def test_control_groups_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "sys/fs/cgroup/memory").mkdir(parents=True)
    assert kernel.look([], tmp_path)["cgroup"] == 1
    write(tmp_path, {"sys/fs/cgroup/cgroup.controllers": "cpu memory pids\n"})
    found = kernel.look([], tmp_path)
    assert (found["cgroup"], found["controllers"]) == (2, ["cpu", "memory", "pids"])


def test_settings_are_tried_by_opening_them(tmp_path: Path) -> None:
    file = "proc/sys/net/ipv4/ip_forward"
    write(tmp_path, {file: "1"})
    assert kernel.look([], tmp_path)["settings_writable"] is True
    assert (tmp_path / file).read_text() == "1", "nothing is written"


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_real_listener_is_found_with_its_process(family: socket.AddressFamily, address: str) -> None:
    with socket.socket(family) as listener:
        try:
            listener.bind((address, 0))
        except OSError:
            pytest.fail(f"nobody can listen on {address} here")
        port = listener.getsockname()[1]
        assert ports.taken([port]) == [], "bound is not taken"
        listener.listen()
        (found,) = ports.taken([port, 1])
        assert found["port"] == port
        assert found["by"] == Path("/proc/self/comm").read_text().strip()


def test_peers_answer_or_do_not() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        open_port = listener.getsockname()[1]
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            closed = other.getsockname()[1]
        wanted = [
            {"name": "open", "address": "127.0.0.1", "port": open_port},
            {"name": "refuses", "address": "127.0.0.1", "port": closed},
            {"name": "nobody", "address": "no-such-host.invalid", "port": 22},
        ]
        errors = {peer["name"]: peer["error"] for peer in peers.reach(wanted, 1)}
    assert errors.pop("nobody")
    assert errors == {"open": "", "refuses": ""}


SENT = [PLUGINS / "modules/preflight_host.py", *sorted((PLUGINS / "module_utils/kubespray/host").glob("*.py"))]


@pytest.mark.parametrize("file", SENT, ids=lambda file: file.name)
def test_what_goes_to_hosts_is_written_for_their_python(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 8))
    assert "from __future__ import annotations" in text
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("removeprefix", "removesuffix", "is_relative_to"), f"{file.name}:{node.lineno}"
        if isinstance(node, ast.ImportFrom) and not node.level:
            ours = (node.module or "").startswith("ansible_collections.")
            assert not ours or (node.module or "").endswith(".module_utils.kubespray.host"), file.name
