# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Folders with stacks: what a stack may say, and what is told of a broken one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.stacks.folder import load
from tests.unit.stacks.small import SMALL, made, refused, write_stack

ALL = "groups/all/a.yml"
MADE = "group_vars/all/a.yml"


def broken(folder: Path, content: Any = None, files: dict[str, str] | None = None, **changed: Any) -> str:
    """What is told of a stack that differs from the small one; nothing where it is fine."""
    write_stack(folder, "one", content or {**SMALL, **changed}, files)
    found, problems = load([str(folder)])
    assert bool(found) != bool(problems)
    assert {problem.code for problem in problems} <= {"SLW-8902"}
    return problems[0].message if problems else ""


def question(**changed: Any) -> dict[str, Any]:
    return {"colour": {"question": "Which?", "type": "text", **changed}}


def test_the_small_one_is_fine(tmp_path: Path) -> None:
    assert broken(tmp_path, files={ALL: "colour: <<colour>>\n"}) == ""


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"titel": "x"}, ": there is no key 'titel' (did you mean 'title'?)"),
        ({"title": ""}, "title: must be a text"),
        ({"description": None}, "description: must be a text"),
        ({"hosts": None}, "hosts: must be a map"),
        ({"hosts": {"least": "two"}}, "hosts.least: must be a whole number, 0 or more"),
        ({"hosts": {"fewest": 1}}, "hosts: there is no key 'fewest'"),
        ({"roles": {"boss": {}}}, "roles: there is no key 'boss'"),
        ({"layouts": []}, "layouts: there is none"),
        ({"layouts": 3}, "layouts: must be a list"),
        (
            {"layouts": [{"least": 1, "roles": ["boss"]}]},
            "layouts[0].roles: must be a list of control_plane",
        ),
        ({"layouts": [{"roles": ["etcd"]}]}, "layouts[0].least"),
        ({"questions": question(type="texd")}, "there is no type 'texd'"),
        ({"questions": question(type="choice")}, "questions.colour.choices"),
        ({"questions": question(choices=["a"])}, "questions.colour.choices"),
        (
            {"questions": question(default=["a"])},
            "questions.colour.default: its default ['a'] is not a",
        ),
        ({"questions": question(type="number", default="3")}, "its default is not 3"),
        ({"questions": question(default="a", optional=True)}, "a question with a default always has an answer"),
        ({"questions": question(optional="yes")}, "questions.colour.optional: must be true or false"),
        ({"questions": {"Colour": question()["colour"]}}, "questions.Colour: the name"),
        ({"questions": {"values": question()["colour"]}}, "questions.values: the name"),
        ({"only_with": {"groups/all/b.yml": "colour"}}, "only_with: there is no file groups/all/b.yml"),
        ({"only_with": {ALL: "size"}}, f"only_with.{ALL}: there is no question size"),
    ],
)
def test_a_broken_definition(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    assert said in broken(tmp_path, files={ALL: "colour: red\n"}, **changed)


@pytest.mark.parametrize("text", ["[", "- a", "", "a: b: c"])
def test_a_definition_that_is_no_map(tmp_path: Path, text: str) -> None:
    assert broken(tmp_path, content=text or "\n")


LINES = """\
---
title: Small                  # line 2
description: One.
hosts: {least: 1}
layouts:
  - {least: 1, roles: [etcd]}
  - least: 3                  # line 7
    roles: [worker]
questions:
  shop:                       # line 10
    question: Which?
    type: number
    default: 3
only_with:
  groups/all/a.yml: shop      # line 15
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("title:", "titel:", "2: there is no key 'titel'"),
        ("One.", "", "3: description: must be a text"),
        ("type: number", "type: nmber", "12: questions.shop.type: there is no type 'nmber'"),
        ("type: number", "typ: number", "12: questions.shop: there is no key 'typ'"),
        ("default: 3", "default: three", "13: questions.shop.default: "),
        ("question: Which?", "", "10: questions.shop.question: must be a text"),
        ("roles: [worker]", "roles: [boss]", "8: layouts[1].roles: must be a list of"),
        ("least: 3 ", "most: 3 ", "7: layouts[1]: there is no key 'most'"),
        ("a.yml: shop", "b.yml: shop", "15: only_with: there is no file groups/all/b.yml"),
        ("a.yml: shop", "a.yml: size", "15: only_with.groups/all/a.yml: there is no question size"),
        ("hosts: {", "hosts: [", "4: is not YAML: "),
        (LINES, "- a\n", "1: must be a map"),
        (LINES, "\n", "1: must be a map"),
    ],
)
def test_what_is_broken_is_told_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert broken(tmp_path / "a", content=LINES, files={ALL: "a: 1\n"}) == ""
    told = broken(tmp_path / "b", content=LINES.replace(old, new), files={ALL: "a: 1\n"})
    assert told.startswith(f"stack.yml:{said}")
    assert "<unicode string>" not in told


@pytest.mark.parametrize("file", ["hosts.yml", "groups/others/a.yml", "groups/all/a.txt", "group_vars/all.yml"])
def test_files_that_a_stack_has_not(tmp_path: Path, file: str) -> None:
    assert broken(tmp_path, files={file: "a: 1\n"}).startswith(f"{file}: a stack has stack.yml and groups/GROUP")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a: <<size>>", "<<size>> is no question of the stack"),
        ("# for <<size>>", "<<size>> is no question of the stack"),
        ("a: x<<colour>>", "an answer must stand for a whole value"),
        ("a: <<colour>>x", "an answer must stand for a whole value"),
        ('a: "<<colour>>"', "an answer must stand for a whole value"),
        ("<<colour>>: a", "an answer must stand for a whole value"),
        ("a: b # <<colour>>", "an answer must stand for a whole value"),
    ],
)
def test_places_where_no_answer_can_stand(tmp_path: Path, line: str, said: str) -> None:
    assert f"{ALL}:2: {said}" in broken(tmp_path, files={ALL: f"---\n{line}\n"})


def test_an_optional_answer_needs_a_file_of_its_own(tmp_path: Path) -> None:
    files = {ALL: "colour: <<colour>>\n"}
    told = broken(tmp_path / "a", files=files, questions=question(optional=True))
    assert told == f"{ALL}:1: colour is optional, and only_with does not say that this file needs it"
    only = {"questions": question(optional=True), "only_with": {ALL: "colour"}}
    assert broken(tmp_path / "b", files=files, **only) == ""
    assert MADE not in made("one", "prod", "a", tmp_path / "b").files
    assert made("one", "prod", "a", tmp_path / "b", colour="red").files[MADE] == "colour: red\n"


def test_broken_stacks_and_folders_are_told_all_at_once(tmp_path: Path) -> None:
    write_stack(tmp_path / "a", "good", SMALL)
    write_stack(tmp_path / "a", "bad", "[")
    write_stack(tmp_path / "b", "good", SMALL)
    write_stack(tmp_path / "b", "Worse", SMALL)
    found, problems = load([str(tmp_path / "a"), str(tmp_path / "b"), str(tmp_path / "none")])
    assert list(found) == ["good"]
    assert [(problem.code, Path(problem.where).name) for problem in problems] == [
        ("SLW-8902", "bad"),
        ("SLW-8902", "Worse"),
        ("SLW-8903", "good"),
        ("SLW-8902", ""),
    ]


def test_a_stack_that_is_asked_for_and_broken_is_not_called_unknown(tmp_path: Path) -> None:
    write_stack(tmp_path, "bad", "[")
    write_stack(tmp_path, "good", SMALL)
    assert [problem.code for problem in refused("bad", "prod", "a", tmp_path)] == ["SLW-8902"]
    assert [problem.code for problem in refused("goood", "prod", "a", tmp_path)] == ["SLW-8902", "SLW-8901"]


NASTY = [
    'a"b',
    "a: b",
    "[x]",
    "#",
    "yes",
    "0755",
    "1e3",
    "'",
    "\\n",
    "é𝄞",
    "a, b",
    "*x",
    "&x",
    "!x",
    "- a",
    "null",
    "~",
]


@pytest.mark.parametrize("value", NASTY)
def test_an_answer_stays_a_value_wherever_it_stands(tmp_path: Path, value: str) -> None:
    text = "a: <<colour>>\nb: [<<colour>>, x]\nc: {d: <<colour>>}\ne:\n  - <<colour>>  # as it is\n# <<colour>>\n"
    write_stack(tmp_path, "one", {**SMALL, "questions": question()}, {ALL: text})
    cluster = made("one", "prod", "a", tmp_path, colour=value)
    wanted = {"a": value, "b": [value, "x"], "c": {"d": value}, "e": [value]}
    assert yaml.safe_load(cluster.files[MADE]) == wanted
    assert cluster.inventory["all"]["vars"] == wanted
    assert cluster.files[MADE].splitlines()[-1] == f"# {value}"


def test_answers_keep_their_types(tmp_path: Path) -> None:
    kinds = {"n": "number", "f": "flag", "l": "list", "t": "text"}
    questions = {name: {"question": "?", "type": kind} for name, kind in kinds.items()}
    write_stack(tmp_path, "one", {**SMALL, "questions": questions}, {ALL: "".join(f"{k}: <<{k}>>\n" for k in kinds)})
    cluster = made("one", "prod", "a", tmp_path, n="3", f="no", l="1, b", t="3")
    assert cluster.inventory["all"]["vars"] == {"n": 3, "f": False, "l": ["1", "b"], "t": "3"}


def test_a_file_that_is_no_map_of_variables(tmp_path: Path) -> None:
    write_stack(tmp_path, "one", {**SMALL, "questions": {}}, {ALL: "- a\n"})
    (problem,) = refused("one", "prod", "a", tmp_path)
    assert str(problem).startswith(f"one: SLW-8902 {ALL}:1: must be a map of variables")


def test_a_file_that_is_no_yaml(tmp_path: Path) -> None:
    write_stack(tmp_path, "one", {**SMALL, "questions": {}}, {ALL: "a: 1\nb: c: d\n"})
    (problem,) = refused("one", "prod", "a", tmp_path)
    assert str(problem).startswith(f"one: SLW-8902 {ALL}:2: is not YAML: ")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    place = write_stack(tmp_path, "one", SMALL, {ALL: "a: 1\n"})
    (place / ALL).write_bytes(b"\xff\xfe")
    (problem,) = load([str(tmp_path)])[1]
    assert problem.message.startswith(f"{ALL}: cannot be read: ")
