# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Keys, certificates and settings of a step-ca, made without its own tools, and the real one started on loopback."""

from __future__ import annotations

import base64
import datetime
import json
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PROVISIONER = "slipway"
CLIENT = "slipway-sessions"


@dataclass
class World:
    """``jwk`` is the provisioner's private key, ``identity`` the one of an OIDC issuer."""

    folder: Path
    port: int
    jwk: dict[str, str]
    root: x509.Certificate
    hosts: str

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> str:
        return str(self.folder / "root.crt")

    @property
    def fingerprint(self) -> str:
        return self.root.fingerprint(hashes.SHA256()).hex()


def world(folder: Path) -> World:
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate("root", root_key, None, root_key, authority=True)
    intermediate = _certificate("intermediate", key, root, root_key, authority=True)
    (folder / "root.crt").write_bytes(_pem(root))
    (folder / "intermediate.crt").write_bytes(_pem(intermediate))
    (folder / "intermediate.key").write_bytes(_private(key))
    own = ec.generate_private_key(ec.SECP256R1())
    (folder / "server.crt").write_bytes(_pem(_certificate("127.0.0.1", own, intermediate, key)) + _pem(intermediate))
    (folder / "server.key").write_bytes(_private(own))
    lines = {}
    for name in ("hosts", "users"):
        ssh = ec.generate_private_key(ec.SECP256R1())
        (folder / name).write_bytes(_private(ssh))
        raw = ssh.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        lines[name] = raw.decode()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return World(folder, port, ec_jwk(), root, lines["hosts"])


def ec_jwk(kid: str = "one") -> dict[str, str]:
    numbers = ec.generate_private_key(ec.SECP256R1()).private_numbers()
    public = numbers.public_numbers
    parts = {"x": public.x, "y": public.y, "d": numbers.private_value}
    encoded = {name: encode(value.to_bytes(32, "big")) for name, value in parts.items()}
    return {"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid} | encoded


def public_part(jwk: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in jwk.items() if name != "d"}


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@contextmanager
def real(program: str, made: World, *others: dict[str, Any]) -> Iterator[World]:
    """The real step-ca with a JWK provisioner, and ``others``."""
    jwk = {
        "type": "JWK",
        "name": PROVISIONER,
        "key": public_part(made.jwk),
        "claims": {"enableSSHCA": True, "maxUserSSHCertDuration": "1h", "defaultUserSSHCertDuration": "10m"},
    }
    settings = {
        "root": made.ca_file,
        "crt": str(made.folder / "intermediate.crt"),
        "key": str(made.folder / "intermediate.key"),
        "address": f"127.0.0.1:{made.port}",
        "dnsNames": ["127.0.0.1"],
        "logger": {"format": "text"},
        "db": {"type": "badgerv2", "dataSource": str(made.folder / "db")},
        "ssh": {"hostKey": str(made.folder / "hosts"), "userKey": str(made.folder / "users")},
        "authority": {"provisioners": [jwk, *others]},
    }
    (made.folder / "ca.json").write_text(json.dumps(settings), encoding="utf-8")
    environment = {"PATH": os.defpath, "HOME": str(made.folder), "STEPPATH": str(made.folder)}
    with (made.folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, str(made.folder / "ca.json")], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
        )
        try:
            _wait(process, made)
            yield made
        finally:
            process.terminate()
            process.wait(10)


def _wait(process: subprocess.Popen[bytes], made: World) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with socket.create_connection(("127.0.0.1", made.port), 1):
                return
        except OSError:
            assert process.poll() is None, (made.folder / "log").read_text(encoding="utf-8")
            assert time.monotonic() < deadline
            time.sleep(0.05)


def server_side(made: World) -> ssl.SSLContext:
    """TLS as step-ca speaks it: a leaf of the intermediate of the root."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.folder / "server.crt", made.folder / "server.key")
    return context


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    authority: bool = False,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if authority:
        usage = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "encipher_only", "decipher_only"), False,
        )
        builder = builder.add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
    else:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
