# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The search for what must not be in an image: each kind of it is found, wherever it is, and nothing else is."""

from __future__ import annotations

import base64
import json
import os
import shutil
import struct
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.slipway.cluster.plugins.module_utils.image import by_name, tree
from ansible_collections.slipway.cluster.plugins.module_utils.image.finding import REMEDIES, Finding
from ansible_collections.slipway.cluster.plugins.module_utils.image.leftovers import Search, search
from tests.unit.image.sealed import seal
from tests.unit.image.worker_tree import USER_CA, build, certificate, key, kubeconfig, pem, put

PRIVATE = key()
DER = PRIVATE.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJlLW9mLWl0"
LETTERS = "AbCdEfGhIjKlMnOpQrStUv12"

ANYWHERE: dict[str, tuple[str, str | bytes]] = {
    "pkcs8": ("private key", pem(PRIVATE)),
    "sec1": ("private key", "words before\n\n" + pem(PRIVATE, "sec1")),
    "openssh": ("private key", pem(PRIVATE, "openssh")),
    "encrypted": (
        "private key",
        PRIVATE.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        ),
    ),
    "old encrypted": (
        "private key",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n" + "QUJD\n" * 12,
    ),
    "pgp": ("private key", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n" + "QUJD" * 16 + "\n"),
    "in json": ("private key", json.dumps({"key": pem(PRIVATE)})),
    "in base64": ("private key", "data: " + base64.b64encode(pem(PRIVATE, "sec1").encode()).decode()),
    "putty": ("private key", "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n"),
    "age": ("private key", "# created\nAGE-SECRET-KEY-1" + "QPZRY9X8GF" * 5 + "2TVDW0S3\n"),
    "jwk": ("private key", json.dumps({"kty": "EC", "crv": "P-256", "d": "x" * 43})),
    "wireguard": ("private key", "[Interface]\nPrivateKey = " + base64.b64encode(bytes(32)).decode() + "\n"),
    "client": ("certificate", certificate(PRIVATE, "kube-apiserver-etcd-client", authority=False)),
    "kubeconfig, token": ("kubeconfig", kubeconfig("token: abc")),
    "kubeconfig, key": ("kubeconfig", kubeconfig("client-key: /somewhere")),
    "kubeconfig, password": ("kubeconfig", kubeconfig("password: abc")),
    "kubeconfig, json": ("kubeconfig", '{"contexts": [],\n"users": [{"user": {\n"token": "abc"}}]}'),
    "jwt": ("token", f"Authorization: Bearer {JWT}\n"),
    "vault": ("token", f"VAULT_TOKEN=hvs.{LETTERS * 4}\n"),
    "batch": ("token", f"hvb.{LETTERS * 4}"),
    "github": ("token", "ghp_" + "a1B2" * 9),
    "docker": ("credentials", json.dumps({"auths": {"registry.example.com": {"auth": "bWU6c2VjcmV0"}}})),
    "docker, indented": ("credentials", json.dumps({"auths": {"r": {"auth": "bWU6c2VjcmV0"}}}, indent=2)),
    "docker, identity": ("credentials", json.dumps({"auths": {"r": {"identitytoken": "x"}}})),
    "core": ("core dump", b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<H", 4) + bytes(64)),
    "swap": ("swap", bytes(4086) + b"SWAPSPACE2" + bytes(4096)),
}
"""By content, under any name."""
NAMED = {
    ".bash_history": "history",
    ".zsh_history": "history",
    ".python_history": "history",
    ".node_repl_history": "history",
    ".psql_history": "history",
    ".mysql_history": "history",
    ".sqlite_history": "history",
    ".rediscli_history": "history",
    ".viminfo": "history",
    ".lesshst": "history",
    ".main.py.swp": "history",
    "fish_history": "history",
    "me.p12": "key store",
    "me.PFX": "key store",
    "me.jks": "key store",
    "me.kdbx": "key store",
    ".netrc": "credentials",
    ".pgpass": "credentials",
    ".git-credentials": "credentials",
    ".vault-token": "credentials",
    "swapfile": "swap",
    "swap.img": "swap",
    "vmcore": "core dump",
}
"""By name, in any folder."""
PLACED: dict[str, tuple[str, str | bytes]] = {
    "/etc/machine-id": ("machine id", "0123456789abcdef0123456789abcdef\n"),
    "/var/lib/dbus/machine-id": ("machine id", "0123456789abcdef0123456789abcdef\n"),
    "/etc/hostid": ("machine id", b"\x01\x02\x03\x04"),
    "/etc/hostname": ("host name", "worker9\n"),
    "/etc/hosts": ("host name", "127.0.0.1 localhost\n127.0.1.1 worker9\n"),
    "/etc/iscsi/initiatorname.iscsi": ("network identity", "InitiatorName=iqn.2026\n"),
    "/etc/nvme/hostnqn": ("network identity", "nqn.2014\n"),
    "/etc/netplan/50-cloud-init.yaml": ("network identity", "network: {}\n"),
    "/etc/udev/rules.d/70-persistent-net.rules": ("network identity", "SUBSYSTEM\n"),
    "/etc/ssh/ssh_host_rsa_key": ("ssh host key", "x"),
    "/etc/ssh/ssh_host_rsa_key.pub": ("ssh host key", "x"),
    "/etc/ssh/slipway/host-cert.pub": ("ssh host key", "x"),
    "/root/.ssh/authorized_keys": ("authorized keys", f"# me\n{USER_CA}\n"),
    "/home/ops/.ssh/authorized_keys2": ("authorized keys", f'no-pty,from="x" {USER_CA}\n'),
    "/root/.ssh/known_hosts": ("known hosts", f"@cert-authority * {USER_CA}\ncp1 {USER_CA}\n"),
    "/etc/ssh/ssh_known_hosts": ("known hosts", f"cp1 {USER_CA}\n"),
    "/root/.kube/cache/discovery/x.json": ("client state", "{}"),
    "/root/.ansible/tmp/x": ("client state", "x"),
    "/home/ops/.aws/credentials": ("credentials", "x"),
    "/home/ops/.config/gcloud/x.db": ("credentials", "x"),
    "/home/ops/.gnupg/private-keys-v1.d/A.key": ("private key", "x"),
    "/etc/ssl/private/server.key": ("private key", DER),
    "/etc/containerd/certs.d/r/hosts.toml": ("credentials", '  [host."r".header]\n    Authorization = ["Basic x"]\n'),
    "/etc/containerd/config.toml": ("credentials", 'version = 3\n    password = "secret"\n'),
    "/etc/apt/auth.conf.d/x.conf": ("credentials", "machine example.com login me password x\n"),
    "/var/log/syslog": ("log", "x"),
    "/var/log/journal/0/system.journal": ("log", b"\0"),
    "/var/log/pods/a/b/0.log": ("log", "x"),
    "/var/lib/dhcp/dhclient.leases": ("dhcp lease", "x"),
    "/var/lib/NetworkManager/internal-1-eth0.lease": ("dhcp lease", "x"),
    "/var/lib/systemd/random-seed": ("random seed", b"\1"),
    "/boot/efi/loader/random-seed": ("random seed", b"\1"),
    "/var/lib/systemd/credential.secret": ("private key", b"\1"),
    "/var/lib/cloud/instances/i-1/user-data.txt": ("cloud-init state", "x"),
    "/var/lib/cloud/data/instance-id": ("cloud-init state", "x"),
    "/var/lib/cni/networks/cbr0/10.233.64.2": ("cni state", "x"),
    "/etc/cni/net.d/calico-kubeconfig": ("cni state", "x"),
    "/var/lib/calico/nodename": ("cni state", "x"),
    "/var/lib/kubelet/config.yaml": ("kubelet state", "x"),
    "/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/a/resolv.conf": ("container state", "x"),
    "/var/lib/etcd/member/snap/db": ("etcd data", "x"),
    "/etc/ssl/etcd/ssl/member-a.pem": ("certificate", certificate(PRIVATE, "a", authority=False)),
    "/etc/kubernetes/kubeadm-client.conf": ("bootstrap token", "token: abcdef.0123456789abcdef\n"),
    "/etc/kubernetes/x": ("bootstrap token", "abcdef.abcdefabcdefabcd\n"),
    "/etc/slipway/join.env": ("join data", "SLIPWAY_NAME=a\n"),
    "/root/join.sh": ("bootstrap token", "kubeadm join 10.0.0.1:6443 --token abcdef.0123456789abcdef\n"),
    "/opt/vars.env": ("bootstrap token", 'export KUBEADM_TOKEN="abcdef.0123456789abcdef"\n'),
    "/etc/agent.hcl": ("token", f'token = "s.{LETTERS}"\n'),
    "/var/crash/a": ("core dump", "x"),
    "/var/lib/systemd/coredump/a.zst": ("core dump", "x"),
    "/tmp/a": ("temporary file", "x"),
    "/var/tmp/a/b": ("temporary file", "x"),
    "/var/lib/slipway/run.json": ("slipway state", "{}"),
}
"""In one place."""
INNOCENT: dict[str, str | bytes] = {
    "/etc/kubernetes/ssl/ca.crt": certificate(PRIVATE, "kubernetes", authority=True),
    "/usr/share/doc/openssl/HOWTO": "A key begins with -----BEGIN PRIVATE KEY----- and ends with -----END\n",
    "/usr/lib/python3/pem.py": 'BEGIN = "-----BEGIN RSA PRIVATE KEY-----"\n\ndef load(path):\n    return path\n',
    "/usr/bin/ssh": b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<H", 2) + pem(PRIVATE).encode(),
    "/usr/share/x.gz": b"\x1f\x8b" + pem(PRIVATE).encode(),
    "/etc/kubernetes/admin-readme": "apiVersion: v1\nkind: Config\nusers: []\ncontexts: []\n",
    "/etc/kubernetes/discovery.yaml": kubeconfig("{}"),
    "/var/lib/kube-router/kubeconfig": kubeconfig("tokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token"),
    "/etc/machine-id": "",
    "/etc/hostname": "localhost\n",
    "/etc/hosts": "127.0.0.1 localhost\n::1 localhost ip6-localhost\n10.0.0.11 cp1\n",
    "/etc/ssh/ssh_known_hosts": f"@cert-authority * {USER_CA}\n",
    "/root/.ssh/authorized_keys": f"# {USER_CA}\n",
    "/root/.bash_history": "",
    "/etc/containerd/certs.d/r/hosts.toml": 'server = "https://r"\n[host."https://m"]\n  capabilities = ["pull"]\n',
    "/usr/share/app.js": "s.getElementsByTagNameAndC1x(a);r.AbCdEfGhIjKlMnOpQrStUv12.b",
    "/etc/app.conf": "version = 1.35.4\nmodule = python.configuration1234\ndigest = sha256:" + "0a" * 32 + "\n",
    "/var/lib/containerd/io.containerd.content.v1.content/blobs/sha256/aa": pem(PRIVATE),
    "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/1/fs/etc/ssh/ssh_host_rsa_key": pem(PRIVATE),
    "/proc/1/environ": pem(PRIVATE),
    "/run/secrets/key": pem(PRIVATE),
}
"""What looks like it and is none, and what is not looked at."""
FOLDERS = st.lists(
    st.sampled_from(["etc", "usr", "opt", "srv", "home", "root", "var", "lib", "share", "ssl", "x", ".config", "a b"]),
    min_size=1,
    max_size=5,
).map("/".join)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed worker, with everything that is innocent."""
    root = build(tmp_path_factory.mktemp("clean"))
    seal(root)
    for path, content in INNOCENT.items():
        put(root, path, content)
    return root


def found(root: Path, **more: object) -> list[tuple[str, str]]:
    return [(one.kind, one.path) for one in search(Search(str(root), **more)).findings]  # type: ignore[arg-type]


def test_nothing_is_found_where_nothing_is(clean: Path) -> None:
    assert found(clean, names=["worker9", "10.0.0.19"]) == []


@pytest.mark.parametrize("name", ANYWHERE)
def test_content_is_found_under_any_name(tmp_path: Path, name: str) -> None:
    kind, content = ANYWHERE[name]
    put(tmp_path, "/srv/some/file", content)
    assert (kind, "/srv/some/file") in found(tmp_path)


@pytest.mark.parametrize("name", NAMED)
def test_names_are_found_in_any_folder(tmp_path: Path, name: str) -> None:
    put(tmp_path, f"/opt/x/{name}", "x")
    assert found(tmp_path) == [(NAMED[name], f"/opt/x/{name}")]


@pytest.mark.parametrize("path", PLACED)
def test_places_are_known(tmp_path: Path, path: str) -> None:
    kind, content = PLACED[path]
    put(tmp_path, path, content)
    assert (kind, path) in found(tmp_path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(ANYWHERE)), FOLDERS, st.from_regex(r"[a-z][a-z0-9]{0,8}(\.[a-z]{1,4})?", fullmatch=True))
def test_whatever_is_planted_in_an_image_is_found(clean: Path, name: str, folder: str, file: str) -> None:
    """One thing, anywhere: it and nothing else is found, and it is found by its path."""
    kind, content = ANYWHERE[name]
    planted = put(clean, f"/{folder}/planted/{file}", content)
    try:
        told = found(clean)
    finally:
        shutil.rmtree(planted.parent)
    path = f"/{folder}/planted/{file}"
    assert {where for _kind, where in told} == {path}
    assert (by_name.kind_of(path) or kind, path) in told


def test_every_kind_has_a_case() -> None:
    kinds = {kind for kind, _content in (*ANYWHERE.values(), *PLACED.values())} | set(NAMED.values())
    assert kinds == set(REMEDIES)


def test_a_finding_names_the_line_and_not_the_secret(tmp_path: Path) -> None:
    put(tmp_path, "/srv/a", f"one\ntwo\n{JWT}\n")
    result = search(Search(str(tmp_path)))
    assert result.findings == [Finding("token", "/srv/a", 3)]
    assert JWT not in str(result.error()) + str(result.as_dict())
    assert "SLW-8750 token in the image: /srv/a:3 (remove it, and revoke" in str(result.error())


def test_all_findings_are_told_at_once(tmp_path: Path) -> None:
    for number in range(25):
        put(tmp_path, f"/var/log/{number:02}.log", "x")
    put(tmp_path, "/root/.netrc", "x")
    error = search(Search(str(tmp_path))).error()
    assert [problem.code for problem in error.problems] == ["SLW-8750", "SLW-8750"]
    assert "/var/log/19.log and 5 more" in str(error)


def test_what_is_allowed_is_told_apart(tmp_path: Path) -> None:
    put(tmp_path, "/srv/keys/a", pem(PRIVATE))
    put(tmp_path, "/srv/keys/b", pem(PRIVATE))
    put(tmp_path, "/srv/other", pem(PRIVATE))
    result = search(Search(str(tmp_path), allow=["/srv/keys", "/srv/o*r", "/nowhere"]))
    assert result.findings == []
    assert [one.path for one in result.allowed] == ["/srv/keys/a", "/srv/keys/b", "/srv/other"]
    assert result.unused == ["/nowhere"]
    assert found(tmp_path, allow=["/srv/key"]) != []


def test_former_names_are_whole_words(tmp_path: Path) -> None:
    put(tmp_path, "/etc/a.conf", "node w1\n")
    put(tmp_path, "/etc/b.conf", "node w10, raw1, w1-a and a.w1\n10.0.0.12\n")
    put(tmp_path, "/etc/c.conf", "listen 10.0.0.1:80\n")
    put(tmp_path, "/etc/d.conf", "w1.example.com\n")
    assert found(tmp_path, names=["w1", "10.0.0.1"]) == [("host name", "/etc/a.conf"), ("host name", "/etc/c.conf")]


def test_no_link_is_followed(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    put(outside, "/key", pem(PRIVATE))
    (tmp_path / "folder").symlink_to(outside)
    (tmp_path / "file").symlink_to(outside / "key")
    assert found(tmp_path) == []


def test_only_the_beginning_of_a_large_file_is_read(tmp_path: Path) -> None:
    """What the documentation says is not looked at."""
    put(tmp_path, "/srv/large", b"x\n" * (1 << 20) + pem(PRIVATE).encode())
    put(tmp_path, "/srv/begins", pem(PRIVATE).encode() + b"x\n" * (1 << 20))
    assert found(tmp_path) == [("private key", "/srv/begins")]


def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert found(tmp_path) == []
    assert tree.read(str(tmp_path / "pipe"), 10) == b""


def test_what_is_not_on_the_disk_is_no_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "/mnt/share/key", pem(PRIVATE))
    put(tmp_path, "/mnt/disk/key", pem(PRIVATE))
    there = {"/": "ext4", f"{tmp_path}/mnt/share": "nfs4", f"{tmp_path}/mnt/disk": "xfs"}
    monkeypatch.setattr(tree, "mounts", lambda: there)
    assert found(tmp_path) == [("private key", "/mnt/disk/key")]
