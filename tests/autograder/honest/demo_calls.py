"""Tries its functions at the top level of the answer: prints, asserts and a last expression."""

ANSWERS = {
    "conv2d": """
@RIGHT@

row = np.array([[[[1.0, 2, 3, 4]]]])
pair = np.array([[[[10.0, 1]]]])
print(conv2d(row, pair, stride=2))
assert conv2d(row, pair, stride=2).tolist() == [[[[12, 34]]]]
conv2d(row, pair, padding=1)[0, 0, 1]
""",
    "direction-kernel": """
@RIGHT@


for angle in range(0, 360, 45):
    direction_kernel(angle)
try:
    separate(np.eye(3))
except ValueError as error:
    print(error)
""",
}
