# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""YAML as Kubernetes tools read it.

Go's reader differs from PyYAML's: ``1e3`` and ``08`` are numbers, ``1:30`` and dates are strings, ``y`` and ``n`` are
booleans, keys become strings, and a bare ``=`` is text. An object must mean the same to us as to Helm and kubectl.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterator
from typing import Any

from ..errors import RenderError
from .codes import BAD_YAML

try:
    import yaml
except ImportError:  # the shell names what is missing
    _Base: Any = object
    _DumperBase: Any = object
else:
    _Base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    _DumperBase = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

_PREFIX = "tag:yaml.org,2002:"
_INT = re.compile(r"[-+]?(?:0_*[xX][0-9a-fA-F_]+|0_*[bB][01_]+|0_*[oO][0-7_]+|0[0-7_]*|[1-9][0-9_]*)\Z")
_FLOAT = re.compile(
    r"(?:[-+]?(?:\.[0-9][0-9_]*|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9_]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
)
_TRUE = frozenset(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"])
_BOOL = re.compile(r"(?:y|Y|n|N|[yY]es|YES|[nN]o|NO|[tT]rue|TRUE|[fF]alse|FALSE|[oO]n|ON|[oO]ff|OFF)\Z")
_NULL = re.compile(r"(?:~|null|Null|NULL|)\Z")
_MERGE = re.compile(r"<<\Z")
_INFINITE = (float("inf"), float("-inf"))
_INTEGRAL_LIMIT = 1e21  # from here on Go writes floats with an exponent, so they stay floats

_RESOLVERS: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
for _tag, _pattern, _first in (
    ("bool", _BOOL, "yYnNtTfFoO"),
    ("null", _NULL, ["~", "n", "N", ""]),
    ("merge", _MERGE, "<"),
    ("int", _INT, "-+0123456789"),
    ("float", _FLOAT, "-+.0123456789"),
):
    for _char in _first:
        _RESOLVERS.setdefault(_char, []).append((_PREFIX + _tag, _pattern))


def _to_int(text: str) -> int:
    """An integer by Go's rules for a base given by the prefix; a leading zero means octal."""
    plain = text.replace("_", "").lower()
    sign = -1 if plain.startswith("-") else 1
    digits = plain.lstrip("+-")
    for prefix, base in (("0x", 16), ("0b", 2), ("0o", 8)):
        if digits.startswith(prefix):
            return sign * int(digits[2:], base)
    return sign * int(digits, 8 if len(digits) > 1 and digits[0] == "0" else 10)


def _to_number(text: str) -> float | int:
    """A float by Go's rules. Whole ones become integers: that is how they reach the API server."""
    value = float(text.replace("_", ""))
    if value.is_integer() and abs(value) < _INTEGRAL_LIMIT:
        return int(value)
    return value


def _key(loader: Any, node: yaml.Node) -> str:
    """A mapping key as JSON knows it."""
    key = loader.construct_object(node, deep=True)
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, (str, int, float)):
        return str(key)
    raise yaml.constructor.ConstructorError(None, None, "a key must be a string", node.start_mark)


def _mapping(loader: Any, node: yaml.Node) -> dict[str, Any]:
    if not isinstance(node, yaml.MappingNode):
        raise yaml.constructor.ConstructorError(None, None, "expected a mapping", node.start_mark)
    own = [key for key, _value in node.value if key.tag != _PREFIX + "merge"]
    merged = len(node.value) - len(own)
    if merged:
        loader.flatten_mapping(node)
    if loader.strict:
        seen: set[str] = set()
        for key_node in own:
            key = _key(loader, key_node)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} stands twice", key_node.start_mark)
            seen.add(key)
    return {_key(loader, key): loader.construct_object(value, deep=True) for key, value in node.value}


def _sequence(loader: Any, node: yaml.Node) -> list[Any]:
    if not isinstance(node, yaml.SequenceNode):
        raise yaml.constructor.ConstructorError(None, None, "expected a list", node.start_mark)
    return [loader.construct_object(item, deep=True) for item in node.value]


def _scalar(loader: Any, node: yaml.Node) -> Any:
    text = loader.construct_scalar(node)
    kind = node.tag.removeprefix(_PREFIX)
    if kind in {"int", "float"}:
        try:
            value = _number(text, kind)
        except ValueError:
            problem = f"{text!r} is no number"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None
        if math.isnan(value) or value in _INFINITE:
            # Go takes digits that overflow for text, and JSON has no word for the real thing
            if "." not in text[:2] or text[-1].isdigit():
                return text
            raise yaml.constructor.ConstructorError(None, None, f"{text} is no JSON", node.start_mark)
        return value
    if kind == "bool":
        return text in _TRUE
    return None if kind == "null" else text


def _number(text: str, kind: str) -> float | int:
    """Raises ValueError."""
    if kind == "int":
        value = _to_int(text)
        if -(2**63) <= value < 2**64:
            return value
        if not text.replace("_", "").lstrip("+-").isdigit():
            return float("inf")
        # Go falls back to a float where decimal digits do not fit into 64 bits
    plain = text.replace("_", "")
    return _to_number(plain.replace(".", "", 1) if plain.lower().endswith((".inf", ".nan")) else plain)


def _string(_loader: Any, node: yaml.Node) -> Any:
    return node.value


def _refuse(loader: Any, node: yaml.Node) -> Any:
    raise yaml.constructor.ConstructorError(None, None, f"unknown tag {node.tag}", node.start_mark)


_CONSTRUCTORS: dict[Any, Any] = {
    _PREFIX + "map": _mapping,
    _PREFIX + "seq": _sequence,
    _PREFIX + "str": _string,
    **{_PREFIX + kind: _scalar for kind in ("int", "float", "bool", "null", "merge", "value", "timestamp")},
    None: _refuse,
}
_NO_CONSTRUCTORS: dict[Any, Any] = {}


class _Loader(_Base):  # type: ignore[misc]
    """Duplicate keys pass: Helm accepts them in what charts render."""

    strict = False
    yaml_implicit_resolvers = _RESOLVERS
    yaml_constructors = _CONSTRUCTORS
    yaml_multi_constructors = _NO_CONSTRUCTORS


class _StrictLoader(_Loader):
    strict = True


class _Dumper(_DumperBase):  # type: ignore[misc]
    """Quotes whatever Go would take for something else than a string."""

    yaml_implicit_resolvers = _RESOLVERS

    def ignore_aliases(self, data: Hashable) -> bool:
        return True


class _PrettyDumper(_Dumper):
    """Texts of several lines as they are read: a change of one line is a change of one line."""


def _represent_text(dumper: Any, text: str) -> Any:
    return dumper.represent_scalar(_PREFIX + "str", text, "|" if "\n" in text else None)


if _DumperBase is not object:
    _PrettyDumper.add_representer(str, _represent_text)


def load_all(text: str, source: str, strict: bool = True, first_line: int = 1) -> list[Any]:
    """The documents of ``text``; empty ones are None.

    ``source`` and ``first_line`` name the place in errors. With ``strict`` a key that stands twice is an error.
    Raises RenderError SLW-2001.
    """
    try:
        return list(_documents(text, _StrictLoader if strict else _Loader))
    except yaml.MarkedYAMLError as err:
        mark = err.problem_mark or err.context_mark
        where = f"{source}:{mark.line + first_line}" if mark else source
        raise RenderError(BAD_YAML, f"{where}: {err.problem or err.context}") from None
    except RecursionError:
        raise RenderError(BAD_YAML, f"{source}: it is nested too deep") from None
    except yaml.YAMLError as err:
        raise RenderError(BAD_YAML, f"{source}: {str(err).splitlines()[0]}") from None


def _documents(text: str, loader: Any) -> Iterator[Any]:
    yield from yaml.load_all(text, Loader=loader)


def dump(value: Any) -> str:
    """YAML with sorted keys and block style: the same value gives the same text."""
    return _dump(value, _Dumper)


def pretty(value: Any) -> str:
    """Like ``dump``, for people: texts of several lines stand as lines."""
    return _dump(value, _PrettyDumper)


def _dump(value: Any, dumper: Any) -> str:
    return str(
        yaml.dump(value, Dumper=dumper, sort_keys=True, default_flow_style=False, allow_unicode=True, width=4096)
    )
