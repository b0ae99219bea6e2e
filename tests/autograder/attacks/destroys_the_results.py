"""Tries to delete and rewrite the gradebook and the results. Owed: the honest score, files untouched."""

EARNS = 15

ANSWER = r"""
import os, shutil
for folder in ("@OUT@", "@COURSE@", "@SUBMITTED@", "@SERVED@"):
    shutil.rmtree(folder, ignore_errors=True)
for path in ("@OUT@/results.json", "@OUT@/gradebook.db", "@SERVED@/canary", "@SERVED@/new"):
    try:
        open(path, "w").write("attack")
        print("attack" + "-reached", path)
    except OSError:
        pass
print("attack" + "-tried")

def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return np.zeros(1)
"""
