#!/usr/bin/python3
"""Runs suites of client tests against a larderd.

    run_client_tests.py --larderd PATH --io uring|event [--programs FOLDER] suite…

A suite is a file <suite>_test.py beside this one. It runs whole or fails: a missing client or peer
is a failure, never a skip. --larderd also takes a memcached, to try a suite on the reference.
"""

import argparse
import importlib
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--larderd", required=True, help="the server to test")
    parser.add_argument("--io", choices=["uring", "event"], default="uring", help="its loop")
    parser.add_argument("--programs", default="", help="folder of compiled client programs")
    parser.add_argument("--only", default="", help="only tests whose name contains this")
    parser.add_argument("suites", nargs="+")
    arguments = parser.parse_args()

    sys.dont_write_bytecode = True
    sys.path.insert(0, HERE)
    import harness  # pylint: disable=import-outside-toplevel

    harness.Config.larderd = os.path.abspath(arguments.larderd)
    harness.Config.io = arguments.io
    harness.Config.programs = arguments.programs

    loader = unittest.TestLoader()
    if arguments.only:
        loader.testNamePatterns = [f"*{arguments.only}*"]
    suite = unittest.TestSuite(
        loader.loadTestsFromModule(importlib.import_module(f"{name}_test"))
        for name in arguments.suites
    )
    if suite.countTestCases() == 0:
        sys.exit("no tests found")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    sys.exit(0 if result.wasSuccessful() and not result.skipped else 1)


if __name__ == "__main__":
    main()
