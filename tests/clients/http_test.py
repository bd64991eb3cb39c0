"""The admin door, as its visitors find it: a browser's and a prober's HTTP, promtool's judgement."""

import http.client
import json
import re
import subprocess

import binary_protocol
import harness

SVG = "http://www.w3.org/2000/svg"  # the name of a language, not an address
ANY_PORT = "--admin-listen=127.0.0.1:0"


class Door:
    """The admin door of a running server."""

    def __init__(self, server):
        self.host, port = server.stats("settings")["larder_admin_listen"].rsplit(":", 1)
        self.port = int(port)

    def ask(self, path, method="GET"):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=harness.DEADLINE_S)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def page(self, path):
        status, body = self.ask(path)
        if status != 200:
            raise AssertionError(f"{path}: {status} {body}")
        return body

    def metrics(self):
        """{'name{labels}': value} of /metrics."""
        lines = self.page("/metrics").splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}


def total(metrics, name):
    return sum(value for key, value in metrics.items() if key.split("{")[0] == name)


class ConsoleTest(harness.ServerTestCase):
    """The page is a browser's to run; here, that everything it asks for is there."""

    def test_it_asks_nobody_else(self):
        page = Door(self.serve(ANY_PORT)).page("/")
        self.assertEqual(re.findall(r"(?:https?:)?//[a-z][^ '\"]*", page.replace(SVG, "")), [])
        self.assertEqual(re.findall(r"<(?:link|script|img|iframe)[^>]*src=", page), [])
        for path in re.findall(r'(?:href|fetch\()="?([a-z.]+)"', page):
            self.assertIn(path, ("stats.json", "metrics", "healthz", "readyz"))

    def test_every_figure_it_shows_is_told(self):
        door = Door(self.serve(ANY_PORT, threads=2))
        page = door.page("/")
        answer = json.loads(door.page("/stats.json"))
        wanted = set(re.findall(r"\b(?:total|counters)\.([a-z_]+)", page))
        wanted |= set(re.findall(r'\b[nc]\("([a-z_]+)"\)', page))
        self.assertGreater(len(wanted), 20)
        self.assertEqual(wanted - set(answer["totals"]), set())
        for core in answer["cores"]:
            self.assertEqual(set(core["counters"]), set(answer["totals"]))
        core = answer["cores"][0]
        told = {*answer, *core, *core["turns"], "length"}
        self.assertEqual(set(re.findall(r"\b(?:now|then|core|was)\.([a-z_]+)", page)) - told, set())

    def test_figures_add_up(self):
        server = self.serve(ANY_PORT, threads=3)
        door = Door(server)
        with server.connect() as client:
            for i in range(40):
                client.set(b"k%d" % i, b"v")
        answer = json.loads(door.page("/stats.json"))
        for name, value in answer["totals"].items():
            self.assertEqual(sum(core["counters"][name] for core in answer["cores"]), value, name)
        self.assertEqual(answer["totals"]["set_commands"], 40)
        (sets,) = (each for each in answer["requests"] if each["verb"] == "set")
        self.assertEqual(len(sets["buckets"]), len(answer["bucket_bounds_seconds"]) + 1)
        self.assertEqual(sum(sets["buckets"]), sets["count"])
        self.assertEqual(answer["pid"], server.process.pid)


class DoorTest(harness.ServerTestCase):
    def test_address_is_told(self):
        server = self.serve(ANY_PORT)
        door = Door(server)
        self.assertGreater(door.port, 0)
        self.assertIn(f"http://127.0.0.1:{door.port}/", server.errors())
        self.assertEqual(self.serve().stats("settings")["larder_admin_listen"], "off")

    def test_wrong_addresses_stop_the_start(self):
        for text in ("11212", "127.0.0.1", "127.0.0.1:70000", ":1", "on", ""):
            with self.subTest(text=text):
                self.assertIn("--admin-listen", self.refuse(f"--admin-listen={text}"))

    def test_taken_port_stops_the_start(self):
        port = Door(self.serve(ANY_PORT)).port
        sentence = self.refuse(f"--admin-listen=127.0.0.1:{port}")
        self.assertIn(str(port), sentence)
        self.assertIn("--admin-listen", sentence)

    def test_health(self):
        for threads in (1, 4):
            door = Door(self.serve(ANY_PORT, threads=threads))
            harness.eventually(lambda it=door: it.ask("/readyz")[0] == 200, "it is ready")
            self.assertEqual(door.page("/healthz"), "ok\n")
            self.assertEqual(door.ask("/healthz", "HEAD"), (200, ""))
            self.assertEqual(door.ask("/nowhere")[0], 404)
            self.assertEqual(door.ask("/healthz", "POST")[0], 405)

    def test_metrics_say_what_stats_say(self):
        server = self.serve(ANY_PORT, "-c", "77", threads=3, memory_mb=100)
        door = Door(server)
        with server.connect() as client:
            for i in range(30):
                client.set(b"k%d" % i, b"v" * 50)
            for i in range(50):
                client.get(b"k%d" % i)
            stats = client.stats()
            metrics = door.metrics()
        for name, stat in (
            ("larder_get_hits_total", "get_hits"),
            ("larder_get_misses_total", "get_misses"),
            ("larder_set_commands_total", "cmd_set"),
            ("larder_items", "curr_items"),
            ("larder_item_bytes", "bytes"),
            ("larder_connections", "curr_connections"),
            ("larder_memory_limit_bytes", "limit_maxbytes"),
            ("larder_connections_max", "max_connections"),
            ("larder_cores", "threads"),
        ):
            self.assertEqual(total(metrics, name), int(stats[stat]), name)
        self.assertEqual(total(metrics, "larder_get_hits_total"), 30)
        cores = {key for key in metrics if key.startswith("larder_get_hits_total{")}
        self.assertEqual(cores, {f'larder_get_hits_total{{core="{i}"}}' for i in range(3)})

    def test_every_request_is_timed(self):
        for threads in (1, 3):
            server = self.serve(ANY_PORT, threads=threads)
            with server.connect() as client:
                for i in range(20):
                    client.set(b"k%d" % i, b"v")
                client.values(b"get " + b" ".join(b"k%d" % i for i in range(30)))
                client.send(b"mg k1 v\r\nms k2 1\r\nx\r\nnonsense\r\nflush_all\r\n")
                for reply in (b"VA 1", b"v", b"HD", b"ERROR", b"OK"):
                    self.assertEqual(client.line(), reply)
            with server.connect() as client:
                binary_protocol.ask_one(client, binary_protocol.request(binary_protocol.GET, b"k1"))
            # A reply is on its way before its turn is over.
            harness.eventually(
                lambda it=Door(server): self.requests(it) == {
                    ("text", "set"): 20, ("text", "get"): 30, ("meta", "get"): 1, ("meta", "set"): 1,
                    ("text", "rejected"): 1, ("text", "flush_all"): 1, ("binary", "get"): 1,
                    ("binary", "mn"): 1,
                },
                "all are counted",
            )  # fmt: skip

    def requests(self, door):
        found = {}
        for name, value in door.metrics().items():
            match = re.match(r'larder_request_seconds_count{protocol="(.*)",verb="(.*)"}', name)
            if match and match.group(2) != "stats":
                found[match.groups()] = int(value)
        return found

    def test_names_of_the_memcached_exporter(self):
        server = self.serve(ANY_PORT, "-c", "77")
        with server.connect() as client:
            client.set(b"k", b"v")
            client.get(b"k")
            client.get(b"none")
            client.ask(b"cas k 0 0 1 999\r\nx")
            client.ask(b"cas none 0 0 1 1\r\nx")
            stats = client.stats()
            metrics = Door(server).metrics()
        for name, value in {
            "memcached_up": 1,
            'memcached_version{version="%s"}' % stats["version"]: 1,
            'memcached_commands_total{command="get",status="hit"}': 1,
            'memcached_commands_total{command="get",status="miss"}': 1,
            'memcached_commands_total{command="set",status="hit"}': 1,
            'memcached_commands_total{command="cas",status="badval"}': 1,
            'memcached_commands_total{command="cas",status="miss"}': 1,
            "memcached_current_items": 1,
            "memcached_current_bytes": int(stats["bytes"]),
            "memcached_limit_bytes": int(stats["limit_maxbytes"]),
            "memcached_current_connections": 1,
            "memcached_max_connections": 77,
            "memcached_accepting_connections": 1,
            "memcached_lru_crawler_enabled": 1,
            "memcached_lru_crawler_warm_max_factor": 2,
            'memcached_slab_current_items{slab="1"}': 1,
            'memcached_slab_chunk_size_bytes{slab="1"}': 96,
            'memcached_slab_commands_total{slab="1",command="set",status="hit"}': 1,
            'memcached_slab_lru_hits_total{slab="1",lru="hot"}': 0,
        }.items():
            self.assertEqual(metrics.get(name), value, name)
        self.assertAlmostEqual(
            metrics["memcached_process_user_cpu_seconds_total"], float(stats["rusage_user"]), delta=1
        )

    def test_cores_tell_their_processor_time(self):
        metrics = Door(self.serve(ANY_PORT, threads=2)).metrics()
        self.assertGreater(total(metrics, "larder_core_cpu_seconds_total"), 0)

    def test_promtool_finds_nothing(self):
        server = self.serve(ANY_PORT, threads=2)
        with server.connect() as client:
            client.set(b"k", b"v")
        door = Door(server)
        done = subprocess.run(
            ["promtool", "check", "metrics"],
            input=door.page("/metrics"), capture_output=True, text=True, check=False,
        )  # fmt: skip
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_names_are_unique(self):
        text = Door(self.serve(ANY_PORT)).page("/metrics")
        names = re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
        self.assertEqual(len(names), len(set(names)))
