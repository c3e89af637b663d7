# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planner against the scheduler of a real cluster, on 200 random node sets and workloads.

The same tests as in `make test`, with five times the cases: a predicted maximum n means that n pods bind and one more
stays Pending; what is certain for mixed templates is never contradicted. A disagreement fails the group.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

from tests.tools.checkout import ROOT

CASES = 200
TESTS = "tests/integration/test_scheduler_agreement.py"


def main() -> int:
    """The exit code of the tests."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "integration", TESTS],
        cwd=ROOT,
        env={**os.environ, "EMCO_AGREEMENT_CASES": str(CASES)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout)
        return done.returncode
    print(f"{CASES} node sets: every predicted maximum is what the scheduler binds, nothing certain was contradicted")
    print(f"bench: scheduler.cases_agreed {CASES} cases")
    print(f"bench: scheduler.seconds {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
