# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Surveys: which AWX takes, and what it makes of the answers."""

from __future__ import annotations

import json
from typing import Any

from lab.awx.refusal import RefusalError
from lab.awx.store import Object

HIDDEN = "$encrypted$"
TYPES: dict[str, type | tuple[type, ...]] = {
    "text": str,
    "textarea": str,
    "password": str,
    "multiplechoice": str,
    "multiselect": str,
    "integer": int,
    "float": (int, float),
}
CHOOSING = ("multiplechoice", "multiselect")
NEEDED = ("type", "question_name", "variable", "required")


def check(spec: Any, old: Object) -> None:
    """:raises RefusalError: with the first thing that is wrong with a new survey. ``old``: the one that it replaces; a
    password's default that was hidden is taken from there."""
    if not isinstance(spec, dict):
        raise _wrong("Survey is not a json object.")
    for field, kind, label in (
        ("name", str, "string"),
        ("description", str, "string"),
        ("spec", list, "list of items"),
    ):
        if field not in spec:
            raise _wrong(f"Field '{field}' is missing from survey spec.")
        if not isinstance(spec[field], kind):
            given = type(spec[field]).__name__
            raise _wrong(f"Expected {label} for field '{field}', received {given} type.")
    if not spec["spec"]:
        raise _wrong("'spec' doesn't contain any items.")
    before = {question["variable"]: question for question in old.get("spec", [])}
    seen: set[str] = set()
    for index, question in enumerate(spec["spec"]):
        _check_question(index, question, seen)
        _check_default(index, question)
        _check_choices(index, question)
        _keep_password(index, question, before.get(question["variable"], {}))


def _wrong(text: str) -> RefusalError:
    return RefusalError(400, {"error": text})


def _check_question(index: int, question: Any, seen: set[str]) -> None:
    if not isinstance(question, dict):
        raise _wrong(f"Survey question {index} is not a json object.")
    for field in NEEDED:
        if field not in question:
            raise _wrong(f"'{field}' missing from survey question {index}")
        kind, label = (bool, "boolean") if field == "required" else (str, "string")
        if not isinstance(question[field], kind):
            raise _wrong(f"'{field}' in survey question {index} expected to be {label}.")
    if question["variable"] in seen:
        raise _wrong(f"'variable' '{question['variable']}' duplicated in survey question {index}.")
    seen.add(question["variable"])
    if question["type"] not in TYPES:
        allowed = ", ".join(TYPES)
        raise _wrong(
            f"'{question['type']}' in survey question {index} is not one of '{allowed}' allowed question types."
        )
    for limit in ("min", "max"):
        value = question.get(limit)
        if value is not None and not isinstance(value, int):
            raise _wrong(f"The {limit} limit in survey question {index} expected to be integer.")


def _check_default(index: int, question: Object) -> None:
    default, kind = question.get("default", ""), question["type"]
    if default != "" and not isinstance(default, TYPES[kind]):
        label = kind if kind in ("integer", "float") else "string"
        raise _wrong(f"Default value {default} in survey question {index} expected to be {label}.")


def _check_choices(index: int, question: Object) -> None:
    if question["type"] not in CHOOSING:
        return
    if "choices" not in question:
        raise _wrong(f"Survey question {index} of type {question['type']} must specify choices.")
    if isinstance(question["choices"], str):
        question["choices"] = "\n".join(lines(question["choices"]))
    if "default" not in question:
        return
    defaults = lines(question["default"])
    question["default"] = "\n".join(defaults)
    if question["type"] == "multiplechoice" and len(defaults) > 1:
        raise _wrong("Multiple Choice (Single Select) can only have one default value.")
    if any(default not in question["choices"] for default in defaults):
        raise _wrong("Default choice must be answered from the choices listed.")


def _keep_password(index: int, question: Object, before: Object) -> None:
    default = question.get("default")
    if not isinstance(default, str) or not default.startswith(HIDDEN):
        return
    if question["type"] != "password":
        raise _wrong(
            f"{HIDDEN} is a reserved keyword for password question defaults, survey question {index} is type "
            f"{question['type']}."
        )
    if "default" not in before:
        raise _wrong(f"{HIDDEN} is a reserved keyword, may not be used for new default in position {index}.")
    question["default"] = before["default"]


def lines(value: str) -> list[str]:
    """Choices, one a line."""
    return [line for line in value.splitlines() if line.strip()]


def hidden(spec: Object) -> Object:
    """A survey as it is shown."""
    questions = [
        question | {"default": HIDDEN} if question["type"] == "password" and question.get("default") else question
        for question in spec.get("spec", [])
    ]
    return spec | {"spec": questions} if spec else {}


def passwords(spec: Object) -> list[str]:
    """Variables whose answers are hidden."""
    return [question["variable"] for question in spec.get("spec", []) if question["type"] == "password"]


def hide_answers(run: Object) -> str:
    """Extra variables of a run as they are shown."""
    if not run["survey_passwords"]:
        return str(run["extra_vars"])
    answers = json.loads(run["extra_vars"])
    return json.dumps(answers | {name: HIDDEN for name in run["survey_passwords"] if name in answers})
