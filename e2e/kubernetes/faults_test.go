package kubernetes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// fault is one thing that a person may break in the rendered manifests by hand, and what then can be seen in the cluster.
type fault struct {
	kind string // what is broken
	what string // what was done, for the table
	file string // in the rendered tree
	old  string // regular expression; what it finds first is replaced by now
	now  string
	anew string // whose pod begins anew, as nothing changes at it that the cluster would see
	at   string // whose log or events show the symptom; else a request "METHOD URL"
	show string // regular expression; its groups, or all that it finds, go into the table
	rule string // the rule of stackgen check that names the fault
	line string // regular expression of the line at which it does; where it is empty, the line that was edited
}

// faults come in the order in which they cost least: those that leave Synapse alone first. A short run has every second one.
var faults = []fault{
	{
		kind: "token", what: "another as_token in the bridge's Secret",
		file: "secrets/signal.yaml", old: `as_token: "\w+"`, now: `as_token: "AnotherTokenThanTheOneInTheRegistration"`,
		anew: "signal", at: "signal", show: `The as_token was not accepted`, rule: "registration-tokens-match",
	},
	{
		kind: "database", what: "another password in the bridge's Secret",
		file: "secrets/whatsapp.yaml", old: `postgres://whatsapp:[^@]+@`, now: `postgres://whatsapp:AnotherPassword@`,
		anew: "whatsapp", at: "whatsapp", show: `password authentication failed for user \W*whatsapp\W*"`, rule: "database-credentials-match",
	},
	{
		kind: "Secret", what: "a Secret's files without fsGroup",
		file: "meta.yaml", old: `        fsGroup: 1337\n`, now: "",
		anew: "meta", at: "meta", show: `open /data/config\.yaml: permission denied`, rule: "kubernetes-objects-fit", line: `defaultMode: 288`,
	},
	{
		kind: "Secret", what: "a Secret of another name",
		file: "telegram.yaml", old: `secretName: telegram\b`, now: "secretName: telegrams",
		anew: "telegram", at: "telegram", show: `MountVolume\.SetUp failed for volume "telegram" : secret "telegrams" not found`, rule: "kubernetes-objects-fit",
	},
	{
		kind: "NetworkPolicy", what: "the bridge left out of Synapse's NetworkPolicy",
		file: "synapse.yaml", old: `values: \[discord, mas, meta, signal, whatsapp\]`, now: "values: [discord, mas, meta, whatsapp]",
		anew: "signal", at: "signal", show: `(matrix-stack-synapse:8008/_matrix/client/versions)\S*: dial tcp \S+ (connect: connection refused)`, rule: "kubernetes-policy-allows", line: `name: synapse`,
	},
	{
		kind: "Service", what: "a selector that no pod has",
		file: "discord.yaml", old: `(name: matrix-stack-discord\n(?:.*\n){5}  selector:\n    app\.kubernetes\.io/name: )discord`, now: "${1}discordd",
		at: "GET http://matrix-stack-discord:29334/_matrix/mau/live", show: `connect: connection refused`, rule: "kubernetes-service-leads", line: `selector:`,
	},
	{
		kind: "probe", what: "a probe that asks another port",
		file: "whatsapp.yaml", old: `path: /_matrix/mau/live, port: 29318`, now: "path: /_matrix/mau/live, port: 29399",
		anew: "whatsapp", at: "whatsapp", show: `(Readiness probe failed): \S+ \S+:(29399/_matrix/mau/live)\S+ dial tcp \S+ (connect: connection refused)`, rule: "compose-health-dependency",
	},
	{
		kind: "workload", what: "two pods of a bridge",
		file: "meta.yaml", old: `replicas: 1`, now: "replicas: 2",
		at: "meta", show: `(pod/meta-1/meta)\] .*(Bridge started)`, rule: "service-runs",
	},
	{
		kind: "user", what: "root in a pod that must not be",
		file: "signal.yaml", old: `runAsUser: 1337`, now: "runAsUser: 0",
		anew: "signal", at: "signal", show: `container's runAsUser breaks non-root policy`, rule: "kubernetes-objects-fit",
	},
	{
		kind: "Secret", what: "a key that the Secret has not",
		file: "db-init.yaml", old: `key: PGPASSWORD`, now: "key: PASSWORD",
		anew: "db-init", at: "db-init", show: `couldn't find key PASSWORD in Secret matrix/db-init-env`, rule: "kubernetes-key-exists",
	},
	{
		kind: "database", what: "a database's host that is no Service",
		file: "secrets/telegram.yaml", old: `@matrix-stack-postgres/`, now: "@postgresql/",
		anew: "telegram", at: "telegram", show: `Temporary failure in name resolution`, rule: "database-credentials-match",
	},
	{
		kind: "Secret", what: "a file that the Secret has not",
		file: "mas.yaml", old: `subPath: mas_encryption`, now: "subPath: mas_encrypt",
		at: "mas", show: `/run/secrets/mas_encryption: is a directory`, rule: "compose-mount-exists", line: `- name: mas-files`,
	},
	{
		kind: "Service", what: "a targetPort that nobody listens on",
		file: "mas.yaml", old: `(\n  name: mas\n(?:.*\n){4}spec:\n  selector:\n(?:.*\n){3}    - name: tcp-8080\n      port: 8080)`, now: "$1\n      targetPort: 8090",
		at: "GET https://matrix.philipp.info/_matrix/client/v3/login", show: `HTTP 502`, rule: "kubernetes-service-leads", line: `targetPort: 8090`,
	},
	{
		kind: "HTTPRoute", what: "the old login paths to Synapse",
		file: "mas.yaml", old: `(/unstable/refresh\n      backendRefs:\n        - name: )mas\n          port: 8080`, now: "${1}synapse\n          port: 8008",
		at: "GET https://matrix.philipp.info/_matrix/client/v3/login", show: `M_UNRECOGNIZED`, rule: "compat-router-wins", line: `PathPrefix|value: `,
	},
	{
		kind: "HTTPRoute", what: "nothing taken off the path before MAS",
		file: "mas.yaml", old: `      filters:\n        - type: URLRewrite\n(?:.*\n){4}`, now: "",
		at: "GET https://matrix.philipp.info/auth/.well-known/openid-configuration", show: `HTTP 404`, rule: "mas-path-routing", line: `path|name: mas`,
	},
	{
		kind: "HTTPRoute", what: "all of Synapse's API behind the public host",
		file: "synapse.yaml", old: `value: /_synapse/client\}`, now: "value: /_synapse}",
		at: "GET https://matrix.philipp.info/_synapse/mas/query_user", show: `This endpoint must only be called by MAS`, rule: "internal-apis-private", line: `value: /_synapse`,
	},
	{
		kind: "port", what: "another port in Synapse's address of MAS",
		file: "secrets/synapse.yaml", old: `endpoint: "http://matrix-stack-mas:8080/"`, now: `endpoint: "http://matrix-stack-mas:8081/"`,
		anew: "synapse", at: "GET https://matrix.philipp.info/_matrix/client/v3/account/whoami", show: `Unable to introspect the access token`, rule: "mas-endpoint-reachable",
	},
	{
		kind: "claim", what: "a claim of another name",
		file: "synapse.yaml", old: `claimName: synapse\b`, now: "claimName: synapse-data",
		anew: "synapse", at: "synapse", show: `persistentvolumeclaim "synapse-data" not found`, rule: "kubernetes-objects-fit",
	},
	{
		kind: "volume", what: "a read-only root without an emptyDir for the socket",
		file: "postgres.yaml", old: `            - name: scratch-var-run-postgresql\n              mountPath: /var/run/postgresql\n`, now: "",
		anew: "postgres", at: "postgres", show: `could not create lock file "/var/run/postgresql/\S+": Read-only file system`, rule: "compose-sandbox", line: `volumeMounts:`,
	},
}

const faultsHead = `# What a fault in the manifests looks like, and which rule names it

Each row is one edit by hand in the manifests of the reference deployment, applied to the running cluster, and what was
then seen there: in a program's log, in the events of its pod, or in the answer to a request. MAS and Discord are
stand-ins. Made by ` + "`make cluster-update`" + `.

| kind | fault | file | begun anew | seen at | what is seen | rule |
|---|---|---|---|---|---|---|
`

const workerFaultsHead = `# What a fault in the manifests of workers looks like, and which rule names it

As in [FAULTS.md](FAULTS.md), of a stack with ` + "`workers: small`" + `. Valkey is Debian's Redis.

| kind | fault | file | begun anew | seen at | what is seen | rule |
|---|---|---|---|---|---|---|
`

// Every fault shows itself as expected, check names it at its place by the rule that says so, and once it is put right all is as it was.
func (s *stack) testFaults(t *testing.T, faults []fault, file, head string) {
	table := []byte(head)
	for i, f := range faults {
		if testing.Short() && i%2 != 0 {
			t.Logf("not tried: %s: this is a short run", f.what)
			continue
		}
		t.Run(f.what, func(t *testing.T) { table = append(table, s.testFault(t, f)...) })
	}
	have, err := os.ReadFile(file)
	switch {
	case *update && !testing.Short() && !t.Failed():
		err = os.WriteFile(file, table, 0o644)
	case err == nil:
		for line := range bytes.Lines(table) {
			if !bytes.Contains(have, line) {
				t.Errorf("%s lacks %s; run make cluster-update", file, line)
			}
		}
	}
	if err != nil {
		t.Error(err)
	}
}

// testFault gives the row of the table.
func (s *stack) testFault(t *testing.T, f fault) string {
	start, path := time.Now(), filepath.Join(s.dir, f.file)
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := regexp.MustCompile(f.old).FindSubmatchIndex(src)
	if at == nil {
		t.Fatalf("%s has nothing like %s", f.file, f.old)
	}
	now := regexp.MustCompile(f.old).Expand(nil, []byte(f.now), src, at)
	text := slices.Concat(src[:at[0]], now, src[at[1]:])
	same := 0
	for same < min(len(src), len(text)) && src[same] == text[same] {
		same++
	}
	s.put(t, f, path, text)
	defer s.put(t, f, path, src)
	s.named(t, f, 1+bytes.Count(text[:same], []byte("\n")))

	show := regexp.MustCompile(f.show)
	var said string
	var seen []string
	if !within(time.Minute, func() bool { said = s.symptom(t, f); seen = show.FindStringSubmatch(said); return seen != nil }) {
		t.Fatalf("%s does not show %q:\n%s", f.at, f.show, tail(said, 30))
	}
	if len(seen) > 1 {
		seen = seen[1:]
	}
	cell := strings.NewReplacer("`", "'", "|", `\|`).Replace(strings.Join(seen, " … "))
	t.Logf("%.0f s: %s", time.Since(start).Seconds(), cell)
	anew := ""
	if f.anew != "" {
		anew = "`" + f.anew + "`"
	}
	return fmt.Sprintf("| %s | %s | `%s` | %s | `%s` | `%s` | `%s` |\n", f.kind, f.what, f.file, anew, f.at, cell, f.rule)
}

// put writes a file of the tree and has the cluster take it.
func (s *stack) put(t *testing.T, f fault, path string, src []byte) {
	t.Helper()
	if err := os.WriteFile(path, src, 0o600); err != nil {
		t.Fatal(err)
	}
	label := "app.kubernetes.io/name=" + f.anew
	if f.anew == "db-init" { // a Job cannot be changed
		s.kubectl(t, "delete", "job", "-l", label)
	}
	cl.kubectl(t, "apply", "--server-side", "--force-conflicts", "-f", path)
	if f.anew != "" && f.anew != "db-init" {
		s.kubectl(t, "delete", "pod", "-l", label, "--wait=false")
	}
}

// named has check find the fault in the tree, by its rule and at its line.
func (s *stack) named(t *testing.T, f fault, edited int) {
	t.Helper()
	out, _ := exec.CommandContext(t.Context(), bin("stackgen"), "check", "--format", "json", s.dir).Output()
	var report struct {
		Findings []struct {
			Rule, Severity, Message string
			Sites                   []struct {
				File string
				Line int
			}
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, found := range report.Findings {
		if found.Severity == "info" {
			continue
		}
		told = append(told, found.Rule+": "+found.Message)
		if found.Rule != f.rule {
			continue
		}
		first := found.Sites[0]
		src, err := os.ReadFile(first.File)
		if err != nil {
			t.Fatal(err)
		}
		line := strings.Split(string(src), "\n")[first.Line-1]
		if f.line == "" && (!strings.HasSuffix(first.File, f.file) || first.Line != edited) || f.line != "" && !regexp.MustCompile(f.line).MatchString(line) {
			t.Errorf("check names it at %s:%d, which is not where it is:\n%s", first.File, first.Line, s.mask(line))
		}
		return
	}
	t.Errorf("check does not name it by %s, but says:\n%s", f.rule, strings.Join(told, "\n"))
}

// symptom is what can be read where the fault shows itself.
func (s *stack) symptom(t *testing.T, f fault) string {
	t.Helper()
	if method, url, ok := strings.Cut(f.at, " "); ok {
		got, err := s.tryAsk(t, method, url, "no-token-of-anybody", nil)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("HTTP %d %s", got.status, got.text)
	}
	// A pod that does not start has no log, which is no error here.
	logs, _ := s.try("logs", "-l", "app.kubernetes.io/name="+f.at, "-c", f.at, "--prefix", "--tail", "40", "--ignore-errors")
	states, _ := s.try("get", "pods", "-l", "app.kubernetes.io/name="+f.at, "-o", `jsonpath={range .items[*]}{.status.conditions[*].message}{"\n"}{.status.containerStatuses[*].state.waiting.message}{"\n"}{end}`)
	events, _ := s.try("get", "events", "-o", `jsonpath={range .items[*]}{.message}{"\n"}{end}`)
	return s.mask(events + states + logs)
}
