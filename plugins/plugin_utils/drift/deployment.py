# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which deployment it is: a name that people gave, bound to what the deployment says of itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..powershell.commands import Command
from ..powershell.results import RemoteObject
from ..powershell.shell import ManagementShell
from ..result.refusals import BadArgument, Unreadable, UnusableArgument, text_of
from .documents import folded

VARIABLE = "lync_remediation_deployment"
# It names folders.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}(?:\.[A-Za-z0-9_-]{1,63})*")
_READING = (Command("Get-CsSipDomain"), Command("Get-CsSite"))


@dataclass(frozen=True)
class Binding:
    """What tells one deployment from another. Sites come and go; the default SIP domain is there from the beginning."""

    default_sip_domain: str
    sites: tuple[str, ...]

    def is_same(self, other: Binding) -> bool:
        return folded(self.default_sip_domain) == folded(other.default_sip_domain) and (
            bool(self._sites & other._sites) or not self.sites or not other.sites
        )

    @property
    def _sites(self) -> set[str]:
        return {folded(each) for each in self.sites}

    def __str__(self) -> str:
        sites = ", ".join(self.sites) or "none"
        return f"default SIP domain {self.default_sip_domain}, sites {sites}"


def checked_name(name: object) -> str:
    """Raises UnusableArgument for a name that cannot be one of a folder."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UnusableArgument(
            "deployment",
            f"{name!r} is no name for a deployment. Allowed: letters, digits, points, dashes and underscores, as in "
            f"contoso; {VARIABLE} in group_vars gives it to all hosts of a deployment",
        )
    return name


def read_binding(shell: ManagementShell) -> Binding:
    """Ask the deployment. Raises the wire's errors, and Unreadable where it does not say."""
    results = shell.run(*_READING)
    if results.errors:
        raise shell.classify(results.errors[0])
    listed = results.objects()
    domains = [each for each in listed if each.get("IsDefault") is True]
    if len(domains) != 1:
        raise Unreadable("Get-CsSipDomain did not say which SIP domain is the default one.")
    default = domains[0]
    sites = [each for each in listed if "IsDefault" not in each and "Identity" in each]
    names = sorted({_site(each) for each in sites}, key=lambda name: (folded(name), name))
    return Binding(text_of(default.get("Name") or default["Identity"]), tuple(names))


def _site(remote: RemoteObject) -> str:
    text = text_of(remote["Identity"])
    return text.partition(":")[2] or text


def must_be_same(name: str, found: Binding, known: Mapping[str, Binding], manifest: Binding | None) -> None:
    """Raises BadArgument where one name stands for two deployments, or two names for one.

    ``known`` are the deployments that have a state folder, ``manifest`` is what the baseline was exported from.
    """
    for other, binding in known.items():
        if other == name and not binding.is_same(found):
            raise BadArgument(
                f"The deployment {name} is known as another one ({binding}), and this one has {found}. Give each "
                f"deployment a name of its own in {VARIABLE}."
            )
        if other != name and binding.is_same(found):
            raise BadArgument(
                f"This deployment ({found}) is known as {other} already, and was called {name} here. Use one name for "
                f"it in {VARIABLE}."
            )
    if manifest is not None and not manifest.is_same(found):
        raise BadArgument(
            f"The baseline of {name} was exported from another deployment ({manifest}), and this one has {found}."
        )
