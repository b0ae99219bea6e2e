"""Its cells warn at the top level, on stderr: stock nbgrader gives 0 for that."""

BEFORE = {
    "output-size": "import warnings\n\nwarnings.warn('this module is old', DeprecationWarning)\nnp.array([1.0]) / 0"
}
ANSWERS = {"conv2d": "import sys\n\nsys.stderr.write('a library says hello\\n')\n@RIGHT@"}
