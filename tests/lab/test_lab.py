# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Two labs side by side: what they hold, what they never do, and how they end."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab import procs

if TYPE_CHECKING:
    from tests.lab.conftest import Lab

pytestmark = pytest.mark.lab


def test_both_run_and_know_nothing_of_each_other(labs: tuple[Lab, Lab]) -> None:
    for lab in labs:
        assert lab.command("status").returncode == 0
    assert not set(labs[0].state.ports.values()) & set(labs[1].state.ports.values())
    labs[0].kubectl("create", "namespace", "only-in-one")
    assert "only-in-one" not in labs[1].kubectl("get", "namespaces", "-o", "name")
    labs[0].kubectl("delete", "namespace", "only-in-one")


def test_up_again_keeps_a_running_lab(lab: Lab) -> None:
    before = lab.state
    began = time.monotonic()
    done = lab.command("up")
    assert time.monotonic() - began < 5
    assert "running already" in done.stderr
    assert lab.state.processes == before.processes


def test_nodes_are_ready_and_spread_over_zones(lab: Lab) -> None:
    nodes = lab.get("/api/v1/nodes")["items"]
    labels = [node["metadata"]["labels"] for node in nodes]
    assert [label["topology.kubernetes.io/zone"] for label in labels] == ["lab-a", "lab-b", "lab-c"]
    assert ["node-role.kubernetes.io/control-plane" in label for label in labels] == [True, False, False]
    assert all(label["kubernetes.io/os"] == "linux" and label["kubernetes.io/arch"] == "amd64" for label in labels)
    assert not any(node["spec"].get("taints") for node in nodes)
    for node in nodes:
        ready = next(condition for condition in node["status"]["conditions"] if condition["type"] == "Ready")
        assert ready["status"] == "True"


def test_number_of_nodes_changes(labs: tuple[Lab, Lab]) -> None:
    lab = labs[1]
    assert "5 nodes Ready (+2)" in lab.command("nodes", "5").stdout
    assert "2 nodes Ready (-3)" in lab.command("nodes", "2").stdout
    assert len(lab.get("/api/v1/nodes")["items"]) == 2
    assert lab.command("nodes", "1001", check=False).stderr == "lab: a lab has 1 to 1000 nodes, not 1001\n"


def test_no_listener_is_open_to_the_network(labs: tuple[Lab, Lab]) -> None:
    """Every listening socket of every process of the labs, found by inode, has a loopback address."""
    for lab in labs:
        pids = [process.pid for process in lab.state.processes.values()]
        listeners = [address for pid in pids for address in _listeners(pid)]
        assert len(listeners) >= len(lab.state.ports)
        assert {address for address, _port in listeners} == {ipaddress.ip_address("127.0.0.1")}
        assert {port for _address, port in listeners} == set(lab.state.ports.values())


def test_addresses_that_the_api_server_dials_are_loopback(lab: Lab) -> None:
    argv = lab.state.processes["kube-apiserver"].argv
    started = Path(f"/proc/{lab.state.processes['kube-apiserver'].pid}/cmdline").read_text().split("\0")
    assert list(argv) == started[:-1]
    flags = dict(flag.removeprefix("--").split("=", 1) for flag in argv if "=" in flag)
    loopback = ipaddress.ip_network("127.0.0.0/8")
    services = ipaddress.ip_network(flags["service-cluster-ip-range"])
    assert services.subnet_of(loopback)  # type: ignore[arg-type]
    assert ipaddress.ip_address(flags["bind-address"]) in loopback
    assert "enable-aggregator-routing" not in flags


def test_no_proxy_setting_reaches_the_programs(lab: Lab) -> None:
    for process in lab.state.processes.values():
        names = {item.partition("=")[0] for item in Path(f"/proc/{process.pid}/environ").read_text().split("\0")}
        assert {name for name in names if name} == {"PATH", "HOME", "PYTHONPATH", procs.OWNER}


def test_simulated_addresses_cannot_be_dialled(lab: Lab, namespace: str) -> None:
    """The API server itself refuses a proxy call to a pod's address, which is no unicast one."""
    lab.kubectl("run", "web", "--image=web", "--port=80", "-n", namespace)
    lab.kubectl("wait", "pod/web", "--for=condition=Ready", "-n", namespace, "--timeout=20s")
    api = lab.api()
    status, answer = api.call("GET", f"/api/v1/namespaces/{namespace}/pods/web/proxy/")
    api.close()
    assert status == 400
    assert answer["message"] == "address not allowed"


def test_requests_are_in_the_audit_log_once(lab: Lab, namespace: str) -> None:
    lab.kubectl("create", "configmap", "noted", "-n", namespace, "--dry-run=server")
    lines = [json.loads(line) for line in Path(lab.env["audit_log"]).read_text().splitlines()]
    mine = [line for line in lines if line["verb"] == "create" and f"/{namespace}/configmaps" in line["requestURI"]]
    noted = [line for line in mine if line["objectRef"].get("name") == "noted"]
    assert len(noted) == 1
    assert noted[0]["user"]["username"] == "lab-admin"
    assert "dryRun=All" in noted[0]["requestURI"]
    assert noted[0]["userAgent"].startswith("kubectl/")


def test_token_request_and_rights_work(lab: Lab, namespace: str) -> None:
    lab.kubectl("create", "serviceaccount", "visitor", "-n", namespace)
    token = lab.kubectl("create", "token", "visitor", "-n", namespace).strip()
    env = lab.env
    program = [env["bin"]["kubectl"], "--kubeconfig=/dev/null", f"--server={env['server']}"]
    program += [f"--certificate-authority={env['ca_file']}", f"--token={token}"]
    who = subprocess.run([*program, "auth", "whoami", "-o", "json"], capture_output=True, text=True, check=True)
    assert json.loads(who.stdout)["status"]["userInfo"]["username"] == f"system:serviceaccount:{namespace}:visitor"
    refused = subprocess.run([*program, "get", "secrets", "-A"], capture_output=True, text=True, check=False)
    assert "Forbidden" in refused.stderr


def test_programs_have_the_pinned_versions(lab: Lab) -> None:
    programs = lab.env["bin"]
    for name, expected in (("helm3", "v3.22.0"), ("helm4", "v4.1.4"), ("helm", "v4.1.4")):
        done = subprocess.run([programs[name], "version", "--short"], capture_output=True, text=True, check=True)
        assert done.stdout.startswith(expected)
    assert lab.get("/version")["gitVersion"] == "v1.35.4"


def test_shell_file_and_json_agree(lab: Lab) -> None:
    script = f'. {lab.folder}/lab.env; echo "$KUBECONFIG $SLIPWAY_LAB_PROXY_SERVER"; command -v kubectl'
    done = subprocess.run(["/bin/sh", "-eu", "-c", script], capture_output=True, text=True, check=True)
    env = lab.env
    assert done.stdout.split() == [env["kubeconfig"], env["proxy_server"], f"{env['bin_dir']}/kubectl"]


def test_api_server_restarts_with_its_data(labs: tuple[Lab, Lab]) -> None:
    lab = labs[1]
    lab.kubectl("create", "configmap", "kept")
    for options in ([], ["--kill"]):
        before = lab.state.processes["kube-apiserver"]
        lab.command("restart-apiserver", *options)
        after = lab.state.processes["kube-apiserver"]
        assert after.pid != before.pid
        assert after.argv == before.argv
        assert not before.alive()
        assert "kept" in lab.kubectl("get", "configmaps", "-o", "name")


@pytest.fixture
def own(labs: tuple[Lab, Lab]) -> Iterator[Lab]:
    """A lab for the tests of its end."""
    lab = type(labs[0])("own", labs[0].base)
    lab.command("up", "--nodes", "1")
    yield lab
    lab.command("down")


def test_down_leaves_nothing(own: Lab) -> None:
    processes = own.state.processes.values()
    began = time.monotonic()
    assert own.command("down").stdout == "lab own: stopped, nothing left\n"
    assert time.monotonic() - began < 5
    assert not any(process.alive() for process in processes)
    assert procs.owned(own.folder) == []
    assert not own.folder.exists()
    assert own.command("down").stdout == "lab own: was not there\n"


@pytest.mark.parametrize("victims", ["all", "kwok", "etcd"])
def test_killed_lab_is_started_anew(own: Lab, victims: str) -> None:
    before = own.state
    own.kubectl("create", "configmap", "lost")
    for name, process in before.processes.items():
        if victims in ("all", name):
            os.kill(process.pid, signal.SIGKILL)
    time.sleep(0.2)
    assert own.command("status", check=False).returncode == 3
    done = own.command("up", "--nodes", "1")
    assert "remains are removed" in done.stderr
    assert not any(process.alive() for process in before.processes.values())
    assert "lost" not in own.kubectl("get", "configmaps", "-o", "name")


@pytest.mark.parametrize("seconds", [0.3, 1.0, 2.0, 3.0])
def test_start_killed_half_way_is_cleaned_up(labs: tuple[Lab, Lab], seconds: float) -> None:
    lab = type(labs[0])("half", labs[0].base)
    command = [sys.executable, "-m", "lab", "up", "--name", "half", "--nodes", "1"]
    environment = {**os.environ, "SLIPWAY_LAB_STATE": str(lab.base), "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as starting:
        with contextlib.suppress(subprocess.TimeoutExpired):
            starting.wait(seconds)
        starting.kill()
    left = procs.owned(lab.folder)
    lab.command("up", "--nodes", "1")
    assert not any(process.alive() for process in left)
    assert len(procs.owned(lab.folder)) == len(lab.state.processes)
    lab.command("down")
    assert procs.owned(lab.folder) == []


def _listeners(pid: int) -> list[tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]]:
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            target = str(descriptor.readlink())
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    found: list[tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]] = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                address, _, port = fields[1].partition(":")
                found.append((_address(address), int(port, 16)))
    return found


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    words = [bytes.fromhex(text[start : start + 8])[::-1] for start in range(0, len(text), 8)]
    return ipaddress.ip_address(b"".join(words))
