"""SASL PLAIN (-S, users of -Y): what a stranger may say in the binary protocol, and how to come in."""

import os
import signal

import bmemcached
import pylibmc

import auth_test
import binary_protocol as b
import harness

HERE = os.path.dirname(os.path.abspath(__file__))


class SaslTest(auth_test.AuthTestCase):
    def test_strangers_are_answered_auth_failure_and_closed(self):
        server = self.serve_users("-S", threads=2)
        for opcode in range(256):
            if opcode in (b.VERSION, b.SASL_LIST, b.SASL_AUTH, b.SASL_STEP):
                continue
            with server.connect() as client:
                # Whatever it declares: nothing of it is waited for.
                (reply,) = b.ask_last(client, b.request(opcode, b"k", b"12345678",
                                                        body_bytes=1 << 31, opaque=4))
                self.assertEqual((reply.opcode, reply.status, reply.opaque, reply.value),
                                 (opcode, b.AUTH_FAILED, 4, b"Auth failure."))
        self.assertEqual(self.enter(server).stats()["cmd_get"], "0")

    def test_strangers_may_ask_for_the_version_and_the_mechanisms(self):
        client = self.enterContext(self.serve_users("-S").connect())
        client.send(b.request(b.VERSION) + b.request(b.SASL_LIST))
        self.assertRegex(b.receive(client).value, rb"^1\.6\.")
        mechanisms = b.receive(client)
        self.assertEqual((mechanisms.status, mechanisms.value), (b.OK, b"PLAIN"))

    def test_users_come_in(self):
        server = self.serve_users("-S", threads=2)
        for login in (b.plain(b"alice", b"secret"), b.plain(b"bob", b"hunter2", b.SASL_STEP),
                      b.plain(b"c", b"d:e"),
                      b.request(b.SASL_AUTH, b"plain", value=b"alice\0alice\0secret")):
            with server.connect() as client:
                # What is pipelined behind it is served.
                replies = b.ask(client, login, b.store(b.SET, b"k", b"v"), b.request(b.GET, b"k"))
                self.assertEqual([reply.status for reply in replies], [b.OK, b.OK, b.OK])
                self.assertEqual(replies[0].value, b"Authenticated")
                self.assertEqual(replies[2].value, b"v")

    def test_nobody_else_does(self):
        server = self.serve_users("-S")
        client = self.enterContext(server.connect())
        for login in (b.plain(b"alice", b"wrong"), b.plain(b"alice", b""), b.plain(b"", b"secret"),
                      b.plain(b"", b""), b.plain(b"alice", b"secret\0"), b.plain(b"bob", b"secret"),
                      b.request(b.SASL_AUTH, b"PLAIN", value=b"alice secret"),
                      b.request(b.SASL_AUTH, b"PLAIN", value=b"root\0alice\0secret"),
                      b.request(b.SASL_AUTH, b"CRAM-MD5", value=b"\0alice\0secret"),
                      b.plain(b"alice" * 1000, b"s" * 100000), b.plain(b"alice", b"s" * 3000000)):
            client.send(login)
            reply = b.receive(client)
            self.assertEqual((reply.status, reply.value), (b.AUTH_FAILED, b"Auth failure."))
        client.send(b.request(b.SASL_AUTH, b"PLAIN"))
        self.assertEqual(b.receive(client).status, b.AUTH_CONTINUE)
        client.send(b.plain(b"alice", b"secret", b.SASL_STEP))
        self.assertEqual(b.receive(client).status, b.OK)
        stats = self.enter(server).stats()
        self.assertEqual(stats["auth_errors"], "11")
        self.assertEqual(stats["auth_cmds"], "13")  # ours was one of text

    def test_whoever_fails_is_outside_again(self):
        server = self.serve_users("-S", threads=2)
        known = b.plain(b"alice", b"secret")
        for failure, status in (
            (b.plain(b"alice", b"wrong"), b.AUTH_FAILED),
            (b.plain(b"bob", b"s" * 100000, b.SASL_STEP), b.AUTH_FAILED),
            (b.request(b.SASL_AUTH, b"CRAM-MD5", value=b"x"), b.AUTH_FAILED),
            (b.request(b.SASL_AUTH, b"PLAIN"), b.AUTH_CONTINUE),
        ):
            stored = b.store(b.SET, b"k", b"v")
            with server.connect() as client:  # all in one packet
                client.send(known + stored + failure + b.request(b.GET, b"k") + known + stored)
                replies, rest = b.split(client.rest())
                self.assertEqual(rest, b"")
                self.assertEqual([reply.status for reply in replies],
                                 [b.OK, b.OK, status, b.AUTH_FAILED])
            with server.connect() as client:  # one by one
                for request, answer in ((known, b.OK), (stored, b.OK), (failure, status),
                                        (b.request(b.VERSION), b.OK), (known, b.OK),
                                        (b.request(b.GET, b"k"), b.OK)):
                    client.send(request)
                    self.assertEqual(b.receive(client).status, answer)

    def test_giant_credentials_take_no_memory(self):
        server = self.serve_users("-S")
        clients = [self.enterContext(server.connect()) for _ in range(20)]
        before = server.resident_bytes()
        for client in clients:
            client.send(b.request(b.SASL_AUTH, b"PLAIN", body_bytes=0xFFFFFFFF) + b"x" * 100000)
            self.assertEqual(b.receive(client).status, b.AUTH_FAILED)
        self.assertLess(server.resident_bytes() - before, 20 << 20)

    def test_cut_at_every_byte(self):
        server = self.serve_users("-S")
        wire = b.plain(b"alice", b"secret") + b.request(b.NOOP) + b.request(b.QUIT)
        for at in range(1, len(wire)):
            with server.connect() as client, server.connect() as other:
                client.send(wire[:at])
                other.send(b.request(b.VERSION))
                b.receive(other)
                client.send(wire[at:])
                replies, rest = b.split(client.rest())
                self.assertEqual([reply.status for reply in replies], [b.OK] * 3, at)

    def test_without_the_flag_binary_clients_stay_outside(self):
        server = self.serve_users()
        with server.connect() as client:
            for one in (b.request(b.SASL_LIST), b.plain(b"alice", b"secret")):
                client.send(one)
                self.assertEqual(b.receive(client).status, b.UNKNOWN)
            (reply,) = b.ask_last(client, b.request(b.GET, b"k"))
            self.assertEqual(reply.status, b.AUTH_FAILED)
        open_server = self.serve()
        with open_server.connect() as client:
            self.assertEqual([reply.status for reply in b.ask(
                client, b.request(b.SASL_LIST), b.plain(b"alice", b"secret"))], [b.UNKNOWN] * 2)

    def test_users_are_read_again(self):
        server = self.serve_users("-S")
        self.write_users("alice:new\n")
        server.process.send_signal(signal.SIGHUP)

        def is_in():
            with server.connect() as client:
                client.send(b.plain(b"alice", b"new"))
                return b.receive(client).status == b.OK

        harness.eventually(is_in, "the new password opens the door")

    def test_sasl_needs_users(self):
        self.assertIn("-Y", self.refuse("-S"))

    def test_the_flag_is_told(self):
        client = self.enter(self.serve_users("-S"))
        self.assertEqual(client.stats("settings")["auth_enabled_sasl"], "yes")


class SaslClientsTest(auth_test.AuthTestCase):
    def test_pylibmc(self):
        server = self.serve_users("-S")
        client = pylibmc.Client([server.address], binary=True, username="alice", password="secret")
        self.assertTrue(client.set("k", "v"))
        self.assertEqual(client.get("k"), "v")
        stranger = pylibmc.Client([server.address], binary=True, username="alice", password="no")
        with self.assertRaises(pylibmc.Error):
            stranger.set("k", "v")

    def test_python_binary_memcached(self):
        server = self.serve_users("-S")
        client = bmemcached.Client([server.address], "alice", "secret", socket_timeout=30)
        self.assertTrue(client.set("k", "v"))
        self.assertEqual(client.get("k"), "v")
        client.disconnect_all()

    def test_memjs(self):
        server = self.serve_users("-S", threads=2)
        output = self.run_program("node", os.path.join(HERE, "memjs_client.js"), server.address,
                                  "alice", "secret")
        self.assertEqual(output.count("ok "), 5, output)

    def test_php_memcached(self):
        server = self.serve_users("-S")
        output = self.run_program("php", os.path.join(HERE, "php_binary_client.php"), "127.0.0.1",
                                  server.port, "alice", "secret")
        self.assertEqual(output.count("ok "), 6, output)

    def test_dalli(self):
        server = self.serve_users("-S")
        output = self.run_program("ruby", os.path.join(HERE, "dalli_client.rb"), server.address,
                                  env={**os.environ, "MEMCACHE_USERNAME": "alice",
                                       "MEMCACHE_PASSWORD": "secret"})
        self.assertEqual(output.count("ok "), 6, output)
