"""npm's clients of Redis. The scripts beside this file do the asking."""

import os

import resp_clients

HERE = os.path.dirname(os.path.abspath(__file__))


class NpmRedisTest(resp_clients.RespClientTestCase):
    def ask_script(self, script, module, **options):
        self.ask_everything("node", os.path.join(HERE, script), **options,
                            env={**os.environ, "LARDER_TEST_MODULE": module})

    def test_ioredis(self):
        self.ask_script("ioredis_client.js", "ioredis", parts=16,
                        first=["client setname tests", "client SETINFO LIB-NAME ioredis",
                               "client SETINFO LIB-VER 5", "info"])

    def test_iovalkey(self):
        self.ask_script("ioredis_client.js", "iovalkey", parts=16,
                        first=["info", "client setname tests"])

    def test_node_redis_in_resp2(self):
        self.ask_script("node_redis_client.js", "2", parts=16,
                        first=["HELLO 2 SETNAME tests", "CLIENT SETINFO LIB-VER 5",
                               "CLIENT SETINFO LIB-NAME node-redis"])

    def test_node_redis_in_resp3(self):
        self.ask_script("node_redis_client.js", "3", parts=16,
                        first=["HELLO 3 SETNAME tests", "CLIENT SETINFO LIB-VER 5",
                               "CLIENT SETINFO LIB-NAME node-redis",
                               "CLIENT MAINT_NOTIFICATIONS ON"])

    GLIDE_BEGINS = ["CLIENT SETNAME tests", "CLIENT SETINFO LIB-NAME GlideJS",
                    "CLIENT SETINFO LIB-VER", "INFO REPLICATION"]

    def test_valkey_glide_in_resp2(self):
        self.ask_script("valkey_glide_client.js", "2", parts=17, first=self.GLIDE_BEGINS)

    def test_valkey_glide_in_resp3(self):
        self.ask_script("valkey_glide_client.js", "3", parts=17,
                        first=["HELLO 3", *self.GLIDE_BEGINS])

    def test_keyv(self):
        for server, password, memcached in self.servers():
            self.ask(server, password, "node", os.path.join(HERE, "keyv_client.js"), parts=6)
            self.assertIn(b"for Memcached", memcached.get(b"app::app:left"))

    def test_sessions_of_connect_redis(self):
        for server, password, memcached in self.servers():
            self.ask(server, password, "node", os.path.join(HERE, "connect_redis_client.js"),
                     parts=5)
            self.assertIn(b'"visits":7', memcached.get(b"sess:left"))
