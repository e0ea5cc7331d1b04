# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The benchmark's own arithmetic: what it counts, what it makes of it, and that everybody gets the same charts."""

from __future__ import annotations

import hashlib
import json
import os
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from benchmarks import charts, goals, page, picture, schemas, ssh, twenty
from benchmarks.measure import Cost, Meter, StepError
from benchmarks.results import Results, load


def test_the_same_charts_every_time(tmp_path: Path) -> None:
    shapes = [s for s in twenty.TWENTY if s.name in ("gateway", "logs")]
    found = []
    for name in ("one", "two"):
        charts.write(shapes, tmp_path / name)
        files = sorted(p for p in (tmp_path / name).rglob("*") if p.is_file())
        found.append([(str(p.relative_to(tmp_path / name)), hashlib.sha256(p.read_bytes()).hexdigest()) for p in files])
    assert found[0] == found[1]
    assert sum(1 for path, _digest in found[0] if "/crds/" in path) == 10


@pytest.mark.parametrize("kib", [8, 90])
def test_a_schema_has_the_size_asked_for(kib: int) -> None:
    size = len(json.dumps(schemas.crd("x.bench.example", "Thing", kib))) / 1024
    assert kib <= size < kib + 12


def test_twenty_add_ons_and_one_that_changes() -> None:
    assert len({s.name for s in twenty.TWENTY}) == 20
    changed = [s.name for s in twenty.TWENTY if charts.overrides(s, changed=True) != charts.overrides(s)]
    assert twenty.CHANGED in changed


class TestMeter:
    @pytest.fixture
    def meter(self, tmp_path: Path) -> Meter:
        log = tmp_path / "audit.log"
        log.write_text('{"user":{"username":"me"}}\n', encoding="utf-8")
        programs = {"kube-apiserver": os.getpid(), "etcd": os.getpid()}
        return Meter(programs, log, "me", tmp_path)

    def run(self, meter: Meter, folder: Path, script: str, **options: float) -> Cost:
        env = {"PATH": f"{folder}/bin:{os.environ['PATH']}"}
        limit = options.get("limit", 30.0)
        return meter.run(["sh", "-c", script], cwd=folder, env=env, limit=limit, good=int(options.get("good", 0)))

    def test_requests_of_one_user_and_helm_processes(self, meter: Meter, tmp_path: Path) -> None:
        real = tmp_path / "real-helm"
        real.write_text('#!/bin/sh\ncat > "$1"\nexit 3\n', encoding="utf-8")
        real.chmod(0o755)
        meter.wrapper(tmp_path / "bin", real)
        script = (
            'echo values | helm out; [ $? = 3 ] || exit 9; echo again | helm "out 2"; '
            """echo '{"user":{"username":"me"}}' >> audit.log; echo '{"user":{"username":"other"}}' >> audit.log"""
        )
        cost = self.run(meter, tmp_path, script)
        assert (cost.helms, cost.requests) == (2, 1)
        assert (tmp_path / "out").read_text(encoding="utf-8") == "values\n"
        assert (tmp_path / "out 2").read_text(encoding="utf-8") == "again\n"
        assert cost.seconds > 0

    def test_a_failure_is_not_a_figure(self, meter: Meter, tmp_path: Path) -> None:
        with pytest.raises(StepError, match=r"(?s)ended with 2.*broken chart"):
            self.run(meter, tmp_path, "echo broken chart; exit 2", good=1)

    def test_a_time_limit_ends_everything(self, meter: Meter, tmp_path: Path) -> None:
        with pytest.raises(StepError, match="after the limit of 0 s"):
            self.run(meter, tmp_path, "sleep 60 & wait", limit=0.1)


ABOUT = {
    "date": "2026-01-02",
    "rounds": 3,
    "machine": {"cores": 2, "memory_gib": 8},
    "versions": {"Kubernetes": "1.35.4"},
    "content": {"addons": 20, "objects": 500, "crds": 40, "kinds": 18, "kib": 5000},
}


def results() -> Results:
    found = Results(ABOUT, planning={"100": [0.1, 0.1, 0.2], "1000": [1.3, 1.3, 1.1]})
    for number, seconds in enumerate((10.0, 12.0, 50.0)):
        found.add("slipway", "install", number, Cost(seconds=seconds, cpu=3.0, api_cpu=9.0))
        found.add("slipway", "again", number, Cost(seconds=1.0, requests=30))
        found.add("helmfile", "install", number, Cost(seconds=20.0, peak_mib=100.0 + number))
        found.add("helmfile", "again", number, Cost(seconds=20.0))
    return found


def test_goals_are_of_medians() -> None:
    verdicts = {goal.title: (goal.verdict, goal.value) for goal in goals.goals(results())}
    assert verdicts["first install, of helmfile's time"] == ("missed", 0.6)
    assert verdicts["first install, of the tasks' time"] == ("not measured", None)
    assert verdicts["no-op, of helmfile's time"] == ("met", 0.05)
    assert next(v for t, v in verdicts.items() if t.startswith("API requests"))[0] == "met"
    assert next(v for t, v in verdicts.items() if t.startswith("planning"))[0] == "missed"


def test_a_missed_goal_says_what_bounds_it() -> None:
    assert any("API server and etcd take 9.0 CPU seconds" in line for line in page.missed(goals.goals(results())))


def test_the_page_is_written_between_its_marks(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(f"before\n\n{page.BEGIN}\nold\n{page.END}\n\nafter\n", encoding="utf-8")
    for _again in range(2):
        page.write(file, results(), goals.goals(results()))
    text = file.read_text(encoding="utf-8")
    assert text.startswith("before\n\n")
    assert text.endswith("\n\nafter\n")
    assert "old" not in text
    assert "| first install | Slipway | 12.0 (10.0 to 50.0) | 3.0 |" in text
    assert "| first install | helmfile | 20.0 (20.0 to 20.0) |" in text


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(f"mine {page.BEGIN}", encoding="utf-8")
    with pytest.raises(ValueError, match="lost its marks"):
        page.write(file, results(), [])
    assert file.read_text(encoding="utf-8") == f"mine {page.BEGIN}"


def test_the_page_in_the_repository_has_its_marks() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "performance.md").read_text(encoding="utf-8")
    assert text.index(page.BEGIN) < text.index(page.END)


def test_the_picture_is_well_formed() -> None:
    root = ElementTree.fromstring(picture.draw(results()))  # noqa: S314
    bars = [
        e for e in root.iter("{http://www.w3.org/2000/svg}rect") if float(e.get("x", 0)) == 130 and e.get("y") != "12"
    ]
    assert len(bars) == 4
    assert max(float(bar.get("width", 0)) for bar in bars) < 760


def test_a_run_that_was_broken_off_goes_on(tmp_path: Path) -> None:
    found = results()
    found.add("slipway", "remove", 0, Cost(seconds=1.0))
    found.save(tmp_path / "results.json")
    again = load(tmp_path / "results.json")
    assert again == found
    assert again.done("slipway", 0)
    assert not again.done("slipway", 1)
    again.forget("slipway", 1)
    assert len(again.of("slipway", "install")) == 2
    assert load(tmp_path / "none.json") is None


def test_logins_are_compared_round_by_round() -> None:
    """A round in which the machine was slow for both is one of many, and not the one that decides."""
    samples = {ssh.OURS: [100.0, 105.0, 420.0], ssh.STOCK: [100.0, 100.0, 400.0]}
    assert ssh.ratio(samples) == 1.05
