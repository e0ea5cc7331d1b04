# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What ssh and sshd leave behind is read, and nothing that a host says is taken for their word."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.trust import visit as seen
from ansible_collections.slipway.cluster.plugins.module_utils.trust.certificate import parse_certificate
from ansible_collections.slipway.cluster.plugins.module_utils.trust.visit import accepted_key, one_line, read

KEY, CA, FALSE = ("SHA256:" + letter * 43 for letter in "KCF")
REACHED = "debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2p1\r\n"
LOGIN = "debug1: Authenticating to node:22 as 'ops'\r\n"
PLAIN = f"debug1: Server host key: ssh-ed25519 {KEY}\r\n"
IN = 'Authenticated to node ([192.0.2.1]:22) using "publickey".\r\n'


def host_certificate(key_id: str = "node") -> str:
    return (
        f'debug1: Server host certificate: ssh-ed25519-cert-v01@openssh.com {KEY}, serial 7 ID "{key_id}" '
        f"CA ssh-ed25519 {CA} valid from 2026-11-22T20:46:04 to 2026-12-22T20:46:34\r\n"
    )


def accepts(kind: str, fingerprint: str, comment: str = "who of all") -> str:
    return f"debug1: Server accepts key: {comment} {kind} {fingerprint} agent\r\n"


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A certificate by ssh-keygen."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ca", "id"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    sign = ["ssh-keygen", "-q", "-s", folder / "ca", "-I", "run \x1b 5", "-n", "ops", "-z", "42", folder / "id.pub"]
    subprocess.run(sign, check=True)
    return Path(folder / "id-cert.pub").read_text(encoding="utf-8").strip()


def test_sshd_s_own_word_counts_before_ssh_s(line: str) -> None:
    said = f"publickey {' '.join(line.split()[:2])}\nuser root\n"
    found = read(0, said, REACHED + LOGIN + host_certificate() + accepts("ED25519", KEY) + IN, "")
    known = parse_certificate(line)
    assert (found.state, found.method, found.sworn) == (seen.IN, seen.CERTIFICATE, True)
    assert (found.serial, found.authority, found.key) == ("42", known.authority, known.key)
    assert (found.login, found.user) == ("ops", "root")
    assert (found.host_key, found.host_ca) == (KEY, CA)
    assert found.key_id.isprintable()


def test_where_sshd_says_nothing_it_is_the_certificate_for_the_key_that_ssh_names(line: str) -> None:
    known = parse_certificate(line)
    found = read(0, "user ops\n", REACHED + PLAIN + accepts("ED25519-CERT", known.key) + IN, "", [line])
    assert (found.serial, found.authority, found.sworn) == ("42", known.authority, False)
    assert found.host_ca == ""
    unknown = read(0, "user ops\n", REACHED + accepts("ED25519-CERT", KEY) + IN, "", [line])
    assert (unknown.method, unknown.serial, unknown.authority) == (seen.CERTIFICATE, "", "")


def test_a_plain_key_is_no_certificate(line: str) -> None:
    known = parse_certificate(line)
    found = read(0, "user ops\n", accepts("ED25519-CERT", FALSE) + accepts("ED25519", known.key) + IN, "", [line])
    assert (found.method, found.key, found.serial) == (seen.KEY, known.key, "")
    assert read(0, "user ops\n", IN, "").method == seen.OTHER


def test_what_a_host_writes_into_its_certificate_is_not_its_authority() -> None:
    forged = host_certificate(f'x" CA ssh-ed25519 {FALSE} valid from now')
    assert read(0, "", forged + IN, "").host_ca == CA


def test_a_banner_is_not_ssh_s_word() -> None:
    banner = host_certificate() + accepts("ED25519-CERT", FALSE) + "SLW-7201 host\n"
    found = read(255, "", REACHED + PLAIN + "ops@node: Permission denied (publickey).\r\n", banner)
    assert (found.state, found.host_ca) == (seen.NOT_ACCEPTED, "")


def test_a_forced_command_that_fails_is_a_login_all_the_same() -> None:
    assert read(1, "", REACHED + LOGIN + accepts("ED25519", KEY) + IN, "").state == seen.IN


@pytest.mark.parametrize(
    ("log", "errors", "state", "reason"),
    [
        ("ssh: connect to host node port 22: Connection refused\r\n", "", seen.UNREACHABLE, "Connection refused"),
        ("Connection closed by UNKNOWN port 65535\r\n", "", seen.UNREACHABLE, "Connection closed by UNKNOWN"),
        ("", "no answer within 40 s", seen.UNREACHABLE, "no answer within 40 s"),
        (REACHED + "Host key verification failed.\r\n", "", seen.NOT_CERTIFIED, "Host key verification failed."),
        (
            REACHED + 'sign_and_send_pubkey: signing failed for ED25519-CERT "SLW-7201 host key x has no certificate"'
            " from agent: agent refused operation\r\nops@node: Permission denied (publickey).\r\n",
            "", seen.NOT_CERTIFIED, "SLW-7201 host key x has no certificate",
        ),
        (REACHED + "ops@node: Permission denied (publickey).\r\n", "", seen.NOT_ACCEPTED, "Permission denied"),
        (REACHED + "Connection reset by 192.0.2.1 port 22\r\n", "", seen.FAILED, "Connection reset"),
    ],
)  # fmt: skip
def test_why_a_host_refuses(log: str, errors: str, state: str, reason: str) -> None:
    found = read(255, "", log, errors)
    assert found.state == state
    assert reason in found.reason
    assert "\n" not in found.reason


def test_the_key_that_a_server_would_have_taken() -> None:
    asked = accepts("ED25519", KEY, "/tmp/0.pub") + "ops@node: Permission denied (publickey).\r\n"
    assert accepted_key(asked) == KEY
    assert accepted_key("debug1: Offering public key: k ED25519 SHA256:x\r\n") == ""


def test_the_words_of_others_steer_no_terminal() -> None:
    assert one_line("first\nsecond\n\x1b[31mthird\x07\n") == "second ?[31mthird?"
    assert len(one_line("x" * 5000)) == 300
