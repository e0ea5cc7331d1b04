# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Hosts: real logins by certificate, and machines that differ."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from lab.hosts import log, manage, model

if TYPE_CHECKING:
    from lab.hosts.model import Host
    from tests.lab.conftest import Lab, SshClient

pytestmark = pytest.mark.lab


def test_login_by_certificate_is_in_the_hosts_log(lab: Lab, hosts: dict[str, Host], client: SshClient) -> None:
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


def test_a_certificate_by_another_authority_is_refused(
    hosts: dict[str, Host], client: SshClient, stranger: Path
) -> None:
    done = client.ssh(hosts["node-1"], "true", options=("-i", str(stranger)))
    assert done.returncode == 255
    assert "Permission denied (publickey)" in done.stderr


def test_machines_differ_and_sessions_are_root(hosts: dict[str, Host], client: SshClient) -> None:
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


def test_a_host_cannot_write_to_the_machine(hosts: dict[str, Host], client: SshClient) -> None:
    places = "/usr /usr/sbin /boot /etc/alternatives /opt/lab/tree /var/lib/dpkg /opt/lab/bin/kubectl"
    test = f"for f in {places}; do (echo > $f/mark || echo >> $f) 2>/dev/null && echo $f; done; true"
    assert client.run(hosts["node-1"], test) == ""
    assert client.run(hosts["node-1"], test.replace(places, "/etc")) == "/etc\n"


def test_only_control_planes_have_the_admin_file(hosts: dict[str, Host], client: SshClient) -> None:
    done = client.run(hosts["node-1"], "stat -c %a /etc/kubernetes/admin.conf; "
                      "kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes -o name")  # fmt: skip
    assert done.splitlines()[:2] == ["600", "node/node-1"]
    assert client.ssh(hosts["node-2"], "test -e /etc/kubernetes/admin.conf").returncode == 1


def test_files_travel(lab: Lab, hosts: dict[str, Host], client: SshClient, tmp_path: Path) -> None:
    host = hosts["node-2"]
    (tmp_path / "sent").write_text("content")
    options = ["-F", "none", "-P", str(host.port), "-i", str(client.folder / "id"), "-o", f"HostKeyAlias={host.name}"]
    options += ["-o", f"UserKnownHostsFile={client.folder / 'known_hosts'}", "-o", "IdentityAgent=none"]
    for program in (["scp", "-q"], ["scp", "-q", "-O"]):
        subprocess.run([*program, *options, tmp_path / "sent", f"slipway@{host.address}:/root/sent"], check=True)
        assert client.run(host, "cat /root/sent; rm /root/sent") == "content"
    rsync = shutil.which("rsync", path=f"{lab.env['bin_dir']}:{os.environ['PATH']}")
    assert rsync is not None
    transport = ["-e", shlex.join(["ssh", *map(str, options)]).replace("-P", "-p")]
    subprocess.run([rsync, "-a", *transport, tmp_path / "sent", f"slipway@{host.address}:/root/"], check=True)
    assert client.run(host, "cat /root/sent; rm /root/sent") == "content"


PLAY = """
- hosts: node-1:node-2
  become: true
  tasks:
    - assert: {that: [ansible_hostname == inventory_hostname, ansible_service_mgr == 'systemd', ansible_user_uid == 0]}
    - copy: {content: "MaxAuthTries 5\\n", dest: /etc/ssh/sshd_config.d/20-play.conf, owner: root, mode: "0600"}
      notify: reload
    - meta: flush_handlers
    - service: {name: ssh, state: restarted, enabled: true}
    - meta: reset_connection
    - service_facts:
    - assert: {that: ["ansible_facts.services['ssh.service'].state == 'running'"]}
    - shell: sleep 1
      async: 20
      poll: 1
  handlers:
    - name: reload
      systemd_service: {name: sshd, state: reloaded}
"""


def test_ansible_finds_machines(lab: Lab, hosts: dict[str, Host], client: SshClient, tmp_path: Path) -> None:
    assert hosts
    (tmp_path / "play.yml").write_text(PLAY)
    inventory = Path(lab.command("inventory").stdout.strip())
    options = f"-F none -o IdentityAgent=none -o UserKnownHostsFile={client.folder / 'known_hosts'}"
    extra = {
        "ansible_ssh_private_key_file": str(client.folder / "id"),
        "ansible_ssh_common_args": options + " -o HostKeyAlias={{ inventory_hostname }}",
        "ansible_control_path_dir": str(tmp_path),
    }
    command = [sys.executable, "-m", "ansible", "playbook", "-i", inventory, tmp_path / "play.yml"]
    done = subprocess.run([*command, "-e", json.dumps(extra)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "RUNNING HANDLER [reload]" in done.stdout
    assert "WARNING" not in done.stderr


def test_bare_hosts_know_the_static_key_only(lab: Lab, hosts: dict[str, Host], client: SshClient) -> None:
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


def test_hosts_that_the_authority_did_not_certify_are_refused(hosts: dict[str, Host], client: SshClient) -> None:
    for name in ("rogue-1", "foreign-1"):
        assert "Host key verification failed" in client.ssh(hosts[name], "true").stderr
        unchecked = ("-i", str(client.folder / "id"), "-o", "StrictHostKeyChecking=no")
        done = client.ssh(hosts[name], "hostname", options=(*unchecked, "-o", "UserKnownHostsFile=/dev/null"))
        assert done.stdout == f"{name}\n"  # They would take the login; it is the client that must refuse.


def test_many_addresses_on_few_processes(hosts: dict[str, Host], client: SshClient) -> None:
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


def test_hosts_that_do_not_answer(lab: Lab, client: SshClient, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.command("hosts", "1", "--dead")
    lab.command("hosts", "1", "--silent")
    found = model.load(lab.folder).hosts
    assert "Connection refused" in client.ssh(found["dead-1"], "true").stderr
    patience = ("-o", "ConnectTimeout=1")
    assert "timed out during banner exchange" in client.ssh(found["silent-1"], "true", options=patience).stderr
    assert (lab.life("dead-1"), lab.life("silent-1")) == ("off", "runs")
    monkeypatch.setenv("SLIPWAY_LAB_STATE", str(lab.base))
    for name in ("dead-1", "silent-1"):
        manage.remove(lab.name, name, say=print)
