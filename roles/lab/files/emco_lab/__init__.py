# SPDX-License-Identifier: GPL-3.0-or-later
"""Real Kubernetes clusters on one machine, without containers: the lab of emco.edge."""
