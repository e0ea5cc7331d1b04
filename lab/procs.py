# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Processes that outlive the command that starts them, known by pid and start time."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

OWNER = "SLIPWAY_LAB_OWNER"


@dataclass(frozen=True)
class Process:
    """A started program. ``started`` is in clock ticks since boot: a recycled pid has another one."""

    name: str
    pid: int
    started: int
    argv: tuple[str, ...]

    def alive(self) -> bool:
        """Tell whether it still runs; a zombie that nobody reaps counts as dead."""
        return _start_time(self.pid) == self.started

    def memory_mib(self) -> int:
        """Resident memory in MiB; 0 when it is gone."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError):
            return 0
        return pages * os.sysconf("SC_PAGESIZE") // 2**20


def spawn(name: str, argv: list[str], log: Path, owner: Path, environment: dict[str, str]) -> Process:
    """Start a program in its own session, with its output in ``log``.

    The owner goes into its environment: a start that is killed before the pid is written down is found by that.
    """
    with log.open("ab") as output:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=owner,
            env=environment | {OWNER: str(owner)},
        )
    # It is to live longer than this object, which would warn about that otherwise.
    child.returncode = 0
    return Process(name, child.pid, _start_time(child.pid) or 0, tuple(argv))


def owned(owner: Path) -> list[Process]:
    """Find all live processes of this user that were started for ``owner``."""
    mark = f"{OWNER}={owner}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            variables = (entry / "environ").read_bytes().split(b"\0")
        except (PermissionError, FileNotFoundError, ProcessLookupError):
            continue
        started = _start_time(int(entry.name))
        if mark in variables and started is not None:
            found.append(Process("leftover", int(entry.name), started, ()))
    return found


def find(pid: int) -> Process | None:
    """The process that has this pid now; None when nobody has it."""
    started = _start_time(pid)
    return None if started is None else Process("found", pid, started, ())


def parent(process: Process) -> int | None:
    """The pid of the process that it belongs to; None when it is gone."""
    fields = _stat(process.pid)
    return None if fields is None else int(fields[1])


def stop(processes: Iterable[Process], how: int = signal.SIGKILL, patience: float = 5.0) -> None:
    """End the processes and wait until they are gone.

    A handle on the process is taken before its start time is compared, so a signal never hits a recycled pid.
    What does not end on ``how`` within ``patience`` seconds is killed.
    """
    handles = []
    for process in processes:
        try:
            handle = os.pidfd_open(process.pid)
        except ProcessLookupError:
            continue
        if process.alive():
            signal.pidfd_send_signal(handle, how)
            handles.append(handle)
        else:
            os.close(handle)
    deadline = time.monotonic() + patience
    for handle in handles:
        if not _ended(handle, deadline - time.monotonic()):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            _ended(handle, patience)
        os.close(handle)


def _ended(handle: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(max(0, round(seconds * 1000))))


def _start_time(pid: int) -> int | None:
    fields = _stat(pid)
    return None if fields is None or fields[0] in "ZX" else int(fields[19])


def _stat(pid: int) -> list[str] | None:
    """Fields of the process's status, its state first; None when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in parentheses and may hold anything.
    return stat.rpartition(")")[2].split()
