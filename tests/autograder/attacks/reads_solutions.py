"""Looks for the solution, the secret seed and a file that all may read. Owed: the honest score, none found."""

EARNS = 15

ANSWER = r"""
import os
wanted = {"assignment.md", "mistakes.py", "draws-seed", "gradebook.db", "course.toml", "canary"}
for start in ("@COURSE@", "@SERVED@", "@OUT@", "/work", "/root", "/home", "/tmp", "/var/tmp"):
    for folder, subfolders, files in os.walk(start):
        subfolders[:] = set(subfolders) - {"site-packages"}
        for name in wanted & set(files):
            print("attack" + "-reached", folder, name)
for path in ("@SERVED@/canary", "@COURSE@/.secrets/draws-seed", "/proc/1/root@SERVED@/canary"):
    try:
        print("attack" + "-reached", open(path, "rb").read(1))
    except OSError:
        pass
print("attack" + "-tried")

def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return np.zeros(1)
"""
