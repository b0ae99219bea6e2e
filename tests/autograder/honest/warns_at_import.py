"""Its cells warn at the top level, on stderr: stock nbgrader gives 0 for that."""

BEFORE = {
    "output-size": """
import warnings

warnings.warn('this module is old', DeprecationWarning)
np.array([1.0]) / 0
""",
}
ANSWERS = {
    "conv2d": """
import sys

sys.stderr.write('a library says hello\\n')
@RIGHT@
""",
}
