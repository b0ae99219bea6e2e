"""Claims a notebook format from the future. Owed: a result with a reason."""

EARNS = 0
STATUS = "unreadable"


def change(notebook):
    return b'{"nbformat": 99, "nbformat_minor": 0, "metadata": {}, "cells": []}'
