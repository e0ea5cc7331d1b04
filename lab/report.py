# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a lab tells about itself: JSON for tests, a file for shells, a screen for people."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from lab import bao, kubernetes, nodes, paths
from lab.api import Api
from lab.hosts import model
from lab.state import State

ENV_FILE = "env.json"
SHELL_FILE = "lab.env"


def environment(current: State, folder: Path) -> dict[str, object]:
    """Everything that a test or a play needs to use the lab."""

    def url(scheme: str, port: str) -> str:
        return f"{scheme}://127.0.0.1:{current.ports[port]}"

    return {
        "name": current.name,
        "state_dir": str(folder),
        "kubeconfig": str(folder / "admin.kubeconfig"),
        "server": url("https", "apiserver"),
        "ca_file": str(folder / "pki" / "ca.crt"),
        "token_file": str(folder / "token"),
        "proxy_server": url("https", "faults"),
        "proxy_control": url("http", "faults-control"),
        "repo_url": url("http", "repo"),
        "private_repo_url": url("http", "repo") + "/private",
        "private_repo_user": current.secrets["repo_user"],
        "private_repo_password": current.secrets["repo_password"],
        "webhook_url": url("https", "webhook"),
        "webhook_control": url("http", "webhook-control"),
        "webhook_ca": str(folder / "pki" / "ca.crt"),
        "bao_address": url("http", "bao"),
        "bao_token_file": str(folder / "bao-token"),
        "bao_unseal_key_file": str(folder / "bao-unseal-key"),
        "bao_audit_log": str(folder / bao.AUDIT_LOG),
        "bao_proxy": url("https", "bao-faults"),
        "bao_proxy_control": url("http", "bao-faults-control"),
        "kubeadm_url": url("http", "kubeadm") + "/" if current.empty else "",
        "kubeadm_log": str(folder / "kubeadm.jsonl"),
        "hosts": [host.shown() for host in model.load(folder).hosts.values()],
        "static_key_file": str(folder / "hosts" / "static_key"),
        "audit_log": str(folder / "audit.log"),
        "logs": str(folder / "logs"),
        "bin_dir": str(folder / "bin"),
        "bin": current.programs,
    }


def write_env(current: State, folder: Path) -> dict[str, object]:
    """Write ``env.json`` in one step, and return its content."""
    values = environment(current, folder)
    draft = folder / f"{ENV_FILE}.new"
    paths.write_private(draft, json.dumps(values, indent=1) + "\n")
    draft.replace(folder / ENV_FILE)
    return values


def write_files(current: State, folder: Path) -> None:
    """Write ``env.json``, ``lab.env`` and a folder with the programs by name."""
    values = write_env(current, folder)
    programs = folder / "bin"
    programs.mkdir()
    for name, path in current.programs.items():
        (programs / name).symlink_to(path)
    lines = [f"export KUBECONFIG={shlex.quote(str(values['kubeconfig']))}"]
    lines += [
        f"export SLIPWAY_LAB_{key.upper()}={shlex.quote(str(value))}"
        for key, value in values.items()
        if key not in ("bin", "hosts") and "password" not in key
    ]
    lines.append(f'export PATH={shlex.quote(str(programs))}:"$PATH"')
    (folder / SHELL_FILE).write_text("\n".join(lines) + "\n")


def summary(current: State) -> str:
    """The lines that ``up`` ends with."""
    folder = paths.lab_dir(current.name)
    if not kubernetes.runs(current):
        return f"lab {current.name}: no cluster yet\n  shell       . {folder / SHELL_FILE}"
    _total, ready = nodes.count(current.ports["apiserver"], folder / "pki")
    server = f"https://127.0.0.1:{current.ports['apiserver']}"
    return (
        f"lab {current.name}: Kubernetes at {server}, {ready} simulated nodes Ready\n"
        f"  kubeconfig  {folder / 'admin.kubeconfig'}\n"
        f"  charts      http://127.0.0.1:{current.ports['repo']}\n"
        f"  shell       . {folder / SHELL_FILE}"
    )


def status(current: State) -> str:
    """One line for each process, and what the API says."""
    folder = paths.lab_dir(current.name)
    lines = [f"lab {current.name}  {folder}"]
    memory = 0
    for process in current.processes.values():
        own = process.memory_mib()
        memory += own
        life = f"pid {process.pid:<8} {own:>5} MiB" if process.alive() else "ended"
        lines.append(f"  {process.name:<24} {life}")
    lines.append(f"  {'total':<24} {memory:>18} MiB")
    if not kubernetes.runs(current):
        return "\n".join([*lines, "  no cluster"])
    api = Api(current.ports["apiserver"], folder / "pki")
    if not api.ready():
        return "\n".join([*lines, "  API server does not answer"])
    total, ready = nodes.count(current.ports["apiserver"], folder / "pki")
    return "\n".join([*lines, f"  API server ready, {ready} of {total} nodes Ready"])
