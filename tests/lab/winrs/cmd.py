# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cmd.exe: its own commands, and the programs of the computer.

Texts are those of Windows in English, as published many times; exit codes are those that clients of WinRM reported
(1 for a command that there is not).  What the lab's cmd.exe does not know it says on standard error, and fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ..contract import Argument, CommandCall, Runspace, TerminatingError
from .command_line import CommandLine, IncorrectSyntax, NotUnderstood, Simple, expand, parse
from .console import Console, ProgramStreams, Window
from .environment import Environment
from .powershell_exe import run_powershell

#: What Windows' cmd.exe has built in and the lab's has not.
_NOT_MODELLED = frozenset(
    {
        *(
            "assoc",
            "break",
            "call",
            "color",
            "copy",
            "date",
            "del",
            "dir",
            "endlocal",
            "erase",
            "for",
            "ftype",
            "goto",
        ),
        *(
            "if",
            "md",
            "mkdir",
            "mklink",
            "move",
            "path",
            "pause",
            "popd",
            "pushd",
            "rd",
            "ren",
            "rename",
            "rmdir",
        ),
        *("setlocal", "shift", "start", "time", "title", "type", "verify", "vol"),
    }
)
#: Where Windows' own programs are.
_SYSTEM_FOLDERS = frozenset(
    {"", "c:\\windows\\", "c:\\windows\\system32\\", "c:\\windows\\system32\\windowspowershell\\v1.0\\"}
)
_PROGRAM = re.compile(r'"(?P<quoted>[^"]*)"?|(?P<plain>[^\s,;=/"]+)')
_BUILT_IN = re.compile(r"(echo|cd|chdir|set|rem|ver|exit|cls)(?=$|[\s,;=./\\:])", re.IGNORECASE)
#: A quote with the backslashes before it.
_QUOTE = re.compile(r'(\\*)"')
_ECHO_DELIMITER = re.compile(r"[\s,;=./\\:(\[+\]]?")


class CommandProcessor:
    """One run of cmd.exe.

    Args:
        build: of Windows, '10.0.14393.1884'.
    """

    def __init__(
        self,
        window: Window,
        open_runspace: Callable[[], Runspace],
        environment: Environment,
        directory: str,
        build: str,
        console: Console,
    ) -> None:
        self._window = window
        self._open_runspace = open_runspace
        self._environment = environment
        self._directory = directory
        self._build = build
        self._console = console
        self._runspace: Runspace | None = None
        self._exited: int | None = None

    def run(self, line: str) -> int:
        """What ``cmd.exe /c`` makes of it; the exit code."""
        variables = {name.lower(): value for name, value in self._environment.items()}
        known = _AnyCase({"errorlevel": "0", "cd": self._directory, **variables})
        try:
            parsed = parse(expand(line, known))
        except IncorrectSyntax as error:
            self._console.stderr(f"{error}\r\n")
            return 1
        except NotUnderstood as error:
            self._console.stderr(f"The lab's cmd.exe does not understand {error}.\r\n")
            return 1
        return 0 if parsed is None else self._evaluate(parsed, self._console)

    def program(self, line: str) -> int:
        """Run a program without cmd.exe (WINRS_SKIP_CMD_SHELL)."""
        return self._program(line, self._console)

    def finds(self, name: str) -> bool:
        """Whether the computer has a program of that name, without path and extension."""
        return name in ("cmd", "powershell") or self._programs.has_program(name)

    def close(self) -> None:
        if self._runspace is not None:
            self._runspace.close()

    @property
    def _programs(self) -> Runspace:
        """Which runs the computer's native programs."""
        if self._runspace is None:
            self._runspace = self._open_runspace()
        return self._runspace

    def _evaluate(self, line: CommandLine, console: Console) -> int:
        if isinstance(line, Simple):
            return self._simple(line, console)
        if line.operator == "|":
            # Each side has a cmd.exe of its own, which an exit in it ends.
            piped: list[str] = []
            self._own(console).run_part(line.left, replace(console, stdout=piped.append))
            return self._own(console).run_part(line.right, replace(console, stdin=lambda: "".join(piped)))
        code = self._evaluate(line.left, console)
        goes_on = {"&": True, "&&": code == 0, "||": code != 0}[line.operator]
        return self._evaluate(line.right, console) if goes_on and self._exited is None else code

    def run_part(self, line: CommandLine, console: Console) -> int:
        """One side of a pipe."""
        try:
            return self._evaluate(line, console)
        finally:
            self.close()

    def _own(self, console: Console) -> CommandProcessor:
        """Another cmd.exe, which inherits from this one."""
        environment = Environment(dict(self._environment))
        return CommandProcessor(
            self._window, self._open_runspace, environment, self._directory, self._build, console
        )

    def _simple(self, command: Simple, console: Console) -> int:
        console = console.redirected(command.stdout, command.stderr)
        text = command.text.lstrip("@")
        built_in = _BUILT_IN.match(text)
        try:
            if built_in is None:
                return self._program(text, console)
            name = built_in[1].lower()
            rest = text[built_in.end() :]
            with self._window.execution.command(name) as entry:
                entry.parameters = {"Arguments": rest.strip()}
                return _BUILT_INS[name](self, rest, console) if entry.effective else 0
        except TerminatingError as error:
            console.stderr(f"{error.record}\r\n")
            return 1

    def _program(self, text: str, console: Console) -> int:
        found = _PROGRAM.match(text)
        named = "" if found is None else (found["quoted"] or found["plain"] or "")
        rest = text[found.end() :] if found is not None else ""
        name = program_name(named)
        if name is None:
            console.stderr("The system cannot find the path specified.\r\n")
            return 1
        if name in _NOT_MODELLED:
            console.stderr(f"The lab's cmd.exe does not have the command '{name}'.\r\n")
            return 1
        if name == "cmd":
            return self._nested(rest, console)
        if name == "powershell":
            return run_powershell(split_arguments(rest), self._window, self._open_runspace, console)
        if not self._programs.has_program(name):
            with self._window.execution.command(named) as entry:
                entry.parameters = {"Arguments": rest.strip()}
                entry.result = "not recognized"
            console.stderr(
                f"'{named}' is not recognized as an internal or external command,\r\n"
                "operable program or batch file.\r\n"
            )
            return 1
        streams = ProgramStreams(self._window, console)
        arguments = tuple(Argument(None, argument) for argument in split_arguments(rest))
        self._programs.run(((CommandCall(name, arguments),),), streams, ())
        return self._programs.last_exit_code

    def _nested(self, rest: str, console: Console) -> int:
        """cmd.exe within cmd.exe: only with a command to run."""
        options = re.match(
            r"\s*((?:/[a-z](?::\w+)?\s*)*?)/[ck]\s*(?P<line>.*)$", rest, re.IGNORECASE | re.DOTALL
        )
        if options is None:
            console.stderr("The lab's cmd.exe does not run without /c.\r\n")
            return 1
        line = options["line"]
        if line.startswith('"') and '"' in line[1:]:
            # It takes off the first and the last quote (cmd /?; its exception for a quoted program is left out).
            last = line.rindex('"')
            line = line[1:last] + line[last + 1 :]
        nested = self._own(console)
        try:
            return nested.run(line)
        finally:
            nested.close()

    # Its own commands: what follows the name, and where to print

    def echo(self, rest: str, console: Console) -> int:
        text = rest[_ECHO_DELIMITER.match(rest).end() :]  # type: ignore[union-attr]  # it matches nothing, too
        if not rest.strip():
            text = "ECHO is on."
        elif rest.strip().lower() in ("on", "off"):
            return 0
        console.stdout(f"{text}\r\n")
        return 0

    def change_directory(self, rest: str, console: Console) -> int:
        wanted = re.sub(r"^\s*/d\b", "", rest, flags=re.IGNORECASE).strip().strip('"')
        if not wanted:
            console.stdout(f"{self._directory}\r\n")
            return 0
        path = _resolved(self._directory, wanted)
        if path.lower().rstrip("\\") not in self._known_folders():
            console.stderr("The system cannot find the path specified.\r\n")
            return 1
        self._directory = path
        return 0

    def _known_folders(self) -> set[str]:
        """Those that every computer has: the lab has no file system."""
        named = {value for value in self._environment.values() if re.fullmatch(r"[A-Z]:\\[^;%]*", value)}
        folders = {"c:", r"c:\windows", r"c:\windows\system32", r"c:\users"}
        return folders | {folder.lower().rstrip("\\") for folder in (*named, self._directory)}

    def set_variable(self, rest: str, console: Console) -> int:
        text = rest.strip().strip('"')
        name, equals, value = text.partition("=")
        if text.startswith("/"):
            console.stderr(f"The lab's cmd.exe does not understand set {text.split()[0]}.\r\n")
            return 1
        if not equals:
            found = [known for known in self._environment if known.lower().startswith(name.lower())]
            for known in found:
                console.stdout(f"{known}={self._environment[known]}\r\n")
            if not found:
                console.stderr(f"Environment variable {name} not defined\r\n")
            return 0 if found else 1
        if value:
            self._environment[name] = value
        else:
            self._environment.pop(name, None)
        return 0

    def version(self, rest: str, console: Console) -> int:
        console.stdout(f"\r\nMicrosoft Windows [Version {'.'.join(self._build.split('.')[:3])}]\r\n")
        return 0

    def exit(self, rest: str, console: Console) -> int:
        code = re.sub(r"^\s*/b\b", "", rest, flags=re.IGNORECASE).strip()
        self._exited = int(code) if re.fullmatch(r"-?\d{1,10}", code) else 0
        return self._exited

    def nothing(self, rest: str, console: Console) -> int:
        return 0


_BUILT_INS: Mapping[str, Callable[[CommandProcessor, str, Console], int]] = {
    "echo": CommandProcessor.echo,
    "cd": CommandProcessor.change_directory,
    "chdir": CommandProcessor.change_directory,
    "set": CommandProcessor.set_variable,
    "ver": CommandProcessor.version,
    "exit": CommandProcessor.exit,
    "rem": CommandProcessor.nothing,
    "cls": CommandProcessor.nothing,
}


class _AnyCase(dict[str, str]):
    """Values by name, in any spelling."""

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]  # only ever texts
        return super().get(name.lower(), default)


def program_name(named: str) -> str | None:
    """The name of a program without path and extension, in lower case; None of one outside of Windows' folders."""
    folder, name = re.fullmatch(r"(.*\\)?(.*)", named.strip('"').lower(), re.DOTALL).groups("")  # type: ignore[union-attr]
    if folder not in _SYSTEM_FOLDERS:
        return None
    return str(name.removesuffix(".exe"))


def split_arguments(text: str) -> Sequence[str]:
    """A program's arguments as Microsoft's C runtime takes them apart (Learn, parsing C command-line arguments)."""
    arguments: list[str] = []
    argument: str | None = None
    quoted, at = False, 0
    while at < len(text):
        quote = _QUOTE.match(text, at)
        if quote is not None:
            backslashes = len(quote[1])
            argument = (argument or "") + "\\" * (backslashes // 2) + ('"' if backslashes % 2 else "")
            quoted ^= backslashes % 2 == 0
            at = quote.end()
            continue
        if quoted or not text[at].isspace():
            argument = (argument or "") + text[at]
        elif argument is not None:
            arguments.append(argument)
            argument = None
        at += 1
    return arguments if argument is None else [*arguments, argument]


def _resolved(directory: str, wanted: str) -> str:
    if re.match(r"[A-Za-z]:", wanted):
        return wanted
    if wanted.startswith("\\"):
        return directory[:2] + wanted
    parts = directory.rstrip("\\").split("\\")
    for part in wanted.split("\\"):
        if part == "..":
            parts = parts[:1] if len(parts) <= 2 else parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "\\".join(parts) if len(parts) > 1 else f"{parts[0]}\\"
