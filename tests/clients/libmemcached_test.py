"""C libmemcached: libmemcached_client.cc, built beside larderd, does the asking."""

import os

import harness


class LibmemcachedTest(harness.ServerTestCase):
    def test_all_verbs(self):
        server = self.serve()
        program = os.path.join(harness.Config.programs, "libmemcached_client")
        self.assertEqual(self.run_program(program, server.address), "ok\n")
