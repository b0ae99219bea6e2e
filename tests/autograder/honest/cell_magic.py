"""Times its answer with a cell magic, so that the cell is no plain Python."""

ANSWERS = {
    "conv2d": "%%time\n@RIGHT@",
    "direction-kernel": "%%capture held\n@RIGHT@",
}
