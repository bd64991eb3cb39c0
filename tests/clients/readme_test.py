"""README.md: its first session, as a newcomer types it, and what else it says that can be looked up."""

import os
import re
import subprocess

import harness

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class NamesTest(harness.ServerTestCase):
    """What the page points at is there."""

    def test_every_test_and_every_link(self):
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
            page = file.read()
        paths = {path for path in re.findall(r"\]\(([^)#]+)", page) if "://" not in path}
        named = set(re.findall(r"`([\w/]+_test\.py|packaging/[\w-]+|tests/\w+)`", page))
        self.assertGreater(len(named), 20)
        for name in named:
            paths.add(name if "/" in name else os.path.join("tests", "clients", name))
        missing = [path for path in paths if not os.path.exists(os.path.join(ROOT, path))]
        self.assertEqual(missing, [])

    def test_every_figure_that_is_said_again(self):
        """Defaults in its table of flags are the defaults."""
        shown = subprocess.run(
            [harness.Config.larderd, "--print-config"], capture_output=True, check=True, text=True
        ).stdout
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
            table = dict(re.findall(r"(?m)^\| `(-[-\w]+)` \|.*\| ([^|]+) \|$", file.read()))
        for flag, key, unit in (
            ("-m", "memory-limit", "m"), ("-c", "conn-limit", ""), ("-I", "max-item-size", ""),
            ("--io", "io", ""),
        ):  # fmt: skip
            self.assertRegex(shown, rf'(?m)^#{key} = "?{table[flag]}{unit}"?$')


class FirstSessionTest(harness.ServerTestCase):
    def test_each_command_prints_what_the_page_says(self):
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
            section = file.read().partition("## A first session")[2].partition("\n## ")[0]
        lines = [line[4:] for line in section.splitlines() if line.startswith("    ")]
        steps = re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", "\n".join(lines) + "\n", re.MULTILINE)
        self.assertGreaterEqual(len(steps), 6)
        server = self.serve()
        environment = {
            **os.environ,
            "LARDERCTL_SERVER": server.address,
            "PATH": harness.Config.programs + ":" + os.environ["PATH"],
        }
        for command, printed in steps:
            with self.subTest(command=command):
                done = subprocess.run(
                    ["bash", "-c", command.replace("11211", str(server.port))],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=harness.DEADLINE_S,
                    check=True,
                    text=True,
                    env=environment,
                )
                self.assertEqual(done.stdout.replace("\r", ""), printed)
