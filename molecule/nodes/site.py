# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A lab of the scenario's own, without a cluster, and the inventory of its hosts: ``site.py up|down FOLDER``."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from lab import authority  # noqa: E402 - the lab is no installed package
from lab.hosts import inventory, manage  # noqa: E402

NAME = "molecule"
HOSTS = ("control1", "worker1", "worker2")
LATER = "worker2"


def lab(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "lab", *words, "--name", NAME], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def env() -> dict[str, Any]:
    return dict(json.loads(lab("env")))


def write(folder: Path, *names: str) -> None:
    """The user's inventory."""
    told, hosts = env(), manage.find(NAME)
    variables = {
        "slipway_name": "nodes",
        "slipway_ssh": {
            "provider": "openbao",
            "principals": [authority.principal(told)],
            "ttl": "5m",
            "host_check": "enforce",
            "openbao": {
                "address": told["bao_address"],
                "role": authority.ROLE,
                "auth": {"method": "token", "token_file": str(Path(told["state_dir"]) / "molecule.token")},
            },
        },
        "slipway_api_forward": True,
        "slipway_cache_dir": f"{told['state_dir']}/cache",
        # The lab has one disk, and no etcd of a host's own.
        "slipway_etcd_snapshots": 0,
        # Nobody is there to answer a drain's wait.
        "drain_grace_period": 1,
        "drain_timeout": "30s",
        "slipway_helm": told["bin"]["helm"],
        "slipway_addons": {
            "sized": {
                "namespace": "sized",
                "objects": [
                    {
                        "apiVersion": "v1",
                        "kind": "ConfigMap",
                        "metadata": {"name": "size"},
                        "data": {"workers": "{{ slipway_nodes.workers | string }}"},
                    }
                ],
            }
        },
    }
    inventory.write_cluster(folder, [hosts[name] for name in names], variables)


def up(folder: Path) -> None:
    lab("up", "--no-cluster")
    lab("machines", "1", "2")
    token = authority.set_up(env()).token()
    file = Path(env()["state_dir"]) / "molecule.token"
    file.touch(mode=0o600)
    file.write_text(token, encoding="utf-8")
    write(folder, *(name for name in HOSTS if name != LATER))


def main() -> None:
    verb, folder = sys.argv[1:]
    if verb == "up":
        up(Path(folder))
    else:
        lab("down")
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
