# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of every action plugin here: from a task's arguments to a module's result.

The modules run inside Ansible's forked workers, never as processes of their own. Whatever is slow (imports, reading
documentation) therefore happens while this file and the action plugins are imported, which Ansible's parent process
does once.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import traceback
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import yaml
from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import connection_loader, fragment_loader
from ansible.utils.plugin_docs import add_fragments

from .argument_types import check_types
from .change.envelope import Envelope
from .change.journal import Journal, NoJournal, Origin, default_folder, run_id
from .powershell.errors import ManagementShellError
from .powershell.ordinal import same_name
from .powershell.session import Session as _Session  # noqa: F401 - loaded here, in the parent, for all workers
from .powershell.shell import ManagementShell
from .result import bounds
from .result.failures import UNCHANGED, failure_result
from .result.refusals import BadArgument, UnusableArgument
from .result.result import Result

CONNECTION = "lync.remediation.management_shell"
ACTION_GROUP = "group/lync.remediation.lync"
JOURNAL_VARIABLE = "lync_remediation_journal"

# The connection's documentation is its option table; reading it here spares every worker that.
connection_loader.get(CONNECTION, class_only=True)


class TaskTimedOut(ManagementShellError):
    """The task's own ``timeout`` ran out."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"The task's own timeout of {seconds} seconds ran out.")


class Defect(ManagementShellError):
    """An error of this collection's own code."""

    def __init__(self, error: Exception, *, has_written: bool) -> None:
        sentence = (
            f"lync.remediation has an error of its own, {type(error).__name__}: {error}. -vvv shows where."
        )
        super().__init__(sentence if has_written else f"{sentence} {UNCHANGED}")


class BaseAction(ActionBase):
    """What all modules share: they never see wrong types, unknown options or Ansible's own classes, and they never
    raise what is not Ansible's own, so that the result has every key and ``msg`` is one sentence of ours.
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
    def _perform(self, arguments: dict[str, Any], envelope: Any) -> dict[str, Any]:
        """Do what the task asks for and return the module's result; ``envelope`` is what `_envelope` gave."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        envelope: Envelope | None = None
        try:
            self._refuse_what_cannot_work()
            if self._task.delegate_to and self._requires_connection:
                # Ansible goes on calling it by the name of the host that the task was meant for.
                self._connection.set_option("inventory_hostname", str(self._task.delegate_to))
            arguments = validated(self._arguments, own_arguments(self))
            envelope = self._envelope(task_vars or {})
            result = self._perform(arguments, envelope)
        except (ManagementShellError, BadArgument) as error:
            result = self._failure(error, envelope)
        except BaseException as error:
            # The class has moved between versions of ansible-core.
            if type(error).__name__ == "TaskTimeoutError":
                result = self._failure(TaskTimedOut(self._task.timeout), envelope)
            else:
                result = self._defect(error, envelope)
        finally:
            # In a loop over delegated hosts Ansible forgets the connection of each item without closing it, and its
            # session would be lost to whoever comes next.
            if self._task.delegate_to:
                self._connection.close()
        if "drift" in result:
            result = {**result, "task": self._named_task()}
        warnings = [*result.get("warnings", ()), *(envelope.shell.take_warnings() if envelope else ())]
        return {**result, "warnings": warnings} if warnings else result

    def _named_task(self) -> str:
        """By its name, its file and its line: where what it found came from."""
        return ", ".join(filter(None, (self._task.get_name(), self._task.get_path())))

    def _failure(self, error: Exception, envelope: Envelope | None) -> dict[str, Any]:
        return envelope.failure(error) if envelope else failure_result(error)

    def _defect(self, error: BaseException, envelope: Envelope | None) -> dict[str, Any]:
        """An error of our own must not hide what has been written. Ansible tells its own errors best."""
        has_written = envelope is not None and envelope.has_written
        if not isinstance(error, Exception) or (isinstance(error, AnsibleError) and not has_written):
            raise error
        result = self._failure(Defect(error, has_written=has_written), envelope)
        return {**result, "exception": traceback.format_exc()}

    def _envelope(self, task_vars: Mapping[str, Any]) -> Envelope | None:
        check_mode = bool(self._task.check_mode)
        journal = NoJournal() if check_mode else self._journal(task_vars)
        return Envelope(self._connection.session, journal, check_mode=check_mode)

    def _journal(self, task_vars: Mapping[str, Any]) -> Journal | NoJournal:
        folder = self._journal_folder(task_vars)
        if folder is None:
            return NoJournal()
        origin = Origin(
            host=str(self._task.delegate_to or task_vars.get("inventory_hostname", "")),
            module=self._task.resolved_action or self._task.action,
            task=self._task.get_name(),
            playbook=self._task.get_path() or "",
        )
        return Journal(folder, run_id(C.DEFAULT_LOCAL_TMP), origin)

    def _journal_folder(self, task_vars: Mapping[str, Any]) -> Path | None:
        """Where changes are written down; None where the user wants that not to be done."""
        chosen = self._templar.template(task_vars.get(JOURNAL_VARIABLE))
        if chosen is False or (isinstance(chosen, str) and chosen.lower() in ("false", "no", "off")):
            return None
        if chosen is not None and not (isinstance(chosen, str) and chosen):
            raise UnusableArgument(JOURNAL_VARIABLE, f"{chosen!r} is neither a folder nor false")
        try:
            return default_folder() if chosen is None else Path(str(chosen)).expanduser()
        except RuntimeError:
            raise UnusableArgument(
                JOURNAL_VARIABLE, "the home folder is not known. Allowed: a folder, or false"
            ) from None

    def _refuse_what_cannot_work(self) -> None:
        if self._connection.transport != CONNECTION:
            raise UnusableArgument(
                "ansible_connection",
                f"'{self._connection.transport}' cannot be used by this module. Allowed: {CONNECTION}",
            )
        if self._task.become:
            raise UnusableArgument(
                "become",
                "a session runs as the account that opened it. Remove become, or name another one in ansible_user",
            )


class ModuleAction(BaseAction):
    """A module that changes something. Subclasses give ``DOCUMENTATION`` and `remediate`."""

    @abstractmethod
    def remediate(self, arguments: dict[str, Any], envelope: Envelope) -> Result:
        """Bring about what the task asks for. ``arguments`` are validated and native.

        May raise what ``result.refusals`` has, and what the ``powershell`` room raises.
        """

    def _perform(self, arguments: dict[str, Any], envelope: Envelope) -> dict[str, Any]:
        return self.remediate(arguments, envelope).as_dict()


class InfoAction(BaseAction):
    """A module that reads only. Subclasses give ``DOCUMENTATION`` and `query`."""

    @abstractmethod
    def query(self, arguments: dict[str, Any], shell: ManagementShell) -> dict[str, Any]:
        """The module's own keys. ``arguments`` are validated and native. May raise what `remediate` may."""

    def _journal(self, task_vars: Mapping[str, Any]) -> Journal | NoJournal:
        """There is nothing to write down."""
        return NoJournal()

    def _perform(self, arguments: dict[str, Any], envelope: Envelope) -> dict[str, Any]:
        return {"changed": False, **self.query(arguments, envelope.shell)}

    def _failure(self, error: Exception, envelope: Envelope | None) -> dict[str, Any]:
        return _without_changes(super()._failure(error, envelope))


class ControllerAction(BaseAction):
    """A module that reads what is on the controller, over any connection and without a session. Subclasses give
    ``DOCUMENTATION`` and `assess`.
    """

    _requires_connection = False

    @abstractmethod
    def assess(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The module's own keys. ``arguments`` are validated and native. May raise what `remediate` may."""

    def _refuse_what_cannot_work(self) -> None:
        """Nothing is asked of the host."""

    def _envelope(self, task_vars: Mapping[str, Any]) -> None:
        """Nothing is written, and there is no shell."""

    def _perform(self, arguments: dict[str, Any], envelope: None) -> dict[str, Any]:
        return {"changed": False, **self.assess(arguments)}

    def _failure(self, error: Exception, envelope: Envelope | None) -> dict[str, Any]:
        return _without_changes(super()._failure(error, envelope))


def _without_changes(failed: Mapping[str, Any]) -> dict[str, Any]:
    """What is read has no state before and after, so that only the keys that mean something are told."""
    return {key: value for key, value in failed.items() if key not in _KEYS_OF_CHANGES}


_KEYS_OF_CHANGES = frozenset({"before", "after", "drift", "commands", "restore_commands", "diff"})


# -- arguments --------------------------------------------------------------------------------------------------------

_SPEC_KEYS = ("type", "elements", "required", "default", "choices", "aliases", "no_log")


def argument_spec(documentation: str) -> dict[str, Any]:
    """The argument spec that a module's documentation describes, its fragments included."""
    document = yaml.safe_load(documentation)
    add_fragments(document, __file__, fragment_loader, is_module=True)
    return _spec_of(document.get("options") or {})


def own_arguments(action: ActionBase) -> dict[str, Any]:
    """The task's arguments without what the action group's defaults have for other modules of the group."""
    given = dict(action._task.args)
    defaults = group_defaults(action._task.module_defaults, action._templar.template)
    for option in [name for name in given if name not in action._arguments]:
        if option in defaults and given[option] == defaults[option] and option in options_of_the_group():
            del given[option]
    return given


def group_defaults(module_defaults: Sequence[Any] | None, template: Callable[[Any], Any]) -> dict[str, Any]:
    """What a play's ``module_defaults`` have for the collection's action group."""
    found: dict[str, Any] = {}
    for scope in module_defaults or ():
        for name, options in dict(scope).items():
            if name == ACTION_GROUP:
                found.update(template(options) or {})
    return found


@functools.cache
def options_of_the_group() -> frozenset[str]:
    """Every option that any module of the collection has: an action group's defaults may hold them all.

    Read only where a default is not an option of the module at hand.
    """
    from .. import modules

    found: set[str] = set()
    for module in pkgutil.iter_modules(modules.__path__):
        documented = importlib.import_module(f"{modules.__name__}.{module.name}")
        found.update(argument_spec(documented.DOCUMENTATION))
    return frozenset(found)


def _spec_of(options: Mapping[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = {}
    for name, option in options.items():
        spec[name] = {key: option[key] for key in _SPEC_KEYS if key in option}
        if "suboptions" in option:
            spec[name]["options"] = _spec_of(option["suboptions"])
    return spec


def validated(spec: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The task's arguments, of the right types, with defaults, as plain Python values. Raises `BadArgument`."""
    arguments = native(given)
    unknown = sorted(
        set(arguments)
        - set(spec)
        - {alias for option in spec.values() for alias in option.get("aliases", ())}
    )
    if unknown:
        allowed = (
            f"The options are {_listed(sorted(spec), quote=False)}." if spec else "The module has no options."
        )
        raise BadArgument(f"{_listed(unknown)}: there is no such option. {allowed}")
    for name, option in spec.items():
        if name in arguments and "choices" in option:
            arguments[name] = _canonical_choice(name, arguments[name], option)
    check_types(spec, arguments)
    result = ArgumentSpecValidator(dict(spec)).validate(arguments)
    if result.error_messages:
        raise BadArgument(" ".join(_sentence(message) for message in result.error_messages))
    usable = {name: value for name, value in native(result.validated_parameters).items() if name in spec}
    bounds.check(usable)
    return usable


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


def native(value: Any) -> Any:
    """A copy in plain Python types: values that ansible-core has tagged with their origin cannot be serialised by
    others.
    """
    if type(value).__name__ == "AnsibleVaultEncryptedUnicode":
        # Up to ansible-core 2.18 a vaulted text is a sequence of characters, and decrypts itself.
        return str(value)
    if isinstance(value, Mapping):
        return {str.__str__(str(key)): native(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [native(item) for item in value]
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
