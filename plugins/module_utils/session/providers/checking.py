# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the options of all providers have in common: known names, values of the right kind, and no secrets in them."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..errors import SettingsError

Problem = tuple[str, str]
# What is wrong with a value, or an empty string.
Rule = Callable[[Any], str]

# Tokens of OpenBao and Vault, JSON web tokens and keys, private keys: known by their looks under whatever name.
_SECRET = re.compile(
    r"^(hv[sbr]|[sbr])\.[A-Za-z0-9_-]{20,}|^eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r'|"d" *: *"'
)
_PRINTABLE = re.compile(r"[!-~]+")


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options without those that are empty, as a variable that was left out often arrives."""
    return {key: value for key, value in options.items() if value is not None and value != ""}


def problems(
    options: Mapping[str, Any], rules: Mapping[str, Rule], secrets: Mapping[str, str], prefix: str = ""
) -> list[Problem]:
    """Every problem of one mapping. ``secrets``: names that may not stand here, and where their values belong."""
    found: list[Problem] = []
    for key, value in given(options).items():
        name = f"{prefix}{key}"
        if key in secrets:
            found.append((name, f"is a secret, which no file of settings should hold: {secrets[key]}"))
        elif key not in rules:
            near = difflib.get_close_matches(str(key), rules, n=1)
            found.append((name, f"is not known (did you mean {near[0]}?)" if near else _none_of(rules)))
        elif isinstance(value, str) and _SECRET.search(value):
            found.append((name, "holds a secret: take it out, and give secrets by environment, file or descriptor"))
        elif problem := rules[key](value):
            found.append((name, problem))
    return found


def _none_of(rules: Iterable[str]) -> str:
    return f"is not known, there are: {', '.join(rules)}"


def text(value: Any) -> str:
    """Printable ASCII without blanks: names, mounts, roles, headers."""
    return "" if isinstance(value, str) and _PRINTABLE.fullmatch(value) else "must be a text without blanks"


def label(value: Any) -> str:
    """A name that may hold blanks."""
    ok = isinstance(value, str) and value.isprintable() and value.strip()
    return "" if ok else "must be a text of one line"


def path(value: Any) -> str:
    ok = isinstance(value, str) and value.isprintable() and value.startswith(("/", "~/"))
    return "" if ok else "must be an absolute path"


# Numbers and truths may be texts: that is what a template makes of them.


def flag(value: Any) -> str:
    return "" if str(value).lower() in ("true", "false", "yes", "no") else "must be true or false"


def truth(value: Any) -> bool:
    """What a ``flag`` says."""
    return str(value).lower() in ("true", "yes")


def seconds(value: Any) -> str:
    problem = "must be a number of seconds from 1 to 300"
    try:
        return "" if not isinstance(value, bool) and 0 < float(value) <= 300 else problem
    except (TypeError, ValueError):
        return problem


def descriptor(value: Any) -> str:
    ok = isinstance(value, (int, str)) and not isinstance(value, bool) and str(value).isdecimal()
    return "" if ok else "must be the number of an open file descriptor"


def one_of(*known: str) -> Rule:
    return lambda value: "" if value in known else f"must be one of {', '.join(known)}"


def mapping(value: Any) -> str:
    return "" if isinstance(value, Mapping) else "must be a mapping"


def address(value: Any, plain: bool = False) -> str:
    """``plain``: http:// is allowed elsewhere than on this machine."""
    if not isinstance(value, str) or not _PRINTABLE.fullmatch(value):
        return "must be an address such as https://bao.example.com:8200"
    try:
        url = urlsplit(value)
        host, _port = url.hostname, url.port
    except ValueError:
        return "is no valid address"
    if url.scheme not in ("https", "http") or not host or url.query or url.fragment:
        return "must be an address such as https://bao.example.com:8200"
    if "@" in url.netloc:
        return "holds a password or a user name: take it out"
    if url.scheme == "http" and not plain and not _loopback(host):
        return "would send secrets in the clear: use https://, or set plain_http where the network is trusted"
    return ""


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def usable_secret(name: str, value: str, where: str) -> str:
    """A secret without the line break of its file. Raises ``SettingsError``; ``where``: how to give one."""
    bare = value.strip()
    if not bare:
        raise SettingsError("SLW-7041", f"{name} is needed and was not given", where)
    if not _PRINTABLE.fullmatch(bare):
        raise SettingsError(
            "SLW-7042", f"what was given as {name} cannot be it: there are several lines or odd characters", where
        )
    return bare
