package conformance

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// readsTheSame gets a list of paths and values on stdin, and prints each that Synapse makes another configuration of than
// without it, in two configurations: a small one, and one in which much is turned on.
const readsTheSame = `import copy, json, sys, io, contextlib
from synapse.config.homeserver import HomeServerConfig
small = {"server_name": "example.org", "report_stats": False, "public_baseurl": "https://matrix.example.org/", "media_store_path": "/tmp/media",
    "signing_key": "ed25519 a_test MkV0pxUVKUCQrRyvTTIwjrPSzCuzYgHqE3bWPoBnPPs", "macaroon_secret_key": "a" * 20, "form_secret": "b" * 20,
    "database": {"name": "psycopg2", "args": {"user": "a", "dbname": "b", "host": "c"}}, "suppress_key_server_warning": True,
    "listeners": [{"port": 8008, "type": "http", "resources": [{"names": ["client", "federation"]}]}]}
large = {**small, "email": {"smtp_host": "localhost", "notif_from": "a@b.example"}, "url_preview_ip_range_blacklist": ["10.0.0.0/8"],
    "turn_shared_secret": "c" * 12, "server_notices": {"system_mxid_localpart": "notices"}, "registration_shared_secret": "d" * 12,
    "user_consent": {"template_dir": sys.argv[1], "version": "1.0"}}
def plain(o, over=()):
    if id(o) in over or len(over) > 9: return "..."
    over += (id(o),)
    if isinstance(o, (int, float)) and not isinstance(o, bool): return float(o)
    if isinstance(o, (str, bool, bytes, type(None))): return repr(o)
    if isinstance(o, dict): return {str(k): plain(v, over) for k, v in o.items()}
    if isinstance(o, (list, tuple)): return [plain(v, over) for v in o]
    if isinstance(o, (set, frozenset)): return sorted(json.dumps(plain(v, over)) for v in o)
    if hasattr(o, "pattern"): return o.pattern
    if type(o).__name__ == "IPSet": return str(o)
    if isinstance(o, type) or type(o).__name__ in ("function", "method", "module", "RootConfig") or type(o).__module__.startswith("jinja2"): return type(o).__name__
    if hasattr(o, "__attrs_attrs__"): return {a.name: plain(getattr(o, a.name), over) for a in o.__attrs_attrs__}
    if hasattr(o, "__dict__"): return {k: plain(v, over) for k, v in vars(o).items() if k != "root"}
    return type(o).__name__
def read(conf):
    c = HomeServerConfig()
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            c.parse_config_dict(copy.deepcopy(conf), sys.argv[1], sys.argv[1])
    except BaseException as e:
        return "refused: " + str(e)
    return json.dumps({s.section: plain(getattr(c, s.section)) for s in c.config_classes}, sort_keys=True)
was = [(b, read(b)) for b in (small, large)]
assert not any(w.startswith("refused") for _, w in was), was
for path, value in json.load(sys.stdin):
    taken = 0
    for base, before in was:
        conf = copy.deepcopy(base)
        at = conf
        for key in path[:-1]:
            at = at.setdefault(key, {})
        if path[-1] in at: continue
        at[path[-1]] = value
        now = read(conf)
        if now == before: taken += 1
        elif not now.startswith("refused"): print("another configuration:", ".".join(path), value)
    if not taken: print("not read in any:", ".".join(path), value)
`

// What is called a default of Synapse is one: written or not, Synapse reads the same configuration.
func TestSynapseDefaults(t *testing.T) {
	bin := program(t, ".venv/bin/python")
	dir := t.TempDir()
	if err := os.MkdirAll(dir+"/en", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/en/1.0.html", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	type pair [2]any
	var all []pair
	var leaves func(path []string, v any)
	leaves = func(path []string, v any) {
		below, ok := v.(map[string]any)
		if !ok {
			all = append(all, pair{path, v})
			return
		}
		for key, v := range below {
			leaves(append(path[:len(path):len(path)], key), v)
		}
	}
	for _, name := range []string{"synapse", "synapse-empty"} {
		src, err := os.ReadFile("../pkg/component/defaults/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var tree map[string]any
		if err := yaml.Unmarshal(src, &tree); err != nil {
			t.Fatal(err)
		}
		leaves(nil, tree)
	}
	// And one that is none: nobody is federated with.
	all = append(all, pair{[]string{"federation_domain_whitelist"}, []string{}})
	in, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), bin, "-c", readsTheSame, dir)
	var talk strings.Builder
	cmd.Stdin, cmd.Stderr = strings.NewReader(string(in)), &talk
	wrong, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &talk)
	}
	found := false
	for line := range strings.Lines(string(wrong)) {
		if strings.Contains(line, ": federation_domain_whitelist") {
			found = found || strings.HasPrefix(line, "another configuration")
			continue
		}
		t.Error(strings.TrimSpace(line))
	}
	if !found {
		t.Error("it tells no difference")
	}
	if len(all) < 250 {
		t.Errorf("only %d defaults were tried", len(all))
	}
	t.Logf("accepted: Synapse %s: each of its defaults", output(t, bin, "-c", "import synapse; print(synapse.__version__.split()[0])"))
}
