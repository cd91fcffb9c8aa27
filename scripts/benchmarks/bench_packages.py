"""The package text of an environment: ours against testmon's own functions in Python.

400 distributions with 10 KiB of metadata each, as real packages have: with an interpreter that is asked, and with
process facts. What bounds each figure is shown by strace if it is installed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Dict, List

from measure import BUILD, VENVS, Table, alternate, peak_memory_mib, wall_seconds
from support import Venv

DISTRIBUTIONS = 400
METADATA_SIZE = 10 * 1024
ORACLE = (
    "from testmon.common import get_system_packages, drop_patch_version\n"
    "print(drop_patch_version(get_system_packages(ignore=[])))"
)
ROUNDS = 20


def add_distributions(venv: Venv) -> None:
    present = len(list(venv.site_packages.glob("*.dist-info")))
    classifiers = "".join(f"Classifier: Topic :: Number {number}\n" for number in range(20))
    for number in range(DISTRIBUTIONS - present):
        directory = venv.add_distribution(f"package-{number:03}", f"1.{number}.3")
        headers = (directory / "METADATA").read_text() + f"Summary: Package {number}\n{classifiers}\n"
        body = "A line of a long description, as most packages have.\n" * (METADATA_SIZE // 50)
        (directory / "METADATA").write_text((headers + body)[:METADATA_SIZE])


def bytes_of_metadata(command: List[str], **options) -> int:
    """What reads of METADATA files returned."""
    with tempfile.NamedTemporaryFile("r") as log:
        subprocess.run(
            ["strace", "-f", "-y", "-e", "trace=read", "-o", log.name, *command], stdout=subprocess.DEVNULL, **options
        )
        return sum(int(line.rsplit("= ", 1)[1].split()[0]) for line in log if "METADATA>" in line)


def main() -> None:
    driver = str(BUILD / "tests" / "python" / "environment_key")
    with tempfile.TemporaryDirectory() as scratch_name:
        scratch = Path(scratch_name)
        venv = VENVS.get("pytest-testmon==2.2.0").copy(scratch / "venv")
        add_distributions(venv)
        environment: Dict[str, str] = venv.environment()
        options = {"cwd": scratch, "env": environment}
        request = scratch / "request.json"
        request.write_text(json.dumps({"interpreter": venv.python, "working_directory": str(scratch)}))
        facts = scratch / "facts.json"

        def run(what: str, file: Path) -> float:
            with file.open() as stdin:
                return wall_seconds([driver, what], stdin=stdin, **options)

        with request.open() as stdin:
            facts.write_bytes(subprocess.run([driver, "probe"], stdin=stdin, stdout=subprocess.PIPE, check=True, **options).stdout)
        with facts.open() as stdin:
            key = subprocess.run([driver, "key"], stdin=stdin, stdout=subprocess.PIPE, check=True, **options).stdout
        oracle = subprocess.run([venv.python, "-c", ORACLE], stdout=subprocess.PIPE, text=True, check=True, **options).stdout
        assert json.loads(key)["system_packages"] == oracle.rstrip("\n")

        table = Table(f"package text: {DISTRIBUTIONS} distributions, {METADATA_SIZE // 1024} KiB of metadata each")
        times = alternate(
            {
                "oracle": lambda: wall_seconds([venv.python, "-c", ORACLE], **options),
                "whole": lambda: run("whole", request),
                "facts": lambda: run("key", facts),
                "python": lambda: wall_seconds([venv.python, "-c", "pass"], **options),
                "nothing": lambda: wall_seconds(["/bin/true"], **options),
            },
            ROUNDS,
        )
        table.ratio("asking an interpreter / oracle", times["whole"], times["oracle"], 0.35)
        table.ratio("process facts / oracle", times["facts"], times["oracle"], 0.08)
        table.ratio("for scale: python -c pass / oracle", times["python"], times["oracle"], None)
        table.ratio("for scale: starting /bin/true / oracle", times["nothing"], times["oracle"], None)
        with facts.open() as stdin:
            table.value("peak memory with process facts", peak_memory_mib([driver, "key"], stdin=stdin, **options), "MiB", 24)
        for name, what, file in (("asking an interpreter", "whole", request), ("process facts", "key", facts)):
            with file.open() as stdin:
                table.system_calls(name, [driver, what], stdin=stdin, **options)
        if shutil.which("strace"):
            with facts.open() as stdin:
                read = bytes_of_metadata([driver, "key"], stdin=stdin, **options)
            table.note(f"metadata read: {read / 1024:.0f} of {DISTRIBUTIONS * METADATA_SIZE // 1024} KiB")


if __name__ == "__main__":
    main()
