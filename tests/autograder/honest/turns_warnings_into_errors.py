"""Has every warning raise, as careful people do: it holds in the student's process and must not reach the tests."""

BEFORE = {
    "conv2d": """
import warnings

warnings.simplefilter('error')
""",
}
