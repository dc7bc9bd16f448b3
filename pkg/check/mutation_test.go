package check_test

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// mutation is one change of one place in a rendered file.
type mutation struct {
	file, keys string // keys is the path of keys to the place
	line, last int    // 1-based; 0 where the whole file is one value. A dropped entry leaves the lines from its list on
	what       string
	data       string // the file with the change
}

// word is what may stand in a second file: a name, a host, a port, a secret, as a whole or as a part of a
// URL, a regular expression or a command. An escaped dot is a dot.
var word = regexp.MustCompile(`[A-Za-z0-9_-]+(?:\\*\.[A-Za-z0-9_-]+)*`)

func plainWord(w string) string { return strings.ReplaceAll(w, `\`, "") }

// place is a scalar of a file, or a key.
type place struct {
	v     source.Value
	isKey bool
}

func places(f *source.File) []place {
	var ps []place
	var walk func(v source.Value)
	walk = func(v source.Value) {
		if v.Kind() == source.Scalar {
			ps = append(ps, place{v: v})
		}
		for _, item := range v.Items() {
			walk(item)
		}
		for k, val := range v.Entries() {
			if chosen(v, k) {
				ps = append(ps, place{v: k, isKey: true})
			}
			walk(val)
		}
	}
	walk(f.Root())
	return ps
}

// chosen reports whether a person chose the key: a service, a secret, a server or a user, but no setting.
func chosen(of, key source.Value) bool {
	return strings.ContainsAny(key.Str(), "@.") && of.Name() != "labels" || slices.Contains([]string{"services", "networks", "secrets"}, of.Path())
}

// mutations lists every change to be caught in the tree: each word of a scalar or key that stands in another
// file as well, each boolean, each number, and each entry of a list.
func mutations(t *testing.T, tree fstest.MapFS) []mutation {
	t.Helper()
	files := make(map[string]*source.File)
	holders := make(map[string]map[string]bool) // word -> files with a value that holds it
	for name, f := range tree {
		texts := []string{string(f.Data)}
		if parsed := structured(name, f); parsed != nil {
			files[name], texts = parsed, nil
			for _, p := range places(parsed) {
				if !p.isKey {
					texts = append(texts, p.v.Str())
				}
			}
		}
		for _, text := range texts {
			for _, w := range word.FindAllString(text, -1) {
				if holders[plainWord(w)] == nil {
					holders[plainWord(w)] = make(map[string]bool)
				}
				holders[plainWord(w)][name] = true
			}
		}
	}
	shared := func(w, file string) bool {
		others := len(holders[plainWord(w)])
		if holders[plainWord(w)][file] {
			others--
		}
		return others > 0
	}
	var ms []mutation
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		data := string(tree[name].Data)
		f := files[name]
		if f == nil {
			if strings.HasPrefix(name, "secrets/") {
				ms = append(ms, mutation{file: name, what: "another secret", data: data[:len(data)-1] + other(data[len(data)-1:])})
			}
			if path.Ext(name) == ".sql" {
				ms = append(ms, inScript(name, strings.SplitAfter(data, "\n"), func(w string) bool { return shared(w, name) })...)
			}
			continue
		}
		lines := strings.SplitAfter(data, "\n")
		for _, p := range places(f) {
			ms = append(ms, inPlace(name, lines, p, func(w string) bool { return shared(w, name) })...)
		}
		ms = append(ms, dropped(name, lines, f.Root())...)
	}
	return ms
}

// structured parses the files that are YAML or JSON.
func structured(name string, f *fstest.MapFile) *source.File {
	switch path.Ext(name) {
	case ".yaml", ".yml", ".json", ".config":
		parsed, _ := source.Parse(name, f.Data)
		return parsed
	}
	return nil
}

// inPlace changes one scalar or key: a boolean is flipped, a number raised, and every word that counts is
// replaced in turn.
func inPlace(name string, lines []string, p place, counts func(string) bool) []mutation {
	pos := p.v.Pos()
	line := lines[pos.Line-1]
	lead := string([]rune(line)[:pos.Col-1])
	text := line[len(lead):]
	keys := p.v.Path()
	var ms []mutation
	add := func(what string, from, to int, with string) {
		changed := slices.Clone(lines)
		changed[pos.Line-1] = lead + text[:from] + with + text[to:]
		ms = append(ms, mutation{name, keys, pos.Line, pos.Line, what, strings.Join(changed, "")})
	}
	if b, ok := p.v.Bool(); ok && !p.isKey {
		add("flipped", 0, len(p.v.Str()), strconv.FormatBool(!b))
		return ms
	}
	end := len(p.v.Str())
	if !p.v.Plain() {
		end = quotedEnd(text)
	}
	for _, at := range word.FindAllStringIndex(text[:min(end, len(text))], -1) {
		// The scheme of a URL is not what two files have in common.
		if w := text[at[0]:at[1]]; counts(w) && !strings.HasPrefix(text[at[1]:], "://") {
			add(fmt.Sprintf("%s is changed", describe(w)), at[0], at[1], other(w))
		}
	}
	return ms
}

// inScript changes what the script for the databases is given: names, and the files of passwords.
func inScript(name string, lines []string, counts func(string) bool) []mutation {
	var ms []mutation
	for i, line := range lines {
		given, ok := strings.CutPrefix(line, `\set `)
		for _, at := range word.FindAllStringIndex(given, -1) {
			if w := given[at[0]:at[1]]; ok && at[0] > 0 && w != "cat" && counts(w) {
				changed := slices.Clone(lines)
				changed[i] = `\set ` + given[:at[0]] + other(w) + given[at[1]:]
				ms = append(ms, mutation{name, strconv.Itoa(i + 1), i + 1, i + 1, w + " is changed", strings.Join(changed, "")})
			}
		}
	}
	return ms
}

// describe names a word without showing a secret.
func describe(w string) string {
	if strings.Contains(w, placeholder) || len(w) > 24 {
		return "a secret"
	}
	return w
}

func quotedEnd(text string) int {
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && text[0] == '"':
			i++
		case text[i] == text[0]:
			return i
		}
	}
	return len(text)
}

// other is a word of the same kind: a number stays a number, a name a name.
func other(w string) string {
	if n, err := strconv.Atoi(w); err == nil {
		return strconv.Itoa(n + 1)
	}
	at := len(strings.TrimRight(w, "_-")) - 1
	if at < 0 {
		return w + "x"
	}
	c := w[at] + 1
	if strings.ContainsRune("9zZfF", rune(w[at])) {
		c = w[at] - 1
	}
	return w[:at] + string(c) + w[at+1:]
}

// dropped removes each entry of each list.
func dropped(name string, lines []string, v source.Value) []mutation {
	var ms []mutation
	for _, item := range v.Items() {
		ms = append(ms, mutation{name, item.Path(), v.KeyPos().Line, item.Pos().Line, "dropped", without(lines, item.Pos())})
		ms = append(ms, dropped(name, lines, item)...)
	}
	for _, val := range v.Entries() {
		ms = append(ms, dropped(name, lines, val)...)
	}
	return ms
}

// without is the text without the list entry that begins at pos.
func without(lines []string, pos source.Pos) string {
	lines = slices.Clone(lines)
	line := lines[pos.Line-1]
	lead := string([]rune(line)[:pos.Col-1])
	if dash := strings.TrimRight(lead, " "); strings.HasSuffix(dash, "-") {
		lines[pos.Line-1] = ""
		for i := pos.Line; i < len(lines) && strings.HasPrefix(lines[i], strings.Repeat(" ", len(dash))); i++ {
			lines[i] = ""
		}
		return strings.Join(lines, "")
	}
	rest := line[len(lead):]
	end := flowEnd(rest)
	if rest[end] == ',' {
		rest = strings.TrimLeft(rest[end+1:], " ")
	} else {
		lead, rest = strings.TrimRight(lead, ", "), rest[end:]
	}
	lines[pos.Line-1] = lead + rest
	return strings.Join(lines, "")
}

// flowEnd is where an entry of a list in brackets ends.
func flowEnd(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			i += quotedEnd(text[i:])
		case c == '[' || c == '{':
			depth++
		case depth == 0 && (c == ',' || c == ']'):
			return i
		case c == ']' || c == '}':
			depth--
		}
	}
	return len(text) - 1
}

// harmless are the mutations that no rule has to catch, as regular expressions for FILE#KEYS WHAT, with the reason.
var harmless = []struct{ pattern, reason string }{
	{`\.image (ghcr.io|docker.io|dock.mau.dev|library|element-hq|mautrix|a secret|synapse|postgres|signal|whatsapp|telegram|discord|meta) is changed`, "a mirror may have any name; the pull tells of one that does not exist"},
	{`\.image v?\d`, "there may be such a release"},
	{`^docker-compose.yml#name `, "the name of the project is free"},
	{`displayname|avatar|human_name|description|command_prefix`, "a text or picture for people"},
	{`^config/matrix/log.config#|#logging\.`, "what is logged is free, and a rule looks at what would stop Synapse"},
	{`report_stats|suppress_key_server_warning|trusted_key_servers|compress|cp_(min|max)`, "a choice that works either way"},
	{`encryption\.(allow|default|require) flipped|allow_discovery|verify_ssl|provisioning`, "a choice of whoever runs the bridge"},
	{`passwords\.enabled|password_registration_enabled`, "how users log in is a choice"},
	{`(read_only flipped|(cap_drop|security_opt)\.0 (dropped|true is changed)|logging\.options)`, "what a container is kept from; it works as well without"},
	{`(synapse|postgres)\.tmpfs\.\d dropped|TMPDIR`, "uploads go to the data directory, and only a user that the image does not know wants /tmp of PostgreSQL"},
	{`services\.(signal|whatsapp|telegram|discord|meta|mas) `, "others call it by its alias"},
	{`email_change_allowed`, "what users may change is a choice"},
	{`syn2mas`, "a tool that is run by hand, whose errors are read at once"},
	{`direct_media\.server_key`, "direct media is off, and the key is no copy of another"},
	{`healthcheck\.(retries|test\.\d (-fsS|-q|-U|postgres) is changed|test\.\d dropped)`, "how a check asks, and how patiently; what it asks and whom is looked at"},
	{`mas\.healthcheck\.disable`, "the image has no check of its own"},
	{`volumes\.\d ro is changed`, "Docker refuses a mode that it does not know before anything starts"},
	{`db-init\.command\.[12] dropped`, "psql without -X or -q only says more"},
	{`bind_addresses\.0 dropped`, "for an empty list Synapse takes its default, all addresses"},
	{`media_store_path media_store`, "any directory on the mount will do"},
	{`listeners\.1 dropped|listeners\.1\.binds\.0\.port`, "nothing asks MAS for its health"},
	{`trusted_proxies`, "which addresses Docker gives the proxy cannot be known"},
	{`secrets\.keys\.1 dropped`, "the RSA key is enough"},
	{`schemes\.1|unicode_normalization`, "what new passwords are hashed with is a choice"},
	{`\.issuer `, "the name of a provider outside of the stack"},
	{`borgmatic.*#(archive_name_format|keep_|repositories|exclude_patterns|uptime_kuma|source_directories|encryption_passcommand|numeric_ids)`, "what is kept, how long and where; paths of the machine cannot be seen"},
	{`keycloak.*#(attributes.backchannel.logout.revoke|defaultClientScopes.0|directAccessGrants|implicitFlow|serviceAccounts)`, "other ways to use the client, of which MAS uses none"},
	{`services\.\w+\.command\.0 (bin|usr) is changed`, "where an image has its program cannot be seen"},
	{`127\.0\.0\.1 is changed`, "all of 127.0.0.0/8 is the container itself"},
	{`matrix-mas-slash\.redirectregex\.regex`, "Traefik strips the bare path to the root of MAS, whose links have the whole path"},
	{`matrix-matrix\.rule client`, "what Synapse serves below /_synapse/client is for features that are off here"},
	{`secrets/(mas_upstream_keycloak|synapse_form_secret|synapse_macaroon_secret_key|borg_passphrase)#`, "this one is no copy"},
}

// TestMutations breaks the rendered reference deployment in every way in which two files can come to
// disagree. Each change is caught by an error or warning with a place on the line that was changed; for a
// file that is one secret, by one that names the file or where it is read.
func TestMutations(t *testing.T) {
	base := stacks["rendered"]()
	ms := mutations(t, base.tree)
	if raceEnabled {
		t.Skip("skipped: a thousand runs of all rules take too long under the race detector; the same rules run in TestRuleCases")
	}
	var (
		mu     sync.Mutex
		missed []string
		work   = make(chan mutation)
		group  sync.WaitGroup
	)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for m := range work {
				if !caught(base.tree, m) {
					mu.Lock()
					missed = append(missed, fmt.Sprintf("%s#%s %s", m.file, m.keys, m.what))
					mu.Unlock()
				}
			}
		})
	}
	for _, m := range ms {
		work <- m
	}
	close(work)
	group.Wait()
	slices.Sort(missed)
	var patterns []*regexp.Regexp
	for _, h := range harmless {
		patterns = append(patterns, regexp.MustCompile(h.pattern))
	}
	excused := make([]int, len(harmless))
	for _, m := range missed {
		i := slices.IndexFunc(patterns, func(p *regexp.Regexp) bool { return p.MatchString(m) })
		if i < 0 {
			t.Error(m)
			continue
		}
		excused[i]++
	}
	sum := 0
	for i, n := range excused {
		sum += n
		if n == 0 {
			t.Errorf("nothing is left that %q excuses", harmless[i].pattern)
		}
	}
	t.Logf("%d mutations tried, %d caught, %d cannot matter", len(ms), len(ms)-len(missed), sum)
}

func caught(tree fstest.MapFS, m mutation) bool {
	broken := maps.Clone(tree)
	broken[m.file] = &fstest.MapFile{Data: []byte(m.data), Mode: tree[m.file].Mode, Sys: tree[m.file].Sys}
	d, findings := compose.Open(broken)
	more, _ := check.Run(d, composego.Judge)
	for _, f := range append(findings, more...) {
		// A label that no longer fits says that something was changed, not what is wrong with it.
		if f.Severity == finding.Info || f.Rule == "compose-config-hash" && !strings.HasSuffix(m.keys, f.Rule[len("compose-"):]) {
			continue
		}
		for _, s := range f.Sites {
			switch {
			case s.File == m.file && s.Line >= m.line && s.Line <= m.last:
				return true
			case m.line == 0 && (s.File == m.file || strings.Contains(s.Text(), path.Base(m.file))):
				return true
			}
		}
	}
	return false
}
