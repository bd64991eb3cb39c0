"""php-memcached in text mode, and PHP's sessions kept with it. The scripts beside this file ask."""

import concurrent.futures
import os

import harness

HERE = os.path.dirname(os.path.abspath(__file__))
PHP = "/usr/bin/php"


class PhpMemcachedTest(harness.ServerTestCase):
    def test_all_verbs(self):
        server = self.serve()
        script = os.path.join(HERE, "php_memcached_client.php")
        output = self.run_program(PHP, script, "127.0.0.1", server.port)
        self.assertEqual(output, "ok\n")


class PhpSessionTest(harness.ServerTestCase):
    """The session handler locks with add, reads with get, writes with set, and unlocks."""

    SETTINGS = (
        "session.save_handler=memcached",
        "session.use_cookies=0",
        "session.use_only_cookies=0",
        "session.cache_limiter=",
        "memcached.sess_locking=1",
        "memcached.sess_binary_protocol=0",
    )

    def setUp(self):
        self.server = self.serve()

    def request(self, session, then="visit"):
        """What one request to the application prints."""
        settings = [f"-d{setting}" for setting in self.SETTINGS]
        settings.append(f"-dsession.save_path={self.server.address}")
        script = os.path.join(HERE, "php_session_client.php")
        return self.run_program(PHP, *settings, script, session, then).split()

    def test_session_lives_from_request_to_request(self):
        for visit in range(1, 4):
            self.assertEqual(self.request("first"), [str(visit)] * 2)
        self.assertEqual(self.request("second"), ["1", "1"])
        with self.server.connect() as client:
            self.assertIn(b"visits", client.get(b"memc.sess.key.first"))
            self.assertIsNone(client.get(b"memc.sess.key.lock.first"))

    def test_destroyed_session_begins_anew(self):
        self.request("first")
        self.assertEqual(self.request("first", "destroy"), ["2", "2"])
        self.assertEqual(self.request("first"), ["1", "1"])

    def test_regenerated_session_moves(self):
        self.request("first")
        visits, _, moved = self.request("first", "regenerate")
        self.assertEqual(visits, "2")
        self.assertEqual(self.request(moved), ["3", "3"])
        self.assertEqual(self.request("first"), ["1", "1"])

    def test_requests_of_one_session_wait_for_each_other(self):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            visits = list(pool.map(lambda _: int(self.request("busy")[0]), range(8)))
        self.assertEqual(sorted(visits), list(range(1, 9)))
