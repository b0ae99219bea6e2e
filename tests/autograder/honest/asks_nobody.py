"""Has input() in a function that nobody calls while it is graded."""

AFTER = {
    "output-size": "def play():\n    n = int(input('How many pixels? '))\n    print(output_size(n, 3))\n\n\nif False:\n    play()"
}
