"""Hands in text that is no JSON. Owed: a result with a reason."""

EARNS = 0
STATUS = "unreadable"


def change(notebook):
    return b'{"cells": [' * 50
