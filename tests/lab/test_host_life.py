# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Hosts whose sshd, or power, comes and goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab import procs
from lab.errors import LabError
from lab.hosts import log, manage, model
from tests.lab.conftest import within

if TYPE_CHECKING:
    from lab.hosts.model import Host
    from tests.lab.conftest import Lab, SshClient

pytestmark = pytest.mark.lab
SSHD_DROP_IN = "/etc/ssh/sshd_config.d/10-test.conf"


def test_an_added_authority_is_accepted(hosts: dict[str, Host], client: SshClient, stranger: Path) -> None:
    """sshd really reads the host's own /etc/ssh, and really reloads it."""
    host = hosts["node-3"]
    added = stranger.with_name("ca.pub").read_text().strip()
    own = ("-i", str(stranger))
    assert client.ssh(host, "true", options=own).returncode == 255
    client.run(host, f"cat /etc/ssh/image/user_ca.pub > /etc/ssh/both.pub; echo '{added}' >> /etc/ssh/both.pub")
    client.run(host, f"echo TrustedUserCAKeys /etc/ssh/both.pub > {SSHD_DROP_IN} && systemctl reload ssh")
    assert client.ssh(host, "true", options=own).returncode == 0
    assert client.ssh(hosts["node-2"], "true", options=own).returncode == 255
    client.run(host, f"rm {SSHD_DROP_IN} && service ssh reload")
    assert client.ssh(host, "true", options=own).returncode == 255


def test_broken_settings_do_not_replace_running_ones(hosts: dict[str, Host], client: SshClient) -> None:
    host = hosts["node-1"]
    done = client.ssh(host, f"echo NoSuchWord yes > {SSHD_DROP_IN}; systemctl reload ssh")
    assert done.returncode == 1
    assert "Bad configuration option: NoSuchWord" in done.stderr
    assert client.ssh(host, "sshd -t").returncode == 255
    assert client.ssh(host, "/usr/sbin/sshd -t").returncode == 255
    with pytest.raises(LabError, match="NoSuchWord"):
        manage.order(host, "reload")
    mend = f"rm {SSHD_DROP_IN}; sshd -t && systemctl reload sshd.service; systemctl is-active ssh"
    assert client.run(host, mend) == "active\n"


def test_restart_with_broken_settings_locks_out(hosts: dict[str, Host], client: SshClient) -> None:
    """As on a real machine; what mends it has to come another way."""
    host = hosts["node-3"]
    assert client.ssh(host, f"echo NoSuchWord yes > {SSHD_DROP_IN}; systemctl restart ssh").returncode == 1
    assert "Connection refused" in client.ssh(host, "true").stderr
    assert manage.order(host, "status") is False
    (Path(host.folder) / SSHD_DROP_IN.removeprefix("/")).unlink()
    assert manage.order(host, "start") is True
    assert client.run(host, "hostname") == "node-3\n"


def test_a_session_outlives_a_restart(hosts: dict[str, Host], client: SshClient) -> None:
    host = hosts["node-2"]
    assert client.run(host, "systemctl restart ssh && systemctl stop ssh && systemctl is-active ssh || echo alive") == (
        "inactive\nalive\n"
    )
    assert "Connection refused" in client.ssh(host, "true").stderr
    manage.order(host, "start")
    assert client.run(host, "hostname") == "node-2\n"


def test_an_open_connection_outlives_restarts_of_sshd(hosts: dict[str, Host], client: SshClient) -> None:
    host = hosts["node-2"]
    # A short path: a socket's address holds 108 bytes.
    with tempfile.TemporaryDirectory() as folder:
        shared = ("-o", f"ControlPath={folder}/%h", "-o", "ControlPersist=60")
        assert client.ssh(host, "true", options=(*shared, "-o", "ControlMaster=yes", "-f", "-N")).returncode == 0
        before = log.connections(host)
        for order in ("restart", "reload", "stop"):
            manage.order(host, order)
            assert client.ssh(host, "echo still here", options=shared).stdout == "still here\n"
        assert log.connections(host) == before
        client.ssh(host, options=(*shared, "-O", "exit"))
    manage.order(host, "start")


def test_power_goes_suddenly_and_files_stay(lab: Lab, hosts: dict[str, Host], client: SshClient) -> None:
    host = hosts["node-3"]
    client.run(host, "echo kept > /root/kept; nohup setsid sleep 4711 >/dev/null 2>&1 </dev/null & sleep 0.2")
    assert _running("sleep\x004711")
    lab.command("power", "node-3", "off")
    assert not _running("sleep\x004711")
    assert "Connection refused" in client.ssh(host, "true").stderr
    assert lab.life("node-3") == "off"
    for _ in range(3):
        lab.command("power", "node-3", "cycle")
        assert client.run(host, "cat /root/kept") == "kept\n"
    assert lab.command("power", "node-9", "on", check=False).stderr == "lab: lab one has no host node-9\n"


@pytest.mark.parametrize("victim", ["outer", "inner", "sshd"])
def test_whatever_is_killed_a_host_comes_back(lab: Lab, hosts: dict[str, Host], client: SshClient, victim: str) -> None:
    host = hosts["node-1"]
    client.run(host, "nohup setsid sleep 4712 >/dev/null 2>&1 </dev/null & sleep 0.2")
    outer = model.load(lab.folder).processes[host.folder].pid
    inner = _child(outer)
    os.kill({"outer": outer, "inner": inner, "sshd": _child(inner)}[victim], signal.SIGKILL)
    if victim == "sshd":
        within(5, lambda: lab.life("node-1") == "sshd is down")
        assert _running("sleep\x004712")
        assert manage.order(host, "start")
        client.run(host, "pkill -f 4712")
    else:
        within(5, lambda: not _running("sleep\x004712"))
        within(5, lambda: lab.life("node-1") == "off")
        lab.command("hosts", "3")
    assert lab.life("node-1") == "runs"
    assert client.run(host, "hostname") == "node-1\n"


def test_machines_of_a_killed_command_do_not_stay(
    lab: Lab, hosts: dict[str, Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(procs.owned(lab.folder))
    environment = {**os.environ, "SLIPWAY_LAB_STATE": str(lab.base), "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-m", "lab", "hosts", "30", "--prefix", "late", "--name", lab.name]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as starting:
        within(20, lambda: len(procs.owned(lab.folder)) > before + 4)
        starting.kill()
    assert set(model.load(lab.folder).hosts) == set(hosts)
    lab.command("hosts", "1", "--prefix", "late")
    assert len(procs.owned(lab.folder)) == before + 2
    late = model.load(lab.folder).hosts["late-1"]
    assert manage.order(late, "status")
    monkeypatch.setenv("SLIPWAY_LAB_STATE", str(lab.base))
    manage.remove(lab.name, "late-1", say=print)
    assert len(procs.owned(lab.folder)) == before
    assert not Path(late.folder).exists()
    assert set(model.load(lab.folder).hosts) == set(hosts)


def test_down_ends_hosts_and_their_sessions(labs: tuple[Lab, Lab]) -> None:
    own = type(labs[0])("hosted", labs[0].base)
    own.command("up", "--nodes", "1")
    try:
        own.command("hosts", "2")
        (own.folder / "hosts.json").unlink()  # As when the command was killed before it wrote it.
        assert len(procs.owned(own.folder)) > len(own.state.processes)
    finally:
        own.command("down")
    assert procs.owned(own.folder) == []
    assert not _running(str(own.folder))
    assert not own.folder.exists()


def _child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def _running(text: str) -> bool:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if text in (entry / "cmdline").read_text():
                    return True
            except OSError:
                continue
    return False
