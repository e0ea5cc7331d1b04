# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Command line of the lab: ``python3 -m lab up | down | status | env | build | nodes | hosts | inventory | demo …``."""

from __future__ import annotations

import argparse
import sys

from lab import binaries, cluster, demo, paths, report, sshd, state
from lab.errors import LabError
from lab.hosts import commands, manage


def main() -> int:
    """Run one command; 0 when it worked, 1 when not, 3 when ``status`` finds no running lab."""
    options = _parser().parse_args()
    try:
        return _run(options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace) -> int:
    match options.command:
        case "build":
            for name, path in binaries.ensure_all(_say).items():
                print(f"{name:<24} {path}")
            print(f"{'sshd':<24} {sshd.find(_say).where}")
        case "up":
            current = cluster.up(
                options.name, options.nodes, audit_bodies=options.audit, empty=options.no_cluster, say=_say
            )
            print(report.summary(current))
        case "down":
            print(f"lab {options.name}: {'stopped, nothing left' if cluster.down(options.name) else 'was not there'}")
        case "nodes":
            change = cluster.scale(options.name, options.count)
            print(f"lab {options.name}: {options.count} nodes Ready ({change:+d})")
        case "restart-apiserver":
            cluster.restart_apiserver(options.name, pause=options.pause, kill=options.kill)
            print(f"lab {options.name}: API server restarted")
        case "env":
            cluster.require_running(options.name)
            print((paths.lab_dir(options.name) / report.ENV_FILE).read_text(), end="")
        case "demo":
            demo.run(keep=options.keep, say=_say)
        case "status":
            return _status(options.name)
        case _:
            commands.run(options, _say)
    return 0


def _status(name: str) -> int:
    current = state.load(paths.lab_dir(name))
    if current is None:
        print(f"lab {name} is not there")
        return 3
    print(report.status(current))
    for line in manage.status(name):
        print(f"  {line}")
    return 0 if current.running() else 3


def _say(line: str) -> None:
    print(f"lab: {line}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m lab", description=__doc__)
    parsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        added = parsers.add_parser(name, help=text, description=text)
        added.add_argument("--name", default="default", help="which lab (default: %(default)s)")
        return added

    starting = command("up", "start the lab, or keep it when it runs")
    starting.add_argument("--nodes", type=int, metavar="N", help="number of nodes, 1 to 1000 (3 for a new lab)")
    starting.add_argument("--audit", action="store_true", help="log request bodies too (a new lab only)")
    starting.add_argument("--no-cluster", action="store_true", help="leave the cluster to kubeadm on hosts (a new lab)")
    command("down", "stop the lab and remove its files")
    command("status", "show processes and nodes; exit status 3 when it does not run")
    command("env", "print addresses, files and programs as JSON")
    scaling = command("nodes", "add or remove simulated nodes")
    scaling.add_argument("count", type=int, metavar="N", help="wanted number, 1 to 1000")
    restarting = command("restart-apiserver", "stop the API server and start it again")
    restarting.add_argument("--pause", type=float, default=0.0, metavar="SECONDS", help="stay away for so long")
    restarting.add_argument("--kill", action="store_true", help="kill it instead of stopping it")
    commands.add_parsers(command)
    showing = parsers.add_parser("demo", help="install, change and remove a dozen add-ons on a lab of its own")
    showing.add_argument("--keep", action="store_true", help="end before the removal and leave the lab up")
    parsers.add_parser("build", help="make the programs that the cache lacks")
    return parser


if __name__ == "__main__":
    sys.exit(main())
