"""Logs at every level, which the logging module sends to stderr."""

ANSWERS = {
    "conv2d": """
import logging

logging.basicConfig(level=logging.DEBUG, force=True)
log = logging.getLogger(__name__)

@RIGHT@

_slide = conv2d


def conv2d(x, w, *args, **options):
    log.info("%s with %s", x.shape, w.shape)
    log.error("this is no error")
    return _slide(x, w, *args, **options)
""",
}
