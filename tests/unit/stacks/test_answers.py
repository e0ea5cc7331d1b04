# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Answers: text as a survey gives it becomes what the question wants, or is refused in words."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.stacks.answers import TYPES, Question, answers


def asked(kind: str, value: object, **more: Any) -> tuple[object, list[str]]:
    """The answer, and the problems."""
    question = Question("it", "What?", kind, **more)
    found, problems = answers({"it": question}, {}, {"it": value})
    return found.get("it"), [str(problem) for problem in problems]


TAKEN = [
    ("text", " blue sky ", "blue sky"),
    ("text", 7, "7"),
    ("number", "12", 12),
    ("number", -3, -3),
    ("flag", "yes", True),
    ("flag", "False", False),
    ("flag", True, True),
    ("list", "a, b\nc,", ["a", "b", "c"]),
    ("list", ["a", 1], ["a", "1"]),
    ("address", "2001:DB8::1", "2001:db8::1"),
    ("network", "10.233.0.0/18", "10.233.0.0/18"),
    ("host", "registry.example.com:5000", "registry.example.com:5000"),
    ("url", "https://files.example.com/k8s/", "https://files.example.com/k8s"),
    ("repository", "oci://registry.example.com/charts", "oci://registry.example.com/charts"),
    ("version", "1.35.4", "1.35.4"),
    ("duration", "4w", "4w"),
    ("size", "500Mi", "500Mi"),
    ("user", "ubuntu", "ubuntu"),
]


@pytest.mark.parametrize(("kind", "value", "answer"), TAKEN)
def test_what_is_taken(kind: str, value: object, answer: object) -> None:
    found, problems = asked(kind, value)
    assert (found, type(found), problems) == (answer, type(answer), [])


REFUSED = [
    ("text", "a\nb"),
    ("text", ["a"]),
    ("text", True),
    ("number", "1.5"),
    ("number", "twelve"),
    ("number", True),
    ("flag", "maybe"),
    ("flag", 2),
    ("list", {"a": 1}),
    ("list", [["a"]]),
    ("address", "192.0.2"),
    ("address", "192.0.2.0/24"),
    ("network", "10.233.0.0"),
    ("network", "10.233.0.1/18"),
    ("host", "registry.example.com/path"),
    ("host", "registry.example.com:"),
    ("host", "registry.example.com:70000"),
    ("url", "files.example.com"),
    ("url", "https://"),
    ("url", "https://user:word@files.example.com"),
    ("url", "https://files.example.com/?a=b"),
    ("repository", "git://charts.example.com"),
    ("version", "v1.35.4"),
    ("version", "1.35"),
    ("duration", "7 days"),
    ("size", "20G"),
    ("user", "-rf"),
]


@pytest.mark.parametrize(("kind", "value"), REFUSED)
def test_what_is_refused(kind: str, value: object) -> None:
    found, problems = asked(kind, value)
    assert found is None
    assert len(problems) == 1
    assert problems[0].startswith(f"SLW-8912 slipway_stack_it is {value!r} (the answer must be {TYPES[kind].words}")


def test_every_type_is_tried() -> None:
    assert {kind for kind, *_rest in [*TAKEN, *REFUSED]} | {"choice"} == set(TYPES)


def test_a_choice_says_which_is_near() -> None:
    assert asked("choice", "calico", choices=("calico", "cilium")) == ("calico", [])
    _found, (problem,) = asked("choice", "calcio", choices=("calico", "cilium"))
    assert problem.endswith("(the answer must be one of calico, cilium; did you mean 'calico'?)")


@pytest.mark.parametrize("empty", [None, "", "  \n", []])
def test_no_answer(empty: object) -> None:
    assert asked("number", empty, default=3) == (3, [])
    assert asked("number", empty, optional=True) == (None, [])
    found, (problem,) = asked("number", empty)
    assert (found, problem) == (
        None,
        "SLW-8911 slipway_stack_it has no answer: What? (the answer must be a whole number)",
    )


@pytest.mark.parametrize("value", ["{{ 1 }}", "a {% raw %}", "{# x #}", ["a", "{{ b }}"]])
def test_a_template_is_no_answer(value: object) -> None:
    """It would be evaluated by whoever runs the inventory, with that one's rights."""
    found, (problem,) = asked("list" if isinstance(value, list) else "text", value)
    assert found is None
    assert problem.startswith("SLW-8914 slipway_stack_it holds a template")


def test_a_variable_of_its_own_wins_and_an_empty_one_does_not_count() -> None:
    questions = {name: Question(name, "What?", "number") for name in ("a", "b")}
    assert answers(questions, {"a": 1, "b": 2}, {"a": "3", "b": ""}) == ({"a": 3, "b": 2}, [])


def test_unknown_answers() -> None:
    questions = {"colour": Question("colour", "What?", "text", optional=True)}
    found, problems = answers(questions, {"colours": 1, "size": 2}, {"colur": 3, "weight": 4}, others=["weight"])
    assert found == {"colour": None}
    assert [str(problem) for problem in problems] == [
        "SLW-8913 the stack asks for no colours (did you mean 'colour'?)",
        "SLW-8913 the stack asks for no size (it asks for colour)",
        "SLW-8913 the stack asks for no colur (did you mean 'colour'?)",
    ]
