"""larderctl against a server: every command, as text and as JSON."""

import json
import os
import subprocess
import urllib.parse

import harness


class LarderctlTestCase(harness.ServerTestCase):
    def setUp(self):
        self.server = self.serve("--admin-listen=127.0.0.1:0", threads=2)
        self.admin = self.server.stats("settings")["larder_admin_listen"]

    def run_ctl(self, *words, code=0, env=None):
        done = subprocess.run(
            [os.path.join(harness.Config.programs, "larderctl"), *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=harness.DEADLINE_S,
            check=False,
            env={
                **os.environ,
                "LARDERCTL_SERVER": self.server.address,
                "LARDERCTL_ADMIN": self.admin,
                **(env or {}),
            },
        )
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr.decode() if code else done.stdout

    def text(self, *words):
        return self.run_ctl(*words).decode("ascii")

    def json(self, *words):
        """Each line is an object."""
        return [json.loads(line) for line in self.run_ctl(*words, "--json").splitlines()]

    def fits(self, text):
        for line in text.splitlines():
            self.assertLessEqual(len(line), 80)


class ReadTest(LarderctlTestCase):
    def test_stats(self):
        with self.server.connect() as client:
            client.set(b"k", b"v")
            told = client.stats()
        self.assertRegex(self.text("stats"), r"(?m)^curr_items +1$")
        self.fits(self.text("stats"))
        (stats,) = self.json("stats")
        self.assertEqual(list(stats), list(told))
        self.assertEqual(stats["curr_items"], 1)
        self.assertEqual(stats["version"], told["version"])

    def test_watch_shows_what_changes(self):
        first, second = self.text("stats", "-w", "--count=2", "--interval=0.05").split("\n\n")
        self.assertIn("curr_items", first)
        self.assertNotIn("curr_items", second)
        self.assertRegex(second, r"(?m)^bytes_written +\d+ +\+[0-9.e+]+/s$")
        self.assertEqual(len(self.json("stats", "--watch", "--count=3", "--interval=0.01")), 3)

    def test_config(self):
        self.assertRegex(self.text("config"), r"(?m)^num_threads +2$")
        self.fits(self.text("config"))
        self.assertEqual(self.json("config")[0]["inter"], "127.0.0.1")

    def test_top(self):
        with self.server.connect() as client:
            client.set(b"k", b"v")
            client.get(b"k")
            client.get(b"missing")
        first, _ = self.text("top", "--count=2", "--interval=0.05").split("\n\nlarder ")
        self.assertRegex(first, r"(?m)^hits +50\.0 %  \[#{25}\.{25}\]$")
        self.fits(first)
        (frame,) = self.json("top", "--count=1")
        self.assertEqual(frame["hit_ratio"], 0.5)
        self.assertEqual(frame["items"], 1)
        self.assertEqual(frame["limit_bytes"], 64 << 20)
        self.assertEqual(len(frame["core_loads"]), 2)
        self.assertIn("core 0", first)
        verbs = {verb["name"]: verb for verb in frame["verbs"]}
        self.assertGreater(verbs["text get"]["mean_s"], 0)
        self.assertGreaterEqual(verbs["text get"]["p99_s"], verbs["text get"]["mean_s"])
        self.assertIn("text get", first)

    def test_top_without_an_admin_door(self):
        self.admin = "127.0.0.1:1"
        self.assertIn("no admin door", self.text("top", "--count=1"))


class KeysTest(LarderctlTestCase):
    KEYS = [b"user:%d" % i for i in range(300)] + [b"%25", "käse".encode(), b"\xff\xfe"]

    def setUp(self):
        super().setUp()
        with self.server.connect() as client:
            for key in self.KEYS:
                self.assertEqual(client.set(key, b"value", exptime=0), b"STORED")
            client.set(b"mortal", b"v", exptime=1000)

    def test_every_key_as_it_is(self):
        listed = {entry.get("key", entry.get("key_base64")): entry for entry in self.json("keys")}
        self.assertEqual(len(listed), len(self.KEYS) + 1)
        self.assertIn("%25", listed)
        self.assertIn("käse", listed)
        self.assertIn("//4=", listed)
        self.assertIsNone(listed["user:7"]["expires_at"])
        self.assertGreater(listed["mortal"]["expires_at"], 1_700_000_000)

    def test_prefix_and_limit(self):
        self.assertEqual(len(self.json("keys", "--prefix=user:1")), 111)
        self.assertEqual(len(self.json("keys", "--prefix=user:", "-n", "5")), 5)
        self.assertEqual(self.json("keys", "--prefix=nothing"), [])
        self.fits(self.text("keys"))
        lines = self.text("keys", "--prefix=mortal").splitlines()
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[1], r"^ +\d+ +\d{10}  mortal$")


class ChangeTest(LarderctlTestCase):
    def test_get(self):
        value = bytes(range(256)) * 1000
        with self.server.connect() as client:
            client.set(b"k", value, flags=7)
            client.set(b"t", b"text", exptime=1000)
        self.assertEqual(self.run_ctl("get", "k"), value)
        self.assertEqual(self.run_ctl("get", "t", "t"), b"text\ntext\n")
        (entry,) = self.json("get", "t")
        self.assertIn(entry.pop("ttl_s"), range(990, 1001))
        self.assertEqual(entry, {"key": "t", "value": "text", "bytes": 4, "flags": 0})
        self.assertIn("value_base64", self.json("get", "k")[0])
        self.assertIn("no such key: missing", self.run_ctl("get", "missing", code=1))

    def test_keys_that_are_no_words(self):
        with self.server.connect() as client:
            client.send(b"ms YSBi 1 b\r\nv\r\n")  # "a b"
            self.assertEqual(client.line(), b"HD")
        self.assertEqual(self.run_ctl("get", "a b"), b"v")
        self.assertEqual(self.json("delete", "a b"), [{"key": "a b", "deleted": True}])
        self.assertIn(urllib.parse.unquote("a%20b"), self.run_ctl("delete", "a b", code=1))

    def test_delete_and_flush(self):
        with self.server.connect() as client:
            for key in (b"a", b"b", b"c"):
                client.set(key, b"v")
            self.assertEqual(self.text("delete", "a", "b"), "deleted a\ndeleted b\n")
            self.assertEqual(client.get(b"a"), None)
            self.assertEqual(client.get(b"c"), b"v")
            self.assertEqual(self.json("flush"), [{"flushed": True}])
            self.assertEqual(client.get(b"c"), None)

    def test_memlimit(self):
        self.assertEqual(self.text("memlimit"), "64m\n")
        self.assertEqual(self.text("memlimit", "128"), "128m\n")
        self.assertEqual(self.json("memlimit", "1g"), [{"memory_limit_bytes": 1 << 30}])
        self.assertIn("no size", self.run_ctl("memlimit", "much", code=2))


class TroubleTest(LarderctlTestCase):
    def test_one_sentence(self):
        for words, told in (
            (("-s", "127.0.0.1:1", "stats"), "cannot connect to 127.0.0.1:1: "),
            (("-s", "nowhere", "stats"), "is no server; give HOST:PORT"),
            (("stats", "nonsense"), "answered"),
        ):
            with self.subTest(words=words):
                error = self.run_ctl(*words, code=2)
                self.assertTrue(error.startswith("larderctl: "), error)
                self.assertEqual(error.count("\n"), 1)
                self.assertIn(told, error)

    def test_users(self):
        users = os.path.join(self.server.folder.name, "users")
        with open(users, "w", encoding="ascii") as file:
            file.write("ann:secret\n")
        self.server = self.serve("-Y", users)
        self.assertIn("wants to know who you are", self.run_ctl("stats", code=2))
        wrong = {"LARDERCTL_USER": "ann", "LARDERCTL_PASSWORD": "guess"}
        self.assertIn("no such user", self.run_ctl("stats", code=2, env=wrong))
        right = {"LARDERCTL_USER": "ann", "LARDERCTL_PASSWORD": "secret"}
        self.assertIn(b"curr_items", self.run_ctl("stats", env=right))
