# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Traces in the formats of the products; people, servers and calls in them are invented."""

# ruff: noqa: E501 - the lines are as long as the products write them

from __future__ import annotations

REFUSED_488 = b"""\
TL_INFO(TF_PROTOCOL) [0]0A10.0BC4::06/14/2013-08:15:02.120.0000A001 (SIPStack,SIPAdminLog::TraceProtocolRecord:SIPAdminLog.cpp(125))$$begin_record
Trace-Correlation-Id: 101
Instance-Id: 0000A11F
Direction: incoming;source="external edge";destination="internal edge"
Peer: edge01.contoso.com:5061
Message-Type: response
Start-Line: SIP/2.0 488 Not Acceptable Here
From: "Ken Myer"<sip:kenmyer@contoso.com>;tag=0aa1;epid=77
To: <sip:pilar@fabrikam.net;mepid=11>;tag=0bb2
CALL-ID: 5f0e488
CSEQ: 1 INVITE
VIA: SIP/2.0/TLS 192.0.2.20:5061;branch=z9hG4bK52017
USER-AGENT: UCCAPI/4.0.7440.0 WLM/15.4.3502.0922 (Windows Live Messenger)
ms-client-diagnostics: 52017;reason="Encryption levels dont match"
CONTENT-LENGTH: 0
Message-Body: -
$$end_record

"""
LOOKS_ALIKE = REFUSED_488.replace(
    b'52017;reason="Encryption levels dont match"',
    b'52035;reason="This client has an IM session with the same conversation ID"',
)
EXPIRED_SERVICE = b"""\
TL_ERROR(TF_DIAG) [pool01\\fe02]0A10.0BC4::06/14/2013-08:16:40.500.0000A00F (SIPStack,SIPAdminLog::WriteDiagnosticEvent:SIPAdminLog.cpp(833)) [771] $$begin_record
Severity: error
Text: Message expired in the outbound queue before it could be sent
SIP-Start-Line: SERVICE sip:edge01.contoso.com:5062;grid SIP/2.0
SIP-Call-ID: 0e5062
SIP-CSeq: 1 SERVICE
Peer: edge01.contoso.com:5062
$$end_record

"""
TIMED_OUT = b"""\
TL_WARN(TF_DIAG) [pool01\\fe02]0A10.0BC4::06/14/2013-08:17:12.000.0000A01F (SIPStack,SIPAdminLog::WriteDiagnosticEvent:SIPAdminLog.cpp(830)) [772] $$begin_record
Severity: warning
Text: Message or one of its headers caused SIP transaction processing error
Result-Code: 0xc3e93f5b SIPPROXY_E_TRANSACTION_TIMEOUT
Data: Transaction Time-out: Type [2] Method [0x40] Call-Id [%s\\n] RUri[sip:kenmyer@contoso.com] From[sip:kenmyer@contoso.com;tag=1] To[sip:kenmyer@contoso.com;tag=2]
$$end_record

"""
MRAS_REQUEST = b"""\
TL_INFO(TF_PROTOCOL) [pool01\\fe02]0A10.0BC4::06/14/2013-08:16:10.000.0000A00A (SIPStack,SIPAdminLog::TraceProtocolRecord:SIPAdminLog.cpp(125)) [771] $$begin_record
Direction: outgoing;source="local";destination="internal edge"
Peer: edge01.contoso.com:5062
Message-Type: request
Start-Line: SERVICE sip:edge01.contoso.com:5062;grid SIP/2.0
From: <sip:kenmyer@contoso.com>;tag=0cc3
To: <sip:edge01.contoso.com@contoso.com;gruu;opaque=srvr:MRAS:x1>
CALL-ID: 0e5062
CSEQ: 1 SERVICE
CONTENT-TYPE: application/msrtc-media-relay-auth+xml
Message-Body: <request requestID="7" version="2.0"/>
$$end_record

"""
DATE_SKEWED = b"""\
SIP/2.0 429 Provide Referrer Identity
From: <sip:kenmyer@contoso.com>;tag=0dd4
To: <sip:um@contoso.com>;tag=0ee5
Call-ID: 0f1020
ms-diagnostics: 1020;reason="Identity of the referrer could not be verified";HRESULT="0xC3E93EE0(SIP_E_CRYPT_REFERRER_DATE_SKEWED)";signer="fe02.contoso.com";source="sip.contoso.com"
ms-edge-proxy-message-trust: ms-source-type=EdgeProxyGenerated;ms-ep-fqdn=edgepool01.contoso.com;ms-source-verified-user=verified
$$end_record
"""
CLIENT_LOG = b"""\
06/14/2013|10:15:02.100 1F68:C14 INFO  :: Data Received - 192.0.2.10:5061 (To Local Address: 192.0.2.35:20323) 610 bytes:\r
06/14/2013|10:15:02.101 1F68:C14 INFO  :: \r
SIP/2.0 504 Server time-out\r
From: "Ken Myer"<sip:kenmyer@contoso.com>;tag=28;epid=c2\r
To: <sip:room@sub.fabrikam.net>;tag=98\r
Call-ID: 0c1009\r
CSeq: 1 INVITE\r
ms-diagnostics: 1009; reason ="No match";domain="sub.fabrikam.net";source="sip.contoso.com"\r
Content-Length: 0\r
\r
06/14/2013|10:15:02.102 1F68:C14 INFO  :: End of Data Received - 192.0.2.10:5061 (To Local Address: 192.0.2.35:20323) 610 bytes\r
"""
SERVER_TRACE = REFUSED_488 + MRAS_REQUEST + EXPIRED_SERVICE + TIMED_OUT % b"0e5062" + LOOKS_ALIKE


def message(
    server: str, at: str, sent: bool, call: str, *, response: bool = False, branch: str = "b1"
) -> bytes:
    """One server's record of a message; ``at`` is a time of 06/14/2013."""
    direction = "outgoing" if sent else "incoming"
    start = "SIP/2.0 200 OK" if response else "INVITE sip:pilar@contoso.com SIP/2.0"
    return (
        f"TL_INFO(TF_PROTOCOL) [pool01\\{server}]0A10.0BC4::06/14/2013-{at}.0000A00A "
        "(SIPStack,SIPAdminLog::TraceProtocolRecord:SIPAdminLog.cpp(125)) [9] $$begin_record\n"
        f'Direction: {direction};source="internal edge";destination="external edge"\n'
        f"Start-Line: {start}\nFrom: <sip:kenmyer@contoso.com>;tag=1\nTo: <sip:pilar@contoso.com>\n"
        f"CALL-ID: {call}\nCSEQ: 1 INVITE\nVIA: SIP/2.0/TLS 192.0.2.7:5061;branch={branch}\n$$end_record\n\n"
    ).encode()
