# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Keys and certificates of one lab: two small authorities, servers on loopback, and the users of the API."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAYS = 365
LOCAL_NAMES = ("localhost",)
API_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)

# The lab's own parts have a name each, so that the audit log tells them from the product.
USERS = {
    "admin": ("lab-admin", "system:masters"),
    "setup": ("lab-setup", "system:masters"),
    "kwok": ("lab-kwok", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", None),
    "scheduler": ("system:kube-scheduler", None),
}


@dataclass(frozen=True)
class Authority:
    """A certificate authority that signs for this lab only."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def create(folder: Path, service_address: str) -> None:
    """Write all key material of a lab into ``folder`` as NAME.crt and NAME.key.

    etcd has an authority of its own: a certificate that the cluster signs must not open the store behind it.
    """
    folder.mkdir(mode=0o700)
    cluster, store = _authority("slipway-lab"), _authority("slipway-lab-etcd")
    for name, authority in (("ca", cluster), ("etcd-ca", store)):
        _write(folder, name, authority.key, authority.certificate)
    loopback = ("127.0.0.1",)
    _issue(folder, "apiserver", cluster, "kube-apiserver", names=API_NAMES, addresses=(*loopback, service_address))
    _issue(folder, "faults", cluster, "slipway-lab-faults", names=LOCAL_NAMES, addresses=loopback)
    _issue(folder, "webhook", cluster, "slipway-lab-webhook", names=LOCAL_NAMES, addresses=loopback)
    _issue(folder, "etcd", store, "etcd", names=LOCAL_NAMES, addresses=loopback)
    _issue(folder, "etcd-client", store, "kube-apiserver")
    for name, (user, group) in USERS.items():
        _issue(folder, name, cluster, user, group=group)
    signer = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    _private(folder / "service-accounts.key", signer)
    public = signer.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (folder / "service-accounts.pub").write_bytes(public)


def _authority(name: str) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    builder = (
        _builder(subject, subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return Authority(key, builder.sign(key, hashes.SHA256()))


def _issue(
    folder: Path,
    file: str,
    authority: Authority,
    common_name: str,
    *,
    group: str | None = None,
    names: tuple[str, ...] = (),
    addresses: tuple[str, ...] = (),
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if group is not None:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
    if addresses:
        usages.append(ExtendedKeyUsageOID.SERVER_AUTH)
    builder = (
        _builder(x509.Name(parts), authority.certificate.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )
    if addresses:
        alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
        alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    _write(folder, file, key, builder.sign(authority.key, hashes.SHA256()))


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
    )


def _write(folder: Path, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    _private(folder / f"{name}.key", key)
    (folder / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _private(path: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
