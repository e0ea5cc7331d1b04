# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Hosts: real logins by certificate, machines that differ, and an sshd of their own on each."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from lab import authority, procs
from lab.errors import LabError
from lab.hosts import keys, log, manage, model
from lab.hosts.model import Host
from tests.lab.conftest import within

if TYPE_CHECKING:
    from tests.lab.conftest import Lab

pytestmark = pytest.mark.lab
SSHD_DROP_IN = "/etc/ssh/sshd_config.d/10-test.conf"


@dataclass
class Client:
    """OpenSSH's own client with a certificate of the lab's OpenBao, trusting the lab's host authority only."""

    folder: Path

    def ssh(self, host: Host, *words: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        command = ["ssh", "-F", "none", "-n", *options, "-p", str(host.port), "-o", f"HostKeyAlias={host.name}"]
        command += ["-o", f"UserKnownHostsFile={self.folder / 'known_hosts'}", "-o", "IdentityAgent=none"]
        command += ["-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes"]
        if not any(option == "-i" for option in options):
            command += ["-i", str(self.folder / "id")]
        target = f"{host.user}@{host.address}"
        return subprocess.run([*command, target, *words], capture_output=True, text=True, timeout=60, check=False)

    def run(self, host: Host, command: str) -> str:
        done = self.ssh(host, command)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def hosts(labs: tuple[Lab, Lab]) -> dict[str, Host]:
    lab = labs[0]
    lab.command("hosts", "3")
    lab.command("hosts", "2", "--bare", "--control-planes", "0", "--key", "rsa")
    lab.command("hosts", "1", "--rogue", "--key", "ecdsa")
    lab.command("hosts", "1", "--foreign")
    lab.command("hosts", "40", "--many")
    return model.load(lab.folder).hosts


@pytest.fixture(scope="module")
def client(labs: tuple[Lab, Lab], hosts: dict[str, Host], tmp_path_factory: pytest.TempPathFactory) -> Client:
    assert hosts
    env = labs[0].env
    ca = authority.set_up(env)
    folder = tmp_path_factory.mktemp("client")
    public = keys.write(folder / "id", keys.generate("ed25519"), "test")
    (folder / "id-cert.pub").write_text(ca.sign_user(public, authority.principal(env)) + "\n")
    (folder / "known_hosts").write_text(f"@cert-authority * {ca.host_ca}\n")
    return Client(folder)


def test_login_by_certificate_is_in_the_hosts_log(lab: Lab, hosts: dict[str, Host], client: Client) -> None:
    host = hosts["node-2"]
    before = log.connections(host)
    assert client.run(host, "hostname") == "node-2\n"
    assert log.connections(host) == before + 1
    login = log.logins(host)[-1]
    assert (login.user, login.key_type, login.key_id) == ("slipway", "ED25519-CERT", "root/slipway")
    shown = subprocess.run(
        ["ssh-keygen", "-L", "-f", client.folder / "id-cert.pub"], capture_output=True, text=True, check=True
    ).stdout
    assert f"Serial: {login.serial}\n" in shown
    assert f"Signing CA: ED25519 {login.authority}" in shown


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """A key that an authority of ssh-keygen's making, ``ca`` beside it, has certified for the right name."""
    for name in ("ca", "id"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    sign = ["ssh-keygen", "-q", "-s", tmp_path / "ca", "-I", "me", "-n", "slipway-one", "-V", "+5m"]
    subprocess.run([*sign, tmp_path / "id.pub"], check=True)
    return tmp_path / "id"


def test_a_certificate_by_another_authority_is_refused(hosts: dict[str, Host], client: Client, stranger: Path) -> None:
    done = client.ssh(hosts["node-1"], "true", options=("-i", str(stranger)))
    assert done.returncode == 255
    assert "Permission denied (publickey)" in done.stderr


def test_an_added_authority_is_accepted(hosts: dict[str, Host], client: Client, stranger: Path) -> None:
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


def test_machines_differ_and_sessions_are_root(hosts: dict[str, Host], client: Client) -> None:
    for name in ("node-1", "node-2"):
        for place in ("/etc", "/opt", "/run", "/root", "/var", "/tmp", "/home"):
            client.run(hosts[name], f"test ! -e {place}/mark && echo {name} > {place}/mark")
    for name in ("node-1", "node-2"):
        marks = client.run(hosts[name], "cat /etc/mark /opt/mark /run/mark /root/mark /var/mark /tmp/mark /home/mark")
        assert set(marks.split()) == {name}
        said = client.run(hosts[name], "hostname; id -u; sudo -H -n -u root /bin/sh -c 'id -u; echo $HOME'; python3 -V")
        assert said.splitlines()[:4] == [name, "0", "0", "/root"]
        assert client.run(hosts[name], "ps -e -o comm= | grep -c sshd").strip() != "0"
    assert not Path("/etc/mark").exists()


def test_a_host_cannot_write_to_the_machine(hosts: dict[str, Host], client: Client) -> None:
    places = "/usr /usr/sbin /boot /etc/alternatives /opt/lab/tree /var/lib/dpkg /opt/lab/bin/kubectl"
    test = f"for f in {places}; do (echo > $f/mark || echo >> $f) 2>/dev/null && echo $f; done; true"
    assert client.run(hosts["node-1"], test) == ""
    assert client.run(hosts["node-1"], test.replace(places, "/etc")) == "/etc\n"


def test_only_control_planes_have_the_admin_file(hosts: dict[str, Host], client: Client) -> None:
    done = client.run(hosts["node-1"], "stat -c %a /etc/kubernetes/admin.conf; "
                      "kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes -o name")  # fmt: skip
    assert done.splitlines()[:2] == ["600", "node/node-1"]
    assert client.ssh(hosts["node-2"], "test -e /etc/kubernetes/admin.conf").returncode == 1


def test_files_travel(hosts: dict[str, Host], client: Client, tmp_path: Path) -> None:
    host = hosts["node-2"]
    (tmp_path / "sent").write_text("content")
    options = ["-F", "none", "-P", str(host.port), "-i", str(client.folder / "id"), "-o", f"HostKeyAlias={host.name}"]
    options += ["-o", f"UserKnownHostsFile={client.folder / 'known_hosts'}", "-o", "IdentityAgent=none"]
    for program in (["scp", "-q"], ["scp", "-q", "-O"]):
        subprocess.run([*program, *options, tmp_path / "sent", f"slipway@{host.address}:/root/sent"], check=True)
        assert client.run(host, "cat /root/sent; rm /root/sent") == "content"


def test_broken_settings_do_not_replace_running_ones(hosts: dict[str, Host], client: Client) -> None:
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


def test_restart_with_broken_settings_locks_out(hosts: dict[str, Host], client: Client) -> None:
    """As on a real machine; what mends it has to come another way."""
    host = hosts["node-3"]
    assert client.ssh(host, f"echo NoSuchWord yes > {SSHD_DROP_IN}; systemctl restart ssh").returncode == 1
    assert "Connection refused" in client.ssh(host, "true").stderr
    assert manage.order(host, "status") is False
    (Path(host.folder) / SSHD_DROP_IN.removeprefix("/")).unlink()
    assert manage.order(host, "start") is True
    assert client.run(host, "hostname") == "node-3\n"


def test_a_session_outlives_a_restart(hosts: dict[str, Host], client: Client) -> None:
    host = hosts["node-2"]
    assert client.run(host, "systemctl restart ssh && systemctl stop ssh && systemctl is-active ssh || echo alive") == (
        "inactive\nalive\n"
    )
    assert "Connection refused" in client.ssh(host, "true").stderr
    manage.order(host, "start")
    assert client.run(host, "hostname") == "node-2\n"


def test_bare_hosts_know_the_static_key_only(lab: Lab, hosts: dict[str, Host], client: Client) -> None:
    host = hosts["bare-1"]
    unchecked = ("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null")
    assert client.ssh(host, "true", options=("-i", str(client.folder / "id"), *unchecked)).returncode == 255
    static = client.ssh(host, "hostname; ls /etc/ssh", options=("-i", lab.env["static_key_file"], *unchecked))
    assert static.stdout.split() == [
        "bare-1",
        "ssh_host_rsa_key",
        "ssh_host_rsa_key.pub",
        "sshd_config",
        "sshd_config.d",
    ]
    assert log.logins(host)[-1].authority == ""


def test_hosts_that_the_authority_did_not_certify_are_refused(hosts: dict[str, Host], client: Client) -> None:
    for name in ("rogue-1", "foreign-1"):
        assert "Host key verification failed" in client.ssh(hosts[name], "true").stderr
        unchecked = ("-i", str(client.folder / "id"), "-o", "StrictHostKeyChecking=no")
        done = client.ssh(hosts[name], "hostname", options=(*unchecked, "-o", "UserKnownHostsFile=/dev/null"))
        assert done.stdout == f"{name}\n"  # They would take the login; it is the client that must refuse.


def test_many_addresses_on_few_processes(hosts: dict[str, Host], client: Client) -> None:
    many = [host for host in hosts.values() if host.kind == "many"]
    assert len({host.address for host in many}) == 40
    for host in (many[0], many[16], many[39]):
        before = log.connections(host)
        assert client.run(host, "hostname; ps -e -o args= | grep -c '[l]istener'") == "many\n3\n"
        assert log.connections(host) == before + 1


def test_hosts_listen_on_loopback_only(hosts: dict[str, Host]) -> None:
    port = f"{hosts['node-1'].port:04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    own = [fields[1].partition(":") for fields in lines if fields[3] == "0A"]
    addresses = [address for address, _colon, number in own if number == port]
    listening = {socket.inet_ntoa(bytes.fromhex(address)[::-1]) for address in addresses}
    assert listening == {host.address for host in hosts.values()}
    assert not any(line.split()[1].endswith(f":{port}") for line in Path("/proc/net/tcp6").read_text().splitlines()[1:])


def test_the_inventory_is_a_users(lab: Lab, hosts: dict[str, Host]) -> None:
    file = Path(lab.command("inventory").stdout.strip())
    content = yaml.safe_load(file.read_text())["all"]
    assert list(content["children"]["kube_control_plane"]["hosts"]) == ["node-1"]
    assert list(content["children"]["kube_node"]["hosts"]) == ["node-2", "node-3", "bare-1", "bare-2"]
    assert content["hosts"]["node-2"] == {"ansible_host": "127.100.0.2", "ansible_port": hosts["node-2"].port}
    assert list(content["children"]["rogue"]["hosts"]) == ["rogue-1"]
    assert "key" not in file.read_text().lower()


def test_hosts_are_in_the_environment(lab: Lab, hosts: dict[str, Host]) -> None:
    shown = {host["name"]: host for host in lab.env["hosts"]}
    assert set(shown) == set(hosts)
    assert shown["bare-2"] == {
        "name": "bare-2",
        "address": hosts["bare-2"].address,
        "port": hosts["bare-2"].port,
        "user": "slipway",
        "kind": "bare",
        "control_plane": False,
        "folder": str(lab.folder / "hosts" / "bare-2"),
        "log": str(lab.folder / "hosts" / "bare-2" / "sshd.log"),
    }


def test_a_second_time_keeps_what_runs(lab: Lab, hosts: dict[str, Host]) -> None:
    before = model.load(lab.folder).processes
    lab.command("hosts", "3")
    assert model.load(lab.folder).processes == before
    refused = lab.command("hosts", "4", "--bare", "--prefix", "node", check=False)
    assert refused.stderr == "lab: there is a host node-1 already, and it is trusted\n"
    assert set(model.load(lab.folder).hosts) == set(hosts)


def test_an_open_connection_outlives_restarts_of_sshd(hosts: dict[str, Host], client: Client) -> None:
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


def test_power_goes_suddenly_and_files_stay(lab: Lab, hosts: dict[str, Host], client: Client) -> None:
    host = hosts["node-3"]
    client.run(host, "echo kept > /root/kept; nohup setsid sleep 4711 >/dev/null 2>&1 </dev/null & sleep 0.2")
    assert _running("sleep\x004711")
    lab.command("power", "node-3", "off")
    assert not _running("sleep\x004711")
    assert "Connection refused" in client.ssh(host, "true").stderr
    assert _life(lab, "node-3") == "off"
    for _ in range(3):
        lab.command("power", "node-3", "cycle")
        assert client.run(host, "cat /root/kept") == "kept\n"
    assert lab.command("power", "node-9", "on", check=False).stderr == "lab: lab one has no host node-9\n"


@pytest.mark.parametrize("victim", ["outer", "inner", "sshd"])
def test_whatever_is_killed_a_host_comes_back(lab: Lab, hosts: dict[str, Host], client: Client, victim: str) -> None:
    host = hosts["node-1"]
    client.run(host, "nohup setsid sleep 4712 >/dev/null 2>&1 </dev/null & sleep 0.2")
    outer = model.load(lab.folder).processes[host.folder].pid
    inner = _child(outer)
    os.kill({"outer": outer, "inner": inner, "sshd": _child(inner)}[victim], signal.SIGKILL)
    if victim == "sshd":
        within(5, lambda: _life(lab, "node-1") == "sshd is down")
        assert _running("sleep\x004712")
        assert manage.order(host, "start")
        client.run(host, "pkill -f 4712")
    else:
        within(5, lambda: not _running("sleep\x004712"))
        within(5, lambda: _life(lab, "node-1") == "off")
        lab.command("hosts", "3")
    assert _life(lab, "node-1") == "runs"
    assert client.run(host, "hostname") == "node-1\n"


def test_machines_of_a_killed_command_do_not_stay(lab: Lab, hosts: dict[str, Host]) -> None:
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


def test_hosts_that_do_not_answer(lab: Lab, client: Client) -> None:
    lab.command("hosts", "1", "--dead")
    lab.command("hosts", "1", "--silent")
    found = model.load(lab.folder).hosts
    assert "Connection refused" in client.ssh(found["dead-1"], "true").stderr
    patience = ("-o", "ConnectTimeout=1")
    assert "timed out during banner exchange" in client.ssh(found["silent-1"], "true", options=patience).stderr
    assert (_life(lab, "dead-1"), _life(lab, "silent-1")) == ("off", "runs")


def _life(lab: Lab, name: str) -> str:
    lines = [line.split(maxsplit=3) for line in lab.command("status").stdout.splitlines()]
    return next(words[3] for words in lines if words[0] == name)


def _child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


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


def _running(text: str) -> bool:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if text in (entry / "cmdline").read_text():
                    return True
            except OSError:
                continue
    return False
