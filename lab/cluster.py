# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Start and stop of a lab."""

from __future__ import annotations

import json
import secrets
import shutil
import signal
import time
from functools import partial
from pathlib import Path

from lab import (
    audit,
    bao,
    binaries,
    controlplane,
    kubeconfig,
    kubernetes,
    nodes,
    packages,
    paths,
    ports,
    procs,
    report,
    state,
)
from lab.api import Api
from lab.cache import Say
from lab.errors import LabError
from lab.running import PATIENCE, listens, spawn, wait
from lab.state import State

DEFAULT_NODES = 3
# Ports where what listens is known to be there already, or does not speak to this user.
NO_SERVICE = ("etcd", "etcd-peer", "apiserver", "bao")


def up(name: str, node_count: int | None, *, audit_bodies: bool, empty: bool = False, say: Say) -> State:
    """Make sure that the lab runs, and return its state.

    A running lab is kept, with the number of nodes brought to ``node_count`` where one is given. What is left of a
    lab that was killed is removed first. An ``empty`` one has no cluster until a ``kubeadm init`` on one of its hosts.
    """
    folder = paths.lab_dir(name)
    if node_count is not None and not 1 <= node_count <= nodes.MOST:
        raise LabError(f"a lab has 1 to {nodes.MOST} nodes, not {node_count}")
    programs = binaries.ensure_all(say)
    with paths.locked(folder):
        current = state.load(folder)
        if current is not None and current.running() and _answers(current, folder):
            say(f"lab {name} is running already")
            packages.publish(folder / "repo")
            if node_count is not None:
                _scale(current, folder, node_count)
            return current
        if _clear(folder, current):
            say(f"lab {name} had been killed: its remains are removed")
        try:
            count = node_count or DEFAULT_NODES
            return _start(name, folder, count, programs, audit_bodies=audit_bodies, empty=empty)
        except BaseException as error:
            # After a refusal the logs stay for reading; the next start removes them.
            procs.stop(procs.owned(folder))
            if isinstance(error, KeyboardInterrupt):
                _clear(folder, None)
            raise


def down(name: str) -> bool:
    """Stop the lab and remove all its files; return whether there was anything."""
    folder = paths.lab_dir(name)
    if not folder.exists():
        return False
    with paths.locked(folder):
        found = _clear(folder, state.load(folder))
        folder.rmdir()
    base = paths.base_dir()
    if not any(base.iterdir()):
        base.rmdir()
    return found


def restart_apiserver(name: str, *, pause: float = 0.0, kill: bool = False) -> None:
    """Stop the API server, stay away for ``pause`` seconds, start it again on the same port and data.

    It gets two seconds to end by itself: with watches open it would take up to a minute.
    """
    folder = paths.lab_dir(name)
    with paths.locked(folder):
        current = require_running(name)
        old = current.processes["kube-apiserver"]
        procs.stop([old], signal.SIGKILL if kill else signal.SIGTERM, patience=2)
        time.sleep(pause)
        spawn(current, folder, "kube-apiserver", list(old.argv))
        kubernetes.wait_for_api(current, folder)


def scale(name: str, wanted: int) -> int:
    """Bring the number of the lab's own nodes to ``wanted`` and return the difference."""
    current = require_running(name)
    folder = paths.lab_dir(name)
    with paths.locked(folder):
        return _scale(current, folder, wanted)


def require_running(name: str) -> State:
    """State of a lab that runs.

    :raises LabError: when it does not.
    """
    current = state.load(paths.lab_dir(name))
    if current is None or not current.running():
        raise LabError(f"lab {name} is not running; start it with: python3 -m lab up --name {name}")
    return current


def _scale(current: State, folder: Path, wanted: int) -> int:
    port, keys = current.ports["apiserver"], folder / "pki"
    change = nodes.scale(port, keys, wanted)
    nodes.wait_ready(port, keys, wanted, PATIENCE + wanted)
    return change


def _clear(folder: Path, current: State | None) -> bool:
    """End every process of the lab, empty its folder, and tell whether there was anything."""
    written = list(current.processes.values()) if current is not None and current.boot == state.boot_id() else []
    procs.stop(written)
    # A start that was killed between starting a program and writing its pid down left one that nobody lists.
    unwritten = procs.owned(folder)
    procs.stop(unwritten)
    entries = list(folder.iterdir())
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    return bool(written or unwritten or entries)


def _start(
    name: str, folder: Path, node_count: int, programs: dict[str, Path], *, audit_bodies: bool, empty: bool
) -> State:
    # Here and not above: loading the cryptography library takes longer than any other command of the lab.
    from lab import pki

    current = _reserve(name, folder, programs, empty=empty)
    pki.create(folder / "pki", controlplane.SERVICE_ADDRESS)
    _write_settings(current, folder, audit_bodies)
    packages.publish(folder / "repo")
    if not empty:
        kubernetes.start_server(current, folder)
    spawn(current, folder, "faults", controlplane.faults(folder, current.ports))
    spawn(current, folder, "webhook", controlplane.webhook(folder, current.ports))
    spawn(current, folder, "repo", controlplane.repo(folder, current.ports))
    _start_bao(current, folder)
    if empty:
        spawn(current, folder, "kubeadm", controlplane.kubeadm(folder, current.ports))
    else:
        kubernetes.start_rest(current, folder)
        port, keys = current.ports["apiserver"], folder / "pki"
        nodes.scale(port, keys, node_count)
        kubernetes.wait_for_accounts(current, folder)
        _as_kubeadm_does(current, folder)
        nodes.wait_ready(port, keys, node_count, PATIENCE + node_count)
    for service in current.ports.keys() - set(NO_SERVICE):
        wait(current, folder, service, partial(listens, current.ports[service]))
    report.write_files(current, folder)
    current.complete = True
    current.save(folder)
    return current


def _as_kubeadm_does(current: State, folder: Path) -> None:
    """What every cluster of kubeadm's has, so that nodes can join by a token."""
    from lab.kubeadm import objects

    api = Api(current.ports["apiserver"], folder / "pki")
    config = {"kind": "ClusterConfiguration", "kubernetesVersion": binaries.KUBERNETES}
    server = f"https://127.0.0.1:{current.ports['apiserver']}"
    for path, body in objects.cluster(config, server, (folder / "pki" / "ca.crt").read_bytes()):
        api.need("POST", path, body)
    api.close()


def _start_bao(current: State, folder: Path) -> None:
    port = current.ports["bao"]
    bao.write_config(folder, port)
    spawn(current, folder, "bao", bao.command(current.programs["bao"], folder))
    wait(current, folder, "OpenBao", bao.Bao(f"http://{bao.HOST}:{port}").answers)
    current.secrets["bao_token"], current.secrets["bao_unseal_key"] = bao.initialise(port)
    paths.write_private(folder / "bao-token", current.secrets["bao_token"])
    paths.write_private(folder / "bao-unseal-key", current.secrets["bao_unseal_key"])
    spawn(current, folder, "bao-faults", controlplane.bao_faults(folder, current.ports))


def _reserve(name: str, folder: Path, programs: dict[str, Path], *, empty: bool) -> State:
    """Choose ports and write them down while no other lab of this user chooses."""
    with paths.locked(folder.parent):
        others = [state.load(entry) for entry in folder.parent.iterdir() if entry != folder]
        taken = {port for other in others if other is not None for port in other.ports.values()}
        current = State(
            name=name,
            boot=state.boot_id(),
            ports=ports.choose((*controlplane.PORTS, *((controlplane.KUBEADM_PORT,) if empty else ())), taken),
            empty=empty,
            secrets={
                "token": secrets.token_urlsafe(24),
                "repo_user": "lab",
                "repo_password": secrets.token_urlsafe(12),
            },
            programs={program: str(path) for program, path in programs.items()},
        )
        current.save(folder)
    return current


def _write_settings(current: State, folder: Path, audit_bodies: bool) -> None:
    server = f"https://127.0.0.1:{current.ports['apiserver']}"
    for user in ("admin", "kwok", "controller-manager", "scheduler"):
        kubeconfig.write(folder / f"{user}.kubeconfig", server, folder / "pki", user)
    token, user, password = (current.secrets[key] for key in ("token", "repo_user", "repo_password"))
    # The same user as the certificate of the kubeconfig: only the way to the server differs.
    paths.write_private(folder / "tokens.csv", f'{token},lab-admin,lab-admin,"system:masters"\n')
    paths.write_private(folder / "token", token)
    paths.write_private(folder / "repo-credentials", f"{user}:{password}")
    (folder / "audit-policy.yaml").write_text(json.dumps(audit.policy(bodies=audit_bodies)) + "\n")
    (folder / "logs").mkdir()


def _answers(current: State, folder: Path) -> bool:
    if not kubernetes.runs(current):
        return True
    api = Api(current.ports["apiserver"], folder / "pki")
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if api.ready():
            return True
        time.sleep(0.1)
    return False
