"""Looks at the environment, the platform and the clock, and sets a variable for a library."""

BEFORE = {
    "output-size": """
import datetime
import os
import platform

os.environ["KMP_DUPLICATE_LIB_OK"] = "TRUE"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
print(os.environ.get("HOME"), sorted(os.environ)[:3], platform.platform(), os.cpu_count(), datetime.datetime.now())
print(os.path.expanduser("~"), os.getcwd())
""",
}
