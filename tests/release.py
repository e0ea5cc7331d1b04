# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""``python -m tests.release 1.2.0``: changelog, artifact, its check, commit and tag. Nothing leaves the machine.

What is wrong is told at once, before anything is touched; what fails later leaves the checkout as it was.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import yaml
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests import packaging, run
from tests.packaging import ROOT

FOLDER = ROOT / ".build" / "release"
BRANCH = "main"
# SemVer, as Galaxy wants it, without build metadata, which nobody can order.
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(alpha|beta|rc)\.?\d+)?")
# Whoever installs Slipway by one of these gets a version in their range.
RANGES = ("requirements.yml", "roles/new_cluster/files/project/collections/requirements.yml")
CHECKS = ("tests/unit/packaging", "tests/contract/test_clean_room.py")


@dataclass(frozen=True)
class Checkout:
    """What decides whether a version can be released; ``ranges``: file to the versions of Slipway that it asks for."""

    branch: str
    changed: Collection[str]
    tags: Collection[str]
    released: Collection[str]
    fragments: Collection[str]
    ranges: dict[str, str]


def problems(version: str, checkout: Checkout) -> list[str]:
    """Everything that is in the way of releasing this version."""
    found = []
    if checkout.branch != BRANCH:
        found.append(f"the branch is {checkout.branch or 'none'}: releases are made on {BRANCH}")
    if checkout.changed:
        found.append(f"not committed: {', '.join(sorted(checkout.changed))}")
    if not checkout.fragments:
        found.append("changelogs/fragments is empty: there is nothing to release")
    if not VERSION.fullmatch(version):
        return [*found, f"VERSION={version}: a release is called like 1.2.0, or like 1.2.0-rc.1"]
    if f"v{version}" in checkout.tags:
        found.append(f"there is a tag v{version}")
    newer = sorted((one for one in checkout.released if Version(one) >= Version(version)), key=Version)
    if newer:
        found.append(f"{newer[-1]} was released already, and {version} is not newer")
    for file, wanted in checkout.ranges.items():
        if not SpecifierSet(wanted).contains(version, prereleases=True):
            found.append(f"{file} asks for slipway.cluster {wanted}, which {version} is not")
    return found


def with_version(metadata: str, version: str) -> str:
    """The text of a galaxy.yml with another version, everything else as it is.

    :raises ValueError: when it does not say exactly once which version it is.
    """
    text, count = re.subn(r"(?m)^version: \S+$", f"version: {version}", metadata)
    if count != 1:
        raise ValueError(f"galaxy.yml says {count} times which version it is")
    return text


def commands(version: str, artifact: Path) -> list[str]:
    """What publishes a release, for whoever has the right to."""
    return [
        f"git push origin {BRANCH} v{version}",
        f"ansible-galaxy collection publish {artifact.relative_to(ROOT)}",
    ]


def look() -> Checkout:
    """The checkout as it is."""
    changelog = yaml.safe_load((ROOT / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"))
    ranges = {}
    for file in RANGES:
        wanted = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))["collections"]
        ranges[file] = next(str(one["version"]) for one in wanted if one["name"] == "slipway.cluster")
    return Checkout(
        branch=_git("branch", "--show-current").strip(),
        changed=[line[3:] for line in _git("status", "--porcelain").splitlines()],
        tags=_git("tag", "--list").split(),
        released=list(changelog["releases"]),
        fragments=[path.name for path in (ROOT / "changelogs" / "fragments").glob("*.y*ml")],
        ranges=ranges,
    )


def main(version: str) -> int:
    """Release it; 0 when it is done, 1 when a step failed, 2 when it cannot be."""
    found = problems(version, look())
    if found:
        print("\n".join(["release: nothing was changed:", *(f"  {one}" for one in found)]), file=sys.stderr)
        return 2
    before = _git("rev-parse", "HEAD").strip()
    try:
        artifact = make(version)
    except BaseException as error:
        _git("reset", "--quiet", "--hard", before)
        shutil.rmtree(FOLDER, ignore_errors=True)
        if not isinstance(error, subprocess.CalledProcessError):
            raise
        print(f"release: `{' '.join(map(str, error.cmd))}` failed; the checkout is as it was", file=sys.stderr)
        return 1
    print(f"\nrelease: v{version} is committed and tagged, {artifact.relative_to(ROOT)} is checked. To publish it:")
    print("".join(f"  {command}\n" for command in commands(version, artifact)), end="")
    return 0


def make(version: str) -> Path:
    """Write version and changelog, build the artifact, check it, commit and tag; its path.

    :raises subprocess.CalledProcessError: when a step fails.
    """
    metadata = ROOT / "galaxy.yml"
    metadata.write_text(with_version(metadata.read_text(encoding="utf-8"), version), encoding="utf-8")
    _step("changelog")
    for command in ("lint", "release"):
        _do([packaging.BIN / "antsibull-changelog", command])
    _step("artifact")
    shutil.rmtree(FOLDER, ignore_errors=True)
    work = FOLDER / "work"
    work.mkdir(parents=True)
    built = packaging.build(work)
    artifact = built.rename(FOLDER / built.name)
    shutil.rmtree(work)
    _step("the artifact is looked at, installed in a clean room, and worked with")
    results = run.Results(run.STAGE_SECONDS["all"])
    with run.lab(results) as there:
        if there:
            checks = [*run.PYTEST, "-n", "auto", "--dist", "loadfile", *CHECKS]
            _do([sys.executable, *checks], **{packaging.ARTIFACT: str(artifact)})
    if results.failed:
        raise subprocess.CalledProcessError(1, ["lab"])
    _step("commit and tag")
    _git("add", "--all")
    _git("commit", "--message", f"Release {version}")
    _git("tag", "--annotate", f"v{version}", "--message", f"Release {version}")
    return artifact


def _step(text: str) -> None:
    print(f"\nrelease: {text}", flush=True)


def _do(command: list[str | Path], **environment: str) -> None:
    subprocess.run(command, cwd=ROOT, env=os.environ | environment, stdin=subprocess.DEVNULL, check=True)


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: make release VERSION=1.2.0")
    sys.exit(main(sys.argv[1]))
