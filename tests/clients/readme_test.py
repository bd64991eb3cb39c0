"""README.md's first session, as a newcomer types it."""

import os
import re
import subprocess

import harness

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


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
