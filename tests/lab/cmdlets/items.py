# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Items of the registry and of the certificate store, by PowerShell's paths.

Texts and identifiers: PowerShell/PowerShell, SessionStateStrings.resx and RegistryProviderStrings.resx.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from psrpcore.types import ErrorCategory, PSByteArray, PSInt, PSInt64, PSUInt, PSUInt64

from lab.objects.values import NetObject, string_array, text_of
from lab.powershell.builtin import CUSTOM_OBJECT, has_wildcard, matches
from lab.powershell.engine import Invocation
from lab.powershell.errors import PowerShellError
from lab.powershell.registry import implements
from lab.windows.machine import TIME_ZONES
from lab.windows.registry import HIVES, KINDS, Registry, Value, parse_path

_PROVIDER = "Microsoft.PowerShell.Core\\Registry"
_STORES = ("localmachine", "localmachine\\my", "localmachine\\root", "localmachine\\ca")
_CERTIFICATES = re.compile(
    r"(?:microsoft\.powershell\.security\\certificate::|cert:)\\?(?P<rest>.*)", re.IGNORECASE
)


def path_not_found(path: str) -> PowerShellError:
    return PowerShellError(
        f"Cannot find path '{path}' because it does not exist.",
        category=ErrorCategory.ObjectNotFound,
        error_id="PathNotFound",
        exception="System.Management.Automation.ItemNotFoundException",
        target=path,
    )


def certificate_path(text: str) -> str | None:
    """``LocalMachine\\My`` for a path of the certificate store; None for other paths."""
    match = _CERTIFICATES.fullmatch(text)
    return match["rest"].replace("/", "\\").strip("\\") if match else None


def _given(invocation: Invocation) -> list[str]:
    return [text_of(path) for path in invocation.get("LiteralPath") or invocation.get("Path") or ["."]]


def _registry(invocation: Invocation, path: str) -> Registry:
    """The registry, with the list of time zones filled in where somebody is about to look at that."""
    machine = invocation.session.machine
    registry: Registry = machine.registry
    if path.lower().startswith(TIME_ZONES.lower()) and not registry.subkeys(TIME_ZONES):
        machine.list_zones()
    return registry


def _elsewhere(invocation: Invocation, path: str) -> PowerShellError:
    """A path of neither provider."""
    texts = invocation.session.deployment.texts
    drive = re.match(r"([A-Za-z]+):", path)
    if drive and drive[1].upper() not in ("C", "ENV", "FUNCTION", "VARIABLE", "ALIAS", "WSMAN"):
        return texts.error("drive_not_found", drive[1], drive=drive[1])
    return texts.error("file_system_not_modelled", path, path=path)


def _keys(invocation: Invocation) -> Iterator[str]:
    """The existing keys among the paths given; errors for the others."""
    for given in _given(invocation):
        path = parse_path(given)
        if path is None:
            invocation.error(_elsewhere(invocation, given))
        elif invocation.given("Path") and has_wildcard(path):
            registry = _registry(invocation, path)
            parent, _, pattern = path.rpartition("\\")
            yield from (k for k in registry.subkeys(parent) if matches(k.rpartition("\\")[2], pattern))
        elif not _registry(invocation, path).exists(path):
            invocation.error(path_not_found(given))
        else:
            yield _registry(invocation, path).spelled(path)


def _shown(value: Value) -> Any:
    """What is too large for a signed number comes without a sign (recorded)."""
    if value.kind == "DWord":
        return PSInt(value.data) if value.data < 2**31 else PSUInt(value.data)
    if value.kind == "QWord":
        return PSInt64(value.data) if value.data < 2**63 else PSUInt64(value.data)
    return string_array(value.data) if value.kind == "MultiString" else value.data


def _location(path: str) -> dict[str, Any]:
    """The notes that every item has; the members are those of recorded ones."""
    parent, _, name = path.rpartition("\\")
    root = path.partition("\\")[0]
    drive = next(short for short, long in HIVES.items() if long == root)
    return {
        "PSPath": f"{_PROVIDER}::{path}",
        "PSParentPath": f"{_PROVIDER}::{parent}",
        "PSChildName": name,
        "PSDrive": NetObject(
            ("System.Management.Automation.PSDriveInfo", "System.Object"),
            {
                "CurrentLocation": "",
                "Name": drive,
                "Provider": _PROVIDER,
                "Root": root,
                "Description": "The configuration settings for the local computer",
                "MaximumSize": None,
                "DisplayRoot": None,
            },
            {"Used": "", "Free": ""},
            text=drive,
        ),
        "PSProvider": NetObject(
            ("System.Management.Automation.ProviderInfo", "System.Object"),
            {
                "ImplementingType": "Microsoft.PowerShell.Commands.RegistryProvider",
                "HelpFile": "System.Management.Automation.dll-Help.xml",
                "Name": "Registry",
                "PSSnapIn": "Microsoft.PowerShell.Core",
                "ModuleName": "Microsoft.PowerShell.Core",
                "Module": None,
                "Description": "",
                "Capabilities": "ShouldProcess, Transactions",
                "Home": "",
            },
            text=_PROVIDER,
        ),
    }


def _property_missing(name: str, path: str) -> PowerShellError:
    return PowerShellError(
        f"Property {name} does not exist at path {path}.",
        category=ErrorCategory.InvalidArgument,
        error_id="System.Management.Automation.PSArgumentException",
        exception="System.Management.Automation.PSArgumentException",
        target=name,
    )


@implements("Get-ItemProperty")
def get_item_property(invocation: Invocation) -> Iterator[NetObject]:
    for path in _keys(invocation):
        values = {value.name: value for value in invocation.session.machine.registry.values(path)}
        wanted = invocation.get("Name")
        if wanted is not None:
            found = {n: v for n, v in values.items() if any(matches(n, pattern) for pattern in wanted)}
            for name in wanted:
                if not has_wildcard(name) and not any(matches(n, name) for n in values):
                    invocation.error(_property_missing(name, path))
            if not found:
                continue
            values = found
        notes = {name: _shown(value) for name, value in values.items()}
        if notes:
            yield NetObject(CUSTOM_OBJECT, notes={**notes, **_location(path)})


def _kind(invocation: Invocation, text: Any) -> str | None:
    if text is None:
        return None
    name = text_of(text)
    found = next((kind for kind in KINDS if kind.lower() == name.lower()), None)
    if found is None:
        raise PowerShellError(
            f'Could not bind parameter \'Type\'. Could not convert "{name}" to "Microsoft.Win32.RegistryValueKind". '
            f'The possible enumeration values are "{", ".join(KINDS)}".',
            category=ErrorCategory.InvalidArgument,
            error_id="System.ArgumentException",
            exception="System.ArgumentException",
            target=name,
        )
    return found


def _data(value: Any, kind: str | None, path: str) -> Any:
    if kind in ("DWord", "QWord"):
        try:
            return int(text_of(value) or "0", 0)
        except ValueError:
            size = 32 if kind == "DWord" else 64
            raise PowerShellError(
                f'Cannot convert value "{text_of(value)}" to type "System.UInt{size}". Error: "Input string was '
                'not in a correct format."',
                category=ErrorCategory.WriteError,
                error_id="System.Management.Automation.PSInvalidCastException",
                exception="System.Management.Automation.PSInvalidCastException",
                target=path,
            ) from None
    if kind == "MultiString":
        return [text_of(item) for item in value] if isinstance(value, (list, tuple)) else [text_of(value)]
    if kind == "Binary" and isinstance(value, bytes):
        return PSByteArray(value)
    if kind is None and isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return text_of(value)


def _target(path: str, name: str) -> str:
    return f"Item: {path} Property: {name}"


@implements("New-ItemProperty")
def new_item_property(invocation: Invocation) -> Iterator[NetObject]:
    name = invocation.get("Name")
    kind = _kind(invocation, invocation.get("PropertyType")) or "String"
    for path in _keys(invocation):
        registry = invocation.session.machine.registry
        if registry.has(path, name) and not invocation.get("Force"):
            raise PowerShellError(
                "The property already exists.",
                category=ErrorCategory.ResourceExists,
                error_id="System.IO.IOException",
                exception="System.IO.IOException",
                target=path,
            )
        if invocation.should_process(_target(path, name)):
            registry.put(path, name, _data(invocation.get("Value"), kind, path), kind)
            held = next(v for v in registry.values(path) if v.name.lower() == name.lower())
            yield NetObject(CUSTOM_OBJECT, notes={held.name: _shown(held), **_location(path)})


@implements("Set-ItemProperty")
def set_item_property(invocation: Invocation) -> Iterator[NetObject]:
    name = invocation.get("Name")
    given = invocation.get("Type")
    for path in _keys(invocation):
        registry = invocation.session.machine.registry
        held = next((v for v in registry.values(path) if v.name.lower() == name.lower()), None)
        kind = _kind(invocation, given.name if given is not None else None) or (held.kind if held else None)
        if invocation.should_process(_target(path, name)):
            registry.put(path, name, _data(invocation.get("Value"), kind, path), kind)
            if invocation.get("PassThru"):
                now = next(v for v in registry.values(path) if v.name.lower() == name.lower())
                yield NetObject(CUSTOM_OBJECT, notes={now.name: _shown(now), **_location(path)})


@implements("Remove-ItemProperty")
def remove_item_property(invocation: Invocation) -> Iterable[Any]:
    for path in _keys(invocation):
        for name in invocation.get("Name"):
            registry = invocation.session.machine.registry
            if not registry.has(path, name):
                invocation.error(_property_missing(name, path))
            elif invocation.should_process(_target(path, name)):
                registry.remove_value(path, name)
    return ()


def _key_object(registry: Registry, path: str) -> NetObject:
    values = registry.values(path)
    return NetObject(
        ("Microsoft.Win32.RegistryKey", "System.MarshalByRefObject", "System.Object"),
        {
            "SubKeyCount": len(registry.subkeys(path)),
            "View": "Default",
            "Handle": "Microsoft.Win32.SafeHandles.SafeRegistryHandle",
            "ValueCount": len(values),
            "Name": path,
        },
        {
            "Property": string_array([value.name for value in values]),
            **_location(path),
            "PSIsContainer": True,
        },
        text=path,
    )


def _certificates(invocation: Invocation, path: str, container: bool) -> list[NetObject]:
    """What is at that path of the store: the certificates in it, or the one of that thumbprint."""
    session = invocation.session
    held = session.deployment.certificates(session.computer.fqdn)
    zone = session.machine.zone
    stores = {"my": ("My", held.installed), "root": ("Root", held.roots), "ca": ("CA", ())}
    location, _, rest = path.lower().partition("\\")
    name, _, thumbprint = rest.partition("\\")
    if location != "localmachine" or name not in stores:
        return []
    spelled, certificates = stores[name]
    return [
        certificate.store_object(zone, spelled)
        for certificate in certificates
        if (container and not thumbprint) or certificate.thumbprint.lower() == thumbprint
    ]


@implements("Get-Item")
def get_item(invocation: Invocation) -> Iterator[NetObject]:
    yield from _items(invocation, children=False)


@implements("Get-ChildItem")
def get_child_item(invocation: Invocation) -> Iterator[NetObject]:
    yield from _items(invocation, children=True)


def _items(invocation: Invocation, children: bool) -> Iterator[NetObject]:
    for given in _given(invocation):
        store = certificate_path(given)
        if store is not None:
            found = _certificates(invocation, store, children)
            if not found and not (children and store.lower() in _STORES):
                invocation.error(path_not_found(given))
            yield from found
            continue
        path = parse_path(given)
        if path is None:
            invocation.error(_elsewhere(invocation, given))
            continue
        registry = _registry(invocation, path)
        if not registry.exists(path):
            invocation.error(path_not_found(given))
        elif children:
            yield from (_key_object(registry, key) for key in registry.subkeys(path))
        else:
            yield _key_object(registry, registry.spelled(path))


@implements("New-Item")
def new_item(invocation: Invocation) -> Iterator[NetObject]:
    """A key of the registry. -Force makes the keys above it as well, and empties one that exists."""
    for given in _given(invocation):
        path = parse_path(given)
        if path is None:
            raise _elsewhere(invocation, given)
        if invocation.get("Name"):
            path = f"{path}\\{invocation.get('Name')}"
        registry = _registry(invocation, path)
        force = bool(invocation.get("Force"))
        if registry.exists(path) and not force:
            raise PowerShellError(
                "A key in this path already exists.",
                category=ErrorCategory.ResourceExists,
                error_id="System.IO.IOException",
                exception="System.IO.IOException",
                target=NetObject(
                    ("Microsoft.PowerShell.Commands.RegistryWrapper", "System.Object"),
                    {"Name": path, "SubKeyCount": len(registry.subkeys(path)), "RegistryKey": path},
                ),
            )
        if not registry.exists(path.rpartition("\\")[0]) and not force:
            raise PowerShellError(
                "The registry key at the specified path does not exist.",
                category=ErrorCategory.InvalidArgument,
                error_id="System.ArgumentException",
                exception="System.ArgumentException",
                target=path.rpartition("\\")[0],
            )
        if invocation.should_process(f"Key: {path}"):
            registry.remove(path)
            registry.create(path)
            value = invocation.get("Value")
            if value is not None:
                registry.put(path, "(default)", text_of(value))
            yield _key_object(registry, registry.spelled(path))


@implements("Remove-Item")
def remove_item(invocation: Invocation) -> Iterable[Any]:
    for path in _keys(invocation):
        registry = invocation.session.machine.registry
        if registry.subkeys(path) and not invocation.get("Recurse"):
            query = (
                f"The item at {_PROVIDER}::{path} has children and the Recurse parameter was not specified. If "
                "you continue, all children will be removed with the item. Are you sure you want to continue?"
            )
            if not invocation.should_continue(query, "Confirm"):
                continue
        if invocation.should_process(f"Key: {path}"):
            registry.remove(path)
    return ()


@implements("Test-Path")
def test_path(invocation: Invocation) -> Iterator[bool]:
    for given in _given(invocation):
        store, path = certificate_path(given), parse_path(given)
        if store is not None:
            yield store.lower() in _STORES or bool(_certificates(invocation, store, container=False))
        else:
            yield path is not None and _registry(invocation, path).exists(path)
