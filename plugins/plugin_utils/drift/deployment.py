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
    """What tells one deployment from another. Sites come and go; the default SIP domain is there from the beginning.

    Either may be empty where it could not be read; never both.
    """

    default_sip_domain: str
    sites: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        return bool(self.default_sip_domain and self.sites)

    def is_same(self, other: Binding) -> bool:
        """As far as both are known."""
        domains = {folded(each.default_sip_domain) for each in (self, other) if each.default_sip_domain}
        return len(domains) < 2 and (bool(self._sites & other._sites) or not self.sites or not other.sites)

    @property
    def _sites(self) -> set[str]:
        return {folded(each) for each in self.sites}

    def __str__(self) -> str:
        sites = ", ".join(self.sites) or "not known"
        return f"default SIP domain {self.default_sip_domain or 'not known'}, sites {sites}"


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
    """Ask the deployment; one of the two cmdlets may fail. Raises the wire's errors, and Unreadable."""
    results = shell.run(*_READING)
    listed = results.objects()
    domains = [each for each in listed if each.get("IsDefault") is True]
    if len(domains) != 1 and not results.errors:
        raise Unreadable("Get-CsSipDomain did not say which SIP domain is the default one.")
    default = text_of(domains[0].get("Name") or domains[0]["Identity"]) if len(domains) == 1 else ""
    sites = [each for each in listed if "IsDefault" not in each and "Identity" in each]
    names = sorted({_site(each) for each in sites}, key=lambda name: (folded(name), name))
    if results.errors and not default and not names:
        raise shell.classify(results.errors[0])
    return Binding(default, tuple(names))


def _site(remote: RemoteObject) -> str:
    text = text_of(remote["Identity"])
    return text.partition(":")[2] or text


def must_be_same(
    name: str, found: Binding, known: Mapping[str, Binding], manifest: Binding | None, place: str
) -> None:
    """Raises BadArgument where one name stands for two deployments, or two names for one.

    ``known`` are the deployments that have a state folder, ``manifest`` is what the baseline was exported from, which
    is said at ``place``.
    """
    for other, binding in known.items():
        if other != name and not found.default_sip_domain:
            continue  # Sites of different deployments may have the same names.
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
            f"{place}: the baseline of {name} was exported from another deployment ({manifest}); this one has {found}."
        )
