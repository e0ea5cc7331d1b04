# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The files of one machine: its own folders, its sshd settings, and how its first process is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.hosts.model import USER
from lab.hosts.template import BIN, SBIN, SBIN_LINKS, SHARED, TEMPLATE
from lab.sshd import TREE, Sshd

FILES = Path(__file__).resolve().parent / "files"
OWN = ("etc", "opt", "run", "root", "home", "var", "tmp", "srv", "mnt")
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
PYTHONS = ("/usr/bin/python3", "/usr/local/bin/python3")
REPLACED = ("sudo", "systemctl", "service")
SETTINGS = "settings.json"


@dataclass(frozen=True)
class Machine:
    """One machine to be: everything that its files depend on.

    ``programs`` are put on its PATH by name. ``kubeadm`` is where what its ``kubeadm`` is told goes; it has none when
    empty.
    """

    hostname: str
    folder: Path
    addresses: tuple[str, ...]
    port: int
    programs: Mapping[str, str]
    kubeadm: str = ""


def python() -> str:
    """The Python that sessions of a host can run: one that its folders do not hide.

    :raises LabError: when there is none.
    """
    for candidate in PYTHONS:
        if os.access(candidate, os.X_OK):
            return candidate
    raise LabError(f"hosts need a Python of the system ({' or '.join(PYTHONS)}), and there is none")


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
    (root / "etc" / "machine-id").write_text(f"{uuid.uuid4().hex}\n")
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
    names = ["session", *REPLACED]
    rsync = _rsync(sshd, TREE)
    if rsync:
        names.append("rsync")
        rsync += "" if os.getuid() == 0 else " --no-super"
    places = {"@PYTHON@": python(), "@LIBRARIES@": sshd.libraries, "@TREE@": TREE, "@RSYNC@": rsync}
    places["@KUBEADM@"] = machine.kubeadm
    if machine.kubeadm:
        names.append("kubeadm")
        (binaries / "kubelet").symlink_to("kubeadm")
    mounts = []
    if sshd.tree is not None:
        names.append("sshd")
        mounts = [(str(sshd.tree), TREE), ("/usr/sbin", SBIN), (str(machine.folder.parent / SBIN_LINKS), "/usr/sbin")]
    for name in names:
        _write_program(binaries / name, places)
    # Some callers look in the usual places before, or instead of, the PATH.
    installed = [(name, f"/usr/{place}/{name}") for name in REPLACED for place in ("bin", "sbin")]
    mounts += [(str(binaries / name), path) for name, path in installed if Path(path).exists()]
    for name, path in machine.programs.items():
        (binaries / name).touch()
        mounts.append((path, f"{BIN}/{name}"))
    return mounts


def offer_rsync(folder: Path, sshd: Sshd) -> None:
    """Put the unpacked rsync into a folder of programs, for the other end of the connection."""
    if sshd.tree is not None and not (folder / "rsync").exists():
        rsync = _rsync(sshd, str(sshd.tree))
        if rsync.startswith(str(sshd.tree)):
            libraries = sshd.libraries.replace(TREE, str(sshd.tree))
            _write_program(folder / "rsync", {"@LIBRARIES@": libraries, "@RSYNC@": rsync})


def _rsync(sshd: Sshd, tree: str) -> str:
    """The unpacked one, with ``tree`` for its folder, else the machine's; empty when there is neither."""
    if sshd.tree is not None and (sshd.tree / "usr/bin/rsync").exists():
        return f"{tree}/usr/bin/rsync"
    return "/usr/bin/rsync" if Path("/usr/bin/rsync").exists() else ""


def _write_program(path: Path, places: Mapping[str, str]) -> None:
    text = (FILES / path.name).read_text()
    for mark, value in places.items():
        text = text.replace(mark, value)
    path.write_text(text)
    path.chmod(0o755)


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
