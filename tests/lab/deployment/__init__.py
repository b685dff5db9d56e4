# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modelled deployment: its file, topology, Central Management Store and endpoints."""

from __future__ import annotations

from lab.deployment.load import DeploymentError, build_deployment, load_deployment
from lab.deployment.model import LyncDeployment

__all__ = ["DeploymentError", "LyncDeployment", "build_deployment", "load_deployment"]
