#!/usr/bin/env python3
"""Projects of others that use netcore: installed, as a subproject, by pkg-config.

Usage: run_consumers.py BUILD [--wrapper scripts/wine-run] [--host-network] [-k PATTERN]

BUILD is a build tree of netcore, built. It is installed to a temporary prefix; the projects of this
folder are built against it, outside of the sources, and talked to. With a wrapper the build tree is
one for Windows. Ends with unittest's own count of cases.
"""

import argparse
import json
import pathlib
import re
import signal
import subprocess
import sys
import unittest

from package import HERE, ROOT, CommandFailed, Package

sys.path.insert(0, str(ROOT / "tests" / "checks"))

from platform_free import STANDARD_HEADERS
from source_tree import includes


def own_network():
    """What runs a command in a network of its own; None where the system does not allow it."""
    for command in (["unshare", "--net"], ["unshare", "--map-root-user", "--net"]):
        try:
            if subprocess.run([*command, "true"], capture_output=True).returncode == 0:
                return command
        except FileNotFoundError:
            pass
    return None


class ConsumerCase(unittest.TestCase):
    package = None
    network = None  # what own_network returned

    def exchange(self, *command):
        """The server in README.md, or what should be it, starts, echoes, and ends by Enter."""
        exchange = [sys.executable, str(HERE / "exchange.py")]
        if self.network:
            exchange = [*self.network, *exchange, "--own-network"]
        print(self.package.run(*exchange, *command), end="", flush=True)

    def expect_server(self, program):
        self.exchange(*self.package.command(program))


class PackageCases(ConsumerCase):
    """What is installed, and who finds it: by CMake, and by pkg-config."""

    def test_a_project_that_finds_netcore_builds_the_server_of_the_readme(self):
        consumer = self.package.new_consumer("find_package")
        self.package.configure(consumer)
        self.package.compile(consumer)
        self.expect_server(consumer / "build" / "my_game_server")

    def test_a_project_with_pkg_config_builds_the_server_of_the_readme(self):
        consumer = self.package.new_consumer("pkg_config")
        self.package.run(consumer / "build", cwd=consumer, env=self.package.pkg_config())
        self.expect_server(consumer / "my_game_server")

    def test_pkg_config_tells_the_projects_version(self):
        command = ("pkg-config", "--modversion", "netcore")
        told = self.package.run(*command, env=self.package.pkg_config())
        self.assertEqual(told.strip(), version())

    def test_a_project_simulates_its_sessions(self):
        consumer = self.package.new_consumer("simulation")
        self.package.configure(consumer)
        self.package.compile(consumer)
        self.package.run(*self.package.command(consumer / "build" / "simulation"))

    def test_the_installed_headers_compile_where_no_others_are(self):
        consumer = self.package.new_consumer("every_header")
        self.package.configure(consumer)
        self.package.compile(consumer)
        source = (consumer / "build" / "every_header.cpp").read_text(encoding="utf-8")
        names = [header.as_posix() for header in self.package.installed_headers()]
        self.assertEqual(sorted(re.findall("<(.+)>", source)), sorted(names))

    def test_an_installed_header_includes_only_installed_ones_and_the_standard_library(self):
        headers = self.package.installed_headers()
        names = {header.as_posix() for header in headers}
        self.assertLessEqual({"netcore/netcore.h", "netcore/sim/simulate.h"}, names)
        for header in headers:
            for line, included in includes(self.package.prefix / "include" / header):
                known = included in names or included in STANDARD_HEADERS
                self.assertTrue(known, f"{header}:{line} includes {included}")

    def test_the_version_is_the_projects_and_promises_what_it_should(self):
        major, minor, patch = map(int, version().split("."))
        expected = {
            f"{major}.{minor}": version(),
            version(): version(),
            f"{major}.{minor}.{patch + 1}": "no",
            f"{major}.{minor + 1}": "no",
            f"{major + 1}.0": "no",
        }
        if minor > 0:
            expected[f"{major}.{minor - 1}"] = "no"
        consumer = self.package.new_consumer("versions")
        told = self.package.configure(consumer, f"-DWANTED={';'.join(expected)}")
        self.assertEqual(dict(re.findall(r"(?m)^-- ([\d.]+): (\S+)$", told)), expected)

    def test_the_readme_says_what_these_projects_say(self):
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        for file, line in (
            ("find_package/CMakeLists.txt", "find_package(netcore REQUIRED)"),
            ("add_subdirectory/CMakeLists.txt", "add_subdirectory(netcore)"),
            (
                "find_package/CMakeLists.txt",
                "target_link_libraries(my_game_server PRIVATE netcore::netcore)",
            ),
            ("pkg_config/build", "-std=c++20 main.cpp $(pkg-config --cflags --libs netcore)"),
        ):
            self.assertIn(line, readme)
            self.assertIn(line, (HERE / file).read_text(encoding="utf-8"))

    def test_the_version_for_vcpkg_is_the_projects(self):
        manifest = json.loads((ROOT / "vcpkg.json").read_text(encoding="utf-8"))
        self.assertEqual(manifest["version"], version())

    def test_nothing_installed_names_the_folders_it_was_built_in(self):
        for path in self.package.prefix.rglob("*"):
            if path.is_file() and path.suffix != ".a":
                text = path.read_text(encoding="utf-8")
                for folder in (ROOT, self.package.build, self.package.prefix):
                    self.assertNotIn(str(folder), text, path)


class LinuxCases(PackageCases):
    """Also who builds netcore as a part of a project."""

    def test_a_project_with_netcore_as_a_part_builds_the_server_of_the_readme(self):
        consumer = self.package.new_consumer("add_subdirectory")
        (consumer / "netcore").symlink_to(ROOT)
        self.package.configure(consumer)
        self.package.compile(consumer)
        self.expect_server(consumer / "build" / "my_game_server")

        # It gets the library alone, and installs nothing of it.
        built = {path.name for path in (consumer / "build").rglob("*") if self.is_product(path)}
        built.discard("libfmt.a")  # which is there where it had to be fetched
        self.assertEqual(built, {"my_game_server", "libnetcore.a"})
        prefix = consumer / "prefix"
        self.package.install(consumer / "build", prefix)
        installed = {path.name for path in prefix.rglob("*") if path.is_file()}
        self.assertEqual(installed, {"my_game_server"})

    @staticmethod
    def is_product(path):
        ours = "CMakeFiles" not in path.parts and path.is_file()
        return ours and (path.suffix == ".a" or path.read_bytes()[:4] == b"\x7fELF")

    def test_a_part_is_installed_when_asked(self):
        consumer = self.package.new_consumer("add_subdirectory")
        (consumer / "netcore").symlink_to(ROOT)
        self.package.configure(consumer, "-DNETCORE_INSTALL=ON")
        rules = (consumer / "build" / "netcore" / "cmake_install.cmake").read_text()
        for file in ("libnetcore.a", "netcoreConfig.cmake", "netcoreTargets.cmake", "netcore.pc"):
            self.assertIn(file, rules)


class ExchangeCases(ConsumerCase):
    """A server that is not as it should be is found out."""

    def finds(self, wrong, complaint):
        with self.assertRaisesRegex(CommandFailed, rf"(?m)^exchange\.py: {complaint}"):
            self.exchange(sys.executable, str(HERE / "bad_server.py"), wrong)

    def test_it_finds_nothing_wrong_with_an_honest_server(self):
        self.exchange(sys.executable, str(HERE / "bad_server.py"), "honest")

    def test_it_finds_a_server_that_does_not_start(self):
        self.finds("ends_at_once", "the server ended at once: status 1, .*no port is free")

    def test_it_finds_a_server_that_ends_with_another_status_than_0(self):
        self.finds("ends_with_3", "the server did not end well: status 3")

    def test_it_finds_a_flipped_bit(self):
        self.finds("flips_a_bit", "of 65536 bytes sent, 65536 came back, or others")

    def test_it_finds_a_byte_too_many(self):
        self.finds("adds_a_byte", "of 1 bytes sent, 2 came back")

    def test_it_finds_a_server_that_hangs_up(self):
        self.finds("hangs_up", r"(of \d+ bytes sent|\[Errno )")


def version():
    """What project(VERSION) says."""
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    return re.search(r"\bproject\(\s*netcore\s+VERSION (\S+)", text).group(1)


def give_up(*_):
    """When time is up: as Ctrl-C, so that nothing is left lying about."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the second one, which `timeout` sends
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--wrapper")
    parser.add_argument("--host-network", action="store_true", help="use no network of its own")
    parser.add_argument("-k", dest="pattern", help="only cases whose name contains this")
    options = parser.parse_args()

    loader = unittest.TestLoader()
    if options.pattern:
        loader.testNamePatterns = [f"*{options.pattern}*"]
    windows = options.wrapper is not None
    signal.signal(signal.SIGTERM, give_up)
    package = Package(options.build, options.wrapper)
    try:
        # Wine's sockets are those of its server, which may run already, in the network of the host.
        network = None if windows or options.host_network else own_network()
        members = {"package": package, "network": network}
        suite = unittest.TestSuite()
        for cases in (PackageCases,) if windows else (LinuxCases, ExchangeCases):
            case_class = type(cases.__name__, (cases,), members)
            suite.addTests(loader.loadTestsFromTestCase(case_class))
        result = unittest.TextTestRunner(verbosity=2).run(suite)
    finally:
        package.remove()
    sys.exit(0 if result.wasSuccessful() and result.testsRun > 0 else 1)


if __name__ == "__main__":
    main()
