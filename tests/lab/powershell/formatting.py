# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects as texts: Out-String, Format-List, Format-Table, JSON, CSV, and the file and path commands.

Layout: PowerShell/PowerShell, FormatAndOutput of March 2016 (FormatViewManager.cs, TableWriter.cs, ListWriter.cs,
BaseOutputtingCommand.cs): up to four properties make a table, more a list. Windows' format files are left out but for
those of a few types; where a table of objects without one has its columns side by side, their widths are those of the
widest cells (assumed for 5.1), before 5.0 the columns share the width of the line.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from psrpcore.types import ErrorCategory, ErrorRecord

from lab.objects.values import NetCollection, NetObject, all_properties, text_of, type_names
from lab.powershell.engine import Invocation
from lab.powershell.errors import PowerShellError, not_modelled
from lab.powershell.language.conversions import CUSTOM_OBJECT, is_number, names_of
from lab.powershell.language.literals import fitting
from lab.powershell.language.text import format_value, plain_text, to_text
from lab.powershell.language.values import (
    Hashtable,
    ScriptBlock,
    TypedList,
    is_array,
    items_of,
)
from lab.powershell.objects import resolved_property
from lab.powershell.registry import implements

_WIDTH = 120
_FORMAT = "Microsoft.PowerShell.Commands.Internal.Format."

#: Columns of types that have a format file on Windows: header, property, width (0: what is left), alignment.
_TABLES: dict[str, tuple[tuple[str, str, int, str], ...]] = {
    "System.ServiceProcess.ServiceController": (
        ("Status", "Status", 8, "<"),
        ("Name", "Name", 18, "<"),
        ("DisplayName", "DisplayName", 38, "<"),
    ),
    "Microsoft.PowerShell.Commands.GroupInfo": (
        ("Count", "Count", 5, ">"),
        ("Name", "Name", 25, "<"),
        ("Group", "Group", 0, "<"),
    ),
    "Microsoft.PowerShell.Commands.GroupInfoNoElement": (
        ("Count", "Count", 5, ">"),
        ("Name", "Name", 25, "<"),
    ),
    "System.Management.Automation.PSVariable": (("Name", "Name", 30, "<"), ("Value", "Value", 0, "<")),
    "System.Collections.DictionaryEntry": (("Name", "Name", 30, "<"), ("Value", "Value", 0, "<")),
    "System.Version": (
        ("Major", "Major", 6, "<"),
        ("Minor", "Minor", 6, "<"),
        ("Build", "Build", 6, "<"),
        ("Revision", "Revision", 8, "<"),
    ),
    "System.Management.Automation.AliasInfo": (
        ("CommandType", "CommandType", 15, "<"),
        ("Name", "DisplayName", 50, "<"),
    ),
}
_LISTS: dict[str, tuple[str, ...]] = {
    "System.TimeSpan": (
        *("Days", "Hours", "Minutes", "Seconds", "Milliseconds", "Ticks"),
        *("TotalDays", "TotalHours", "TotalMinutes", "TotalSeconds", "TotalMilliseconds"),
    ),
}


@dataclass
class Block:
    """Objects in one layout, and how they are laid out."""

    shape: str  # 'text', 'lines', 'list' or 'table'
    key: Any
    rows: list[list[tuple[str, Any]]] = field(default_factory=list)
    columns: tuple[tuple[str, str, int, str], ...] | None = None
    hide_headers: bool = False
    auto_size: bool | None = None


class Formatter:
    """Lays out objects in their order, with the blocks that PowerShell's formatting makes of them."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._version: str = invocation.session.powershell_version
        self._width = int(invocation.get("Width") or _WIDTH)
        self._limit = 4

    def blocks(self, items: Iterable[Any]) -> Iterator[Block]:
        current: Block | None = None
        for item in items:
            for made in self._made(item):
                if current is not None and current.shape == made.shape != "text" and current.key == made.key:
                    current.rows.extend(made.rows)
                    continue
                if current is not None:
                    yield current
                current = made
                if made.shape == "text":
                    yield made
                    current = None
        if current is not None:
            yield current

    def _made(self, item: Any) -> Iterator[Block]:
        if isinstance(item, NetObject) and isinstance(item.notes.get("block"), Block):
            yield item.notes["block"]
            return
        if isinstance(item, NetObject) and item.type_names[0].startswith(_FORMAT):
            return
        if isinstance(item, Hashtable) or (isinstance(item, dict) and not isinstance(item, NetObject)):
            columns = _TABLES["System.Collections.DictionaryEntry"]
            rows = [[("Name", key), ("Value", value)] for key, value in item.items()]
            yield Block("table", "dictionary", rows, columns)
            return
        if isinstance(item, ErrorRecord):
            yield Block("text", None, [[("", error_text(item, self._version))]])
            return
        if isinstance(item, NetObject) and item.type_names[0] == "Microsoft.PowerShell.Commands.MatchInfo":
            yield Block("lines", "match", [[("", str(item))]])
            return
        properties = self._properties(item)
        if properties is None:
            yield Block("text", None, [[("", self._plain(item))]])
            return
        yield self._laid_out(item, properties)

    def _laid_out(self, item: Any, properties: dict[str, Any]) -> Block:
        names = tuple(type_names(item))
        for name in names:
            if name in _TABLES:
                columns = _TABLES[name]
                row = [(header, self._member(item, source)) for header, source, _, _ in columns]
                return Block("table", name, [row], columns)
        pairs = list(properties.items())
        # Objects follow in a table while they are of one type; in a list, too.
        return Block("table" if len(pairs) <= 4 else "list", names[0], [pairs])

    def _member(self, item: Any, name: str) -> Any:
        found = list(resolved_property(self._invocation, item, name))
        return found[0][1] if found else None

    def _properties(self, item: Any) -> dict[str, Any] | None:
        """What is shown of an object; None: its text."""
        kind = names_of(item)[0] if item is not None else ""
        if kind in _LISTS:
            return {name: self._member(item, name) for name in _LISTS[kind]}
        if kind in _TABLES and not isinstance(item, NetObject):
            return {source: self._member(item, source) for _, source, _, _ in _TABLES[kind]}
        if isinstance(item, str) or not isinstance(item, NetObject):
            held = {} if isinstance(item, str) or is_number(item) else dict(all_properties(item))
            held.pop("DisplayHint", None)
            return held or None
        return dict(all_properties(item)) or None

    def _plain(self, item: Any) -> str:
        import datetime

        if isinstance(item, datetime.datetime):
            return "\r\n" + format_value(item, "F") + "\r\n"
        return plain_text(item) if not isinstance(item, str) else str(item)

    # Lines

    def lines(self, items: Iterable[Any]) -> Iterator[str]:
        for block in self.blocks(items):
            if block.shape == "text":
                for row in block.rows:
                    yield from row[0][1].split("\r\n") if "\r\n" in row[0][1] else row[0][1].split("\n")
            elif block.shape == "lines":
                yield from ("", *(row[0][1] for row in block.rows), "", "")
            elif block.shape == "list":
                yield from ("", "", *self._list(block), "", "")
            else:
                yield from ("", *self._table(block), "", "")

    def _list(self, block: Block) -> Iterator[str]:
        for number, row in enumerate(block.rows):
            if number:
                yield ""
            width = max((len(name) for name, _ in row), default=0)
            for name, value in row:
                shown = self.cell(value).replace("\r\n", "\n").split("\n")
                room = max(self._width - width - 3, 1)
                pieces = [line[at : at + room] for line in shown for at in range(0, max(len(line), 1), room)]
                yield f"{name.ljust(width)} : {pieces[0]}"
                for piece in pieces[1:]:
                    yield " " * (width + 3) + piece
        yield ""

    def cell(self, value: Any) -> str:
        """A property's value in a list or a table."""
        if value is None:
            return ""
        if isinstance(value, ScriptBlock):
            return str(value)
        if isinstance(value, dict):
            return _braces((str(to_text(key)) for key in value), self._limit)
        if is_array(value) or isinstance(value, (NetCollection, TypedList)):
            return _braces((self._item(item) for item in items_of(value)), self._limit)
        return self._item(value)

    def _item(self, value: Any) -> str:
        import datetime

        if isinstance(value, datetime.datetime):
            return text_of(value)
        return plain_text(value) if not isinstance(value, str) else str(value)

    def _table(self, block: Block) -> Iterator[str]:
        first = block.rows[0]
        columns = block.columns or tuple(
            (name, name, 0, ">" if _right(value) else "<") for name, value in first
        )
        rows = [
            [
                self.cell(dict(row).get(header)).replace("\r\n", " ").replace("\n", " ")
                for header, *_ in columns
            ]
            for row in block.rows
        ]
        widths = self._widths(block, columns, rows)
        shown = [number for number, width in enumerate(widths) if width > 0]
        if not block.hide_headers:
            yield _joined(
                (_fitted(columns[n][0], widths[n], columns[n][3]) for n in shown),
            )
            yield _joined(
                _fitted("-" * min(len(columns[n][0]), widths[n]), widths[n], columns[n][3]) for n in shown
            )
        for row in rows:
            yield _joined(_fitted(row[n], widths[n], columns[n][3]) for n in shown)

    def _widths(self, block: Block, columns: Sequence[Any], rows: list[list[str]]) -> list[int]:
        auto = block.auto_size
        if auto is None:
            auto = block.columns is None and self._version >= "5"
        if auto:
            return _trimmed(
                [max([len(columns[n][0]), *(len(row[n]) for row in rows)]) for n in range(len(columns))],
                self._width,
            )
        widths = [width for _, _, width, _ in columns]
        free = [number for number, width in enumerate(widths) if width <= 0]
        for number in free:
            widths[number] = 1
        left = self._width - sum(widths) - (len(widths) - 1)
        while left > 0 and free:
            for number in free:
                if left > 0:
                    widths[number] += 1
                    left -= 1
        return _trimmed(widths, self._width)


def _trimmed(widths: list[int], room: int) -> list[int]:
    """ColumnWidthManager.TrimToFit: what does not fit is taken from the last columns."""
    widths = list(widths)
    for number in range(len(widths) - 1, -1, -1):
        visible = [width for width in widths if width > 0]
        excess = sum(visible) + len(visible) - 1 - room
        if excess <= 0:
            break
        widths[number] = widths[number] - excess if widths[number] > excess else -1
    return widths


def _right(value: Any) -> bool:
    """Numbers and their like stand at the right (ComputeDefaultAlignment)."""
    import datetime

    return not isinstance(value, str) and (
        is_number(value) or isinstance(value, (bool, datetime.datetime, datetime.timedelta))
    )


def _fitted(text: str, width: int, alignment: str) -> str:
    if len(text) > width:
        text = text[: width - 3] + "..." if width > 3 else text[:width]
    return text.rjust(width) if alignment == ">" else text.ljust(width)


def _joined(cells: Iterable[str]) -> str:
    return " ".join(cells)


def _braces(items: Iterable[str], limit: int) -> str:
    shown = list(items)
    return "{" + ", ".join(shown[:limit]) + ("..." if len(shown) > limit else "") + "}"


def error_text(record: ErrorRecord, version: str) -> str:
    """An error as the NormalView of $ErrorView shows it."""
    info = record.InvocationInfo
    name = str(getattr(info, "InvocationName", "") or "")
    position = getattr(info, "PositionMessage", "") or ""
    head = f"{name} : {record}" if name else str(record)
    lines = [head, *str(position).split("\r\n")] if position else [head]
    lines.append(f"    + CategoryInfo          : {record.CategoryInfo}")
    lines.append(f"    + FullyQualifiedErrorId : {record.FullyQualifiedErrorId}")
    return "\r\n".join([*lines, " "])


@implements("Out-String", flows=True)
def out_string(invocation: Invocation, flow: Iterable[Any] | None) -> Iterator[str]:
    given = [invocation.get("InputObject")] if flow is None and invocation.given("InputObject") else flow
    lines = Formatter(invocation).lines(given or ())
    if invocation.get("Stream"):
        yield from lines
        return
    yield "".join(f"{line}\r\n" for line in lines)


def _format_objects(invocation: Invocation, block: Block) -> Iterator[NetObject]:
    """What Format-List and Format-Table put out: objects that only output commands understand."""

    def made(kind: str, **notes: Any) -> NetObject:
        return NetObject((f"{_FORMAT}{kind}", f"{_FORMAT}FormatInfoData", "System.Object"), notes=notes)

    yield made("FormatStartData")
    yield made("GroupStartData")
    yield made("FormatEntryData", block=block)
    yield made("GroupEndData")
    yield made("FormatEndData")


def _rows(invocation: Invocation, items: Sequence[Any]) -> list[list[tuple[str, Any]]]:
    wanted = invocation.get("Property") or ["*"]
    rows = []
    for item in items:
        row: dict[str, Any] = {}
        for one in wanted:
            for name, value in resolved_property(invocation, item, one):
                row.setdefault(name, _displayed(one, value))
        rows.append(list(row.items()))
    return rows


def _displayed(wanted: Any, value: Any) -> Any:
    """With the FormatString of a calculated property."""
    if isinstance(wanted, dict):
        for key, pattern in wanted.items():
            if "formatstring".startswith(to_text(key).lower()) and len(to_text(key)) > 1:
                return format_value(value, to_text(pattern))
    return value


@implements("Format-List", collects=True)
def format_list(invocation: Invocation, items: Sequence[Any]) -> Iterator[Any]:
    if not items:
        return
    if invocation.given("GroupBy"):
        raise not_modelled("Format-List -GroupBy")
    if not invocation.given("Property") and all(isinstance(item, str) or is_number(item) for item in items):
        yield from items
        return
    yield from _format_objects(invocation, Block("list", None, _rows(invocation, items)))


@implements("Format-Table", collects=True)
def format_table(invocation: Invocation, items: Sequence[Any]) -> Iterator[Any]:
    if not items:
        return
    if invocation.given("GroupBy"):
        raise not_modelled("Format-Table -GroupBy")
    if not invocation.given("Property") and all(isinstance(item, str) or is_number(item) for item in items):
        yield from items
        return
    block = Block("table", None, _rows(invocation, items))
    if not invocation.given("Property"):
        first = next(iter(Formatter(invocation)._made(items[0])))
        if first.shape == "table" and first.columns:
            rows = [row for item in items for made in Formatter(invocation)._made(item) for row in made.rows]
            block = Block("table", None, rows, first.columns)
    block.hide_headers = bool(invocation.get("HideTableHeaders"))
    block.auto_size = True if invocation.get("AutoSize") else None
    yield from _format_objects(invocation, block)


# JSON


@implements("ConvertTo-Json", collects=True)
def convert_to_json(invocation: Invocation, items: Sequence[Any]) -> Iterator[str]:
    """With the spacing of Windows PowerShell: four blanks a level, two between a name and its value."""
    value: Any = invocation.get("InputObject")
    if items:
        value = items[0] if len(items) == 1 else list(items)
    depth = int(invocation.get("Depth") if invocation.given("Depth") else 2)
    plain = _json_value(value, depth)
    if invocation.get("Compress"):
        yield _escaped(json.dumps(plain, ensure_ascii=False, separators=(",", ":")))
    else:
        yield _pretty(plain, "")


def _json_value(value: Any, depth: int) -> Any:
    import datetime
    import enum
    import uuid

    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, enum.Enum):
        return int(value.value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, datetime.datetime):
        epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        aware = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
        return f"/Date({int((aware - epoch).total_seconds() * 1000)})/"
    if isinstance(value, (int, float)):
        return int(value) if isinstance(value, int) else float(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, uuid.UUID):
        return str(value)
    if depth < 0:
        return to_text(value)
    if isinstance(value, dict):
        return {to_text(key): _json_value(content, depth - 1) for key, content in value.items()}
    if is_array(value):
        return [_json_value(item, depth - 1) for item in items_of(value)]
    if isinstance(value, ErrorRecord):
        raise not_modelled("errors as JSON")
    return {name: _json_value(content, depth - 1) for name, content in all_properties(value).items()}


def _escaped(text: str) -> str:
    """JavaScriptSerializer, by which Windows PowerShell converts, writes these as escapes."""
    return re.sub(r"[<>&']", lambda found: f"\\u{ord(found.group()):04x}", text)


def _scalar(value: Any) -> str:
    if isinstance(value, float):
        return plain_text(value) if value != int(value) or abs(value) > 1e15 else f"{value:.1f}"
    return _escaped(json.dumps(value, ensure_ascii=False))


def _pretty(value: Any, indent: str) -> str:
    inner = indent + "    "
    if isinstance(value, dict):
        if not value:
            return "{\r\n\r\n" + indent + "}"
        names = {name: _scalar(name) for name in value}
        pairs = (
            f"{inner}{names[n]}:  {_pretty(v, inner + ' ' * (len(names[n]) + 3))}" for n, v in value.items()
        )
        return "{\r\n" + ",\r\n".join(pairs) + f"\r\n{indent}}}"
    if isinstance(value, list):
        if not value:
            return "[\r\n\r\n" + indent + "]"
        return "[\r\n" + ",\r\n".join(f"{inner}{_pretty(item, inner)}" for item in value) + f"\r\n{indent}]"
    return _scalar(value)


@implements("ConvertFrom-Json", collects=True)
def convert_from_json(invocation: Invocation, items: Sequence[Any]) -> Iterator[Any]:
    text = invocation.get("InputObject") if not items else "\n".join(to_text(item) for item in items)
    try:
        parsed = json.loads(text, parse_float=_real)
    except json.JSONDecodeError:
        raise PowerShellError(
            f"Invalid JSON primitive: {_primitive(text)}.",
            category=ErrorCategory.NotSpecified,
            error_id="System.ArgumentException",
            exception="System.ArgumentException",
        ) from None
    value = _from_json(parsed)
    yield value


def _real(text: str) -> Any:
    return Decimal(text) if "e" not in text.lower() else float(text)


def _primitive(text: str) -> str:
    found = re.search(r"[A-Za-z_][^\s,\]}]*", text)
    return found.group() if found else ""


def _from_json(value: Any) -> Any:
    if isinstance(value, dict):
        return NetObject(CUSTOM_OBJECT, notes={name: _from_json(content) for name, content in value.items()})
    if isinstance(value, list):
        return [_from_json(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return fitting(value)
    return value


# CSV and name=value texts


@implements("ConvertTo-Csv", collects=True)
def convert_to_csv(invocation: Invocation, items: Sequence[Any]) -> Iterator[str]:
    if not items:
        return
    delimiter = invocation.get("Delimiter") or ","
    if not invocation.get("NoTypeInformation"):
        yield f"#TYPE {type_names(items[0])[0]}"
    names = list(all_properties(items[0]))

    def quoted(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    yield delimiter.join(quoted(name) for name in names)
    for item in items:
        held = all_properties(item)
        cells = ["" if held.get(name) is None else quoted(_csv_text(held[name])) for name in names]
        yield delimiter.join(cells)


def _csv_text(value: Any) -> str:
    return (
        type_names(value)[0]
        if is_array(value)
        else text_of(value)
        if not is_number(value)
        else plain_text(value)
    )


@implements("ConvertFrom-Csv", collects=True)
def convert_from_csv(invocation: Invocation, items: Sequence[Any]) -> Iterator[NetObject]:
    given = items or invocation.get("InputObject") or ()
    text = "\n".join(
        line for item in given for line in to_text(item).splitlines() if not line.startswith("#TYPE")
    )
    rows = list(csv.reader(io.StringIO(text), delimiter=invocation.get("Delimiter") or ","))
    header = list(invocation.get("Header") or (rows.pop(0) if rows else ()))
    for row in rows:
        if row:
            yield NetObject(
                CUSTOM_OBJECT, notes={n: (row[i] if i < len(row) else None) for i, n in enumerate(header)}
            )


@implements("ConvertFrom-StringData")
def convert_from_string_data(invocation: Invocation) -> Iterator[Hashtable]:
    table = Hashtable()
    for line in invocation.get("StringData").splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            table[name.strip()] = value.strip()
    yield table


@implements("Select-String", flows=True)
def select_string(invocation: Invocation, flow: Iterable[Any] | None) -> Iterator[Any]:
    """Over the texts of a pipeline; files are not searched."""
    from lab.powershell.language.object_members import regex_match
    from lab.powershell.language.text import regex

    flags = 0 if invocation.get("CaseSensitive") else re.IGNORECASE
    patterns = invocation.get("Pattern")
    for number, item in enumerate(flow or ()):
        text = to_text(item)
        for pattern in patterns:
            expression = regex(re.escape(pattern) if invocation.get("SimpleMatch") else pattern, flags)
            found = list(expression.finditer(text))
            if bool(found) == bool(invocation.get("NotMatch")):
                continue
            if invocation.get("Quiet"):
                yield True
                return
            yield NetObject(
                ("Microsoft.PowerShell.Commands.MatchInfo", "System.Object"),
                {
                    "IgnoreCase": not invocation.get("CaseSensitive"),
                    "LineNumber": number + 1,
                    "Line": text,
                    "Filename": "InputStream",
                    "Path": "InputStream",
                    "Pattern": pattern,
                    "Context": None,
                    "Matches": [
                        regex_match(one) for one in (found if invocation.get("AllMatches") else found[:1])
                    ],
                },
                text=text,
            )
            break
    if invocation.get("Quiet"):
        yield False
