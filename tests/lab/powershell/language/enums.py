# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Enumerations of .NET that scripts name (.NET's reference)."""

from __future__ import annotations

from typing import Any

from psrpcore.types import ErrorCategory, PSFlagBase, PSType

from lab.objects.values import enumeration


def _flags(type_name: str, **values: int) -> Any:
    import types

    made = types.new_class(
        type_name.rpartition(".")[2], (PSFlagBase,), exec_body=lambda namespace: namespace.update(values)
    )
    return PSType([type_name], rehydrate=False)(made)


#: By full name.
ENUMERATIONS: dict[str, Any] = {
    "System.DayOfWeek": enumeration(
        "System.DayOfWeek",
        ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"),
    ),
    "System.DateTimeKind": enumeration("System.DateTimeKind", ("Unspecified", "Utc", "Local")),
    "System.StringComparison": enumeration(
        "System.StringComparison",
        (
            *("CurrentCulture", "CurrentCultureIgnoreCase", "InvariantCulture", "InvariantCultureIgnoreCase"),
            *("Ordinal", "OrdinalIgnoreCase"),
        ),
    ),
    "System.StringSplitOptions": enumeration("System.StringSplitOptions", ("None", "RemoveEmptyEntries")),
    "System.Text.RegularExpressions.RegexOptions": _flags(
        "System.Text.RegularExpressions.RegexOptions",
        **{"None": 0, "IgnoreCase": 1, "Multiline": 2, "ExplicitCapture": 4, "Compiled": 8},
        **{"Singleline": 16, "IgnorePatternWhitespace": 32, "RightToLeft": 64, "CultureInvariant": 512},
    ),
    "System.Reflection.BindingFlags": _flags(
        "System.Reflection.BindingFlags",
        **{"Default": 0, "IgnoreCase": 1, "DeclaredOnly": 2, "Instance": 4, "Static": 8, "Public": 16},
        **{"NonPublic": 32, "FlattenHierarchy": 64},
    ),
    "System.Security.Principal.WindowsBuiltInRole": _flags(
        "System.Security.Principal.WindowsBuiltInRole", Administrator=544, User=545, Guest=546, PowerUser=547
    ),
    "System.Management.Automation.ErrorCategory": ErrorCategory,
}
