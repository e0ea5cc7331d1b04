# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The root file system that every host is a copy of: the machine's own Debian, from the machine's own archive."""

from __future__ import annotations

from pathlib import Path

from lab import cache, debian
from lab.cache import Say

PACKAGES = """
    bash-completion ca-certificates conntrack curl dbus e2fsprogs ebtables ethtool gnupg ipset iproute2 iptables
    iputils-ping kmod nftables openssh-server openssl procps python3 python3-apt rsync runc socat sudo systemd
    systemd-container systemd-sysv tar unzip xfsprogs
"""
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
    unit = debian.unit("base", __file__, PROGRAMS, 100)
    return cache.ensure(cache.cache_root(), unit, _make, say) / "root"


def _make(target: Path) -> None:
    debian.bootstrap(target, PACKAGES)
    _settle(target / "root")


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
