# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Jobs in containers of their own, each on another machine as far as it can tell, which are ended as AWX ends them.

A container has its own processes, hostname, boot, HOME, ``/tmp`` and ``/dev/shm``; it shares the network, as it has to
reach the lab. What it leaves there goes with it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.contract.kubespray.deaths import CALLBACKS
from tests.contract.kubespray.jobs import Job, Jobs
from tests.contract.support import ROOT, eventually

_HIDDEN = (Path("/tmp"), Path("/dev/shm"))
# What the job shall see of hidden folders is reached by way of /mnt, before anything is mounted over it.
_ENTER = """\
set -e
hostname "$CONTAINER"
mount -t tmpfs tmpfs /mnt
mkdir -p /mnt/tmp /mnt/dev/shm
mount --bind /tmp /mnt/tmp
mount --bind /dev/shm /mnt/dev/shm
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /dev/shm
for seen in $SEEN; do mkdir -p "$seen"; mount --bind "/mnt$seen" "$seen"; done
mount --bind "$BOOT" /proc/sys/kernel/random/boot_id
umount -R -l /mnt
mkdir -p "$HOME"
exec "$@"
"""


@dataclass
class Container:
    """One that runs. ``folder`` is the job's; ``process`` starts the container's first one and waits for it."""

    number: int
    folder: Path
    process: subprocess.Popen[str]
    output: Path
    sockets: set[str] = field(default_factory=set)

    @property
    def first(self) -> int:
        """The container's first process, by its number out here."""
        return int(eventually(lambda: next(iter(children(self.process.pid)), 0)))

    @property
    def text(self) -> str:
        """What it has said so far."""
        said = self.folder / "artifacts" / "1" / "stdout"
        return self.output.read_text(encoding="utf-8") + (said.read_text(encoding="utf-8") if said.exists() else "")

    def until(self, look: Callable[[], Any], seconds: float = 180.0) -> Any:
        """What ``look`` says, once that is something. The job must not end before."""
        deadline = time.monotonic() + seconds
        while not (found := look()):
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.05)
        return found

    def is_killed(self) -> dict[int, str]:
        """With all that is in it, at once and without a warning. Returns the processes that it had by their number,
        each with its beginning."""
        first = self.first
        there = {pid: began(pid) for pid in [first, *descendants(first)]}
        self.sockets = {
            "/" + str(path.relative_to(f"/proc/{first}/root"))
            for folder in Path(f"/proc/{first}/root/dev/shm").glob("slipway-*")
            for path in folder.rglob("*")
            if path.is_socket()
        }
        os.kill(first, signal.SIGKILL)
        self.process.wait(30)
        return there


@dataclass
class Containers:
    """Jobs of one site, numbered as AWX does it."""

    jobs: Jobs
    started: list[Container] = field(default_factory=list)

    def start(self, playbook: str, *, env: dict[str, str] | None = None, **extra: Any) -> Container:
        """``extra``: the job's extra variables."""
        number = 4711 + len(self.started)
        folder = self.jobs.laid_out(playbook, terminal=True, **extra)
        site = self.jobs.site
        boot = folder / "boot_id"
        boot.write_text(f"{uuid.uuid4()}\n", encoding="utf-8")
        seen = [folder, Path(site.env["state_dir"]), ROOT, self.jobs.mounted.parent, CALLBACKS]
        own = {
            "CONTAINER": f"automation-job-{number}",
            "SEEN": " ".join(
                str(path) for path in seen if path.is_relative_to("/tmp") or path.is_relative_to("/dev/shm")
            ),
            "BOOT": str(boot),
            "HOME": "/tmp/home",
            "JOB_ID": str(number),
            "AWX_ISOLATED_DATA_DIR": str(folder / "artifacts" / "1"),
            "AWX_PRIVATE_DATA_DIR": str(folder),
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_UNSAFE_WRITES": "1",
        }
        given = {**self.jobs.environment(), "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS)}
        del given["XDG_RUNTIME_DIR"]
        output = folder / "said"
        with output.open("w", encoding="utf-8") as stream:
            process = subprocess.Popen(
                [*unshare(), "sh", "-c", _ENTER, "sh", *self.jobs.command(folder)],
                cwd=folder / "project",
                env={**given, **own, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        container = Container(number, folder, process, output)
        self.started.append(container)
        return container

    def run(self, playbook: str, **extra: Any) -> Job:
        """To its end, whatever that is."""
        container = self.start(playbook, **extra)
        container.process.wait(600)
        assert (container.folder / "artifacts" / "1" / "rc").exists(), container.text
        return self.jobs.ended(container.folder)

    def held(self, playbook: str, task: str, **more: Any) -> Container:
        """A job that stands still before this task."""
        file = self.jobs.site.folder / f"held-{time.monotonic_ns()}"
        container = self.start(playbook, env={"AT_TASK": task, "AT_FILE": str(file)}, **more)
        container.until(file.exists)
        return container

    def close(self) -> None:
        for container in self.started:
            if container.process.poll() is None:
                container.process.kill()
                container.process.wait(10)


@cache
def unshare() -> tuple[str, ...]:
    """Processes, mounts and hostname of one's own; without root as root of a user namespace."""
    command = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--mount", "--uts")
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        return (command[0], "--user", "--map-root-user", *command[1:])
    return command


def children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()]
    except OSError:
        return []


def descendants(pid: int) -> Iterator[int]:
    """Whoever loses its parent inside of a container becomes a child of the container's first process."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (parent := _stat(int(entry.name), 1)):
            parents.setdefault(int(parent), []).append(int(entry.name))
    left = [pid]
    while left:
        found = parents.get(left.pop(), [])
        yield from found
        left += found


def began(pid: int) -> str:
    """When a process began, by the kernel's ticks; empty: there is none, or its end is all that is left of it."""
    return "" if _stat(pid, 0) in ("", "Z") else _stat(pid, 19)


def listening(names: set[str]) -> set[str]:
    """Which of these sockets anybody still has open."""
    lines = Path("/proc/net/unix").read_text(encoding="utf-8").splitlines()
    return names & {line.split()[-1] for line in lines}


def _stat(pid: int, field_number: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[field_number]
    except OSError:
        return ""
