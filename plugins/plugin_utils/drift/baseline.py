# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The baseline: for each noun one file that says what its objects should be, for people to read, edit and keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .documents import Document, Place, UnusableFile, block, flow, folded, is_null, plain

FORMAT = 1
ABSENT = "absent"
MANIFEST = "manifest.yml"
WAIVERS = "waivers.yml"


@dataclass(frozen=True)
class Value:
    """What a property should be, as it stands in the file, and where."""

    value: Any
    place: Place


@dataclass(frozen=True)
class BaselineObject:
    """``properties`` by the name in the file; None for an object that should not be there."""

    identity: str
    place: Place
    properties: Mapping[str, Value] | None

    def value_of(self, name: str) -> Value | None:
        key = folded(name)
        return next((value for each, value in (self.properties or {}).items() if folded(each) == key), None)


@dataclass(frozen=True)
class NounFile:
    """One noun's file. ``order`` are identities, first to last, or None where the file has no order."""

    noun: str
    place: Place
    objects: tuple[BaselineObject, ...]
    order: tuple[str, ...] | None = None
    order_place: Place | None = None

    def find(self, identity: str) -> BaselineObject | None:
        key = folded(identity)
        return next((each for each in self.objects if folded(each.identity) == key), None)


@dataclass(frozen=True)
class Baseline:
    """All files of a folder, by folded noun; ``folder`` is how people are told of it."""

    folder: str
    files: Mapping[str, NounFile] = field(default_factory=dict)

    def file_of(self, noun: str) -> NounFile | None:
        return self.files.get(folded(noun))


# -- reading ----------------------------------------------------------------------------------------------------------


def load(folder: Path) -> Baseline:
    """Every noun's file of a folder. Raises UnusableFile for the first thing that is wrong with one of them."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix in (".yml", ".yaml"))
    except FileNotFoundError:
        return Baseline(str(folder))
    except OSError as error:
        raise UnusableFile(folder, f"the folder cannot be read ({error.strerror or error})") from None
    files: dict[str, NounFile] = {}
    for path in paths:
        if path.name in (MANIFEST, WAIVERS) or path.name.startswith("."):
            continue
        file = parse(Document.at(path), path.stem)
        other = files.get(folded(file.noun))
        if other is not None:
            raise UnusableFile(file.place, f"{file.noun} has a file already, {other.place.file}")
        files[folded(file.noun)] = file
    return Baseline(str(folder), files)


def parse(document: Document, noun: str | None = None) -> NounFile:
    """``noun`` is the one that the file's name promises."""
    document.must_have_format(FORMAT)
    fields = document.fields(document.root, "a baseline", ("format", "noun", "objects"), ("order",))
    stated = document.text_of(fields["noun"].node, "noun")
    if noun is not None and folded(stated) != folded(noun):
        raise UnusableFile(fields["noun"].place, f"the noun is {stated}, and the file's name says {noun}")
    objects: list[BaselineObject] = []
    known: dict[str, BaselineObject] = {}
    node = fields["objects"].node
    for entry in () if is_null(node) else document.entries(node, "objects"):
        found = BaselineObject(entry.key, entry.place, _properties(document, entry.key, entry.node))
        if not entry.key.strip():
            raise UnusableFile(entry.place, "an identity is expected")
        twin = known.setdefault(folded(entry.key), found)
        if twin is not found:
            raise UnusableFile(
                entry.place, f"{entry.key} stands here again; it is in line {twin.place.line}, too"
            )
        objects.append(found)
    order, order_place = None, None
    if "order" in fields:
        order_place = fields["order"].place
        items = document.items(fields["order"].node, "order")
        order = tuple(document.text_of(item, "order") for item in items)
        if len({folded(each) for each in order}) != len(order):
            raise UnusableFile(order_place, "order names an object twice")
    return NounFile(stated, Place(document.name, 1), tuple(objects), order, order_place)


def _properties(document: Document, identity: str, node: Any) -> dict[str, Value] | None:
    value = plain(node)
    if isinstance(value, str) and folded(value) == folded(ABSENT):
        return None
    if value is None:
        return {}
    properties: dict[str, Value] = {}
    lines: dict[str, int] = {}
    if not isinstance(value, Mapping):
        raise document.problem(node, f"{identity}: properties are expected, or {ABSENT}")
    for entry in document.entries(node, identity):
        key = folded(entry.key)
        if not key:
            raise UnusableFile(entry.place, f"{identity}: the name of a property is expected")
        if key in lines:
            raise UnusableFile(entry.place, f"{entry.key} stands here again; it is in line {lines[key]}, too")
        lines[key] = entry.place.line
        properties[entry.key] = Value(plain(entry.node), entry.place)
    return properties


# -- writing ----------------------------------------------------------------------------------------------------------

Objects = Mapping[str, Mapping[str, Any] | None]
"""Identities with their properties, None where the object should be absent."""


def render(noun: str, objects: Objects, order: Sequence[str] | None = None) -> str:
    """A new file, the same bytes for the same objects however the server listed them."""
    text = f"---\nformat: {FORMAT}\nnoun: {noun}\n"
    if order is not None:
        text += block("order", list(order), "")
    if not objects:
        return f"{text}objects: {{}}\n"
    return f"{text}objects:\n" + "".join(
        _object(name, objects[name], "  ") for name in sorted(objects, key=sort_key)
    )


def sort_key(identity: str) -> tuple[bool, str, str]:
    """Global first; then by name, in whatever case."""
    return folded(identity) != folded("Global"), folded(identity), identity


def _object(identity: str, properties: Mapping[str, Any] | None, indentation: str) -> str:
    if properties is None:
        return block(identity, ABSENT, indentation)
    return block(
        identity,
        {name: properties[name] for name in sorted(properties, key=lambda n: (folded(n), n))},
        indentation,
    )


# -- editing in place -------------------------------------------------------------------------------------------------


def with_property(text: str, name: str, identity: str, prop: str, value: Any) -> str:
    """The file's text with one property changed or added, and everything else, comments included, as it was."""
    editor = _Editor(name, text)
    return editor.checked(editor.set_property(identity, prop, value))


def with_object(text: str, name: str, identity: str, properties: Mapping[str, Any] | None) -> str:
    """The same with a whole object added, replaced, or made absent."""
    editor = _Editor(name, text)
    return editor.checked(editor.set_object(identity, properties))


def with_order(text: str, name: str, order: Sequence[str]) -> str:
    editor = _Editor(name, text)
    return editor.checked(editor.set_order(order))


def updated(text: str, name: str, noun: str, objects: Objects, order: Sequence[str] | None) -> str:
    """The file's text as it has to be for these objects: as it is where it says the same already, edited in place where
    people have written comments into it, and new otherwise.
    """
    new = render(noun, objects, order)
    before, after = parse(Document(name, text)), parse(Document(name, new))
    if _plain_objects(before) == _plain_objects(after) and before.order == after.order:
        return text
    if "#" not in text:
        return new
    for each in before.objects:
        if after.find(each.identity) is None:
            text = without_object(text, name, each.identity)
    for identity, properties in objects.items():
        known = before.find(identity)
        if known is None or known.properties is None or properties is None:
            text = with_object(text, name, identity, properties)
            continue
        wanted = {folded(prop): as_text(value) for prop, value in properties.items()}
        for prop in known.properties:
            if folded(prop) not in wanted:
                text = without_property(text, name, identity, prop)
        for prop, value in properties.items():
            there = known.value_of(prop)
            if there is None or there.value != as_text(value):
                text = with_property(text, name, identity, prop, value)
    return text if order is None or before.order == tuple(order) else with_order(text, name, order)


def without_object(text: str, name: str, identity: str) -> str:
    """The file's text without an object, which is then not managed any more."""
    editor = _Editor(name, text)
    return editor.checked(editor.remove(identity))


def without_property(text: str, name: str, identity: str, prop: str) -> str:
    editor = _Editor(name, text)
    return editor.checked(editor.remove(identity, prop))


class _Editor:
    """Works with the parser's marks on the text, so that only what is meant changes."""

    def __init__(self, name: str, text: str) -> None:
        self._document = Document(name, text)
        self._file = parse(self._document)
        self._text = text
        self._end = "\r\n" if "\r\n" in text else "\n"
        self._wanted: Any = None

    def set_property(self, identity: str, prop: str, value: Any) -> str:
        entry = self._entry_of(self._objects, identity)
        if entry is None:
            return self.set_object(identity, {prop: value})
        key, node = entry
        self._expect(key.value, prop, value)
        if self._is_empty(node):
            return self._replaced(key, node, {prop: value})
        found = self._entry_of(node, prop)
        if found is not None:
            return self._replaced(*found, value)
        if node.flow_style:
            return self._spliced(
                node.end_mark.index - 1, node.end_mark.index - 1, f", {flow({prop: value})[1:-1]}"
            )
        indentation = " " * node.value[0][0].start_mark.column
        return self._inserted_behind(node, block(prop, value, indentation))

    def set_object(self, identity: str, properties: Mapping[str, Any] | None) -> str:
        entry = self._entry_of(self._objects, identity)
        self._wanted = _expected(self._file, identity, lambda before: properties)
        if entry is not None:
            return self._replaced(*entry, ABSENT if properties is None else properties)
        objects = self._objects
        value = ABSENT if properties is None else dict(properties)
        if self._is_empty(objects):
            key = next(key for key, node in self._document.root.value if node is objects)
            return self._replaced(key, objects, {identity: value})
        if objects.flow_style:
            at = objects.end_mark.index - 1
            return self._spliced(at, at, f", {flow({identity: value})[1:-1]}")
        indentation = " " * objects.value[0][0].start_mark.column
        return self._inserted_behind(objects, _object(identity, properties, indentation))

    def remove(self, identity: str, prop: str | None = None) -> str:
        """Without an object, or without one property of it; the last of a mapping leaves an empty one."""
        objects = _plain_objects(self._file)
        mapping = self._objects
        key, node = self._known(mapping, identity)
        if prop is None:
            del objects[key.value]
        else:
            properties = objects[key.value]
            mapping = node
            key, node = self._known(mapping, prop)
            del properties[key.value]
        self._wanted = (objects, list(self._file.order) if self._file.order is not None else None)
        if len(mapping.value) == 1:
            parent = next(entry for entry in self._pairs(self._document.root) if entry[1] is mapping)
            return self._replaced(*parent, {})
        if mapping.flow_style:
            raise UnusableFile(
                self._document.name, "it is written in a way that cannot be edited; change it by hand"
            )
        start = self._line_start(key.start_mark.index)
        end = self._last_line_end(node)
        return self._text[:start] + self._text[end:].removeprefix(self._end)

    def _known(self, node: Any, name: str) -> tuple[Any, Any]:
        found = self._entry_of(node, name)
        if found is None:
            raise KeyError(name)
        return found

    def _pairs(self, node: Any) -> Iterator[tuple[Any, Any]]:
        for key, value in node.value:
            yield key, value
            if isinstance(value, yaml.MappingNode):
                yield from self._pairs(value)

    def set_order(self, order: Sequence[str]) -> str:
        self._wanted = (_plain_objects(self._file), list(order))
        found = self._entry_of(self._document.root, "order")
        if found is not None:
            return self._replaced(*found, list(order))
        return self._inserted_behind(self._known_entry("noun"), block("order", list(order), ""))

    def checked(self, text: str) -> str:
        """Raises UnusableFile where the edited text does not say exactly what it should."""
        after = parse(Document(self._document.name, text))
        if (_plain_objects(after), list(after.order) if after.order is not None else None) != self._wanted:
            raise UnusableFile(
                self._document.name, "it is written in a way that cannot be edited; change it by hand"
            )
        return text

    # -- pieces --

    @property
    def _objects(self) -> Any:
        return self._known_entry("objects")

    def _known_entry(self, key: str) -> Any:
        """The value of a key that parsing has seen."""
        found = self._entry_of(self._document.root, key)
        if found is None:
            raise ValueError(f"the file has no {key}")
        return found[1]

    def _entry_of(self, node: Any, name: str) -> tuple[Any, Any] | None:
        if not hasattr(node, "value") or isinstance(node.value, str):
            return None
        return next(((key, value) for key, value in node.value if folded(key.value) == folded(name)), None)

    def _is_empty(self, node: Any) -> bool:
        """Whether it has no lines of its own to stand beside: null, ``{}``, or ``absent``."""
        return isinstance(node.value, str) or not node.value

    def _expect(self, identity: str, prop: str, value: Any) -> None:
        def changed(before: Any) -> dict[str, Any]:
            properties = dict(before or {})
            spelled = next((name for name in properties if folded(name) == folded(prop)), prop)
            return {**properties, spelled: value}

        self._wanted = _expected(self._file, identity, changed)

    def _spliced(self, start: int, end: int, new: str) -> str:
        return self._text[:start] + new.replace("\n", self._end) + self._text[end:]

    def _replaced(self, key: Any, node: Any, value: Any) -> str:
        """The value of one key replaced; what stands behind it in its line stays."""
        is_block = not getattr(node, "flow_style", True)
        if is_block and node.value and isinstance(value, list) and value and _is_list_of_scalars(node):
            return self._list_replaced(node, value)
        new = block("k", value, " " * key.start_mark.column)
        new = new[new.index(":") + 1 :].removesuffix("\n")
        start = _behind_colon(self._text, key)
        if not is_block or not node.value:
            rest_of_line = self._text[node.end_mark.index :].partition("\n")[0].strip()
            if "\n" in new and rest_of_line:
                # A comment behind the value stays in the line of the key.
                end = self._line_end(node.end_mark.index)
                return self._spliced(start, end, f" {rest_of_line}{new}")
            return self._spliced(start, node.end_mark.index, new)
        first = self._line_end(start)
        if "\n" not in new:
            return (
                self._spliced(start, start, new)[: first + len(new)] + self._text[self._last_line_end(node) :]
            )
        return self._spliced(first, self._last_line_end(node), new[new.index("\n") :])

    def _list_replaced(self, node: Any, value: list[Any]) -> str:
        """Lines of items that stay are kept as they are, in the new order, with the comments above and behind them."""
        start = self._line_start(node.value[0].start_mark.index)
        chunks: list[tuple[Any, str]] = []
        position = start
        for item in node.value:
            end = self._line_end(item.end_mark.index)
            end += len(self._end) if self._text[end : end + len(self._end)] == self._end else 0
            chunks.append((plain(item), self._text[position:end]))
            position = end
        dash = self._text.rindex("-", 0, node.value[0].start_mark.index)
        indentation = " " * (dash - self._line_start(dash))
        lines: list[str] = []
        for wanted in value:
            text = flow(wanted)
            at = next(
                (n for n, (item, _chunk) in enumerate(chunks) if flow(item) == text or item == wanted), None
            )
            chunk = f"{indentation}- {text}{self._end}" if at is None else chunks.pop(at)[1]
            lines.append(chunk if chunk.endswith(self._end) else chunk + self._end)
        new = "".join(lines)
        if not self._text[start:position].endswith(self._end):
            new = new.removesuffix(self._end)
        return self._text[:start] + new + self._text[position:]

    def _inserted_behind(self, node: Any, lines: str) -> str:
        at = self._last_line_end(node)
        return self._spliced(at, at, "\n" + lines.removesuffix("\n"))

    def _last_line_end(self, node: Any) -> int:
        """The end of the last line that belongs to a node; a block's own end mark stands behind what follows it."""
        while not isinstance(node.value, str) and node.value and not node.flow_style:
            last = node.value[-1]
            node = last[1] if isinstance(last, tuple) else last
        end = node.end_mark.index
        if isinstance(node.value, str) and node.style in ("|", ">"):
            # The mark of a block of text stands behind its last line end.
            while end > node.start_mark.index and self._text[end - 1] in "\r\n ":
                end -= 1
        return self._line_end(end)

    def _line_start(self, index: int) -> int:
        return self._text.rfind("\n", 0, index) + 1

    def _line_end(self, index: int) -> int:
        end = self._text.find("\n", index)
        end = len(self._text) if end < 0 else end
        return end - 1 if end > index and self._text[end - 1] == "\r" else end


def _behind_colon(text: str, key: Any) -> int:
    return text.index(":", key.end_mark.index) + 1


def _is_list_of_scalars(node: Any) -> bool:
    return isinstance(node.value, list) and all(
        isinstance(getattr(item, "value", None), str) for item in node.value
    )


def _plain_objects(file: NounFile) -> dict[str, Any]:
    return {
        each.identity: None if each.properties is None else {n: v.value for n, v in each.properties.items()}
        for each in file.objects
    }


def _expected(file: NounFile, identity: str, changed: Any) -> tuple[dict[str, Any], list[str] | None]:
    objects = _plain_objects(file)
    spelled = next((name for name in objects if folded(name) == folded(identity)), identity)
    after = changed(objects.get(spelled))
    objects[spelled] = None if after is None else {name: as_text(value) for name, value in after.items()}
    return objects, list(file.order) if file.order is not None else None


def as_text(value: Any) -> Any:
    """A value as it will be read again: every scalar a text."""
    if isinstance(value, Mapping):
        return {str(key): as_text(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_text(item) for item in value]
    if value is None or isinstance(value, str):
        return value
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
