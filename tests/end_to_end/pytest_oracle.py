"""What the real pytest does with a project: run by the interpreter of an environment that has pytest.

Reads one JSON request a line and answers each with one line of JSON; byte N of a path travels as the
character N. Every request is served by a fork of this process, so that pytest is imported once and no
run sees another one's modules. Python 3.8 and later.
"""

import io
import json
import os
import signal
import sys
import tempfile

import pytest

# Seconds. A link that leads back can cost some versions of pytest any time: no verdict then.
PATIENCE = 30


def encode(path):
    return os.fsencode(path).decode("latin-1")


def decode(text):
    return os.fsdecode(text.encode("latin-1"))


class Recorder:
    """Notes what pytest knows when plugins are configured, and every Python file that it collects from.

    Text files with doctests are left out: pytest does not import them.
    """

    def __init__(self):
        self.seen = {"modules": [], "broken": []}

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config):
        self.seen["rootdir"] = encode(str(config.rootpath))
        self.seen["config_file"] = encode(str(config.inipath)) if config.inipath else ""
        self.seen["sys_path"] = [encode(entry) for entry in sys.path]

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectstart(self, collector):
        is_module = isinstance(collector, pytest.Module) and not isinstance(collector, pytest.Package)
        if is_module and collector.path.suffix == ".py":
            self.seen["modules"].append(encode(str(collector.path)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report):
        # Not a file that fails to import, but a directory of which nothing can be collected.
        if report.failed and not report.nodeid.endswith(".py"):
            self.seen["broken"].append(report.nodeid)


def run(request):
    os.chdir(decode(request["directory"]))
    for name, value in request.get("environment", []):
        os.environ[decode(name)] = decode(value)
    sys.path[:] = [decode(entry) for entry in request["sys_path"]] + sys.path[1:]
    base = [encode(entry) for entry in sys.path]
    recorder = Recorder()
    output = io.StringIO()
    sys.stdout = sys.stderr = output
    arguments = [decode(argument) for argument in request["arguments"]]
    code = pytest.main(arguments, plugins=[recorder])
    return {**recorder.seen, "base": base, "exit_code": int(code), "output": encode(output.getvalue()[-4000:])}


def serve(request):
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        signal.alarm(PATIENCE)
        try:
            answer = run(request)
        except BaseException as error:  # an internal error of pytest is an answer too
            answer = {"exit_code": 3, "output": encode(repr(error))}
        with os.fdopen(write_end, "w") as pipe:
            pipe.write(json.dumps(answer))
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return answer or json.dumps({"exit_code": 3, "output": f"not done within {PATIENCE} s"})


def main():
    sys.dont_write_bytecode = True
    # Everything that a run imports is imported before the first fork.
    stdout, sys.stdout = sys.stdout, io.StringIO()
    pytest.main(["--version"])
    with tempfile.TemporaryDirectory() as directory:
        pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", "--rootdir", directory, directory])
    sys.stdout = stdout
    for line in sys.stdin:
        print(serve(json.loads(line)), flush=True)


if __name__ == "__main__":
    main()
