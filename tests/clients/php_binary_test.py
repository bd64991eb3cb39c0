"""php-memcached in binary mode, and its session handler. The scripts beside this file do the asking."""

import os

import harness

HERE = os.path.dirname(os.path.abspath(__file__))


class PhpBinaryTest(harness.ServerTestCase):
    def test_all_verbs(self):
        for threads in (1, 2):
            server = self.serve(threads=threads)
            script = os.path.join(HERE, "php_binary_client.php")
            output = self.run_program("php", script, "127.0.0.1", server.port)
            self.assertEqual(output.count("ok "), 6, output)

    def test_sessions(self):
        server = self.serve()
        script = os.path.join(HERE, "php_binary_session.php")

        def visit(session, *words):
            return int(self.run_program("php", script, server.address, session, *words))

        self.assertEqual([visit("anna"), visit("anna"), visit("bert"), visit("anna", "logout")],
                         [1, 2, 1, 3])
        self.assertEqual([visit("anna"), visit("bert")], [1, 2])
