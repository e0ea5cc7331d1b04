# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Replacing the authority's key, revoking certificates, and hosts that have an authority of their own already."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from lab import authority
from lab.hosts.model import Host
from tests.contract.support import eventually
from tests.contract.trust.support import Access, files

pytestmark = pytest.mark.lab


def test_rotation_keeps_access_at_every_step(access: Access, host: Host) -> None:
    access.ok()
    (old,) = _keys(access)

    access.ok(*access.extra(slipway_rotate_ca="add"))
    both = _keys(access)
    assert len(both) == 2
    assert _trusted(host) == both
    assert access.by_certificate(host)
    assert access.ok(*access.extra(slipway_rotate_ca="add")).changed(host.name) == 0
    assert _keys(access) == both

    access.ok(*access.extra(slipway_rotate_ca="switch"))
    assert access.by_certificate(host)
    access.agent.hold(access.sign())
    assert access.by_certificate(host)
    (fresh,) = both - {old}
    assert access.agent_authority() == fresh

    access.ok(*access.extra(slipway_drop_ca=[access.fingerprint(old)]))
    assert _keys(access) == {fresh}
    assert _trusted(host) == {fresh}
    assert access.by_certificate(host)


def test_the_signing_key_is_not_dropped(access: Access, host: Host) -> None:
    access.ok()
    (only,) = _keys(access)
    before = files(host)
    ran = access.run(*access.extra(slipway_drop_ca=[access.fingerprint(only)]))
    assert ran.status != 0
    assert _keys(access) == {only}
    assert files(host) == before
    assert access.by_certificate(host)


def test_a_key_begins_to_sign_only_when_every_host_has_proved_a_login(access: Access, host: Host) -> None:
    other = access.host()
    access.ok(*access.extra(slipway_rotate_ca="add"))
    signing = str(access.bao.need("GET", f"{access.user_mount}/public_key"))
    ran = access.run("--limit", f"localhost,{host.name}", *access.extra(slipway_rotate_ca="switch"))
    assert ran.status != 0
    assert f"SLW-7327 {other.name}:" in ran.out, ran.out
    assert str(access.bao.need("GET", f"{access.user_mount}/public_key")) == signing
    access.ok(*access.extra(slipway_rotate_ca="switch"))
    assert str(access.bao.need("GET", f"{access.user_mount}/public_key")) != signing


def test_switching_needs_a_second_key(access: Access, host: Host) -> None:
    ran = access.run(*access.extra(slipway_rotate_ca="switch"))
    assert "SLW-7325" in ran.out


def test_changing_over_to_a_second_mount_keeps_access(access: Access, host: Host) -> None:
    """The way for servers that hold one key for each mount."""
    access.ok()
    first, second = access.user_mount, access.second_mount
    more = access.extra(slipway_ca_user_mount=second, slipway_ca_trusted_mounts=[first])
    access.ok(*more, "-e", "slipway_prepare_ca=true")
    assert len(_trusted(host)) == 2
    assert access.by_certificate(host)
    access.agent.hold(access.sign(mount=second))
    assert access.ok(*more).changed(host.name) == 0
    assert access.by_certificate(host)
    access.ok(*access.extra(slipway_ca_user_mount=second))
    assert len(_trusted(host)) == 1
    assert access.by_certificate(host)
    access.agent.hold(access.sign())
    assert not access.by_certificate(host)


def test_an_authority_for_emergencies_is_trusted_beside_the_first(access: Access, host: Host) -> None:
    key = access.folder / "emergency"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    offline = " ".join(Path(f"{key}.pub").read_text().split()[:2])
    access.ok(*access.extra(slipway_user_ca_keys=[offline]))
    assert _trusted(host) == {offline, *_keys(access)}
    assert "slipway/host-cert.pub" in files(host)
    command = ["ssh-keygen", "-q", "-s", str(key), "-I", "emergency", "-n", access.principal, f"{access.agent.key}.pub"]
    subprocess.run(command, check=True)
    assert access.by_certificate(host)


def test_a_revoked_serial_is_refused(access: Access, host: Host) -> None:
    stolen = access.sign()
    access.agent.hold(stolen)
    access.ok()
    revoked = _krl(access, stolen)
    access.agent.hold(access.sign())
    assert access.ok(*access.extra(slipway_revoked_file=str(revoked))).changed(host.name) == 1
    assert access.by_certificate(host)
    access.agent.hold(stolen)
    assert not access.by_certificate(host)


def test_a_plain_login_is_no_proof_even_where_the_agents_key_is_let_in(access: Access, host: Host) -> None:
    """The agent's key is in authorized_keys, and its certificate is revoked: only a plain login would work."""
    allowed = Path(host.folder) / "home" / host.user / ".ssh" / "authorized_keys"
    allowed.write_text(allowed.read_text() + access.agent.public_key + "\n")
    before = files(host)
    ran = access.run(*access.extra(slipway_revoked_file=str(_krl(access, access.agent.certificate))))
    assert "SLW-7305" in ran.out
    assert files(host) == before


def test_the_sites_own_certificates_go_on_to_work(access: Access) -> None:
    host = access.host("trusted")
    site = authority.set_up(access.lab)
    own = site.sign_user(access.agent.public_key, authority.principal(access.lab))
    ours = access.agent.certificate
    access.agent.hold(own)
    assert access.by_certificate(host)
    access.agent.hold(ours)
    access.variables_more = {"ansible_ssh_private_key_file": _with_certificate(access, own)}
    access.ok()
    assert access.by_certificate(host)
    access.agent.hold(own)
    assert access.by_certificate(host)
    access.agent.hold(ours)
    assert access.ok().changed(host.name) == 0


def test_a_host_whose_controller_died_puts_itself_back(access: Access, host: Host) -> None:
    before = files(host)
    marker = access.folder / "proof-began"
    program = access.folder / "ssh"
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *SSH_USER_AUTH*) touch {marker}; exec sleep 1000 ;; esac\nexec /usr/bin/ssh "$@"\n'
    )
    program.chmod(0o755)
    command, environment = access.command(
        *access.extra(ansible_ssh_executable=str(program), slipway_confirm_within="3s")
    )
    run = subprocess.Popen(
        command, env=environment, cwd=access.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        eventually(marker.exists, 60)
        assert files(host) != before
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    eventually(lambda: files(host) == before, 60)
    # The files are back a moment before sshd has read them and listens again.
    eventually(lambda: access.by_static_key(host), 30)
    eventually(lambda: not access.by_certificate(host), 30)
    assert access.ok().changed(host.name) == 1


def _keys(access: Access) -> set[str]:
    listed = access.bao.need("LIST", f"{access.user_mount}/issuers")["data"]["key_info"]
    return {entry["public_key"].strip() for entry in listed.values()}


def _trusted(host: Host) -> set[str]:
    lines = files(host)["slipway/user_ca.pub"][0].decode().splitlines()
    return {line for line in lines if not line.startswith("#")}


def _krl(access: Access, certificate: str) -> Path:
    """A revocation list of this certificate's serial number alone."""
    file, authority_key, out = (access.folder / name for name in ("stolen-cert.pub", "authority.pub", "revoked"))
    file.write_text(certificate + "\n")
    authority_key.write_text(str(access.bao.need("GET", f"{access.user_mount}/public_key")))
    shown = subprocess.run(["ssh-keygen", "-L", "-f", file], capture_output=True, text=True, check=True).stdout
    serial = shown.partition("Serial: ")[2].split()[0]
    listed = access.folder / "serials"
    listed.write_text(f"serial: {serial}\n")
    subprocess.run(["ssh-keygen", "-q", "-k", "-f", out, "-s", authority_key, listed], check=True)
    return out


def _with_certificate(access: Access, certificate: str) -> str:
    """The agent's key with another certificate beside it, as files."""
    key = access.folder / "site"
    key.write_bytes(access.agent.key.read_bytes())
    key.chmod(0o600)
    Path(f"{key}-cert.pub").write_text(certificate + "\n")
    return str(key)
