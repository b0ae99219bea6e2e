"""Is off by nine tenths of the tolerance of the tests, as other hardware may be; weights in `separate` go up to 4."""

ANSWERS = {
    "conv2d": """
@RIGHT@

_slide = conv2d


def conv2d(*args, **options):
    y = _slide(*args, **options)
    return y * (1 + 0.9e-5 * np.where(np.indices(y.shape).sum(axis=0) % 2, 1, -1))
""",
    "direction-kernel": """
@RIGHT@

_turn, _split = direction_kernel, separate


def direction_kernel(degrees):
    return _turn(degrees + np.degrees(0.9e-6))


def separate(kernel):
    column, row = _split(kernel)
    return column * (1 + 0.9e-6 / 4), row
""",
    **{
        question: f"""
@RIGHT@

_right_{name} = {name}


def {name}(*args, **options):
    y = _right_{name}(*args, **options)
    return y * (1 + 0.9e-5 * np.where(np.indices(y.shape).sum(axis=0) % 2, 1, -1))
"""
        for question, name in {"cost": "conv2d_by_product", "transpose": "conv2d_transpose", "bugs": "convolve"}.items()
    },
}
