"""Comments every line, in long docstrings with examples, quotes and the grader's own words."""

ANSWERS = {
    "direction-kernel": """
'''My answer. ### BEGIN HIDDEN TESTS is what the grader writes.'''
# YOUR CODE HERE
# raise NotImplementedError()
def direction_kernel(degrees):
    r\"\"\"A kernel \\alpha.

    >>> direction_kernel(0).shape
    (3, 3)
    \"\"\"
    right = np.array([[-1.0, 0, 1]] * 3)  # Prewitt's
    up = right.T[::-1]  # a quarter turn: rows count downward
    return right * np.cos(np.radians(degrees)) + up * np.sin(np.radians(degrees))


# ### BEGIN SOLUTION
def separate(kernel):  # noqa
    'One line.'
    i, j = divmod(abs(kernel).argmax(), kernel.shape[1])  # the largest weight
    column, row = kernel[:, j], kernel[i] / kernel[i, j]
    if not np.allclose(np.outer(column, row), kernel, rtol=0, atol=1e-9 * abs(kernel).max()):
        raise ValueError('''not separable''')
    return column, row
# ### END SOLUTION
""",
}
