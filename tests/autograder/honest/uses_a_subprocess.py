"""Starts another Python for a moment."""

AFTER = {
    "output-size": """
import subprocess
import sys

print(subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True, check=False).stdout)
""",
}
