"""npm `memcached`: the client of Node.js programs. The script beside this file does the asking."""

import os

import harness

HERE = os.path.dirname(os.path.abspath(__file__))


class NpmMemcachedTest(harness.ServerTestCase):
    def test_all_verbs(self):
        server = self.serve()
        script = os.path.join(HERE, "npm_memcached_client.js")
        output = self.run_program("node", script, server.address)
        self.assertEqual(output.count("ok "), 6, output)
