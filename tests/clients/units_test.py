"""The units of systemd/: what systemd thinks of them, and that the daemon lives with them.

systemd itself does not run here: systemd-analyze judges the files, and the filter of system calls
is put on a daemon by libseccomp.
"""

import os
import re
import shutil
import signal
import subprocess
import time

import harness
import seccomp
import service_test

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNITS = os.path.join(ROOT, "systemd")
OWN_DESCRIPTORS = 512  # kOwnDescriptors of src/server/process.cc


def read(name):
    with open(os.path.join(UNITS, name), encoding="utf-8") as file:
        return file.read()


def values(name, key):
    return re.findall(rf"^{key}=(.*)$", read(name), re.MULTILINE)


def default(name):
    """Of a setting, as `larderd --print-config` has it."""
    text = subprocess.run(
        [harness.Config.larderd, "--print-config"], capture_output=True, check=True, text=True
    ).stdout
    return re.search(rf'^#{name} = "?([^"\n]*)"?$', text, re.MULTILINE).group(1)


def allowed_calls(unit):
    """Names of the system calls that the SystemCallFilter= lines of a unit leave."""

    def members(group):
        text = subprocess.run(
            ["systemd-analyze", "syscall-filter", group], capture_output=True, check=True, text=True
        ).stdout
        names = re.findall(r"^    ([-@a-z0-9_]+)$", text, re.MULTILINE)
        return {call for name in names for call in calls(name)}

    def calls(name):
        return members(name) if name.startswith("@") else {name}

    allowed = set()
    for line in values(unit, "SystemCallFilter"):
        listed = {call for name in line.lstrip("~").split() for call in calls(name)}
        allowed = allowed - listed if line.startswith("~") else allowed | listed
    return allowed


class AnalyzeTest(harness.ServerTestCase):
    def setUp(self):
        # A folder of units as they are installed, with a daemon that exists.
        self.folder = os.path.join(self.serve().folder.name, "units")
        shutil.copytree(UNITS, self.folder)
        for name in ("larderd.service", "larderd@.service"):
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                file.write(read(name).replace("/usr/bin/larderd", harness.Config.larderd))

    def analyze(self, *command):
        return self.run_program(
            "systemd-analyze",
            "--no-pager",
            *command,
            env={**os.environ, "SYSTEMD_UNIT_PATH": self.folder + ":"},
        )

    def test_systemd_has_nothing_to_say(self):
        units = [name for name in os.listdir(UNITS) if name.endswith((".service", ".socket"))]
        self.assertGreaterEqual(len(units), 3)
        for name in units:
            path = os.path.join(self.folder, name.replace("@.", "@one."))
            self.assertEqual(self.analyze("verify", "--man=no", path), "", name)

    def exposure(self, unit):
        text = self.analyze("security", "--offline=yes", os.path.join(self.folder, unit))
        return float(re.search(r"Overall exposure level for \S+: ([0-9.]+) ", text).group(1))

    def test_exposure(self):
        self.assertLessEqual(self.exposure("larderd.service"), 1.4)
        self.assertLessEqual(self.exposure("larderd@.service"), 1.4)

    def test_exposure_with_passed_sockets_only(self):
        drop_ins = os.path.join(self.folder, "larderd.service.d")
        os.mkdir(drop_ins)
        shutil.copy(os.path.join(self.folder, "socket-only.conf"), drop_ins)
        self.assertLessEqual(self.exposure("larderd.service"), 0.5)


class DefaultsTest(harness.ServerTestCase):
    def test_the_socket_listens_where_the_daemon_would(self):
        self.assertEqual(
            values("larderd.socket", "ListenStream"), [f"{default('listen')}:{default('port')}"]
        )
        self.assertEqual(values("larderd.socket", "Backlog"), [default("listen-backlog")])

    def test_the_admin_socket_listens_where_the_admin_door_would(self):
        self.assertEqual(values("larderd-admin.socket", "ListenStream"), [default("admin-listen")])
        self.assertEqual(values("larderd-admin.socket", "FileDescriptorName"), ["admin"])

    def test_descriptors_for_every_client(self):
        soft = values("larderd.service", "LimitNOFILE")[0].split(":")[0]
        self.assertEqual(int(soft), int(default("conn-limit")) + OWN_DESCRIPTORS)

    def test_memory_is_limited_by_the_settings_alone(self):
        """A limit here would be met by whoever raises memory-limit, and by nobody else."""
        for unit in ("larderd.service", "larderd@.service"):
            self.assertEqual(values(unit, "Memory(Max|High|Limit|SwapMax)"), [])

    def test_an_instance_differs_in_its_names_only(self):
        one = read("larderd.service").splitlines()
        several = read("larderd@.service").splitlines()[2:]
        self.assertEqual(len(one), len(several))
        differing = {b.split("=")[0] for a, b in zip(one, several) if a != b}
        self.assertEqual(
            differing,
            {"Description", "ExecStart", "RuntimeDirectory", "# For a Unix socket: unix-socket "},
        )


class PackageTest(harness.ServerTestCase):
    """What is said again for Debian and for rpm is the same: their files take no list of ours."""

    def file(self, *path):
        with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
            return file.read()

    def test_it_is_built_with_the_dependencies_of_the_build(self):
        section = self.file("packaging", "dependencies.txt").partition("# [build]")[2]
        wanted = set(section.partition("\n# [")[0].split("\n")[1:]) - {"", "g++"}
        control = self.file("debian", "control")
        builds = control.partition("Build-Depends:\n")[2].partition("\nStandards")[0]
        listed = {line.strip(" ,") for line in builds.split("\n")}
        self.assertEqual(listed - {"debhelper-compat (= 13)", "dh-sequence-installsysusers"}, wanted)

    def test_it_has_the_version(self):
        version = re.search(r"project\(larder VERSION (\S+) ", self.file("CMakeLists.txt")).group(1)
        self.assertTrue(self.file("debian", "changelog").startswith(f"larder ({version}) "))
        self.assertRegex(self.file("packaging", "larder.spec"), rf"(?m)^Version: +{version}$")

    def test_both_have_the_same_pages(self):
        pages = self.file("debian", "larder.docs").split()
        self.assertGreater(len(pages), 3)
        (listed,) = re.findall(r"(?m)^%doc (.*)$", self.file("packaging", "larder.spec"))
        self.assertEqual(sorted(listed.split()), sorted(pages))
        written = {name for name in os.listdir(os.path.join(ROOT, "docs")) if name.endswith(".md")}
        written -= {"architecture.md"}  # for who builds it
        self.assertEqual({os.path.basename(page) for page in pages}, written | {"README.md"})

    def test_the_rpm_has_every_file_of_the_package(self):
        """Names of what packaging/CMakeLists.txt installs, but for their folders."""
        spec = self.file("packaging", "larder.spec").partition("%files")[2]
        install = self.file("packaging", "CMakeLists.txt").partition("install(")[2]
        names = set(re.findall(r"[\w@.-]+\.(?:service|socket|[158]|conf)\b", install))
        self.assertGreaterEqual(len(names), 8)
        for name in names - {"socket-only.conf"}:  # with its folder
            self.assertIn(f"/{name}", spec)


class StartTest(harness.ServerTestCase):
    def start_s(self):
        server = service_test.ServiceServer(threads=2)
        begin = time.monotonic()
        with server:
            server.manager.until("READY")
            return time.monotonic() - begin

    def test_ready_within_200_ms(self):
        """The best of some starts: others may be busy."""
        self.assertLess(min(self.start_s() for _ in range(5)), 0.2)


class FilterTest(service_test.ServiceTestCase):
    """Whatever system call the unit forbids ends the daemon at once."""

    def check_daemon_lives(self, loop):
        calls = allowed_calls("larderd.service")
        self.assertNotIn("mount", calls)
        self.assertNotIn("setuid", calls)
        server = service_test.ServiceServer(f"--io={loop}", threads=2, watchdog_s=0.2)
        rules = seccomp.SyscallFilter(seccomp.KILL_PROCESS)
        for call in sorted(calls):
            try:
                rules.add_rule(seccomp.ALLOW, call)
            except RuntimeError:
                pass  # a call of other machines
        server.before_exec = rules.load
        with server:
            server.manager.until("WATCHDOG")
            clients = [self.enterContext(server.connect()) for _ in range(50)]
            for i, client in enumerate(clients):
                self.assertEqual(client.set(b"k%d" % i, b"v" * 100_000), b"STORED")
                self.assertEqual(client.get(b"k%d" % i), b"v" * 100_000)
            clients[0].stats()
            self.assertEqual(clients[0].ask(b"flush_all"), b"OK")
            server.process.send_signal(signal.SIGHUP)
            server.manager.until("READY")
            for client in clients:
                client.close()

    def test_daemon_lives_on_io_uring(self):
        self.check_daemon_lives("uring")

    def test_daemon_lives_on_libevent(self):
        self.check_daemon_lives("event")
