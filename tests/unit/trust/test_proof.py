# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What counts as a proof: what sshd says of a login that shares nothing with others and offers certificates alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.trust.agent import Offer
from ansible_collections.slipway.cluster.plugins.module_utils.trust.certificate import parse_certificate
from ansible_collections.slipway.cluster.plugins.module_utils.trust.errors import TrustError
from ansible_collections.slipway.cluster.plugins.plugin_utils.pinning import pin
from ansible_collections.slipway.cluster.plugins.plugin_utils.proof import Target, prove
from tests.unit.trust.test_certificates import keygen


class Connection:
    """Options of an ssh connection, as Ansible's plugin has them."""

    def __init__(self, transport: str = "ssh", **options: Any) -> None:
        self.transport = transport
        self._options = {"host": "192.0.2.7", "remote_user": "ops", "host_key_checking": True, **options}

    def get_option(self, name: str) -> Any:
        return self._options.get(name)


@pytest.fixture
def offers(tmp_path: Path) -> list[Offer]:
    ca, key = tmp_path / "ca", tmp_path / "id"
    for path in (ca, key):
        keygen("-q", "-t", "ed25519", "-N", "", "-f", path)
    keygen("-q", "-s", ca, "-I", "me", "-n", "p", "-z", 7, f"{key}.pub")
    line = " ".join(Path(f"{key}-cert.pub").read_text().split()[:2])
    return [Offer(line, parse_certificate(line))]


def ssh(folder: Path, said: str, status: int = 0) -> Connection:
    """A program in ssh's place: it notes what it is asked, and says what sshd would."""
    program = folder / "ssh"
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" >> {folder}/asked\ncat <<'END'\n{said}\nEND\nexit {status}\n")
    program.chmod(0o755)
    return Connection(ssh_executable=str(program), ssh_args="-C -o ControlPersist=60s -M -S /tmp/x -S/tmp/y", timeout=1)


def test_the_certificate_that_sshd_names_is_the_proof(tmp_path: Path, offers: list[Offer]) -> None:
    found = prove(Target.of(ssh(tmp_path, f"publickey {offers[0].line}\nuser ops"), "node1"), offers, user="ops")
    assert found.serial == 7
    asked = (tmp_path / "asked").read_text().splitlines()
    # ssh takes the first value: ours stand before what the inventory says.
    assert asked.index("ControlPath=none") < asked.index("-C")
    assert "PubkeyAcceptedKeyTypes=*-cert-v01@openssh.com" in asked
    assert not {"-M", "-S", "/tmp/x", "-S/tmp/y"} & set(asked)


@pytest.mark.parametrize(
    "said", ["user ops", "", "password\nuser ops", "publickey {plain}\nuser ops", "nothing useful"]
)
def test_every_other_login_is_none(tmp_path: Path, offers: list[Offer], said: str) -> None:
    plain = " ".join((tmp_path / "id.pub").read_text().split()[:2])
    target = Target.of(ssh(tmp_path, said.replace("{plain}", plain)), "node1")
    with pytest.raises(TrustError, match="SLW-7305 the login worked, but sshd does not say"):
        prove(target, offers, user="ops")


def test_with_an_authority_for_hosts_the_host_has_to_show_a_certificate(tmp_path: Path, offers: list[Offer]) -> None:
    target = Target.of(ssh(tmp_path, f"publickey {offers[0].line}"), "node1")
    prove(target, offers, user="ops", host_authorities=["ssh-ed25519 AAAA"])
    asked = (tmp_path / "asked").read_text().splitlines()
    assert {"StrictHostKeyChecking=yes", "HostKeyAlias=node1", "HostKeyAlgorithms=*-cert-v01@openssh.com"} <= set(asked)


def test_host_key_checking_is_what_the_user_has_set(tmp_path: Path, offers: list[Offer]) -> None:
    target = Target.of(ssh(tmp_path, f"publickey {offers[0].line}"), "node1")
    prove(target, offers, user="ops")
    assert "StrictHostKeyChecking" not in (tmp_path / "asked").read_text()


def test_only_ssh_can_prove() -> None:
    with pytest.raises(TrustError, match="SLW-7317"):
        Target.of(Connection(transport="local"), "localhost")


def test_a_pin_has_to_be_a_fingerprint() -> None:
    with pytest.raises(TrustError, match="SLW-7314"):
        pin(Connection(), "node1", ["node1.example.com"])
