"""The demo is the whole story on a real server, and it ends well only if everything was as promised."""

import os
import re
import subprocess
import sys


def test_the_demo_decides_approves_verifies_and_catches_the_forger():
    done = subprocess.run(
        [sys.executable, "-m", "bylaw", "demo"],
        capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "BYLAW_PORT": "1", "NO_COLOR": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes = re.findall(r"^  (ALLOW|FLAG|REVIEW|BLOCK)$", done.stdout, re.MULTILINE)
    assert outcomes == [
        "ALLOW", "BLOCK", "REVIEW", "REVIEW", "REVIEW", "FLAG", "BLOCK",  # asked
        "REVIEW", "ALLOW", "REVIEW",  # another call, the approved call, the approval spent
    ]  # fmt: skip
    assert done.stdout.count(": verified") == 7
    assert done.stdout.count(": INVALID") == 1
    assert "step 3, inclusion" in done.stdout
    assert "\x1b[" not in done.stdout
