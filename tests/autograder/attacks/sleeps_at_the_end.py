"""Sleeps in a destructor, in atexit and in a thread that is no daemon. Owed: the honest score."""

EARNS = 15

ANSWER = r"""
import atexit, threading, time
class Slow:
    def __del__(self): time.sleep(3600)
slow = Slow()
atexit.register(time.sleep, 3600)
threading.Thread(target=time.sleep, args=(3600,)).start()

def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return np.zeros(1)
"""
