# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""``python -m benchmarks.ssh``: what a login costs with a session's agent, beside OpenSSH's own with a plain key.

Both by turns, against the same hosts of one lab: as many connections as hosts, some at a time, each a whole
``ssh HOST true`` without multiplexing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.slipway.cluster.plugins.module_utils.session import launch, settings
from benchmarks.results import machine
from lab import authority, cluster, paths, report
from lab.hosts import manage
from lab.hosts.model import Host

NAME = "bench-ssh"
HOSTS = 200
AT_ONCE = 20
BLOCK = 40
ROUNDS = 5
GOAL = 1.1
OURS, STOCK = "session", "ssh-agent, plain key"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ssh", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds (default: %(default)s)")
    rounds = parser.parse_args().rounds
    cluster.up(NAME, 1, audit_bodies=False, say=_say)
    try:
        hosts = manage.add_many(NAME, (f"many-{n}" for n in range(HOSTS)), say=_say)
        env = json.loads((paths.lab_dir(NAME) / report.ENV_FILE).read_text(encoding="utf-8"))
        with (
            tempfile.TemporaryDirectory(prefix="bench-") as folder,
            _session(env) as ours,
            _stock(Path(folder), hosts[0]) as stock,
        ):
            samples = measure({OURS: ours, STOCK: stock}, hosts, rounds)
    finally:
        cluster.down(NAME)
    _show(samples)
    return 0


def measure(agents: dict[str, Path], hosts: list[Host], rounds: int) -> dict[str, list[float]]:
    """Milliseconds for a connection, by round, for each agent.

    A round goes by blocks of hosts, each by all agents one after another, who begins changing from block to block: what
    else the machine does falls on all of them.

    :raises SystemExit: when a login fails.
    """
    samples: dict[str, list[float]] = {who: [] for who in agents}
    for agent in agents.values():
        _connect(agent, hosts[:AT_ONCE])
    order = list(agents)
    blocks = [hosts[at : at + BLOCK] for at in range(0, len(hosts), BLOCK)]
    for number in range(rounds):
        taken = dict.fromkeys(agents, 0.0)
        for at, block in enumerate(blocks, number):
            for who in order if at % 2 else order[::-1]:
                began = time.monotonic()
                _connect(agents[who], block)
                taken[who] += time.monotonic() - began
        for who, seconds in taken.items():
            samples[who].append(seconds / len(hosts) * 1000)
        shown = ", ".join(f"{who} {times[-1]:.1f} ms" for who, times in samples.items())
        _say(f"round {number + 1} of {rounds}: {shown}")
    return samples


def _connect(agent: Path, hosts: list[Host]) -> None:
    env = {"PATH": os.environ["PATH"], "SSH_AUTH_SOCK": str(agent)}
    options = ["-F", "none", "-n", "-o", "BatchMode=yes", "-o", "ControlMaster=no"]
    options += ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]

    def login(host: Host) -> None:
        command = ["ssh", *options, "-p", str(host.port), f"{host.user}@{host.address}", "true"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{host.name}: {done.stderr.strip()}")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(login, hosts))


@contextmanager
def _session(env: dict[str, str]) -> Iterator[Path]:
    """An agent as a run starts it, with every host's certificate checked."""
    options = {"address": env["bao_address"], "role": authority.ROLE, "auth": {"method": "token"}}
    wanted = {"provider": "openbao", "host_check": "enforce", "principals": authority.principal(env)}
    found, problems = settings.read({**wanted, "openbao": options}, "", Path())
    if problems:
        raise SystemExit(f"settings: {problems}")
    running = launch.start(found, {"token": authority.get(env).token()})
    with _ended(running.process):
        yield running.socket


@contextmanager
def _stock(folder: Path, host: Host) -> Iterator[Path]:
    """OpenSSH's agent with a key that the hosts know by itself."""
    key, address = folder / "id", folder / "agent"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    known = Path(host.folder) / "home" / host.user / ".ssh" / "authorized_keys"
    paths.write_private(known, key.with_suffix(".pub").read_text(encoding="utf-8"))
    process = subprocess.Popen(["ssh-agent", "-D", "-a", address], stdout=subprocess.DEVNULL, text=True)
    with _ended(process):
        _until(address.exists)
        env = {**os.environ, "SSH_AUTH_SOCK": str(address)}
        subprocess.run(["ssh-add", "-q", key], env=env, check=True)
        yield address


@contextmanager
def _ended(process: subprocess.Popen[str] | None) -> Iterator[None]:
    try:
        yield
    finally:
        if process is not None:
            process.terminate()
            process.wait(10)


def _until(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not there():
        if time.monotonic() > deadline:
            raise SystemExit("ssh-agent does not start")
        time.sleep(0.05)


def ratio(samples: dict[str, list[float]]) -> float:
    """Our time of theirs, the median of all rounds: in each of them both had the same share of the machine."""
    return statistics.median(ours / stock for ours, stock in zip(samples[OURS], samples[STOCK], strict=True))


def _show(samples: dict[str, list[float]]) -> None:
    about = machine()
    print(f"\n{HOSTS} hosts, {AT_ONCE} at once, {about['cores']} cores; milliseconds for a connection")
    for who, times in samples.items():
        print(f"{who:<22} {statistics.median(times):6.1f} ({min(times):.1f} to {max(times):.1f}), {len(times)} rounds")
    reached = ratio(samples)
    print(f"ratio: {reached:.3f}; goal: at most {GOAL}: {'met' if reached <= GOAL else 'missed'}")


_began = time.monotonic()


def _say(line: str) -> None:
    print(f"[{time.monotonic() - _began:5.0f} s] {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
