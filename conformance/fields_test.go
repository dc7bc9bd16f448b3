package conformance

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"gopkg.in/yaml.v3"
	"maunium.net/go/mautrix/appservice"
	"maunium.net/go/mautrix/bridgev2/bridgeconfig"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/coturn"
	"philipp.info/stackgen/pkg/prove"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
	"philipp.info/stackgen/pkg/store"
)

// fieldBase is what each field is changed in.
const fieldBase = `version: 1
server_name: example.org
auth:
  passwords: true
  upstream:
    sso: {issuer: "https://sso.example.org/realms/main", client_id: matrix}
email: {host: smtp.example.org, from: matrix@example.org}
element: {}
admin: {allow_from: [10.0.0.0/8]}
bridges: {signal: {}, discord: {}, telegram: {version: v0.15.3}}
permissions: {example.org: user}
backup: {borgmatic: {repositories: [{path: /mnt/a}]}}
` + containersBase

// fieldValues are two values of each field of a spec, in YAML; nothing is the field left out. * is the one key
// that the base has there.
var fieldValues = map[string][2]string{
	"name":                                {"family", ""},
	"server_name":                         {"example.org", "example.net"},
	"owner":                               {"'1000:1000'", ""},
	"hosts.matrix":                        {"synapse.example.org", ""},
	"hosts.element":                       {"app.example.org", ""},
	"metrics":                             {"true", ""},
	"haproxy.image":                       {"registry.example.org/mirror/haproxy", ""},
	"haproxy.version":                     {"3.2-alpine", ""},
	"valkey.image":                        {"registry.example.org/mirror/valkey", ""},
	"valkey.version":                      {"'8.0'", ""},
	"hosts.rtc":                           {"calls.example.org", ""},
	"hosts.turn":                          {"relay.example.org", ""},
	"hosts.admin":                         {"staff.example.org", ""},
	"admin.allow_from":                    {"[203.0.113.7]", "[10.0.0.0/8]"},
	"admin.extra":                         {"{externalAuthProvider: true}", ""},
	"element.extra":                       {"{brand: Family}", ""},
	"auth.public_url":                     {"https://account.example.org/", ""},
	"auth.kind":                           {"synapse", "mas"},
	"auth.passwords":                      {"true", "false"},
	"profile":                             {"small", ""},
	"auth.registration":                   {"token", ""},
	"auth.captcha.service":                {"hcaptcha", "cloudflare_turnstile"},
	"auth.captcha.site_key":               {"a", "b"},
	"auth.migration":                      {"true", ""},
	"auth.migrated":                       {"true", ""},
	"auth.pepper":                         {"true", ""},
	"auth.upstream.*.issuer":              {"https://id.example.org/realms/a", "https://id.example.org/realms/b"},
	"auth.upstream.*.client_id":           {"a", "b"},
	"auth.upstream.*.human_name":          {"Login", ""},
	"auth.upstream.*.existing_users":      {"link", ""},
	"auth.upstream.*.synapse_idp_id":      {"oidc-a", ""},
	"auth.upstream.*.scope":               {"openid", ""},
	"auth.extra":                          {"{branding: {service_name: A}}", ""},
	"synapse.max_upload_size":             {"1G", ""},
	"synapse.media_retention.local":       {"365d", ""},
	"synapse.media_retention.remote":      {"30d", ""},
	"synapse.retention.max_lifetime":      {"365d", "30d"},
	"synapse.url_preview":                 {"true", ""},
	"synapse.turn.uris":                   {"['turn:a.example.org']", "['turn:b.example.org']"},
	"calls.node_ip":                       {"203.0.113.7", ""},
	"calls.tcp_port":                      {"7781", ""},
	"calls.udp_port":                      {"7782", ""},
	"calls.livekit.extra":                 {"{room: {max_participants: 50}}", ""},
	"calls.jwt.extra":                     {"{LIVEKIT_LOG_LEVEL: debug}", ""},
	"turn.external_ip":                    {"203.0.113.7", ""},
	"turn.port":                           {"3479", ""},
	"turn.min_port":                       {"50000", ""},
	"turn.max_port":                       {"49200", ""},
	"turn.extra":                          {"{user-quota: 20}", ""},
	"synapse.well_known_extra":            {"{io.element.e2ee: {default: true}}", ""},
	"synapse.workers":                     {"small", "{sync: 2, client: 2}"},
	"synapse.registrations":               {"[hookshot.yaml]", ""},
	"synapse.extra":                       {"{presence: {enabled: false}}", ""},
	"email.host":                          {"relay", "smtp.example.org"},
	"email.port":                          {"2525", ""},
	"email.mode":                          {"plain", ""},
	"email.user":                          {"matrix", ""},
	"email.from":                          {"a@example.org", "b@example.org"},
	"ingress.kind":                        {"caddy", ""},
	"ingress.port":                        {"8018", ""},
	"ingress.caddy.network":               {"proxy", ""},
	"ingress.caddy.form":                  {"labels", ""},
	"ingress.nginx.network":               {"proxy", ""},
	"ingress.traefik.managed":             {"true", "false"},
	"ingress.traefik.email":               {"a@example.org", "b@example.org"},
	"ingress.traefik.extra":               {"{accessLog: {}}", ""},
	"ingress.traefik.network":             {"proxy", ""},
	"ingress.traefik.entrypoint":          {"https", ""},
	"ingress.traefik.middlewares":         {"[hsts@file]", ""},
	"ingress.traefik.cert_resolver":       {"acme", ""},
	"ingress.apex.matrix":                 {"false", "true"},
	"ingress.apex.well_known":             {"external", ""},
	"database.superuser":                  {"synapse", ""},
	"database.memory":                     {"8G", ""},
	"database.external.host":              {"a.example.org", "b.example.org"},
	"database.external.port":              {"5433", ""},
	"database.external.sslmode":           {"verify-full", ""},
	"database.names.*.name":               {"synapse_db", ""},
	"database.names.*.user":               {"synapse_user", ""},
	"database.data.path":                  {"/srv/pg", ""},
	"database.data.volume":                {"pgdata", ""},
	"database.data.external":              {"true", "false"},
	"synapse.data.path":                   {"/srv/media", ""},
	"synapse.data.volume":                 {"media", ""},
	"synapse.data.external":               {"true", "false"},
	"database.extra":                      {"{max_connections: 200}", ""},
	"bridges.*.permissions":               {"{example.org: admin}", ""},
	"bridges.*.encryption":                {"required", "on"},
	"bridges.*.id":                        {"sig", ""},
	"bridges.*.bot":                       {"sigbot", ""},
	"bridges.*.username_prefix":           {"sig", ""},
	"bridges.*.port":                      {"30328", ""},
	"bridges.*.extra":                     {"{network: {number_in_topic: false}, bridge: {bridge_matrix_leave: true}}", ""},
	"permissions":                         {"{example.org: user, '*': relay}", "{example.org: user}"},
	"backup.borgmatic.repositories.path":  {"/mnt/b", "/mnt/a"},
	"backup.borgmatic.repositories.label": {"off", ""},
	"backup.borgmatic.keep.hourly":        {"3", ""},
	"backup.borgmatic.keep.daily":         {"3", ""},
	"backup.borgmatic.keep.weekly":        {"3", ""},
	"backup.borgmatic.keep.monthly":       {"3", ""},
	"backup.borgmatic.directory":          {"/srv/other", ""},
	"backup.borgmatic.sources":            {"[/home/anna]", ""},
	"backup.borgmatic.heartbeat":          {"uptime-kuma", ""},
	"backup.borgmatic.extra":              {"{compression: zstd}", ""},
	"compose.extra":                       {"{services: {mas: {cpu_shares: 512}}}", ""},

	"ingress.traefik.federation_entrypoint": {"federation", ""},
	"bridges.*.username_template":           {"'_sig_{{.}}'", ""},
	"ingress.traefik.rule_syntax":           {"v2", ""},
}

// registration is what synapse.registrations names.
const registration = `{id: hookshot, url: "http://hookshot:9993", as_token: FAKE-as, hs_token: FAKE-hs, sender_localpart: hookshot, namespaces: {users: [{regex: "@hook_.*", exclusive: true}]}}`

// same stands for two stacks of one spec.
const same = "nothing"

// What every component has, at each place that a component stands.
var componentValues = map[string][2]string{
	"image":          {"registry.example.org/mirror/own", ""},
	"service":        {"called-otherwise", ""},
	"container_name": {"named-otherwise", ""},
	"user":           {"'1001:1001'", ""},
	"limits.memory":  {"4G", ""},
	"limits.cpus":    {"1.5", ""},
}

var componentVersions = map[string][2]string{
	"auth": {"1.22.0", ""}, "synapse": {"v1.150.0", ""}, "database": {"'16'", ""}, "element": {"v1.12.29", ""}, "admin": {"v1.3.0", ""}, "calls.livekit": {"v1.13.9", ""}, "calls.jwt": {"0.7.0", ""}, "turn": {"4.17.0-r0", ""}, "ingress.traefik": {"v3.7.12", ""}, "bridges.*": {"v0.2608.0", ""},
}

// onCluster is why the fields of a cluster are not tried here.
const onCluster = "the cluster alone reads it; conformance/kubernetes and manifests_test.go, and what programs read stays the same: pkg/prove, TestRandomOnKubernetes"

// elsewhere are the fields that no program reads, with the reason.
var elsewhere = map[string]string{
	"version":                       "there is one version of the format",
	"compose.files.*":               "a copy, byte for byte; script/foreign-files.txtar in cmd/stackgen",
	"target":                        onCluster,
	"kubernetes.namespace":          onCluster,
	"kubernetes.gateway.name":       onCluster,
	"kubernetes.gateway.namespace":  onCluster,
	"kubernetes.ingress.class":      onCluster,
	"kubernetes.ingress.issuer":     onCluster,
	"kubernetes.proxy":              onCluster,
	"kubernetes.storage.*":          onCluster,
	"kubernetes.database":           onCluster,
	"kubernetes.snapshots.schedule": onCluster,
	"kubernetes.snapshots.class":    onCluster,
	"kubernetes.secrets":            onCluster,
	"kubernetes.ess":                onCluster,
	"secrets.command":               "where values come from; pkg/secret and secrets_test.go",
	"secrets.store":                 "where values go",
	"secrets.from.*.file":           "where a value comes from",
	"secrets.from.*.command":        "where a value comes from",

	"calls.livekit.networks.name": "LiveKit is to be in no other network, which the spec refuses", "calls.livekit.networks.aliases": "LiveKit is to be in no other network, which the spec refuses",
	"turn.networks.name": "coturn is to be in no other network, which the spec refuses", "turn.networks.aliases": "coturn is to be in no other network, which the spec refuses",
}

// fieldPaths lists the fields of a type, by their keys.
func fieldPaths(t reflect.Type, path string) (paths []string) {
	switch {
	case t == reflect.TypeFor[spec.Extra](), t == reflect.TypeFor[spec.Workers](), t == reflect.TypeFor[map[string]spec.Permission]():
		return []string{path}
	case t.Kind() == reflect.Struct:
		for f := range slices.Values(reflect.VisibleFields(t)) {
			if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); key != "" && !f.Anonymous {
				paths = append(paths, fieldPaths(f.Type, strings.TrimPrefix(path+"."+key, "."))...)
			}
		}
		return paths
	case t.Kind() == reflect.Map:
		return fieldPaths(t.Elem(), path+".*")
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return fieldPaths(t.Elem(), path)
	}
	return []string{path}
}

// proxies are what the fields of a proxy are changed beside.
var proxies = map[string]map[string]any{
	"ingress.port":          {"kind": "caddy"},
	"ingress.caddy.network": {"kind": "caddy"},
	"ingress.nginx.network": {"kind": "nginx"},
	"ingress.caddy.form":    {"kind": "caddy", "caddy": map[string]any{"network": "caddy"}},
}

// starred is the one key that the base has below another.
var starred = map[string]string{"bridges": "signal", "upstream": "sso", "names": "synapse"}

// withField is the base with a value at the path, or without what stands there.
func withField(t *testing.T, path, value string) string {
	t.Helper()
	var doc map[string]any
	if err := yaml.Unmarshal([]byte(fieldBase), &doc); err != nil {
		t.Fatal(err)
	}
	if path == "server_name" && value != "" {
		doc["permissions"] = map[string]any{value: "user"}
	}
	if strings.HasPrefix(path, "auth.captcha.") {
		auth := doc["auth"].(map[string]any)
		auth["registration"], auth["captcha"] = "token", map[string]any{"service": "recaptcha_v2", "site_key": "k"}
	}
	if strings.HasPrefix(path, "haproxy.") || strings.HasPrefix(path, "valkey.") {
		doc["synapse"] = map[string]any{"workers": "small"}
	}
	if path == "auth.pepper" {
		doc["auth"].(map[string]any)["migrated"] = true
	}
	if section, is := strings.CutSuffix(path, ".data.external"); is {
		doc[section] = map[string]any{"data": map[string]any{"volume": "kept"}}
	}
	if strings.HasPrefix(path, "database.external.") {
		doc["database"] = map[string]any{"external": map[string]any{"host": "db.example.org"}}
	}
	for section, with := range map[string][]string{"calls": {"calls.", "hosts.rtc"}, "turn": {"turn.", "hosts.turn"}} {
		if strings.HasPrefix(path, with[0]) || path == with[1] {
			doc[section] = map[string]any{}
		}
	}
	if path == "ingress.apex.matrix" {
		doc["ingress"] = map[string]any{"apex": map[string]any{"well_known": "external"}}
	}
	if key, is := strings.CutPrefix(path, "ingress.traefik."); is && (key == "email" || key == "extra" || slices.Contains([]string{"image", "version", "service", "container_name", "user"}, key) || strings.HasPrefix(key, "networks.") || strings.HasPrefix(key, "limits.")) {
		doc["ingress"] = map[string]any{"traefik": map[string]any{"managed": true, "email": "anna@example.org"}}
	}
	if path == "ingress.traefik.managed" && value == "true" {
		doc["ingress"] = map[string]any{"traefik": map[string]any{"email": "anna@example.org"}}
	}
	if kind, ok := proxies[path]; ok {
		doc["ingress"] = kind
	}
	if section, is := strings.CutSuffix(path, ".networks.aliases"); is || strings.HasSuffix(path, ".networks.name") {
		section = strings.TrimSuffix(section, ".networks.name")
		inNetwork(doc, strings.Split(section, "."))
	}
	at := doc
	keys := strings.Split(path, ".")
	for i, key := range keys[:len(keys)-1] {
		if key == "*" {
			key = starred[keys[i-1]]
		}
		if list, ok := at[key].([]any); ok {
			at = list[0].(map[string]any)
			continue
		}
		below, ok := at[key].(map[string]any)
		if !ok {
			below = map[string]any{}
			at[key] = below
		}
		at = below
	}
	last := keys[len(keys)-1]
	if last == "*" {
		last = starred[keys[len(keys)-2]]
	}
	delete(at, last)
	if last == "registration" && value != "" { // which has them itself
		for _, key := range []string{"users", "aliases", "rooms"} {
			delete(at, key)
		}
	}
	if strings.HasSuffix(path, ".volumes.*.external") {
		at["volume"] = "kept"
	}
	if section, is := strings.CutSuffix(path, ".data."+last); is && value == "" {
		delete(doc[section].(map[string]any), "data") // it is one of two, or not there
	}
	if value != "" {
		var v any
		if err := yaml.Unmarshal([]byte(value), &v); err != nil {
			t.Fatal(err)
		}
		at[last] = v
	}
	out, err := yaml.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// inNetwork puts what a section says of a service into a network.
func inNetwork(doc map[string]any, section []string) {
	for i, key := range section {
		if key == "*" && section[0] == "bridges" {
			key = starred[section[i-1]]
		} else if key == "*" {
			return // the base has it
		}
		below, ok := doc[key].(map[string]any)
		if !ok {
			below = map[string]any{}
			doc[key] = below
		}
		doc = below
	}
	doc["networks"] = []any{map[string]any{"name": "others"}}
}

// renderAll writes the stack of a spec into a directory.
func renderAll(t *testing.T, src string) string {
	t.Helper()
	s, findings := spec.Parse("stack.yaml", []byte(src))
	if s == nil {
		t.Fatalf("%v\n%s", findings, src)
	}
	set := secret.Placeholders(render.Needs(s))
	st := render.Resolve(s, set, "/srv/matrix")
	st.Files, _ = prove.Copies(s, ".", func(string) ([]byte, error) { return []byte(registration), nil })
	b, err := render.Render(s, st, set.Get)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := store.Write(t.Context(), dir, store.Stack{Files: b.Files}, false); err != nil {
		t.Fatal(err)
	}
	return dir
}

// readings is what each program makes of the files in a directory.
func readings(t *testing.T, dir string) map[string]string {
	t.Helper()
	got := map[string]string{"Docker Compose": composeReading(t, dir)}
	// A browser reads them, and JSON.parse is all that Element Web and ketesa ask of them before their keys.
	for _, name := range []string{"element", "ketesa"} {
		var page any
		if src, err := os.ReadFile(filepath.Join(dir, "config", name, "config.json")); err != nil || json.Unmarshal(src, &page) != nil {
			t.Fatalf("%v, or no JSON: %s", err, src)
		}
		got["JSON"] += text(t, page)
	}
	// Traefik itself reads it in its own module, beside this one.
	for _, name := range []string{"traefik.yml", "routes/matrix.yml"} {
		if src, err := os.ReadFile(filepath.Join(dir, "config", "traefik", name)); err == nil {
			var conf any
			if err := yaml.Unmarshal(src, &conf); err != nil {
				t.Fatal(err)
			}
			got["Traefik"] += text(t, conf)
		}
	}
	if src, err := os.ReadFile(filepath.Join(dir, livekitFile)); err == nil {
		f, _ := source.Parse(livekitFile, src)
		got["LiveKit"] = knownReading(t, f, "livekit")
	}
	if src, err := os.ReadFile(filepath.Join(dir, coturnFile)); err == nil {
		for _, o := range coturn.Parse(&source.File{Path: coturnFile, Src: src}) {
			got["coturn"] += o.Name + "=" + o.Value + "\n"
		}
	}
	configs, err := filepath.Glob(filepath.Join(dir, "config", "*", "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range configs {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f, _ := source.Parse(path, src)
		name := filepath.Base(filepath.Dir(path))
		keys := component.Of(component.Program(name)).Keys
		for _, m := range component.Marks {
			if v := f.At(strings.Split(m.Key, ".")...); keys == "" && v.Set() && (!m.Text || v.Kind() == source.Scalar) && m.Dialect != component.BridgeV2 {
				keys = m.Dialect.Shape().Keys
			}
		}
		if keys != "" {
			got[name] = knownReading(t, f, keys)
		} else {
			var cfg bridgeconfig.Config
			var reg appservice.Registration
			decode(t, path, &cfg, false)
			decode(t, filepath.Join(filepath.Dir(path), "registration.yaml"), &reg, false)
			got[name] = text(t, &cfg) + text(t, &reg) + text(t, &cfg.Network)
		}
	}
	return got
}

func composeReading(t *testing.T, dir string) string {
	t.Helper()
	src, err := os.ReadFile(filepath.Join(dir, composeFile))
	if err != nil {
		t.Fatal(err)
	}
	p, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir: "/stack", ConfigFiles: []types.ConfigFile{{Filename: composeFile, Content: src}},
	}, func(o *loader.Options) { o.Profiles = []string{"*"} })
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Services {
		delete(s.Labels, "stackgen.config-hash") // it changes with any file
	}
	return text(t, p)
}

// knownReading is what a program that cannot be asked reads: the keys that it is known to have.
func knownReading(t *testing.T, f *source.File, keys string) string {
	t.Helper()
	src, err := os.ReadFile("../pkg/component/keys/" + keys + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	known, _ := source.Parse(keys, src)
	var out []string
	var walk func(v, known source.Value)
	walk = func(v, known source.Value) {
		if v.Kind() == source.Scalar && known.Exists() {
			out = append(out, v.Path()+"="+v.Str())
		}
		for _, item := range v.Items() {
			walk(item, known.At("0"))
		}
		for k, val := range v.Entries() {
			next := known.At(k.Str())
			if !next.Exists() {
				next = known.At("*")
			}
			if known.Str() == "any" {
				next = known
			}
			walk(val, next)
		}
	}
	walk(f.Root(), known.Root())
	return strings.Join(out, "\n")
}

// askPython has Synapse and borgmatic read each directory, and gives what they made of it.
const askPython = `import functools, glob, json, re, sys
from synapse.config.homeserver import HomeServerConfig
from synapse.config.appservice import load_appservices
import borgmatic.config.load as load

def plain(v):
    if isinstance(v, (str, int, float, bool, type(None))): return v
    if isinstance(v, dict): return {str(k): plain(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)): return [plain(x) for x in v]
    if isinstance(v, (set, frozenset)): return sorted(map(str, v))
    if hasattr(v, "__attrs_attrs__"): return {a.name: plain(getattr(v, a.name)) for a in v.__attrs_attrs__}
    return type(v).__name__

@functools.cache
def read(d):
    c = HomeServerConfig.load_config("", ["-c", d + "/config/matrix/homeserver.yaml"])
    synapse = {name: {k: plain(v) for k, v in vars(getattr(c, name)).items() if k != "root"} for name in [k.section for k in c.config_classes]}
    synapse["appservices"] = [re.sub(" at 0x[0-9a-f]+", "", repr(sorted((k, str(v)) for k, v in vars(s).items()))) for s in load_appservices(c.server.server_name, c.appservice.app_service_config_files)]
    borg = []
    for path in sorted(glob.glob(d + "/borgmatic.d/*.yaml")):
        borg.append(plain(load.load_configuration(path)))
    return json.dumps({"dir": d, "Synapse": json.dumps(synapse, sort_keys=True), "borgmatic": json.dumps(borg, sort_keys=True)}).replace(d, "DIR")

for d in sys.argv[1:]:
    print(read(d))
`

// Every field of a spec changes what a program does: two values of it are two configurations to at least one
// program, by that program's own reading where it can be had, else by the keys that it is known to read.
func TestEveryField(t *testing.T) {
	bin := program(t, ".venv/bin/python")
	values := maps.Clone(fieldValues)
	for at, version := range componentVersions {
		values[at+".version"] = version
		for key, v := range componentValues {
			values[at+"."+key] = v
		}
		if at == "calls.livekit" || at == "turn" { // which are to be in no other network
			continue
		}
		values[at+".networks.name"], values[at+".networks.aliases"] = [2]string{"monitoring", "watching"}, [2]string{"[a]", "[b]"}
	}
	type pair struct {
		path string
		dirs [2]string
	}
	pairs := []pair{{path: same}} // which proves that nothing else makes a difference
	rendered := make(map[string]string)
	tree := func(path, value string) string {
		src := withField(t, path, value)
		if rendered[src] == "" {
			rendered[src] = renderAll(t, src)
			container(t, rendered[src])
		}
		return rendered[src]
	}
	for i := range pairs[0].dirs {
		pairs[0].dirs[i] = renderAll(t, fieldBase)
		container(t, pairs[0].dirs[i])
	}
	dirs := slices.Clone(pairs[0].dirs[:])
	paths := fieldPaths(reflect.TypeFor[spec.Spec](), "")
	for _, path := range paths {
		if elsewhere[path] != "" {
			continue
		}
		two, ok := values[path]
		if !ok {
			t.Errorf("no two values of %s are tried", path)
			continue
		}
		p := pair{path: path}
		for i, value := range two {
			p.dirs[i] = tree(path, value)
		}
		pairs, dirs = append(pairs, p), append(dirs, p.dirs[:]...)
		delete(values, path)
	}
	for path := range values {
		if !slices.Contains(paths, path) {
			t.Errorf("there is no field %s", path)
		}
	}
	cmd := exec.CommandContext(t.Context(), bin, append([]string{"-c", askPython}, dirs...)...)
	var talk strings.Builder
	cmd.Stderr = &talk
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &talk)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	read := make(map[string]map[string]string) // by directory
	for i, p := range pairs {
		var sides [2]map[string]string
		for j := range sides {
			if read[p.dirs[j]] == nil {
				read[p.dirs[j]] = readings(t, p.dirs[j])
			}
			sides[j] = maps.Clone(read[p.dirs[j]])
			if err := json.Unmarshal([]byte(lines[2*i+j]), &sides[j]); err != nil {
				t.Fatal(err)
			}
			delete(sides[j], "dir")
		}
		var readers []string
		for _, name := range slices.Sorted(maps.Keys(sides[0])) {
			if sides[0][name] != sides[1][name] {
				readers = append(readers, name)
			}
		}
		if p.path == same {
			if len(readers) > 0 {
				t.Errorf("two equal stacks differ for %v", readers)
			}
			continue
		}
		if len(readers) == 0 {
			t.Errorf("%s changes nothing for any program", p.path)
			continue
		}
		t.Logf("%s: %s", p.path, strings.Join(readers, ", "))
	}
	t.Logf("%d fields", len(pairs)-1)
	accepted(t, "each program's own reading", "every field of a spec makes a difference")
}
