"""C hiredis: hiredis_client.cc, built beside larderd, does the asking."""

import os

import harness
import resp_clients


class HiredisTest(resp_clients.RespClientTestCase):
    def test_everything(self):
        program = os.path.join(harness.Config.programs, "hiredis_client")
        self.ask_everything(program, parts=4, first=["SET k one"])
