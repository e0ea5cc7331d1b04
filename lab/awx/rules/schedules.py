# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Schedules: when they come due. Nothing is started by them here."""

from __future__ import annotations

import datetime
import re
import zoneinfo

from lab.awx.refusal import invalid

START = re.compile(r"DTSTART(?:;TZID=([^:]+))?:(\d{8}T\d{6})(Z?)")
RULE = re.compile(r"RULE:[^\s]*")
KNOWN = [
    "FREQ",
    "INTERVAL",
    "COUNT",
    "UNTIL",
    "WKST",
    "BYSETPOS",
    "BYMONTH",
    "BYMONTHDAY",
    "BYYEARDAY",
    "BYWEEKNO",
    "BYDAY",
    "BYHOUR",
    "BYMINUTE",
    "BYSECOND",
    "BYEASTER",
]
FREQUENCIES = ("SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")


def check(rule: str) -> None:
    """:raises RefusalError: with all that is wrong with a recurrence rule."""
    for name in ("EXDATE", "RDATE"):
        if f"{name.lower()}:" in rule.lower():
            raise invalid(rrule=f"{name} not allowed in rrule.")
    problems = [*_start_problems(rule), *_parts_problems(rule)]
    if "rrule:" not in rule.lower():
        problems.append("One or more rule required in rrule.")
    if problems:
        raise invalid(rrule=problems)


def _start_problems(rule: str) -> list[str]:
    starts = START.findall(rule)
    if not starts:
        return ["Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ"]
    if len(starts) > 1:
        return ["Multiple DTSTART is not supported."]
    zone, moment, utc = starts[0]
    if not zone and not utc:
        return ["DTSTART cannot be a naive datetime.  Specify ;TZINFO= or YYYYMMDDTHHMMSSZZ."]
    try:
        start_of(zone, moment)
    except (ValueError, zoneinfo.ZoneInfoNotFoundError) as error:
        return [f"rrule parsing failed validation: {error}"]
    return []


def start_of(zone: str, moment: str) -> datetime.datetime:
    """:raises ValueError: when there is no such day or hour."""
    return datetime.datetime.strptime(moment, "%Y%m%dT%H%M%S").replace(tzinfo=zoneinfo.ZoneInfo(zone or "UTC"))


def _parts_problems(rule: str) -> list[str]:
    found = []
    for part in RULE.findall(rule):
        pairs = dict(pair.partition("=")[::2] for pair in part.removeprefix("RULE:").split(";") if pair)
        if "INTERVAL" not in pairs:
            found.append(f"INTERVAL required in rrule: {part}")
        elif pairs.get("FREQ") == "SECONDLY":
            found.append(f"SECONDLY is not supported: {part}")
        if re.match(r"\d+[A-Z]{2}", pairs.get("BYDAY", "")):
            found.append(f"BYDAY with numeric prefix not supported: {part}")
        if "COUNT" in pairs and "UNTIL" in pairs:
            found.append(f"RRULE may not contain both COUNT and UNTIL: {part}")
        if pairs.get("COUNT", "0").isdigit() and int(pairs.get("COUNT", "0")) > 999:
            found.append(f"COUNT > 999 is unsupported: {part}")
        unknown = [name for name in pairs if name not in KNOWN]
        if unknown or pairs.get("FREQ") not in FREQUENCIES:
            found.append(f"rrule parsing failed validation: unknown parameter '{(unknown or ['FREQ'])[0]}'")
    return found


def computed(rule: str) -> dict[str, str | None]:
    """What is read from the rule: ``dtstart``, ``timezone`` and ``until``."""
    zone, moment, _utc = START.findall(rule)[0]
    until = re.search(r"UNTIL=([^;\s]+)", rule)
    start = start_of(zone, moment).astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"dtstart": start, "timezone": zone or "UTC", "until": until.group(1) if until else ""}
