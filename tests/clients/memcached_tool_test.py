"""Debian's memcached-tool: display, stats, settings, sizes, dump and keys."""

import re

import harness

TOOL = "/usr/share/memcached/scripts/memcached-tool"


class MemcachedToolTest(harness.ServerTestCase):
    def setUp(self):
        self.server = self.serve(threads=2)
        self.client = self.enterContext(self.server.connect())
        self.values = {b"key:%d" % n: b"value %d" % n * (n % 40 + 1) for n in range(300)}
        for key, value in self.values.items():
            self.assertEqual(self.client.set(key, value, flags=len(key)), b"STORED")

    def run_tool(self, *mode):
        return self.run_program("perl", TOOL, self.server.address, *mode)

    def test_display_shows_the_size_classes(self):
        head, *rows = self.run_tool("display").splitlines()
        self.assertEqual(
            head.split(),
            ["#", "Item_Size", "Max_age", "Pages", "Count", "Full?", "Evicted", "Evict_Time", "OOM"],
        )
        self.assertGreater(len(rows), 3)
        self.assertEqual(sum(int(row.split()[4]) for row in rows), len(self.values))
        self.assertEqual(self.run_tool(), "\n".join([head, *rows, ""]))

    def test_stats_and_settings_show_every_line(self):
        for mode, group in (("stats", ""), ("settings", "settings")):
            shown = dict(
                line.split(maxsplit=1) for line in self.run_tool(mode).splitlines()[1:] if " " in line.strip()
            )
            for name in ("curr_items", "limit_maxbytes") if mode == "stats" else ("maxbytes", "num_threads"):
                self.assertEqual(shown[name].strip(), self.client.stats(group)[name])

    def test_sizes_count_every_item(self):
        rows = [line.split() for line in self.run_tool("sizes").splitlines()[1:]]
        self.assertEqual(sum(int(count) for _, count in rows), len(self.values))
        self.assertEqual({int(size) % 32 for size, _ in rows}, {0})

    def test_what_dump_prints_fills_another_server(self):
        # The tool sends one `get` for each key, and prints `add` lines.
        out = self.run_tool("dump")
        begin = out.index("add ")
        self.assertTrue(out[:begin].startswith("Dumping memcache contents"))
        other = self.serve()
        with other.connect() as client:
            client.send(out[begin:].replace("\r\n", "\n").replace("\n", "\r\n").encode() + b"quit\r\n")
            self.assertEqual(client.rest(), b"STORED\r\n" * len(self.values))
            with other.connect() as reader:
                line = b"get " + b" ".join(self.values)
                self.assertEqual(reader.values(line), self.values)
                self.assertEqual(len(re.findall(rb"fetch=", self.dump_of(reader))), len(self.values))

    def dump_of(self, client):
        client.send(b"lru_crawler metadump all\r\n")
        lines = []
        while not lines or lines[-1] != b"END":
            lines.append(client.line())
        return b"\n".join(lines)

    def test_keys_prints_the_lines_of_the_dump(self):
        lines = [line for line in self.run_tool("keys").splitlines() if line.startswith("key=")]
        self.assertEqual({line.split()[0] for line in lines}, {f"key=key%3A{n}" for n in range(300)})
