# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Programs side by side, a bounded number at a time: each in a session of its own and with a time limit.

What they say is kept in memory, so that nothing of it is left anywhere.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..kube.memory_file import memory_fd, path_of

_POLL = 0.1
_PATIENCE = 15.0
"""Seconds for a program to end, once it has been told to."""


class AbandonedError(Exception):
    """Whoever wanted to know is gone."""


@dataclass(frozen=True)
class Job:
    """``command`` gets the paths of ``inputs`` and of the file that the program writes its result to, and returns
    arguments and environment. ``seconds``: its time limit. ``shared``: descriptors that it inherits."""

    name: str
    command: Callable[[Sequence[str], str], tuple[Sequence[str], Mapping[str, str]]]
    inputs: Sequence[bytes]
    seconds: float
    shared: Sequence[int] = ()


@dataclass(frozen=True)
class Ended:
    """``status``: exit status, None for a program that was ended at its time limit. ``wrote``: its result, ``said``:
    standard output and standard error."""

    name: str
    status: int | None
    wrote: str
    said: str
    seconds: float


def run(
    jobs: Sequence[Job], *, parallel: int, alive: Callable[[], bool], tell: Callable[[Ended], None]
) -> dict[str, Ended]:
    """By name; ``tell`` is called with each as it ends. Raises ``AbandonedError`` once ``alive`` says no, and
    ``OSError`` where a program cannot be started. Nothing runs any more when it returns."""
    waiting, running, ended = deque(jobs), list[_Running](), dict[str, Ended]()
    try:
        while waiting or running:
            if not alive():
                raise AbandonedError
            while waiting and len(running) < parallel:
                running.append(_Running(waiting.popleft()))
            for one in [one for one in running if one.over()]:
                ended[one.job.name] = one.end()
                running.remove(one)
                tell(ended[one.job.name])
            time.sleep(_POLL)
    finally:
        for one in running:
            one.kill()
    return ended


class _Running:
    def __init__(self, job: Job) -> None:
        self.job = job
        self._started = time.monotonic()
        self._wrote, self._said = memory_fd(), memory_fd()
        inputs = [memory_fd(content) for content in job.inputs]
        try:
            arguments, environment = job.command([path_of(fd) for fd in inputs], path_of(self._wrote))
            self._process = subprocess.Popen(
                arguments,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=self._said,
                pass_fds=(*inputs, self._wrote, *job.shared),
                # No terminal either: nobody is there to be asked.
                start_new_session=True,
            )
        finally:
            for fd in inputs:
                os.close(fd)

    def over(self) -> bool:
        return self._process.poll() is not None or time.monotonic() - self._started > self.job.seconds

    def end(self) -> Ended:
        status = self._process.poll()
        seconds = time.monotonic() - self._started
        self.kill()
        wrote, said = (Path(path_of(fd)).read_text("utf-8", "replace") for fd in (self._wrote, self._said))
        os.close(self._wrote)
        os.close(self._said)
        return Ended(self.job.name, status, wrote, said, seconds)

    def kill(self) -> None:
        """What it has started ends with it; nothing of it is left when this returns."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
