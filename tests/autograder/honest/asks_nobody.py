"""Has input() in a function that nobody calls while it is graded."""

AFTER = {
    "output-size": """
def play():
    n = int(input('How many pixels? '))
    print(output_size(n, 3))


if False:
    play()
""",
}
