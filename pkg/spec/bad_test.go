package spec

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/finding"
)

// What a person reads must not show that a Go program wrote it, nor end in the middle.
var (
	goWords = regexp.MustCompile(`\b(u?int(64)?|float64|bool|string|struct|interface|nil|\w+\.\w+\{)\b|map\[|\[\]|%!|!!`)
	broken  = regexp.MustCompile(`\s$|^\s|  |\. ?$|[:;,] ?$|<nil>|""`)
)

func readable(t *testing.T, f finding.Finding) {
	t.Helper()
	for what, text := range map[string]string{"message": f.Message, "fix": f.Fix} {
		if text == "" || broken.MatchString(text) || goWords.MatchString(text) {
			t.Errorf("the %s of %v does not read well: %q", what, f.Pos(), text)
		}
	}
	if len(strings.Fields(f.Message)) < 3 {
		t.Errorf("the message is no sentence: %q", f.Message)
	}
}

// base is a valid spec of three lines; the cases that begin with a newline go on at line 4.
const base = "version: 1\nserver_name: example.org\nauth: {passwords: true}"

func bigSpec() string { return base + "\n#" + strings.Repeat("x", 1<<20) }

// bomb has few values, but billions once the aliases are followed.
func bomb() string {
	var b strings.Builder
	b.WriteString(base + "\ncompose:\n  extra:\n    a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "    a%d: &a%d [%s]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10))
	}
	return b.String()
}

type badCase struct {
	name, yaml string
	// line:col and a part of the message of every finding, in order.
	want []string
}

func checkBad(t *testing.T, cases []badCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			src := c.yaml
			if strings.HasPrefix(src, "\n") {
				src = base + src
			}
			s, got := Parse("dir/stack.yaml", []byte(src))
			if (s == nil) != finding.HasErrors(got) {
				t.Errorf("spec %v with findings %v", s, got)
			}
			var lines []string
			for _, f := range got {
				readable(t, f)
				if f.Pos().File != "dir/stack.yaml" {
					t.Errorf("the finding is in %q", f.Pos().File)
				}
				lines = append(lines, fmt.Sprintf("%d:%d %s\n\tfix: %s", f.Pos().Line, f.Pos().Col, f.Message, f.Fix))
			}
			if !slices.IsSortedFunc(got, func(a, b finding.Finding) int {
				p, q := a.Pos(), b.Pos()
				return slices.Compare([]int{p.Line, p.Col}, []int{q.Line, q.Col})
			}) {
				t.Error("the findings are not in the order of the file")
			}
			ok := len(lines) == len(c.want)
			for i := 0; ok && i < len(lines); i++ {
				place, fragment, _ := strings.Cut(c.want[i], " ")
				ok = strings.HasPrefix(lines[i], place+" ") && strings.Contains(lines[i], fragment)
			}
			if !ok {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestBadFile(t *testing.T) {
	checkBad(t, []badCase{
		{"empty", "", []string{"0:0 the spec is empty"}},
		{"only comments", "# later\n", []string{"0:0 the spec is empty"}},
		{"null", "~\n", []string{"0:0 the spec is empty"}},
		{"binary", "version: 1\n\x00\x01", []string{"0:0 binary"}},
		{"not UTF-8", "version: 1\nname: \xff\n", []string{"2:1 not UTF-8"}},
		{"larger than 1 MiB", bigSpec(), []string{"0:0 larger than 1 MiB"}},
		{"alias bomb", bomb(), []string{"1:1 expand to too many values"}},
		{"anchor in itself", "\ncompose: {extra: &a {a: *a}}", []string{"1:1 anchor contains itself"}},
		{"unknown alias", "\nname: *gone", []string{"4:1 alias"}},
		{"tab", "\nhosts:\n\tmatrix: m.example.org", []string{"5:1 tab"}},
		{"syntax", "\nname: [a", []string{"4:1 not valid YAML"}},
		{"second document", "\n---\nversion: 1", []string{"4:1 second YAML document"}},
		{"a list", "- version: 1", []string{"1:1 the spec must be a mapping, not a list"}},
		{"a text", "hello", []string{"1:1 the spec must be a mapping, not a single value"}},
		{"merge key", "\nbridges:\n  signal: &s {}\n  whatsapp: {<<: *s}\npermissions: {example.org: user}", []string{"6:14 merge keys"}},
		{"merge key in extra", "\nsynapse: {extra: {a: &a {b: 1}, c: {<<: *a}}}", []string{"4:37 merge keys"}},
	})
}

// What a person typed wrong is named, at its column, with the line to write.
func TestSlips(t *testing.T) {
	perms := "\npermissions:\n"
	checkBad(t, []badCase{
		{"a user id without quotes", perms + "  @anna:example.org: admin", []string{"5:3 a text that begins with @, % or ` needs quotes\n\tfix: \"@anna:example.org\": admin"}},
		{"a user id as a value", "version: 1\nserver_name: @anna:example.org", []string{"2:14 needs quotes"}},
		{"a user id in braces", "\npermissions: {example.org: user, @anna:example.org: admin}", []string{"4:34 needs quotes\n\tfix: \"@anna:example.org\": admin"}},
		{"all without quotes", perms + "  *: relay\n  example.org: user", []string{"5:3 needs quotes\n\tfix: \"*\": relay"}},
		{"typographic quotes", perms + "  “@anna:example.org”: admin", []string{"5:3 typographic quotes; to YAML they are a part of the name\n\tfix: \"@anna:example.org\": admin"}},
		{"single ones", perms + "  ‘@anna:example.org’: admin", []string{"5:3 typographic quotes; to YAML they are a part of the name\n\tfix: \"@anna:example.org\": admin"}},
		{"German ones", "version: 1\nserver_name: „example.org“\nauth: {passwords: true}", []string{"2:1 typographic quotes; to YAML they are a part of the text\n\tfix: server_name: \"example.org\""}},
		{"a quoted yes", "version: 1\nserver_name: example.org\nauth: {passwords: 'yes'}", []string{"3:8 true or false\n\tfix: passwords: true"}},
		{"a quoted no", "\nsynapse: {url_preview: 'no'}", []string{"4:11 true or false\n\tfix: url_preview: false"}},
		{"neither", "\nsynapse: {url_preview: maybe}", []string{"4:11 true or false\n\tfix: write true or false"}},
		{"no space", "version: 1\nserver_name:example.org\nauth: {passwords: true}", []string{"2:13 no space after the colon\n\tfix: server_name: example.org"}},
		{"no space, deeper", "version: 1\nserver_name: example.org\nauth:\n  passwords:true", []string{"3:1 no space after the colon\n\tfix: passwords: true"}},
		{"too deep", "version: 1\nserver_name: example.org\n  auth: {passwords: true}", []string{"3:3 indented deeper"}},
		{"too deep within", "version: 1\nserver_name: example.org\nauth:\n  passwords: true\n   migration: true", []string{"5:4 indented deeper"}},
		{"not deep enough", "version: 1\nserver_name: example.org\nauth:\npasswords: true", []string{"3:1 neither passwords", "4:1 unknown key \"passwords\"\n\tfix: passwords belongs to auth"}},
		{"a tab", "version: 1\nserver_name: example.org\nauth:\n\tpasswords: true", []string{"4:1 tab; YAML allows only spaces\n\tfix: put two spaces in the place of each tab before `passwords: true`"}},
		{"an open quote", "version: 1\nserver_name: \"example.org", []string{"2:14 a quote is opened and not closed\n\tfix: server_name: \"example.org\""}},
		{"a second colon", "\nemail: {host: smtp.example.org, from: Matrix: <a@example.org>}", []string{"4:39 a text with a colon and a space in it needs quotes\n\tfix: from: \"Matrix: <a@example.org>\""}},
		{"a user id as server name", "version: 1\nserver_name: '@anna:example.org'\nauth: {passwords: true}", []string{"2:1 a whole user id; only what follows the colon belongs here\n\tfix: server_name: example.org"}},
		{"a URL with all", "version: 1\nserver_name: https://Example.org:8448/x\nauth: {passwords: true}", []string{"2:1 is a URL; only the host belongs here, as it stands in user ids and certificates\n\tfix: server_name: example.org"}},
		{"nothing like a host", "version: 1\nserver_name: '!'\nauth: {passwords: true}", []string{"2:1 is not a host name; no other server and no browser could reach it\n\tfix: write the name alone, such as example.org"}},
		{"a number with its protocol", "\nemail: {host: smtp.example.org, from: a@example.org, port: 587/tcp}", []string{"4:54 a whole number\n\tfix: port: 587"}},
		{"megabytes", "\nsynapse: {max_upload_size: 100 MB}", []string{"4:11 in K, M or G, such as 50M\n\tfix: max_upload_size: 100M"}},
		{"a year", "\nsynapse: {retention: {max_lifetime: 1 year}}", []string{"4:23 such as 365d\n\tfix: max_lifetime: 1y"}},
		{"minutes", "\nsynapse: {retention: {max_lifetime: 5 min}}", []string{"4:23 such as 365d\n\tfix: max_lifetime: 5m"}},
		{"months are no minutes", "\nsynapse: {retention: {max_lifetime: 2 months}}", []string{"4:23 such as 365d\n\tfix: max_lifetime: 365d"}},
		{"off as a bool", "\npermissions: {example.org: user}\nbridges: {signal: {encryption: false}}", []string{"5:20 on, required or off\n\tfix: encryption: off"}},
		{"far from every word", "\npermissions: {example.org: user}\nbridges: {signal: {encryption: banana}}", []string{"5:20 on, required or off\n\tfix: write on, required or off"}},
		{"a list of bridges", "\npermissions: {example.org: user}\nbridges: [signal, whatsapp]", []string{"5:1 must be a mapping, not a list\n\tfix: bridges: {signal: {}, whatsapp: {}}"}},
		{"a list of users", "\npermissions: ['@anna:example.org']", []string{"4:1 must be a mapping, not a list\n\tfix: permissions: {\"@anna:example.org\": user}"}},
		{"a command as a text", "\nsecrets: {command: sops -d x.yaml}", []string{"4:11 must be a list, not a single value\n\tfix: command: [sops, -d, x.yaml]"}},
		{"an administrator", "\npermissions: {example.org: administrator}", []string{"4:15 block, relay, user or admin\n\tfix: \"example.org\": admin"}},
		{"a level from nowhere", "\npermissions: {example.org: king}", []string{"4:15 block, relay, user or admin\n\tfix: write block, relay, user or admin"}},
		{"an address of e-mail", "\npermissions: {anna@example.org: admin}", []string{"4:15 is no user id; the permission would apply to nobody\n\tfix: \"@anna:example.org\": admin"}},
		{"a name alone", "\npermissions: {anna: admin}", []string{"4:15 is no user id; the permission would apply to nobody\n\tfix: \"@anna:example.org\": admin"}},
	})
}

// An excerpt of a file that cannot be parsed shows no secret, and neither does the fix.
func TestSlipsHideSecrets(t *testing.T) {
	for _, text := range []string{
		"synapse: {extra: {recaptcha_private_key: @zebra}}", "synapse: {extra: {password: `zebra}}", "synapse:\n  extra:\n    password:\n      a: @zebra",
		"compose: {extra: {x: 'postgres://u:zebra@h/d}}", "synapse:\n  extra:\n    token: |\n      a\n     @zebra: b", "synapse:\n  extra:\n\ttoken: zebra", "password:zebra", "auth:\n  password:zebra",
		"bridges: {signal: {extra: {pickle_key: *zebra}}}", "secrets: password:zebra", "email: {host: 'a', password: zebra: x}", "synapse:\n  extra:\n    client_secret: zebra: b", "secrets: {command: 'curl -u a:zebra x'}",
		"email: {host: “smtp”, user: a, port: 1}\nsynapse: {extra: {api_key: “zebra”}}", "email: “password=zebra”",
	} {
		_, findings := Parse("stack.yaml", []byte(base+"\n"+text))
		if len(findings) == 0 && !strings.Contains(text, "api_key") {
			t.Errorf("%q passes", text)
		}
		for _, f := range findings {
			all := []string{f.Message, f.Fix}
			for _, site := range f.Sites {
				all = append(all, site.Text(), site.Note)
			}
			if strings.Contains(strings.Join(all, "\n"), "zebra") {
				t.Errorf("%q: %s", text, all)
			}
		}
	}
}

func TestBadKeys(t *testing.T) {
	checkBad(t, []badCase{
		{"top", "\nbrigdes: {}", []string{`4:1 unknown key "brigdes"` + "\n\tfix: did you mean bridges?"}},
		{"far from every name", "\nzzz: {}", []string{`4:1 unknown key "zzz"` + "\n\tfix: the known keys here are admin, appservices, auth, backup"}},
		{"in a component", "\nsynapse: {verison: v1.157.1}", []string{`4:11 unknown key "verison" in synapse` + "\n\tfix: did you mean version?"}},
		{"deep", "\ningress: {apex: {well_know: synapse}}", []string{`4:18 unknown key "well_know" in ingress.apex` + "\n\tfix: did you mean well_known?"}},
		{"in a list", "\nbackup: {borgmatic: {repositories: [{path: /a, lable: b}]}}", []string{`4:48 "lable" in backup.borgmatic.repositories.0` + "\n\tfix: did you mean label?"}},
		{
			"in a named entry", "version: 1\nserver_name: example.org\nauth: {upstream: {sso: {issuer: https://a.example.org, client_id: a, clientid: b}}}",
			[]string{`3:70 unknown key "clientid" in auth.upstream.sso` + "\n\tfix: did you mean client_id?"},
		},
		{"typo hides nothing else", "version: 1\nserver_name: example.org\nauth: {pasword: true}", []string{`3:8 unknown key "pasword" in auth` + "\n\tfix: did you mean passwords?"}},
		{"very long", "\n? " + strings.Repeat("k", 3000) + "\n: 1", []string{`4:3 unknown key "` + strings.Repeat("k", 79) + `…"` + "\n\tfix: the known"}},
		{"bridge", "\npermissions: {example.org: user}\nbridges: {singal: {}}", []string{`5:11 unknown key "singal" in bridges` + "\n\tfix: did you mean signal?"}},
		{"list as key", "\n? [a]\n: 1", []string{"4:3 a key must be a single text"}},
		{"duplicate", "\nname: a\n\nname: b", []string{"6:1 name stands twice; the first is at line 4"}},
		{"duplicate bridge", "\npermissions: {example.org: user}\nbridges:\n  signal: {}\n  signal: {}", []string{"7:3 bridges.signal stands twice; the first is at line 6"}},
		{"duplicate in extra", "\nsynapse: {extra: {a: {b: 1, b: 2}}}", []string{"4:29 synapse.extra.a.b stands twice; the first is at line 4"}},
		{"all required keys missing", "name: a", []string{"1:1 auth is missing", "1:1 server_name is missing", "1:1 version is missing"}},
		{
			"required deeper", "version: 1\nserver_name: example.org\nauth:\n  upstream:\n    sso: {issuer: https://sso.example.org}\n    work:\n",
			[]string{"5:5 auth.upstream.sso.client_id is missing", "6:5 auth.upstream.work.client_id is missing", "6:5 auth.upstream.work.issuer is missing"},
		},
		{"required in a list", "\nbackup: {borgmatic: {repositories: [{label: a}]}}", []string{"4:37 backup.borgmatic.repositories.0.path is missing\n\tfix: path: ssh://"}},
	})
}

func TestBadTypes(t *testing.T) {
	checkBad(t, []badCase{
		{"quoted number", "version: \"1\"\nserver_name: example.org\nauth: {passwords: true}", []string{"1:1 version must be a whole number\n\tfix: version: 1"}},
		{"other version", "version: 2\nserver_name: example.org\nauth: {passwords: true}", []string{"1:1 version must be 1\n\tfix: version: 1"}},
		{"word for a number", "\nemail: {host: a, from: b@c.org, port: smtp}", []string{"4:33 email.port must be a whole number"}},
		{"yes", "\nsynapse: {url_preview: yes}", []string{"4:11 synapse.url_preview must be true or false\n\tfix: url_preview: true"}},
		{"no", "\nsynapse: {url_preview: no}", []string{"4:11 synapse.url_preview must be true or false\n\tfix: url_preview: false"}},
		{"quoted bool", "\nsynapse: {url_preview: \"true\"}", []string{"4:11 synapse.url_preview must be true or false\n\tfix: url_preview: true"}},
		{"list for a text", "\nname: [a]", []string{"4:1 name must be a text, not a list"}},
		{"mapping for a text", "\nname: {a: b}", []string{"4:1 name must be a text, not a mapping"}},
		{"text for a mapping", "\nhosts: m.example.org", []string{"4:1 hosts must be a mapping, not a single value"}},
		{"list for a mapping", "\npermissions: [example.org]", []string{"4:1 permissions must be a mapping, not a list"}},
		{"text for a list", "\nsecrets: {command: sops -d secrets.yaml}", []string{"4:11 secrets.command must be a list, not a single value"}},
		{"text for extra", "\ncompose: {extra: no}", []string{"4:11 compose.extra must be a mapping, not a single value"}},
		{"null", "\nname:", []string{"4:1 name has no value"}},
		{"null in a list", "\nsecrets: {command: [sops, ~]}", []string{"4:27 secrets.command.1 has no value"}},
		{"null permission", "\npermissions: {example.org: }", []string{"4:15 permissions.example.org has no value"}},
		{"empty text", "\nname: \"\"", []string{"4:1 name is empty"}},
		{"name", "\nname: My Stack", []string{"4:1 name must be a word of lower-case letters, digits, dashes and underscores, such as matrix\n\tfix: name: my-stack"}},
		{"size", "\nsynapse: {max_upload_size: 50MB}", []string{"4:11 synapse.max_upload_size must be a number of bytes that may end in K, M or G, such as 50M\n\tfix: max_upload_size: 50M"}},
		{"duration", "\nsynapse: {media_retention: {local: 1 year}}", []string{"4:29 synapse.media_retention.local must be a number with the unit"}},
		{"owner", "\nowner: matrix", []string{"4:1 owner must be a uid and a gid in quotes, such as \"1000:1000\""}},
		{"root", "\nowner: '0:0'", []string{"4:1 owner is root; PostgreSQL refuses to start as root, and Synapse could not read its files\n\tfix: owner: \"1000:1000\"; with rootless Docker"}},
		{"root with a group", "\nowner: '00:1000'", []string{"4:1 owner is root"}},
		{"port too high", "\nemail: {host: a, from: b@c.org, port: 70000}", []string{"4:33 email.port must be at most 65535"}},
		{"port too low", "\nemail: {host: a, from: b@c.org, port: 0}", []string{"4:33 email.port must be at least 1"}},
		{"enum", "\ningress: {apex: {well_known: externel}}", []string{"4:18 ingress.apex.well_known must be synapse or external\n\tfix: well_known: external"}},
		{"a word that readers disagree on", "\nsynapse: {extra: {a: [yes]}}", []string{"4:23 synapse.extra.a.0 is yes: some programs take this word"}},
	})
}

func TestBadNames(t *testing.T) {
	server := func(name string) string { return "version: 1\nserver_name: " + name + "\nauth: {passwords: true}" }
	auth := func(rest string) string {
		return "version: 1\nserver_name: example.org\nauth:\n  passwords: true\n  " + rest
	}
	issuer := func(url string) string {
		return "version: 1\nserver_name: example.org\nauth: {upstream: {sso: {client_id: a, issuer: '" + url + "'}}}"
	}
	checkBad(t, []badCase{
		{"port", server("example.org:8448"), []string{"2:1 server_name holds a port; the stack answers on 443, and other servers find it there\n\tfix: server_name: example.org"}},
		{"scheme", server("https://example.org/"), []string{"2:1 server_name is a URL; only the host belongs here, as it stands in user ids and certificates\n\tfix: server_name: example.org"}},
		{"upper case", server("Example.ORG"), []string{"2:1 server_name has upper-case letters; user ids with them are not the same users\n\tfix: server_name: example.org"}},
		{"IDN", server("bücher.example"), []string{"2:1 server_name has letters outside ASCII"}},
		{"underscore", server("my_server.example.org"), []string{"2:1 server_name has an underscore"}},
		{"single label", server("localhost"), []string{"2:1 server_name is not a host name"}},
		{"IPv6", server("'[::1]:8448'"), []string{"2:1 server_name holds a port"}},
		{"element on the matrix host", "\nhosts: {element: matrix.example.org}\nelement: {}", []string{"4:9 Element Web is on the Matrix host; media that somebody sends would be of the same origin as the client, and could act in the name of whoever opens it\n\tfix: hosts: {element: element.example.org}"}},
		{"element on the apex", "\nhosts: {element: example.org}\nelement: {}", []string{"4:9 Element Web is on the server name's own host, whose site and discovery files stand there\n\tfix: hosts: {element: element.example.org}"}},
		{"a matrix host that element takes", "\nhosts: {matrix: element.example.org}\nelement: {}", []string{"5:1 Element Web is on the Matrix host; media that somebody sends would be of the same origin as the client, and could act in the name of whoever opens it\n\tfix: hosts: {element: app.example.org}"}},
		{"a host without element", "\nhosts: {element: app.example.org}", []string{"4:9 hosts.element is the host of Element Web, and the spec has none; nothing would answer there\n\tfix: write `element: {}`, or remove the line"}},
		{"no host for element", "\nhosts: {element: \"https://app.example.org\"}\nelement: {}", []string{"4:9 hosts.element is a URL; only the host belongs here, as it stands in user ids and certificates\n\tfix: element: app.example.org"}},
		{"an old element", "\nelement: {version: v1.11.31}", []string{"4:11 element.version v1.11.31 is too old; what is older has a hole through which a message can run code in the browser (GHSA-wqmv-r2qj-2j9p)\n\tfix: version: v1.12.30"}},
		{"matrix host", "\nhosts: {matrix: matrix.example.org:443}", []string{"4:9 hosts.matrix holds a port; the stack answers on 443, and other servers find it there\n\tfix: matrix: matrix.example.org"}},
		{"permissions wait for the name", server("Example.org") + "\npermissions: {example.org: user}", []string{"2:1 upper-case"}},

		{"nobody can log in", "version: 1\nserver_name: example.org\nauth: {}", []string{"3:1 auth has neither passwords nor an upstream; nobody could log in"}},
		{"root of the matrix host", auth("public_url: https://matrix.example.org/"), []string{"5:3 the root of the Matrix host; MAS would answer for Synapse\n\tfix: public_url: https://matrix.example.org/auth/"}},
		{"no path", auth("public_url: https://matrix.example.org"), []string{"5:3 the root of the Matrix host"}},
		{"root of the apex", auth("public_url: https://example.org/"), []string{"5:3 the root of the server name's own host"}},
		{"query", auth("public_url: https://matrix.example.org/auth/?a=b"), []string{"5:3 a query"}},
		{"http", auth("public_url: http://matrix.example.org/auth/"), []string{"5:3 auth.public_url is http;"}},
		{"no scheme", auth("public_url: matrix.example.org/auth/"), []string{"5:3 must be an https URL"}},
		{"URL with a port", auth("public_url: https://matrix.example.org:8443/auth/"), []string{"5:3 without a port"}},
		{"inside _matrix", auth("public_url: https://matrix.example.org/_matrix/auth/"), []string{"5:3 inside a path of Synapse"}},
		{"escaped slash", auth("public_url: https://matrix.example.org/auth%2Fx/"), []string{"5:3 a path with characters"}},
		{"dots", auth("public_url: https://matrix.example.org/auth/../"), []string{"5:3 a path with characters"}},

		{"issuer with slash", issuer("https://sso.example.org/realms/main/"), []string{"3:39 auth.upstream.sso.issuer ends in a slash; it is compared byte for byte with the provider's own answer, and Keycloak's has none\n\tfix: issuer: https://sso.example.org/realms/main"}},
		{"issuer is no URL", issuer("sso.example.org"), []string{"3:39 auth.upstream.sso.issuer is not an https URL"}},
		{"upstream's name", "version: 1\nserver_name: example.org\nauth: {upstream: {My SSO: {client_id: a, issuer: 'https://a.example.org'}}}", []string{`3:19 the name of the upstream "My SSO"`}},
		{"email without host", "\nemail: {from: a@example.org}", []string{"4:1 email.host is missing\n\tfix: host: smtp.example.org"}},
		{"email without from", "\nemail: {host: smtp.example.org}", []string{"4:1 email.from is missing"}},
		{"email from nobody", "\nemail: {host: smtp.example.org, from: nobody}", []string{"4:33 email.from is not an address; MAS refuses to start with it\n\tfix: from: matrix@example.org"}},
		{"email from two lines", "\nemail: {host: smtp.example.org, from: \"\\\"a\\tb\\\" <a@example.org>\"}", []string{"4:33 email.from is not an address"}},
		{"email from a placeholder", "\nemail: {host: smtp.example.org, from: 100% sure <a@example.org>}", []string{"4:33 email.from has a percent sign"}},
		{"email with a port in host", "\nemail: {host: 'smtp.example.org:465', from: a@example.org}", []string{"4:9 email.host must be the name of a server without a port"}},
		{"email in another mode", "\nemail: {host: smtp.example.org, mode: ssl, from: a@example.org}", []string{"4:33 email.mode must be tls, starttls or plain"}},
		{"email where it stood", "\nsynapse: {email: {host: smtp.example.org, from: a@example.org}}", []string{"4:11 unknown key \"email\" in synapse\n\tfix: email belongs to the whole stack: move it to the left margin"}},
		{"turn without uris", "\nsynapse: {turn: {uris: []}}", []string{"4:11 synapse.turn names no uris"}},
		{"turn with a host", "\nsynapse: {turn: {uris: [turn.example.org]}}", []string{"4:25 synapse.turn.uris.0 is no address of a TURN server"}},
		{"retention", "\nsynapse: {retention: {}}", []string{"4:11 synapse.retention has no max_lifetime"}},
		{"a source from nowhere", "\nbackup: {borgmatic: {repositories: [{path: /a}], sources: [stack.yaml]}}", []string{"4:60 backup.borgmatic.sources.0 is no absolute path"}},
		{"backup to nowhere", "\nbackup: {borgmatic: {heartbeat: uptime-kuma}}", []string{"4:10 backup.borgmatic has no repository"}},
		{"secret from two places", "\nsecrets: {from: {a.b: {file: x, command: [y]}}}", []string{`4:18 the secret "a.b" must come from a file or from a command`}},
		{"secret from nowhere", "\nsecrets: {from: {a.b: {}}}", []string{`4:18 the secret "a.b" must come from a file or from a command`}},
		{"well-known", "\nsynapse: {well_known_extra: {m.homeserver: {base_url: https://a}}}", []string{"4:30 m.homeserver cannot stand in well_known_extra"}},
	})
}

func TestBadImages(t *testing.T) {
	bridge := func(s string) string { return "\npermissions: {example.org: user}\nbridges: {" + s + "}" }
	checkBad(t, []badCase{
		{"tag in the image", "\nsynapse: {image: 'reg.example.org:5000/synapse:v1.157.1'}", []string{"4:11 synapse.image holds a tag; the tag decides what is rendered and has a key of its own\n\tfix: image: reg.example.org:5000/synapse, and on the next line version: v1.157.1"}},
		{"digest in the image", "\ndatabase: {image: 'postgres@sha256:abc'}", []string{"4:12 database.image holds a digest"}},
		{"no image", "\ndatabase: {image: 'https://reg.example.org/postgres'}", []string{"4:12 database.image is not the name of an image"}},
		{"no tag", "\ndatabase: {version: '17-al pine'}", []string{`4:12 database.version "17-al pine" names no release`}},
		{"no v", "\nsynapse: {version: 1.157.1}", []string{"4:11 synapse.version 1.157.1 is not what ghcr.io/element-hq/synapse calls this release; Docker could not pull it\n\tfix: version: v1.157.1"}},
		{"a v too many", "version: 1\nserver_name: example.org\nauth: {passwords: true, version: v1.22.0}", []string{"3:25 auth.version v1.22.0 is not what ghcr.io/element-hq/matrix-authentication-service calls this release; Docker could not pull it\n\tfix: version: 1.22.0"}},
		{"PostgreSQL with a v", "\ndatabase: {version: v17}", []string{"4:12 database.version v17 is not what docker.io/library/postgres calls this release; Docker could not pull it\n\tfix: version: 17"}},
		{"a month of one digit", bridge("signal: {version: v26.8}"), []string{"5:20 bridges.signal.version v26.8 is not what dock.mau.dev/mautrix/signal calls this release; Docker could not pull it\n\tfix: version: v26.08"}},
		{"Telegram without v", bridge("telegram: {version: 0.15.3}"), []string{"5:22 bridges.telegram.version 0.15.3 is not what dock.mau.dev/mautrix/telegram calls this release; Docker could not pull it\n\tfix: version: v0.15.3"}},
		{"no v before a digest", "\nsynapse: {version: '1.157.1@sha256:" + strings.Repeat("0a", 32) + "'}", []string{"4:11 synapse.version 1.157.1 is not what ghcr.io/element-hq/synapse calls this release; Docker could not pull it\n\tfix: version: v1.157.1@sha256:" + strings.Repeat("0a", 32)}},
		{"half a digest", "\nsynapse: {version: 'v1.157.1@sha256:0a'}", []string{"4:11 synapse.version \"v1.157.1@sha256:0a\" names no release"}},
		{"latest", "\nsynapse: {version: latest}", []string{`4:11 synapse.version "latest" names no release`}},
		{"old Synapse", "\nsynapse: {version: v1.135.2}", []string{"4:11 synapse.version v1.135.2 is too old; no older one was tried with what is rendered, and matrix_authentication_service exists since 1.136\n\tfix: version: v"}},
		{"old MAS", "version: 1\nserver_name: example.org\nauth: {passwords: true, version: 1.7.0}", []string{"3:25 auth.version 1.7.0 is too old"}},
		{"memory that no machine has", "\ndatabase: {memory: 99999999G}", []string{"4:12 database.memory is more than any machine has; PostgreSQL could not start\n\tfix: memory: 8G"}},
		{"too little memory", "\ndatabase: {memory: 100M}", []string{"4:12 database.memory is less than 128M"}},
		{"memory without a unit", "\ndatabase: {memory: 8}", []string{"4:12 database.memory"}},
		{"more memory than its container has", "\ndatabase: {memory: 8G, limits: {memory: 8191M}}", []string{"4:33 database.limits.memory is less than database.memory; PostgreSQL would be ended for taking what it is told that it has\n\tfix: limits: {memory: 8G}"}},
		{"memory of a server elsewhere", "\ndatabase: {memory: 8G, external: {host: db.example.org}}", []string{"4:12 database.memory is about a PostgreSQL of the stack"}},
		{"a captcha that nobody meets", "version: 1\nserver_name: example.org\nauth: {passwords: true, captcha: {service: hcaptcha, site_key: a}}", []string{"3:25 auth.captcha is for whoever makes an account, and auth.registration is closed"}},
		{"a captcha without MAS", "version: 1\nserver_name: example.org\nauth: {kind: synapse, passwords: true, registration: token, captcha: {service: hcaptcha, site_key: a}}", []string{"3:61 auth.captcha is about MAS, and with kind synapse there is none"}},
		{"a captcha of another name", "version: 1\nserver_name: example.org\nauth: {passwords: true, registration: token, captcha: {service: turnstile, site_key: a}}", []string{"3:56 auth.captcha.service must be recaptcha_v2, cloudflare_turnstile or hcaptcha"}},
		{"a captcha without its key", "version: 1\nserver_name: example.org\nauth: {passwords: true, registration: token, captcha: {service: hcaptcha}}", []string{"3:46 auth.captcha.site_key is missing"}},
		{"old PostgreSQL", "\ndatabase: {version: 13-alpine}", []string{"4:12 database.version 13-alpine is too old"}},
		{"old Signal", bridge("signal: {version: v0.8.7}"), []string{"5:20 bridges.signal.version v0.8.7 is too old"}},
		{"old Discord", bridge("discord: {version: v0.7.3}"), []string{"5:21 bridges.discord.version v0.7.3 is too old"}},
		{"Discord to come", bridge("discord: {version: v0.8.0}"), []string{"5:21 is no release whose configuration is known; that of mautrix-discord v0.7 is"}},
		{"old Telegram", bridge("telegram: {version: v0.15.2}"), []string{"5:22 bridges.telegram.version v0.15.2 is too old"}},
		{"Telegram between the dialects", bridge("telegram: {version: v0.16.0}"), []string{"5:22 bridges.telegram.version v0.16.0 is no release whose configuration is known; the Python bridge ends at v0.15.3"}},
		{"Telegram before the Go bridge", bridge("telegram: {version: v25.11}"), []string{"5:22 bridges.telegram.version v25.11 is no release"}},
		{"Instagram's tag", bridge("meta: {version: ig-v0.2608.0}"), []string{"5:18 bridges.meta.version is a tag of the Instagram bridge; it would bridge another network\n\tfix: version: v0.2608.0"}},
		{"Facebook's tag", bridge("instagram: {version: v0.2608.0}"), []string{"5:23 bridges.instagram.version is a tag of the Facebook Messenger bridge; those of Instagram begin with ig-\n\tfix: version: ig-v0.2608.0"}},
	})
}

func TestBadBridges(t *testing.T) {
	perms := func(s string) string { return "\npermissions: {" + s + "}" }
	bridges := func(s string) string { return perms("example.org: user") + "\nbridges:\n" + s }
	same := "the bridges signal and whatsapp have the same "
	checkBad(t, []badCase{
		{"one id", bridges("  signal: {id: im}\n  whatsapp: {id: im}"), []string{"7:14 " + same + "id im"}},
		{"one port", bridges("  signal: {port: 30000}\n  whatsapp: {port: 30000}"), []string{"7:14 " + same + "port 30000"}},
		{"one bot", bridges("  signal: {bot: b}\n  whatsapp: {bot: b}"), []string{"7:14 " + same + "bot b"}},
		{"one prefix", bridges("  signal: {username_prefix: im}\n  whatsapp: {username_prefix: im}"), []string{"7:14 " + same + "username_prefix im"}},
		{"another's default, before it", bridges("  signal: {port: 29318}\n  whatsapp: {}"), []string{"6:12 " + same + "port 29318"}},
		{"another's default, after it", bridges("  signal: {}\n  whatsapp: {id: signal}"), []string{"7:14 " + same + "id signal"}},
		{"doublepuppet", bridges("  signal: {id: doublepuppet}"), []string{"6:12 the id doublepuppet belongs to"}},
		{"nobody", "\nbridges: {signal: {}}", []string{"4:11 bridges.signal has no permissions, nor has the spec"}},
		{"only all", perms("'*': relay"), []string{"4:1 permissions names no server and no user"}},
		{"empty", "\npermissions: {}", []string{"4:1 permissions names no server and no user"}},
		{"of one bridge", bridges("  signal: {permissions: {'*': relay}}"), []string{"6:12 bridges.signal.permissions names no server and no user"}},
		{"another server", perms("example.com: user"), []string{"4:15 the permission is for \"example.com\", but the users of this stack are on example.org; it would apply to none of them\n\tfix: \"example.org\": user"}},
		{"a user of another server", perms(`"@a:example.com": admin`), []string{"4:15 the permission is for \"example.com\", but the users of this stack are on example.org; it would apply to none of them\n\tfix: \"@a:example.org\": admin"}},
		{"a user without server", perms(`"@anna": admin`), []string{"4:15 \"@anna\" is not a whole user id; the permission would apply to nobody\n\tfix: \"@anna:example.org\": admin"}},
		{"level", perms("example.org: usr"), []string{"4:15 the permission of \"example.org\" must be block, relay, user or admin\n\tfix: \"example.org\": user"}},
		{"level of one bridge", bridges("  signal: {permissions: {'@a:example.org': root}}"), []string{"6:26 the permission of \"@a:example.org\" must be"}},
	})
}

// Nobody wants to meet the problems one run at a time: those of reading and those of meaning come together.
func TestAllAtOnce(t *testing.T) {
	checkBad(t, []badCase{{
		"all at once", `version: "1"
server_name: Example.org
auth: {passwords: true, public_url: "http://a.example.org"}
synapse: {url_preview: maybe, version: latest, extra: {a: 1, a: 2}}
brigdes: {}
bridges:
  singal: {}
  signal: {port: 29318, encryption: maybe}
  whatsapp: {id: signal}
permissions: {example.com: king}
`, []string{
			"1:1 version must be a whole number", "2:1 upper-case", "3:25 auth.public_url is http",
			"4:11 synapse.url_preview must be", "4:31 synapse.version \"latest\"", "4:62 synapse.extra.a stands twice",
			"5:1 unknown key \"brigdes\"", "7:3 unknown key \"singal\"", "8:12 port 29318", "8:25 bridges.signal.encryption must be",
			"9:14 id signal", "10:15 the permission of",
		},
	}})
}

// Where two places take part, the finding names both.
func TestBothPlaces(t *testing.T) {
	for src, want := range map[string]string{
		"\nname: a\nname: b": "4:1 the first",
		"\npermissions: {example.org: user}\nbridges:\n  signal: {id: im}\n  whatsapp: {id: im}":        "6:12 the other",
		"\npermissions: {example.org: user}\nbridges:\n  signal: {port: 29318}\n  whatsapp: {}":         "7:3 the other",
		"\npermissions: {example.org: user}\nbridges:\n  signal: {bot: b}\n  whatsapp: {bot: b}":        "6:12 the other",
		"\npermissions: {example.org: user}\nbridges:\n  signal: {}\n  meta: {username_prefix: signal}": "6:3 the other",
	} {
		_, got := Parse("stack.yaml", []byte(base+src))
		if len(got) != 1 || len(got[0].Sites) != 2 {
			t.Errorf("%s: %+v", src, got)
			continue
		}
		site := got[0].Sites[1]
		if place := fmt.Sprintf("%d:%d %s", site.Line, site.Col, site.Note); place != want || site.Text() == "" {
			t.Errorf("%s: the second place is %s with %q, want %s", src, place, site.Text(), want)
		}
	}
}
