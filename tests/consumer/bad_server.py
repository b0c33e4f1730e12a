#!/usr/bin/env python3
"""A program that has one thing wrong, or none, to see that exchange.py notices.

Usage: bad_server.py ends_at_once|ends_with_3|NAME; NAME is one of tests/interop/bad_servers.py.
"""

import sys

from exchange import PORT

import bad_servers


def main():
    wrong = sys.argv[1]
    if wrong == "ends_at_once":
        sys.exit("no port is free")
    with bad_servers.BadServer(getattr(bad_servers, wrong, bad_servers.honest), PORT):
        sys.stdin.readline()
    sys.exit(3 if wrong == "ends_with_3" else 0)


if __name__ == "__main__":
    main()
