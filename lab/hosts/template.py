# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What all machines of a lab have in common: made once, copied or shown to each."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from lab.hosts.model import USER
from lab.sshd import Sshd

TEMPLATE, SBIN_LINKS = ".etc", ".sbin"
# Where a host sees the lab's programs, and the machine's own /usr/sbin.
BIN, SBIN = "/opt/lab/bin", "/opt/lab/sbin"
# Seen as they are, for they are large.
SHARED = ("/etc/alternatives", "/etc/ssl/certs", "/var/lib/dpkg")
SSHD_UID = 101
# Of the machine's settings a host has a copy, but for these: secrets, keys, and what describes the machine itself.
_NOT_COPIED = shutil.ignore_patterns(
    *("ssh", "kubernetes", "private", "hostname", "hosts", "systemd", "init.d", "rc?.d", "docker", "fonts", "X11"),
    *("shadow*", "gshadow*", "passwd*", "group*", "sudoers*", "subuid*", "subgid*", "cron*", "java*", "postgresql*"),
)
SSHD_CONFIG = """\
# As a distribution ships it.
Include /etc/ssh/sshd_config.d/*.conf
KbdInteractiveAuthentication no
PasswordAuthentication no
X11Forwarding no
PrintMotd no
"""


def prepare(hosts: Path, sshd: Sshd) -> None:
    """Make once what all machines of a lab have in common."""
    for folder, make in ((hosts / TEMPLATE, _make_template), (hosts / SBIN_LINKS, _make_sbin)):
        if not folder.exists() and (make is _make_template or sshd.tree is not None):
            draft = folder.with_name(f"{folder.name}.new")
            shutil.rmtree(draft, ignore_errors=True)
            make(draft)
            draft.rename(folder)


def _make_template(draft: Path) -> None:
    """The settings that each machine gets a copy of; what cannot be read is left out."""
    shutil.copytree("/etc", draft, symlinks=True, ignore=_not_copied)
    uid, gid = os.getuid(), os.getgid()
    people = {
        "root": (0, 0, "/root"),
        USER: (uid, gid, f"/home/{USER}"),
        # sshd as root gives up its rights before a login, to a user of that name.
        "sshd": (SSHD_UID, 65534, "/run/sshd"),
    }
    if uid == 0:
        people["visitor"] = (1500, 1500, "/home/visitor")
    lines = [f"{name}:x:{user}:{group}::{home}:{_shell(name)}" for name, (user, group, home) in people.items()]
    lines.append("nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin")
    (draft / "passwd").write_text("\n".join(lines) + "\n")
    (draft / "shadow").write_text("".join(f"{name}:*:20000:0:99999:7:::\n" for name in people))
    (draft / "shadow").chmod(0o640)
    groups = {0: "root", 65534: "nogroup", 1500: "visitor"} | ({} if gid == 0 else {gid: USER})
    (draft / "group").write_text("".join(f"{name}:x:{number}:\n" for number, name in groups.items()))
    for part in ("ssh/sshd_config.d", "kubernetes"):
        (draft / part).mkdir(parents=True)
    (draft / "ssh" / "sshd_config").write_text(SSHD_CONFIG)


def _make_sbin(draft: Path) -> None:
    """/usr/sbin with an sshd in it, where the machine has none: links to the machine's programs, and to ours."""
    draft.mkdir()
    for entry in Path("/usr/sbin").iterdir():
        target = entry.resolve()
        (draft / entry.name).symlink_to(f"{SBIN}/{entry.name}" if target.parent == Path("/usr/sbin") else target)
    (draft / "sshd").symlink_to(f"{BIN}/sshd")


def _shell(name: str) -> str:
    if name == "sshd":
        return "/usr/sbin/nologin"
    return "/bin/bash" if Path("/bin/bash").exists() else "/bin/sh"


def _not_copied(folder: str, names: list[str]) -> set[str]:
    def left_out(path: Path) -> bool:
        return str(path) in SHARED or not (path.is_symlink() or os.access(path, os.R_OK))

    return _NOT_COPIED(folder, names) | {name for name in names if left_out(Path(folder, name))}
