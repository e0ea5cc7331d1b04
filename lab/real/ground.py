# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The real lab as a whole: what stands before the first host, and what takes all of it away again."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from lab import paths, procs
from lab.errors import LabError
from lab.real import cgroups, inventory, kubespray, login, machine, model, network
from lab.real.model import Host, Run
from lab.real.parts import Parts

CONNECTION = re.compile(r"^Connection from ", re.MULTILINE)
# kubelet sets these on the machine itself, hosts being containers; containers of containers watch many files.
KERNEL = (
    "fs/inotify/max_user_instances",
    "fs/inotify/max_user_watches",
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)
SETTINGS = Path("/proc/sys")
WATCHES = {"fs/inotify/max_user_instances": "8192", "fs/inotify/max_user_watches": "524288"}


def folder(name: str) -> Path:
    """Where a run of that name keeps its hosts: on a disk, for they take gigabytes."""
    own = os.environ.get("SLIPWAY_REAL_STATE")
    return (Path(own) if own else Path("/var/tmp/slipway-real")) / paths.lab_dir(name).name


def check() -> None:
    """Refuse a machine that cannot hold the lab.

    :raises LabError: with what is missing.
    """
    if os.geteuid() != 0:
        raise LabError("the real lab makes network namespaces and containers: start it as root")
    cgroups.hierarchies(cgroups.MOUNTS.read_text())
    missing = [tool for tool in ("cp", "nsenter", "sh", "ssh", "unshare") if shutil.which(tool) is None]
    if missing:
        raise LabError(f"the real lab needs {', '.join(missing)} on the machine")


def start(name: str, parts: Parts) -> Run:
    """Make the network, the mirror and a key; no host yet. What is left of an earlier run goes first."""
    place = folder(name)
    down(name)
    place.mkdir(parents=True, mode=0o700)
    run = Run(place, settings=_beside(place) or {key: (SETTINGS / key).read_text().strip() for key in KERNEL})
    run.save()
    for key, value in WATCHES.items():
        if int(run.settings[key]) < int(value):
            (SETTINGS / key).write_text(value)
    run.server = network.start(place, parts.mirror, parts.base)
    run.namespace = network.identity(run.server.pid)
    run.save()
    kubespray.configure(run)
    return run


def bring(run: Run, hosts: list[Host], parts: Parts) -> None:
    """Have these hosts running, one that is new is made first, and exactly them in the inventory."""
    for host in hosts:
        if not run.root(host.name).exists():
            machine.create(run, host, parts.base)
        if host.name not in run.machines:
            machine.start(run, host, parts.base)
    describe(run, hosts, parts)


def describe(run: Run, hosts: list[Host], parts: Parts) -> None:
    """Write the inventory of these hosts, and how to know them, whether they run or not."""
    (run.folder / "known_hosts").write_text(login.known_hosts(run, hosts))
    inventory.write(run, hosts, parts.mirror)


def connections(run: Run, host: str) -> int:
    """How many connections came to the host's sshd since it was made; it may be off."""
    log = run.root(host) / "var/log/sshd.log"
    return len(CONNECTION.findall(log.read_text(errors="replace")))


def down(name: str) -> bool:
    """Stop everything of the run and remove it, files and kernel settings included; whether there was anything."""
    place = folder(name)
    if not place.exists():
        return False
    run = model.load(place) or Run(place)
    if run.current:
        for host in list(run.machines):
            machine.stop(run, host, clean=False)
        procs.stop(procs.owned(place))
        procs.stop(network.members(run.namespace))
        for host in {path.name for path in (place / "hosts").glob("*")}:
            cgroups.remove(machine.group(run, host))
        if not _beside(place):
            for key, value in run.settings.items():
                (SETTINGS / key).write_text(value)
    shutil.rmtree(place)
    return True


def _beside(place: Path) -> dict[str, str]:
    """The kernel's settings from before another run that is up; none when this is the only one."""
    found = (model.load(path.parent) for path in place.parent.glob(f"*/{model.STATE}") if path.parent != place)
    others = [run for run in found if run is not None and run.current and run.server and run.server.alive()]
    return others[0].settings if others else {}
