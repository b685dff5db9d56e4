# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Spans of time as people say them, and as results hold them."""

from __future__ import annotations


def span_text(seconds: float, *, signed: bool = False) -> str:
    """A span as people say it: ``+3 ms``, ``2.5 s``, ``-7 h 0 min``, ``4748 d 3 h``."""
    sign = "-" if seconds < 0 else "+" if signed else ""
    size = abs(seconds)
    if size < 0.9995:
        number = f"{size * 1000:.0f}"
        return f"{sign}{number} ms" if number != "0" else "0 ms"
    if size < 119.95:
        return f"{sign}{size:.1f} s"
    minutes = round(size / 60)
    if minutes < 60:
        return f"{sign}{minutes} min"
    if minutes < 48 * 60:
        return f"{sign}{minutes // 60} h {minutes % 60} min"
    hours = round(size / 3600)
    return f"{sign}{hours // 24} d {hours % 24} h"


def milliseconds(seconds: float) -> float:
    """As results hold spans: to the microsecond, and never -0.0."""
    return round(seconds * 1000, 3) + 0.0
