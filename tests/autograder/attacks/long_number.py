"""Hands in a number of a million digits. Owed: a result with a reason."""

EARNS = 0
STATUS = "unreadable"


def change(notebook):
    return b'{"nbformat": ' + b"9" * 1_000_000 + b', "cells": []}'
