"""Saves and loads files in its working folder, in a folder below and in a temporary one."""

AFTER = {
    "conv2d": """
import os
import tempfile
from pathlib import Path

Path("results").mkdir(exist_ok=True)
np.save("results/y.npy", conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2))))
assert np.load("results/y.npy").shape == (1, 1, 2, 2)
with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
    file.write("text")
Path("notes.txt").write_text("größe", encoding="utf-8")
os.remove("notes.txt")
""",
}
