# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The first process of one host: makes its namespaces, runs its sshd, and carries out what systemctl is told.

A script of its own, ``python init.py SETTINGS``, with nothing but the standard library: once the host's folders hide
the machine's, no further module could be loaded. The outer process stays in the machine's namespaces; when it ends, by
whatever signal, the kernel ends the inner one, and with it every process of the host.

Settings (JSON): ``hostname``; ``own`` and ``shared``: pairs of a folder or file on the machine and its place in the
host, the latter not for writing;
``sshd``: command lines; ``environment`` of these; ``listen``: addresses, each with ``port``; ``control``: socket.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWUSER, CLONE_NEWPID = 0x00020000, 0x04000000, 0x10000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE, MS_RELATIME = 32, 4096, 16384, 1 << 18, 1 << 21
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
PATIENCE = 15.0

LIBC = ctypes.CDLL(None, use_errno=True)


def enter(settings: dict[str, Any]) -> None:
    """Go into the host's namespaces, as pid 1 of the host; the process that was called waits outside."""
    uid, gid = os.getuid(), os.getgid()
    as_root = uid == 0
    flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWPID | (0 if as_root else CLONE_NEWUSER)
    check(LIBC.unshare(flags), "unshare")
    if not as_root:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    inner = os.fork()
    if inner:
        os.waitpid(inner, 0)
        os._exit(1)
    check(LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
    mount("none", "/", "", MS_REC | MS_PRIVATE)
    # All are found before any of them is hidden by another.
    places = [(os.open(source, os.O_PATH), target) for source, target in settings["own"] + settings["shared"]]
    for descriptor, target in places:
        mount(f"/proc/self/fd/{descriptor}", target, "", MS_BIND)
        os.close(descriptor)
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    # What the host does not own is the machine's, or its user's: nothing may harm it from here.
    for target in ["/", *(target for _source, target in settings["shared"])]:
        _protect(target)
    # What a machine's first process is called tells Ansible how services are managed there.
    check(LIBC.prctl(PR_SET_NAME, b"systemd", 0, 0, 0), "prctl")
    socket.sethostname(settings["hostname"])
    os.chdir("/")


class Init:
    """Runs the host's sshd processes (several where there are many addresses)."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._commands: list[list[str]] = settings["sshd"]
        self._environment: dict[str, str] = settings["environment"]
        self._addresses = {_hexadecimal(address, settings["port"]) for address in settings["listen"]}
        self._running: dict[int, list[str]] = {}

    def start(self) -> str:
        """Start what does not run; return what went wrong, nothing when all listen."""
        for command in self._commands:
            if command not in self._running.values():
                child = subprocess.Popen(command, env=self._environment, stdin=subprocess.DEVNULL)
                child.returncode = 0  # It is reaped with all others, not by this object.
                self._running[child.pid] = command
        problem = self._wait_listening(set())
        return problem and (self.check() or problem)

    def stop(self) -> str:
        """End the listening processes; sessions go on, as under systemd."""
        for pid in self._running:
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while self._running and time.monotonic() < deadline:
            self.reap()
            time.sleep(0.005)
        return "sshd did not end" if self._running else ""

    def restart(self) -> str:
        return self.stop() or self.start()

    def reload(self) -> str:
        if not self._running:
            return "ssh.service is not active, cannot reload."
        problem = self.check()
        if problem:
            return problem
        before = set(self._sockets())
        for pid in self._running:
            os.kill(pid, signal.SIGHUP)
        return self._wait_listening(before)

    def check(self) -> str:
        """Let sshd read its settings."""
        command = [word for word in self._commands[0] if word not in ("-D", "-e")]
        done = subprocess.run([*command, "-t"], env=self._environment, capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else done.stderr.strip() or f"sshd -t ended with {done.returncode}"

    def active(self) -> bool:
        self.reap()
        return len(self._running) == len(self._commands)

    def reap(self) -> None:
        while True:
            try:
                pid, _status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._running.pop(pid, None)

    def _wait_listening(self, old: set[str]) -> str:
        """Wait until every address has a listening socket that is none of ``old``.

        Looking, not connecting: a connection would be in the host's log.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            self.reap()
            sockets = self._sockets()
            if len(sockets) == len(self._addresses) and not old & set(sockets):
                return ""
            if len(self._running) < len(self._commands):
                return "sshd ended; its log says why"
            time.sleep(0.005)
        return "sshd does not listen"

    def _sockets(self) -> list[str]:
        lines = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
        return [fields[9] for fields in lines if fields[3] == "0A" and fields[1] in self._addresses]

    def answer(self, order: str) -> dict[str, object]:
        """Carry out one order from systemctl or from the lab."""
        orders = {"start": self.start, "stop": self.stop, "restart": self.restart, "reload": self.reload}
        text = orders[order]() if order in orders else "" if order == "status" else f"no such order: {order}"
        return {"ok": not text, "text": text, "active": self.active()}


def serve(init: Init, control: str) -> None:
    """Take orders for ever."""
    Path(control).unlink(missing_ok=True)  # Left by the machine's earlier life.
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(control)
    listener.listen(16)
    noise, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    print(json.dumps(init.answer("start")), flush=True)
    os.dup2(2, 1)
    while True:
        if noise in select.select([listener.fileno(), noise], [], [])[0]:
            os.read(noise, 512)
            init.reap()
        else:
            client = listener.accept()[0]
            with client:
                client.settimeout(PATIENCE)
                try:
                    order = client.makefile("r").readline().strip()
                    client.sendall(json.dumps(init.answer(order)).encode() + b"\n")
                except OSError:
                    continue


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """:raises OSError: when the kernel would not."""
    words = (source.encode(), target.encode(), kind.encode(), flags, data.encode() or None)
    check(LIBC.mount(*words), f"mount {target}")


def _protect(target: str) -> None:
    """Forbid writing through this mount; what else is forbidden already must be said again."""
    now = os.statvfs(target).f_flag
    kept = now & (MS_NOSUID | MS_NODEV | MS_NOEXEC | os.ST_NOATIME | os.ST_NODIRATIME)
    kept |= MS_RELATIME if now & os.ST_RELATIME else 0
    mount("none", target, "", MS_REMOUNT | MS_BIND | MS_RDONLY | kept)


def check(result: int, what: str) -> None:
    """:raises OSError: when a call of the C library has failed."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _hexadecimal(address: str, port: int) -> str:
    return f"{int.from_bytes(socket.inet_aton(address), 'little'):08X}:{port:04X}"


def main() -> None:
    settings = json.loads(Path(sys.argv[1]).read_text())
    try:
        enter(settings)
    except OSError as error:
        print(json.dumps({"ok": False, "text": error.strerror, "active": False}), flush=True)
        sys.exit(1)
    serve(Init(settings), settings["control"])


if __name__ == "__main__":
    main()
