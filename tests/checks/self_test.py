#!/usr/bin/env python3
"""Each check trips on what it is there to find, and on nothing else.

Usage: self_test.py [-v] [layering|platform_free|waits|headers|format|names]
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]

GOOD_TREE = {
    "netcore/netcore.h": '#pragma once\n#include "netcore/port/port.h"\n',
    "netcore/base/error.h": "#pragma once\n\n#include <string>\n",
    "netcore/base/error.cpp": '#include "netcore/base/error.h"\n\n#include <fmt/format.h>\n',
    "netcore/port/port.h": '#pragma once\n\n#include "netcore/base/error.h"\n',
    "netcore/port/linux/epoll.cpp": "#include <sys/epoll.h>\n\n#ifdef __linux__\n#endif\n",
    "netcore/session/session.h": '#pragma once\n\n#include "netcore/port/port.h"\n',
}


class CheckTest(unittest.TestCase):
    check = ""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="netcore-check-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        shutil.copy(ROOT / ".clang-format", self.root)
        shutil.copy(ROOT / ".clang-tidy", self.root)
        for file, text in GOOD_TREE.items():
            self.write(file, text)

    def write(self, file, text):
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_check(self, *arguments):
        result = subprocess.run(
            [sys.executable, str(HERE / f"{self.check}.py"), *(arguments or [str(self.root)])],
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=600,
            check=False,
        )
        return result.returncode, result.stdout

    def assert_passes(self, *arguments):
        code, output = self.run_check(*arguments)
        self.assertEqual(code, 0, output)

    def assert_trips(self, file, expected, *arguments):
        code, output = self.run_check(*arguments)
        self.assertEqual(code, 1, output)
        self.assertIn(file, output)
        self.assertIn(expected, output)

    def assert_trips_on(self, file, text, expected):
        self.write(file, text)
        self.assert_trips(file, expected)


class LayeringTest(CheckTest):
    check = "layering"

    def test_a_good_tree_passes(self):
        self.assert_passes()

    def test_an_include_of_a_higher_layer_trips(self):
        text = '#include "netcore/session/session.h"\n'
        self.assert_trips_on("netcore/base/a.h", text, "base does not stand above session")

    def test_an_include_in_angle_brackets_trips_too(self):
        text = "#include <netcore/service/service.h>\n"
        self.assert_trips_on("netcore/core/a.cpp", text, "core does not stand above service")

    def test_logic_that_includes_more_than_base_trips(self):
        text = '#include "netcore/port/port.h"\n'
        self.assert_trips_on("netcore/logic/a.h", text, "logic does not stand above port")

    def test_a_platform_header_seen_from_outside_trips(self):
        text = '#include "netcore/port/linux/sockets.h"\n'
        self.assert_trips_on("netcore/port/a.cpp", text, "only port/linux itself")

    def test_one_platform_seen_from_the_other_trips(self):
        text = '#include "netcore/port/windows/sockets.h"\n'
        self.assert_trips_on("netcore/port/linux/a.cpp", text, "only port/windows itself")

    def test_the_library_that_includes_a_test_trips(self):
        text = '#include "tests/support/catch.h"\n'
        self.assert_trips_on("netcore/core/a.cpp", text, "knows nothing of what stands on it")

    def test_the_library_that_includes_the_header_for_all_trips(self):
        text = "#include <netcore/netcore.h>\n"
        self.assert_trips_on("netcore/service/a.cpp", text, "netcore.h is for users")

    def test_an_unknown_folder_trips(self):
        text = '#include "netcore/base/error.h"\n'
        self.assert_trips_on("netcore/extra/a.h", text, "extra is no known layer")


class PlatformFreeTest(CheckTest):
    check = "platform_free"

    def test_a_good_tree_passes(self):
        self.assert_passes()

    def test_a_comment_about_a_platform_passes(self):
        self.write("netcore/core/a.h", "// #ifdef _WIN32\n/*\n#include <windows.h>\n*/\n")
        self.assert_passes()

    def test_a_system_header_in_a_public_header_trips(self):
        for header in ("sys/socket.h", "unistd.h", "liburing.h"):
            text = f"#pragma once\n#include <{header}>\n"
            self.assert_trips_on("netcore/session/session.h", text, "no system header")

    def test_a_system_header_in_a_source_trips(self):
        for header in ("windows.h", "winsock2.h", "netinet/in.h"):
            self.assert_trips_on("netcore/core/a.cpp", f'#include "{header}"\n', "no system header")

    def test_a_platform_conditional_trips(self):
        for line in ("#ifdef _WIN32", "#if defined(__linux__)", "#  ifndef _MSC_VER", "#if \\\n _WIN64"):
            self.assert_trips_on("netcore/core/a.cpp", f"{line}\n#endif\n", "no #if on the platform")

    def test_a_platform_conditional_in_an_elif_trips(self):
        text = "#if 0\n#elif defined(__MINGW32__)\n#endif\n"
        self.assert_trips_on("netcore/base/a.h", text, "no #if on the platform")

    def test_a_third_party_header_that_users_get_trips(self):
        text = "#pragma once\n#include <fmt/format.h>\n"
        self.assert_trips_on("netcore/port/port.h", text, "no third-party header")

    def test_a_third_party_header_that_users_do_not_get_passes(self):
        self.write("netcore/base/own.h", "#pragma once\n#include <fmt/format.h>\n")
        self.assert_passes()

    def test_a_tree_without_the_public_face_trips(self):
        (self.root / "netcore/netcore.h").unlink()
        self.assert_trips("netcore/netcore.h", "is missing")


class WaitsTest(CheckTest):
    check = "waits"

    def test_a_good_tree_passes(self):
        self.assert_passes()

    def test_a_wait_with_a_lock_passes(self):
        self.write("samples/a.cpp", "void W() { changed_.wait(lock, [] { return true; }); }\n")
        self.write("tests/a.cpp", "void W() { changed_.wait( lock); result.wait( ); }  // a.wait(0)\n")
        self.assert_passes()

    def test_a_wait_on_an_atomic_trips(self):
        for text in ("a.wait(0);", "a->wait(old, order);", "a.wait(\n    locked);"):
            text = f"void W() {{ {text} }}\n"
            self.assert_trips_on("samples/a.cpp", text, "samples/a.cpp:1: waits on a value")

    def test_a_wait_on_an_atomic_passes_in_what_only_posix_compiles(self):
        self.write("samples/a_posix.cpp", "void W() { a.wait(0); }\n")
        self.assert_passes()

    def test_what_waits_on_atomics_inside_trips(self):
        for header in ("barrier", "latch", "semaphore"):
            text = f"#include <{header}>\n"
            self.assert_trips_on("tests/core/a.cpp", text, f"tests/core/a.cpp:1: includes {header}")


class HeadersTest(CheckTest):
    check = "headers"

    def test_a_good_tree_passes(self):
        self.assert_passes()

    def test_a_header_that_lacks_an_include_trips(self):
        text = "#pragma once\ninline std::string Name() { return {}; }\n"
        self.assert_trips_on("netcore/core/a.h", text, "does not compile alone")

    def test_a_header_without_a_guard_trips(self):
        self.assert_trips_on("netcore/core/a.h", "struct A {};\n", "does not compile alone")

    def test_a_tree_without_headers_trips(self):
        shutil.rmtree(self.root / "netcore")
        self.assert_trips("netcore", "there are no headers")


class FormatTest(CheckTest):
    check = "format"

    def test_a_good_tree_passes(self):
        self.assert_passes()

    def test_a_badly_formatted_file_trips(self):
        for folder in ("netcore/core", "tests", "samples/echo", "benchmarks"):
            with self.subTest(folder=folder):
                self.assert_trips_on(f"{folder}/a.cpp", "int  main( )\n{return 0;}\n", "mend it with")
                (self.root / folder / "a.cpp").unlink()

    def test_a_tree_without_sources_trips(self):
        shutil.rmtree(self.root / "netcore")
        self.assert_trips(str(self.root), "there are no sources")


class NamesTest(CheckTest):
    check = "names"

    def setUp(self):
        super().setUp()
        given = os.environ.pop("NETCORE_TIDY_BASE", None)
        if given is not None:
            self.addCleanup(os.environ.__setitem__, "NETCORE_TIDY_BASE", given)

    def compare_with(self, commit):
        os.environ["NETCORE_TIDY_BASE"] = commit
        self.addCleanup(os.environ.pop, "NETCORE_TIDY_BASE", None)

    def would_compile(self, *files):
        """Writes a build's compile commands. Returns the check's arguments for it."""
        commands = [
            {
                "directory": str(self.root),
                "file": str(self.root / file),
                "command": f"c++ -std=c++20 -I{self.root} -c {self.root / file}",
            }
            for file in files
        ]
        self.write("build/compile_commands.json", json.dumps(commands))
        return (str(self.root / "build"), "--root", str(self.root))

    def check_source(self, text, expected=None):
        self.write("netcore/core/a.cpp", text)
        arguments = self.would_compile("netcore/core/a.cpp")
        if expected:
            self.assert_trips("netcore/core/", expected, *arguments)
        else:
            self.assert_passes(*arguments)

    def test_names_in_style_pass(self):
        self.check_source(
            "constexpr int kLimit = 3;\n"
            "class Counter {\n public:\n  int Count() const { return count_; }\n\n"
            " private:\n  int count_ = kLimit;\n};\n"
        )

    def test_names_out_of_style_trip(self):
        for text in (
            "class counter {};\n",
            "void do_it() {}\n",
            "void DoIt(int someArgument) { (void)someArgument; }\n",
            "class C {\n  int count = 0;\n};\n",
            "enum class E { FIRST };\n",
            "constexpr int limit = 3;\n",
            "namespace NetCore {}\n",
        ):
            with self.subTest(text=text):
                self.check_source(text, "invalid case style")

    def test_a_wrong_name_in_a_header_trips(self):
        self.write("netcore/core/a.h", "#pragma once\nvoid do_it();\n")
        self.check_source('#include "netcore/core/a.h"\n', "invalid case style")

    def test_a_use_after_move_trips(self):
        self.check_source(
            "#include <string>\n#include <utility>\n"
            "std::string Twice(std::string text) {\n"
            "  std::string moved = std::move(text);\n  return moved + text;\n}\n",
            "bugprone-use-after-move",
        )

    def test_a_build_without_our_sources_trips(self):
        self.assert_trips("", "no sources of ours", *self.would_compile())

    def git(self, *arguments):
        author = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", "-C", str(self.root), *author, *arguments], check=True)

    def tree_with_a_bad_test(self):
        """Commits one, and adds a commit behind it. Returns the check's arguments."""
        self.write("netcore/core/a.cpp", "int Good() { return 1; }\n")
        self.write("tests/support/deep.h", "#pragma once\nvoid Deep();\n")
        self.write("tests/support/a.h", '#pragma once\n#include "tests/support/deep.h"\n')
        self.write("tests/core/bad.cpp", '#include "tests/support/a.h"\nvoid bad_one() {}\n')
        self.write("tests/core/good.cpp", "void Good() {}\n")
        self.git("init", "--quiet")
        for title in ("one", "two"):
            self.git("add", "--all")
            self.git("commit", "--quiet", "--allow-empty", "--no-gpg-sign", "-m", title)
        return self.would_compile("netcore/core/a.cpp", "tests/core/bad.cpp", "tests/core/good.cpp")

    def test_of_the_tests_those_that_changed_are_looked_at(self):
        arguments = self.tree_with_a_bad_test()
        self.compare_with("HEAD~1")
        self.assert_passes(*arguments)
        self.assert_trips("tests/core/bad.cpp", "bad_one", *arguments, "--all")
        self.write("tests/core/good.cpp", "void not_good() {}\n")
        self.assert_trips("tests/core/good.cpp", "2 of 3 files", *arguments)
        self.write("netcore/core/a.cpp", "int not_good() { return 1; }\n")
        self.git("commit", "--quiet", "--no-gpg-sign", "-a", "-m", "three")
        self.git("commit", "--quiet", "--no-gpg-sign", "--allow-empty", "-m", "four")
        self.assert_trips("netcore/core/a.cpp", "1 of 3 files", *arguments)  # changed or not
        self.compare_with("HEAD~2")
        self.assert_trips("tests/core/good.cpp", "2 of 3 files", *arguments)

    def test_a_changed_header_of_the_tests_is_looked_at_by_way_of_a_source_that_has_it(self):
        arguments = self.tree_with_a_bad_test()
        self.compare_with("HEAD~1")
        self.write("tests/support/deep.h", "#pragma once\nvoid deep_one();\n")
        self.assert_trips("tests/support/deep.h", "2 of 3 files", *arguments)

    def test_all_are_looked_at_where_the_older_commit_is_missing(self):
        arguments = self.tree_with_a_bad_test()  # of two commits
        self.assert_trips("tests/core/bad.cpp", "3 of 3 files", *arguments)

    def test_all_are_looked_at_where_the_rules_changed(self):
        arguments = self.tree_with_a_bad_test()
        self.compare_with("HEAD~1")
        rules = self.root / ".clang-tidy"
        rules.write_text(rules.read_text() + "\n")
        self.assert_trips("tests/core/bad.cpp", "3 of 3 files", *arguments)


SUITES = {
    "layering": LayeringTest,
    "platform_free": PlatformFreeTest,
    "waits": WaitsTest,
    "headers": HeadersTest,
    "format": FormatTest,
    "names": NamesTest,
}

if __name__ == "__main__":
    arguments = [SUITES[name].__name__ if name in SUITES else name for name in sys.argv[1:]]
    if not any(name in SUITES for name in sys.argv[1:]):
        arguments += [suite.__name__ for suite in SUITES.values()]
    unittest.main(argv=[sys.argv[0], *arguments])
