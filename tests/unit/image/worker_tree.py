# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A folder that holds what a worker's root file system does: a system in use, Kubespray's files, a node's identity.

Kubespray's part is written after its templates of v2.31.0, by what they say and not by how they say it.
"""

from __future__ import annotations

import base64
import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME, ADDRESS, TOKEN = "worker9", "10.0.0.19", "abcdef.0123456789abcdef"
CA_HASH = "sha256:" + "5a" * 32
USER_CA = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMOZapL59SiCB9KInIqVi/mT0UEJiKF/n1BMVPiLzhxT authority"
USER_CA_PRINT = "SHA256:L2x0LHklUZAoUuthymWIZZARwLvIIFIp5hWlAvJ56ok"
BACKUP = ".4242.2026-04-24@10:11:12~"

RENDERED = {
    "/etc/kubernetes/kubeadm-client.conf": (
        0o640,
        f"""---
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken:
    apiServerEndpoint: "10.0.0.11:6443"
    token: {TOKEN}
    caCertHashes:
    - {CA_HASH}
  tlsBootstrapToken: {TOKEN}
timeouts:
  discovery: 60s
caCertPath: /etc/kubernetes/ssl/ca.crt
nodeRegistration:
  name: '{NAME}'
  criSocket: unix:///var/run/containerd/containerd.sock
""",
    ),
    "/etc/kubernetes/kubelet.env": (
        0o600,
        f"""KUBE_LOG_LEVEL="--v=2"
KUBELET_ADDRESS="--node-ip={ADDRESS}"
KUBELET_HOSTNAME="--hostname-override={NAME}"

KUBELET_ARGS="--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf \\
--config=/etc/kubernetes/kubelet-config.yaml \\
--kubeconfig=/etc/kubernetes/kubelet.conf \\
--runtime-cgroups=/system.slice/containerd.service \\
 "
KUBELET_CLOUDPROVIDER=""

PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
""",
    ),
    "/etc/kubernetes/kubelet-config.yaml": (
        0o600,
        f"""apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  x509:
    clientCAFile: /etc/kubernetes/ssl/ca.crt
staticPodPath: /etc/kubernetes/manifests
containerRuntimeEndpoint : unix:///var/run/containerd/containerd.sock
address: "{ADDRESS}"
healthzBindAddress: "127.0.0.1"
clusterDNS:
- 10.233.0.3
""",
    ),
    # Hardened units allow the addresses of all nodes.
    "/etc/systemd/system/kubelet.service": (
        0o600,
        f"""[Unit]
After=containerd.service

[Service]
EnvironmentFile=-/etc/kubernetes/kubelet.env
ExecStart=/usr/local/bin/kubelet $KUBELET_ADDRESS $KUBELET_HOSTNAME $KUBELET_ARGS
IPAddressDeny=any
IPAddressAllow=10.0.0.11 10.0.0.1 10.0.0.190 {ADDRESS} 10.233.64.0/18

[Install]
WantedBy=multi-user.target
""",
    ),
}
"""What becomes templates: path to mode and content."""

KEPT = {
    "/etc/kubernetes/manifests/nginx-proxy.yml": "kind: Pod\nmetadata: {name: nginx-proxy}\n",
    "/etc/nginx/nginx.conf": "stream { upstream kube_apiserver { server 10.0.0.11:6443; } }\n",
    "/etc/containerd/config.toml": 'version = 3\nroot = "/var/lib/containerd"\n',
    "/etc/ssh/slipway/user_ca.pub": f"# Written by slipway.cluster.ssh_trust: changes are lost.\n{USER_CA}\n",
    "/etc/ssh/sshd_config.d/10-slipway.conf": "HostCertificate /etc/ssh/slipway/host-cert.pub\n",
    "/etc/os-release": 'ID=debian\nVERSION_ID="12"\n',
    "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\nops:x:1000:1000::/home/ops:/bin/bash\n",
    "/usr/local/bin/kubelet": "a kubelet\n",
    "/usr/local/bin/kubeadm": "a kubeadm\n",
    "/usr/local/bin/containerd": "a containerd\n",
    "/opt/cni/bin/loopback": "a plugin\n",
    "/var/lib/containerd/io.containerd.content.v1.content/blobs/sha256/aa": "a layer with -----BEGIN words-----\n",
    "/root/.bashrc": "alias ll='ls -l'\n",
    "/root/.ssh/config": "Host *\n  ForwardAgent no\n",
}
"""What stays as it is, byte for byte."""

HOSTS = f"""127.0.0.1 localhost
127.0.1.1 {NAME}.example.com {NAME}
# Ansible inventory hosts BEGIN
10.0.0.11 cp1.cluster.local cp1
{ADDRESS} {NAME}.cluster.local {NAME}
10.0.0.190 {NAME}0.cluster.local {NAME}0
# Ansible inventory hosts END
"""


def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def pem(private: ec.EllipticCurvePrivateKey, kind: str = "pkcs8") -> str:
    forms = {
        "pkcs8": serialization.PrivateFormat.PKCS8,
        "sec1": serialization.PrivateFormat.TraditionalOpenSSL,
        "openssh": serialization.PrivateFormat.OpenSSH,
    }
    return private.private_bytes(serialization.Encoding.PEM, forms[kind], serialization.NoEncryption()).decode()


def certificate(private: ec.EllipticCurvePrivateKey, name: str, *, authority: bool) -> str:
    """Self-signed, as PEM: an authority's, or a client's."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    day = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(day)
        .not_valid_after(day + datetime.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    return builder.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def kubeconfig(user: str) -> str:
    return f"""apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority-data: {base64.b64encode(b"an authority").decode()}
    server: https://127.0.0.1:6443
  name: cluster.local
contexts:
- context: {{cluster: cluster.local, user: me}}
  name: me
current-context: me
users:
- name: me
  user:
    {user}
"""


def put(root: Path, path: str, content: str | bytes, mode: int = 0o644) -> Path:
    file = root / path[1:]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    file.chmod(mode)
    return file


def gone() -> dict[str, str | bytes]:
    """What a worker in use has, and an image must not: path to content."""
    private = key()
    identity = pem(private) + certificate(private, f"system:node:{NAME}", authority=False)
    return {
        "/etc/kubernetes/kubelet.conf": kubeconfig("client-key: /var/lib/kubelet/pki/kubelet-client-current.pem"),
        f"/etc/kubernetes/kubelet.conf{BACKUP}": kubeconfig(f"token: {TOKEN}"),
        f"/etc/kubernetes/kubeadm-client.conf{BACKUP}": f"token: {TOKEN}\n",
        f"/etc/kubernetes/kubelet.env{BACKUP}": f'KUBELET_ADDRESS="--node-ip={ADDRESS}"\n',
        "/etc/kubernetes/ssl/ca.crt": certificate(private, "kubernetes", authority=True),
        f"/etc/ssl/etcd/ssl/node-{NAME}-key.pem": pem(private, "sec1"),
        f"/etc/ssl/etcd/ssl/node-{NAME}.pem": certificate(private, "etcd", authority=False),
        "/etc/cni/net.d/10-calico.conflist": '{"plugins": [{"type": "calico"}]}',
        "/etc/cni/net.d/calico-kubeconfig": kubeconfig("token: eyJhbGciOi.eyJpc3MiOi.c2lnbmF0dXJl"),
        "/var/lib/kubelet/pki/kubelet-client-2026-04-24-10-11-12.pem": identity,
        "/var/lib/kubelet/pods/4711/volumes/kubernetes.io~secret/db/password": "secret",
        "/var/lib/kubelet/config.yaml": "kind: KubeletConfiguration\n",
        "/var/lib/cni/results/cni-loopback": "{}",
        "/var/lib/calico/nodename": NAME,
        "/var/log/pods/default_web_1/web/0.log": "a log\n",
        "/var/log/journal/0123/system.journal": b"LPKSHHRH\0\0",
        "/var/log/auth.log": "Accepted publickey for root\n",
        "/var/log/kubernetes/audit/a.log": "{}\n",
        "/etc/ssh/ssh_host_ed25519_key": pem(private, "openssh"),
        "/etc/ssh/ssh_host_ed25519_key.pub": f"{USER_CA}\n",
        "/etc/ssh/slipway/host-cert.pub": "ssh-ed25519-cert-v01@openssh.com AAAA\n",
        "/root/.ssh/authorized_keys": f"{USER_CA}\n",
        "/root/.ssh/known_hosts": f"10.0.0.11 {USER_CA}\n",
        "/root/.ssh/id_ed25519": pem(private, "openssh"),
        "/root/.bash_history": "kubeadm join\n",
        "/root/.kube/config": kubeconfig(f"client-key-data: {base64.b64encode(pem(private).encode()).decode()}"),
        "/root/.ansible/tmp/ansible-tmp-1/AnsiballZ_setup.py": "print()\n",
        "/home/ops/.python_history": "import os\n",
        "/home/ops/.ssh/authorized_keys": f"{USER_CA}\n",
        "/home/ops/.netrc": "machine example.com login me password x\n",
        "/home/ops/.vault-token": "s.AbCdEfGhIjKlMnOpQrStUv12",
        "/var/lib/dhcp/dhclient.eth0.leases": "lease { }\n",
        "/var/lib/systemd/random-seed": b"\1\2\3",
        "/var/lib/cloud/instances/i-1/user-data.txt": "#cloud-config\n",
        "/var/lib/slipway/ssh_static_keys/root": f"{USER_CA}\n",
        "/etc/udev/rules.d/70-persistent-net.rules": 'SUBSYSTEM=="net"\n',
        "/tmp/releases/kubelet": "a kubelet\n",
        "/var/tmp/notes": "notes\n",
        "/var/lib/dbus/machine-id": "0123456789abcdef0123456789abcdef\n",
    }


CHANGED: dict[str, str] = {
    "/etc/machine-id": "0123456789abcdef0123456789abcdef\n",
    "/etc/hostname": f"{NAME}\n",
    "/etc/hosts": HOSTS,
    "/etc/iscsi/initiatorname.iscsi": "InitiatorName=iqn.2026-04.org.example:0123\n",
}
"""What stays, and says something else."""


def build(root: Path) -> Path:
    """The whole of it."""
    for path, (mode, content) in RENDERED.items():
        put(root, path, content, mode)
    for path, text in (KEPT | CHANGED).items():
        put(root, path, text)
    for path, anything in gone().items():
        put(root, path, anything)
    (root / "etc/systemd/system/multi-user.target.wants").mkdir()
    (root / "etc/systemd/system/multi-user.target.wants/kubelet.service").symlink_to("../kubelet.service")
    (root / "etc/kubernetes/pki").symlink_to("/etc/kubernetes/ssl")
    (root / "var/lib/kubelet/pki/kubelet-client-current.pem").symlink_to("kubelet-client-2026-04-24-10-11-12.pem")
    (root / "var/log/containers").mkdir()
    (root / "var/log/containers/web.log").symlink_to("/var/log/pods/default_web_1/web/0.log")
    return root
