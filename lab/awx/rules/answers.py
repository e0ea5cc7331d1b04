# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Answers to a survey, held against its questions."""

from __future__ import annotations

from typing import Any

from lab.awx.rules.surveys import HIDDEN, lines
from lab.awx.store import Object


def problems(question: Object, answers: dict[str, Any], *, require: bool = True) -> list[str]:
    """What is wrong with the answer to one question. ``require``: an answer that is needed must be there."""
    name, kind = question["variable"], question["type"]
    if kind == "password" and answers.get(name) == HIDDEN:
        return (
            [f"'{name}' value missing"] if question.get("default") is None and question["required"] and require else []
        )
    if name not in answers:
        return [f"'{name}' value missing"] if question["required"] and require else []
    value = answers[name]
    match kind:
        case "text" | "textarea" | "password":
            return _text(question, value)
        case "integer" | "float":
            return _number(question, value)
        case "multiselect":
            return _several(question, value)
        case _:
            return _one(question, value)


def _limit(question: Object, which: str) -> Any:
    value = question.get(which)
    return None if value == "" else value


def _text(question: Object, value: Any) -> list[str]:
    name = question["variable"]
    if not isinstance(value, str):
        return [f"Value {value} for '{name}' expected to be a string."]
    low, high = _limit(question, "min"), _limit(question, "max")
    found = []
    if low is not None and len(value) < int(low):
        found.append(f"'{name}' value {value} is too small (length is {len(value)} must be at least {low}).")
    if high is not None and len(value) > int(high):
        found.append(f"'{name}' value {value} is too large (must be no more than {high}).")
    return found


def _number(question: Object, value: Any) -> list[str]:
    name = question["variable"]
    if question["type"] == "integer" and type(value) is not int:
        return [f"Value {value} for '{name}' expected to be an integer."]
    if type(value) not in (int, float):
        return [f"Value {value} for '{name}' expected to be a numeric type."]
    low, high = _limit(question, "min"), _limit(question, "max")
    found = []
    if low is not None and value < float(low):
        found.append(f"'{name}' value {value} is too small (must be at least {low}).")
    if high is not None and value > float(high):
        found.append(f"'{name}' value {value} is too large (must be no more than {high}).")
    return found


def _choices(question: Object) -> list[str]:
    choices = question["choices"]
    return lines(choices) if isinstance(choices, str) else list(choices)


def _several(question: Object, value: Any) -> list[str]:
    name, choices = question["variable"], _choices(question)
    if not isinstance(value, list):
        return [f"'{name}' value is expected to be a list."]
    return [f"Value {item} for '{name}' expected to be one of {choices}." for item in value if item not in choices]


def _one(question: Object, value: Any) -> list[str]:
    name, choices = question["variable"], _choices(question)
    return [] if value in choices else [f"Value {value} for '{name}' expected to be one of {choices}."]
