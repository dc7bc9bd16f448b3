package check_test

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/kubernetes"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/source"
)

// mutatedManifests are the stacks for a cluster that are broken, as mutated are those of Compose.
var mutatedManifests = []struct{ name, spec, old, new string }{
	{
		"Gateway, CloudNativePG and workers", "../../examples/campus/stack.yaml",
		"{sync: 3, client: 2, federation_reader: 2, federation_sender: 2, media: 1, event_persister: 2}\nbridges:\n  discord: {}\n", "{media: 1, event_persister: 1}\nbridges:\n",
	},
	{"Ingress and a database of its own", "../../examples/k3s/stack.yaml", ", whatsapp: {}", ""},
}

// harmlessThere are the mutations of objects that no rule has to catch. What the files in Secrets may say in any way is what they may say
// on Compose: harmless.
var harmlessThere = []struct{ pattern, reason string }{
	{`^\S+#\S+ \S+ (apiVersion|kind) |[ .](operator|path\.type|policyTypes\.\d|protocol|filters\.\d\.type|requestRedirect\.scheme|accessModes\.\d( dropped)?|seccompProfile\.type|podManagementPolicy|strategy\.type|topologyKey|timeouts\.request|backupOwnerReference|fsGroupChangePolicy|capabilities\.drop\.\d) \S+ is changed$|accessModes\.\d dropped$|spec\.selector\.matchLabels matchLabels is`, "the API has no such word or needs one, and refuses the object"},
	{` metadata\.namespace matrix`, "kustomization.yaml puts all of them into one namespace"},
	{` metadata\.labels\.`, "nothing selects an object by its own labels: those of the pods count"},
	{`#(NetworkPolicy|HTTPRoute|Ingress|DatabaseRole|Database|ScheduledBackup|Namespace|Deployment|StatefulSet|Job) \S+ metadata\.name |spec\.serviceName `, "what it is called stands nowhere else: others go by its labels, or by a Service"},
	{`#Service \S+ (metadata\.name|spec\.ports\.\d\.port|spec\.ports\.\d dropped)`, "a Service, or a port of it, that nobody asks for: who asks uses the other name of the same pods"},
	{`ports\.\d\.name |initContainers\.\d\.name |containers\.\d\.name `, "a name that nothing refers to: ports are asked by their numbers, and containers by nobody"},
	{`containers\.\d\.ports\.\d(\.containerPort \S+ is changed| dropped)$`, "what a container lists of its ports is for people: Services and policies here name numbers"},
	{`nitContainers\.\d\.(image|command\.[01])|command\.2 (until|pg_isready|do|done|sleep|1|-q|-h|-p|-U|postgres) is|initContainers\.\d dropped`, "a shell refuses words that it does not know, and the log says which; a role is named so that there is one; and without it the program itself tries again"},
	{`containers\.\d\.image `, "where an image comes from, and which release it is, is free; one that does not exist is told by the pull"},
	{`(automountServiceAccountToken|enableServiceLinks|runAsNonRoot|allowPrivilegeEscalation|readOnlyRootFilesystem|readOnly) flipped|capabilities\.drop\.\d dropped`, "what a pod is kept from; it works as well without"},
	{`securityContext\.(runAsUser|runAsGroup|fsGroup) `, "files of Secrets and volumes belong to fsGroup, of which each container is a member whatever its number"},
	{`readinessProbe\.(periodSeconds|timeoutSeconds|exec\.command\.\d (-q|-h|127\.0\.0\.1|postgres) )`, "how a check asks, and how patiently; what it asks and whom is looked at"},
	{`namespaceSelector\.matchLabels\.|postgres-operator spec\.ingress\.0\.from\.1\.podSelector`, "where the controllers of the cluster run, and what their pods are called, cannot be seen"},
	{`#NetworkPolicy \S+ spec\.(ingress|egress)\.\d+\.((from|to)\.\d+(\.podSelector\.matchExpressions\.\d+)?|ports\.\d+) dropped$`, "a rule without it lets through more than it has to, and what has to come through does"},
	{`#NetworkPolicy (matrix-deny|db-init) spec\.podSelector`, "each pod has a policy of its own beside matrix-deny, and the Job may go anywhere"},
	{`spec\.(parentRefs|storageClassName|schedule|instances)|parentRefs\.\d dropped|(storageClass|className) fast`, "which Gateway, classes and times there are in the cluster cannot be seen, and how many instances is a choice"},
	{`#HTTPRoute \S+ spec\.hostnames\.\d dropped`, "a route without a host answers for all of its Gateway"},
	{`#HTTPRoute matrix-element spec\.rules|responseHeaderModifier`, "whoever opens the page sees at once that there is none, and headers that harden it may be left out"},
	{`#HTTPRoute matrix-mas spec\.rules\.0(\.| dropped)`, "the bare path without its slash: all links have the whole path"},
	{`(#HTTPRoute matrix-mas-compat|#Ingress matrix) \S*(matches|paths)\.\d+\.path\S* (v1|unstable) `, "no client logs in by these versions of the path: those of all clients are looked at"},
	{`#HTTPRoute matrix-matrix spec\.rules\.0\.matches\.1\.path\.value `, "what Synapse serves below /_synapse/client is for features that are off here"},
	{`#Secret \S+ (type (kubernetes\.io|basic-auth) |metadata\.labels)`, "CloudNativePG reads the keys of a Secret, whatever its type is called"},
	{`#Database \S+ spec\.(template|encoding|locale\S+) `, "PostgreSQL refuses a locale, an encoding or a template that it does not have, and MAS and the bridges take any"},
	{`#Secret \w+ stringData\.registration\.yaml `, "a bridge takes its tokens from its configuration; its copy of the registration is for people"},
	{`^secrets/mas_encryption#`, "this one is no copy"},
	{`publishNotReadyAddresses flipped`, "a bridge asks Synapse seven times within half a minute to be asked back, and is ready by then"},
	{`#Kustomization  resources\.0 dropped`, "the namespace may be there"},
	{`env\.\d\.(name TMPDIR|value campus\.example)`, "uploads go to the data directory as well, and of which servers users may begin calls is a choice"},
	{`spec\.replicas 1 `, "of MAS, HAProxy, Element Web and lk-jwt-service there may be several"},
	{`mountPath (tmp|etc) is changed`, "what a program may write to beside its data is free; nginx says in its log what it cannot write"},
	{`mountPath (run|secrets|postgres_pgpass) is changed`, "the Job has the superuser's password as a variable: this file is left over"},
	{`defaultMode 288`, "owner and group may read it, whatever others may"},
	{`readinessProbe\.httpGet\.path config\.json`, "what the server of Element Web answers is not known; a pod that is never ready is seen at once"},
	{`#acl typing `, "typing has no worker here: what no line leads to a worker the main process gets"},
	{`listeners\.0\.x_forwarded flipped`, "from which addresses the controller asks cannot be seen: forwarded-headers is held on Compose alone"},
	{`media_store_path `, "the main process keeps no media here, and a media worker alone says itself at its start where it cannot write"},
	{`podAffinity\.\S+ dropped`, "it may run anywhere, and waits for its volume where that is on one machine"},
	{`spec\.tls\.\d(\.hosts\.\d)? dropped`, "the controller may have a certificate for all"},
	{`spec\.imageName `, "where an image comes from is free"},
	{`#StatefulSet postgres spec\.\S+env\.0 dropped`, "a PostgreSQL that is made without a password stops, and its log says why"},
	{`#Deployment lk-jwt spec\.\S+env\.0 dropped`, "a gap: no rule asks lk-jwt-service for the variable with its registration"},
	{`args\.\d (usr|bin) is changed|args\.0 dropped`, "where an image has its program cannot be seen"},
}

// TestMutationsInManifests breaks rendered manifests in every way in which two objects, or two files in Secrets, can come to disagree, as
// TestMutations breaks a stack of Compose.
func TestMutationsInManifests(t *testing.T) {
	if fixture.Race {
		t.Skip("skipped: thousands of runs of all rules take too long under the race detector; the same rules run in TestRuleCases")
	}
	var patterns, inFiles []*regexp.Regexp
	for _, h := range harmlessThere {
		patterns = append(patterns, regexp.MustCompile(h.pattern))
	}
	for _, h := range harmless {
		inFiles = append(inFiles, regexp.MustCompile(h.pattern))
	}
	excused := make([]int, len(harmlessThere))
	seen := make(map[string]bool)
	for _, s := range mutatedManifests {
		tree := renderedWith(s.spec, s.old, s.new)
		ms := slices.DeleteFunc(manifestMutations(t, tree), func(m mutation) bool {
			again := seen[m.id]
			seen[m.id] = true
			return again
		})
		t.Run(s.name, func(t *testing.T) {
			d, findings := kubernetes.Open(tree)
			found, _ := check.Run(d, nil)
			for _, f := range append(findings, found...) {
				if f.Status == finding.Found {
					t.Fatalf("%s is found before anything is changed: %s", f.Rule, f.Message)
				}
			}
			count, asOnCompose := make(map[told]int), 0
			for i, said := range answers(tree, ms, answerOfManifests) {
				count[said]++
				if said > unsaid {
					continue
				}
				m := ms[i].file + "#" + ms[i].keys + " " + ms[i].what
				if inside, _, is := strings.Cut(ms[i].keys, "#"); is && inside != "" {
					m = ms[i].keys + " " + ms[i].what
					// A secret is another case here: Compose hands one file to all, and of a Secret each has its own.
					if !strings.HasPrefix(inside, "secrets/") && slices.ContainsFunc(inFiles, func(p *regexp.Regexp) bool { return p.MatchString(m) }) {
						asOnCompose++
						continue
					}
				}
				n := slices.IndexFunc(patterns, func(p *regexp.Regexp) bool { return p.MatchString(m) })
				if n < 0 {
					t.Error(m)
					continue
				}
				excused[n]++
			}
			t.Logf("%d mutations: %d found in their place, %d at their object, %d at another, %d said to be not checked, %d cannot matter, of which %d would not on Compose",
				len(ms), count[atPlace], count[atObject], count[atOther], count[notLooked], count[unsaid], asOnCompose)
		})
	}
	for i, n := range excused {
		if n == 0 {
			t.Errorf("nothing is left that %q excuses", harmlessThere[i].pattern)
		}
	}
}

// answerOfManifests asks the rules.
func answerOfManifests(tree fstest.MapFS, m mutation) (best told) {
	broken := maps.Clone(tree)
	broken[m.file] = &fstest.MapFile{Data: []byte(m.data), Mode: 0o600}
	d, findings := kubernetes.Open(broken)
	more, _ := check.Run(d, nil)
	for _, f := range append(findings, more...) {
		if f.Severity == finding.Info {
			best = max(best, notLooked)
			continue
		}
		best = max(best, atOther)
		for _, s := range f.Sites {
			switch {
			case s.File != m.file:
			case s.Line >= m.line && s.Line <= m.last || slices.Contains(m.around, s.Line):
				return atPlace
			case s.Line >= m.object[0] && s.Line <= m.object[1]:
				best = max(best, atObject)
			}
		}
	}
	return best
}

// unit is what may disagree with another one: an object, or a file in a Secret.
type unit struct {
	file   string // the manifest
	called string // KIND NAME, or the path that the file has on Compose
	lines  []string
	object [2]int       // the first and the last line of the object
	parsed *source.File // nil for a file that is lines, or one value
	at     source.Value // of a file: where it stands
}

// units takes manifests apart.
func units(t *testing.T, tree fstest.MapFS) (all []unit) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		if path.Ext(name) != ".yaml" {
			continue
		}
		files, problem := source.ParseAll(name, tree[name].Data)
		if problem != nil {
			t.Fatal(problem.Message)
		}
		lines := strings.SplitAfter(string(tree[name].Data), "\n")
		for i, f := range files {
			u := unit{file: name, called: f.At("kind").Str() + " " + f.At("metadata", "name").Str(), lines: lines, object: [2]int{f.Root().Pos().Line, len(lines)}, parsed: f}
			if i+1 < len(files) {
				u.object[1] = files[i+1].Root().Pos().Line - 2
			}
			all = append(all, u)
			for key, v := range f.At("stringData").Entries() {
				inside := u
				inside.called, inside.at, inside.parsed = onCompose(f.At("metadata", "name").Str(), key.Str(), v.Str()), v, nil
				if slices.Contains([]string{".yaml", ".yml", ".json", ".config"}, path.Ext(key.Str())) {
					inside.parsed, _ = source.Parse(name, v.Inside(v.Str()))
				}
				all = append(all, inside)
			}
		}
	}
	return all
}

// onCompose is the path that a file in a Secret has where Compose mounts it.
func onCompose(secret, key, text string) string {
	dir := strings.TrimSuffix(secret, "-files")
	switch {
	case !strings.Contains(strings.TrimSpace(text), "\n") && !strings.Contains(key, "."):
		return "secrets/" + key
	case strings.HasPrefix(dir, "synapse-") && dir != secret:
		return "config/workers/" + key
	}
	return "config/" + dir + "/" + key
}

// manifestMutations lists every change to be caught: each word of a scalar or key that stands in another unit as well, each boolean, each
// entry of a list, and of a file that is lines each such word and each line.
func manifestMutations(t *testing.T, tree fstest.MapFS) (ms []mutation) {
	t.Helper()
	all := units(t, tree)
	holders := make(map[string]map[int]bool)
	for i, u := range all {
		texts := []string{u.at.Str()}
		if u.parsed != nil {
			texts = nil
			for _, p := range places(u.parsed, chosenThere) {
				if !inBlock(p) {
					texts = append(texts, p.v.Str())
				}
			}
		}
		for _, text := range texts {
			for _, w := range word.FindAllString(text, -1) {
				if holders[plainWord(w)] == nil {
					holders[plainWord(w)] = make(map[int]bool)
				}
				holders[plainWord(w)][i] = true
			}
		}
	}
	for i, u := range all {
		shared := func(w string) bool {
			others := len(holders[plainWord(w)])
			if holders[plainWord(w)][i] {
				others--
			}
			return others > 0
		}
		var own []mutation
		switch {
		case u.parsed != nil:
			for _, p := range places(u.parsed, chosenThere) {
				if !inBlock(p) {
					own = append(own, inPlace(u.file, u.lines, p, shared)...)
				}
			}
			own = append(own, dropped(u.file, u.lines, u.parsed.Root())...)
		case strings.HasPrefix(u.called, "secrets/"):
			own = inPlace(u.file, u.lines, place{v: u.at}, func(string) bool { return true })
		case !slices.Contains([]string{".cfg", ".conf", ".sql"}, path.Ext(u.called)): // a key in lines of its own
		default:
			first, count := u.at.Pos().Line, strings.Count(u.at.Str(), "\n")
			for _, m := range inLines("x"+path.Ext(u.called), u.lines[first:first+count], shared) {
				if m.what == "dropped" {
					continue // that is no disagreement of two, and TestMutations tries it
				}
				m.file, m.line, m.last = u.file, m.line+first, m.last+first
				for k := range m.around {
					m.around[k] += first
				}
				m.data = strings.Join(u.lines[:first], "") + m.data + strings.Join(u.lines[first+count:], "")
				own = append(own, m)
			}
		}
		for _, m := range own {
			m.object = u.object
			sep := " "
			if u.at.Exists() {
				sep = "#"
			}
			m.keys = strings.TrimSuffix(u.called+sep+m.keys, sep)
			ms = append(ms, m)
		}
	}
	alike := make(map[string]bool)
	return slices.DeleteFunc(namedThere(ms), func(m mutation) bool {
		again := alike[m.id]
		alike[m.id] = true
		return again
	})
}

// inBlock reports whether the value is a file in a Secret, which is a unit of its own.
func inBlock(p place) bool {
	return !p.isKey && strings.HasPrefix(p.v.Path(), "stringData.")
}

// chosenThere reports whether a person chose the key.
func chosenThere(of, _ source.Value) bool {
	return slices.Contains([]string{"labels", "matchLabels", "selector", "stringData"}, of.Name())
}

// namedThere gives each mutation its id. Objects of workers come of one template, and what all objects of a kind say alike is tried in one.
func namedThere(ms []mutation) []mutation {
	for i, m := range ms {
		keys, in := index.ReplaceAllString(m.keys, ""), server.ReplaceAllString(m.what, "SERVER")
		if kind, rest, _ := strings.Cut(m.keys, " "); alikeInAll.MatchString(rest) || strings.HasPrefix(m.what, labelKey) {
			_, field, _ := strings.Cut(index.ReplaceAllString(rest, ""), " ")
			ms[i].id = fmt.Sprint(kind, " ", field, "#", in)
			continue
		}
		ms[i].id = workerThere.ReplaceAllString(fmt.Sprint(path.Base(m.file), "#", keys, "#", in), "WORKER")
	}
	return ms
}

const labelKey = "app.kubernetes.io is changed"

var (
	alikeInAll  = regexp.MustCompile(` (apiVersion|kind|metadata\.(namespace|labels)\b.*|spec\.policyTypes.*|spec\.(parentRefs|tls).*|.*(\.securityContext\.|Seconds$|automountServiceAccountToken|enableServiceLinks|defaultMode|podManagementPolicy|operator|\.key|Type|path\.type).*)$`)
	workerThere = regexp.MustCompile(`(config/workers/|/workers/|synapse-)(client|media|federation-sender|event-persister)\d?\b`)
)
