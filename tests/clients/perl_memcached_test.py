"""Perl's clients: Cache::Memcached, the first there was, and Cache::Memcached::Fast, in C. The
scripts beside this file ask."""

import os

import harness

HERE = os.path.dirname(os.path.abspath(__file__))


class PerlMemcachedTest(harness.ServerTestCase):
    def ask(self, script):
        server = self.serve()
        output = self.run_program("perl", os.path.join(HERE, script), server.address)
        self.assertNotIn("not ok", output)

    def test_all_verbs(self):
        self.ask("perl_memcached_client.pl")

    def test_all_verbs_in_c(self):
        self.ask("perl_memcached_fast_client.pl")
