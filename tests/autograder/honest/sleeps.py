"""Waits a little, as polite scripts do, within the limits."""

BEFORE = {"conv2d": "import time\n\ntime.sleep(0.5)"}
ANSWERS = {"output-size": "@RIGHT@\n\n\nimport asyncio\n\nawait asyncio.sleep(0.1)"}
