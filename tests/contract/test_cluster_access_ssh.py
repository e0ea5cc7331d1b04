# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A control plane host that is really one: reached by SSH with a certificate, its kubeconfig readable by root alone."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import authority
from lab.hosts import keys, log, manage
from lab.hosts.model import Host
from tests.contract.fixtures import objects as o
from tests.contract.rights import CORES, Accessed, audited, holds, looking
from tests.contract.support import Cluster, eventually

pytestmark = pytest.mark.lab

NO_FORWARDING = "AllowTcpForwarding no\n"


@pytest.fixture(scope="module", autouse=True)
def core_there() -> None:
    for core, folder in CORES.items():
        if not (folder / "ansible-playbook").exists():
            pytest.skip(f"ansible-core {core} is not installed: {folder.name}/bin/ansible-playbook does not exist")


@pytest.fixture(scope="module")
def hosts(lab_env: dict[str, Any]) -> Iterator[tuple[Host, Host]]:
    """A control plane, and a host that can be a bastion."""
    lab, prefix = lab_env["name"], f"api{uuid.uuid4().hex[:4]}"
    names = [f"{prefix}-1", f"{prefix}-2"]
    manage.add(lab, names, "trusted", key_type="ed25519", control_planes=1, say=print)
    found = manage.find(lab)
    yield found[names[0]], found[names[1]]
    for name in names:
        manage.remove(lab, name, say=print)


@pytest.fixture
def cleaned(cluster: Cluster) -> Iterator[Cluster]:
    o.make_namespaces(cluster, cluster.home, cluster.ns("main"))
    yield cluster
    o.kubectl(cluster, "delete", "ns", f"{cluster.name}-access", "--wait=false", "--ignore-not-found")


@pytest.fixture
def sockets() -> Iterator[str]:
    """For control sockets: the path of a socket must be short, and pytest's folders are not."""
    with tempfile.TemporaryDirectory(prefix="cp-") as folder:
        yield folder


@pytest.fixture
def login(lab_env: dict[str, Any], tmp_path: Path, sockets: str) -> dict[str, str]:
    """Variables that log in by a certificate, and trust hosts of the lab's authority only."""
    ca = authority.set_up(lab_env)
    folder = tmp_path / "keys"
    folder.mkdir()
    public = keys.write(folder / "id", keys.generate("ed25519"), "test")
    (folder / "id-cert.pub").write_text(ca.sign_user(public, authority.principal(lab_env)) + "\n", encoding="utf-8")
    (folder / "known").write_text(f"@cert-authority * {ca.host_ca}\n", encoding="utf-8")
    return {
        "ansible_control_path_dir": sockets,
        "ansible_ssh_private_key_file": str(folder / "id"),
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={folder / 'known'} -o StrictHostKeyChecking=yes",
    }


def reached(
    cluster: Cluster, folder: Path, login: dict[str, str], host: Host, addons: dict[str, Any], **more: Any
) -> Accessed:
    """As in an inventory of Kubespray's: nothing is said about the cluster."""
    order = more.pop("order", None)
    variables = {
        **login,
        "ansible_connection": "ssh",
        "ansible_user": host.user,
        "ansible_host": host.address,
        "ansible_port": host.port,
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_become": True,
        "slipway_api_access": "auto",
        "slipway_admin_kubeconfig": "/etc/kubernetes/admin.conf",
        **more,
    }
    run = Accessed(cluster, folder, addons, order=order, **variables)
    inventory = f"all: {{children: {{kube_control_plane: {{hosts: {{{host.name}: {{}}}}}}}}}}\n"
    (run.playbook.folder / "hosts.yml").write_text(inventory, encoding="utf-8")
    return run


def addons(cluster: Cluster, folder: Path, **more: Any) -> dict[str, Any]:
    return {
        "looks": {"namespace": cluster.ns("main"), **looking(folder)},
        "plain": {"namespace": cluster.ns("main"), "after": ["looks"], "objects": [o.config_map("plain")]},
        **more,
    }


def forwards(folder: Path) -> list[str]:
    """Processes of this test's that hold a forward."""
    listed = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(folder) in line and " -L " in line]


@pytest.mark.parametrize("core", CORES)
def test_an_inventory_of_hosts_is_enough(
    core: str, cleaned: Cluster, hosts: tuple[Host, Host], login: dict[str, str], tmp_path: Path
) -> None:
    """Only the node reaches the API server here: it listens on the node's loopback address, as the controller sees it
    on none of the node's."""
    run = reached(cleaned, tmp_path, login, hosts[0], addons(cleaned, tmp_path), slipway_api_forward=True)
    said = run.run("install", "-vvvvvv", core=core)
    (token,) = run.tokens
    assert run.answer(token) in (401, 403)
    assert token not in said
    assert holds(tmp_path, token) == [str(tmp_path / "tokens")]
    kubeconfig = (Path(hosts[0].folder) / "etc" / "kubernetes" / "admin.conf").read_text(encoding="utf-8")
    (key,) = [line.split()[1] for line in kubeconfig.splitlines() if "client-key-data" in line]
    assert key not in said
    assert holds(tmp_path, key) == []
    assert run.rights() == set()
    assert forwards(tmp_path) == []
    assert "1 unchanged" in run.run("plan", "-e", "slipway_only=plain", core=core)
    users = {entry["user"]["username"] for entry in audited(cleaned, "slipway (plan)", run.space)}
    assert users == {f"system:serviceaccount:{run.space}:slipway-reader-{cleaned.name}"}


@pytest.mark.parametrize("core", CORES)
def test_the_first_contact_of_a_run_is_checked_by_its_session(
    core: str, cleaned: Cluster, hosts: tuple[Host, Host], lab_env: dict[str, Any], tmp_path: Path
) -> None:
    """The connection is there before anybody has said who certifies hosts, and no known_hosts has this one."""
    role, secret = authority.set_up(lab_env).app_role()
    login = {"method": "approle", "role_id": role}
    session = {
        "provider": "openbao",
        "principals": [authority.principal(lab_env)],
        "host_check": "enforce",
        "openbao": {"address": lab_env["bao_address"], "role": authority.ROLE, "auth": login},
    }
    nobody = {"ansible_ssh_common_args": "-o UserKnownHostsFile=/dev/null"}
    wanted = {"plain": {"namespace": cleaned.ns("main"), "objects": [o.config_map("plain")]}}
    run = reached(cleaned, tmp_path, nobody, hosts[0], wanted, slipway_api_forward=True, slipway_ssh=session)
    said = run.run("plan", core=core, SLIPWAY_SECRET_ID=secret)
    assert "1 install" in said
    assert "SSH session: 1 certificate of OpenBao" in said


def test_an_address_that_is_not_reached_is_told_at_once(
    cleaned: Cluster, hosts: tuple[Host, Host], login: dict[str, str], tmp_path: Path
) -> None:
    run = reached(cleaned, tmp_path, login, hosts[0], addons(cleaned, tmp_path))
    said = run.run("plan", rc=2)
    assert f"SLW-7409 the API server cannot be reached from here at https://{hosts[0].address}:" in said
    assert "slipway_api_forward" in said
    assert run.run_secrets() == []


def test_a_forward_goes_by_the_bastion(
    cleaned: Cluster, hosts: tuple[Host, Host], login: dict[str, str], tmp_path: Path
) -> None:
    host, bastion = hosts
    key = login["ansible_ssh_private_key_file"]
    by = f"ssh -i {key} {login['ansible_ssh_common_args']} -W %h:%p -p {bastion.port} {bastion.user}@{bastion.address}"
    there = {**login, "ansible_ssh_common_args": f"{login['ansible_ssh_common_args']} -o ProxyCommand='{by}'"}
    run = reached(cleaned, tmp_path, there, host, addons(cleaned, tmp_path), slipway_api_forward=True)
    before = len(log.logins(bastion))
    run.run("install")
    assert len(log.logins(bastion)) >= before + 2
    assert run.rights() == set()


def test_a_host_that_allows_no_forward_is_named(
    cleaned: Cluster, hosts: tuple[Host, Host], login: dict[str, str], tmp_path: Path
) -> None:
    drop_in = Path(hosts[0].folder) / "etc" / "ssh" / "sshd_config.d" / "05-test.conf"
    drop_in.write_text(NO_FORWARDING, encoding="utf-8")
    assert manage.order(hosts[0], "restart")
    try:
        run = reached(cleaned, tmp_path, login, hosts[0], addons(cleaned, tmp_path), slipway_api_forward=True)
        said = run.run("install", rc=2)
    finally:
        drop_in.unlink()
        manage.order(hosts[0], "restart")
    assert "SLW-7405" in said
    assert "permit-port-forwarding" in said
    assert run.rights() == set()
    assert forwards(tmp_path) == []


def test_a_certificate_of_another_name_is_refused_through_the_forward(
    cleaned: Cluster, hosts: tuple[Host, Host], login: dict[str, str], tmp_path: Path
) -> None:
    wanted = addons(cleaned, tmp_path)
    run = reached(cleaned, tmp_path, login, hosts[0], wanted, slipway_api_forward=True)
    assert "SLW-7405" in (said := run.run("plan", "-e", "slipway_api_server_name=api.example.com", rc=2))
    assert "is not api.example.com" in said
    run.run("plan", "-e", "slipway_api_server_name=kubernetes.default.svc")


def test_a_token_is_renewed_over_ssh(
    cleaned: Cluster, hosts: tuple[Host, Host], login: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    wanted = addons(cleaned, tmp_path)
    order = {"status": 401}
    run = reached(cleaned, folder, login, hosts[0], wanted, order=order, slipway_api_access="ssh")
    try:
        run.run("install")
    finally:
        run.take_order_back()
    issued = [e for e in audited(cleaned, "/token", f"/namespaces/{run.space}/") if e["verb"] == "create"]
    assert len(issued) == 2
    assert cleaned.get(o.core("configmaps", cleaned.ns("main"), "plain"))
    assert run.rights() == set()


def test_rights_end_though_the_host_is_away(
    cleaned: Cluster, hosts: tuple[Host, Host], login: dict[str, str], tmp_path: Path
) -> None:
    """The run gives them back by its own token, and says what the host could not tidy."""
    slow = o.deployment("slow")
    slow["spec"]["template"]["metadata"].setdefault("annotations", {})["lab.slipway/delay"] = "8"
    wanted = {"slow": {"namespace": cleaned.ns("main"), "timeout": 60, "objects": [slow]}}
    run = reached(
        cleaned, tmp_path, login, hosts[0], wanted,
        slipway_api_access="ssh", slipway_api_server=cleaned.env["server"], ansible_ssh_args="-o ControlMaster=no",
        ansible_pipelining=True,
    )  # fmt: skip
    main = run.start("install")
    try:
        eventually(lambda: cleaned.get(o.apps("deployments", cleaned.ns("main"), "slow")), 60)
        assert len(run.rights()) == 2
        assert not manage.order(hosts[0], "stop")
        assert main.wait(90) == 0, run.output
    finally:
        if main.poll() is None:
            os.killpg(main.pid, signal.SIGKILL)
            main.wait(10)
        manage.order(hosts[0], "start")
    assert "SLW-7406 what is left of this run's rights is cleared away by the next run" in run.output
    # The account goes with its binding, by the cluster's own garbage collector.
    eventually(lambda: run.rights() == set(), 20)


def test_a_forward_ends_with_the_worker_whatever_ends_that(
    cleaned: Cluster, hosts: tuple[Host, Host], login: dict[str, str], tmp_path: Path
) -> None:
    stuck = {"namespace": cleaned.ns("main"), "timeout": 300, "objects": [o.deployment("stuck", "never-ready")]}
    run = reached(cleaned, tmp_path, login, hosts[0], {"stuck": stuck}, slipway_api_forward=True)
    main = run.start("install")
    try:
        eventually(lambda: cleaned.get(o.apps("deployments", cleaned.ns("main"), "stuck")), 60)
        assert len(forwards(tmp_path)) == 1
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(main.pid)], capture_output=True, text=True, check=True
        )
        # One by one: a signal to the group would reach ssh itself.
        for pid in (main.pid, *map(int, listed.stdout.split())):
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: forwards(tmp_path) == [], 10)
    finally:
        os.killpg(main.pid, signal.SIGKILL)
        main.wait(10)
