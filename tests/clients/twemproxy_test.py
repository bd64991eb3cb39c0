"""twemproxy (nutcracker) in front of two servers, with pymemcache in front of twemproxy; one of the
servers dies, and comes back."""

import os
import signal
import socket
import subprocess

from pymemcache.client.base import Client
from pymemcache.exceptions import MemcacheError

import harness

CONFIGURATION = """\
pool:
  listen: {listen} 0666
  hash: md5
  distribution: ketama
  timeout: 30000
{more}  servers:
   - {first}:1 one
   - {second}:1 two
"""
# The ring is made of names, so a server keeps its keys whatever its port is.
EJECTION = """\
  auto_eject_hosts: true
  server_failure_limit: 1
  server_retry_timeout: 200
"""


class TwemproxyTest(harness.ServerTestCase):
    def start_proxy(self, servers, more=""):
        """A proxy on a UNIX socket: it cannot pick a free TCP port by itself."""
        folder = servers[0].folder.name
        listen = os.path.join(folder, "proxy.sock")
        configuration = os.path.join(folder, "nutcracker.yml")
        with open(configuration, "w", encoding="ascii") as file:
            file.write(
                CONFIGURATION.format(
                    listen=listen,
                    more=more,
                    first=servers[0].address,
                    second=servers[1].address,
                )
            )
        # Its own statistics door insists on a TCP port; this one is free at this moment.
        with socket.create_server(("127.0.0.1", 0)) as free:
            stats_port = free.getsockname()[1]
        proxy = subprocess.Popen(
            ["nutcracker", "-c", configuration, "-a", "127.0.0.1", "-s", str(stats_port),
             "-o", os.path.join(folder, "proxy.log")],
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self.addCleanup(proxy.wait, harness.DEADLINE_S)
        self.addCleanup(proxy.send_signal, signal.SIGTERM)
        harness.eventually(lambda: os.path.exists(listen), "the proxy listens")
        return listen

    def test_verbs_through_the_proxy(self):
        servers = [self.serve(), self.serve()]
        client = Client(self.start_proxy(servers), default_noreply=False, timeout=30)
        self.addCleanup(client.close)
        values = {f"key{i}": str(i).encode() for i in range(300)}
        for key, value in values.items():
            self.assertTrue(client.set(key, value))
        self.assertEqual(client.get_many(list(values) + ["missing"]), values)
        self.assertGreater(min(int(server.stats()["curr_items"]) for server in servers), 0)
        self.assertTrue(client.set("large", b"x" * 500000))
        self.assertEqual(len(client.get("large")), 500000)
        self.assertTrue(client.set("n", b"5"))
        self.assertEqual(client.incr("n", 3), 8)
        value, unique = client.gets("n")
        self.assertEqual(value, b"8")
        self.assertTrue(client.cas("n", b"9", unique))
        self.assertFalse(client.cas("n", b"10", unique))
        self.assertTrue(client.touch("n", 100))
        self.assertTrue(client.delete("n"))
        self.assertIsNone(client.get("n"))

    def test_a_server_dies_and_comes_back(self):
        # Both on ports of their own, which the second takes again when it is back.
        servers = [self.serve(), self.serve()]
        client = Client(
            self.start_proxy(servers, EJECTION), default_noreply=False, timeout=harness.DEADLINE_S
        )
        self.addCleanup(client.close)
        keys = [f"key{i}" for i in range(200)]
        for key in keys:
            self.assertTrue(client.set(key, b"before"))
        shares = [int(server.stats()["curr_items"]) for server in servers]
        self.assertEqual(sum(shares), len(keys))
        self.assertGreater(min(shares), 20)

        servers[1].kill()
        # The request that finds out fails, and so does one now and then that asks whether it is back.
        # Any other has its place on a ring without it.
        harness.eventually(lambda: self.all_stored(client, keys, b"after"), "it is ejected")
        harness.eventually(lambda: self.all_have(client, keys, b"after"), "requests go on")
        self.assertEqual(int(servers[0].stats()["curr_items"]), len(keys))

        # Its keys are asked of it again when it is back; it comes back empty.
        back = self.serve("-p", servers[1].port)
        harness.eventually(
            lambda: self.all_stored(client, keys, b"again") and int(back.stats()["curr_items"]) > 0,
            "it has keys again",
        )
        self.assertTrue(self.all_stored(client, keys, b"again"))
        self.assertEqual(int(back.stats()["curr_items"]), shares[1])
        self.assertEqual(client.get_many(keys), {key: b"again" for key in keys})

    def all_stored(self, client, keys, value):
        """Whether no request of many fails."""
        try:
            return all([client.set(key, value) for key in keys])
        except (MemcacheError, OSError):
            return False

    def all_have(self, client, keys, value):
        try:
            return client.get_many(keys) == {key: value for key in keys}
        except (MemcacheError, OSError):
            return False
