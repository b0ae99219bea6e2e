"""How an in-kernel session writes its messages: as ASCII.

jupyter_client writes UTF-8, which has no lone surrogates, so one printed by a student would stop the kernel's output.
Escaped in ASCII it arrives, and every JSON reader understands it.
"""

import json
from typing import Any

from jupyter_client.jsonutil import json_default


def pack(content: Any) -> bytes:
    """The `Session.packer` of the kernel."""
    return json.dumps(content, default=json_default).encode("ascii")
