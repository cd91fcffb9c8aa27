"""Talks to a process that answers a line of JSON by a line of JSON; byte N of a text travels as the character N."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any, Dict, Union

from support import clean_environment


def encode(text: Union[str, bytes, "os.PathLike[str]"]) -> str:
    return os.fsencode(text).decode("latin-1")


def decode(text: str) -> str:
    return os.fsdecode(text.encode("latin-1"))


class LineServer:
    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=clean_environment()
        )

    def ask(self, request: Dict[str, Any]) -> Dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        self.process.communicate(timeout=30)
