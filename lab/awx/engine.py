# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What runs jobs in the place of podman: the two commands that ansible-runner gives, by namespaces instead of images.

``python3 -m lab.awx.engine SETTINGS run …`` and ``… kill NAME``. As under podman, the job's first process is the first
of its own pid namespace, so its end by SIGKILL is the end of all of them; and nothing that was written outside of the
volumes is there afterwards. Settings (JSON): what `lab.awx.root` needs, ``path``, and ``state``: a folder.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from lab.awx import root
from lab.hosts.init import CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER, CLONE_NEWUTS, LIBC, PR_SET_PDEATHSIG, check

CLONE_NEWIPC = 0x08000000
HOME = "/root"


def options(words: list[str]) -> argparse.Namespace:
    """The words that ansible-runner, and AWX by its container options, give to podman."""
    parser = argparse.ArgumentParser(prog="podman run", allow_abbrev=False)
    for name in ("rm", "tty", "interactive", "quiet"):
        parser.add_argument(f"--{name}", action="store_true")
    for name in ("workdir", "env-file", "name", "user", "network", "pull"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("-v", "--volume", action="append", default=[])
    parser.add_argument("image")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    return parser.parse_args(words)


def run(settings: dict[str, Any], words: list[str]) -> int:
    """The exit status of the job's command, 137 when it was killed."""
    given = options(words)
    volumes = [volume.split(":")[:2] for volume in given.volume]
    environment = _environment(settings, Path(given.env_file))
    state = Path(settings["state"]) / given.name
    # Nobody is left then who could end the job.
    check(LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
    state.mkdir()
    try:
        uid, gid = os.getuid(), os.getgid()
        check(LIBC.unshare(CLONE_NEWPID | (0 if uid == 0 else CLONE_NEWUSER)), "unshare")
        if uid != 0:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
            Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
        first = os.fork()
        if first == 0:
            _first_process(settings, state, volumes, environment, given)
        (state / "pid").write_text(str(first))
        status = os.waitpid(first, 0)[1]
    finally:
        (state / "pid").unlink(missing_ok=True)
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _environment(settings: dict[str, Any], file: Path) -> dict[str, str]:
    lines = [line.partition("=") for line in file.read_text(encoding="utf-8").splitlines()]
    own = {name: value for name, separator, value in lines if separator and not name.startswith("#")}
    name = secrets.token_hex(6)
    return {"PATH": settings["path"], "HOME": HOME, "TERM": "xterm", "container": "podman", "HOSTNAME": name, **own}


def _first_process(
    settings: dict[str, Any], state: Path, volumes: list[list[str]], environment: dict[str, str], given: Any
) -> None:
    """Never returns. It waits for everything that loses its parent, as an image's init does."""
    check(LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
    check(LIBC.unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC), "unshare")
    socket.sethostname(environment["HOSTNAME"])
    root.enter(settings, state, volumes, environment["HOSTNAME"])
    try:
        child = subprocess.Popen(given.command, cwd=given.workdir, env=environment)
    except OSError as error:
        print(f"Error: {given.command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(127)
    while True:
        ended, status = os.wait()
        if ended == child.pid:
            os._exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))


def remove(state: Path) -> None:
    """What is left of a job: its processes, if it has any, and its own layer of files."""
    _kill(state)
    shutil.rmtree(state, ignore_errors=True)


def _kill(state: Path) -> bool:
    with suppress(OSError, ValueError):
        os.kill(int((state / "pid").read_text()), signal.SIGKILL)
        return True
    return False


def kill(settings: dict[str, Any], name: str) -> int:
    """SIGKILL for a job's first process."""
    if _kill(Path(settings["state"]) / name):
        return 0
    print(f"Error: no container with name {name} found", file=sys.stderr)
    return 125


def main() -> int:
    settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    match sys.argv[2:]:
        case ["run", *words]:
            return run(settings, words)
        case ["kill", name]:
            return kill(settings, name)
        case words:
            print(f"Error: unknown command {' '.join(words)}", file=sys.stderr)
            return 125


if __name__ == "__main__":
    sys.exit(main())
