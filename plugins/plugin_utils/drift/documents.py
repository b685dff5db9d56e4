# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML that people edit by hand: read with the place of everything, every scalar as the text that stands there.

What looks like a number or a truth to YAML may be a telephone number, an extension or a span of time to a server; a
property's own type decides, and not YAML. Only an unquoted null is one.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..change.sharing import private_mode
from ..powershell.ordinal import ordinal_key
from ..result.refusals import BadArgument

_STANDARD_TAG = "tag:yaml.org,2002:"
_NULL = f"{_STANDARD_TAG}null"
# Of the names of files that are being written: how many random bytes they have, and after how long nobody writes them.
_RANDOM = 4
_LEFT_SECONDS = 86_400
# Those that a parser finds by itself, and that somebody may write out.
_TAGS = frozenset(
    ("str", "int", "float", "bool", "null", "timestamp", "binary", "merge", "value", "map", "seq")
)
# libyaml is quick and refuses some texts that the other one takes, halves of surrogate pairs among them.
_LOADERS = (getattr(yaml, "CSafeLoader", yaml.SafeLoader), yaml.SafeLoader)


@dataclass(frozen=True)
class Place:
    """A line of a file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class UnusableFile(BadArgument):
    """A file that cannot be used as it is; the text names it and the line."""

    def __init__(self, place: Place | Path | str, problem: str) -> None:
        self.place = place
        super().__init__(f"{place}: {problem.rstrip('.')}.")


@dataclass(frozen=True)
class Entry:
    """One line of a mapping."""

    key: str
    place: Place
    node: yaml.Node


class Document:
    """One YAML document, a mapping, as its parser saw it. ``name`` is how people are told of the file."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.root = self._composed(_LOADERS)

    @classmethod
    def at(cls, path: Path, name: str | None = None) -> Document:
        """Read a file. Raises UnusableFile."""
        return cls(name or str(path), read_text(path, name))

    def _composed(self, loaders: tuple[Any, ...]) -> yaml.MappingNode:
        loader, *others = loaders
        try:
            node = yaml.compose(self.text, Loader=loader)
        except yaml.MarkedYAMLError as error:
            if others:
                return self._composed(tuple(others))
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            raise UnusableFile(Place(self.name, line), f"this is not YAML ({error.problem})") from None
        except yaml.YAMLError as error:
            if others:
                return self._composed(tuple(others))
            raise UnusableFile(self.name, f"this is not YAML ({one_line(str(error))})") from None
        except RecursionError:
            raise UnusableFile(self.name, "it is nested too deeply") from None
        if not isinstance(node, yaml.MappingNode):
            raise UnusableFile(Place(self.name, 1), "a mapping is expected, with format first")
        self._walk(node, set())
        return node

    def _walk(self, node: yaml.Node, seen: set[int]) -> None:
        if id(node) in seen:
            raise self.problem(node, "aliases cannot be used here")
        seen.add(id(node))
        if node.tag.removeprefix(_STANDARD_TAG) not in _TAGS:
            raise self.problem(node, f"the tag {node.tag} cannot be used here")
        if isinstance(node, yaml.MappingNode):
            keys: dict[str, int] = {}
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    raise self.problem(key, "a key has to be one text")
                if key.value in keys:
                    raise self.problem(
                        key, f"{key.value} stands here again; it is in line {keys[key.value]}, too"
                    )
                keys[key.value] = key.start_mark.line + 1
                self._walk(key, seen)
                self._walk(value, seen)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                self._walk(item, seen)

    # -- looking at it ----------------------------------------------------------------------------------------

    def place(self, node: yaml.Node) -> Place:
        return Place(self.name, node.start_mark.line + 1)

    def problem(self, node: yaml.Node, sentence: str) -> UnusableFile:
        return UnusableFile(self.place(node), sentence)

    def entries(self, node: yaml.Node, what: str) -> Iterator[Entry]:
        """The lines of a mapping. ``what`` is what it holds, for people."""
        if not isinstance(node, yaml.MappingNode):
            raise self.problem(node, f"{what}: a mapping is expected")
        for key, value in node.value:
            yield Entry(key.value, self.place(key), value)

    def items(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise self.problem(node, f"{what}: a list is expected")
        return list(node.value)

    def text_of(self, node: yaml.Node, what: str) -> str:
        value = plain(node)
        if not isinstance(value, str) or not value.strip():
            raise self.problem(node, f"{what}: a text is expected")
        return value

    def fields(
        self, node: yaml.Node, what: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
    ) -> dict[str, Entry]:
        """A mapping with these keys and no others. Raises UnusableFile for unknown and missing ones."""
        found = {entry.key: entry for entry in self.entries(node, what)}
        for key, entry in found.items():
            if key not in required + optional:
                allowed = ", ".join(required + optional)
                raise UnusableFile(entry.place, f"{what} has no key {key}. Allowed: {allowed}")
        for key in required:
            if key not in found:
                raise self.problem(node, f"{what} lacks {key}")
        return found

    def must_have_format(self, known: int) -> None:
        """Raises UnusableFile unless the document says that it has the format that is known."""
        entry = next((each for each in self.entries(self.root, "the file") if each.key == "format"), None)
        if entry is None:
            raise UnusableFile(Place(self.name, 1), f"the file lacks format: {known}")
        found = plain(entry.node)
        if found != str(known):
            newer = isinstance(found, str) and found.isdecimal() and int(found) > known
            remedy = "; a newer version of the collection wrote it" if newer else ""
            raise UnusableFile(
                entry.place, f"the format is {shown_text(found)}, and {known} is known{remedy}"
            )


def plain(node: yaml.Node) -> Any:
    """The value as it stands there: texts, None, lists and mappings of them."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [plain(item) for item in node.value]
    return None if is_null(node) else node.value


def is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == _NULL and not node.style


def shown_text(value: Any) -> str:
    return "empty" if value is None else str(value) if isinstance(value, str) else type(value).__name__


def one_line(text: str) -> str:
    return " ".join(text.split())


def read_text(path: Path, name: str | None = None) -> str:
    """A file of UTF-8 as it is, its line ends included. Raises UnusableFile."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableFile(name or path, f"this is not UTF-8 (byte {error.start})") from None
    except OSError as error:
        raise UnusableFile(name or path, f"it cannot be read ({error.strerror or error})") from None


# -- writing ----------------------------------------------------------------------------------------------------------

# What every reader of YAML takes for a text without quotes.
_BARE = re.compile(
    r"[A-Za-z][A-Za-z0-9_.@/+-]*(?: [A-Za-z0-9_.@/+-]+)*|[A-Za-z]+:[A-Za-z0-9_][A-Za-z0-9_.@/+-]*"
)
_NOT_BARE = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))


def scalar(value: Any) -> str:
    """A value as YAML has it: numbers and truths as they are, and quotes round texts that YAML would take for those."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    if _BARE.fullmatch(text) and text.lower() not in _NOT_BARE:
        return text
    if text and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
    if character in short:
        return short[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def flow(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def block(key: str, value: Any, indentation: str) -> str:
    """A key and its value in lines of their own."""
    start = f"{indentation}{scalar(key)}:"
    if isinstance(value, Mapping) and value:
        return f"{start}\n" + "".join(block(name, item, f"{indentation}  ") for name, item in value.items())
    if isinstance(value, list | tuple) and value:
        return f"{start}\n" + "".join(f"{indentation}  - {flow(item)}\n" for item in value)
    return f"{start} {flow(value)}\n"


def write_atomically(path: Path, text: str | bytes, mode: int | None = None) -> None:
    """Replace a file by one that is whole and on the disk, or leave it as it is. Raises OSError.

    ``mode``: of the file. By default one that exists keeps its own, and a new one can be read by everybody and
    written by its owner, or by the group that shares the folder.
    """
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    with suppress(FileNotFoundError):
        # The file that people see, where the name is a link to it.
        path = path.resolve(strict=True)
        mode = path.stat().st_mode & 0o777 if mode is None else mode
    own = path.with_name(f".{path.name}.{secrets.token_hex(_RANDOM)}")
    try:
        descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(descriptor, private_mode(path.parent) | 0o044 if mode is None else mode)
            os.fsync(descriptor)
        own.replace(path)
    finally:
        own.unlink(missing_ok=True)
    _clear_up(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _clear_up(path: Path) -> None:
    """Take away what runs that were killed while they wrote a file of this kind have left. Those of a run that is still
    at it are younger.
    """
    ours = re.compile(rf"\..+{re.escape(path.suffix)}\.[0-9a-f]{{{2 * _RANDOM}}}")
    with suppress(OSError):
        for each in [each for each in path.parent.iterdir() if ours.fullmatch(each.name)]:
            if time.time() - each.lstat().st_mtime > _LEFT_SECONDS:
                each.unlink()


def folded(name: str) -> str:
    """The key under which nouns, identities and properties are the same, in whatever case."""
    return ordinal_key(name.strip())
