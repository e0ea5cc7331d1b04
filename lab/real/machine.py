# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A host: a copy of the base root file system, started as a system container in the lab's network."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

from lab import procs
from lab.errors import LabError
from lab.hosts import keys
from lab.procs import Process
from lab.real import cgroups, guest, login, network, tools
from lab.real.model import BRIDGE, Host, Run

PATIENCE = 60.0
CLEAN = signal.SIGRTMIN + 4
"""What systemd as the first process takes for an order to power off."""

# The shell puts itself into each group before it becomes the host.
JOIN = 'while [ "$1" != -- ]; do echo $$ >"$1" || exit; shift; done; shift; exec "$@"'
# A machine without systemd has no /run/systemd, and gets none.
HIDE = 'mount -t tmpfs tmpfs /run && mkdir /run/systemd && exec "$@"'


def create(run: Run, host: Host, base: Path) -> None:
    """Make the host's root file system, with its own identity; nothing starts."""
    root = run.root(host.name)
    root.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["cp", "-a", str(base), str(root)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"the file system of {host.name} could not be copied: {done.stderr.strip()}")
    public = keys.write(root / login.HOST_KEY, keys.generate("ed25519"), host.name)
    (root / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
    for path, text in (guest.files(host) | login.files(run, host, public)).items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    for unit in guest.UNITS:
        wanted = root / "etc/systemd/system/sysinit.target.wants"
        wanted.mkdir(exist_ok=True)
        # A copy of a host has them already.
        (wanted / unit).unlink(missing_ok=True)
        (wanted / unit).symlink_to(f"../{unit}")
    (root / "etc/machine-id").write_text(f"{secrets.token_hex(16)}\n")


def start(run: Run, host: Host, base: Path) -> None:
    """Start the host and wait until its sshd listens.

    :raises LabError: when it does not within a minute; its console is in ``NAME.log``.
    """
    if run.server is None:
        raise LabError("the lab has no network")
    files = cgroups.create(group(run, host.name))
    nspawn = [
        *tools.command(base, "usr/bin/systemd-nspawn"),
        *("--directory", str(run.root(host.name)), "--boot", "--quiet", "--console=pipe", "--machine", host.name),
        *(f"--network-bridge={BRIDGE}", "--capability=all", "--register=no", "--keep-unit"),
        *("--resolv-conf=off", "--timezone=off", "--link-journal=no", "--bind=/dev/kmsg"),
        *("--property=DeviceAllow=char-* rwm", "--system-call-filter=@keyring bpf @mount add_key"),
    ]
    command = ["sh", "-c", JOIN, "sh", *map(str, files), "--", *network.enter(run.server)]
    command += ["unshare", "--mount", "--propagation", "private", "sh", "-c", HIDE, "sh", *nspawn]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "yes"}
    log = run.folder / f"{host.name}.log"
    process = procs.spawn(host.name, command, log, run.folder, environment)
    run.machines[host.name] = process
    run.save()
    deadline = time.monotonic() + PATIENCE
    while not _listens(process):
        if not process.alive() or time.monotonic() > deadline:
            raise LabError(f"{host.name} did not start; the end of its console:\n{log.read_text()[-2000:]}")
        time.sleep(0.05)


def stop(run: Run, name: str, *, clean: bool, patience: float = 60.0) -> None:
    """Shut the host down, or pull its plug; its files stay as they are then."""
    process = run.machines.pop(name)
    first = leader(process)
    if first is not None:
        procs.stop([first], CLEAN if clean else signal.SIGKILL, patience)
    procs.stop([process], signal.SIGTERM)
    left = [found for pid in cgroups.processes(group(run, name)) if (found := procs.find(pid)) is not None]
    procs.stop(left)
    cgroups.remove(group(run, name))
    run.save()


def destroy(run: Run, name: str) -> None:
    """Pull the plug, and remove the host's files."""
    if name in run.machines:
        stop(run, name, clean=False)
    shutil.rmtree(run.root(name), ignore_errors=True)


def group(run: Run, name: str) -> str:
    """Name of the host's control group."""
    return f"slipway-{run.folder.name}-{name}"


def execute(run: Run, name: str, command: list[str], text: str | None = None) -> str:
    """Output of a command on a host, without SSH.

    :raises LabError: when the host is off or the command fails.
    """
    first = leader(run.machines[name])
    if first is None:
        raise LabError(f"{name} is off")
    inside = ["nsenter", "--target", str(first.pid), "--all", "--", *command]
    search = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    done = subprocess.run(
        inside, input=text, capture_output=True, text=True, check=False, env={"PATH": search, "HOME": "/root"}
    )
    if done.returncode != 0:
        raise LabError(f"{name}: {' '.join(command)} failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def leader(process: Process) -> Process | None:
    """The first process of the host, the container's child; None when it is not there."""
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    except OSError:
        return None
    found = (procs.find(int(pid)) for pid in children)
    return next((child for child in found if child is not None and _is_init(child)), None)


def _is_init(process: Process) -> bool:
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return False
    return any(line.startswith("NSpid:") and line.split()[-1] == "1" for line in status.splitlines())


def _listens(process: Process) -> bool:
    first = leader(process)
    return first is not None and os.path.exists(f"/proc/{first.pid}/root/run/sshd.pid")  # noqa: PTH110
