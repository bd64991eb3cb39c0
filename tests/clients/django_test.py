"""Django's caches: its framework on pymemcache, pylibmc and django-redis, and sessions in each."""

import django
from django.conf import settings

import harness

BACKENDS = {
    "pymemcache": "django.core.cache.backends.memcached.PyMemcacheCache",
    "pylibmc": "django.core.cache.backends.memcached.PyLibMCCache",
    "django-redis": "django_redis.cache.RedisCache",
}
# Once in a process. Which server a cache talks to is known only when a test has started it.
settings.configure(
    CACHES={"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}},
    SECRET_KEY="of a test",
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
    USE_TZ=True,
)
django.setup()

# pylint: disable=wrong-import-position
from django.core.cache import caches  # noqa: E402
from django.core.cache.backends.memcached import PyLibMCCache, PyMemcacheCache  # noqa: E402

from django_redis.cache import RedisCache  # noqa: E402

CLASSES = {"pymemcache": PyMemcacheCache, "pylibmc": PyLibMCCache, "django-redis": RedisCache}


def location(name, server):
    """As the kind of cache of that name wants to be told: django-redis has a database as well."""
    return f"redis://{server.address}/1" if name == "django-redis" else [server.address]


class DjangoTest(harness.ServerTestCase):
    def each_cache(self, **options):
        """Yields a cache of each kind, with a server of its own."""
        for name, kind in CLASSES.items():
            with self.subTest(client=name):
                server = self.serve()
                cache = kind(location(name, server), {"TIMEOUT": 300, **options})
                yield cache, server
                cache.close()

    def test_values_of_every_type_come_back(self):
        for cache, _ in self.each_cache():
            for value in ("text", b"bytes", 42, 1.5, True, {"a": [1, None]}, "", "x" * 500000):
                cache.set("k", value)
                self.assertEqual(cache.get("k"), value)
            self.assertEqual(cache.get("missing", "otherwise"), "otherwise")

    def test_storing_and_deleting(self):
        for cache, _ in self.each_cache(KEY_PREFIX="app", VERSION=3):
            self.assertTrue(cache.add("k", "one"))
            self.assertFalse(cache.add("k", "two"))
            self.assertEqual(cache.get("k"), "one")
            self.assertTrue(cache.has_key("k"))
            self.assertIn("k", cache)
            self.assertIsNone(cache.get("k", version=4))
            self.assertEqual(cache.incr_version("k"), 4)
            self.assertEqual(cache.get("k", version=4), "one")
            self.assertTrue(cache.delete("k", version=4))
            self.assertFalse(cache.delete("k", version=4))
            self.assertEqual(cache.get_or_set("new", lambda: "made"), "made")
            self.assertEqual(cache.get("new"), "made")

    def test_numbers(self):
        for cache, _ in self.each_cache():
            cache.set("n", 10)
            self.assertEqual(cache.incr("n", 5), 15)
            self.assertEqual(cache.decr("n", 3), 12)
            self.assertEqual(cache.get("n"), 12)
            # django-redis asks for a script first. Without it, it reads and stores, which is right
            # while nobody else does, and stumbles over what is not there.
            with self.assertRaises(TypeError if isinstance(cache, RedisCache) else ValueError):
                cache.incr("missing")
            self.assertIsNone(cache.get("missing"))

    def test_many_keys(self):
        for cache, _ in self.each_cache():
            values = {f"key{i}": i for i in range(500)}
            self.assertFalse(cache.set_many(values))
            self.assertEqual(cache.get_many([*values, "missing"]), values)
            cache.delete_many(list(values)[:250])
            self.assertEqual(len(cache.get_many(list(values))), 250)

    def test_times(self):
        for cache, _ in self.each_cache():
            cache.set("gone", "x", timeout=0)
            self.assertIsNone(cache.get("gone"))
            cache.set("gone", "x", timeout=-1)
            self.assertIsNone(cache.get("gone"))
            cache.set("for ever".replace(" ", "-"), "x", timeout=None)
            self.assertEqual(cache.get("for-ever"), "x")
            # Longer than thirty days: Django turns it into a time of day.
            cache.set("long", "x", timeout=60 * 86400)
            self.assertEqual(cache.get("long"), "x")
            self.assertTrue(cache.touch("long", 100))
            self.assertFalse(cache.touch("missing", 100))

    def test_clear(self):
        for cache, server in self.each_cache():
            cache.set("k", "v")
            cache.clear()
            self.assertIsNone(cache.get("k"))
            if not isinstance(cache, RedisCache):
                self.assertEqual(server.stats()["cmd_flush"], "1")

    def test_what_only_django_redis_has(self):
        server = self.serve("--requirepass", "secret", threads=2)
        cache = RedisCache(location("django-redis", server),
                           {"TIMEOUT": 300, "OPTIONS": {"PASSWORD": "secret"}})
        cache.set("k", "v", timeout=1000)
        self.assertIn(cache.ttl("k"), range(900, 1001))
        self.assertTrue(cache.expire("k", 100))
        self.assertIn(cache.ttl("k"), range(50, 101))
        self.assertTrue(cache.persist("k"))
        self.assertIsNone(cache.ttl("k"))
        self.assertFalse(cache.set("k", "w", nx=True))
        self.assertEqual(cache.get("k"), "v")

        names = {f"name:{i}" for i in range(500)}
        cache.set_many({name: 1 for name in names})
        self.assertEqual(set(cache.keys("name:*")), names)
        self.assertEqual(set(cache.iter_keys("name:*")), names)
        self.assertEqual(cache.delete_pattern("name:*"), 500)
        self.assertEqual(cache.keys("*"), ["k"])

    def test_sessions(self):
        for name, backend in BACKENDS.items():
            with self.subTest(client=name):
                server = self.serve()
                caches.settings["default"] = {"BACKEND": backend,
                                              "LOCATION": location(name, server)}
                if hasattr(caches._connections, "default"):
                    del caches["default"]
                self.check_session()
                caches["default"].close()

    def check_session(self):
        from django.contrib.sessions.backends.cache import SessionStore

        session = SessionStore()
        session["basket"] = ["apple"] * 100
        session.save()
        again = SessionStore(session_key=session.session_key)
        self.assertEqual(again["basket"], ["apple"] * 100)
        again.cycle_key()
        self.assertFalse(SessionStore().exists(session.session_key))
        self.assertEqual(SessionStore(again.session_key)["basket"], ["apple"] * 100)
        again.flush()
        self.assertFalse(SessionStore().exists(again.session_key))
