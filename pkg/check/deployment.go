// Package check reads the finished files of a stack the way Compose, Traefik, Synapse, MAS and the bridges
// read them, and holds them against each other. It is given a file system and knows nothing of specs or
// templates: a fresh render and a directory kept by hand are the same to it.
package check

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

// ComposeNames are the file names that Compose looks for, in its order; compose-go v2, cli/options.go.
var ComposeNames = []string{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"}

// overrideNames are the names that Compose looks for next, to lay the first over what it found.
var overrideNames = []string{"compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"}

// Deployment is what the files of a directory say, found from its compose file on: images, mounts and
// commands lead to the other files.
type Deployment struct {
	FS       fs.FS
	Compose  *source.File
	Services []*Service

	Synapses []*Synapse
	MASs     []*MAS
	Bridges  []*Bridge
	// DoublePuppets are the registrations that claim every user without excluding anyone.
	DoublePuppets []*Registration
	// Accepted is a ComposeVerdict from before Run: where it is the present one, compose-go is not asked again.
	Accepted string
	// Before is what the stack has to keep, as Values gives it. Where it is nil, the manifest in FS says so.
	Before map[string]string

	alone       bool // what is missing may lie where FS will be put
	routes      *route.Table
	proxy       *proxySettings
	containers  map[*Service]*traefik.Container
	provisions  map[*Service]*provision
	patterns    map[string]*pattern
	connections []client
	held        []held
	backup      []*Backup
	env         map[string]string
	unread      []source.Site // where Compose takes more than the rules follow
	files       map[string]*source.File
	problems    []finding.Finding
	broken      map[string]bool // files with a finding of their own, which is not repeated
}

// Synapse is a homeserver service with its configuration.
type Synapse struct {
	*Service
	Config        *source.File
	Registrations []*Registration
	// Missing are entries of app_service_config_files without a file, with the reason.
	Missing []MissingFile

	server source.Value // the server's name that the rules go by; see settleServer
}

// MissingFile is a path in a configuration that leads to no file.
type MissingFile struct {
	Value  source.Value
	Reason string

	hidden, broken bool // outside of what can be seen; there, but with a finding of its own
}

// MAS is an authentication service with its configuration.
type MAS struct {
	*Service
	Config *source.File
}

// Registration is an appservice registration as Synapse reads it.
type Registration struct {
	*source.File
	Listed source.Value // the entry of app_service_config_files
}

// Bridge is a bridge service with its configuration and its own copy of the registration.
type Bridge struct {
	*Service
	Config  *source.File
	Own     *source.File // registration.yaml beside its configuration; nil when there is none
	Dialect image.Dialect

	shape  source.Value // what Dialect was told by; the zero Value when only the image tells it
	hidden string       // why Own may be there and cannot be seen
}

// Open reads a deployment. The findings are what kept it from being read at all: then the deployment has no
// compose file and Run finds nothing more.
func Open(fsys fs.FS) (*Deployment, []finding.Finding) { return open(fsys, false) }

// OpenAlone is Open for files whose directory is not known: what is missing may lie there already, and is not checked.
func OpenAlone(fsys fs.FS) (*Deployment, []finding.Finding) { return open(fsys, true) }

func open(fsys fs.FS, alone bool) (*Deployment, []finding.Finding) {
	d := &Deployment{FS: fsys, alone: alone, files: make(map[string]*source.File), env: make(map[string]string), broken: make(map[string]bool), provisions: make(map[*Service]*provision), containers: make(map[*Service]*traefik.Container), patterns: make(map[string]*pattern)}
	d.readEnv()
	names, fault := d.composeFiles()
	if fault != nil {
		return d, []finding.Finding{*fault}
	}
	f, findings := d.read(names[0])
	if len(findings) > 0 {
		return d, findings
	}
	d.Compose = f
	for _, name := range names[1:] {
		d.unread = append(d.unread, source.Site{Pos: source.Pos{File: name}})
	}
	if v := f.At("include"); v.Set() {
		d.unread = append(d.unread, source.Site{Pos: v.KeyPos()})
	}
	for key, val := range d.Compose.At("services").Entries() {
		d.Services = append(d.Services, newService(d, key.Str(), val))
		for _, key := range []string{"extends", "label_file", "volumes_from"} {
			if v := val.At(key); v.Set() {
				d.unread = append(d.unread, source.Site{Pos: v.KeyPos()})
			}
		}
	}
	for _, s := range d.Services {
		for _, link := range listed(s.Value.At("links")) {
			to, alias, _ := strings.Cut(link.Str(), ":")
			if target := d.service(to); target != nil && alias != "" {
				target.linked = append(target.linked, alias)
			}
		}
	}
	for _, s := range d.Services {
		d.recognise(s)
	}
	for _, s := range d.Synapses {
		d.settleServer(s)
	}
	return d, nil
}

// composeFiles are the files that Compose reads, the first of them at least: those in COMPOSE_FILE, or else the
// first that has one of its names and the first override.
func (d *Deployment) composeFiles() ([]string, *finding.Finding) {
	if list := d.env["COMPOSE_FILE"]; list != "" {
		separator := cmp.Or(d.env["COMPOSE_PATH_SEPARATOR"], ":")
		names := strings.Split(list, separator)
		for i := range names {
			names[i] = path.Clean(names[i])
		}
		if !fs.ValidPath(names[0]) {
			return nil, &finding.Finding{
				Rule: "compose-valid", Severity: finding.Error, Message: "Compose reads " + names[0] + ", as COMPOSE_FILE says, which is not below this directory",
				Fix: "name the directory that it lies in", Sites: []source.Site{{Pos: source.Pos{File: ".env"}}},
			}
		}
		return names, nil
	}
	there := func(name string) bool {
		_, err := fs.Stat(d.FS, name)
		return !errors.Is(err, fs.ErrNotExist)
	}
	i := slices.IndexFunc(ComposeNames, there)
	if i < 0 {
		return nil, &finding.Finding{
			Rule: "compose-valid", Severity: finding.Error, Message: "there is no compose file here: " + strings.Join(ComposeNames, ", "),
			Fix: "name the directory of the stack", Sites: []source.Site{{Pos: source.Pos{File: "."}}},
		}
	}
	names := []string{ComposeNames[i]}
	if i := slices.IndexFunc(overrideNames, there); i >= 0 {
		names = append(names, overrideNames[i])
	}
	return names, nil
}

// recognise finds the configuration of a service by the program in its image.
func (d *Deployment) recognise(s *Service) {
	if d.oneShot(s) {
		return
	}
	switch s.Program {
	case image.Synapse:
		s.configPath = s.synapseConfigPath()
		if f := d.config(s); f != nil {
			syn := &Synapse{Service: s, Config: f}
			d.readRegistrations(syn)
			d.Synapses = append(d.Synapses, syn)
		}
	case image.MAS:
		s.configPath = s.masConfigPath()
		if f := d.config(s); f != nil {
			d.MASs = append(d.MASs, &MAS{Service: s, Config: f})
		}
	case image.Signal, image.WhatsApp, image.Telegram, image.Discord, image.Meta, image.Instagram:
		s.configPath = s.flag("/data/config.yaml", "-c", "--config")
		if f := d.config(s); f != nil {
			b := &Bridge{Service: s, Config: f}
			own, reason, hidden := d.follow(s, s.flag(path.Join(path.Dir(s.configPath), "registration.yaml"), "-r", "--registration"))
			if b.Own = own; hidden {
				b.hidden = reason
			}
			b.Dialect, b.shape = dialectOf(b)
			d.Bridges = append(d.Bridges, b)
		}
	default:
	}
}

// oneShot reports whether a service runs a program's image without being that program: a migration such as
// syn2mas, a worker, or a tool behind a profile next to the service itself.
func (d *Deployment) oneShot(s *Service) bool {
	words := s.Command()
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(words, n) })
	}
	switch s.Program {
	case image.Synapse:
		if worker, _ := s.Env("SYNAPSE_WORKER"); worker != "" || has("generate", "migrate_config", "migrate-config", "synapse.app.generic_worker", "register_new_matrix_user") {
			return true
		}
	case image.MAS:
		if !has("server") && has("syn2mas", "config", "database", "manage", "doctor", "templates", "worker") {
			return true
		}
	default:
	}
	if s.Value.At("profiles").Len() == 0 {
		return false
	}
	return slices.ContainsFunc(d.Services, func(o *Service) bool {
		return o.Program == s.Program && o.Value.At("profiles").Len() == 0
	})
}

// config reads the configuration of a service; nil and a finding when it cannot be had. What is not there
// is an error, what lies outside of the directory was not looked at.
func (d *Deployment) config(s *Service) *source.File {
	f, reason, hidden := d.follow(s, s.configPath)
	found := finding.Finding{Rule: "compose-mount-exists", Severity: finding.Error}
	what := "the configuration of " + s.Name + ", " + s.configPath + " in its container, "
	switch {
	case f == nil && hidden:
		found = finding.Unchecked(found.Rule, what+"cannot be seen: "+reason, s.configSites()...)
	case f == nil:
		if host, _ := s.HostPath(s.configPath); d.broken[host] {
			return nil
		}
		found.Message = what + "cannot be read: " + reason + "; the service does not start"
		found.Fix, found.Sites = "mount the file there", s.configSites()
	case f.Root().Kind() != source.Mapping:
		found.Message = what + "holds no settings; the service does not start"
		found.Fix = "write the configuration"
		found.Sites = []source.Site{{Pos: source.Pos{File: f.Path}}, s.Value.Site("")}
	default:
		return f
	}
	d.problems = append(d.problems, found)
	return nil
}

// follow reads the YAML file that a container sees at a path; nil and why when that is not possible. hidden
// says that the file may well be there, but outside of what can be seen.
func (d *Deployment) follow(s *Service, container string) (f *source.File, reason string, hidden bool) {
	host, reason := s.HostPath(container)
	if reason != "" {
		return nil, reason, !strings.HasPrefix(reason, nothingMounted)
	}
	if d.broken[host] {
		return nil, host + " cannot be read", false
	}
	if f, ok := d.files[host]; ok {
		return f, "", false
	}
	if _, err := fs.Stat(d.FS, host); errors.Is(err, fs.ErrNotExist) {
		return nil, host + cmp.Or(d.unseen(err), " does not exist"), d.alone
	}
	f, findings := d.read(host)
	if len(findings) > 0 {
		d.problems = append(d.problems, findings...)
		d.broken[host] = true
		return nil, findings[0].Message, false
	}
	return f, "", false
}

// leadsOut is what is said of a symbolic link that is not followed: what lies elsewhere on the machine is none of
// the deployment's, and may be nobody's business.
const leadsOut = " a symbolic link that leads out of the directory, as every absolute one does"

// hidden says why a path of the deployment cannot be seen, wherever it leads; "" when it can.
func (d *Deployment) hidden(host string) string {
	if _, err := fs.Stat(d.FS, host); source.Escapes(err) {
		return host + " is" + leadsOut
	}
	return ""
}

// cause is the error without the path, which the finding's place names already.
func cause(err error) string {
	if source.Escapes(err) {
		return "it is" + leadsOut
	}
	if inner := errors.Unwrap(err); inner != nil {
		return inner.Error()
	}
	_, msg, _ := strings.Cut(err.Error(), ": ")
	return msg
}

func (d *Deployment) read(name string) (*source.File, []finding.Finding) {
	src, err := source.ReadFS(d.FS, name)
	if err != nil {
		return nil, []finding.Finding{{
			Rule: "compose-mount-exists", Severity: finding.Error, Message: "cannot be read: " + cause(err),
			Fix: "put a readable file there", Sites: []source.Site{{Pos: source.Pos{File: name}}},
		}}
	}
	f, findings := finding.Parse(name, src)
	d.files[name] = f
	return f, findings
}

// unseen says why what is missing may be there all the same; "" when it is not.
func (d *Deployment) unseen(err error) string {
	if d.alone && errors.Is(err, fs.ErrNotExist) {
		return " is not rendered, and the directory where it may lie was not looked at"
	}
	return ""
}

const unreadable = " cannot be read"

// Text reads a file that is not YAML, as a container sees it; empty and why when that is not possible.
func (d *Deployment) Text(s *Service, container string) (text, host, reason string) {
	if host, reason = s.HostPath(container); reason != "" {
		return "", "", reason
	}
	src, err := source.ReadFS(d.FS, host)
	if err != nil {
		return "", host, host + cmp.Or(d.unseen(err), unreadable)
	}
	if d.files[host] == nil {
		d.files[host] = &source.File{Path: host, Src: src}
	}
	return string(src), host, ""
}

func (d *Deployment) readRegistrations(s *Synapse) {
	for _, item := range s.Config.At("app_service_config_files").Items() {
		f, reason, hidden := d.follow(s.Service, item.Str())
		if f == nil {
			host, _ := s.HostPath(item.Str())
			s.Missing = append(s.Missing, MissingFile{Value: item, Reason: reason, hidden: hidden, broken: d.broken[host]})
			continue
		}
		r := &Registration{File: f, Listed: item}
		s.Registrations = append(s.Registrations, r)
		if r.everyone() {
			d.DoublePuppets = append(d.DoublePuppets, r)
		}
	}
}

// everyone reports whether the registration claims all users of its server, which only one for double
// puppeting does: its url is null or missing, or a regex begins with @.*:.
func (r *Registration) everyone() bool {
	return slices.ContainsFunc(r.At("namespaces", "users").Items(), func(v source.Value) bool {
		return strings.HasPrefix(strings.TrimPrefix(v.At("regex").Str(), "^"), "@.*:")
	})
}

// KeysAt is the path of keys that leads to a place in one of the files.
func (d *Deployment) KeysAt(p source.Pos) []string {
	if f := d.files[p.File]; f != nil {
		return f.KeysAt(p)
	}
	return nil
}

// readEnv reads .env beside the compose file: Compose takes ${X} from there.
func (d *Deployment) readEnv() {
	src, err := source.ReadFS(d.FS, ".env")
	if err != nil {
		return
	}
	d.env = dotenv(string(src))
}

// dotenv reads the lines NAME=value of an environment file.
func dotenv(src string) map[string]string {
	env := make(map[string]string)
	for line := range strings.Lines(src) {
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "export "))
		key, val, ok := strings.Cut(line, "=")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		val = strings.TrimSpace(val)
		if q := val[:min(len(val), 1)]; q == `"` || q == "'" {
			val, _, _ = strings.Cut(val[1:], q)
		} else if i := strings.Index(val, " #"); i >= 0 {
			val = strings.TrimSpace(val[:i])
		}
		env[strings.TrimSpace(key)] = val
	}
	return env
}

// bridgeOf finds the bridge that a registration belongs to: by its token, and if no bridge has that, by the
// id or by the bridge's name, so that a finding about either of them can be made.
func (d *Deployment) bridgeOf(r *Registration) *Bridge {
	for _, same := range []func(*Bridge) bool{
		func(b *Bridge) bool {
			return r.At("as_token").Str() != "" && b.Config.At("appservice", "as_token").Str() == r.At("as_token").Str()
		},
		func(b *Bridge) bool {
			return r.At("id").Str() != "" && b.Config.At("appservice", "id").Str() == r.At("id").Str()
		},
		func(b *Bridge) bool {
			return path.Base(r.Path) == b.Name+".yaml" || strings.Contains(r.At("url").Str(), "//"+b.Name+":")
		},
		func(b *Bridge) bool { return string(b.Program) == r.At("id").Str() },
	} {
		if i := slices.IndexFunc(d.Bridges, same); i >= 0 {
			return d.Bridges[i]
		}
	}
	return nil
}

// registrationOf finds Synapse's copy of a bridge's registration.
func (d *Deployment) registrationOf(b *Bridge) *Registration {
	for _, s := range d.Synapses {
		for _, r := range s.Registrations {
			if d.bridgeOf(r) == b {
				return r
			}
		}
	}
	return nil
}
