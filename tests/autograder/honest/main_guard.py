"""Pasted from a script: a guard for `__main__`, an argument parser, a call of sys.argv."""

ANSWERS = {
    "conv2d": """
import argparse
import sys

@RIGHT@


def main(arguments=()):
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=3)
    options = parser.parse_args(arguments)
    print(sys.argv[0], conv2d(np.ones((1, 1, options.size, options.size)), np.ones((1, 1, 2, 2))).shape)


if __name__ == "__main__":
    main()
""",
}
