# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The root file system that every host is a copy of: the machine's own Debian, from the machine's own archive."""

from __future__ import annotations

import hashlib
import platform
import shutil
from pathlib import Path

from lab import cache, debs
from lab.cache import Say, Unit
from lab.errors import LabError

BOOTSTRAP = "mmdebstrap"
PACKAGES = """
    bash-completion ca-certificates conntrack curl dbus e2fsprogs ebtables ethtool gnupg ipset iproute2 iptables
    iputils-ping kmod nftables openssh-server openssl procps python3 python3-apt rsync runc socat sudo systemd
    systemd-container systemd-sysv tar unzip xfsprogs
"""
UNWANTED = ("doc", "info", "locale", "man")
# Nothing on a host may work on its own account beside what is looked at.
MASKED = ("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer")
PROGRAMS = tuple(
    f"root/usr/{path}"
    for path in (
        "bin/systemd-nspawn",
        "lib/systemd/systemd",
        "sbin/ipset",
        "sbin/runc",
        "sbin/sshd",
        "sbin/xtables-nft-multi",
    )
)
SSHD = "LogLevel VERBOSE\nPermitRootLogin prohibit-password\nMaxStartups 100\n"


def root(say: Say) -> Path:
    """Folder of the root file system, made when the cache lacks it. Hosts get copies: nobody writes into it.

    :raises LabError: when the machine is no Debian, or its archive is out of reach.
    """
    release = platform.freedesktop_os_release()
    system = f"{release['ID']}-{release.get('VERSION_ID', 'rolling')}"
    recipe = hashlib.sha256(system.encode() + Path(__file__).read_bytes()).hexdigest()
    unit = Unit("base", system, recipe, PROGRAMS, 100)
    return cache.ensure(cache.cache_root(), unit, _make, say) / "root"


def sources(listing: str) -> list[str]:
    """Lines of a sources.list for what the machine itself gets Debian from.

    ``listing`` is what apt says of its indexes, one in a line: address, suite, component and origin.
    """
    lines = {
        f"deb {address} {suite} {component}"
        for address, suite, component, origin in (line.split() for line in listing.splitlines() if line.count(" ") == 3)
        if origin == "Debian"
    }
    return sorted(lines, key=lambda line: (line.split()[2].count("-"), line))


def _make(target: Path) -> None:
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)"]
    archive = sources(debs.run([*asked, "Created-By: Packages"]))
    if not archive:
        raise LabError("apt knows no archive of Debian on this machine: run `apt-get update`, on a Debian")
    tools = target / "tools"
    debs.unpack((BOOTSTRAP,), tools)
    folder = target / "root"
    command = [str(tools / "usr/bin" / BOOTSTRAP), "--mode=root", "--variant=minbase"]
    command += [f"--include={','.join(PACKAGES.split())}", '--aptopt=Acquire::Languages "none"']
    command += [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in UNWANTED]
    debs.run([*command, archive[0].split()[2], str(folder), "-"], "\n".join(archive) + "\n", str(tools / "usr/bin"))
    versions = debs.run(["dpkg-query", f"--admindir={folder}/var/lib/dpkg", "-W"])
    (target / "versions.txt").write_text(versions)
    shutil.rmtree(tools)
    _settle(folder)


def _settle(folder: Path) -> None:
    """What all hosts have in common: no archive, no identity, an sshd that writes down who came."""
    (folder / "etc/apt/sources.list").write_text("")
    (folder / "etc/machine-id").write_text("")
    for key in (folder / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    (folder / "etc/ssh/sshd_config.d/lab.conf").write_text(SSHD)
    (folder / "etc/default/ssh").write_text("SSHD_OPTS='-E /var/log/sshd.log'\n")
    for name in MASKED:
        (folder / "etc/systemd/system" / name).symlink_to("/dev/null")
