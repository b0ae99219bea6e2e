"""Waits a little, as polite scripts do, within the limits."""

BEFORE = {
    "conv2d": """
import time

time.sleep(0.5)
""",
}
ANSWERS = {
    "output-size": """
@RIGHT@


import asyncio

await asyncio.sleep(0.1)
""",
}
