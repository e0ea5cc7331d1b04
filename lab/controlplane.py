# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Command lines of everything that runs in a lab."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from lab.paths import SOURCE

# Everything the API server would dial must lie inside the loopback range, or packets leave the machine.
SERVICE_RANGE = "127.96.0.0/16"
SERVICE_ADDRESS = "127.96.0.1"
# Loopback addresses are refused in EndpointSlices. Neither the API server's proxy nor the kernel opens a connection to
# a multicast address, so simulated pods and nodes have addresses from there: nobody sends them anything by mistake.
POD_RANGE = "239.99.0.0/16"
# Of a killed kwok's nodes the next one takes over only when their leases have ended.
NODE_LEASE_SECONDS = 10

PORTS = (
    "etcd",
    "etcd-peer",
    "apiserver",
    "faults",
    "faults-control",
    "webhook",
    "webhook-control",
    "repo",
    "bao",
    "bao-faults",
    "bao-faults-control",
)
# Of a lab that leaves its cluster to its hosts.
KUBEADM_PORT = "kubeadm"


def etcd(program: str, folder: Path, ports: Mapping[str, int]) -> list[str]:
    pki = folder / "pki"
    client, peer = f"https://127.0.0.1:{ports['etcd']}", f"http://127.0.0.1:{ports['etcd-peer']}"
    return [
        program,
        "--name=lab",
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=lab={peer}",
        "--client-cert-auth",
        f"--trusted-ca-file={pki / 'etcd-ca.crt'}",
        f"--cert-file={pki / 'etcd.crt'}",
        f"--key-file={pki / 'etcd.key'}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def apiserver(program: str, folder: Path, ports: Mapping[str, int]) -> list[str]:
    pki = folder / "pki"
    own = f"https://127.0.0.1:{ports['apiserver']}"
    return [
        program,
        f"--etcd-servers=https://127.0.0.1:{ports['etcd']}",
        f"--etcd-cafile={pki / 'etcd-ca.crt'}",
        f"--etcd-certfile={pki / 'etcd-client.crt'}",
        f"--etcd-keyfile={pki / 'etcd-client.key'}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={ports['apiserver']}",
        "--endpoint-reconciler-type=none",
        f"--tls-cert-file={pki / 'apiserver.crt'}",
        f"--tls-private-key-file={pki / 'apiserver.key'}",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        f"--service-account-key-file={pki / 'service-accounts.pub'}",
        f"--service-account-signing-key-file={pki / 'service-accounts.key'}",
        f"--service-account-issuer={own}",
        # Without it the discovery document names an address of the machine where nothing listens.
        f"--service-account-jwks-uri={own}/openid/v1/jwks",
        f"--api-audiences={own},slipway-lab",
        "--authorization-mode=Node,RBAC",
        "--enable-bootstrap-token-auth",
        "--allow-privileged",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        f"--audit-policy-file={folder / 'audit-policy.yaml'}",
        f"--audit-log-path={folder / 'audit.log'}",
        "--audit-log-maxsize=2000",
        "--profiling=false",
    ]


def controller_manager(program: str, folder: Path) -> list[str]:
    pki = folder / "pki"
    return [
        program,
        *_kubeconfigs(folder / "controller-manager.kubeconfig"),
        f"--service-account-private-key-file={pki / 'service-accounts.key'}",
        f"--root-ca-file={pki / 'ca.crt'}",
        f"--cluster-signing-cert-file={pki / 'ca.crt'}",
        f"--cluster-signing-key-file={pki / 'ca.key'}",
        "--use-service-account-credentials",
        # As kubeadm has it: without these join tokens neither prove the cluster's identity nor end.
        "--controllers=*,bootstrapsigner,tokencleaner",
        # The default limit makes a new cluster wait six seconds for its first ServiceAccount.
        "--kube-api-qps=300",
        "--kube-api-burst=400",
    ]


def scheduler(program: str, folder: Path) -> list[str]:
    return [
        program,
        *_kubeconfigs(folder / "scheduler.kubeconfig"),
        "--kube-api-qps=300",
        "--kube-api-burst=400",
    ]


def kwok(program: str, folder: Path) -> list[str]:
    stages = sorted((SOURCE / "stages").glob("*.yaml"))
    return [
        program,
        f"--kubeconfig={folder / 'kwok.kubeconfig'}",
        "--manage-all-nodes=true",
        f"--cidr={POD_RANGE}",
        f"--node-lease-duration-seconds={NODE_LEASE_SECONDS}",
        *(f"--config={stage}" for stage in stages),
        "--v=WARN",
    ]


def faults(folder: Path, ports: Mapping[str, int]) -> list[str]:
    return _faults(folder, ports, "faults", "apiserver", "kubernetes")


def bao_faults(folder: Path, ports: Mapping[str, int]) -> list[str]:
    return _faults(folder, ports, "bao-faults", "bao", "bao")


def webhook(folder: Path, ports: Mapping[str, int]) -> list[str]:
    return [
        *_module("webhook"),
        f"--listen={ports['webhook']}",
        f"--control={ports['webhook-control']}",
        f"--pki={folder / 'pki'}",
    ]


def repo(folder: Path, ports: Mapping[str, int]) -> list[str]:
    return [
        *_module("repo"),
        f"--listen={ports['repo']}",
        f"--folder={folder / 'repo'}",
        f"--credentials={folder / 'repo-credentials'}",
    ]


def kubeadm(folder: Path, ports: Mapping[str, int]) -> list[str]:
    return [*_module("kubeadm"), f"--listen={ports[KUBEADM_PORT]}", f"--folder={folder}"]


def _faults(folder: Path, ports: Mapping[str, int], name: str, upstream: str, dialect: str) -> list[str]:
    return [
        *_module("faults"),
        f"--listen={ports[name]}",
        f"--control={ports[f'{name}-control']}",
        f"--upstream={ports[upstream]}",
        f"--dialect={dialect}",
        f"--pki={folder / 'pki'}",
    ]


def _kubeconfigs(path: Path) -> list[str]:
    flags = ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
    # Port 0: no listener at all. A single replica needs no leader.
    return [*(f"--{flag}={path}" for flag in flags), "--leader-elect=false", "--secure-port=0"]


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", f"lab.{name}"]
