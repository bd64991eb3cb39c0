"""Debian's Dalli: Ruby's client, in the binary protocol. The script beside this file does the asking."""

import os

import harness

HERE = os.path.dirname(os.path.abspath(__file__))


class DalliTest(harness.ServerTestCase):
    def test_all_verbs(self):
        for threads in (1, 2):
            server = self.serve(threads=threads)
            output = self.run_program("ruby", os.path.join(HERE, "dalli_client.rb"), server.address)
            self.assertEqual(output.count("ok "), 6, output)
