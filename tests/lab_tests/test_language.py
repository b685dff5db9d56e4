# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts and what they put out, by the page of PowerShell's documentation that says so."""

from __future__ import annotations

from typing import Any

import pytest
from lab.contract import CommandCall, TerminatingError
from lab.objects.values import plain
from psrpcore.types import ErrorRecord

from .direct import RecordingStreams, Shell

FRONT_END = {"server": "fe01.contoso.com", "path": "/wsman"}


@pytest.fixture(scope="module")
def shells() -> dict[str, Shell]:
    """A shell of each product version, hence of each version of PowerShell."""
    return {version: Shell(version, **FRONT_END) for version in ("2010", "2013", "2019")}


class Run:
    """What a script did in a fresh state of a shell."""

    def __init__(self, shell: Shell, script: str, reset: bool = True) -> None:
        if reset:
            shell.runspace.reset()
        shell.streams = self.streams = RecordingStreams()
        self.failure: ErrorRecord | None = None
        try:
            shell.runspace.run([(CommandCall(script, is_script=True),)], self.streams, [])
        except TerminatingError as error:
            self.failure = error.record

    @property
    def outputs(self) -> list[Any]:
        """The output as plain values."""
        return [str(value) if isinstance(value, str) else plain(value) for value in self.streams.outputs]

    @property
    def errors(self) -> list[ErrorRecord]:
        return [*self.streams.errors, *([self.failure] if self.failure is not None else [])]


#: Page: scripts with what they put out on PowerShell 5.1.
OUTPUTS: dict[str, list[tuple[str, list[Any]]]] = {
    "about_Arithmetic_Operators": [
        ("6 + 2; 6 - 2; 6 * 2; 7 / 2; 6 / 2; 7 % 4", [8, 4, 12, 3.5, 3, 3]),
        ("'file' + 'name'; '!' * 3", ["filename", "!!!"]),
        ("'2' * 3; 2 * '3'; 2 + '3'; '2' + 3", ["222", 6, 5, "23"]),
        ("6 + 2 * 3; (6 + 2) * 3", [12, 24]),
        ("-6; 2 + -3; - - 1", [-6, -1, 1]),
        ("[int]5 / [int]2; ([int]4 / [int]2).GetType().Name", [2.5, "Int32"]),
        ("[int]::MaxValue + 1; ([int]::MaxValue + 1).GetType().Name", [2147483648.0, "Double"]),
        ("2147483648 + 1; (2147483648).GetType().Name", [2147483649, "Int64"]),
        ("[int]2.5; [int]3.5; [int]'0x10'; [int]' 7 '", [2, 4, 16, 7]),
        ("-7 % 3; 7.5 % 2; 1.5 + 1", [-1, 1.5, 2.5]),
        ("(1.5d + 1).GetType().Name; 10l.GetType().Name", ["Decimal", "Int64"]),
        ("$a = 5; $a += 2; $a *= 3; $a -= 1; $a /= 4; $a; $a %= 3; $a", [5, 2]),
        ('$i = 1; $i++; $i; ++$i; $i--; $j = $i++; "$i $j"', [2, "3 2"]),
        ("1,2 + 3,4; (1,2) * 2", [1, 2, 3, 4, 1, 2, 1, 2]),
        ("@{a=1} + @{b=2} | % Count", [2]),
        ("10 -band 3; 10 -bor 3; 10 -bxor 3; -bnot 10; 1 -shl 4; 16 -shr 2", [2, 11, 9, -11, 16, 4]),
        ("1kb; 2mb; 0xff; 1e3; .5", [1024, 2097152, 255, 1000.0, 0.5]),
        (
            '0.1 + 0.2; "$(0.1 + 0.2)"; "$(1/3)"; "$(1e20)"',
            [0.30000000000000004, "0.3", "0.333333333333333", "1E+20"],
        ),
    ],
    "about_Assignment_Operators": [
        ('$a = $b = 3; "$a$b"', ["33"]),
        ("$a, $b, $c = 1, 2, 3, 4; $c.Count; $b", [2, 2]),
        ("$a = 1, 2; $a += 3; $a.Count", [3]),
        ("[string]$s = 5; $s = 7; $s.GetType().Name", ["String"]),
        ("$a = 'one'; $a += 'two'; $a", ["onetwo"]),
        ("$h = @{a=1}; $h += @{b=2}; $h.Keys.Count; $h.c = 3; $h['c']", [2, 3]),
        ("($x = 5); $y = (1..3)[1]; $y", [5, 2]),
    ],
    "about_Arrays": [
        ("$a = 22, 5, 10; $a[0]; $a[-1]; $a[0,2]; $a[1..2]", [22, 10, 22, 10, 5, 10]),
        ("$a = 0..9; $a[-3..-1]; $a.Length; $a.Count", [7, 8, 9, 10, 10]),
        ("@().Count; @(1).Count; (,1).GetType().Name; @($null).Count", [0, 1, "Object[]", 1]),
        ("[int[]]$a = '1', '2'; $a.GetType().Name; $a[0].GetType().Name", ["Int32[]", "Int32"]),
        ("$a = 1, 2, 3; $a[1] = 9; $a -join ','", ["1,9,3"]),
        ("$a = @('a', 'b'); $a[5] -eq $null", [True]),
        ("(1..5).Where({ $_ -gt 3 }); (1..3).ForEach({ $_ * 2 })", [4, 5, 2, 4, 6]),
        ("(1..5).Where({ $_ -gt 2 }, 'First', 1)", [3]),
        ("@(@(1, 2), @(3)).Count; (@(1, 2), @(3))[0][1]", [2, 2]),
        ("$a = @(1,2,3); ($a | Measure-Object).Count; $a -contains 2", [3, True]),
        ("$l = New-Object System.Collections.ArrayList; [void]$l.Add('x'); $l.Add('y'); $l.Count", [1, 2]),
        ("$l = [System.Collections.Generic.List[int]]::new(); $l.Add('5'); $l[0].GetType().Name", ["Int32"]),
    ],
    "about_Hash_Tables": [
        ("$h = @{Number = 1; Shape = 'Square'}; $h.Number; $h['shape']; $h.Count", [1, "Square", 2]),
        ("$h = [ordered]@{b=1; a=2}; $h.Keys; $h[0]; $h.a", ["b", "a", 1, 2]),
        ("$h = @{}; $h.Add('k', 1); $h.Remove('k'); $h.Count; $h.ContainsKey('k')", [0, False]),
        (
            'foreach ($k in ([ordered]@{a=1; b=2}).GetEnumerator()) { "$($k.Name)=$($k.Value)" }',
            ["a=1", "b=2"],
        ),
        ("$h = @{ 'a b' = 1; 3 = 'x' }; $h.'a b'; $h[3]", [1, "x"]),
        ("$p = @{x = 1}; $h = @{p = $p}; $h.p.x; $h.nothing -eq $null", [1, True]),
    ],
    "about_PSCustomObject": [
        (
            "$o = [pscustomobject]@{Name = 'x'; Value = 5}; $o.Name; $o.Value; \"$o\"",
            ["x", 5, "@{Name=x; Value=5}"],
        ),
        (
            (
                "$o = [pscustomobject]@{a=1}; $o.a = 2; $o.a; "
                "$o | Add-Member -NotePropertyName b -NotePropertyValue 3; $o.b"
            ),
            [2, 3],
        ),
        ("([pscustomobject]@{b=1; a=2}).PSObject.Properties | % Name", ["b", "a"]),
        ("$o = New-Object PSObject -Property @{x=1}; $o.x; $o.PSObject.Properties['x'].Value", [1, 1]),
    ],
    "about_Comparison_Operators": [
        ("1 -eq 1; 'a' -eq 'A'; 'a' -ceq 'A'; 1 -eq '1'; '01' -eq 1", [True, True, False, True, False]),
        ("1,2,3 -gt 1; 'a','b' -ne 'a'; 1,2 -eq 3 | measure | % Count", [2, 3, "b", 0]),
        ("$null -eq $null; @() -eq $null; 0 -eq $null; '' -eq $null", [True, False, False]),
        (
            "'PowerShell' -like '*shell'; 'abc' -like 'a?c'; 'x' -notlike 'y*'; 'abc' -like '[a-c]*'",
            [True] * 4,
        ),
        (
            "'Hello' -match 'l+'; $Matches[0]; 'k=v' -match '(?<key>\\w)=(\\w)'; $Matches.key; $Matches[1]",
            [True, "ll", True, "k", "v"],
        ),
        (
            "'book' -replace 'o', 'a'; 'John D' -replace '(\\w+) (\\w)', '$2 $1'; 'x' -creplace 'X', 'y'",
            ["baak", "D John", "x"],
        ),
        ("1,2 -contains 2; 'b' -in 'a','B'; 'b' -cin 'a','B'; 3 -notin 1,2", [True, True, False, True]),
        (
            "1 -is [int]; 'x' -is [string]; 1 -isnot [string]; (1,2) -is [array]; '5' -as [int]; 'x' -as [int]",
            [True, True, True, True, 5, None],
        ),
        ("'a' -lt 'b'; 10 -gt 9; '10' -gt 9; 'a' -le 'A'", [True, True, False, True]),
        ("[version]'1.10' -gt [version]'1.9'; [datetime]'2020-01-02' -gt '2020-01-01'", [True, True]),
    ],
    "about_Logical_Operators": [
        (
            "$true -and $false; $true -or $false; $true -xor $true; -not $true; !0",
            [False, True, False, False, True],
        ),
        ("$false -and (1/0); $true -or (1/0)", [False, True]),
        (
            "[bool]''; [bool]'false'; [bool]0; [bool]@(); [bool]@(0); [bool]@(0,0); [bool]@{}",
            [False, True, False, False, False, True, True],
        ),
    ],
    "about_Split": [
        ("-split 'red yellow  blue'", ["red", "yellow", "blue"]),
        (
            "'a,b,c' -split ',', 2; 'aXbxc' -csplit 'x'; 'a.b' -split '.', 0, 'SimpleMatch'",
            ["a", "b,c", "aXb", "c", "a", "b"],
        ),
        (
            "'Mercury,Venus' -split '(,)'; 'a1b2' -split { $_ -match '\\d' }",
            ["Mercury", ",", "Venus", "a", "b", ""],
        ),
    ],
    "about_Join": [
        ("-join ('a', 'b'); 'a', 'b' -join '; '; (1..3) -join ''", ["ab", "a; b", "123"]),
    ],
    "about_Operators": [
        (
            "1..5 -join ' '; (5..3) -join ' '; '{0} of {1:d3} {2,4}|{3,-4}|' -f 1, 2, 3, 4",
            ["1 2 3 4 5", "5 4 3", "1 of 002    3|4   |"],
        ),
        (
            "'{0:n2} {0:p0} {1:x} {2:yyyy-MM-dd} {{}}' -f 1234.5, 255, [datetime]'2020-03-04'",
            ["1,234.50 123,450 % ff 2020-03-04 {}"],
        ),
        (
            "& { 'called' }; & 'Write-Output' 1; $sb = { param($x) $x * 2 }; & $sb 4; . { $dotted = 1 }; $dotted",
            ["called", 1, 8, 1],
        ),
        (
            "[math]::Pow(2, 3); [Math]::Max(3, 7); [string]::Join('-', 1, 2); [int]::MaxValue",
            [8.0, 7, "1-2", 2147483647],
        ),
        ("$x = 5; \"$($x + 1) ${x}th\"; 'a'.ToUpper().Length", ["6 5th", 1]),
    ],
    "about_Operator_Precedence": [
        ("2 + 3 -eq 5 -and -not $false; 1,2 + 3 -join ''; !$true -eq $false", [True, "123", True]),
        ("-split 'a b' -join '+'; 'a' + 1 -eq 'a1'; (1..2 + 3 * 2) -join ','", ["a+b", True, "1,2,6"]),
    ],
    "about_Quoting_Rules": [
        (
            "$i = 5; \"The value of $i is $i.\"; 'The value of $i'",
            ["The value of 5 is 5.", "The value of $i"],
        ),
        (
            '"The value of `$i"; \'don\'\'t\'; "say ""x"""; "$(2 + 3)"',
            ["The value of $i", "don't", 'say "x"', "5"],
        ),
        ("$a = @{k = 'v'}; \"$($a.k) $a.k\"", ["v System.Collections.Hashtable.k"]),
        ('"a`tb`r`n".Length; "`0".Length', [5, 1]),
        ("$n = 'x'; @\"\nline \"one\" $n\n\"@\n@'\nraw $n\n'@", ['line "one" x', "raw $n"]),
        ('"$env:COMPUTERNAME ${env:COMPUTERNAME}"', ["FE01 FE01"]),
        ('$a = 1, 2; "$a"; $OFS = \'-\'; "$a"; "$null|"', ["1 2", "1-2", "|"]),
        ("\"$true $(1.5) $([datetime]'2020-01-02')\"", ["True 1.5 01/02/2020 00:00:00"]),
    ],
    "about_If": [
        ("$a = 3; if ($a -gt 2) { 'big' } else { 'small' }", ["big"]),
        (
            (
                "$a = 1; if ($a -eq 3) { 'a' } elseif ($a -eq 1) { 'b' } else { 'c' }; "
                "$x = if ($true) { 1 } else { 2 }; $x"
            ),
            ["b", 1],
        ),
        ("if (@()) { 'yes' } else { 'no' }; if (@(0, 0)) { 'yes' }", ["no", "yes"]),
    ],
    "about_Switch": [
        ("switch (3) { 1 { 'one' } 2 { 'two' } 3 { 'three' } 3 { 'again' } }", ["three", "again"]),
        ("switch (4, 2) { 1 { 'one' } 2 { 'two' } default { 'none' } }", ["none", "two"]),
        (
            "switch -Wildcard ('fourteen') { 1 { 'one' } 'fo*' { 'wild'; break } 'fourteen' { 'not' } }",
            ["wild"],
        ),
        ("switch -Regex ('key=7') { '^(\\w+)=(\\d)$' { $Matches[2]; continue } default { 'x' } }", ["7"]),
        ("switch (5) { { $_ -gt 3 } { \"$_ is big\" } { $_ -lt 3 } { 'small' } }", ["5 is big"]),
        ("switch ('Hi') { 'hi' { 1 } }; switch -CaseSensitive ('Hi') { 'hi' { 1 } default { 2 } }", [1, 2]),
        (
            "foreach ($i in 1..2) { switch ($i) { 1 { continue } 2 { 'two' } } ; \"after $i\" }",
            ["after 1", "two", "after 2"],
        ),
    ],
    "about_For, about_Foreach, about_While, about_Do": [
        ("for ($i = 0; $i -lt 3; $i++) { $i }", [0, 1, 2]),
        ("foreach ($l in 'a', 'b') { $l }; foreach ($n in $null) { 'never' }", ["a", "b"]),
        ("$i = 0; while ($i -lt 2) { $i++; $i }", [1, 2]),
        ("$i = 5; do { $i-- } while ($i -gt 3); $i; do { $i++ } until ($i -ge 9); $i", [3, 9]),
        (
            "$sum = 0; foreach ($n in 1..10) { if ($n % 2) { continue }; if ($n -gt 6) { break }; $sum += $n }; $sum",
            [12],
        ),
        (
            ':outer foreach ($a in 1..3) { foreach ($b in 1..3) { if ($b -eq 2) { continue outer }; "$a$b" } }',
            ["11", "21", "31"],
        ),
        ("$r = foreach ($i in 1..3) { $i * 2 }; $r.Count; $r[2]", [3, 6]),
    ],
    "about_Functions": [
        (
            (
                'function Get-Small { param($Size = 10) "$Size" }; Get-Small; Get-Small 5; Get-Small -Size 7; '
                "Get-Small -S 3"
            ),
            ["10", "5", "7", "3"],
        ),
        ("function Add-Two ($a, [int]$b) { $a + $b }; Add-Two 1 '2'; Add-Two -b 3 -a 4", [3, 7]),
        ("function f { $args.Count; $args[0] }; f 1 2 3; f", [3, 1, 0, None]),
        (
            (
                "function Switch-Item { param([switch]$on) if ($on) { 'on' } else { 'off' } }; "
                "Switch-Item -on; Switch-Item; Switch-Item -on:$false"
            ),
            ["on", "off", "off"],
        ),
        ("function f { begin { $s = 0 } process { $s += $_ } end { $s } }; 1, 2, 4 | f", [7]),
        (
            "filter odd { if ($_ % 2) { $_ } }; 1..5 | odd; function g { $input | % { $_ * 2 } }; 1, 2 | g",
            [1, 3, 5, 2, 4],
        ),
        ("function f { return 1, 2; 3 }; (f).Count; function g { 'out'; return }; g", [2, "out"]),
        ("function fact($n) { if ($n -le 1) { 1 } else { $n * (fact ($n - 1)) } }; fact 10", [3628800]),
        ('$p = @{a = 1; b = 2}; function f($a, $b) { "$a-$b" }; f @p; $q = 3, 4; f @q', ["1-2", "3-4"]),
    ],
    "about_Functions_Advanced_Parameters": [
        (
            "function f { param([Parameter(ValueFromPipeline=$true)][int]$n) process { $n * 2 } }; '1', 2 | f",
            [2, 4],
        ),
        (
            "function f { param([Parameter(ValueFromPipelineByPropertyName=$true)]$Name) process { $Name } };"
            " [pscustomobject]@{Name='x'} | f",
            ["x"],
        ),
        ("function f { param([Alias('CN')][string]$ComputerName) $ComputerName }; f -cn box", ["box"]),
        (
            (
                "function f { [CmdletBinding()] param($a) $PSBoundParameters.Keys; "
                "$PSBoundParameters.ContainsKey('b') }; f -a 1"
            ),
            ["a", False],
        ),
        ("function f { param([ValidateRange(1, 5)][int]$n) $n }; f 3", [3]),
    ],
    "about_Scopes": [
        ("$x = 1; function f { $x = 2; $x }; f; $x", [2, 1]),
        ("$x = 1; function f { $script:x = 3; $global:y = 4 }; f; $x; $y", [3, 4]),
        ("$x = 1; function inner { $x }; function outer { $x = 5; inner }; outer", [5]),
        ("$x = 1; & { $x = 2 }; $x; . { $x = 3 }; $x; 1 | % { $x = 4 }; $x", [1, 3, 4]),
    ],
    "about_Script_Blocks": [
        ("$a = { param($p1, $p2) \"p1: $p1, p2: $p2\" }; & $a -p2 'x' 'y'", ["p1: y, p2: x"]),
        ("{ 1 + 1 }.Invoke(); $x = 5; $c = { $x }.GetNewClosure(); $x = 6; & $c", [2, 5]),
        (
            "Invoke-Command -ScriptBlock { param($a) $a + 1 } -ArgumentList 4; ({ 'text' }).ToString()",
            [5, " 'text' "],
        ),
    ],
    "about_Try_Catch_Finally": [
        ("try { throw 'bad' } catch { \"caught $_\" } finally { 'finally' }", ["caught bad", "finally"]),
        ("try { 1/0 } catch [System.DivideByZeroException] { 'zero' } catch { 'other' }", ["zero"]),
        (
            "try { Get-Nonsense } catch [System.Management.Automation.CommandNotFoundException] { $_.TargetObject }",
            ["Get-Nonsense"],
        ),
        (
            "try { [int]::Parse('x') } catch [FormatException] { $_.Exception.GetType().Name }",
            ["MethodInvocationException"],
        ),
        ("function f { Get-Nonsense; 'not reached' }; try { f } catch { 'caught' }", ["caught"]),
        (
            "try { try { throw 'in' } finally { 'f1' } } catch { \"out $($_.Exception.Message)\" }",
            ["f1", "out in"],
        ),
        ("try { throw 'a' } catch { try { throw } catch { \"again $_\" } }", ["again a"]),
        (
            "try { Write-Error 'x' -ErrorAction Stop } catch { $_.Exception.GetType().Name; \"$_\" }",
            ["WriteErrorException", "x"],
        ),
        ("$ErrorActionPreference = 'Stop'; try { Write-Error 'x' } catch { 'stopped' }", ["stopped"]),
        ("function f { try { return 1 } finally { 'cleanup' } }; f", [1, "cleanup"]),
    ],
    "about_Throw": [
        (
            (
                'try { throw } catch { "$_" }; '
                "try { throw [System.ArgumentException]'no' } catch { $_.Exception.GetType().FullName }"
            ),
            ["ScriptHalted", "System.ArgumentException"],
        ),
        ("try { throw @{code = 5} } catch { $_.TargetObject.code }", [5]),
    ],
    "about_Trap": [
        ("function f { trap { 'trapped'; continue } ; 1/0; 'after' }; f", ["trapped", "after"]),
    ],
    "about_Automatic_Variables": [
        (
            "$true; $false; $null -eq $null; $PSVersionTable.PSVersion.Major; $PSCulture",
            [True, False, True, 5, "en-US"],
        ),
        ("1..3 | ForEach-Object { $_ }; 1..2 | % { $PSItem * 10 }", [1, 2, 3, 10, 20]),
        (
            "Get-Nonsense 2>$null; $?; $Error.Count; $Error[0].FullyQualifiedErrorId; 1 | Out-Null; $?",
            [False, 1, "CommandNotFoundException", True],
        ),
        ("hostname; $LASTEXITCODE; $Host.Name; $env:USERNAME", ["FE01", 0, "ServerRemoteHost", "uc-admin"]),
        ("$PSSenderInfo.ConnectedUser; $PSSenderInfo.UserInfo.Identity.Name", ["CONTOSO\\uc-admin"] * 2),
    ],
    "about_Redirection": [
        ("(Write-Error 'x' 2>&1).Exception.Message; (Write-Warning 'w' 3>&1).Message", ["x", "w"]),
        ("1 > $null; Get-Nonsense 2> $null; & { 1; Write-Error 'e' } 2>&1 | % { \"[$_]\" }", ["[1]", "[e]"]),
        (
            (
                "'a', 'b' > C:\\Windows\\Temp\\x.txt; 'c' >> C:\\Windows\\Temp\\x.txt; "
                "Get-Content C:\\Windows\\Temp\\x.txt"
            ),
            ["a", "b", "c"],
        ),
    ],
    "about_Environment_Variables": [
        (
            "$env:FOO = 'bar'; $env:foo; (Get-Item env:FOO).Value; Remove-Item env:FOO; Test-Path env:FOO",
            ["bar", "bar", False],
        ),
        ("$env:windir; [Environment]::GetEnvironmentVariable('OS')", ["C:\\Windows", "Windows_NT"]),
    ],
    "about_Variables, about_Providers": [
        (
            "$x = 1; (Get-Variable x).Value; Set-Variable y 2; $y; Remove-Variable x; $x -eq $null; ${a b} = 3; ${a b}",
            [1, 2, True, 3],
        ),
        (
            "$v = 'n'; New-Variable $v 7; Get-Variable n -ValueOnly; $variable:n; Test-Path variable:n",
            [7, 7, True],
        ),
        ("function f { 1 }; Test-Path function:f; ${function:f}.ToString().Trim()", [True, "1"]),
    ],
    "about_Methods, about_Properties": [
        (
            (
                "'abc'.Substring(1, 1); 'a-b'.Split('-'); ' x '.Trim(); 'abc'.Contains('b'); "
                "'abc'.IndexOf('c'); 'ab'.PadLeft(4, '.')"
            ),
            ["b", "a", "b", "x", True, 2, "..ab"],
        ),
        (
            "'a,b;c'.Split(',;'); 'abc'.Replace('b', 'x').ToUpper(); 'x'.Equals('X'); 'abc'[1]; 'Abc'.StartsWith('a')",
            ["a", "b", "c", "AXC", False, "b", False],
        ),
        (
            "(Get-Date '2020-02-28').AddDays(2).ToString('yyyy-MM-dd'); ([datetime]'2020-01-31').AddMonths(1).Day",
            ["2020-03-01", 29],
        ),
        (
            (
                "([datetime]'2020-01-02' - [datetime]'2020-01-01').TotalHours; "
                "(New-TimeSpan -Minutes 90).Hours; [timespan]'1.02:03:04' | % Days"
            ),
            [24.0, 1, 1],
        ),
        (
            (
                "[guid]::Empty.ToString(); [version]'1.2.3.4' | % Build; "
                "([guid]'6F9619FF-8B86-D011-B42D-00C04FC964FF').ToString('N')"
            ),
            ["00000000-0000-0000-0000-000000000000", 3, "6f9619ff8b86d011b42d00c04fc964ff"],
        ),
        (
            (
                "[Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes('hi')); "
                "[Text.Encoding]::ASCII.GetString([Convert]::FromBase64String('aGk='))"
            ),
            ["aGk=", "hi"],
        ),
        (
            "[Math]::Round(2.5); [Math]::Round(3.14159, 2); [Math]::Floor(-1.5); [Math]::Ceiling(1.2); [Math]::Abs(-3)",
            [2.0, 3.14, -2.0, 2.0, 3],
        ),
        (
            "[string]::IsNullOrEmpty(''); [string]::Format('{0}!', 'x'); [char]65 | % ToString; [int][char]'A'",
            [True, "x!", "A", 65],
        ),
        (
            "[TimeZoneInfo]::Local.Id; [Environment]::MachineName; [IO.Path]::GetFileName('C:\\a\\b.txt')",
            ["Pacific Standard Time", "FE01", "b.txt"],
        ),
        ("$n = 0; [int]::TryParse('42', [ref]$n); $n", [True, 42]),
        (
            "[regex]::Match('a12', '\\d+').Value; [regex]::Replace('a1', '\\d', 'x'); [regex]::Escape('a.b')",
            ["12", "ax", "a\\.b"],
        ),
        (
            "(1, 2, 3).GetType().Name; 'x'.GetType().FullName; (Get-Date).GetType().Name; $null.Count; (5).Count",
            ["Object[]", "System.String", "DateTime", 0, 1],
        ),
        (
            "@([pscustomobject]@{n=1}, [pscustomobject]@{n=2}).n; ('a', 'bb').Length; ('a', 'bb').ToUpper()",
            [1, 2, 2, "A", "BB"],
        ),
    ],
    "about_Calculated_Properties, Select-Object": [
        (
            "1..5 | Select-Object -First 2; 1..5 | select -Last 1; 1..5 | select -Skip 3; 1, 1, 2 | select -Unique",
            [1, 2, 5, 4, 5, 1, 2],
        ),
        (
            (
                "[pscustomobject]@{a=1; b=2} | Select-Object a, @{Name='c'; "
                'Expression={$_.a + $_.b}} | % { "$($_.a) $($_.c)" }'
            ),
            ["1 3"],
        ),
        (
            (
                "'abc' | Select-Object -Property Length, @{n='u'; e={$_.ToUpper()}} | % u; "
                "'ab' | select -ExpandProperty Length"
            ),
            ["ABC", 2],
        ),
        (
            "[pscustomobject]@{a=1; b=2} | select * -ExcludeProperty a | % { $_.PSObject.Properties.Name }",
            ["b"],
        ),
    ],
    "Where-Object, ForEach-Object": [
        (
            "1..6 | Where-Object { $_ % 2 -eq 0 }; 'a', 'bb' | ? Length -gt 1; 1..3 | where { $_ -ne 2 }",
            [2, 4, 6, "bb", 1, 3],
        ),
        (
            (
                "'x', 'y' | ForEach-Object -Begin { 'b' } -Process { $_ } -End { 'e' }; "
                "1, 2 | % { $s += $_ }; $s; 'a' | % ToUpper"
            ),
            ["b", "x", "y", "e", 3, "A"],
        ),
        (
            "@{a=1}, @{a=2} | ? a -eq 2 | % { $_.a }; 'ab', 'cd' | ? { $_ -like 'a*' } | % Substring 1",
            [2, "b"],
        ),
    ],
    "Sort-Object, Group-Object, Measure-Object": [
        (
            "3, 1, 2 | Sort-Object; 3, 1, 2 | sort -Descending; 'b', 'A' | sort; 'bb', 'a' | sort { $_.Length }",
            [1, 2, 3, 3, 2, 1, "A", "b", "a", "bb"],
        ),
        (
            "[pscustomobject]@{n=2}, [pscustomobject]@{n=1} | sort n | % n; 1, 1, 2 | sort -Unique",
            [1, 2, 1, 2],
        ),
        (
            (
                "'a', 'b', 'a' | Group-Object | % { \"$($_.Name)=$($_.Count)\" }; "
                "('aa', 'b' | group Length -AsHashTable)[2]"
            ),
            ["a=2", "b=1", "aa"],
        ),
        (
            (
                "$m = 1..4 | Measure-Object -Sum -Average -Maximum -Minimum; $m.Sum; $m.Average; $m.Maximum; "
                "$m.Minimum; $m.Count"
            ),
            [10.0, 2.5, 4.0, 1.0, 4],
        ),
    ],
    "ConvertTo-Json, ConvertFrom-Json": [
        (
            (
                "@{a=1} | ConvertTo-Json -Compress; [pscustomobject]@{s='x\"y'; n=$null; "
                "l=@(1,'2')} | ConvertTo-Json -Compress"
            ),
            ['{"a":1}', '{"s":"x\\"y","n":null,"l":[1,"2"]}'],
        ),
        ("@{a=1} | ConvertTo-Json", ['{\r\n    "a":  1\r\n}']),
        (
            '$o = \'{"a": {"b": [1, true, null]}}\' | ConvertFrom-Json; $o.a.b[0]; $o.a.b[1]; $o.a.b.Count',
            [1, True, 3],
        ),
    ],
    "Out-String, about_Format.ps1xml": [
        ("[pscustomobject]@{Name='x'; Id=5} | Out-String", ["\r\nName Id\r\n---- --\r\nx     5\r\n\r\n\r\n"]),
        (
            "[pscustomobject]@{a=1; b=2; c=3; d=4; e='x'} | Out-String",
            ["\r\n\r\na : 1\r\nb : 2\r\nc : 3\r\nd : 4\r\ne : x\r\n\r\n\r\n\r\n"],
        ),
        ("'text', 5 | Out-String; 'a', 'b' | Out-String -Stream", ["text\r\n5\r\n", "a", "b"]),
        (
            "[pscustomobject]@{a=1; b='x'} | Format-List | Out-String",
            ["\r\n\r\na : 1\r\nb : x\r\n\r\n\r\n\r\n"],
        ),
        (
            "[pscustomobject]@{a=1; b=@(1,2)} | Format-Table -HideTableHeaders | Out-String",
            ["\r\n1 {1, 2}\r\n\r\n\r\n"],
        ),
    ],
    "about_Aliases, Invoke-Expression": [
        (
            "Invoke-Expression '1 + 1; $x = 3'; $x; Set-Alias foo Write-Output; foo 5; iex \"'a'\"",
            [2, 3, 5, "a"],
        ),
        (
            "Microsoft.PowerShell.Utility\\Write-Output 1; echo a b; (date).GetType().Name",
            [1, "a", "b", "DateTime"],
        ),
    ],
}


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(script, expected, id=f"{page.split(',')[0]}-{number}")
        for page, table in OUTPUTS.items()
        for number, (script, expected) in enumerate(table)
    ],
)
def test_what_a_script_puts_out(shells: dict[str, Shell], script: str, expected: list[Any]) -> None:
    run = Run(shells["2019"], script)
    tolerated = "Get-Nonsense" in script
    assert tolerated or [str(record) for record in run.errors] == []
    assert run.outputs == expected


#: Scripts with the errors they end in: identifier, category, and the beginning of the text. Sources:
#: ParserStrings.resx,
#: ExtendedTypeSystem.resx, ParameterBinderStrings.resx and SessionStateStrings.resx of PowerShell/PowerShell.
ERRORS: list[tuple[str, str, str, str]] = [
    ("1/0", "RuntimeException", "NotSpecified", "Attempted to divide by zero."),
    (
        "Get-Nonsense",
        "CommandNotFoundException",
        "ObjectNotFound",
        "The term 'Get-Nonsense' is not recognized",
    ),
    (
        "$x.Foo()",
        "InvokeMethodOnNull",
        "InvalidOperation",
        "You cannot call a method on a null-valued expression.",
    ),
    (
        "'a'.Foo()",
        "MethodNotFound",
        "InvalidOperation",
        "Method invocation failed because [System.String] does not contain",
    ),
    (
        "'a'.Substring(5)",
        "ArgumentOutOfRangeException",
        "NotSpecified",
        'Exception calling "Substring" with "1" argument(s)',
    ),
    (
        "'a'.Substring(1,2,3)",
        "MethodCountCouldNotFindBest",
        "NotSpecified",
        'Cannot find an overload for "Substring"',
    ),
    ("[Nonsense]::x", "TypeNotFound", "InvalidOperation", "Unable to find type [Nonsense]."),
    (
        "[int]'abc'",
        "InvalidCastFromStringToInteger",
        "InvalidArgument",
        'Cannot convert value "abc" to type "System.Int32". Error: ',
    ),
    (
        "[int]3000000000",
        "InvalidCastIConvertible",
        "InvalidArgument",
        'Cannot convert value "3000000000" to type "System.Int32".',
    ),
    (
        "[datetime]'never'",
        "InvalidCastParseTargetInvocation",
        "InvalidArgument",
        'Cannot convert value "never" to type "System.DateTime".',
    ),
    ("$n = $null; $n[0]", "NullArray", "InvalidOperation", "Cannot index into a null array."),
    (
        "$o = [pscustomobject]@{a=1}; $o.b = 2",
        "PropertyNotFound",
        "InvalidOperation",
        "The property 'b' cannot be found on this object.",
    ),
    ("'x'.Length = 2", "PropertyIsReadOnly", "InvalidOperation", "'Length' is a ReadOnly property."),
    (
        "$a = 1, 2; $a[5] = 1",
        "System.IndexOutOfRangeException",
        "OperationStopped",
        "Index was outside the bounds of the array.",
    ),
    (
        "$true = 1",
        "VariableNotWritable",
        "WriteError",
        "Cannot overwrite variable true because it is read-only or constant.",
    ),
    ("throw 'bad'", "bad", "OperationStopped", "bad"),
    (
        "'{0} {1}' -f 1",
        "FormatError",
        "InvalidOperation",
        "Error formatting a string: Index (zero based) must be",
    ),
    ("'a' -match '['", "System.ArgumentException", "OperationStopped", 'parsing "[" - Unterminated [] set.'),
    (
        "@{} - 1",
        "MethodNotFound",
        "InvalidOperation",
        "Method invocation failed because [System.Collections.Hashtable] does not",
    ),
    (
        "Set-StrictMode -Version 2; $undefined",
        "VariableIsUndefined",
        "InvalidOperation",
        "The variable '$undefined' cannot be retrieved",
    ),
    (
        "Get-Variable nothing",
        "VariableNotFound,Microsoft.PowerShell.Commands.GetVariableCommand",
        "ObjectNotFound",
        "Cannot find a variable",
    ),
    (
        "Get-Content C:\\nothing",
        "PathNotFound,Microsoft.PowerShell.Commands.GetContentCommand",
        "ObjectNotFound",
        "Cannot find path 'C:\\nothing'",
    ),
    (
        "function f { param([Parameter(Mandatory=$true)]$x) } f",
        "MissingMandatoryParameter,f",
        "InvalidArgument",
        "Cannot process command because",
    ),
    (
        "function f { param([ValidateSet('a')]$x) } f b",
        "ParameterArgumentValidationError,f",
        "InvalidData",
        "Cannot validate argument on parameter 'x'.",
    ),
    (
        "function f { param([int]$x) } f abc",
        "ParameterArgumentTransformationError,f",
        "InvalidData",
        "Cannot process argument transformation",
    ),
    (
        "function f { [CmdletBinding()]param($x) } f -y 1",
        "NamedParameterNotFound,f",
        "InvalidArgument",
        "A parameter cannot be found that matches",
    ),
    (
        "function f { [CmdletBinding()]param($x) } f 1 2",
        "PositionalParameterNotFound,f",
        "InvalidArgument",
        "A positional parameter cannot be found",
    ),
    ("Write-Error 'x'", "Microsoft.PowerShell.Commands.WriteErrorException", "NotSpecified", "x"),
    ("Write-Error 'x' -ErrorId Y -Category InvalidData", "Y", "InvalidData", "x"),
    (
        "New-Object Nonsense",
        "TypeNotFound,Microsoft.PowerShell.Commands.NewObjectCommand",
        "InvalidType",
        "Cannot find type [Nonsense]: verify",
    ),
    (
        "'{' | ConvertFrom-Json",
        "System.ArgumentException,Microsoft.PowerShell.Commands.ConvertFromJsonCommand",
        "NotSpecified",
        "Invalid JSON",
    ),
    (
        "& $null",
        "BadExpression",
        "InvalidOperation",
        "The expression after '&' in a pipeline element produced an object",
    ),
    (
        "$nodrive:x",
        "DriveNotFound",
        "ObjectNotFound",
        "Cannot find drive. A drive with the name 'nodrive' does not exist.",
    ),
    # What Windows has and the lab has not is said by the lab.
    (
        "Get-WmiObject Win32_OperatingSystem",
        "NotModelled",
        "NotImplemented",
        "The lab does not model the command Get-WmiObject.",
    ),
    (
        "[System.Net.WebClient]",
        "NotModelled",
        "NotImplemented",
        "The lab does not model the .NET type [System.Net.WebClient].",
    ),
    ("class A { [int]$x }", "NotModelled", "NotImplemented", "The lab does not model the keyword class."),
    ("[xml]'<a/>'", "NotModelled", "NotImplemented", "The lab does not model the .NET type [xml]."),
    (
        "1 | Where-Object { $_ } | Invoke-Command -ComputerName x { 1 }",
        "NotModelled",
        "NotImplemented",
        "The lab does not model Invoke-Command",
    ),
]


@pytest.mark.parametrize(
    ("script", "identifier", "category", "text"), ERRORS, ids=[error[0][:40] for error in ERRORS]
)
def test_what_a_script_fails_with(
    shells: dict[str, Shell], script: str, identifier: str, category: str, text: str
) -> None:
    (record,) = Run(shells["2019"], script).errors
    assert str(record.FullyQualifiedErrorId).startswith(identifier)
    assert record.CategoryInfo.Category.name == category
    assert str(record).startswith(text)


#: Texts that are no scripts: identifier and text of the parser's error, and the column it names.
NO_SCRIPTS: list[tuple[str, str, str, int]] = [
    ("if ($a) {", "MissingEndCurlyBrace", "Missing closing '}' in statement block or type definition.", 9),
    (
        "if ($a",
        "MissingEndParenthesisAfterStatement",
        "Missing closing ')' after expression in 'if' statement.",
        7,
    ),
    ("'abc", "TerminatorExpectedAtEndOfString", "The string is missing the terminator: '.", 1),
    ("1 +", "ExpectedValueExpression", "You must provide a value expression following the '+' operator.", 4),
    ("$x =", "ExpectedValueExpression", "You must provide a value expression following the '=' operator.", 4),
    ("1 2", "UnexpectedToken", "Unexpected token '2' in expression or statement.", 3),
    ("Get-Date |", "EmptyPipeElement", "An empty pipe element is not allowed.", 11),
    ("a && b", "InvalidEndOfLine", "The token '&&' is not a valid statement separator in this version.", 3),
    (
        "1 | 2",
        "ExpressionsMustBeFirstInPipeline",
        "Expressions are only allowed as the first element of a pipeline.",
        5,
    ),
    ("foreach ($x of 1) {}", "MissingInInForeach", "Missing 'in' after variable in foreach loop.", 13),
    ("@{a=1; a=2}", "DuplicateKeyInHashLiteral", "Duplicate keys 'a' are not allowed in hash literals.", 8),
    ("try { 1 }", "MissingCatchOrFinally", "The Try statement is missing its Catch or Finally block.", 10),
    (
        '"$x: y"',
        "InvalidVariableReferenceWithDrive",
        "Variable reference is not valid. ':' was not followed",
        2,
    ),
    (
        "$a = @args",
        "SplattingNotPermitted",
        "The splatting operator '@' cannot be used to reference variables",
        6,
    ),
    ("function { }", "MissingNameAfterKeyword", "Missing name after function keyword.", 10),
    ("1 = 2", "InvalidLeftHandSide", "The assignment expression is not valid.", 1),
]


@pytest.mark.parametrize(("script", "identifier", "text", "column"), NO_SCRIPTS)
def test_texts_that_are_no_scripts(
    shells: dict[str, Shell], script: str, identifier: str, text: str, column: int
) -> None:
    """From PowerShell 3.0 on the message begins with the place (ParseException.Message)."""
    run = Run(shells["2019"], f"'never'\n{script}")
    (record,) = run.errors
    assert run.outputs == []
    assert (record.FullyQualifiedErrorId, record.CategoryInfo.Category.name) == (identifier, "ParserError")
    lines = str(record).split("\r\n")
    assert lines[0] == f"At line:2 char:{column}"
    assert any(line.startswith(text) for line in lines)
    assert str(Run(shells["2010"], script).errors[0])[:20] == text[:20]


#: What differs between versions: script, and output or identifier of the error, on 2.0, 4.0 and 5.1.
VERSIONS: list[tuple[str, Any, Any, Any]] = [
    ("$PSVersionTable.PSVersion.Major", [2], [4], [5]),
    ("$PSVersionTable.PSEdition", [None], [None], ["Desktop"]),
    ("1, 2 | Where-Object { $_ -gt 1 }", [2], [2], [2]),
    ("'a', 'bb' | Where-Object Length -gt 1", "NamedParameterNotFound", ["bb"], ["bb"]),
    ("([ordered]@{a=1}).Count", "TypeNotFound", [1], [1]),
    ("(1..5).Where({ $_ -gt 4 })", "MethodNotFound", [5], [5]),
    ("1 -in 1, 2", "UnexpectedToken", [True], [True]),
    ("([pscustomobject]@{n=1}).GetType().Name", ["Hashtable"], ["PSCustomObject"], ["PSCustomObject"]),
    ("@(New-Object PSObject -Property @{n=1}).n", [None], [1], [1]),
    ("foreach ($x in $null) { 'once' }", ["once"], [], []),
    (
        "[guid]::new('6f9619ff-8b86-d011-b42d-00c04fc964ff')",
        "MethodNotFound",
        "MethodNotFound",
        ["6f9619ff-8b86-d011-b42d-00c04fc964ff"],
    ),
    ("Write-Information 'x'", "CommandNotFoundException", "CommandNotFoundException", []),
    ("1 | ConvertTo-Json", "CommandNotFoundException", ["1"], ["1"]),
    ("(Get-TimeZone).Id", "CommandNotFoundException", "CommandNotFoundException", ["Pacific Standard Time"]),
    ("$x.Length", [None], [0], [0]),
    ("(5).Count", [None], [1], [1]),
]


@pytest.mark.parametrize(("script", "two", "four", "five"), VERSIONS)
def test_versions_differ(shells: dict[str, Shell], script: str, two: Any, four: Any, five: Any) -> None:
    for version, expected in (("2010", two), ("2013", four), ("2019", five)):
        run = Run(shells[version], script)
        if isinstance(expected, str):
            assert [str(record.FullyQualifiedErrorId).partition(",")[0] for record in run.errors] == [
                expected
            ]
        else:
            assert ([str(record) for record in run.errors], run.outputs) == ([], expected)
