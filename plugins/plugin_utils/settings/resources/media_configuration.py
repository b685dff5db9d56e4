# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Media settings (Microsoft Learn, Set-CsMediaConfiguration and New-CsMediaConfiguration)."""

from __future__ import annotations

from ...result.severity import Severity
from ..comparison import UINT16, Enumeration, Truth
from ..identity import Scope
from ..resource import Property, Resource
from .topology import SERVICE_EXISTS, SITE_EXISTS

ENCRYPTION_LEVEL = Enumeration(("SupportEncryption", "RequireEncryption", "DoNotSupportEncryption"))
MAX_VIDEO_RATE_ALLOWED = Enumeration(("Hd720p15M", "VGA600K", "CIF250K"))

_RESERVED = "Is reserved for Microsoft's own use."


def _switch(option: str, parameter: str, reason: str, severity: Severity = Severity.LOW) -> Property:
    return Property(option, parameter, Truth(), severity, reason)


MEDIA_CONFIGURATION = Resource(
    name="media_configuration",
    noun="CsMediaConfiguration",
    title="media configuration",
    plural="media_configurations",
    scopes=(Scope.GLOBAL, Scope.SITE, Scope.SERVICE),
    roles=("ConferencingServer", "MediationServer", "ApplicationServer"),
    severity=Severity.HIGH,
    reason="A collection of a site or service takes the place of the wider one for every call there.",
    requirements=(SITE_EXISTS, SERVICE_EXISTS),
    properties=(
        _switch("enable_qos", "EnableQoS", "Decides whether calls use Quality of Service.", Severity.MEDIUM),
        Property(
            "encryption_level",
            "EncryptionLevel",
            ENCRYPTION_LEVEL,
            Severity.CRITICAL,
            "Decides whether calls must, may or must not be encrypted; where two sides disagree, a call fails (488).",
        ),
        _switch(
            "enable_siren",
            "EnableSiren",
            "Decides whether the Mediation Server offers clients the Siren codec.",
        ),
        Property(
            "max_video_rate_allowed",
            "MaxVideoRateAllowed",
            MAX_VIDEO_RATE_ALLOWED,
            Severity.MEDIUM,
            "Limits the resolution of video between Lync 2010 clients; later clients go by the conferencing policy.",
        ),
        _switch(
            "enable_g722_stereo_codec",
            "EnableG722StereoCodec",
            "Decides whether the G.722 wideband speech codec may be used.",
        ),
        _switch(
            "enable_h264_codec",
            "EnableH264Codec",
            "Decides whether the H.264 video codec may be used.",
            Severity.MEDIUM,
        ),
        _switch(
            "enable_adaptive_bandwidth_estimation",
            "EnableAdaptiveBandWidthEstimation",
            "Decides whether the video rate follows the state of the network.",
            Severity.MEDIUM,
        ),
        _switch(
            "enable_in_call_qos",
            "EnableInCallQoS",
            "Decides whether clients deliver what in-call quality messages are made of.",
        ),
        Property(
            "in_call_qos_interval_seconds",
            "InCallQoSIntervalSeconds",
            UINT16,
            Severity.LOW,
            "Sets the interval between call quality actions.",
        ),
        _switch(
            "enable_rtp_rtcp_multiplexing",
            "EnableRtpRtcpMultiplexing",
            "Decides whether RTP and RTCP share one candidate.",
            Severity.MEDIUM,
        ),
        _switch(
            "enable_video_based_sharing",
            "EnableVideoBasedSharing",
            "Decides whether screens may be shared as video.",
            Severity.MEDIUM,
        ),
        _switch(
            "enable_dtls",
            "EnableDtls",
            "Decides whether Datagram Transport Layer Security may be used with ICE.",
            Severity.MEDIUM,
        ),
        _switch(
            "enable_silk_for_audio_video_conferences",
            "EnableSilkForAudioVideoConferences",
            "Decides whether audio/video conferences may use the SILK codec.",
        ),
        _switch(
            "enable_server_fec_for_video_interop",
            "EnableServerFecForVideoInterop",
            "Decides whether video interoperability uses forward error correction on the server.",
        ),
        _switch(
            "wait_ice_completed_to_add_dial_out_user",
            "WaitIceCompletedToAddDialOutUser",
            "Decides whether dialling out to others waits until ICE has been negotiated.",
        ),
        _switch("enable_rtx", "EnableRtx", _RESERVED),
        _switch("enable_av_bundling", "EnableAVBundling", _RESERVED),
        _switch("enable_receive_agc", "EnableReceiveAgc", _RESERVED),
    ),
)
