# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What counts as a static key, which ones go, and which ones do not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lab.hosts.model import Host
from tests.contract.trust.support import Access, files, site

pytestmark = pytest.mark.lab


def test_every_way_in_by_key_is_listed_and_some_are_kept(access: Access, host: Host) -> None:
    emergency, stranger, authority = (_key(access, name) for name in ("emergency", "stranger", "authority"))
    allowed = _allowed(host)
    allowed.write_text(
        f"{allowed.read_text()}# a note\n{emergency} for emergencies\n"
        f'no-pty,cert-authority,principals="x" {authority}\nnothing that could be read\n'
    )
    (Path(host.folder) / "root/.ssh").mkdir(mode=0o700)
    (Path(host.folder) / "root/.ssh/authorized_keys2").write_text(f"{stranger} old admin\n")
    site(host, "Match User nobody\n    AuthorizedKeysCommand /bin/true\n    AuthorizedKeysCommandUser nobody\n")
    listed = access.ok().out
    for line in (
        f"{access.fingerprint(emergency)} for emergencies",
        f"root /root/.ssh/authorized_keys2: ssh-ed25519 {access.fingerprint(stranger)} old admin",
        "(an authority)",
        "nobody: sshd asks /bin/true for keys",
    ):
        assert line in listed
    assert "nothing that could be read" not in listed

    consent = access.extra(
        slipway_remove_static_keys=access.name, slipway_keep_static_keys=[access.fingerprint(emergency)]
    )
    assert "(kept)" in access.ok(*consent).out
    assert allowed.read_text() == f"# a note\n{emergency} for emergencies\nnothing that could be read\n"
    assert not (Path(host.folder) / "root/.ssh/authorized_keys2").exists()
    assert access.login(host, "-i", str(access.folder / "emergency")).returncode == 0
    assert not access.by_static_key(host)


def test_the_printed_command_puts_the_keys_back(access: Access, host: Host) -> None:
    before = _allowed(host).read_bytes()
    access.ok()
    ran = access.ok(*access.extra(slipway_remove_static_keys=access.name))
    command = ran.out.partition(f"As root on {host.name}: ")[2].partition('"')[0]
    assert not _allowed(host).exists()
    certificate = ("-i", str(access.agent.key), "-o", f"CertificateFile={access.agent.key}-cert.pub")
    assert access.login(host, *certificate, command=command).returncode == 0
    assert _allowed(host).read_bytes() == before
    assert access.by_static_key(host)


def test_check_mode_removes_nothing(access: Access, host: Host) -> None:
    access.ok()
    before = _allowed(host).read_bytes()
    ran = access.ok("--check", *access.extra(slipway_remove_static_keys=access.name))
    assert ran.changed(host.name) == 1
    assert _allowed(host).read_bytes() == before


def test_the_key_of_this_connection_stays(access: Access, host: Host) -> None:
    access.ok()
    before = _allowed(host).read_bytes()
    access.variables_more = {"ansible_ssh_extra_args": "-o IdentitiesOnly=yes"}
    ran = access.run(*access.extra(slipway_remove_static_keys=access.name))
    assert ran.status != 0
    assert "SLW-7343 this very connection" in ran.out
    assert _allowed(host).read_bytes() == before


def test_a_login_by_an_authority_in_a_static_line_is_no_proof(access: Access, host: Host) -> None:
    """It would be gone with the line."""
    authority = str(access.bao.need("GET", f"{access.user_mount}/public_key")).strip()
    allowed = _allowed(host)
    allowed.write_text(f'{allowed.read_text()}cert-authority,principals="{access.principal}" {authority}\n')
    assert access.by_certificate(host)
    before = allowed.read_bytes()
    playbook = access.folder / "static_keys.yml"
    playbook.write_text("- hosts: all:!localhost\n  gather_facts: false\n  roles: [slipway.cluster.ssh_static_keys]\n")
    ran = access.run(*access.extra(slipway_remove_static_keys=access.name), playbook=str(playbook))
    assert "SLW-7342" in ran.out
    assert allowed.read_bytes() == before


def test_the_first_batch_that_fails_is_the_last(access: Access, host: Host) -> None:
    other = access.host()
    site(host, "Nonsense yes\n")
    before = files(other)
    ran = access.run()
    assert ran.status != 0
    assert "SLW-7302" in ran.out
    assert files(other) == before


def _allowed(host: Host) -> Path:
    return Path(host.folder) / "home" / host.user / ".ssh" / "authorized_keys"


def _key(access: Access, name: str) -> str:
    path = access.folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
    return Path(f"{path}.pub").read_text().strip()
