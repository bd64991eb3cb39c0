"""pylibmc in binary mode: everything that it does in the text protocol."""

import pylibmc

import pylibmc_test


class PylibmcBinaryTest(pylibmc_test.PylibmcTest):
    def client(self, **behaviors):
        server = self.serve()
        return pylibmc.Client([server.address], binary=True, behaviors=behaviors)

    def test_storing_verbs(self):
        client = self.client()
        self.assertTrue(client.add("k", "one"))
        self.assertFalse(client.add("k", "two"))
        self.assertTrue(client.replace("k", "three"))
        with self.assertRaises(pylibmc.NotFound):
            client.replace("missing", "x")
        self.assertTrue(client.append("k", "-end"))
        self.assertTrue(client.prepend("k", "start-"))
        self.assertEqual(client.get("k"), "start-three-end")
        self.assertTrue(client.delete("k"))
        self.assertFalse(client.delete("k"))
