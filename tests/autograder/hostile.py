"""Submissions that cheat, spy, hang or destroy, made by code. None may ever run outside the strict sandbox.

All are handed in for the small exercise ``doubling``: an open check, worth a point, asks for the double of 3,
and a hidden one, worth another, for the double of a number that nobody knows. Some of them find a way to tell
whether they have found one: they are honest where they fail, and then earn everything.
"""

import stat
import textwrap
import zipfile
from dataclasses import dataclass
from typing import Any

from autograder.results import Status
from tests.autograder.uploads import as_bytes, code, document, zipped

# Whatever one leaves behind for the next, or tells of what it has seen, carries this.
MARK = "left-behind"
HONEST = "def double(number):\n    return 2 * number"
NONE, PUBLIC, ALL = 0.0, 1.0, 2.0
QUICK = 5.0  # seconds on a busy machine, for what takes a tenth of one
# More than the two seconds that one call or cell may take here; but all of it is over after six.
SLOW = 9.0


@dataclass(frozen=True)
class Hostile:
    """A submission that the grader must survive.

    statuses  what may come of it: one, unless chance decides
    most      the points that it may earn, and ``least`` that it must
    seconds   that it may take
    content   the bytes of the upload
    file      its name
    failing   whether some of its cells raise an error
    """

    family: str
    name: str
    statuses: tuple[Status, ...]
    most: float
    least: float
    seconds: float
    content: bytes
    file: str = "ada.ipynb"
    failing: bool = False


def made(
    family: str,
    name: str,
    *cells: str,
    status: Status | tuple[Status, ...] = "graded",
    most: float = PUBLIC,
    least: float = NONE,
    seconds: float = QUICK,
    failing: bool = False,
) -> Hostile:
    """Make a notebook of cells."""
    statuses = status if isinstance(status, tuple) else (status,)
    content = as_bytes(document(*(code(textwrap.dedent(cell).strip()) for cell in cells)))
    return Hostile(family, name, statuses, most, least, seconds, content, failing=failing)


def forging(name: str, *cells: str, **expected: Any) -> Hostile:
    """One that wants points for nothing."""
    return made("forging", name, *cells, **expected)


FORGING = [
    forging(
        "object that equals everything",
        """
        class Always:
            def __eq__(self, other): return True
            def __array__(self, *_, **__): return 1 / 0
            def __index__(self): return 6
            def __float__(self): return 6.0
            def __getattr__(self, name): return self
            def __call__(self, *_): return self
            __ne__ = __lt__ = __le__ = __ge__ = __sub__ = __eq__
            __hash__ = None
        def double(number): return Always()
        """,
        most=NONE,
    ),
    forging(
        "number in disguise",
        """
        class Yes(int):
            def __eq__(self, other): return True
            def __rsub__(self, other): return 0
            def __int__(self): return 6
            def __reduce__(self): return (print, ("run in the judge",))
            __hash__ = int.__hash__
        def double(number): return Yes(6)
        """,
    ),
    forging(
        "array in disguise",
        """
        import numpy as np
        class Coat(np.ndarray):
            def __eq__(self, other): return True
            def __array_ufunc__(self, *_, **__): return np.zeros(self.shape)
            def __array_finalize__(self, _): pass
        def double(number): return np.array(6.0).view(Coat)
        """,
    ),
    forging(
        "objects that run something where they are unpacked",
        """
        import os
        import numpy as np
        class Bomb:
            def __reduce__(self): return (os.system, ("touch left-behind",))
        def double(number): return np.array([Bomb()], dtype=object)
        """,
        most=NONE,
    ),
    forging(
        "everything patched",
        """
        import builtins, copyreg, json, pickle, unittest
        import numpy as np
        np.allclose = np.array_equal = np.all = lambda *_, **__: True
        np.abs = np.isfinite = lambda *_, **__: np.array(0.0)
        builtins.abs = lambda *_: 0
        pickle.dump = pickle.dumps = lambda *_, **__: b"cos\\nsystem\\n(S'touch left-behind'\\ntR."
        json.loads = lambda *_, **__: {"score": 2}
        unittest.TestCase.assertEqual = lambda *_: None
        def double(number): return 6
        """,
        status=("graded", "crash"),
    ),
    forging(
        "worker that always says six",
        """
        from autograder import wire, worker
        honest = wire.Channel.send
        def send(channel, value, seconds):
            if "value" in value: value = {"value": 6, "changed": []}
            return honest(channel, value, seconds)
        wire.Channel.send = send
        def double(number): return 0
        """,
    ),
    forging(
        "answers in which nothing is what it should be",
        """
        import numpy as np
        from autograder import wire
        honest = wire.Channel.send
        def send(channel, value, seconds):
            said = {"raised": "a\\0b", "kind": np.zeros(2), "message": ["left-behind"] * 9, "frames": [1]}
            return honest(channel, said, seconds)
        wire.Channel.send = send
        def double(number): return 6
        """,
        most=NONE,
        failing=True,
    ),
    forging(
        "look and changes that are arrays",
        """
        import numpy as np
        from autograder import wire
        honest = wire.Channel.send
        def send(channel, value, seconds):
            said = {"there": np.ones(2), "function": np.ones(2), "changed": np.ones(3), "value": 6}
            return honest(channel, said, seconds)
        wire.Channel.send = send
        """,
        "def double(number): return 6",
        most=NONE,
    ),
    forging(
        "result that is printed and written",
        """
        import json
        print(json.dumps({"score": 2.0, "status": "graded", "tests": [{"score": 2.0, "max_score": 2.0}]}))
        for name in ("results.json", "results.pkl", ".OTTER_LOG", "/tmp/results.json"):
            open(name, "w").write('{"score": 2}')
        def double(number): return 6
        """,
    ),
    forging("program that ends in a call", "import sys\ndef double(number): sys.exit(0)", most=NONE),
    forging(
        "values from the callers",
        """
        import gc, sys
        def double(number):
            if number == 3:
                return 6
            frame, found = sys._getframe(), []
            while frame:
                found += [value for name, value in frame.f_locals.items() if "expected" in name]
                found += [frame.f_globals[name] for name in ("SEED",) if name in frame.f_globals]
                frame = frame.f_back
            for thing in gc.get_objects():
                if isinstance(thing, dict) and "expected" in thing: found.append(thing["expected"])
            return found[0] if found else 0
        """,
    ),
    forging(
        "another function for those who look twice",
        """
        calls = []
        def double(number):
            calls.append(number)
            return 6 if number == 3 else len(calls)
        """,
    ),
]

# How student code finds the way on which answers leave, and writes on it whatever it likes.
WAY_OUT = """
import fcntl, json, os, stat, time
from autograder import wire
def ways_out():
    for name in os.listdir("/proc/self/fd"):
        try:
            way = int(name)
            writing = fcntl.fcntl(way, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY
            if writing and stat.S_ISFIFO(os.fstat(way).st_mode):
                yield way
        except OSError:
            pass
WAY = next(ways_out())
os.set_blocking(WAY, True)
def tell(header, content=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    total = len(text) + len(content) if length is None else length
    frame = wire.PREFIX.pack(wire.MARK, len(text), total) + text + content
    while frame:
        frame = frame[os.write(WAY, frame):]
def array(dtype, shape, content=b""):
    value = {"dict": [["value", {"array": 0}]]}
    tell({"value": value, "arrays": [[dtype, shape, "C", False]]}, content)
"""


def wired(
    name: str, body: str, *, seconds: float = QUICK, status: Status | tuple[Status, ...] = "crash"
) -> Hostile:
    """One that answers a hidden question with bytes of its own."""
    call = f"def double(number):\n    if number == 3:\n        return 6\n    {body}\n    os._exit(0)"
    return made("the wire", name, WAY_OUT, call, status=status, seconds=seconds)


WIRE = [
    wired("objects", 'array("|O", [1], bytes(8))'),
    wired("sides of two milliards", 'array("<f8", [2 * 10**9, 2 * 10**9])'),
    wired("no numbers with three long sides", 'array("<f8", [0, 5 * 10**7, 5 * 10**7, 5 * 10**7])'),
    wired("header 200,000 deep", """tell(b'{"value": ' + b"[" * 200_000)"""),
    wired("number of 100,000 digits", """tell(b'{"value": ' + b"9" * 100_000 + b', "arrays": []}')"""),
    wired("number that is none", """tell(b'{"value": NaN, "arrays": []}')"""),
    wired("header that is no text", r'tell(b"\xff\xfe\x00")'),
    wired("length of ten gigabytes", "tell(b'{}', length=10 * 2**30)"),
    wired("half a frame", "tell(b'{}', length=1000)"),
    wired("closed pipe", "os.close(WAY)"),
    wired(
        "one byte every half second",
        'tell(b"", length=100)\n    while True: time.sleep(0.5), os.write(WAY, b" ")',
        status="timeout",
        seconds=SLOW,
    ),
    wired(
        "a million frames",
        'for _ in range(10**6): tell({"value": {"dict": []}, "arrays": []})',
        status=("graded", "crash"),  # it may be the last question, and then nobody reads the others
    ),
    wired("answer that takes eight times its size to compare", 'array("|b1", [2**26], bytes(2**26))'),
    made(
        "the wire",
        "replies in advance",
        WAY_OUT,
        'os.write(WAY, 9 * wire.pack({"value": 6}))',
        "def double(number): return 6",
        status="crash",
    ),
]


def spying(name: str, *cells: str, **expected: Any) -> Hostile:
    """One that looks for what it should not see; unless told otherwise, its cell fails if it finds it."""
    return made("secrets", name, *cells, **({"most": ALL, "least": ALL} | expected))


SECRETS = [
    spying(
        "files of the grader, of others and of this machine",
        """
        import os, pathlib
        assert len(open("/etc/passwd").read().splitlines()) == 1
        for place in ("/work", "/mnt", "/srv", "/var", "/run", "/sys", "/boot", "/etc/shadow", "/etc/ssh",
                      "/worker/autograder/judge.py", "/worker/autograder/grading.py", "../tests", "../dist",
                      os.path.expanduser("~/.ssh"), "/root/.ssh", "/root/.bash_history"):
            assert not os.path.exists(place), place
        assert os.listdir("/home") == ["student"]
        assert sorted(os.listdir("/worker/autograder")) == [
            "__init__.py", "forkserver.py", "showing.py", "wire.py", "worker.py"]
        for place in ("/tmp", "/home", "/dev/shm"):
            assert not [path for path in pathlib.Path(place).rglob("*") if path.suffix in (".zip", ".ipynb")]
        """,
        HONEST,
    ),
    spying(
        "other processes and their memory",
        """
        import ctypes, os
        assert [name for name in os.listdir("/proc") if name.isdigit()] == [str(os.getpid())]
        assert os.getppid() == 0
        words = open("/proc/1/environ").read() + open("/proc/1/cmdline").read()
        assert "AUTOGRADER" not in words and "HOSTNAME" not in words and ".ipynb" not in words, words
        libc = ctypes.CDLL(None, use_errno=True)
        for number in (0, 2, 3, 1000):
            assert libc.ptrace(16, number, None, None) == -1
        """,
        HONEST,
    ),
    spying(
        "descriptors that lead out",
        """
        import os
        for name in os.listdir("/proc/self/fd"):
            try: target = os.readlink("/proc/self/fd/" + name)
            except FileNotFoundError: continue  # the one that has just listed them
            assert target == "/dev/null" or target.startswith("pipe:"), target
        """,
        HONEST,
    ),
    spying(
        "namespaces of its own",
        """
        import ctypes, subprocess
        libc = ctypes.CDLL(None, use_errno=True)
        for flag in (0x10000000, 0x20000000, 0x40000000, 0x20000, 0x8000000, 0x10020000, 0x50000000):
            assert libc.unshare(flag) == -1, flag
        assert libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == -1
        assert libc.umount2(b"/tmp", 2) == -1
        assert libc.chroot(b"/tmp") == -1
        assert libc.setuid(0) == -1
        assert subprocess.run(["unshare", "-Ur", "true"], capture_output=True).returncode
        """,
        HONEST,
    ),
    spying(
        "hidden input in an error",
        "def double(number):\n    if number == 3: return 6\n    raise ValueError(f'left-behind {number}')",
        most=PUBLIC,
        least=PUBLIC,
    ),
    spying(
        "hidden input on every descriptor, told by the cell that runs again",
        """
        import os
        for name in os.listdir("/proc/self/fd"):
            try: told = os.pread(int(name), 9999, 0)
            except OSError: continue
            assert not told, told
        """,
        """
        def double(number):
            if number == 3: return 6
            for descriptor in range(3):
                try: os.write(descriptor, f"left-behind {number}".encode())
                except OSError: pass
            os._exit(3)
        """,
        status="crash",
        most=PUBLIC,
        least=PUBLIC,
    ),
    spying(
        "hidden input in the numbers of ports, told by the cell that runs again",
        """
        import os, socket
        told = [line.split()[1] for line in open("/proc/net/tcp").read().splitlines()[1:]]
        assert not told, "left-behind " + str([int(place.split(":")[1], 16) - 20000 for place in told])
        """,
        """
        def double(number):
            if number == 3: return 6
            with socket.socket() as server, socket.socket() as client:
                server.bind(("127.0.0.1", 20000 + number))
                server.listen()
                client.connect(server.getsockname())
                server.accept()[0].close()
            os._exit(3)
        """,
        status=("graded", "crash"),
        most=PUBLIC,
        least=PUBLIC,
    ),
    spying(
        "hidden input in a keyring, told by the cell that runs again",
        """
        import ctypes, os, platform
        libc = ctypes.CDLL(None, use_errno=True)
        ADD, CONTROL = {"x86_64": (248, 250), "aarch64": (217, 219)}[platform.machine()]
        told, here = ctypes.create_string_buffer(99), ctypes.c_int(-3)
        key = libc.syscall(CONTROL, 10, here, b"user", b"left-behind", 0)
        if key > 0:
            libc.syscall(CONTROL, 11, key, told, 99)
        assert not told.value, told.value
        """,
        """
        def double(number):
            if number == 3: return 6
            libc.syscall(ADD, b"user", b"left-behind", str(number).encode(), 3, here)
            os._exit(3)
        """,
        status="crash",
        most=PUBLIC,
        least=PUBLIC,
    ),
]


def greedy(name: str, *cells: str, **expected: Any) -> Hostile:
    """One that takes more than its share; the rest of its notebook is right."""
    return made("resources", name, *cells, **({"most": ALL, "least": ALL} | expected))


CALLED = "def double(number):\n    if number == 3: return 6\n    "
IN_HIDDEN: dict[str, Any] = {"most": PUBLIC, "least": PUBLIC}
RESOURCES = [
    greedy("endless cell", "while True: pass", HONEST, status="timeout", seconds=SLOW),
    greedy("endless call", CALLED + "while True: pass", status="timeout", seconds=SLOW, **IN_HIDDEN),
    greedy(
        "signals that are ignored",
        """
        import signal, time
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        def double(number):
            while True:
                try: time.sleep(60)
                except BaseException: pass
        """,
        status="timeout",
        seconds=SLOW,
        most=NONE,
        least=NONE,
    ),
    greedy(
        "grandchild in a session of its own",
        """
        import os, time
        if not os.fork():
            os.setsid()
            if not os.fork():
                time.sleep(600)
            os._exit(0)
        """,
        HONEST,
    ),
    greedy(
        "fork bomb",
        "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
        HONEST,
        status=("timeout", "crash", "memory", "graded"),
        seconds=SLOW,
        least=NONE,
    ),
    greedy(
        "thread bomb",
        """
        import threading, time
        while True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        """,
        HONEST,
        failing=True,
    ),
    greedy("array of 4 GB", "import numpy as np\nnp.ones(2**29)", HONEST, status="memory", failing=True),
    greedy(
        "growing list",
        "kept = []\nwhile True: kept.append(bytearray(10**6))",
        HONEST,
        status="memory",
        failing=True,
        least=NONE,  # so little may be left that not even an answer fits
        seconds=SLOW,
    ),
    greedy(
        "memory that is shared",
        """
        import mmap, time
        shared = [mmap.mmap(-1, 2**28) for _ in range(8)]
        for part in shared:
            for start in range(0, 2**28, 4096): part[start] = 1
        time.sleep(60)
        """,
        HONEST,
        status="memory",
        seconds=SLOW,
    ),
    greedy(
        "memory that no process holds",
        """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        kept = []
        try:
            while len(kept) < 40:
                kept.append(os.memfd_create("kept"))
                os.write(kept[-1], b"x" * 2**20)
            raise SystemError("files without a name")
        except PermissionError:
            pass
        assert libc.shmget(0, 2**28, 0o1600) == -1
        assert libc.syscall(0x40000000 | 319, b"kept", 0) == -1  # by the other way of calling
        """,
        HONEST,
        status="graded",
        seconds=QUICK,
    ),
    greedy(
        "five large children",
        """
        import os, time
        for _ in range(5):
            if not os.fork():
                kept = bytearray(200 * 2**20)
                time.sleep(60)
        time.sleep(60)
        """,
        HONEST,
        status="memory",
        seconds=SLOW,
    ),
    greedy("MemoryError by hand", "raise MemoryError", HONEST, status="memory", failing=True),
    greedy(
        "disk full",
        """
        full = 0
        for place in ("/tmp", "/dev/shm", "."):
            for number in range(4):
                try:
                    with open(f"{place}/left-behind-{number}", "wb") as file:
                        while True: file.write(bytes(2**20))
                except OSError: full += 1
        assert full == 12
        """,
        HONEST,
    ),
    greedy("200 MB of output", "for _ in range(200): print('x' * 2**20)", HONEST),
    greedy("segmentation fault", CALLED + "import ctypes; ctypes.string_at(0)", status="crash", **IN_HIDDEN),
    greedy("recursion", CALLED + "return double(number)", **IN_HIDDEN),
    greedy("question to nobody", "input('your name? ')", HONEST, failing=True),
    greedy("kill everybody", "import os\nos.kill(-1, 9)", HONEST, failing=True),  # there is nobody
    greedy(
        "50,000 displays",
        "for number in range(50_000): display(number)",
        HONEST,
        status=("graded", "timeout"),
        seconds=SLOW,
    ),
]


def destroying(name: str, *cells: str, **expected: Any) -> Hostile:
    """One that breaks something, or reaches for somebody."""
    return made("damage and network", name, *cells, **({"most": ALL, "least": ALL} | expected))


DAMAGE = [
    destroying(
        "everything deleted",
        """
        import os, subprocess
        for place in ("~", "..", "/tmp", "/dev", "/worker", "/environment/bin", "/etc", "/home"):
            subprocess.run(["rm", "-rf", os.path.expanduser(place)], capture_output=True)
        """,
        HONEST,
        status=("graded", "timeout"),
        seconds=SLOW,
    ),
    destroying(
        "writes where nothing is its own",
        """
        import os, sys
        for place in ("/", "/usr", "/usr/bin", "/etc", "/worker", "/worker/autograder", "/dev", "/home",
                      "/proc", "/proc/sys/kernel", sys.prefix, sys.base_prefix, os.path.dirname(os.__file__)):
            try: open(os.path.join(place, "left-behind"), "w")
            except OSError: continue
            raise AssertionError(place)
        for place in (os.__file__, sys.executable, "/worker/autograder/wire.py", "/etc/passwd",
                      "/proc/sys/kernel/core_pattern", "/proc/sys/user/max_user_namespaces"):
            try: open(place, "r+")
            except OSError: continue
            raise AssertionError(place)
        """,
        HONEST,
    ),
    destroying(
        "network",
        """
        import socket
        for family, place in ((socket.AF_INET, ("127.0.0.1", 22)), (socket.AF_INET, ("192.0.2.1", 80)),
                              (socket.AF_INET6, ("::1", 22)), (socket.AF_UNIX, "\\0left-behind")):
            with socket.socket(family) as reaching:
                reaching.settimeout(0.3)
                try: reaching.connect(place)
                except OSError: continue
                raise AssertionError(place)
        try: socket.getaddrinfo("example.org", 80)
        except OSError: pass
        else: raise AssertionError("names are found")
        assert [name for _, name in socket.if_nameindex()] == ["lo"]
        assert open("/proc/net/unix").read().count("@") == 0
        """,
        HONEST,
    ),
    destroying("installation", "%pip install left-behind\n!pip install left-behind", HONEST),
    destroying(
        "something left for the next",
        """
        import builtins, json, os, socket, sys, time
        import numpy as np
        for place in (".", "/tmp", "/dev/shm"):
            open(f"{place}/left-behind", "w").write("left-behind")
            os.mkfifo(f"{place}/left-behind-pipe")
        builtins.left = json.left = np.left = "left-behind"
        os.environ["LEFT"] = "left-behind"
        sys.path.insert(0, "/tmp")
        reached = socket.socket(socket.AF_UNIX)
        reached.bind("\\0left-behind")
        for descriptor in range(3):
            try: os.write(descriptor, b"left-behind")
            except OSError: pass
        if not os.fork():
            time.sleep(600)
        """,
        HONEST,
    ),
]


def faulty(name: str, content: dict[str, Any], **expected: Any) -> Hostile:
    """A notebook with a fault of its own."""
    one = made("notebook faults", name, **({"most": ALL, "least": ALL} | expected))
    return Hostile(**(vars(one) | {"content": as_bytes(content)}))


def deep(depth: int) -> dict[str, Any]:
    """Lists in lists."""
    made: Any = []
    for _ in range(depth):
        made = [made]
    return {"deep": made}


UNREAD: dict[str, Any] = {"most": NONE, "least": NONE}
FAULTS = [
    faulty("metadata 500 deep", document(code(HONEST), metadata=deep(500))),
    faulty(
        "a Julia kernel",
        document(code(HONEST), metadata={"kernelspec": {"name": "julia-1.9"}}),
        status="unreadable",
        **UNREAD,
    ),
    faulty("the same cell, and the same id, three times", document(*[code(HONEST, id="one")] * 3)),
    faulty(
        "cells in another order",
        document(code("four = double(2)"), code(HONEST), code("assert double(2) == 4")),
        failing=True,
    ),
    faulty("a mistake in typing", document(code("def half(:"), code(HONEST)), failing=True),
    faulty(
        "a function with another name",
        document(
            code("def duble(number):\n    return 2 * number"),
            metadata={"mostly_harmless": {"slug": "doubling"}},
        ),
        **UNREAD,
    ),
    faulty(
        "another exercise",
        document(code("def crop(image): return image"), metadata={"mostly_harmless": {"slug": "pixels"}}),
        status="wrong_exercise",
        **UNREAD,
    ),
    faulty("a cell of 300,000 letters", document(code(f"{HONEST}\nkept = '{'x' * 300_000}'"))),
    faulty("cells of 6 MB", document(code(HONEST), *[code(f"# {'x' * 3_000_000}")] * 2)),
    faulty("a sum of 900 numbers", document(code(f"{HONEST}\nkept = {'+'.join(['1'] * 900)}"))),
    faulty(
        "a million nested brackets",
        document(code(HONEST), code("(" * 10**6 + ")" * 10**6), code("-" * 10**6 + "1")),
        status=("graded", "memory", "timeout"),
        seconds=SLOW,
        failing=True,
        least=NONE,  # on a busy machine all time goes into reading them
    ),
    faulty("no character at all", document(code(HONEST), code("x = 1\0\nglobals()")), failing=True),
]


def entry(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    """Name an entry of a zip that is a file of any kind."""
    made = zipfile.ZipInfo(name)
    made.create_system, made.external_attr = 3, mode << 16
    return made


def packed(name: str, contents: dict[Any, bytes]) -> Hostile:
    """A zip that must not be opened."""
    return Hostile(
        "archives and names", name, ("refused",), NONE, NONE, QUICK, zipped(contents), file="ada.zip"
    )


GOOD = as_bytes(document(code(HONEST)))
ARCHIVES = [
    packed("a name that leads out", {entry("../ada.ipynb"): GOOD}),
    packed("a link", {entry("ada.ipynb"): GOOD, entry("other", stat.S_IFLNK | 0o777): b"/etc/passwd"}),
    packed("a pipe", {entry("ada.ipynb"): GOOD, entry("other", stat.S_IFIFO | 0o644): b""}),
    packed("a bomb", {entry("ada.ipynb"): bytes(300_000_000)}),
    Hostile(
        "archives and names",
        "a name that is a command",
        ("graded",),
        ALL,
        ALL,
        QUICK,
        GOOD,
        file="-rf $(touch left-behind);\n'🐙' ﷽.ipynb",
    ),
]

HOSTILE = [*FORGING, *WIRE, *SECRETS, *RESOURCES, *DAMAGE, *FAULTS, *ARCHIVES]
