"""Tries a pool of processes in a cell of its own, as lessons on speed do."""

AFTER = {
    "output-size": """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

queue = multiprocessing.Queue()
child = multiprocessing.Process(target=queue.put, args=(output_size(6, 3),))
child.start()
print(queue.get())
child.join()
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.starmap(output_size, [(6, 3), (7, 3)]))
""",
}
