"""Prints halves of characters and has one in its text: no UTF-8, so files and feedback are hard to write."""

ANSWERS = {
    "conv2d": "print('\\ud83d and \\udfff')\n@RIGHT@",
}
AFTER = {
    "conv2d": """
# half a character: \ud83d
print('a b')
'\\udc80'
""",
}
