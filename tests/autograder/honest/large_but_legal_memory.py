"""Uses a few hundred megabytes for a moment, well under the limit."""

BEFORE = {
    "conv2d": """
big = np.ones(40_000_000)
total = (big + big).sum()
del big
""",
}
