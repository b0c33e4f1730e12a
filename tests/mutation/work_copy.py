"""A copy of the tree in which bugs are planted, and its build."""

import contextlib
import filecmp
import os
import re
import shutil
import signal
import subprocess
import time

import catch_output

COPIED = ("CMakeLists.txt", "cmake", "netcore", "samples", "tests")
OPTIONS = (
    "-DCMAKE_BUILD_TYPE=Debug",
    # A bug that hangs is found when a wait of a test gives up, see tests/support/limits.h.
    "-DCMAKE_CXX_FLAGS_DEBUG=-O0 -g1 -fsanitize=address -fno-omit-frame-pointer "
    "-DNETCORE_TEST_WAIT_S=30",
    "-DCMAKE_CATCH_DISCOVER_TESTS_DISCOVERY_MODE=PRE_TEST",
    "-DNETCORE_UNITY_BUILD=OFF",  # a planted bug compiles one source
    "-DNETCORE_UNITY_TESTS=ON",
    "-DNETCORE_WERROR=OFF",
    "-DNETCORE_BUILD_SAMPLES=OFF",
    "-DNETCORE_BUILD_BENCHMARKS=OFF",
)
BUILD_LIMIT_S = 1800


class MutateError(Exception):
    """It could not be found out whether the tests catch the bugs."""


class Copy:
    """A copy of the tree and its build, kept from one run of the script to the next.
    Threads: one at a time, but `stop` may be called from any."""

    def __init__(self, root, scratch, jobs):
        self.root = root
        self.tree = scratch / "tree"
        self.build = scratch / "build"
        self.log = scratch / "log"
        self.jobs = jobs
        self.process = None
        self.stopped = False
        scratch.mkdir(parents=True, exist_ok=True)

    def sync(self):
        """Files that are the same keep their time, so that little is built again."""
        wanted = {}
        for name in COPIED:
            source = self.root / name
            files = source.rglob("*") if source.is_dir() else [source]
            wanted.update({file.relative_to(self.root): file for file in files if file.is_file()})
        for file in [file for file in self.tree.rglob("*") if file.is_file()]:
            if file.relative_to(self.tree) not in wanted:
                file.unlink()
        for name, source in wanted.items():
            copy = self.tree / name
            if not copy.exists() or not filecmp.cmp(source, copy, shallow=False):
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, copy)

    def stop(self):
        """Ends what runs here, now and later."""
        self.stopped = True
        self._kill(self.process)

    def _kill(self, process):
        if process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    def run(self, command, limit_s, silence_s=None, **options):
        """Runs the command for at most `limit_s`, and for at most `silence_s` without new output.
        Returns its exit status (None: it was too slow) and output; it and its children are gone
        afterwards."""
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **options,
            )
            try:
                if self.stopped:
                    raise MutateError("stopped")
                status = self._wait(limit_s, silence_s or limit_s)
            finally:
                self._kill(self.process)
                self.process.wait()
                self.process = None
        if self.stopped:
            raise MutateError("stopped")
        return status, self.log.read_text(encoding="utf-8", errors="replace")

    def _wait(self, limit_s, silence_s):
        end = time.monotonic() + limit_s
        size, grown = 0, time.monotonic()
        while time.monotonic() < min(end, grown + silence_s):
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self.process.wait(0.5)
            if self.log.stat().st_size != size:
                size, grown = self.log.stat().st_size, time.monotonic()
        return None

    def configure(self):
        command = ["cmake", "-S", self.tree, "-B", self.build, "-G", "Ninja", *OPTIONS]
        if shutil.which("ld.lld"):  # links in a third of the time
            command.append("-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld")
        status, output = self.run(command, BUILD_LIMIT_S)
        if status != 0:
            raise MutateError(f"cmake fails:\n{output}")

    def make(self, *targets):
        """Builds the targets; returns "" or what the build printed when it failed."""
        command = ["cmake", "--build", self.build, "--parallel", str(self.jobs), "--target"]
        status, output = self.run([*command, *targets], BUILD_LIMIT_S)
        return "" if status == 0 else output[-4000:] or "it is too slow"

    def programs(self):
        """The names of the test programs, one a layer that has tests."""
        command = ["ninja", "-C", self.build, "-t", "targets", "all"]
        _, output = self.run(command, BUILD_LIMIT_S)
        return sorted(set(re.findall(r"^(netcore_\w+_tests): phony$", output, re.MULTILINE)))

    def cases(self, program):
        """The names of the program's test cases, in the order in which they run."""
        for options in catch_output.LIST_OPTIONS:
            _, output = self.run([self.build / "bin" / program, *options], 60)
            if "Unrecognised token" not in output:
                return [line for line in output.splitlines() if line]
        raise MutateError(f"{program} does not list its tests:\n{output}")

    def test(self, program, limit_s, silence_s=None, case=""):
        """Runs the tests of one program, or one case of them; returns exit status (None: it hung)
        and output."""
        environment = os.environ | {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0"}
        command = [self.build / "bin" / program, *catch_output.RUN_OPTIONS]
        if case:
            command.append(catch_output.selection(case))
        return self.run(command, limit_s, silence_s, env=environment, cwd=self.build)
