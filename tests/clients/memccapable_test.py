"""memccapable: libmemcached's own list of what a server must do, in either protocol."""

import harness


class MemccapableTest(harness.ServerTestCase):
    def run_all(self, **options):
        for protocol in ("-a", "-b"):
            self.run_protocol(protocol, **options)

    def run_protocol(self, protocol, **options):
        server = self.serve(**options)
        output = self.run_program("memccapable", "-h", "127.0.0.1", "-p", server.port, protocol)
        self.assertEqual(output.count("[pass]"), 27, output)
        self.assertIn("All tests passed", output)

    def test_all_27_pass(self):
        self.run_all()

    def test_all_27_pass_on_two_threads(self):
        self.run_all(threads=2)
