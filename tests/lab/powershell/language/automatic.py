# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fresh runspace has: automatic and preference variables, aliases, variables of the process's environment.

Source: about_Automatic_Variables, about_Preference_Variables, about_Aliases, about_Environment_Variables; of the
host and
$PSSenderInfo: PowerShell/PowerShell, engine/remoting (ServerRemoteHost.cs, PSSenderInfo.cs).
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from psrpcore.types import PSVersion

from lab.objects.values import NetObject
from lab.powershell.language.values import Hashtable, Instance, typed_array

if TYPE_CHECKING:
    from lab.powershell.language.interpreter import Interpreter

#: Of the host process; the lab has no processes of its own.
_PROCESS_ID = 4312
_HOME = r"C:\Windows\System32\WindowsPowerShell\v1.0"

_ALIASES = """
% ForEach-Object;? Where-Object;ac Add-Content;asnp Add-PSSnapin;cat Get-Content;cd Set-Location;
chdir Set-Location;clc Clear-Content;clear Clear-Host;cls Clear-Host;compare Compare-Object;
copy Copy-Item;cp Copy-Item;cpi Copy-Item;cvpa Convert-Path;del Remove-Item;diff Compare-Object;
dir Get-ChildItem;echo Write-Output;epcsv Export-Csv;erase Remove-Item;exsn Exit-PSSession;
fc Format-Custom;fl Format-List;foreach ForEach-Object;ft Format-Table;fw Format-Wide;gal Get-Alias;
gc Get-Content;gci Get-ChildItem;gcm Get-Command;gdr Get-PSDrive;ghy Get-History;gi Get-Item;
gl Get-Location;gm Get-Member;gmo Get-Module;gp Get-ItemProperty;gps Get-Process;group Group-Object;
gsv Get-Service;gu Get-Unique;gv Get-Variable;gwmi Get-WmiObject;h Get-History;history Get-History;
icm Invoke-Command;iex Invoke-Expression;ihy Invoke-History;ii Invoke-Item;ipcsv Import-Csv;
ipmo Import-Module;iwmi Invoke-WmiMethod;kill Stop-Process;ls Get-ChildItem;man help;md mkdir;
measure Measure-Object;mi Move-Item;mount New-PSDrive;move Move-Item;mp Move-ItemProperty;mv Move-Item;
nal New-Alias;ndr New-PSDrive;ni New-Item;nv New-Variable;ogv Out-GridView;oh Out-Host;
popd Pop-Location;ps Get-Process;pushd Push-Location;pwd Get-Location;r Invoke-History;rd Remove-Item;
rdr Remove-PSDrive;ren Rename-Item;ri Remove-Item;rm Remove-Item;rmdir Remove-Item;rmo Remove-Module;
rni Rename-Item;rnp Rename-ItemProperty;rp Remove-ItemProperty;rv Remove-Variable;rvpa Resolve-Path;
rwmi Remove-WmiObject;sal Set-Alias;sasv Start-Service;sc Set-Content;select Select-Object;
set Set-Variable;si Set-Item;sl Set-Location;sleep Start-Sleep;sort Sort-Object;sp Set-ItemProperty;
spps Stop-Process;spsv Stop-Service;start Start-Process;sv Set-Variable;tee Tee-Object;
type Get-Content;where Where-Object;write Write-Output
"""

#: Those from PowerShell 3.0 on.
_LATER_ALIASES = """
cnsn Connect-PSSession;curl Invoke-WebRequest;dnsn Disconnect-PSSession;gcim Get-CimInstance;gcls Get-CimClass;
icim Invoke-CimMethod;irm Invoke-RestMethod;iwr Invoke-WebRequest;ncms New-CimSession;rcsn Receive-PSSession;
shcm Show-Command;sls Select-String;trcm Trace-Command;wget Invoke-WebRequest
"""

#: Commands that Windows has and the lab has not; with the first version of PowerShell where it is not 2.0.
_OTHERS = """
Add-Computer Add-Content Add-History Add-PSSnapin Add-Type Checkpoint-Computer Clear-Content Clear-EventLog
Clear-History Clear-Host Clear-Item Clear-ItemProperty Compare-Object Complete-Transaction Convert-Path
ConvertFrom-SecureString ConvertTo-Html ConvertTo-SecureString ConvertTo-Xml Copy-Item Copy-ItemProperty
Debug-Process Disable-ComputerRestore Disable-PSBreakpoint Disable-PSRemoting Disable-WSManCredSSP
Enable-ComputerRestore Enable-PSBreakpoint Enable-PSRemoting Enable-WSManCredSSP Enter-PSSession Export-Alias
Export-Clixml Export-Console Export-Counter Export-ModuleMember Export-PSSession Format-Custom Format-Wide
Get-Acl Get-AuthenticodeSignature Get-ComputerRestorePoint Get-Counter Get-Credential Get-Event Get-EventLog
Get-EventSubscriber Get-Help Get-History Get-HotFix Get-Job Get-PfxCertificate Get-Process Get-PSBreakpoint
Get-PSCallStack Get-PSSession Get-PSSessionConfiguration Get-PSSnapin Get-TraceSource Get-Transaction
Get-WinEvent Get-WmiObject Get-WSManCredSSP Get-WSManInstance Import-Alias Import-Clixml Import-Counter
Import-LocalizedData Import-PSSession Invoke-History Invoke-Item Invoke-WmiMethod Invoke-WSManAction
Limit-EventLog Move-Item Move-ItemProperty New-Event New-EventLog New-ModuleManifest New-PSDrive New-PSSession
New-PSSessionOption New-Service New-WebServiceProxy New-WSManInstance New-WSManSessionOption Out-GridView
Out-Host Out-Printer Pop-Location Push-Location Read-Host Receive-Job Register-EngineEvent
Register-ObjectEvent Register-PSSessionConfiguration Register-WmiEvent Remove-Computer Remove-Event
Remove-EventLog Remove-Job Remove-PSBreakpoint Remove-PSDrive Remove-PSSession Remove-PSSnapin
Remove-WmiObject Rename-Item Rename-ItemProperty Reset-ComputerMachinePassword Restart-Computer
Restore-Computer Resume-Service Send-MailMessage Set-Acl Set-AuthenticodeSignature Set-Item Set-PSBreakpoint
Set-PSDebug Set-PSSessionConfiguration Set-TraceSource Set-WmiInstance Set-WSManInstance Set-WSManQuickConfig
Show-EventLog Start-Job Start-Process Start-Transaction Start-Transcript Stop-Computer Stop-Job Stop-Process
Stop-Transcript Suspend-Service Test-ComputerSecureChannel Test-Connection Test-ModuleManifest Test-WSMan
Trace-Command Undo-Transaction Unregister-Event Unregister-PSSessionConfiguration Update-FormatData
Update-List Update-TypeData Use-Transaction Wait-Event Wait-Job Wait-Process Write-EventLog Get-PSProvider
Resolve-Path Get-UICulture help mkdir more prompt Connect-PSSession:3 Disconnect-PSSession:3
Receive-PSSession:3 Get-CimInstance:3 Get-CimClass:3 Get-CimAssociatedInstance:3 Invoke-CimMethod:3
New-CimInstance:3 New-CimSession:3 New-CimSessionOption:3 Remove-CimInstance:3 Remove-CimSession:3
Set-CimInstance:3 Register-CimIndicationEvent:3 Get-CimSession:3 Get-ControlPanelItem:3
Show-ControlPanelItem:3 Invoke-RestMethod:3 Invoke-WebRequest:3 Rename-Computer:3 Resume-Job:3 Suspend-Job:3
Save-Help:3 Update-Help:3 Show-Command:3 Unblock-File:3 Get-TypeData:3 Remove-TypeData:3
New-PSSessionConfigurationFile:3 Test-PSSessionConfigurationFile:3 New-PSTransportOption:3 Get-ScheduledTask:3
Get-NetIPAddress:3 Get-NetAdapter:3 Get-NetFirewallRule:3 Get-Disk:3 Get-Volume:3 Test-NetConnection:4
Get-DscConfiguration:4 Start-DscConfiguration:4 Resolve-DnsName:3 Clear-DnsClientCache:3 Clear-RecycleBin:5
Compress-Archive:5 Expand-Archive:5 ConvertFrom-String:5 Convert-String:5 Debug-Runspace:5
Enter-PSHostProcess:5 Get-Clipboard:5 Set-Clipboard:5 Get-ComputerInfo:5 Get-LocalUser:5 Get-LocalGroup:5
Get-LocalGroupMember:5 Get-Runspace:5 New-TemporaryFile:5 Format-Hex:5 Protect-CmsMessage:5
Unprotect-CmsMessage:5 Get-WindowsFeature Install-WindowsFeature:3 Get-ADUser Get-ADComputer cmd ipconfig net
netsh nslookup ping powershell reg robocopy sc.exe schtasks systeminfo taskkill tasklist wevtutil wmic xcopy
shutdown gpupdate gpresult dcdiag nltest netdom quser query icacls takeown certutil bcdedit diskpart sfc winrm
winrs msiexec nbtstat netstat tracert route arp auditpol findstr find sort more tree attrib cscript wscript
regsvr32 rundll32 dism fsutil
"""
_KNOWN_TO_WINDOWS: dict[str, str] = {
    name.lower(): since or "2" for name, _, since in (word.partition(":") for word in _OTHERS.split())
}


def exists_on_windows(name: str, version: str) -> bool:
    """Whether a server would have a command of that name that the lab does not have."""
    key = name.lower().rpartition("\\")[2]
    since = _KNOWN_TO_WINDOWS.get(key) or _KNOWN_TO_WINDOWS.get(key.removesuffix(".exe").removesuffix(".cmd"))
    return since is not None and version >= since


def environment(session: Any) -> Hashtable:
    """The environment of the process that hosts the runspace."""
    domain, _, user = session.caller.account.rpartition("\\")
    home = rf"C:\Users\{user}"
    computer = session.computer_name()
    return Hashtable(
        {
            "ALLUSERSPROFILE": r"C:\ProgramData",
            "APPDATA": rf"{home}\AppData\Roaming",
            "CommonProgramFiles": r"C:\Program Files\Common Files",
            "CommonProgramFiles(x86)": r"C:\Program Files (x86)\Common Files",
            "COMPUTERNAME": computer,
            "ComSpec": r"C:\Windows\system32\cmd.exe",
            "LOCALAPPDATA": rf"{home}\AppData\Local",
            "NUMBER_OF_PROCESSORS": "4",
            "OS": "Windows_NT",
            "Path": r"C:\Windows\system32;C:\Windows;C:\Windows\System32\Wbem;" + _HOME + "\\",
            "PATHEXT": ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC;.CPL",
            "PROCESSOR_ARCHITECTURE": "AMD64",
            "ProgramData": r"C:\ProgramData",
            "ProgramFiles": r"C:\Program Files",
            "ProgramFiles(x86)": r"C:\Program Files (x86)",
            "PSModulePath": rf"{home}\Documents\WindowsPowerShell\Modules;{_HOME}\Modules",
            "PUBLIC": r"C:\Users\Public",
            "SystemDrive": "C:",
            "SystemRoot": r"C:\Windows",
            "TEMP": rf"{home}\AppData\Local\Temp",
            "TMP": rf"{home}\AppData\Local\Temp",
            "USERDOMAIN": domain or computer,
            "USERNAME": user,
            "USERPROFILE": home,
            "windir": r"C:\Windows",
        }.items()
    )


def version_table(session: Any) -> Hashtable:
    """``$PSVersionTable``: what clients are told of it, too."""
    table = Hashtable()
    for key, value in session.version_table.items():
        if key == "PSCompatibleVersions":
            value = typed_array(list(value), "System.Version")
        table[str(key)] = str(value) if key == "PSEdition" else value
    return table


def declare(interpreter: Interpreter) -> None:
    """Fill the global scope of a fresh runspace."""
    scope, session = interpreter.root, interpreter.session
    version = interpreter.version
    user = session.caller.account.rpartition("\\")[2]
    constants = {
        "true": True,
        "false": False,
        "null": None,
        "PSVersionTable": version_table(session),
        "PID": _PROCESS_ID,
        "HOME": rf"C:\Users\{user}",
        "PSHOME": _HOME,
        "ShellId": "Microsoft.PowerShell",
        "PSCulture": "en-US",
        "PSUICulture": "en-US",
        "Error": interpreter.errors,
        "Host": host(),
        "ExecutionContext": execution_context(interpreter),
    }
    if version < "3":
        del constants["PSCulture"], constants["PSUICulture"]
    for name, value in constants.items():
        scope.set(name, value)
        scope.variables[name.lower()].read_only = True
    variables = {
        "ConfirmPreference": "High",
        "DebugPreference": "SilentlyContinue",
        "ErrorActionPreference": "Continue",
        "ErrorView": "NormalView",
        "FormatEnumerationLimit": 4,
        "MaximumAliasCount": 4096,
        "MaximumDriveCount": 4096,
        "MaximumErrorCount": 256,
        "MaximumFunctionCount": 4096,
        "MaximumHistoryCount": 64 if version < "3" else 4096,
        "MaximumVariableCount": 4096,
        "NestedPromptLevel": 0,
        "OutputEncoding": Instance(
            ("System.Text.ASCIIEncoding", "System.Text.Encoding", "System.Object"), "ascii"
        ),
        "ProgressPreference": "Continue",
        "PSSenderInfo": sender_information(session),
        "PWD": "C:\\Users\\" + user + "\\Documents",
        "PSSessionApplicationName": "wsman",
        "PSSessionConfigurationName": "http://schemas.microsoft.com/powershell/Microsoft.PowerShell",
        "VerbosePreference": "SilentlyContinue",
        "WarningPreference": "Continue",
        "WhatIfPreference": False,
        "LASTEXITCODE": None,
    }
    if version >= "5":
        variables["InformationPreference"] = "SilentlyContinue"
    if version >= "3":
        variables["PSDefaultParameterValues"] = Hashtable()
    for name, value in variables.items():
        scope.set(name, value)
    names = f"{_ALIASES};{_LATER_ALIASES}" if version >= "3" else _ALIASES
    for pair in names.replace("\n", "").split(";"):
        alias, _, target = pair.partition(" ")
        scope.aliases[alias.lower()] = target


def host() -> NetObject:
    """The server's side of the client's host."""
    made = NetObject(
        (
            "System.Management.Automation.Internal.Host.InternalHost",
            "System.Management.Automation.Host.PSHost",
            "System.Object",
        ),
        {
            "Name": "ServerRemoteHost",
            "Version": PSVersion("1.0.0.0"),
            "InstanceId": uuid.uuid4(),
            "UI": Instance(
                (
                    "System.Management.Automation.Internal.Host.InternalHostUserInterface",
                    "System.Management.Automation.Host.PSHostUserInterface",
                    "System.Object",
                )
            ),
            "CurrentCulture": "en-US",
            "CurrentUICulture": "en-US",
            "PrivateData": None,
            "IsRunspacePushed": False,
        },
    )
    made.hidden = {"ExternalHost": _transport()}
    return made


def _transport() -> Instance:
    """What a client that sends much input reaches for, to lift the limit of its size (pypsrp's copy.ps1)."""
    target: Any = None
    for name in ("MaximumAllowedMemory", "DeserializationContext", "Fragmentor", "_transportManager"):
        holder = Instance((f"System.Management.Automation.Remoting.{name}Holder", "System.Object"))
        holder.hidden = {name: target}
        target = holder
    return holder


def sender_information(session: Any) -> NetObject:
    """``$PSSenderInfo``: who is at the other end."""
    account = session.caller.account
    identity = NetObject(
        ("System.Management.Automation.Remoting.PSIdentity", "System.Object"),
        {
            "AuthenticationType": {"ntlm": "Negotiate", "kerberos": "Kerberos"}.get(
                session.caller.authentication, session.caller.authentication.capitalize()
            ),
            "IsAuthenticated": True,
            "Name": account,
            "CertificateDetails": None,
        },
    )
    principal = NetObject(
        ("System.Management.Automation.Remoting.PSPrincipal", "System.Object"), {"Identity": identity}
    )
    return NetObject(
        ("System.Management.Automation.Remoting.PSSenderInfo", "System.Object"),
        {"UserInfo": principal, "ConnectedUser": account, "RunAsUser": account},
        text=account,
    )


def execution_context(interpreter: Interpreter) -> Instance:
    """``$ExecutionContext``, with the little of it that scripts use."""
    state = Instance(("System.Management.Automation.SessionState", "System.Object"))
    state.properties = {
        "Path": Instance(("System.Management.Automation.PathIntrinsics", "System.Object"), interpreter),
        "LanguageMode": "FullLanguage",
    }
    context = Instance(("System.Management.Automation.EngineIntrinsics", "System.Object"))
    context.properties = {
        "SessionState": state,
        "InvokeCommand": Instance(
            ("System.Management.Automation.CommandInvocationIntrinsics", "System.Object"), interpreter
        ),
    }
    return context
