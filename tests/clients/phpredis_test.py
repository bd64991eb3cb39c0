"""phpredis, and PHP's sessions kept with it. The scripts beside this file do the asking."""

import os

import resp_clients

HERE = os.path.dirname(os.path.abspath(__file__))
PHP = "/usr/bin/php"


class PhpredisTest(resp_clients.RespClientTestCase):
    def test_everything(self):
        self.ask_everything(PHP, os.path.join(HERE, "phpredis_client.php"), parts=16,
                            first=["CLIENT setname tests"])


class PhpredisSessionTest(resp_clients.RespClientTestCase):
    """The session handler reads with GET, writes with SETEX, and destroys with DEL."""

    SETTINGS = (
        "session.save_handler=redis",
        "session.use_cookies=0",
        "session.use_only_cookies=0",
        "session.cache_limiter=",
        "session.gc_maxlifetime=1000",
    )

    def request(self, server, password, session, then="visit", settings=SETTINGS):
        """What one request to the application prints."""
        settings = [f"-d{setting}" for setting in settings]
        path = f"tcp://{server.address}" + (f"?auth={password}" if password else "")
        settings.append(f'-dsession.save_path="{path}"')
        script = os.path.join(HERE, "php_session_client.php")
        return self.run_program(PHP, *settings, script, session, then).split()

    def test_sessions(self):
        for server, password, memcached in self.servers():
            for visit in range(1, 4):
                self.assertEqual(self.request(server, password, "first"), [str(visit)] * 2)
            self.assertEqual(self.request(server, password, "second"), ["1", "1"])
            self.assertIn(b"visits", memcached.get(b"PHPREDIS_SESSION:first"))

            visits, _, moved = self.request(server, password, "first", "regenerate")
            self.assertEqual(visits, "4")
            self.assertEqual(self.request(server, password, moved), ["5", "5"])
            self.assertEqual(self.request(server, password, "first"), ["1", "1"])

            self.assertEqual(self.request(server, password, moved, "destroy"), ["6", "6"])
            self.assertIsNone(memcached.get(b"PHPREDIS_SESSION:" + moved.encode()))
            self.assertEqual(self.request(server, password, moved), ["1", "1"])

    def test_its_locks_ask_for_a_script(self):
        """They are off unless asked for. With them the session is kept, but its lock stays."""
        settings = (*self.SETTINGS, "redis.session.locking_enabled=1")
        server = self.serve()
        words = self.request(server, "", "first", settings=settings)
        self.assertIn("Failed to release session lock", " ".join(words))
        with server.connect() as memcached:
            self.assertIn(b"visits", memcached.get(b"PHPREDIS_SESSION:first"))
            self.assertIsNotNone(memcached.get(b"PHPREDIS_SESSION:first_LOCK"))
