"""Which blocks testmon finds in files now: run by the interpreter that runs pytest, with testmon's own code.

Built into the command (file_blocks.cpp), which runs it as `-c SCRIPT ROOTDIR` in pytest's working directory with the
files on standard input, a NUL after each. Its answer is a line of JSON after a mark, for whatever else may be written
(a chatty sitecustomize): for each file its fsha and its checksums, nulls if testmon has none.
"""

import json
import os
import sys

if sys.path and not sys.path[0]:
    del sys.path[0]  # `-c` puts it there; no module of the working directory is to be imported

from testmon.process_code import Module, get_source_sha  # noqa: E402


def blocks_of(rootdir, filename):
    """What testmon.testmon_core.SourceTree.get_file and its caller find; testmon fails if this raises."""
    code, fsha = get_source_sha(directory=rootdir, filename=filename)
    if not fsha:
        return None, None
    module = Module(
        source_code=code, ext=filename.rsplit(".", 1)[1], fs_fsha=fsha, filename=filename, rootdir=rootdir
    )
    return fsha, module.method_checksums


def answer(rootdir, filenames):
    for filename in filenames:
        try:
            yield blocks_of(rootdir, filename)
        except Exception:
            yield None, None


names = os.fsdecode(sys.stdin.buffer.read()).split("\0")[:-1]
print("\ntestmon-precreate-blocks:" + json.dumps(list(answer(sys.argv[1], names))))
