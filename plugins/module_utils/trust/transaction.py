# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Files of a host changed together, and put back together unless somebody confirms in time.

Before the first write stands a script that puts everything back, and a timer that runs it. So a host heals by itself
when the controller dies, or cannot come in any more, between the change and the proof. Whoever first renames the
folder of the change has decided: the confirmation, or the script. Only a restart of the whole host in between stops
the timer; the next run then begins by putting back.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Optional

from .errors import TrustError
from .sshd import run

_TOLD = "told"
_SCRIPT = """#!/bin/sh
# Puts the configuration of sshd back as it was before a change of slipway.cluster.ssh_trust that nobody confirmed.
# usage: restore.sh [SECONDS TO WAIT]
set -u
left=${{1:-0}}
case $0 in
{pending}/*)
    mine() {{ grep -q '^{name} ' {pending}/owner 2>/dev/null; }}
    while mine && [ "$left" -gt 0 ]; do sleep 1; left=$((left - 1)); done
    mine && mv {pending} {taken} || exit 0
    ;;
esac
failed=0
{steps}
if [ -e {taken}/{told} ]; then
{reload}
fi
[ "$failed" = 0 ] && rm -rf {taken}
exit "$failed"
"""


class Transaction:
    """One change at a time, kept in ``folder`` (root's alone), known by ``name``."""

    def __init__(self, folder: str, name: str = "") -> None:
        self.name = name or uuid.uuid4().hex
        self._folder = Path(folder)
        self._pending = self._folder / "pending"
        self._taken = self._folder / f"restoring-{self.name}"

    def clear_up(self) -> bool:
        """Puts back what an earlier run left half done, and tells whether there was anything.

        Raises ``TrustError`` SLW-7307 where that run may still be going on.
        """
        left = [place for place in (self._pending, *sorted(self._folder.glob("restoring-*"))) if place.is_dir()]
        for place in left:
            seconds = _seconds_left(place)
            if place == self._pending and seconds > 0:
                raise TrustError(
                    "SLW-7307",
                    "another run changes this host's sshd right now, or died doing so",
                    f"wait {seconds} s: the host puts its configuration back by itself then",
                )
            _run_script(place / "restore.sh")
        return bool(left)

    def begin(self, files: Mapping[str, Optional[bytes]], reload: str, seconds: int) -> None:
        """Saves what is there, starts the timer, and writes ``files`` (``None``: remove).

        Raises ``OSError``, and ``TrustError`` SLW-7307 where another run was faster.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        prepared = Path(tempfile.mkdtemp(dir=self._folder, prefix="preparing-"))
        steps = [
            line for number, path in enumerate(files) for line in _saved(Path(path), prepared, number, self._taken)
        ]
        folders = sorted({parent for path in files for parent in _missing(Path(path))}, reverse=True)
        steps += [f"rmdir {shlex.quote(str(folder))} 2>/dev/null" for folder in folders]
        script = _SCRIPT.format(
            name=self.name,
            pending=shlex.quote(str(self._pending)),
            taken=shlex.quote(str(self._taken)),
            steps="\n".join(steps),
            reload=reload or ":",
            told=_TOLD,
        )
        (prepared / "restore.sh").write_text(script, encoding="utf-8")
        (prepared / "owner").write_text(f"{self.name} {time.time() + seconds:.0f}\n", encoding="utf-8")
        try:
            # From here on there is something to put back; a folder in the way is another run's, and stops this one.
            prepared.rename(self._pending)
        except OSError as exc:
            shutil.rmtree(prepared)
            raise TrustError(
                "SLW-7307", "another run has just begun to change this host's sshd", "start again"
            ) from exc
        _start_timer(self._pending / "restore.sh", self.name, seconds)
        for path, content in files.items():
            if content is None:
                Path(path).unlink(missing_ok=True)
            else:
                replace(Path(path), content)

    def telling(self) -> None:
        """From now on sshd may have read the new files. Before, it must not be told to read anything: what the site has
        written and not loaded yet would count, and might lock everybody out."""
        (self._pending / _TOLD).touch()

    def confirm(self) -> None:
        """Keeps the change. Raises ``TrustError`` SLW-7308 where the host has put it back meanwhile."""
        done = self._folder / f"confirmed-{self.name}"
        try:
            if _owner(self._pending) != self.name:
                raise FileNotFoundError(self._pending)
            self._pending.rename(done)
        except OSError as exc:
            raise TrustError(
                "SLW-7308",
                "the host has put its configuration back: the confirmation came too late",
                "raise ssh_trust_confirm_within, and look why the login took so long",
            ) from exc
        run(["systemctl", "stop", f"{_unit(self.name)}.timer"])
        shutil.rmtree(done)

    def restore(self) -> None:
        """Puts everything back now. Raises ``TrustError`` SLW-7309 where that fails."""
        if self._pending.is_dir() and _owner(self._pending) == self.name:
            _run_script(self._pending / "restore.sh")


def replace(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Writes a file in one step: sshd reads the old one or the new one. An existing one keeps its owner and mode."""
    for folder in reversed([parent for parent in path.parents if not parent.exists()]):
        folder.mkdir()
        # Whatever root's umask is: sshd reads principals with the rights of the user who logs in.
        folder.chmod(0o755)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".slipway-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copystat(path, name)
            owner = path.stat()
            os.chown(name, owner.st_uid, owner.st_gid)
        else:
            Path(name).chmod(mode)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    os.utime(path)
    if shutil.which("restorecon"):
        run(["restorecon", str(path)])


def _saved(path: Path, prepared: Path, number: int, taken: Path) -> list[str]:
    """Keeps a copy of a file, and says how to put it back."""
    there = shlex.quote(str(path))
    if not path.exists():
        return [f"rm -f {there} || failed=1"]
    kept = prepared / str(number)
    shutil.copy2(path, kept)
    owner = path.stat()
    os.chown(kept, owner.st_uid, owner.st_gid)
    copy, fresh = shlex.quote(str(taken / str(number))), shlex.quote(f"{path}.slipway-restore")
    label = f" && restorecon {there}" if shutil.which("restorecon") else ""
    return [f"{{ cp -p {copy} {fresh} && mv -f {fresh} {there}{label}; }} || failed=1"]


def _missing(path: Path) -> list[str]:
    return [str(parent) for parent in path.parents if not parent.exists()]


def _start_timer(script: Path, name: str, seconds: int) -> None:
    """By systemd where it runs, so that the end of the SSH session ends nothing; else a process of its own session."""
    if Path("/run/systemd/system").is_dir() and shutil.which("systemd-run"):
        options = ["--quiet", "--collect", f"--unit={_unit(name)}", f"--on-active={seconds}"]
        if run(["systemd-run", *options, "/bin/sh", str(script)])[0] == 0:
            return
    timer = subprocess.Popen(
        ["/bin/sh", str(script), str(seconds)],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # It is to outlive this process, which would warn about that otherwise.
    timer.returncode = 0


def _run_script(script: Path) -> None:
    status, out, err = run(["/bin/sh", str(script)])
    if status:
        raise TrustError(
            "SLW-7309",
            f"the configuration of sshd could not be put back: {(err or out).strip() or status}",
            f"look at {script.parent.parent} on the host: the copies are there",
        )


def _unit(name: str) -> str:
    return f"slipway-ssh-trust-{name}"


def _owner(place: Path) -> str:
    return (place / "owner").read_text(encoding="utf-8").split()[0]


def _seconds_left(place: Path) -> int:
    try:
        return int(float((place / "owner").read_text(encoding="utf-8").split()[1]) - time.time())
    except (OSError, ValueError, IndexError):
        return 0
