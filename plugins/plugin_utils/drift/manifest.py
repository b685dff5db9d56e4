# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an export was: of which deployment, when, by whom, and which nouns it could read."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from .baseline import FORMAT
from .deployment import Binding
from .documents import Document, Place, UnusableFile, block, folded, plain


class Export(enum.Enum):
    """What became of a noun when it was exported. The value is what the file has."""

    READ = "read"
    FAILED = "failed"
    NOT_PERMITTED = "not_permitted"
    NOT_IN_VERSION = "not_in_version"
    EXCLUDED = "excluded"


@dataclass(frozen=True)
class NounExport:
    state: Export
    objects: int = 0
    note: str = ""
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Manifest:
    """``nouns`` by name, as the export was asked for them; what it was not asked for is not there."""

    binding: Binding | None = None
    deployment: str = ""
    time: str = ""
    host: str = ""
    account: str = ""
    server_version: str = ""
    collection_version: str = ""
    nouns: Mapping[str, NounExport] = field(default_factory=dict)
    place: Place | None = None
    """Where its file says which deployment it is from."""

    def state_of(self, noun: str) -> Export | None:
        key = folded(noun)
        return next((each.state for name, each in self.nouns.items() if folded(name) == key), None)


_TEXTS = ("deployment", "time", "host", "account", "server_version", "collection_version")


def parse(document: Document) -> Manifest:
    document.must_have_format(FORMAT)
    fields = document.fields(document.root, "a manifest", ("format", *_TEXTS, "bound_to", "nouns"))
    bound = document.fields(fields["bound_to"].node, "bound_to", ("default_sip_domain", "sites"))
    sites = [document.text_of(item, "sites") for item in document.items(bound["sites"].node, "sites")]
    nouns: dict[str, NounExport] = {}
    for entry in document.entries(fields["nouns"].node, "nouns"):
        own = document.fields(entry.node, entry.key, ("state",), ("objects", "note"))
        state, objects = plain(own["state"].node), plain(own["objects"].node) if "objects" in own else "0"
        if state not in [each.value for each in Export] or not (
            isinstance(objects, str) and objects.isdecimal()
        ):
            raise UnusableFile(entry.place, f"{entry.key}: this is no state of an export")
        note = plain(own["note"].node) if "note" in own else ""
        nouns[entry.key] = NounExport(Export(state), int(objects), str(note or ""), entry.place)
    return Manifest(
        Binding(document.text_of(bound["default_sip_domain"].node, "default_sip_domain"), tuple(sites)),
        nouns=nouns,
        place=fields["bound_to"].place,
        **{name: str(plain(fields[name].node) or "") for name in _TEXTS},
    )


def render(manifest: Manifest) -> str:
    text = f"---\nformat: {FORMAT}\n"
    for name in _TEXTS:
        text += block(name, getattr(manifest, name), "")
    binding = manifest.binding or Binding("", ())
    text += block(
        "bound_to", {"default_sip_domain": binding.default_sip_domain, "sites": list(binding.sites)}, ""
    )
    nouns = {
        name: {"state": each.state.value}
        | ({"objects": each.objects} if each.state is Export.READ else {})
        | ({"note": each.note} if each.note else {})
        for name, each in sorted(manifest.nouns.items(), key=lambda item: folded(item[0]))
    }
    return text + block("nouns", nouns, "")
