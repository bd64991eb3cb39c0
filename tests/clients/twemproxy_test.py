"""twemproxy (nutcracker) in front of two servers, with pymemcache in front of twemproxy."""

import os
import signal
import socket
import subprocess

from pymemcache.client.base import Client

import harness

CONFIGURATION = """\
pool:
  listen: {listen} 0666
  hash: md5
  distribution: ketama
  timeout: 30000
  servers:
   - {first}:1
   - {second}:1
"""


class TwemproxyTest(harness.ServerTestCase):
    def start_proxy(self, servers):
        """A proxy on a UNIX socket: it cannot pick a free TCP port by itself."""
        folder = servers[0].folder.name
        listen = os.path.join(folder, "proxy.sock")
        configuration = os.path.join(folder, "nutcracker.yml")
        with open(configuration, "w", encoding="ascii") as file:
            file.write(
                CONFIGURATION.format(
                    listen=listen, first=servers[0].address, second=servers[1].address
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
