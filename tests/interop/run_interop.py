#!/usr/bin/env python3
"""Real clients against the built samples: nc, ncat, socat, Python, echo_client, load_bot.

Usage: run_interop.py FOLDER [--backend NAME]... [--wrapper scripts/wine-run] [--figures FILE]

FOLDER holds the built programs. With a wrapper they are Windows programs, and what only a Linux
process can be asked is left out. Ends with unittest's own count of cases; a tool that is missing is
a failure. With --figures the cases also measure times, memory and CPU, and write them to FILE; that
takes longer.
"""

import argparse
import resource
import sys
import unittest

from chat_cases import CommonChatCases, LinuxChatCases, OwnServerCases
from chat_client_cases import CommonChatClientCases, LinuxChatClientCases
from echo_cases import CommonCases, EndCases, LinuxCases
from fault_cases import LinuxFaultCases, ResetCases
from figures import Figures
from load_bot_cases import ChatLoadCases, ChatServerLoadCases, EchoLoadCases
from log_cases import LinuxLogCases, LogCases
from programs import Programs
from scale_cases import LinuxScaleCases, ScaleCases
from start_cases import CommonStartCases, LinuxStartCases
from traffic import SEED


def classes(options, programs):
    """Each class of cases, once a backend where the backend matters."""
    windows = options.wrapper is not None
    backends = options.backend or (["iocp"] if windows else ["epoll", "io_uring"])
    members = {"programs": programs, "backends": backends}
    yield type("Start", (CommonStartCases if windows else LinuxStartCases,), members)
    yield type("Log", (LogCases if windows else LinuxLogCases,), {"programs": programs})
    if not windows:
        yield type("EchoLoad", (EchoLoadCases,), {"programs": programs})
        yield type("ChatLoad", (ChatLoadCases,), {"programs": programs})
    for backend in backends:
        members = {
            "programs": programs,
            "backend": backend,
            "arguments": ("--backend", backend, "--threads", "2"),
        }
        yield type(f"Echo_{backend}", (CommonCases if windows else LinuxCases,), members)
        if not windows:
            yield type(f"End_{backend}", (EndCases,), members)
        fault_members = {"programs": programs, "backend": backend, "is_native": not windows}
        yield type(f"Fault_{backend}", (ResetCases if windows else LinuxFaultCases,), fault_members)
        count = 5_000 if windows else 15_000
        scale_members = {"programs": programs, "backend": backend, "count": count}
        yield type(f"Scale_{backend}", (ScaleCases if windows else LinuxScaleCases,), scale_members)
        members = {**members, "arguments": (*members["arguments"], "--logic-threads", "2")}
        yield type(f"Chat_{backend}", (CommonChatCases if windows else LinuxChatCases,), members)
        client_cases = CommonChatClientCases if windows else LinuxChatClientCases
        yield type(f"ChatClient_{backend}", (client_cases,), members)
        if not windows:
            yield type(f"ChatOwn_{backend}", (OwnServerCases,), members)
            yield type(f"ChatServerLoad_{backend}", (ChatServerLoadCases,), members)


def raise_descriptor_limit():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--backend", action="append")
    parser.add_argument("--wrapper")
    parser.add_argument("-k", dest="pattern", help="only cases whose name contains this")
    parser.add_argument("--figures", help="a file for what is measured")
    options = parser.parse_args()

    raise_descriptor_limit()
    loader = unittest.TestLoader()
    if options.pattern:
        loader.testNamePatterns = [f"*{options.pattern}*"]
    suite = unittest.TestSuite()
    programs = Programs(options.folder, options.wrapper, Figures(options.figures))
    for case_class in classes(options, programs):
        suite.addTests(loader.loadTestsFromTestCase(case_class))
    print(f"seed {SEED}", file=sys.stderr)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    sys.exit(0 if result.wasSuccessful() and result.testsRun > 0 else 1)


if __name__ == "__main__":
    main()
