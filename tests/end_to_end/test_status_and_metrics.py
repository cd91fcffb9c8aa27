"""What `status` tells of a run, and of many."""

from __future__ import annotations

import json

from coordination_support import finish


class TestStatus:
    def test_text_and_json(self, rootdir, controller):
        assert "no state" in rootdir.precreate("status").stdout
        arguments = ["--controller-pid", str(controller.pid), "--run-uid", "r1", "-n", "2"]
        assert rootdir.prepare(*arguments).returncode == 0
        assert rootdir.await_("--worker", "gw1").returncode == 0
        text = rootdir.precreate("status").stdout
        for part in ("s old", "usable       yes", "r1", f"process {controller.pid}, alive", "gw1", "missing: gw0"):
            assert part in text
        shown = json.loads(rootdir.precreate("status", "--json").stdout)
        assert (shown["controller"], shown["usable"], shown["missing"]) == ("alive", True, ["gw0"])
        assert [ack["worker_id"] for ack in shown["acknowledgments"]] == ["gw1"]
        assert shown["state"]["run_uid"] == "r1"
        controller.kill()
        shown = json.loads(rootdir.precreate("status", "--json").stdout)
        assert (shown["controller"], shown["usable"]) == ("gone", False)
        assert "is gone" in rootdir.precreate("status").stdout


class TestMetrics:
    def test_a_line_a_command(self, rootdir, tmp_path):
        file = tmp_path / "metrics"
        environment = {**rootdir.environment, "TESTMON_XDIST_METRICS": str(file)}
        assert rootdir.prepare("-n", "1", env=environment).returncode == 0
        assert rootdir.await_("--worker", "gw0", env=environment).returncode == 0
        assert rootdir.await_("--", "true", env=environment).returncode == 0
        assert rootdir.precreate("wait", env=environment).returncode == 0
        assert rootdir.precreate("cleanup", env=environment).returncode == 0
        assert rootdir.await_("--timeout", "0.1", env=environment).returncode == 4
        assert rootdir.await_("--timeout", "x", env=environment).returncode == 2
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        seen = [(line["command"], line["outcome"], line["error"], line["exit_code"]) for line in lines]
        assert seen == [
            ("prepare", "ok", None, 0),
            ("await", "ok", None, 0),
            ("await", "ok", None, 0),
            ("wait", "ok", None, 0),
            ("cleanup", "ok", None, 0),
            ("await", "error", "CoordinationTimeout", 4),
            ("await", "error", "UsageError", 2),
        ]
        assert all(line["milliseconds"]["total"] > 0 for line in lines)
        phases = ["total", "surroundings", "claim", "data_file", "test_files", "workers", "state"]
        assert list(lines[0]["milliseconds"]) == phases
        assert lines[1]["waits"] == 1
        summary = json.loads(rootdir.precreate("status", "--json", "--metrics", str(file)).stdout)
        assert summary["runs"] == {"prepare": 1, "await": 4, "wait": 1, "cleanup": 1}
        assert summary["errors"] == {"CoordinationTimeout": 1, "UsageError": 1}
        assert summary["waiting"]["count"] == 2
        assert summary["preparation"]["median_ms"] == lines[0]["milliseconds"]["total"]
        assert "await 4" in rootdir.precreate("status", "--metrics", str(file)).stdout

    def test_lines_of_concurrent_commands_do_not_mix(self, rootdir, tmp_path):
        rootdir.write_state()
        file = tmp_path / "metrics"
        environment = {**rootdir.environment, "TESTMON_XDIST_METRICS": str(file), "PYTEST_XDIST_TESTRUNUID": "u" * 3000}
        processes = [rootdir.start(env=environment) for _ in range(200)]
        assert {finish(process).exit_code for process in processes} == {0}
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        assert len(lines) == 200

    def test_a_file_that_cannot_be_written_is_a_warning(self, rootdir):
        rootdir.write_state()
        environment = {**rootdir.environment, "TESTMON_XDIST_METRICS": "/no/such/directory/file"}
        result = rootdir.await_(env=environment)
        assert result.returncode == 0
        assert "warning: no metrics: could not open" in result.stderr
