"""Uses IPython: shell commands, magics, help, an installation that is there already."""

BEFORE = {
    "output-size": """
!ls
files = !echo one two
%pwd
?np.pad
""",
    "conv2d": """
%load_ext autoreload
%autoreload 2
%config InlineBackend.figure_format = 'retina'
!pip --version
""",
}
AFTER = {
    "conv2d": "%timeit -n 1 -r 1 conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)))\n%who",
}
