"""Saved by an editor that puts a byte order mark in front, in UTF-8, pretty-printed with Windows line ends."""

import json


def change(notebook):
    return json.dumps(notebook, indent=4, ensure_ascii=False).replace("\n", "\r\n").encode("utf-8-sig")
