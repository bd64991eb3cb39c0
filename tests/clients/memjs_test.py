"""npm `memjs`: the binary client of Node.js programs. The script beside this file does the asking."""

import os

import harness

HERE = os.path.dirname(os.path.abspath(__file__))


class MemjsTest(harness.ServerTestCase):
    def test_all_verbs(self):
        for threads in (1, 2):
            server = self.serve(threads=threads)
            script = os.path.join(HERE, "memjs_client.js")
            output = self.run_program("node", script, server.address)
            self.assertEqual(output.count("ok "), 5, output)
