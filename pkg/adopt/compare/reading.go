package compare

import (
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// document is one file as its program reads it.
type document struct {
	about, doc string
	program    component.Program
	service    *deployment.Service // in whose container its paths are; nil for none
}

// read is a fact, and the end of the key that only says that the value stands in a file of its own.
type read struct {
	fact
	suffix string
	skip   bool // it is compared in another way
}

// class is how a program takes a value.
type class int

const (
	plain      class = iota
	duration         // 1d, 24h and 86400000 are one
	size             // 50M and 52428800 are one
	memory           // that, as Docker has it: 1g, 1GB and 1024m are one
	host             // the name of a service, or of a machine
	place            // a path that data is kept at
	baseURL          // an address whose path is never empty
	secretFile       // a path to a file that holds the value of the key without its end
	mailbox          // the sender of mails, whose name may stand in quotes, and for which app_name stands
	passphrase       // that of a backup, or the command that prints it
	relay            // the address of a TURN server, whose port is 3478, or 5349 over TLS, unless it says so
	elsewhere        // it is compared in another way
)

// classes say how the values of a program's documents are taken. The first that fits counts.
var classes = []struct {
	program  component.Program
	doc, key string
	class    class
}{
	{component.Synapse, "config", "app_service_config_files**", elsewhere}, // each registration is a document
	{component.Synapse, "config", "signing_key**", elsewhere},
	{component.Synapse, "config", "log_config", elsewhere},
	{component.Synapse, "config", "public_baseurl", baseURL},
	{component.Element, "config", "**.base_url", baseURL},
	{component.MAS, "config", "http.public_base", baseURL},
	{component.MAS, "config", "http.issuer", baseURL},
	{component.Synapse, "config", "media_store_path", place},
	{component.Synapse, "config", "backup_media_store_path", place},
	{component.Synapse, "config", "uploads_path", place},
	{component.Synapse, "config", "pid_file", plain},
	{component.Synapse, "config", "media_storage_providers**", plain},
	{component.Synapse, "config", "database.args.database", place}, // of SQLite; a connection to PostgreSQL is taken apart
	{component.Synapse, "config", "**_path", secretFile},
	{component.Synapse, "config", "**_file", secretFile},
	{component.Synapse, "config", "email.notif_from", mailbox},
	{component.Synapse, "config", "**_lifetime", duration},
	{component.Synapse, "config", "**_interval", duration},
	{component.Synapse, "config", "**_period", duration},
	{component.Synapse, "config", "**_ttl", duration},
	{component.Synapse, "config", "**_timeout", duration},
	{component.Synapse, "config", "**_age", duration},
	{component.Synapse, "config", "**.interval", duration},
	{component.Synapse, "config", "turn_uris[]", relay},
	{component.Synapse, "config", "max_**_size", size},
	{component.Synapse, "config", "**_size", size},
	{component.MAS, "config", "**_file", secretFile},
	{component.MAS, "config", "templates.path", place},
	{component.MAS, "config", "templates.translations_path", place},
	{component.MAS, "config", "secrets.keys_dir", place},
	{"", "service", "mem_limit", memory},
	{"", "service", "mem_reservation", memory},
	{"", "service", "shm_size", memory},
	{component.Postgres, "environment", "**_FILE", secretFile},
	{component.Postgres, "environment", "PGDATA", place},
	{"", "environment", "PGHOST", host},
	{"", "config", "encryption_passphrase", passphrase},
	{"", "config", "encryption_passcommand", passphrase},
}

func classOf(d document, key string) class {
	for _, c := range classes {
		if (c.program == "" || c.program == d.program) && c.doc == d.doc && match(c.key, key) {
			return c.class
		}
	}
	return plain
}

// match holds a key against a pattern, in which ** stands for any text and everything else for itself.
func match(pattern, key string) bool {
	parts := strings.Split(pattern, "**")
	if len(parts) == 1 {
		return pattern == key
	}
	rest, ok := strings.CutPrefix(key, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}

// reading is a value as its program takes it.
func (s *side) reading(d document, key string, v source.Value) read {
	r := read{fact: fact{raw: source.Meaning(v), text: source.Meaning(v), shown: v.Shown(), secret: v.Secret(), at: v.KeyPos()}}
	if text := strings.ToLower(v.Str()); !v.IsString() && (text == "true" || text == "false") {
		r.shown = text
	}
	text := v.Str()
	switch classOf(d, key) {
	case elsewhere:
		return read{skip: true}
	case duration:
		if n, ok := milliseconds(text); ok {
			r.text, r.why = strconv.FormatFloat(n, 'f', -1, 64)+" ms", "it is the same time"
		}
	case size:
		if n, ok := bytesOf(text); ok {
			r.text, r.why = strconv.FormatInt(n, 10)+" bytes", "it is the same size"
		}
	case memory:
		if n, ok := bytesOf(strings.ToUpper(strings.TrimRight(text, "bB"))); ok {
			r.text, r.why = strconv.FormatInt(n, 10)+" bytes", "it is the same size"
		}
	case host:
		r.text, r.why = s.canonicalHost(text), "it is the same service by another name"
	case place:
		r.text, r.why = s.place(d.service, text), "it is the same place by another path in the container"
		r.shown = r.text
	case baseURL:
		if u, err := url.Parse(text); err == nil && u.Path == "" {
			r.text, r.why = fmt.Sprintf("%q", text+"/"), "the program adds the slash itself"
		}
	case relay:
		r.text, r.why = strconv.Quote(withPort(text)), "it is the same port, written or not (RFC 7065)"
	case mailbox:
		r.text, r.why = s.sender(text), "it is the same sender"
	case passphrase:
		r.suffix, r.secret = strings.TrimPrefix(key, "encryption_pass"), true
		s.printed(d, text, &r)
	case secretFile:
		s.inFile(d, text, &r, key[strings.LastIndexAny(key, "_"):])
	default:
		if spelled, ok := s.canonicalURL(text); ok && v.IsString() {
			r.text, r.why = fmt.Sprintf("%q", spelled), "it leads to the same service by another name"
		}
	}
	if strings.HasPrefix(d.doc, "registration ") && strings.HasSuffix(key, ".regex") {
		r.text, r.why = fmt.Sprintf("%q", trimmed(text)), "no name of this server is in the one and not in the other"
	}
	if d.program == component.Synapse && v.IsString() && v.ReadAs(source.PyYAML) == "true or false" {
		r.why = "Synapse's YAML takes it for true or false"
		r.text = strconv.FormatBool(slices.Contains([]string{"yes", "on", "true"}, strings.ToLower(text)))
	}
	return r
}

// withPort is the address of a TURN server with the port that clients take anyway.
func withPort(uri string) string {
	address, query, _ := strings.Cut(uri, "?")
	scheme, host, ok := strings.Cut(address, ":")
	port, usual := "", map[string]string{"turn": "3478", "turns": "5349", "stun": "3478", "stuns": "5349"}[scheme]
	if ok && usual != "" && !strings.Contains(host, ":") {
		port = ":" + usual
	}
	if query != "" {
		query = "?" + query
	}
	return address + port + query
}

// sender is an address with the name as people see it: Synapse puts the name of the app into it (synapse/config/emailconfig.py).
func (s *side) sender(text string) string {
	app := "Matrix"
	for _, syn := range s.Synapses {
		if name := syn.Config.At("email", "app_name").Str(); name != "" {
			app = name
		}
	}
	text = strings.ReplaceAll(text, "%(app)s", app)
	if a, err := mail.ParseAddress(text); err == nil {
		return a.String()
	}
	return text
}

// trimmed is a pattern without the marks of its ends, and with a dot that stands for itself alone: no name has anything else there.
func trimmed(pattern string) string {
	pattern = strings.TrimSuffix(strings.TrimPrefix(pattern, "^"), "$")
	return dotBetween().ReplaceAllString(dotBetween().ReplaceAllString(pattern, `${1}\.${2}`), `${1}\.${2}`) // twice, for names of one letter
}

// dotBetween is a dot in the name of a server.
var dotBetween = regex.Of(`([a-z0-9])\.([a-z0-9])`)

// inFile takes the value out of the file that a path leads to.
func (s *side) inFile(d document, name string, r *read, suffix string) {
	if d.service == nil || !strings.HasPrefix(name, "/") {
		return
	}
	content, hostPath, reason := s.Text(d.service, name)
	r.suffix, r.secret = suffix, true
	if reason != "" {
		r.text, r.unseen = "unseen "+s.place(d.service, name), true
		s.unseen = append(s.unseen, d.about+", "+name+": "+reason)
		return
	}
	s.used[hostPath] = true
	r.text, r.raw, r.why = fmt.Sprintf("%q", strings.TrimSpace(content)), "file "+content, "the same value stands in a file"
}

// printed takes the passphrase of a backup out of the file of the stack that its command prints.
func (s *side) printed(d document, command string, r *read) {
	file, cat := strings.CutPrefix(command, "cat ")
	if !cat || r.suffix != "command" {
		return
	}
	file = strings.Trim(file, `"'`)
	for _, b := range s.Backups() {
		for _, dir := range deployment.ItemTexts(b.Option("source_directories")) {
			name, below := strings.CutPrefix(file, strings.TrimSuffix(dir, "/")+"/")
			if b.Service != d.service || !below {
				continue
			}
			if content, err := source.ReadFS(s.FS, name); err == nil {
				s.used[name] = true
				r.text, r.raw, r.why = fmt.Sprintf("%q", strings.TrimRight(string(content), "\n")), "file "+string(content), "the same value stands in a file"
			}
		}
	}
}

// place is where a path of the container is kept on the machine. A named volume has its name from the project.
func (s *side) place(svc *deployment.Service, name string) string {
	if svc == nil {
		return name
	}
	m := svc.MountAt(svc.Inside(name))
	if m == nil {
		return svc.Inside(name) + " in the container"
	}
	below := strings.TrimPrefix(path.Clean(svc.Inside(name)), path.Clean(m.Container))
	switch {
	case m.Fleeting:
		return "not kept: " + svc.Inside(name)
	case m.Host != "" && !path.IsAbs(m.Source):
		return path.Join(m.Host, below)
	case strings.HasPrefix(m.Source, "/"), strings.HasPrefix(m.Source, "."): // elsewhere on the machine
		return path.Join(m.Source, below)
	}
	return path.Join("volume "+s.volume(m.Source), below)
}

// canonicalHost is the common name of the service that a host means, or the host.
func (s *side) canonicalHost(name string) string {
	if svc := s.ServiceAt(name); svc != nil && s.whom(svc) != "" {
		return "{" + s.whom(svc) + "}"
	}
	return strings.ToLower(name)
}

// canonicalURL has the common name of a service in the place of its host. ok is false for what is no URL of one.
func (s *side) canonicalURL(text string) (string, bool) {
	scheme, _, found := strings.Cut(text, "://")
	if !found || len(scheme) > 10 {
		return "", false
	}
	u, err := url.Parse(text)
	if err != nil || s.ServiceAt(u.Hostname()) == nil {
		return "", false
	}
	name, port := s.canonicalHost(u.Hostname()), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	u.Host = "host"
	return strings.Replace(u.String(), "host", net.JoinHostPort(name, port), 1), true
}

// units of Synapse (synapse/config/_base.py, parse_duration and parse_size).
var (
	timeUnits = map[string]float64{"": 1, "s": 1000, "m": 60e3, "h": 3600e3, "d": 86400e3, "w": 7 * 86400e3, "y": 365 * 86400e3}
	sizeUnits = map[string]int64{"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
)

func milliseconds(text string) (float64, bool) {
	digits := strings.TrimRight(text, "smhdwy")
	n, err := strconv.Atoi(digits)
	unit, ok := timeUnits[text[len(digits):]]
	return float64(n) * unit, err == nil && ok
}

func bytesOf(text string) (int64, bool) {
	digits := strings.TrimRight(text, "KMGT")
	n, err := strconv.ParseInt(digits, 10, 64)
	unit, ok := sizeUnits[text[len(digits):]]
	return n * unit, err == nil && ok
}
