# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What fails on a lab beside others is tried once more, alone; what fails twice has failed, and nothing is hidden."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import run
from tests.run import Results, Stage

TESTS = """
from pathlib import Path

import pytest

MARK = Path(__file__).with_suffix(".seen")

def test_first():
    MARK.with_suffix(".runs").open("a").write("x")

@pytest.mark.parametrize("n", range({failing}))
def test_needs_quiet(n):
    seen = MARK.with_suffix(f".{{n}}")
    if {always} or not seen.exists():
        seen.touch()
        raise ValueError
"""


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The suite's folder in this test: outcomes are not written beside those of the suite that runs it."""
    monkeypatch.setattr(run, "ROOT", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "test_quiet.py").write_text("def test_quiet():\n    pass\n", encoding="utf-8")
    return tmp_path


def tried(root: Path, failing: int, always: bool = False, lab: str = "env.json") -> Results:
    text = TESTS.format(failing=failing, always=always)
    (root / "test_needy.py").write_text(text, encoding="utf-8")
    results = Results(60)
    results.run(Stage.of_tests("lab tests", "not slow", ".", lab=lab))
    results.try_again()
    return results


def test_what_passes_alone_is_named_and_has_not_failed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tried(root, 2)
    assert results.close() == 0
    first, second = capsys.readouterr().out.splitlines()[-3:-1]
    names = "test_needy.py::test_needs_quiet[0], test_needy.py::test_needs_quiet[1]"
    assert first.endswith(f"passed at its second try, unsteady: {names}")
    assert second.startswith("lab tests, second try")
    assert second.endswith("passed")
    assert (root / "test_needy.runs").read_text(encoding="utf-8") == "xx", "the whole file, both times"


def test_what_fails_twice_has_failed(root: Path) -> None:
    results = tried(root, 1, always=True)
    assert [line.has_passed for line in results.lines] == [False, False]
    assert results.close() == 1


def test_many_failures_are_no_accident(root: Path) -> None:
    results = tried(root, run.SECOND_TRIES + 1)
    assert [line.outcome for line in results.lines] == ["failed with exit status 1"]
    assert results.close() == 1


def test_only_what_ran_on_a_lab_is_tried_again(root: Path) -> None:
    results = tried(root, 1, lab="")
    assert [line.outcome for line in results.lines] == ["failed with exit status 1"]


def test_a_folder_that_does_not_load_has_failed(root: Path) -> None:
    """The counter-check: an error while tests are collected comes again."""
    (root / "test_broken.py").write_text("import no_such_thing\n", encoding="utf-8")
    results = tried(root, 0)
    assert results.close() == 1


def test_a_scenario_is_tried_again_as_a_whole(root: Path) -> None:
    code = "import pathlib, sys; seen = pathlib.Path('seen'); old = seen.exists(); seen.touch(); sys.exit(not old)"
    results = Results(60)
    results.run_together([Stage("molecule one", [sys.executable, "-c", code], "env.json")])
    results.try_again()
    assert [str(line) for line in results.lines] == ["passed at its second try, unsteady: molecule one", "passed"]
    assert results.close() == 0
