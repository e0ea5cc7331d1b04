# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Run one command and say what it cost: seconds, CPU (its own, Helm's, the API server's), memory, requests."""

from __future__ import annotations

import dataclasses
import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGESIZE")
_SAMPLING = 0.1
# Below this share of a core the control plane counts as quiet: leases and heartbeats always go on.
_QUIET = 0.1


class StepError(Exception):
    """A contestant's command ended with an error or ran too long; the end of its output."""


@dataclass(frozen=True)
class Cost:
    """``cpu`` is the contestant's in all its processes, Helm's among them; ``peak_mib`` that of all of them together.

    CPU of the API server and etcd counts until both are quiet again, since they go on after the last answer.
    """

    seconds: float = 0.0
    cpu: float = 0.0
    helm_cpu: float = 0.0
    api_cpu: float = 0.0
    etcd_cpu: float = 0.0
    peak_mib: float = 0.0
    requests: int = 0
    helms: int = 0

    def __add__(self, other: Cost) -> Cost:
        """Of one command after the other."""
        sums = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in dataclasses.fields(Cost)}
        return Cost(**{**sums, "peak_mib": max(self.peak_mib, other.peak_mib)})


class Meter:
    """``processes`` are the control plane's pids by program; ``folder`` takes the notes of the Helm wrapper."""

    def __init__(self, processes: Mapping[str, int], audit_log: Path, user: str, folder: Path) -> None:
        self._processes = dict(processes)
        self._audit_log = audit_log
        self._user = f'"username":"{user}"'.encode()
        self._notes = folder / "helm-notes"

    def wrapper(self, folder: Path, helm: Path) -> Path:
        """Make ``folder`` hold a ``helm`` that notes each start with its CPU time, and return the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        script = folder / "helm"
        script.write_text(
            f'#!/bin/sh\n{shlex.quote(str(helm))} "$@"\nended=$?\n'
            f"times >{shlex.quote(str(self._notes))}/$$\nexit $ended\n",
            encoding="utf-8",
        )
        script.chmod(0o755)
        return folder

    def run(self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], limit: float, good: int = 0) -> Cost:
        """Cost of ``command``; exit codes up to ``good`` are no failure. Waits until the control plane is quiet.

        :raises StepError: when it ends otherwise or takes longer than ``limit`` seconds.
        """
        self._notes.mkdir(parents=True, exist_ok=True)
        for note in self._notes.iterdir():
            note.unlink()
        log = cwd / "last-output.txt"
        offset = self._audit_log.stat().st_size
        before = self.control_plane()
        with log.open("wb") as output:
            began = time.monotonic()
            child = subprocess.Popen(
                list(command),
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            watcher = _Watcher(child.pid, limit)
            try:
                _pid, status, usage = os.wait4(child.pid, 0)
            except BaseException:
                os.killpg(child.pid, signal.SIGKILL)
                raise
            finally:
                seconds = time.monotonic() - began
                watcher.stop()
            child.returncode = os.waitstatus_to_exitcode(status)
        if not 0 <= child.returncode <= good:
            tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-25:])
            late = f" after the limit of {limit:.0f} s" if watcher.late else ""
            raise StepError(f"{' '.join(map(str, command[:4]))} … ended with {child.returncode}{late}:\n{tail}")
        self.settle()
        after = self.control_plane()
        spent = {name: after[name] - before[name] for name in before}
        notes = list(self._notes.iterdir())
        return Cost(
            seconds=seconds,
            cpu=usage.ru_utime + usage.ru_stime,
            helm_cpu=sum(_times(note.read_text(encoding="utf-8")) for note in notes),
            api_cpu=spent["kube-apiserver"],
            etcd_cpu=spent["etcd"],
            peak_mib=watcher.peak / 2**20,
            requests=self.requests_since(offset),
            helms=len(notes),
        )

    def audit_offset(self) -> int:
        return self._audit_log.stat().st_size

    def requests_since(self, offset: int) -> int:
        """Requests of the contestants' user that the API server has answered since."""
        with self._audit_log.open("rb") as stream:
            stream.seek(offset)
            return sum(1 for line in stream if self._user in line)

    def settle(self, patience: float = 20.0) -> None:
        """Wait until the control plane has nothing more to do."""
        deadline = time.monotonic() + patience
        quiet = 0
        last = sum(self.control_plane().values())
        while quiet < 2 and time.monotonic() < deadline:
            time.sleep(0.25)
            now = sum(self.control_plane().values())
            quiet = quiet + 1 if now - last <= _QUIET * 0.25 else 0
            last = now

    def control_plane(self) -> dict[str, float]:
        """CPU seconds of each of its programs so far."""
        found = {}
        for name, pid in self._processes.items():
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            found[name] = (int(fields[11]) + int(fields[12])) / _TICKS
        return found


class _Watcher:
    """Samples the memory of a process and all its descendants, and ends them at a time limit."""

    def __init__(self, pid: int, limit: float) -> None:
        self._pid = pid
        self._deadline = time.monotonic() + limit
        self._ended = threading.Event()
        self.peak = 0
        self.late = False
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_SAMPLING):
            self.peak = max(self.peak, sum(map(_resident, _tree(self._pid))))
            if time.monotonic() > self._deadline and not self.late:
                self.late = True
                os.killpg(self._pid, signal.SIGKILL)


def _tree(pid: int) -> list[int]:
    found = [pid]
    for at in found:
        try:
            for thread in Path(f"/proc/{at}/task").iterdir():
                found += map(int, (thread / "children").read_text(encoding="utf-8").split())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * _PAGE
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _times(text: str) -> float:
    """CPU seconds of the children, from what the shell's ``times`` prints: its own line, then theirs as ``0m0.31s``."""
    children = text.splitlines()[1].split() if text.count("\n") >= 2 else []
    total = 0.0
    for part in children:
        minutes, _m, rest = part.partition("m")
        total += int(minutes) * 60 + float(rest.rstrip("s"))
    return total
