# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of every action plugin here: from a task's arguments to a module's result.

The modules run inside Ansible's forked workers, never as processes of their own. Whatever is slow (imports, reading
documentation) therefore happens while this file and the action plugins are imported, which Ansible's parent process
does once.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import yaml
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import connection_loader, fragment_loader
from ansible.utils.plugin_docs import add_fragments

from .powershell.errors import CommandError, ConnectionRefused, ManagementShellError
from .powershell.ordinal import same_name
from .powershell.session import Session as _Session  # noqa: F401 - loaded here, in the parent, for all workers
from .powershell.shell import ManagementShell
from .result.refusals import BadArgument, ChangeFailed, Refused

CONNECTION = "lync.remediation.management_shell"
UNCHANGED = "Nothing has been changed."

# The connection's documentation is its option table; reading it here spares every worker that.
connection_loader.get(CONNECTION, class_only=True)


class ModuleAction(ActionBase):
    """Subclasses give ``DOCUMENTATION`` and `remediate`; they never see wrong types, unknown options or Ansible's own
    classes.
    """

    DOCUMENTATION: ClassVar[str]
    _arguments: ClassVar[dict[str, Any]]
    _requires_connection = True
    _supports_check_mode = True
    _supports_diff = True
    _supports_async = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "DOCUMENTATION" in vars(cls):
            cls._arguments = argument_spec(cls.DOCUMENTATION)

    @abstractmethod
    def remediate(
        self, arguments: dict[str, Any], shell: ManagementShell, *, check_mode: bool, diff: bool
    ) -> dict[str, Any]:
        """Do what the task asks for and return the module's result.

        ``arguments`` are validated and native. May raise what ``result.refusals`` has, and what the ``powershell``
        room raises; a task that fails tells its status as well, ``unknown`` where the state could not be judged.
        """

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        self._refuse_what_cannot_work()
        try:
            arguments = validated(self._arguments, self._task.args)
            return self.remediate(
                arguments,
                self._connection.session,
                check_mode=bool(self._task.check_mode),
                diff=bool(self._task.diff),
            )
        except BadArgument as error:
            raise AnsibleActionFail(f"{error} {UNCHANGED}") from None
        except ConnectionRefused as error:
            if error.unreachable:
                raise AnsibleConnectionFailure(str(error)) from None
            raise AnsibleActionFail(str(error)) from None
        except Refused as error:
            raise AnsibleActionFail(str(error), result={"status": error.status}) from None
        except ChangeFailed as error:
            said = {"error_details": details(error.cause)} if error.cause else {}
            raise AnsibleActionFail(str(error), result={**error.result, **said}) from None
        except CommandError as error:
            raise AnsibleActionFail(
                str(error), result={"status": "unknown", "error_details": details(error)}
            ) from None
        except ManagementShellError as error:
            raise AnsibleActionFail(str(error), result={"status": "unknown"}) from None
        finally:
            # In a loop over delegated hosts Ansible forgets the connection of each item without closing it, and its
            # session would be lost to whoever comes next.
            if self._task.delegate_to:
                self._connection.close()

    def _refuse_what_cannot_work(self) -> None:
        if self._connection.transport != CONNECTION:
            raise AnsibleActionFail(
                f"This module needs ansible_connection: {CONNECTION}; this host is reached with "
                f"{self._connection.transport}. {UNCHANGED}"
            )
        if self._task.become:
            raise AnsibleActionFail(
                "become has no meaning here: a session runs as the account that opened it. Remove become, or give "
                f"another account with ansible_user. {UNCHANGED}"
            )


def details(error: CommandError) -> dict[str, Any]:
    """What the server said, for people who look closer."""
    report = error.report
    return {
        "message": report.message,
        "category": report.category,
        "fully_qualified_id": report.fully_qualified_id,
        "exception_type": report.exception_type,
        "target": report.target,
        "command": report.command,
    }


# -- arguments --------------------------------------------------------------------------------------------------------

_SPEC_KEYS = ("type", "elements", "required", "default", "choices", "aliases", "no_log")


def argument_spec(documentation: str) -> dict[str, Any]:
    """The argument spec that a module's documentation describes, its fragments included."""
    document = yaml.safe_load(documentation)
    add_fragments(document, __file__, fragment_loader, is_module=True)
    return _spec_of(document.get("options") or {})


def _spec_of(options: Mapping[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = {}
    for name, option in options.items():
        spec[name] = {key: option[key] for key in _SPEC_KEYS if key in option}
        if "suboptions" in option:
            spec[name]["options"] = _spec_of(option["suboptions"])
    return spec


def validated(spec: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The task's arguments, of the right types, with defaults, as plain Python values. Raises `BadArgument`."""
    arguments = _native(given)
    unknown = sorted(
        set(arguments)
        - set(spec)
        - {alias for option in spec.values() for alias in option.get("aliases", ())}
    )
    if unknown:
        raise BadArgument(
            f"{_listed(unknown)}: there is no such option. The options are {_listed(sorted(spec), quote=False)}."
        )
    for name, option in spec.items():
        if name in arguments and "choices" in option:
            arguments[name] = _canonical_choice(name, arguments[name], option)
    result = ArgumentSpecValidator(dict(spec)).validate(arguments)
    if result.error_messages:
        raise BadArgument(" ".join(_sentence(message) for message in result.error_messages))
    return {name: value for name, value in _native(result.validated_parameters).items() if name in spec}


def _canonical_choice(name: str, value: Any, option: Mapping[str, Any]) -> Any:
    """An enumeration's value in its own spelling; Lync takes any."""
    if isinstance(value, list):
        return [_canonical_choice(name, item, option) for item in value]
    for choice in option["choices"]:
        if isinstance(value, str) and isinstance(choice, str) and same_name(choice, value):
            return choice
    if value is None or value in option["choices"]:
        return value
    raise BadArgument(
        f"{name}: '{value}' is not allowed. Allowed are {_listed(option['choices'], quote=False)}."
    )


def _native(value: Any) -> Any:
    """A copy in plain Python types: values that ansible-core has tagged with their origin cannot be serialised by
    others.
    """
    if isinstance(value, Mapping):
        return {str.__str__(str(key)): _native(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_native(item) for item in value]
    if isinstance(value, str):
        return str.__str__(value)  # In ansible-core 2.16 an unsafe text's own answer is an unsafe text again.
    for plain in (bool, int, float):
        if isinstance(value, plain):
            return plain(value)
    return value


def _listed(names: Sequence[Any], *, quote: bool = True) -> str:
    texts = [f"'{name}'" if quote else str(name) for name in names]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


def _sentence(message: str) -> str:
    message = message.strip()
    return message if message.endswith(".") else f"{message}."
