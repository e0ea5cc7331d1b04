# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""``python3 -m lab hosts | sshd | power | inventory``."""

from __future__ import annotations

import argparse
import json
from itertools import islice
from pathlib import Path
from typing import Any

from lab import cluster, kubernetes, paths
from lab.binaries import KUBERNETES
from lab.cache import Say
from lab.errors import LabError
from lab.hosts import inventory, manage, model
from lab.nodes import enrol

CALLS = "kubespray.jsonl"
PREFIXES = {"trusted": "node"}
FAULTS = ("never-asks", "never-registers", "never-ready")


def run(options: argparse.Namespace, say: Say) -> None:
    """Do what the parsed command says, and print what came of it.

    :raises LabError: when it cannot be done.
    """
    match options.command:
        case "hosts":
            _hosts(options, say)
        case "sshd":
            host = manage.find(options.name).get(options.host)
            if host is None:
                raise LabError(f"lab {options.name} has no host {options.host}")
            active = manage.order(host, options.order)
            print(f"{host.name}: sshd is {'active' if active else 'inactive'}")
        case "power":
            manage.power(options.name, options.host, options.switch, say=say)
            print(f"{options.host}: {'off' if options.switch == 'off' else 'on'}")
        case "inventory":
            target = options.target or paths.lab_dir(options.name) / "inventory"
            print(inventory.write(target, manage.find(options.name).values()))
        case "machines":
            _machines(options, say)
        case "enrol":
            _enrol(options)
        case "image-machine":
            _image_machines(options)


def _hosts(options: argparse.Namespace, say: Say) -> None:
    kind = options.kind
    if kind == "many":
        hosts = manage.add_many(options.name, (f"many-{n}" for n in range(options.count)), say=say)
        print(f"{len(hosts)} addresses, {hosts[0].address} to {hosts[-1].address}, port {hosts[0].port}")
        return
    prefix = options.prefix or PREFIXES.get(kind, kind)
    names = [f"{prefix}-{number}" for number in range(1, options.count + 1)]
    leading = options.control_planes if kind in ("trusted", "bare") else 0
    added = manage.add(options.name, names, kind, key_type=options.key, control_planes=leading, say=say)
    for host in added:
        print(f"{host.name:<16} {host.address:<16} {host.port:<6} {host.kind:<8} {host.log}")


def _machines(options: argparse.Namespace, say: Say) -> None:
    """Machines of a cluster to be: the workers in this order of kinds."""
    name = options.name
    leading = [f"control{number}" for number in range(1, options.control_planes + 1)]
    numbers = iter(range(1, options.workers + options.counted + options.dead + 1))

    def take(count: int) -> list[str]:
        return [f"worker{number}" for number in islice(numbers, count)]

    known = manage.find(name)
    if options.counted and (counted := [one for one in take(options.counted) if one not in known]):
        manage.add_many(name, counted, say=say)
    if options.dead:
        manage.add(name, take(options.dead), "dead", say=say)
    manage.add(name, [*leading, *take(options.workers)], control_planes=len(leading), say=say)
    folder = paths.lab_dir(name)
    target = options.target or folder / "inventory"
    variables = {"lab_calls": str(folder / CALLS)}
    print(inventory.write_cluster(target, manage.find(name).values(), variables))


def _enrol(options: argparse.Namespace) -> None:
    """Nodes for the hosts that nothing can be run on: they are there already, whatever made them."""
    folder = paths.lab_dir(options.name)
    current = cluster.require_running(options.name)
    if not kubernetes.runs(current):
        raise LabError(f"lab {options.name} has no cluster yet")
    hosts = [host for host in manage.find(options.name).values() if host.kind in ("many", "dead")]
    addresses = {host.name: host.address for host in hosts}
    made = enrol(current.ports["apiserver"], folder / "pki", addresses, options.version)
    print(f"lab {options.name}: {made} nodes for hosts that stay out of reach")


def _image_machines(options: argparse.Namespace) -> None:
    """One machine for each file of user-data, all at once; each keeps its files from one boot to the next."""
    # Here and not above: loading the cryptography library takes longer than any other command of the lab.
    from lab.kubeadm import image_machine

    home = paths.lab_dir(options.name) / "image-machines"
    cluster.require_running(options.name)
    machines = []
    for file in options.files:
        folder = home / file.name.partition(".")[0]
        folder.mkdir(parents=True, exist_ok=True)
        machine = image_machine.Machine(
            folder, options.image, options.version, options.fault, options.within, options.seconds
        )
        machines.append((machine, file.read_text()))
    done = image_machine.boot_all(machines)
    for one in done:
        print(json.dumps(one))
    problems = [f"{one['name']}: {one['problem']}" for one in done if "problem" in one]
    if problems:
        raise LabError("; ".join(problems))


def add_parsers(command: Any) -> None:
    """Describe the commands; ``command`` makes a parser from name and text."""
    hosts = command("hosts", "start sshd hosts, or keep those that run")
    hosts.add_argument("count", type=int, metavar="N", help="how many: NAME-1 to NAME-N, 1 to 250")
    for kind, text in (
        ("bare", "know the lab's static key only"),
        ("rogue", "their host key is certified by nobody"),
        ("foreign", "their host key is certified by another authority"),
        ("dead", "nobody listens at their addresses"),
        ("silent", "they take connections and never answer"),
        ("many", "N addresses of one machine, 1 to 2000"),
    ):
        hosts.add_argument(f"--{kind}", dest="kind", action="store_const", const=kind, default="trusted", help=text)
    hosts.add_argument("--prefix", metavar="NAME", help="first part of the names (node, or the kind)")
    hosts.add_argument("--key", choices=model.KEY_TYPES, default="ed25519", help="type of the host key")
    hosts.add_argument("--control-planes", type=int, default=1, metavar="N", help="so many of them (default: 1)")
    sshd = command("sshd", "give an order to a host's sshd")
    sshd.add_argument("host")
    sshd.add_argument("order", choices=manage.ORDERS)
    power = command("power", "switch a host's machine off, suddenly, or on")
    power.add_argument("host")
    power.add_argument("switch", choices=manage.SWITCHES)
    machines = command("machines", "start a cluster's hosts, control1 … and worker1 …, and write an inventory")
    machines.add_argument("control_planes", type=int, metavar="CONTROL_PLANES", help="how many")
    machines.add_argument("workers", type=int, metavar="WORKERS", help="how many with a machine of their own")
    machines.add_argument("--counted", type=int, default=0, metavar="N", help="N workers before them share a machine")
    machines.add_argument("--dead", type=int, default=0, metavar="N", help="nobody listens at N workers before them")
    machines.add_argument("target", nargs="?", type=Path, metavar="FOLDER", help="of the inventory (the lab's folder)")
    enrolling = command("enrol", "make nodes of the counted and dead workers in the cluster, at once")
    enrolling.add_argument("--version", default=KUBERNETES.removeprefix("v"), help="of their kubelets (%(default)s)")
    imaged = command(
        "image-machine", "boot machines of an image with their user-data, so that they join; a line of JSON each"
    )
    imaged.add_argument("files", nargs="+", type=Path, metavar="FILE", help="user-data of one machine, named after it")
    imaged.add_argument("--image", default="", metavar="DIGEST", help="of the image's manifest (default: any)")
    imaged.add_argument("--version", default=KUBERNETES.removeprefix("v"), help="of their kubelets (%(default)s)")
    imaged.add_argument("--fault", default="", choices=FAULTS, help="how far they come")
    imaged.add_argument(
        "--seconds", type=float, default=0.0, help="from power on until user-data is read (%(default)s)"
    )
    imaged.add_argument("--within", type=float, default=60.0, metavar="SECONDS", help="wait so long for a certificate")
    listing = command("inventory", "write an Ansible inventory of all hosts")
    listing.add_argument("target", nargs="?", type=Path, metavar="FOLDER", help="where to (the lab's folder)")
