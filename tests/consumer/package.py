"""netcore as its users have it: installed to a prefix of its own, and projects built with it."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD_TIMEOUT = 600  # seconds that one command may take


def readme_server():
    """The first C++ block of README.md, character for character."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.search(r"^```cpp\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL).group(1)


class CommandFailed(Exception):
    """A command that should have succeeded, and what it printed."""


class Package:
    """A build tree of netcore, installed. Everything lies in one temporary folder until remove."""

    def __init__(self, build, wrapper=None):
        self.build = pathlib.Path(build).resolve()
        self.wrapper = [str(pathlib.Path(wrapper).resolve())] if wrapper else []
        self._cache = (self.build / "CMakeCache.txt").read_text(encoding="utf-8")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="netcore-consumer-"))
        self.prefix = self.folder / "prefix"
        try:
            self.install(self.build, self.prefix)
        except BaseException:
            self.remove()
            raise

    def remove(self):
        shutil.rmtree(self.folder)

    def install(self, build, prefix):
        self.run("cmake", "--install", build, "--prefix", prefix)

    def run(self, *command, cwd=None, env=None):
        """Returns what the command printed; raises if it fails."""
        result = subprocess.run(
            list(map(str, command)),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=BUILD_TIMEOUT,
            env={**os.environ, **(env or {})},
        )
        if result.returncode != 0:
            line = " ".join(map(str, command))
            raise CommandFailed(f"{line}\nstatus {result.returncode}\n{result.stdout}")
        return result.stdout

    def cached(self, name):
        """An entry of the build tree's CMake cache, None if there is none."""
        match = re.search(rf"^{name}:\w+=(.*)$", self._cache, re.MULTILINE)
        return match.group(1) if match else None

    def compiler(self):
        found = next((self.build / "CMakeFiles").glob("*/CMakeCXXCompiler.cmake"))
        text = found.read_text(encoding="utf-8")
        return re.search(r'^set\(CMAKE_CXX_COMPILER "(.+)"\)$', text, re.MULTILINE).group(1)

    def installed_headers(self):
        """Relative to the folder that an #include begins at."""
        include = self.prefix / "include"
        return sorted(path.relative_to(include) for path in (include / "netcore").rglob("*.h"))

    def new_consumer(self, name):
        """A copy of a project of this folder, with README's server as main.cpp if it has none."""
        copy = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder)) / name
        shutil.copytree(HERE / name, copy)
        if not (copy / "main.cpp").exists():
            (copy / "main.cpp").write_text(readme_server(), encoding="utf-8")
        return copy

    def configure(self, consumer, *options):
        """With the compiler that netcore was built with, and with nothing said of optimization. It
        finds the installed netcore."""
        toolchain = self.cached("CMAKE_TOOLCHAIN_FILE")
        if toolchain:
            system = [f"--toolchain={toolchain}", f"-DCMAKE_FIND_ROOT_PATH={self.prefix}"]
        else:
            prefix = f"-DCMAKE_PREFIX_PATH={self.prefix}"
            system = [prefix, f"-DCMAKE_CXX_COMPILER={self.compiler()}"]
        ccache = self.cached("NETCORE_CCACHE")
        if ccache and not ccache.endswith("-NOTFOUND"):
            system.append(f"-DCMAKE_CXX_COMPILER_LAUNCHER={ccache}")
        where = ["-S", consumer, "-B", consumer / "build"]
        return self.run("cmake", "-G", "Ninja", *where, *system, *options)

    def compile(self, consumer):
        # For ccache this folder, which has another name each time, is always the same.
        return self.run("cmake", "--build", consumer / "build", env={"CCACHE_BASEDIR": self.folder})

    def pkg_config(self):
        """The environment in which pkg-config finds what is installed, and CXX is the compiler."""
        folder = str(next(self.prefix.rglob("netcore.pc")).parent)
        if self.wrapper:  # nothing of this system, and no DLL of the compiler's
            return {"PKG_CONFIG_LIBDIR": folder, "CXX": f"{self.compiler()} -static"}
        return {"PKG_CONFIG_PATH": folder, "CXX": self.compiler()}

    def command(self, program):
        """What runs a program that a consumer built."""
        windows = program.with_suffix(".exe")
        return [*self.wrapper, str(windows if windows.exists() else program)]
