"""The admin door, as its visitors find it: a browser's and a prober's HTTP, promtool's judgement."""

import http.client
import json
import re
import socket
import subprocess

import binary_protocol
import harness

SVG = "http://www.w3.org/2000/svg"  # the name of a language, not an address
ANY_PORT = "--admin-listen=127.0.0.1:0"


class Door:
    """The admin door of a running server."""

    def __init__(self, server):
        # The log tells it, whatever is spoken on the cache's port.
        told = harness.eventually(
            lambda: re.search(r"http://(.*):(\d+)/", server.errors()), "the log tells the door"
        )
        self.host, self.port = told.group(1), int(told.group(2))

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
        told = server.stats("settings")["larder_admin_listen"]
        self.assertEqual(told, f"127.0.0.1:{door.port}")
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
        for flags in ((), ("--redis-metrics",)):
            server = self.serve(ANY_PORT, *flags, threads=2)
            with server.connect() as client:
                client.set(b"k", b"v")
            page = Door(server).page("/metrics")
            self.assertEqual("redis_up " in page, bool(flags))
            done = subprocess.run(
                ["promtool", "check", "metrics"],
                input=page, capture_output=True, text=True, check=False,
            )  # fmt: skip
            self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_names_are_unique(self):
        text = Door(self.serve(ANY_PORT)).page("/metrics")
        names = re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
        self.assertEqual(len(names), len(set(names)))


# What a browser can be made to send: requests of any method, with commands where it lets a page
# write what it likes.
SMUGGLED = b"set evil 0 0 1\r\nx\r\nSET evil x\r\n*3\r\n$3\r\nSET\r\n$4\r\nevil\r\n$1\r\nx\r\n"


def requests_of_browsers():
    body = b"Content-Length: %d\r\n\r\n%s" % (len(SMUGGLED), SMUGGLED)
    for method in (b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE"):
        for path in (b"/", b"/set%20evil", b"/" + b"x" * 3000, b"/" + b"x" * 70000):
            yield b"%s %s HTTP/1.1\r\nHost: cache:11211\r\n" % (method, path) + body
    yield b"OPTIONS * HTTP/1.1\r\nHost: cache\r\n" + body
    yield b"GET http://cache/ HTTP/1.1\r\nHost: cache\r\n" + body


class BrowserTest(harness.ServerTestCase):
    """Nobody is served over HTTP on the cache's own port, and nothing that came with it is done."""

    def reject(self, server, index=0):
        for request in requests_of_browsers():
            with self.subTest(request=request[:40]), server.connect_to(index) as browser:
                try:
                    browser.send(request)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # closed meanwhile
                answer = browser.rest()
                self.assertNotIn(b"STORED", answer)
                self.assertNotIn(b"+OK", answer)
                self.assertNotIn(b"HTTP/1.1 200", answer)

    def test_whatever_is_spoken_there(self):
        for flags in ((), ("-B", "ascii"), ("-B", "binary"), ("--requirepass=secret",)):
            server = self.serve(*flags, ANY_PORT)
            self.reject(server)
            metrics = Door(server).metrics()
            self.assertEqual(total(metrics, "larder_set_commands_total"), 0)
            self.assertEqual(total(metrics, "larder_delete_hits_total"), 0)
            self.assertGreater(total(metrics, "larder_connections_accepted_total"), 20)

    def test_on_the_port_of_redis(self):
        server = self.serve("--redis-port=-1")
        self.reject(server, 1)
        self.assertEqual(server.stats()["cmd_set"], "0")
        with server.connect_to(1) as client:
            client.send(b"GET /k\r\nSET /k v\r\nGET /k\r\nGET / HTTP/1.1\r\nSET evil x\r\n")
            self.assertEqual(client.rest().split(b"\r\n")[:4], [b"$-1", b"+OK", b"$1", b"v"])
        self.assertEqual(server.stats()["cmd_set"], "1")


class MainPortTest(harness.ServerTestCase):
    """With --http-on-main-port, the pages of the admin door are on the cache's own port, too."""

    ON = "--http-on-main-port"

    def ask(self, address, path, method="GET"):
        connection = http.client.HTTPConnection(*address, timeout=harness.DEADLINE_S)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read().decode()
        finally:
            connection.close()

    def test_pages_are_those_of_the_door(self):
        for threads in (1, 3):
            server = self.serve(self.ON, ANY_PORT, threads=threads)
            door = Door(server)
            cache = ("127.0.0.1", server.port)
            for path in ("/", "/healthz", "/readyz", "/nowhere"):
                for method in ("GET", "HEAD"):
                    status, _, body = self.ask(cache, path, method)
                    self.assertEqual((status, body), door.ask(path, method))
            for path in ("/metrics", "/stats.json"):
                status, headers, body = self.ask(cache, path)
                self.assertEqual((status, headers["Content-Length"]), (200, str(len(body))))
                self.assertIn("get_hits", body)
            self.assertEqual(self.ask(cache, "/healthz")[2], "ok\n")

    def test_without_a_door(self):
        server = self.serve(self.ON)
        self.assertEqual(self.ask(("127.0.0.1", server.port), "/healthz")[::2], (200, "ok\n"))

    def test_guests_are_no_clients(self):
        server = self.serve(self.ON, threads=2)
        for _ in range(50):
            self.assertEqual(self.ask(("127.0.0.1", server.port), "/healthz")[0], 200)
        harness.eventually(lambda: server.stats()["curr_connections"] == "1", "they are forgotten")
        before = server.open_descriptors()
        with server.connect() as guest:
            guest.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(guest.line(), b"HTTP/1.1 200 OK")
        harness.eventually(lambda: server.open_descriptors() <= before, "nothing stays open")

    def test_request_in_pieces(self):
        server = self.serve(self.ON)
        request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        for cut in range(1, len(request)):
            with server.connect() as guest:
                guest.send(request[:cut])
                # So that the two pieces are not one.
                server.stats()
                guest.send(request[cut:])
                self.assertTrue(guest.rest().endswith(b"\r\n\r\nok\n"), cut)

    def test_nothing_is_done_for_guests(self):
        server = self.serve(self.ON)
        for method in (b"GET", b"POST", b"PUT", b"OPTIONS"):
            with server.connect() as browser:
                head = b"%s / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
                browser.send(head % (method, len(SMUGGLED)) + SMUGGLED)
                self.assertNotIn(b"STORED", browser.rest())
        self.assertEqual(server.stats()["cmd_set"], "0")

    def test_others_are_served_as_ever(self):
        server = self.serve(self.ON, "--redis-port=-1", threads=2)
        with server.connect() as client:
            for byte in (b"g", b"e", b"t", b" ", b"k", b"\r\n"):
                client.send(byte)
            self.assertEqual(client.line(), b"END")
            self.assertEqual(client.set(b"k", b"v"), b"STORED")
            # Known by now: this is no request for a page.
            client.send(b"GET / HTTP/1.1\r\n")
            self.assertNotIn(b"200", client.rest())
        for said, answer in (
            (b"G", b""), (b"GET", b""), (b"GET k\r\n", b"ERROR"), (b"HEAVY\r\n", b"ERROR"),
        ):  # fmt: skip
            with server.connect() as client:
                for byte in said:
                    client.send(bytes([byte]))
                client.socket.shutdown(socket.SHUT_WR)
                self.assertEqual(client.line(), answer, said)
        with server.connect() as client:
            ask = binary_protocol.request(binary_protocol.GET, b"k")
            self.assertEqual(binary_protocol.ask_one(client, ask).value, b"v")
        with server.connect_to(1) as client:
            client.send(b"GET /k\r\n")
            self.assertEqual(client.line(), b"$-1")
            client.send(b"GET / HTTP/1.1\r\n")
            self.assertEqual(client.rest(), b"")

    def test_not_where_clients_say_who_they_are(self):
        sentence = self.refuse(self.ON, "--requirepass=secret")
        self.assertIn("http-on-main-port", sentence)
        self.assertIn("--admin-listen", sentence)

    def test_ends_with_guests_inside(self):
        server = self.serve(self.ON, threads=2)
        guests = [server.connect() for _ in range(4)]
        for guest, said in zip(guests, (b"GE", b"GET /", b"GET / HTTP/1.1\r\n", b"HEAD /x HT")):
            guest.send(said)
        server.stop()
        for guest in guests:
            self.assertNotIn(b"200", guest.rest())
            guest.close()
