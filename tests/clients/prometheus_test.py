"""Debian's Prometheus scrapes a server: every expression of what config/ ships has an answer.

Names that are asked for and not told show nothing for years; so each query of the dashboard, of the
alerts, and of the usual Redis dashboard is asked of a real Prometheus, and must find something.
"""

import json
import os
import re
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

import harness
from http_test import ANY_PORT, Door

CONFIG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "config")
SCRAPE = "500ms"
RANGE = "4s"

# What Grafana's dashboard 763 asks for, as queries of today's version of it have it.
REDIS_QUERIES = (
    "max(max_over_time(redis_uptime_in_seconds[4s]))",
    "sum(redis_connected_clients)",
    "sum(100 * (redis_memory_used_bytes / redis_memory_max_bytes))",
    "sum(rate(redis_commands_total[4s])) by (cmd)",
    "irate(redis_keyspace_hits_total[4s])",
    "irate(redis_keyspace_misses_total[4s])",
    "rate(redis_commands_processed_total[4s])",
    "sum(rate(redis_net_input_bytes_total[4s]))",
    "sum(rate(redis_net_output_bytes_total[4s]))",
    "sum(redis_db_keys) by (db, instance)",
    "sum(redis_db_keys) by (instance) - sum(redis_db_keys_expiring) by (instance)",
    "sum(redis_db_keys_expiring) by (instance)",
    "sum(rate(redis_expired_keys_total[4s])) by (instance)",
    "sum(rate(redis_evicted_keys_total[4s])) by (instance)",
    "topk(5, irate(redis_commands_total[4s]))",
    "sum(irate(redis_commands_duration_seconds_total[4s])) by (cmd) / "
    "sum(irate(redis_commands_total[4s])) by (cmd)",
    "sum(irate(redis_commands_duration_seconds_total[4s])) by (cmd) != 0",
    "redis_blocked_clients",
    "redis_up",
)


class Prometheus:
    """A Prometheus of its own, with the shipped rules, that scrapes one door. A context manager."""

    def __init__(self, door):
        self.folder = tempfile.TemporaryDirectory(prefix="larder-prometheus-")
        self.log_path = self.path("log")
        with open(os.path.join(CONFIG, "alerts.yml"), encoding="utf-8") as file:
            # Hours of history there are none: seconds do for the question whether names are right.
            rules = re.sub(r"\[(?:\d+[mh])+\]", f"[{RANGE}]", file.read())
        self.write("alerts.yml", rules)
        with open(os.path.join(CONFIG, "prometheus.yml"), encoding="utf-8") as file:
            config = file.read()
        for old, new in (("127.0.0.1:11212", f"{door.host}:{door.port}"), (": 15s", f": {SCRAPE}")):
            assert old in config, old
            config = config.replace(old, new)
        self.write("prometheus.yml", config)
        self.process = None
        self.address = None

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def __enter__(self):
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={self.path('prometheus.yml')}",
                 f"--storage.tsdb.path={self.path('data')}", "--web.listen-address=127.0.0.1:0"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self.address = harness.eventually(self.bound, "Prometheus tells its address")
        harness.eventually(self.ready, "Prometheus is ready")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()

    def bound(self):
        assert self.process.poll() is None, self.log()
        found = re.search(r'msg="Listening on" address=(\S+)', self.log())
        return found and found.group(1)

    def ready(self):
        try:
            return self.ask("targets")
        except urllib.error.HTTPError:
            return None

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def ask(self, what, **arguments):
        url = f"http://{self.address}/api/v1/{what}?" + urllib.parse.urlencode(arguments)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=harness.DEADLINE_S) as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        return self.ask("query", query=expression)["result"]


def dashboard_queries():
    with open(os.path.join(CONFIG, "grafana-dashboard.json"), encoding="utf-8") as file:
        panels = json.load(file)["panels"]
    queries = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    for old, new in (("$__rate_interval", RANGE), ("$instance", ".*"), ("$job", ".*")):
        queries = [query.replace(old, new) for query in queries]
    return queries


class PrometheusTest(harness.ServerTestCase):
    def setUp(self):
        self.server = self.serve(ANY_PORT, "--redis-metrics", threads=2)
        self.prometheus = self.enterContext(Prometheus(Door(self.server)))
        # Something of everything, twice, so that there is something between two scrapes.
        for count in (1, 2):
            self.work()
            harness.eventually(lambda least=20 * count: self.value("sum(larder_set_commands_total)") >= least,
                               "the work has been scraped")  # fmt: skip

    def work(self):
        with self.server.connect() as client:
            for i in range(20):
                client.set(b"k%d" % i, b"v" * 100, exptime=i % 2 * 1000)
            for i in range(40):
                client.get(b"k%d" % i)

    def value(self, expression):
        result = self.prometheus.query(expression)
        return float(result[0]["value"][1]) if result else 0.0

    def test_every_query_of_the_dashboard_has_an_answer(self):
        queries = dashboard_queries()
        self.assertGreater(len(queries), 50)
        for query in queries:
            with self.subTest(query=query):
                harness.eventually(lambda it=query: self.prometheus.query(it), query)

    def test_every_rule_has_something_to_judge(self):
        def healthy():
            groups = self.prometheus.ask("rules")["groups"]
            rules = [rule for group in groups for rule in group["rules"]]
            return rules if rules and all(rule["health"] == "ok" for rule in rules) else None

        rules = harness.eventually(healthy, "the rules are evaluated")
        self.assertGreater(len(rules), 10)
        for rule in rules:
            # A comparison drops what is well; as a question, each side of it must find something.
            for part in re.split(r" and ", rule["query"]):
                question = re.sub(r" (<|>|==) ", r" \1 bool ", part)
                with self.subTest(rule=rule["name"], query=question):
                    harness.eventually(lambda it=question: self.prometheus.query(it), question)
        self.assertEqual([rule["name"] for rule in rules if rule.get("state") == "firing"], [])

    def test_a_redis_dashboard_fills(self):
        for query in REDIS_QUERIES:
            with self.subTest(query=query):
                harness.eventually(lambda it=query: self.prometheus.query(it), query)
        self.assertEqual(self.value("sum(redis_db_keys)"), 20)
        self.assertEqual(self.value("sum(redis_db_keys_expiring)"), 10)

    def test_the_scrape_is_well(self):
        (target,) = self.prometheus.ask("targets")["activeTargets"]
        self.assertEqual((target["health"], target["lastError"]), ("up", ""))
        self.assertEqual(target["labels"]["job"], "larder")


class RulesTest(harness.ServerTestCase):
    def test_the_cases_of_the_alerts(self):
        self.run_program("promtool", "check", "rules", os.path.join(CONFIG, "alerts.yml"))
        self.run_program("promtool", "test", "rules", "alerts_test.yml", cwd=CONFIG)
        self.run_program("promtool", "check", "config", os.path.join(CONFIG, "prometheus.yml"))

    def test_each_alert_has_a_case(self):
        with open(os.path.join(CONFIG, "alerts.yml"), encoding="utf-8") as file:
            alerts = re.findall(r"- alert: (\w+)", file.read())
        with open(os.path.join(CONFIG, "alerts_test.yml"), encoding="utf-8") as file:
            cases = file.read()
        self.assertGreater(len(alerts), 5)
        self.assertEqual([alert for alert in alerts if alert not in cases], [])

    def test_without_the_switch_nothing_is_called_redis(self):
        metrics = Door(self.serve(ANY_PORT)).metrics()
        self.assertEqual([name for name in metrics if name.startswith("redis_")], [])
        self.assertIn("memcached_up", metrics)
