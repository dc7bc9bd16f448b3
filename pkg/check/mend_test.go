package check_test

import (
	"bytes"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// mended are the rules of which a bad case has a fix that is a certain edit. Each is named, so that none loses it unseen.
var mended = strings.Fields(`
	admin-apis-reached
	backup-keys-known
	address-scheme-fits
	bridge-device-masquerading
	bridge-homeserver-address
	bridge-known-keys
	bridge-msc4190
	bridge-self-sign
	compose-health-dependency
	database-collation
	double-puppet-registration
	element-server-agrees
	forwarded-headers
	keycloak-client-agrees
	mas-endpoint-reachable
	mas-known-keys
	mas-listeners-bound
	mas-public-base-slash
	mas-upstream-claims
	mas-upstream-client
	metrics-scraped
	proxy-target-exists
	registration-bot-namespace
	registration-ephemeral
	registration-ghost-namespace
	registration-ids-unique
	registration-msc4190
	registration-msc4190-spelling
	registration-rate-limited
	registration-shape
	registration-url-reaches-bridge
	rtc-appservice-agrees
	rtc-rooms-closed
	rtc-transport-announced
	secret-quoted
	server-name-agrees
	service-runs
	synapse-endpoint-internal
	synapse-known-vulnerabilities
	synapse-log-config
	synapse-no-local-auth
	synapse-required-keys
	synapse-url-preview
	traefik-network-shared
	traefik-port-listens
	traefik-router-complete
	turn-relay-closed
`)

// mendCensus counts the edits of the bad cases.
type mendCensus struct {
	cases, tried, withEdits, edits int
	rules                          map[string]int
}

// hold makes the edits of each finding of a bad case, and holds that it is gone then, none is new, and every byte outside of
// the edits is as it was.
func (m *mendCensus) hold(t *testing.T, rule string, tree fstest.MapFS, all []finding.Finding) {
	t.Helper()
	if m.rules == nil {
		m.rules = make(map[string]int)
	}
	m.tried++
	some := false
	for _, f := range all {
		if edits := f.Mends(); len(edits) > 0 {
			if some = true; f.Rule == rule {
				m.rules[f.Rule]++
			}
			m.edits += len(edits)
			mend(t, tree, all, f, edits)
		}
	}
	if some {
		m.withEdits++
	}
}

// report says how many there were. Where all cases ran, each rule of the list has some, and no other has.
func (m *mendCensus) report(t *testing.T) {
	t.Helper()
	t.Logf("%d of %d bad cases have edits, %d in all, by %d rules", m.withEdits, m.tried, m.edits, len(m.rules))
	if m.tried < m.cases {
		return
	}
	for _, rule := range mended {
		if m.rules[rule] == 0 {
			t.Errorf("no bad case of %s has an edit", rule)
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(m.rules)) {
		if !slices.Contains(mended, rule) {
			t.Errorf("%s has edits: put it on the list in mend_test.go", rule)
		}
	}
}

// mend makes the edits and looks again.
func mend(t *testing.T, tree fstest.MapFS, all []finding.Finding, f finding.Finding, edits []source.Edit) {
	t.Helper()
	now := maps.Clone(tree)
	byFile := make(map[string][]source.Edit)
	for _, e := range edits {
		byFile[e.File] = append(byFile[e.File], e)
	}
	for name, of := range byFile {
		was := tree[name]
		if was == nil {
			t.Errorf("%s: an edit of %s, which is no file of the stack", f.Message, name)
			return
		}
		text, err := source.Apply(was.Data, of)
		if err != nil {
			t.Errorf("%s: %v", f.Message, err)
			return
		}
		outsideOf(t, was.Data, text, of)
		now[name] = &fstest.MapFile{Data: text, Mode: was.Mode, Sys: was.Sys}
	}
	rehash(now)
	before, after := counted(all), counted(run(t, now))
	if after[f.Rule+f.Message] >= before[f.Rule+f.Message] {
		t.Errorf("the edit does not mend %s: %s [%s]\n%s", f.Pos(), f.Message, f.Rule, changed(tree, now))
	}
	for what, n := range after {
		if n > before[what] {
			t.Errorf("mending %s [%s] brings a new finding: %s\n%s", f.Message, f.Rule, what, changed(tree, now))
		}
	}
}

func counted(findings []finding.Finding) map[string]int {
	n := make(map[string]int)
	for _, f := range findings {
		n[f.Rule+f.Message]++
	}
	return n
}

// outsideOf holds that what no edit covers is in the new text as it was, in its order.
func outsideOf(t *testing.T, was, now []byte, edits []source.Edit) {
	t.Helper()
	edits = slices.Clone(edits)
	slices.SortFunc(edits, func(a, b source.Edit) int { return a.Start - b.Start })
	at := 0
	for _, e := range edits {
		kept := was[at:e.Start]
		if !bytes.HasPrefix(now, kept) || !bytes.HasPrefix(now[len(kept):], []byte(e.Text)) {
			t.Errorf("%s: bytes outside of the edit have changed", e.File)
			return
		}
		now = now[len(kept)+len(e.Text):]
		at = e.End
	}
	if !bytes.Equal(now, was[at:]) {
		t.Errorf("bytes behind the last edit have changed")
	}
}

// changed shows the lines that differ.
func changed(was, now fstest.MapFS) string {
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if was[name] == nil || now[name].Mode&fs.ModeDir != 0 || bytes.Equal(was[name].Data, now[name].Data) {
			continue
		}
		old, anew := bytes.Split(was[name].Data, []byte("\n")), bytes.Split(now[name].Data, []byte("\n"))
		b.WriteString(name + "\n")
		for len(old) > 0 && len(anew) > 0 && bytes.Equal(old[0], anew[0]) {
			old, anew = old[1:], anew[1:]
		}
		for len(old) > 0 && len(anew) > 0 && bytes.Equal(old[len(old)-1], anew[len(anew)-1]) {
			old, anew = old[:len(old)-1], anew[:len(anew)-1]
		}
		for _, l := range old {
			b.WriteString("-" + string(l) + "\n")
		}
		for _, l := range anew {
			b.WriteString("+" + string(l) + "\n")
		}
	}
	return b.String()
}
