# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The ``local`` provider with keys that ``ssh-keygen`` made: what is refused, and what it says of the result."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization.ssh import SSHCertificate, load_ssh_public_identity

from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import ProviderError, SettingsError
from ansible_collections.slipway.cluster.plugins.module_utils.session.provider import Provider, Request
from ansible_collections.slipway.cluster.plugins.module_utils.session.providers.table import PROVIDERS

LOCAL = PROVIDERS["local"]
PASSPHRASE = "correct horse, battery"


def made(folder: Path, *arguments: str, passphrase: str = PASSPHRASE, name: str = "ca") -> Path:
    path = folder / name
    command = ["ssh-keygen", "-q", "-N", passphrase, "-f", str(path), "-C", "", *(arguments or ("-t", "ed25519"))]
    subprocess.run(command, check=True)
    return path


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("ca"))


def provider(path: Path, passphrase: str = PASSPHRASE, **options: Any) -> Provider:
    chosen = {"key_file": str(path)} | options
    assert LOCAL.check(chosen) == []
    return LOCAL.create(chosen, {"passphrase": passphrase} if passphrase else {})


def public(key: Any = None) -> str:
    raw = (key or ed25519.Ed25519PrivateKey.generate()).public_key()
    return str(raw.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode())


def request(ttl: int = 60, key: str = "") -> Request:
    return Request(key or public(), ("kx-a", "kx-b"), ttl)


def certificate(line: str) -> SSHCertificate:
    read = load_ssh_public_identity(line.encode())
    assert isinstance(read, SSHCertificate)
    read.verify_cert_signature()
    return read


def refused(path: Path, passphrase: str = PASSPHRASE) -> SettingsError:
    with pytest.raises(SettingsError) as error:
        provider(path, passphrase)
    assert error.value.advice
    assert PASSPHRASE not in str(error.value)
    return error.value


def test_a_certificate_is_for_the_key_the_principals_and_the_life_that_were_asked_for(ca: Path) -> None:
    key = public()
    before = int(time.time())
    signed = provider(ca).sign(request(120, key))
    cert = certificate(signed.certificate)
    told = cert.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    assert told.decode() == key
    assert cert.valid_principals == [b"kx-a", b"kx-b"]
    assert cert.valid_before - cert.valid_after == 150
    assert before - 30 <= cert.valid_after <= time.time() - 30
    assert (cert.extensions, cert.critical_options) == ({}, {})
    assert cert.type == serialization.SSHCertificateType.USER
    assert signed.clock is not None
    assert before <= signed.clock <= time.time()


def test_port_forwarding_is_allowed_on_request(ca: Path) -> None:
    for wanted in (True, "True"):
        cert = certificate(provider(ca, port_forwarding=wanted).sign(request()).certificate)
        assert cert.extensions == {b"permit-port-forwarding": b""}
    assert certificate(provider(ca, port_forwarding="False").sign(request()).certificate).extensions == {}


def test_who_asked_stands_in_the_certificate(ca: Path) -> None:
    first, second = provider(ca), provider(ca)
    ids = {certificate(one.sign(request()).certificate).key_id.decode() for one in (first, first, second)}
    assert len(ids) == 2
    assert all(re.fullmatch(rf"local/[^/@]+@{re.escape(os.uname().nodename)}/[0-9a-f]{{8}}", one) for one in ids)


def test_serial_numbers_do_not_repeat(ca: Path) -> None:
    one = provider(ca)
    serials = [certificate(one.sign(request()).certificate).serial for _ in range(20)]
    assert len(set(serials)) == 20
    assert max(serials) > 2**56


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-t", "ed25519"), "using ssh-ed25519"),
        (("-t", "ecdsa", "-b", "256"), "using ecdsa-sha2-nistp256"),
        (("-t", "ecdsa", "-b", "521"), "using ecdsa-sha2-nistp521"),
        (("-t", "rsa", "-b", "2048"), "using rsa-sha2-512"),
        (("-t", "rsa", "-b", "2048", "-m", "PEM"), "using rsa-sha2-512"),
        (("-t", "ecdsa", "-b", "384", "-m", "PKCS8"), "using ecdsa-sha2-nistp384"),
    ],
)
def test_openssh_reads_what_each_type_of_key_signed(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    path = made(tmp_path, *arguments)
    file = tmp_path / "user-cert.pub"
    file.write_text(provider(path).sign(request()).certificate + "\n", encoding="utf-8")
    shown = subprocess.run(["ssh-keygen", "-L", "-f", str(file)], capture_output=True, text=True, check=True).stdout
    assert f"({said})" in shown
    assert "Type: ssh-ed25519-cert-v01@openssh.com user certificate" in shown
    assert re.search(r"Principals: \n +kx-a\n +kx-b\n", shown)
    assert re.search(r"Extensions: \(none\)", shown)


class TestRefused:
    def test_a_key_that_is_not_encrypted(self, tmp_path: Path) -> None:
        error = refused(path := made(tmp_path, passphrase=""))
        assert (error.code, error.message) == ("SLW-7045", f"the CA key {path} is not encrypted")

    @pytest.mark.parametrize(
        "form", [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL]
    )
    def test_a_key_in_another_form_that_is_not_encrypted(
        self, tmp_path: Path, form: serialization.PrivateFormat
    ) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        error = refused(
            written(tmp_path, key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        )
        assert (error.code, "is not encrypted" in error.message) == ("SLW-7045", True)

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o601])
    def test_a_key_that_others_may_read(self, tmp_path: Path, mode: int) -> None:
        path = made(tmp_path)
        path.chmod(mode)
        error = refused(path)
        assert error.code == "SLW-7045"
        assert error.message == f"the CA key {path} has mode {mode:04o}, so that others may read it"

    def test_a_key_of_somebody_else(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = made(tmp_path)
        owner = os.getuid()
        monkeypatch.setattr(os, "getuid", lambda: owner + 1)
        error = refused(path)
        assert (error.code, f"belongs to uid {owner}," in error.message) == ("SLW-7045", True)

    @pytest.mark.parametrize("passphrase", ["", "\n"])
    def test_no_passphrase(self, ca: Path, passphrase: str) -> None:
        error = refused(ca, passphrase)
        assert error.code == "SLW-7041"
        assert error.advice == "set SLIPWAY_CA_PASSPHRASE, or passphrase_fd"

    def test_another_passphrase(self, ca: Path) -> None:
        error = refused(ca, "wrong")
        assert (error.code, error.message) == ("SLW-7044", f"{ca} is no private key that this passphrase opens")

    @pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END"])
    def test_what_is_no_key(self, tmp_path: Path, content: bytes) -> None:
        assert refused(written(tmp_path, content)).code == "SLW-7044"

    def test_what_is_not_there(self, tmp_path: Path) -> None:
        error = refused(tmp_path / "gone")
        assert error.message == f"the CA key {tmp_path / 'gone'} cannot be read: No such file or directory"

    def test_a_folder(self, tmp_path: Path) -> None:
        assert refused(tmp_path).message.endswith("cannot be read: Is a directory")

    @pytest.mark.parametrize(
        "key",
        [ed448.Ed448PrivateKey.generate(), rsa.generate_private_key(65537, 1024)],  # noqa: S505 - that is the point
        ids=["ed448", "short rsa"],
    )
    def test_a_type_that_openssh_does_not_accept(self, tmp_path: Path, key: Any) -> None:
        encrypted = serialization.BestAvailableEncryption(PASSPHRASE.encode())
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encrypted)
        error = refused(written(tmp_path, pem))
        assert (error.code, "of a type that OpenSSH does not accept" in error.message) == ("SLW-7044", True)


def written(folder: Path, content: bytes) -> Path:
    path = folder / "key"
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("key", ["", "ssh-ed25519 AAAA", "nonsense", "ssh-dss AAAA"])
def test_a_public_key_that_is_none(ca: Path, key: str) -> None:
    with pytest.raises(ProviderError, match=f"^SLW-7124 {ca} does not sign this key") as error:
        provider(ca).sign(Request(key, ("a",), 60))
    assert not error.value.passes


def test_nobody_is_not_everybody(ca: Path) -> None:
    with pytest.raises(ProviderError, match=r"^SLW-7121 "):
        provider(ca).sign(Request(public(), (), 60))


def test_host_authorities_come_from_a_file(ca: Path, tmp_path: Path) -> None:
    assert provider(ca).host_authorities() == ()
    first, second = public(), public()
    file = tmp_path / "hosts.pub"
    file.write_text(f"# old\n{first} old\n\n{second}\n", encoding="utf-8")
    assert provider(ca, host_ca=str(file)).host_authorities() == (f"{first} old", second)
    for content in ("nonsense\n", None):
        file.unlink()
        if content:
            file.write_text(content, encoding="utf-8")
        with pytest.raises(ProviderError, match=f"^SLW-7130 the host authorities in {file} cannot be used"):
            provider(ca, host_ca=str(file)).host_authorities()


def test_the_key_is_said_to_be_for_trial_and_not_shown(ca: Path) -> None:
    one = provider(ca)
    assert LOCAL.trial
    assert one.describe() == f"CA key {ca}, for lab and trial only"
    assert PASSPHRASE not in repr(one) + str(vars(one))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({}, ("key_file", "is missing: the CA's private key, ")),
        ({"key_file": "ca"}, ("key_file", "must be an absolute path")),
        (
            {"key_file": "/ca", "passphrase": "x"},
            ("passphrase", "is a secret, which no file of settings should hold: "),
        ),
        ({"key_file": "/ca", "passphrase_file": "/x"}, ("passphrase_file", "is a secret, which no file ")),
        ({"key_file": "/ca", "port_forwarding": "perhaps"}, ("port_forwarding", "must be true or false")),
        ({"key_file": "-----BEGIN OPENSSH PRIVATE KEY-----"}, ("key_file", "holds a secret: ")),
    ],
)
def test_options(options: dict[str, Any], problem: tuple[str, str]) -> None:
    assert [(key, text[: len(problem[1])]) for key, text in LOCAL.check(options)] == [problem]


def test_the_passphrase_is_the_only_secret() -> None:
    (wanted,) = LOCAL.secrets({"key_file": "/ca"})
    assert (wanted.name, wanted.environment, wanted.fd_option) == (
        "passphrase",
        ("SLIPWAY_CA_PASSPHRASE",),
        "passphrase_fd",
    )
