"""YAML: that of others is read as plain data, within limits; own YAML is written so that it reads back equal.

A text is read event by event, never by recursion. What an alias (`*name`) stands for is counted before it is
used again, so that a short text cannot stand for a large one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import yaml
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from ratewarp._checks import RequestError, shorten

MAX_DEPTH = 50  # mappings and lists within each other
MAX_REPEATED = 2_000_000  # values and characters that all aliases of a text stand for together

_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_PLAIN: dict[str, Callable[[SafeConstructor, yaml.ScalarNode], Any]] = {
    f"{_TAG}null": SafeConstructor.construct_yaml_null,
    f"{_TAG}bool": SafeConstructor.construct_yaml_bool,
    f"{_TAG}int": SafeConstructor.construct_yaml_int,
    f"{_TAG}float": SafeConstructor.construct_yaml_float,
    f"{_TAG}timestamp": SafeConstructor.construct_yaml_timestamp,
    f"{_TAG}str": lambda _, node: _whole(node.value),
    f"{_TAG}value": lambda _, node: node.value,  # a lone "="
}

# Half a character, written as an escape, as JSON writes an emoji: the quick parser refuses it, the slow one
# does not.
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_QUICK = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WRITER = cast(Any, getattr(yaml, "CSafeDumper", yaml.SafeDumper))


class _FaultError(Exception):
    """What is wrong with a text, and where."""

    def __init__(self, event: yaml.Event, problem: str):
        super().__init__(problem)
        self.line = _line(event)


def read_yaml(text: str, origin: str) -> Any:
    """The plain data that a text in YAML stands for.

    Arguments:
        text: one document: mappings, lists, text, numbers, true, false, null and dates. Anchors, aliases and
            merges (`<<`) are followed.
        origin: what to call the text in messages.

    Raises:
        RequestError: not YAML, a key given twice in one mapping, other kinds of values, nesting or aliases
            beyond the limits.

    Examples:
        >>> read_yaml("{base: &base {steps: 5}, longer: {<<: *base, steps: 7}}", "study.yaml")
        {'base': {'steps': 5}, 'longer': {'steps': 7}}
        >>> read_yaml("{a: 1, a: 2}", "s.yaml")
        Traceback (most recent call last):
        ...
        ratewarp._checks.RequestError: s.yaml is not valid YAML (line 1): the key 'a' is given twice, first in
            line 1
    """
    loader = yaml.SafeLoader if _SURROGATE_ESCAPE.search(text) else _QUICK
    try:
        return _Reading().of(yaml.parse(text, Loader=loader))
    except _FaultError as fault:
        line, problem = fault.line, str(fault)
    except yaml.MarkedYAMLError as error:
        line, problem = error.problem_mark.line + 1 if error.problem_mark else None, error.problem
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        line, problem = None, getattr(error, "reason", None)
    where = "" if line is None else f" (line {line})"
    raise RequestError(f"{origin} is not valid YAML{where}: {problem or 'it cannot be read'}")


def write_yaml(data: Any) -> str:
    """Plain data as YAML; `read_yaml` gives back equal data, whatever characters its text holds.

    Examples:
        >>> write_yaml({"title": "naïve", "seeds": [0, 1]})
        'title: naïve\\nseeds:\\n- 0\\n- 1\\n'
    """
    return yaml.dump(data, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=120)


@dataclass
class _Open:
    """A mapping or list whose end is still to come."""

    event: yaml.CollectionStartEvent
    value: Any
    size: int = 1
    depth: int = 1
    lines: dict[Any, int] = field(default_factory=dict)  # keys of a mapping, and their text → line
    merged: list[tuple[yaml.Event, Any]] = field(default_factory=list)  # values of `<<`
    key: Any = None
    has_key: bool = False


class _Merge:
    """The key `<<`."""


class _Known(NamedTuple):
    """A value with a name: how much it stands for, and how deep it is."""

    value: Any
    size: int
    depth: int


class _Reading:
    """One walk over the events of one text."""

    def __init__(self) -> None:
        self.open: list[_Open] = []
        self.anchors: dict[str, _Known] = {}
        self.repeated = 0
        self.documents = 0
        self.result: Any = None
        self.resolver, self.constructor = Resolver(), SafeConstructor()

    def of(self, events: Iterator[yaml.Event]) -> Any:
        for event in events:
            match event:
                case yaml.ScalarEvent():
                    self._add(event, _Known(self._scalar(event), 1 + len(event.value), 0))
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._begin(event)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self._end()
                case yaml.AliasEvent():
                    self._repeat(event)
                case yaml.DocumentStartEvent():
                    self.documents += 1
                    if self.documents > 1:
                        raise _FaultError(event, "a second document begins; one is wanted")
        return self.result

    def _scalar(self, event: yaml.ScalarEvent) -> Any:
        tag = event.tag
        if tag is None or tag == "!":
            tag = self.resolver.resolve(yaml.ScalarNode, event.value, event.implicit)
        if tag == _MERGE:
            return _Merge
        make = _PLAIN.get(tag)
        if make is None:
            raise _FaultError(event, _of_other_kind(tag))
        try:
            return make(self.constructor, yaml.ScalarNode(tag, event.value))
        except (ValueError, KeyError, IndexError, OverflowError, AttributeError, TypeError):
            kind = tag.removeprefix(_TAG)
            raise _FaultError(event, f"{shorten(event.value)} cannot be read as {kind}") from None

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        if len(self.open) >= MAX_DEPTH:
            raise _FaultError(event, f"nested more than {MAX_DEPTH} deep")
        mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in {None, "!", f"{_TAG}{'map' if mapping else 'seq'}"}:
            raise _FaultError(event, _of_other_kind(event.tag))
        if self.open and isinstance(self.open[-1].value, dict) and not self.open[-1].has_key:
            raise _FaultError(event, "a key must be text or a number, not a list or mapping")
        if event.anchor is not None:
            self.anchors.pop(event.anchor, None)  # unknown until it ends: it cannot hold itself
        self.open.append(_Open(event, {} if mapping else []))

    def _end(self) -> None:
        done = self.open.pop()
        for event, value in done.merged:
            _merge(done.value, event, value)
        self._add(done.event, _Known(done.value, done.size, done.depth))

    def _repeat(self, event: yaml.AliasEvent) -> None:
        if event.anchor not in self.anchors:
            holds_itself = any(one.event.anchor == event.anchor for one in self.open)
            why = "stands for a value that holds itself" if holds_itself else "is not defined above"
            raise _FaultError(event, f"the alias *{shorten(event.anchor)[1:-1]} {why}")
        known = self.anchors[event.anchor]
        self.repeated += known.size
        if len(self.open) + known.depth > MAX_DEPTH:
            raise _FaultError(event, f"nested more than {MAX_DEPTH} deep")
        if self.repeated > MAX_REPEATED:
            raise _FaultError(
                event, f"its aliases stand for more than {MAX_REPEATED:,} values and characters"
            )
        self._add(event, known)

    def _add(self, event: Any, known: _Known) -> None:
        """Puts a value where it belongs: into what is open, as key or as value."""
        if event.anchor is not None and not isinstance(event, yaml.AliasEvent):
            self.anchors[event.anchor] = known
        into = self.open[-1] if self.open else None
        is_key = into is not None and isinstance(into.value, dict) and not into.has_key
        value = "<<" if known.value is _Merge and not is_key else known.value
        if into is None:
            self.result = value
            return
        into.size += known.size
        into.depth = max(into.depth, 1 + known.depth)
        if is_key:
            _note_key(into, event, value)
            into.key, into.has_key = value, True
        elif isinstance(into.value, list):
            into.value.append(value)
        else:
            into.has_key = False
            if into.key is _Merge:
                into.merged.append((event, value))
            else:
                into.value[into.key] = value


def _note_key(into: _Open, event: yaml.Event, key: Any) -> None:
    """Refuses a key that its mapping has already, also one that is equal as text: `1` and `'1'`."""
    name = "<<" if key is _Merge else key
    if isinstance(name, list | dict):  # by an alias
        raise _FaultError(event, "a key must be text or a number, not a list or mapping")
    for known in (name, str(name)):
        if known in into.lines:
            raise _FaultError(
                event, f"the key {shorten(name)} is given twice, first in line {into.lines[known]}"
            )
    into.lines[name] = into.lines[str(name)] = _line(event)


def _merge(into: dict[Any, Any], event: yaml.Event, value: Any) -> None:
    """Adds the keys of a mapping, or of each of a list of them, that `into` does not have yet."""
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, dict):
            raise _FaultError(event, f"'<<' takes a mapping or a list of mappings; got {shorten(one)}")
        for key, inner in one.items():
            into.setdefault(key, inner)


def _of_other_kind(tag: str) -> str:
    kind = shorten(tag.removeprefix(_TAG))
    return f"values of the kind {kind} are not read; use text, numbers, lists and mappings"


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1


def _whole(text: str) -> str:
    """Text in which two halves of a character are joined; a half alone is a `ValueError`."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16")


class _Writer(_WRITER):
    """The writer of plain data, without aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(writer: Any, text: str) -> yaml.ScalarNode:
    """Line breaks other than a newline survive in double quotes alone, as escapes."""
    quoted = any(character in text for character in "\r\x85\u2028\u2029\ufeff")
    return writer.represent_scalar(f"{_TAG}str", text, style='"' if quoted else None)


_Writer.add_representer(str, _represent_text)
