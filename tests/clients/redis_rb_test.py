"""redis-rb, Ruby's client of Redis. The script beside this file does the asking."""

import os

import resp_clients

HERE = os.path.dirname(os.path.abspath(__file__))


class RedisRbTest(resp_clients.RespClientTestCase):
    def test_everything(self):
        self.ask_everything("ruby", os.path.join(HERE, "redis_rb_client.rb"), parts=16,
                            first=["client setname tests", "set k one"])
