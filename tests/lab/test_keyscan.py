# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The demo says that there is no private key: so it has to find one that is there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from lab.keyscan import MARK, KeyScan

FORMS = {
    "openssh": (ed25519.Ed25519PrivateKey.generate(), serialization.PrivateFormat.OpenSSH),
    "pkcs8": (ed25519.Ed25519PrivateKey.generate(), serialization.PrivateFormat.PKCS8),
    "traditional": (ec.generate_private_key(ec.SECP256R1()), serialization.PrivateFormat.TraditionalOpenSSL),
}


def private(form: str) -> bytes:
    key, written = FORMS[form]
    return key.private_bytes(serialization.Encoding.PEM, written, serialization.NoEncryption())


@contextmanager
def process(mark: str, program: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of a run that says when it has opened its file."""
    command = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(
        command, env={**os.environ, MARK: mark}, stdout=subprocess.PIPE, stdin=subprocess.PIPE
    ) as one:
        assert one.stdout is not None
        one.stdout.readline()
        yield one
        one.kill()


HOLD = "import sys, os; f = open(sys.argv[1]); {}; print('ready', flush=True); sys.stdin.read()"


@pytest.mark.parametrize("form", FORMS)
def test_a_key_in_a_folder_of_the_run_is_found(tmp_path: Path, form: str) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "id").write_bytes(b"x" * 5000 + private(form))
    with KeyScan("none", [tmp_path]) as scan:
        pass
    assert scan.found == {str(tmp_path / "deep" / "id")}


@pytest.mark.parametrize("gone", ["pass", "os.unlink(sys.argv[1])"])
def test_a_key_in_a_file_that_a_process_has_open_is_found_even_without_a_name(tmp_path: Path, gone: str) -> None:
    (tmp_path / "id").write_bytes(private("openssh"))
    with process(str(tmp_path), HOLD.format(gone), str(tmp_path / "id")), KeyScan(str(tmp_path), []) as scan:
        scan.look()
    assert len(scan.found) == 1
    assert len(scan.processes) == 1


def test_processes_of_others_are_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "id").write_bytes(private("openssh"))
    with process("another", HOLD.format("pass"), str(tmp_path / "id")), KeyScan(str(tmp_path), []) as scan:
        scan.look()
    assert not scan.found
    assert not scan.processes


def test_a_folder_that_appears_during_the_run_is_looked_at(tmp_path: Path) -> None:
    with KeyScan("none", [], [(tmp_path, "slipway-????????")]) as scan:
        (tmp_path / "slipway-abcdefgh").mkdir()
        (tmp_path / "slipway-abcdefgh" / "id").write_bytes(private("pkcs8"))
    assert len(scan.found) == 1


def test_public_keys_and_talk_of_keys_are_none(tmp_path: Path) -> None:
    public = FORMS["openssh"][0].public_key()
    line = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    (tmp_path / "id.pub").write_bytes(line)
    (tmp_path / "doc.md").write_text("A file that begins with `-----BEGIN OPENSSH PRIVATE KEY-----` is a private key.")
    with KeyScan("none", [tmp_path]) as scan:
        pass
    assert not scan.found
    assert len(scan.files) == 2
