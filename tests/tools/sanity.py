# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-test sanity on a clean copy of the collection, without containers and with nothing but a Python index.

ansible-test keeps its virtual environments under HOME and makes new ones with a pip that it downloads from a site of
its own. Here HOME is .tools/ansible-test, so that they are kept between runs and go away with .tools, and the download
is replaced by a script at the place where ansible-test looks for it first.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.tools.checkout import REPORTS, TOOLS, copy_as_collection

HOME = TOOLS / "ansible-test"
PIP_BOOTSTRAP = """\
import subprocess
import sys

subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "pip=={version}"], check=True)
"""


def main(arguments: list[str]) -> int:
    """Run sanity tests (all, or as the arguments say) and leave JUnit reports in build/reports/sanity/."""
    collection = copy_as_collection(TOOLS / "sanity")
    offer_pip_bootstrap()
    environment = {
        **os.environ,
        "HOME": str(HOME),
        # The copy lies inside the checkout's work tree: ansible-test would ask git and find all of it ignored.
        "ANSIBLE_TEST_CONTENT_ROOT": str(collection),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    user_pip_config = Path.home() / ".config" / "pip" / "pip.conf"
    if user_pip_config.exists():
        environment.setdefault("PIP_CONFIG_FILE", str(user_pip_config))
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = ["ansible-test", "sanity", "--python", python, "--color", "no", "--junit", *arguments]
    code = subprocess.run(command, cwd=collection, env=environment, check=False).returncode
    reports = REPORTS / "sanity"
    shutil.rmtree(reports, ignore_errors=True)
    made = collection / "tests" / "output" / "junit"
    if made.is_dir():
        shutil.copytree(made, reports)
    return code


def offer_pip_bootstrap() -> None:
    """Write the script that ansible-test would download, for the pip version that this ansible-test asks for."""
    import ansible_test

    requirements = Path(ansible_test.__path__[0]) / "_internal" / "python_requirements.py"
    versions = set(re.findall(r"\bpip='([0-9.]+)'", requirements.read_text()))
    if not versions:
        raise SystemExit("this ansible-test names its pip version in another way: tests/tools/sanity.py must learn it")
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in versions:
        script = cache / f"get_pip_{version.replace('.', '_')}.py"
        script.write_text(PIP_BOOTSTRAP.format(version=version))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
