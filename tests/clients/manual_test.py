"""The manual that is installed: man has nothing to say of it. And bash completes what it should."""

import os
import subprocess

import harness


def installed(name):
    return os.path.join(os.path.dirname(harness.Config.programs), "share", name)


class ManualTest(harness.ServerTestCase):
    def page(self, name):
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "80"}
        done = subprocess.run(
            ["man", "--warnings", "-E", "UTF-8", "-l", installed(name)],
            capture_output=True, check=True, text=True, env=environment,
        )  # fmt: skip
        self.assertEqual(done.stderr, "")
        for line in done.stdout.splitlines():
            self.assertLessEqual(len(line), 80)
        return done.stdout

    def test_man_has_no_warnings(self):
        self.assertIn("--memory-limit SIZE", self.page("larderd.8"))
        self.assertIn("memory-limit = ", self.page("larder.conf.5"))


class CompletionTest(harness.ServerTestCase):
    def complete(self, *words):
        script = """
            source "$0"
            COMP_WORDS=("$@")
            COMP_CWORD=$(($# - 1))
            _larderd
            printf '%s\\n' "${COMPREPLY[@]}"
        """
        return self.run_program("bash", "-uc", script, installed("completion"), *words).split()

    def test_flags_and_values(self):
        self.assertEqual(self.complete("larderd", "--mem"), ["--memory-limit", "--memcached-conf"])
        self.assertEqual(self.complete("larderd", "--io", ""), ["auto", "uring", "event"])
        self.assertEqual(self.complete("larderd", "--io", "="), ["auto", "uring", "event"])
        self.assertEqual(self.complete("larderd", "--io", "=", "u"), ["uring"])
        self.assertEqual(self.complete("larderd", "-t", "4", "-B", "a"), ["auto", "ascii"])

    def test_files(self):
        folder = self.serve().folder.name
        path = os.path.join(folder, "users")
        with open(path, "w", encoding="ascii"):
            pass
        self.assertEqual(self.complete("larderd", "--auth-file", path[:-2]), [path])
