# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Molecule passes over a missing verifier with a warning; a scenario of ours must not be able to prove nothing."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.run import last_stages

ROOT = Path(__file__).resolve().parent.parent.parent
SCENARIOS = sorted(path.parent for path in ROOT.glob("molecule/*/molecule.yml"))
BASE = yaml.safe_load((ROOT / ".config/molecule/config.yml").read_text(encoding="utf-8"))


def test_every_scenario_converges_twice_verifies_and_cleans_up() -> None:
    assert SCENARIOS
    for scenario in SCENARIOS:
        own = yaml.safe_load((scenario / "molecule.yml").read_text(encoding="utf-8")) or {}
        sequence = own.get("scenario", {}).get("test_sequence", BASE["scenario"]["test_sequence"])
        # The real lab's story installs twice by itself.
        twice = set() if scenario.name == "real" else {"idempotence"}
        assert {"converge", "verify", "cleanup"} | twice <= set(sequence), scenario
        assert {"converge.yml", "cleanup.yml"} <= {path.name for path in scenario.iterdir()}, scenario
        tests = [path.read_text(encoding="utf-8") for path in scenario.glob("tests/test_*.py")]
        assert any("def test_" in text for text in tests), scenario


def test_the_real_lab_alone_is_no_stage_of_the_suite() -> None:
    names = [stage.name.partition(" ") for lane in last_stages("shared", "own") for stage in lane]
    stages = {name for kind, _blank, name in names if kind == "molecule"}
    assert {scenario.name for scenario in SCENARIOS} - stages == {"real"}
