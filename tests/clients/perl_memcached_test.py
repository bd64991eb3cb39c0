"""Perl's Cache::Memcached: the first client there was. The script beside this file asks."""

import os

import harness

HERE = os.path.dirname(os.path.abspath(__file__))


class PerlMemcachedTest(harness.ServerTestCase):
    def test_all_verbs(self):
        server = self.serve()
        script = os.path.join(HERE, "perl_memcached_client.pl")
        output = self.run_program("perl", script, server.address)
        self.assertNotIn("not ok", output)
