"""Tries to reach the network, name servers and sockets of other programs. Owed: the honest score, nothing reached."""

EARNS = 11

ANSWER = r"""
import socket
places = ((socket.AF_INET, ("127.0.0.1", 22)), (socket.AF_INET, ("127.0.0.2", 53)), (socket.AF_UNIX, "\0x"))
for family, address in places:
    try:
        socket.socket(family, socket.SOCK_STREAM).connect(address)
        raise SystemExit("reached")
    except OSError:
        pass

def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return np.zeros(1)
"""
