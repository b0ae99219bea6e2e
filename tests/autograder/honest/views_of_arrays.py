"""Returns arrays that are not contiguous: transposed, with negative strides, in Fortran's order."""

ANSWERS = {
    "conv2d": """
@RIGHT@

_slide = conv2d


def conv2d(*args, **options):
    y = _slide(*args, **options)
    return np.ascontiguousarray(y.T[::-1])[::-1].T
""",
    "direction-kernel": """
@RIGHT@

_turn = direction_kernel


def direction_kernel(degrees):
    kernel = np.asfortranarray(_turn(degrees))
    kernel.setflags(write=False)
    return kernel
""",
}
