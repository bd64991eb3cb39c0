"""The manual that is installed: man has nothing to say of it. And bash completes what it should."""

import os
import re
import subprocess

import harness

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def generated(name):
    return os.path.join(os.path.dirname(harness.Config.programs), "share", name)


def written(name):
    return os.path.join(ROOT, "packaging", name)


class ManualTest(harness.ServerTestCase):
    def page(self, path):
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "80"}
        done = subprocess.run(
            ["man", "--warnings", "-E", "UTF-8", "-l", path],
            capture_output=True, check=True, text=True, env=environment,
        )  # fmt: skip
        self.assertEqual(done.stderr, "")
        for line in done.stdout.splitlines():
            self.assertLessEqual(len(line), 80)
        return done.stdout

    def test_man_has_no_warnings(self):
        self.assertIn("--memory-limit SIZE", self.page(generated("larderd.8")))
        self.assertIn("memory-limit = ", self.page(generated("larder.conf.5")))

    def test_larderctl_has_a_page_that_names_everything_it_takes(self):
        program = os.path.join(harness.Config.programs, "larderctl")
        page = self.page(written("larderctl.1"))
        with open(written("larderctl.completion"), encoding="utf-8") as file:
            completion = file.read()
        help_text = self.run_program(program, "--help")
        commands = re.findall(r"^  ([a-z]+) ", help_text.partition("Subcommands:")[2], re.MULTILINE)
        self.assertEqual(len(commands), 8)
        for command in commands:
            self.assertRegex(page, rf"(?m)^       {command}\b")
            self.assertRegex(completion, rf"\b{command}\b")
            help_text += self.run_program(program, command, "--help")
        for line in help_text.splitlines():
            self.assertLessEqual(len(line), 80)
        for option in set(re.findall(r"--[a-z]+", help_text)):
            self.assertIn(option, page)
            self.assertIn(option, completion)


class CompletionTest(harness.ServerTestCase):
    def complete(self, *words):
        script = """
            source "$0"
            COMP_WORDS=("$@")
            COMP_CWORD=$(($# - 1))
            "_$1"
            printf '%s\\n' "${COMPREPLY[@]}"
        """
        ours = words[0] == "larderctl"
        path = written("larderctl.completion") if ours else generated("completion")
        return self.run_program("bash", "-uc", script, path, *words).split()

    def test_larderctl(self):
        self.assertEqual(self.complete("larderctl", "me"), ["memlimit"])
        self.assertEqual(self.complete("larderctl", "-s", "h:1", "keys", "--p"), ["--prefix"])
        self.assertEqual(self.complete("larderctl", "stats", "se"), ["settings"])

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
