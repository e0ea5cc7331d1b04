# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A job's own file system: the machine's system folders and the collections for reading only, everything else fresh.

Settings: ``collections``, folders of ``ansible_collections`` that together are those of the execution environment;
``readable``, what else of the machine is there, at its own place.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.hosts.init import LIBC, MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_PRIVATE, MS_REC, check, mount

SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc")
# On the disk, as a container's own layer is.
FRESH = ("tmp", "root", "var/tmp", "var/log", "var/lib", "run", "home", "opt", "srv", "mnt")
ANYBODY = ("tmp", "var/tmp")
COLLECTIONS = "usr/share/ansible/collections/ansible_collections"
# What podman gives.
MEMORY = "size=64000k,mode=1777"

MOUNT_SETATTR, PIVOT_ROOT = 442, {"x86_64": 155, "aarch64": 41}
AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY, MNT_DETACH = -100, 0x8000, 1, 2


class _Attributes(ctypes.Structure):
    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


def enter(settings: dict[str, Any], state: Path, volumes: list[list[str]], hostname: str) -> None:
    """Make it of the calling process's mount namespace, and go there. ``volumes``: folders and their places in it, for
    writing; ``state``: an empty folder.

    :raises OSError: when the kernel would not.
    """
    mount("none", "/", "", MS_REC | MS_PRIVATE)
    layer, top = state / "layer", state / "root"
    for folder in (layer, top):
        folder.mkdir()
    mount("tmpfs", str(top), "tmpfs", 0, "mode=755")
    _bind_all(Path("/"), top, SYSTEM)
    (top / "usr").mkdir()
    _bind_all(Path("/usr"), top / "usr", _without("/usr", "share"))
    (top / "usr/share").mkdir()
    _bind_all(Path("/usr/share"), top / "usr/share", _without("/usr/share", "ansible"))
    for name in FRESH:
        (layer / name).mkdir(parents=True)
        (layer / name).chmod(0o1777 if name in ANYBODY else 0o700 if name == "root" else 0o755)
        (top / name).mkdir(parents=True)
        mount(str(layer / name), str(top / name), "", MS_BIND)
    _system_files(top)
    hosts = layer / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n127.0.0.1 {hostname}\n", encoding="utf-8")
    mount(str(hosts), str(top / "etc/hosts"), "", MS_BIND)
    for collection, place in _collections(settings["collections"]):
        _show(collection, top / COLLECTIONS / place)
    _show_at_their_places(top, [Path(path) for path in settings["readable"]])
    for source, place in volumes:
        target = top / place.strip("/")
        target.mkdir(parents=True, exist_ok=True)
        mount(source, str(target), "", MS_BIND | MS_REC)
    _pivot(top)


def _without(folder: str, name: str) -> list[str]:
    return [path.name for path in Path(folder).iterdir() if path.name != name]


def _bind_all(source: Path, target: Path, names: tuple[str, ...] | list[str]) -> None:
    for name in names:
        path = source / name
        if path.is_symlink():
            (target / name).symlink_to(path.readlink())
        elif path.exists():
            _show(path, target / name)


def _show(source: Path, target: Path) -> None:
    """Here too, but not for writing."""
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    mount(str(source), str(target), "", MS_BIND | MS_REC)
    attributes = _Attributes(attr_set=MOUNT_ATTR_RDONLY)
    size = ctypes.sizeof(attributes)
    done = LIBC.syscall(
        MOUNT_SETATTR, AT_FDCWD, str(target).encode(), AT_RECURSIVE, ctypes.byref(attributes), ctypes.c_size_t(size)
    )
    check(done, f"mount_setattr {target}")


def _system_files(top: Path) -> None:
    for name in ("dev", "sys"):
        (top / name).mkdir()
        mount(f"/{name}", str(top / name), "", MS_BIND | MS_REC)
    mount("tmpfs", str(top / "dev/shm"), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, MEMORY)
    (top / "proc").mkdir()
    mount("proc", str(top / "proc"), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)


def _collections(folders: list[str]) -> Iterator[tuple[Path, str]]:
    for folder in folders:
        for path in sorted((Path(folder) / "ansible_collections").glob("*/*")):
            if path.is_dir():
                yield path.resolve(), f"{path.parent.name}/{path.name}"


def _show_at_their_places(top: Path, paths: list[Path]) -> None:
    """What is behind a link comes with the link."""
    shown: list[Path] = []
    for path in sorted(path.resolve() for path in paths if path.exists()):
        inside = any(path.is_relative_to(other) for other in shown)
        if not inside and not (top / path.relative_to("/")).exists():
            _show(path, top / path.relative_to("/"))
            shown.append(path)
    for path in paths:
        target = top / path.relative_to("/")
        if path.exists() and not target.is_symlink() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(path.resolve())


def _pivot(top: Path) -> None:
    before = top / ".before"
    before.mkdir()
    number = PIVOT_ROOT[os.uname().machine]
    check(LIBC.syscall(number, str(top).encode(), str(before).encode()), "pivot_root")
    os.chdir("/")
    check(LIBC.umount2(b"/.before", MNT_DETACH), "umount2")
    Path("/.before").rmdir()
