# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The files of one machine: its own folders, its sshd settings, and how its first process is started."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.hosts.model import USER
from lab.sshd import TREE, Sshd

FILES = Path(__file__).resolve().parent / "files"
OWN = ("etc", "opt", "run", "root", "home", "var", "tmp", "srv", "mnt")
# Of the machine's settings a host has a copy, but for these: secrets, keys, and what describes the machine itself.
_NOT_COPIED = shutil.ignore_patterns(
    *("ssh", "kubernetes", "private", "hostname", "hosts", "systemd", "init.d", "rc?.d", "docker", "fonts", "X11"),
    *("shadow*", "gshadow*", "passwd*", "group*", "sudoers*", "subuid*", "subgid*", "cron*", "java*", "postgresql*"),
)
# Seen as they are, for they are large.
SHARED = ("/etc/alternatives", "/etc/ssl/certs", "/var/lib/dpkg")
# Folders, and their modes where these are not 0755.
FOLDERS = {
    "opt/lab/bin": 0o755,
    "opt/lab/tree": 0o755,
    "opt/lab/sbin": 0o755,
    "run/lab": 0o755,
    "run/sshd": 0o755,
    "run/lock": 0o755,
    # By this Ansible knows systemd.
    "run/systemd/system": 0o755,
    "root": 0o700,
    f"home/{USER}/.ssh": 0o700,
    "home/visitor": 0o755,
    "var/log": 0o755,
    "var/tmp": 0o1777,
    "var/empty/sshd": 0o755,
    "tmp": 0o1777,
    "srv": 0o755,
    "mnt": 0o755,
}
SSHD_UID = 101
PYTHONS = ("/usr/bin/python3", "/usr/local/bin/python3")
BIN, SBIN = "/opt/lab/bin", "/opt/lab/sbin"
TEMPLATE, SBIN_LINKS, SETTINGS = ".etc", ".sbin", "settings.json"
SSHD_CONFIG = """\
# As a distribution ships it.
Include /etc/ssh/sshd_config.d/*.conf
KbdInteractiveAuthentication no
PasswordAuthentication no
X11Forwarding no
PrintMotd no
"""


@dataclass(frozen=True)
class Machine:
    """One machine to be: everything that its files depend on.

    ``programs`` are put on its PATH by name.
    """

    hostname: str
    folder: Path
    addresses: tuple[str, ...]
    port: int
    programs: Mapping[str, str]


def python() -> str:
    """The Python that sessions of a host can run: one that its folders do not hide.

    :raises LabError: when there is none.
    """
    for candidate in PYTHONS:
        if os.access(candidate, os.X_OK):
            return candidate
    raise LabError(f"hosts need a Python of the system ({' or '.join(PYTHONS)}), and there is none")


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


def command(folder: Path) -> list[str]:
    """What starts the machine in this folder."""
    return [sys.executable, "-I", "-S", str(FILES.parent / "init.py"), str(folder / SETTINGS)]


def build(machine: Machine, sshd: Sshd) -> None:
    """Fill the machine's empty folder.

    :raises LabError: when its settings could not be copied.
    """
    root = machine.folder
    copied = subprocess.run(
        ["cp", "-a", root.parent / TEMPLATE, root / "etc"], capture_output=True, text=True, check=False
    )
    if copied.returncode != 0:
        raise LabError(f"cannot make host {machine.hostname}: {copied.stderr.strip()}")
    for part, mode in FOLDERS.items():
        (root / part).mkdir(parents=True)
        (root / part).chmod(mode)
    (root / "var" / "run").symlink_to("/run")
    (root / "etc" / "hostname").write_text(f"{machine.hostname}\n")
    (root / "etc" / "hosts").write_text(f"127.0.0.1 localhost\n{machine.addresses[0]} {machine.hostname}\n")
    shared = [name for name in SHARED if Path(name).is_dir()]
    for name in shared:
        (root / name.removeprefix("/")).mkdir(parents=True, exist_ok=True)
    settings = {
        "hostname": machine.hostname,
        "own": [(str(root / name), f"/{name}") for name in OWN if Path(f"/{name}").is_dir()],
        "shared": [*((name, name) for name in shared), *_programs(machine, sshd)],
        "sshd": [_command(machine, sshd, part) for part in shares(machine.addresses)],
        "environment": {"PATH": os.defpath} | ({"LD_LIBRARY_PATH": sshd.libraries} if sshd.libraries else {}),
        "listen": machine.addresses,
        "port": machine.port,
        "control": "/run/lab/control",
    }
    (root / SETTINGS).write_text(json.dumps(settings, indent=1) + "\n")


def _programs(machine: Machine, sshd: Sshd) -> list[tuple[str, str]]:
    """Put commands on the machine's PATH; return what must be mounted for them."""
    binaries = machine.folder / "opt" / "lab" / "bin"
    places = {"@PYTHON@": python(), "@LIBRARIES@": sshd.libraries, "@TREE@": TREE}
    names = ["session", "sudo", "systemctl", "service"]
    mounts = []
    if sshd.tree is not None:
        names += ["sshd"] + (["rsync"] if (sshd.tree / "usr/bin/rsync").exists() else [])
        mounts = [(str(sshd.tree), TREE), ("/usr/sbin", SBIN), (str(machine.folder.parent / SBIN_LINKS), "/usr/sbin")]
    for name in names:
        text = (FILES / name).read_text()
        for mark, value in places.items():
            text = text.replace(mark, value)
        (binaries / name).write_text(text)
        (binaries / name).chmod(0o755)
    for name, path in machine.programs.items():
        (binaries / name).touch()
        mounts.append((path, f"{BIN}/{name}"))
    return mounts


def _command(machine: Machine, sshd: Sshd, addresses: tuple[str, ...]) -> list[str]:
    """What a lab needs and no administrator would write goes on the command line, which comes before all files."""
    options = {
        "Port": machine.port,
        "PidFile": "none",
        "LogLevel": "VERBOSE",
        "UsePAM": "no",
        "UseDNS": "no",
        # Sixteen addresses in one process, and all of a benchmark's connections at once.
        "MaxStartups": "1000",
        "ForceCommand": f"{BIN}/session",
    }
    if os.getuid() != 0:
        # Seen from here the machine's root folder belongs to nobody that sshd would accept.
        options["StrictModes"] = "no"
    if sshd.version >= (9, 8):
        # All clients have one address here: one test's failed login would lock out the others.
        options["PerSourcePenalties"] = "no"
    for name in ("session", "auth"):
        if sshd.tree is not None and (sshd.tree / f"usr/lib/openssh/sshd-{name}").exists():
            options[f"Sshd{name.title()}Path"] = f"{TREE}/usr/lib/openssh/sshd-{name}"
    words = [f"-o{name}={value}" for name, value in options.items()]
    words += [f"-oListenAddress={address}" for address in addresses]
    if len(machine.addresses) > 1:
        words.append(f"-oHostCertificate=/etc/ssh/{certificate_of(addresses)}")
    return [sshd.program, "-D", "-e", f"-oSubsystem=sftp {sshd.sftp}", *words]


def shares(addresses: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Divide a machine's addresses among its sshd: one listens on 16 addresses at most."""
    return [addresses[start : start + 16] for start in range(0, len(addresses), 16)]


def certificate_of(addresses: tuple[str, ...]) -> str:
    """File of the host certificate of one share: a certificate has 256 names at most."""
    return f"host-{addresses[0]}-cert.pub"


def _shell(name: str) -> str:
    if name == "sshd":
        return "/usr/sbin/nologin"
    return "/bin/bash" if Path("/bin/bash").exists() else "/bin/sh"


def _not_copied(folder: str, names: list[str]) -> set[str]:
    def left_out(path: Path) -> bool:
        return str(path) in SHARED or not (path.is_symlink() or os.access(path, os.R_OK))

    return _NOT_COPIED(folder, names) | {name for name in names if left_out(Path(folder, name))}
