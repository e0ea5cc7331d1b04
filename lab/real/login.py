# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Logins to the hosts: by certificates of an OpenBao in the lab's network, or by a key for Kubespray alone.

``python3 -m lab.real.login ORDER FOLDER …`` is what talks to OpenBao; it has to run in that network.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from lab import authority, bao, binaries, cache, paths, procs
from lab.authority import Authority
from lab.bao import Bao
from lab.cache import Say
from lab.errors import LabError
from lab.hosts import keys
from lab.paths import REPOSITORY
from lab.real import network
from lab.real.model import Host, Run

PORT = 8200
ADDRESS = f"http://{bao.HOST}:{PORT}"
NAME = "real"
PRINCIPAL = f"slipway-{NAME}"
HOST_KEY = "etc/ssh/ssh_host_ed25519_key"
TOKEN, TRUSTED = "bao-token", "authority.json"
TRUST = """TrustedUserCAKeys /etc/ssh/lab_user_ca.pub
AuthorizedPrincipalsFile /etc/ssh/lab_principals
HostCertificate /etc/ssh/ssh_host_ed25519_key-cert.pub
"""
PATIENCE = 20.0


def by_key(run: Run) -> None:
    """Make the key that logs in to hosts without an authority."""
    keys.write(run.folder / "key", keys.generate("ed25519"), run.folder.name)


def by_certificates(run: Run, say: Say) -> None:
    """Start OpenBao in the lab's network, with what it takes to sign for users and hosts."""
    if run.server is None:
        raise LabError("the lab has no network")
    unit, build = binaries.openbao()
    program = cache.ensure(cache.cache_root(), unit, build, say) / "bao"
    bao.write_config(run.folder, PORT)
    command = [*network.enter(run.server), *bao.command(str(program), run.folder)]
    procs.spawn("bao", command, run.folder / "bao.log", run.folder, {"PATH": "/usr/bin:/bin"})
    _order(run, "begin")


def files(run: Run, host: Host, public_key: str) -> dict[str, str]:
    """What a host has from its image on, by path: whom it trusts, and its own certificate or the key of the run."""
    if not (run.folder / TRUSTED).exists():
        return {"root/.ssh/authorized_keys": (run.folder / "key.pub").read_text()}
    signed = _order(run, "sign", public_key, host.name, host.address)
    return {
        "etc/ssh/lab_user_ca.pub": json.loads((run.folder / TRUSTED).read_text())["user_ca"] + "\n",
        "etc/ssh/lab_principals": f"{PRINCIPAL}\n",
        "etc/ssh/ssh_host_ed25519_key-cert.pub": signed,
        "etc/ssh/sshd_config.d/trust.conf": TRUST,
    }


def known_hosts(run: Run, hosts: list[Host]) -> str:
    """Their keys, where the hosts have no certificates."""
    if (run.folder / TRUSTED).exists():
        return ""
    return "".join(f"{host.address} {(run.root(host.name) / f'{HOST_KEY}.pub').read_text()}" for host in hosts)


def variables(run: Run) -> dict[str, Any]:
    """What the inventory says about logins."""
    if not (run.folder / TRUSTED).exists():
        return {"ansible_ssh_private_key_file": str(run.folder / "key")}
    told = json.loads((run.folder / TRUSTED).read_text())
    method = {"method": "approle", "role_id": told["role_id"]}
    return {
        "slipway_ssh": {
            "provider": "openbao",
            "ttl": "2m",
            "host_check": "enforce",
            "host_ca": told["host_ca"],
            "openbao": {"address": ADDRESS, "role": authority.ROLE, "auth": method},
        }
    }


def credential(run: Run) -> dict[str, str]:
    """Environment of one run of Ansible: a secret that serves once."""
    return {"SLIPWAY_SECRET_ID": _order(run, "secret").strip()} if (run.folder / TRUSTED).exists() else {}


def _order(run: Run, *words: str) -> str:
    if run.server is None:
        raise LabError("the lab has no network")
    order, *more = words
    command = [sys.executable, "-m", "lab.real.login", order, str(run.folder), *more]
    return network.run([*network.enter(run.server), "env", f"PYTHONPATH={REPOSITORY}", *command])


def _begin(folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not Bao(ADDRESS).answers():
        if time.monotonic() > deadline:
            raise LabError(f"OpenBao does not answer: {(folder / 'bao.log').read_text().strip()}")
        time.sleep(0.05)
    token, _key = bao.initialise(PORT)
    paths.write_private(folder / TOKEN, token)
    made = authority.prepare(Bao(ADDRESS, token), PRINCIPAL)
    role, _secret = made.app_role()
    told = {"user_ca": made.user_ca, "host_ca": made.host_ca, "role_id": role}
    (folder / TRUSTED).write_text(json.dumps(told) + "\n")


def main() -> None:
    """Carry out one order."""
    order, place, *more = sys.argv[1:]
    folder = Path(place)
    if order == "begin":
        _begin(folder)
        return
    told = json.loads((folder / TRUSTED).read_text())
    made = Authority(Bao(ADDRESS, (folder / TOKEN).read_text()), told["user_ca"], told["host_ca"])
    print(made.app_role()[1] if order == "secret" else made.sign_host(more[0], more[1:]))


if __name__ == "__main__":
    main()
