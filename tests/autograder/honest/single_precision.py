"""Computes the direction in single precision, where the tolerance allows for it."""

ANSWERS = {
    "direction-kernel": """
@RIGHT@

_turn = direction_kernel


def direction_kernel(degrees):
    return _turn(np.float32(degrees)).astype(np.float32)
""",
}
