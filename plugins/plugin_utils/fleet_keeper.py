# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that starts one run of ansible-playbook, and sees to it that all of it ends: when it is told to, and when
whoever started it is gone, also by ``kill -9``.

Workers of Ansible and programs that they start may be in sessions of their own, so that a process group does not hold
them together. This process inherits whatever loses its parent, and so still knows what belongs to the run.

Arguments: the process that starts it, a file with the run's arguments and passwords as JSON, and whatever is to be seen
in a list of processes. Its exit status is that of the run.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_GRACE = 3.0
"""Seconds for what ends by itself once its run has: an SSH session gives its token back."""
_POLL = 0.05

PASSWORDS = ("password", "become_pass")
"""For connections, and for becoming another user: by their names in Ansible, in the order in which it asks for them."""


def main() -> int:
    starter, file = int(sys.argv[1]), Path(sys.argv[2])
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    keeper = os.getpid()
    run = os.fork()
    if run == 0:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        return _play(json.loads(file.read_text(encoding="utf-8"))) if os.getppid() == keeper else 1

    def end(*_given: object) -> None:
        _end(run)
        os._exit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)
    prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != starter:
        end()
    while True:
        ended, status = os.wait()
        if ended == run:
            return os.waitstatus_to_exitcode(status)


def _play(told: dict[str, Any]) -> int:
    from ansible.cli.playbook import PlaybookCLI
    from ansible.utils.unsafe_proxy import wrap_var

    given: dict[str, str] = told["passwords"]

    class Play(PlaybookCLI):  # type: ignore[misc]
        @staticmethod
        def ask_passwords() -> tuple[Any, ...]:
            """Whoever started this has asked. No template is looked for in a password."""
            if not given:
                return tuple(PlaybookCLI.ask_passwords())
            return tuple(wrap_var(given.get(name)) for name in PASSWORDS)

    Play.cli_executor(told["arguments"])
    return 0


def _end(run: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(run, signal.SIGKILL)
    deadline = time.monotonic() + _GRACE
    while _descendants() and time.monotonic() < deadline:
        _reap()
        time.sleep(_POLL)
    # As long as there are some: one that is killed may have started another.
    while left := _descendants():
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        _reap()
        time.sleep(_POLL)


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _descendants() -> list[int]:
    """Zombies are none."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            state, parent = (
                (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[:2]
            )
        except (OSError, ValueError):
            continue
        if state != "Z":
            children.setdefault(int(parent), []).append(int(folder.name))
    found, look = [], [os.getpid()]
    while look:
        below = children.get(look.pop(), [])
        found += below
        look += below
    return found


if __name__ == "__main__":
    sys.exit(main())
