# Builds the resource tree of each kind of process of Synapse and says what it answers. stdin: {role: [[METHOD, path], ...]}; stdout:
# {role: {"served": [bool, ...], "all": [[METHOD, path], ...]}}, where all are requests made of every pattern that is registered; and
# "refused": the streams whose requests fail in a process that does not write them; "streams": which may have two writers, and which may have one that does
# not stand in instance_map.
import contextlib, json, os, sys, tempfile
from unittest import mock

try:
    from re import _parser
except ImportError:
    import sre_parse as _parser
from twisted.web import resource
from synapse.api.errors import SynapseError
from synapse.app import _base, generic_worker, homeserver
from synapse.config._base import ConfigError
from synapse.config.homeserver import HomeServerConfig
from synapse.config.workers import WriterLocations

tmp = tempfile.mkdtemp(dir=sys.argv[1])
with open(tmp + "/key", "w") as f:
    f.write("ed25519 a_test MkV0pxUVKUCQrRyvTTIwjrPSzCuzYgHqE3bWPoBnPPs\n")
shared = {
    "server_name": "example.org", "report_stats": False, "public_baseurl": "https://matrix.example.org/", "media_store_path": tmp + "/media",
    "signing_key_path": tmp + "/key", "macaroon_secret_key": "a" * 20, "form_secret": "b" * 20, "registration_shared_secret": "c" * 20,
    "database": {"name": "sqlite3", "args": {"database": tmp + "/db"}}, "suppress_key_server_warning": True, "redis": {"enabled": True},
    "max_event_delay_duration": "24h", "experimental_features": {"msc4306_enabled": True},
    "instance_map": {"main": {"host": "a", "port": 1}, "w": {"host": "w", "port": 1}, "x": {"host": "x", "port": 1}},
}
login = {
    "oidc_providers": [{"idp_id": "a", "idp_name": "A", "issuer": "https://a.example/", "client_id": "a", "client_secret": "b", "discover": False,
        "authorization_endpoint": "https://a.example/a", "token_endpoint": "https://a.example/t", "userinfo_endpoint": "https://a.example/u",
        "jwks_uri": "https://a.example/k", "user_mapping_provider": {"config": {"localpart_template": "{{ user.sub }}"}}}],
    "cas_config": {"enabled": True, "server_url": "https://cas.example.org"}, "refreshable_access_token_lifetime": "5m",
}
mas = {"matrix_authentication_service": {"enabled": True, "endpoint": "http://mas:8080/", "secret": "d" * 20}, "password_config": {"enabled": False}, "enable_registration": False}
worker = {"worker_app": "synapse.app.generic_worker", "worker_name": "w", "enable_media_repo": False}
media = {"enable_media_repo": True, "media_instance_running_background_jobs": "w"}
known = [a.name for a in WriterLocations.__attrs_attrs__]
elsewhere = {s: "x" for s in known}
roles = {
    "main": (login, ["client", "federation", "media"]),
    "main-mas": (mas, ["client", "federation", "media"]),
    "worker": ({**worker, **login}, ["client", "federation"]),
    "worker-mas": ({**worker, **mas}, ["client", "federation"]),
    "media": ({**worker, **login, **media}, ["client", "federation", "media"]),
    "client": ({**worker, **login}, ["client"]),
    "federation": ({**worker, **login}, ["federation"]),
    "media-alone": ({**worker, **login, **media}, ["media"]),
    "reader": ({**worker, **login, "stream_writers": elsewhere}, ["client"]),
}


def read(more, names):
    main = "worker_app" not in more
    listeners = [{"type": "http", "port": 1, "resources": [{"names": names}]}]
    with open(tmp + "/homeserver.yaml", "w") as f:
        json.dump({**shared, **more, "listeners" if main else "worker_listeners": listeners}, f)
    return HomeServerConfig.load_config("", ["-c", tmp + "/homeserver.yaml"])


def build(more, names):
    main = "worker_app" not in more
    conf = read(more, names)
    app = homeserver.SynapseHomeServer if main else generic_worker.GenericWorkerServer
    hs = app("example.org", config=conf)
    hs.setup()
    roots = []
    take = lambda hs, listener, root, *a, **k: roots.append(root) or []
    with mock.patch.object(_base, "listen_http", take), mock.patch.object(homeserver, "listen_http", take, create=True):
        if main:
            hs._listener_http(conf, conf.server.listeners[0])
        else:
            hs._listen_http(conf.worker.worker_listeners[0])
    return hs, roots[0]


def served(root, method, path):
    parts = [p.encode() for p in path.split("/")[1:]]
    request = mock.Mock(prepath=[], postpath=parts, method=method.encode(), path=path.encode(), uri=path.encode())
    leaf = resource.getChildForRequest(root, request)
    find = getattr(leaf, "_get_handler_for_request", None)
    if find:
        try:
            find(request)
            return True
        except SynapseError:
            return False
    if type(leaf).__name__ in ("NoResource", "_UnsafeNoResource", "UnrecognizedRequestResource", "OptionsResource", "RootOptionsRedirectResource", "Resource", "StaticResource"):
        return False
    return any(hasattr(leaf, kind + method) for kind in ("render_", "_async_render_", "on_"))


def texts(tree):
    """Texts that a pattern takes: with and without each group that may be left out, and each of its alternatives."""
    made = [""]
    for op, arg in tree:
        op = str(op)
        if op == "LITERAL":
            more = [chr(arg)]
        elif op == "ANY":
            more = ["."]
        elif op == "AT":
            more = [""]
        elif op == "BRANCH":
            more = [t for b in arg[1] for t in texts(b)]
        elif op == "SUBPATTERN":
            more = texts(arg[3])
        elif op in ("MAX_REPEAT", "MIN_REPEAT"):
            least, most, inner = arg
            more = texts(inner) if least or most > 1 else [""] + texts(inner)
        else:
            more = ["a"]
        made = [m + t for m in made for t in more]
    return made


def requests(root, prefix=""):
    for name, child in getattr(root, "children", {}).items():
        yield from requests(child, prefix + "/" + name.decode())
    for pattern, methods in getattr(root, "_routes", {}).items():
        for path in texts(_parser.parse(pattern.pattern)):
            if path.startswith(prefix):
                for method in methods:
                    yield method if isinstance(method, str) else method.decode(), path
    if not hasattr(root, "_routes"):
        for method in ("GET", "POST", "PUT", "DELETE"):
            if served(sys.modules["__main__"].tree, method, prefix):
                yield method, prefix


def refused(hs, root):
    """The streams whose requests this process, which writes none, fails with."""
    async def somebody(*a, **k):
        return mock.Mock()

    def ask(method, path):
        parts = [p.encode() for p in path.split("/")[1:]]
        request = mock.Mock(prepath=[], postpath=parts, method=method.encode(), path=path.encode())
        callback, _, args = resource.getChildForRequest(root, request)._get_handler_for_request(request)
        return callback(request, **args)

    hs.get_auth().get_user_by_req = somebody
    store = hs.get_datastores().main
    tries = {
        "typing": lambda: ask("PUT", "/_matrix/client/v3/rooms/!a:example.org/typing/@b:example.org"),
        "push_rules": lambda: ask("PUT", "/_matrix/client/v3/pushrules/global/room/!a:example.org"),
        "to_device": lambda: store.add_local_messages_from_client_to_device_inbox({}) if hasattr(store, "add_local_messages_from_client_to_device_inbox") else store.add_messages_to_device_inbox({}, {}),
        "receipts": lambda: store.insert_receipt("!a:example.org", "m.read", "@b:example.org", ["$c"], None, {}),
        "quarantined_media_changes": lambda: store._insert_quarantine_changes_txn(mock.Mock(), [], True),
        "thread_subscriptions": lambda: store.subscribe_user_to_thread("@b:example.org", "!a:example.org", "$c", automatic_event_orderings=None),
    }
    for stream, start in tries.items():
        if stream not in known:
            continue
        try:
            start().send(None)
        except StopIteration:
            pass
        except Exception as e:
            if isinstance(e, AssertionError) or type(e) is Exception:
                yield stream


def takes(writers):
    """Whether a process starts with these writers of streams."""
    try:
        read({**worker, "stream_writers": writers}, [])
        return True
    except ConfigError:
        return False


def child(role):
    with contextlib.redirect_stdout(sys.stderr):
        global tree
        hs, tree = build(*roles[role])
        answer = {"served": [served(tree, *r) for r in asked.get(role, [])], "all": sorted(set(requests(tree)))}
        if role == "reader":
            answer["refused"] = sorted(refused(hs, tree))
            answer["streams"] = {s: {"two": takes({s: ["w", "x"]}), "unmapped": takes({s: "y"})} for s in known}
    with open(tmp + "/" + role + ".json", "w") as f:
        json.dump(answer, f)


# Each in a process of its own, since what one registers stands in variables of the modules; the main process makes the database.
asked = json.load(sys.stdin)
for role in roles:
    pid = os.fork()
    if pid == 0:
        try:
            child(role)
            os._exit(0)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
        sys.exit("the process " + role)
print(json.dumps({role: json.load(open(tmp + "/" + role + ".json")) for role in roles}))
