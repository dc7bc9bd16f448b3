package render

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/template"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/confighash"
	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
	"philipp.info/stackgen/templates"
)

// File is one rendered file, or an empty directory when Data is nil.
type File struct {
	Path string // slash-separated, below the output directory
	Data []byte
	// UID and GID of the process that reads the file; -1 where only people and tools on the host do.
	UID, GID int
	// Copied: it is a file of the spec's owner, as it is or with its words filled in.
	Copied bool

	extra []string // path in the spec of what was laid onto the file
	spec  []string // path in the spec of the section that the file comes from
}

// Bundle is a whole rendered stack in memory, sorted by path.
type Bundle struct {
	Files []File
	Stack *Stack

	spec      *spec.Spec
	ofCompose []File // those of which manifests were made
}

// artifact says how a file comes about. Adding a rendered file means adding a line to artifacts.
type artifact struct {
	path     string
	template string // in templates/; empty for a file that is one value
	content  string
	data     any
	service  string // whose user owns the file; empty for the one who renders
	spec     []string
}

// item gives a template the stack and the one thing that the file is about.
type item struct {
	*Stack
	Bridge       Bridge
	Registration Registration
	Upstream     Upstream
	Site         Site
	Redis        *Redis
	Process      Process
}

// artifacts lists the files of a stack. docker-compose.yml comes last: it holds digests of the others.
func artifacts(st *Stack, secrets func(string) string) []artifact {
	as := []artifact{
		{path: ".gitignore", template: "gitignore"},
		{path: "config/matrix/homeserver.yaml", template: "homeserver.yaml", service: "synapse", spec: spec.Section(component.Synapse)},
		{path: "config/matrix/log.config", template: "log.config", service: "synapse"},
		{path: "config/matrix/" + st.ServerName + ".signing.key", content: secrets("synapse.signing_key") + "\n", service: "synapse"},
	}
	runbook := artifact{path: "RUNBOOK.md", template: "RUNBOOK.md"}
	if st.Kubernetes != nil {
		runbook.template = "RUNBOOK.kubernetes.md"
	}
	as = append(as, runbook)
	if !st.Postgres.External {
		as = append(as, artifact{path: "config/postgres/databases.sql", template: "databases.sql", service: "postgres", spec: spec.Section(component.Postgres)})
	}
	if st.MAS != nil {
		as = append(as, artifact{path: "config/mas/config.yaml", template: "mas.yaml", service: "mas", spec: spec.Section(component.MAS)})
		if st.Migration && len(st.Login.Upstreams) > 0 {
			as = append(as, artifact{path: "config/syn2mas/synapse.yaml", template: "syn2mas.yaml", service: "syn2mas"})
		}
	}
	for _, b := range st.Bridges {
		section := spec.Section(b.Program)
		reg := item{Stack: st, Registration: b.Registration}
		as = append(as,
			artifact{path: "config/" + b.Name + "/config.yaml", template: string(b.Dialect) + ".yaml", data: item{Stack: st, Bridge: b}, service: b.Name, spec: section},
			artifact{path: "config/" + b.Name + "/registration.yaml", template: "registration.yaml", data: reg, service: b.Name},
			artifact{path: "config/matrix/" + b.Name + ".yaml", template: "registration.yaml", data: reg, service: "synapse"},
		)
	}
	if len(st.Bridges) > 0 {
		as = append(as, artifact{path: "config/matrix/doublepuppet.yaml", template: "registration.yaml", data: item{Stack: st, Registration: st.DoublePuppet}, service: "synapse"})
	}
	for _, c := range st.Containers {
		if c.Registration != nil {
			reg := item{Stack: st, Registration: *c.Registration}
			as = append(as, artifact{path: "config/matrix/" + c.Name + ".yaml", template: "registration.yaml", data: reg, service: "synapse", spec: c.Section})
			if c.RegistrationFile != "" {
				as = append(as, artifact{path: c.RegistrationFile, template: "registration.yaml", data: reg, service: c.Name, spec: c.Section})
			}
		}
		for _, f := range c.Made {
			as = append(as, artifact{path: f.Path, content: string(f.Data), service: c.Name})
		}
		if c.Redis != nil {
			as = append(as, artifact{path: "config/" + c.Redis.Name + "/valkey.conf", template: "valkey.conf", data: item{Stack: st, Redis: c.Redis}, service: c.Redis.Name})
		}
	}
	if w := st.Workers; w != nil {
		as = append(as,
			artifact{path: "config/haproxy/haproxy.cfg", template: "haproxy.cfg", service: "haproxy"},
			artifact{path: "config/" + w.Redis.Name + "/valkey.conf", template: "valkey.conf", data: item{Stack: st, Redis: w.Redis}, service: w.Redis.Name},
		)
		for _, p := range w.Processes {
			as = append(as, artifact{path: p.File, template: "worker.yaml", data: item{Stack: st, Process: p}, service: p.Role})
		}
	}
	for _, u := range st.Login.Upstreams {
		if u.Keycloak {
			as = append(as, artifact{path: u.ClientFile, template: "keycloak-client.json", data: item{Stack: st, Upstream: u}})
		}
	}
	if st.Element != nil {
		as = append(as, artifact{path: "config/element/config.json", template: "element.json", service: "element", spec: spec.Section(component.Element)})
	}
	if st.Admin != nil {
		as = append(as, artifact{path: "config/ketesa/config.json", template: "ketesa.json", service: "ketesa", spec: spec.Section(component.Ketesa)})
	}
	if st.Metrics != 0 {
		as = append(as, artifact{path: "config/prometheus/" + st.Name + ".yml", template: "prometheus.yml"})
	}
	if st.Ingress.Managed {
		as = append(as,
			artifact{path: TraefikFile, template: "traefik.yml", service: "traefik", spec: spec.Section(component.Traefik)},
			artifact{path: "config/traefik/routes/" + st.Name + ".yml", template: "traefik-routes.yml", service: "traefik"},
		)
	}
	if st.Calls != nil {
		as = append(as, artifact{path: "config/livekit/livekit.yaml", template: "livekit.yaml", service: "livekit", spec: spec.Section(component.LiveKit)})
		if reg := st.Calls.Registration; reg != nil {
			data := item{Stack: st, Registration: *reg}
			as = append(as,
				artifact{path: "config/lk-jwt/registration.yaml", template: "registration.yaml", data: data, service: "lk-jwt"},
				artifact{path: "config/matrix/lk-jwt.yaml", template: "registration.yaml", data: data, service: "synapse"},
			)
		}
	}
	if st.Turn != nil {
		as = append(as, artifact{path: "config/coturn/turnserver.conf", template: "turnserver.conf", service: "coturn"})
	}
	if st.Ingress.Kind == "nginx" {
		as = append(as, artifact{path: "config/nginx/" + st.Name + ".conf", template: "nginx.conf"})
		for _, site := range st.Sites() {
			as = append(as, artifact{path: "config/nginx/" + st.Name + "/" + site.Host + ".conf", template: "nginx-host.conf", data: item{Stack: st, Site: site}})
		}
	}
	if st.Ingress.Kind == "caddy" && !st.Ingress.Labels {
		as = append(as,
			artifact{path: "config/caddy/Caddyfile", template: "Caddyfile"},
			artifact{path: "config/caddy/" + st.Name + ".caddy", template: "matrix.caddy"},
		)
	}
	if st.Backup != nil {
		as = append(as,
			artifact{path: "borgmatic.d/" + st.Name + ".yaml", template: "borgmatic.yaml", spec: spec.Section(component.Borgmatic)},
			artifact{path: st.Backup.PassphraseFile, content: st.Backup.Passphrase + "\n"},
		)
	}
	if st.ESS != nil {
		as = append(as, artifact{path: essValues, template: "ess.yaml"})
	}
	for _, s := range st.Secrets {
		as = append(as, artifact{path: "secrets/" + s.Name, content: s.Content, service: s.Service})
	}
	return append(as, artifact{path: "docker-compose.yml", template: "docker-compose.yml", spec: []string{"compose"}})
}

// Render makes the files of the stack. secrets gives the value of a secret by name. An error means that a
// template and the Stack do not fit, or that an extra block cannot be laid onto its file.
func Render(s *spec.Spec, st *Stack, secrets func(string) string) (*Bundle, error) {
	b := &Bundle{Stack: st, spec: s}
	var misfits source.Misfits
	for _, a := range artifacts(st, secrets) {
		compose := a.path == "docker-compose.yml"
		if compose && len(misfits) > 0 {
			continue // its hashes are those of the others
		}
		f, err := a.render(s, st, secrets)
		if err == nil && compose {
			err = b.finish(&f)
		}
		if more, ok := errors.AsType[source.Misfits](err); ok {
			misfits = append(misfits, more...)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("render %q: %w", a.path, err)
		}
		b.Files = append(b.Files, f)
	}
	if len(misfits) > 0 {
		return nil, misfits
	}
	// Made when missing and never touched again.
	kept := st.kept()
	if st.Ingress.Managed {
		kept = append(kept, keeper{Data{Below: "data/traefik"}, "traefik"}) // its certificates
	}
	for _, k := range kept {
		f := File{Path: k.Below}
		f.UID, f.GID = st.owner(k.service)
		if k.Below != "" && !slices.ContainsFunc(b.Files, func(other File) bool { return other.Path == f.Path }) {
			b.Files = append(b.Files, f)
		}
	}
	slices.SortFunc(b.Files, func(x, y File) int { return cmp.Compare(x.Path, y.Path) })
	if st.Kubernetes != nil {
		return b, b.asManifests()
	}
	return b, nil
}

func (a artifact) render(s *spec.Spec, st *Stack, secrets func(string) string) (File, error) {
	f := File{Path: a.path, Data: []byte(a.content), spec: a.spec}
	f.UID, f.GID = st.owner(a.service)
	if a.template == "" {
		return f, nil
	}
	if a.data == nil {
		a.data = st
	}
	set := plain
	if a.path == "docker-compose.yml" {
		set = composed
	}
	var out bytes.Buffer
	if err := set().ExecuteTemplate(&out, a.template+".tmpl", a.data); err != nil {
		return f, err
	}
	f.Data = out.Bytes()
	var err error
	if extra := s.At(append(slices.Clip(a.spec), "extra")...); len(a.spec) > 0 && extra.Set() && a.spec[0] != "database" {
		f.extra = extra.Keys()
		extra = extra.Filled(func(name string) string {
			if a.path == "docker-compose.yml" { // Compose would replace $x
				return strings.ReplaceAll(secrets(name), "$", "$$")
			}
			return secrets(name)
		})
		if f.Data, err = source.Merge(f.Data, extra); err == nil && path.Ext(f.Path) == ".json" {
			f.Data, err = asJSON(f.Data, extra)
		}
	}
	return f, err
}

// asJSON turns what was merged back into what its program reads.
func asJSON(doc []byte, extra source.Value) ([]byte, error) {
	f, problem := source.Parse("", doc)
	if problem != nil {
		return nil, errors.New(problem.Message)
	}
	text, err := f.JSON()
	if err != nil {
		return nil, source.Misfits{{At: extra, Message: err.Error() + ", which is what the program reads", Fix: "a text in quotes, or a number"}}
	}
	return text, nil
}

// The templates are parsed when the first file is rendered: most commands render none. Compose replaces $x
// in every value, so its file is quoted with $$ for a dollar.
var (
	plain = sync.OnceValue(func() *template.Template {
		return template.Must(template.New("").Option("missingkey=error").Funcs(template.FuncMap{
			"q": source.Quote, "json": jsonText, "aside": aside, "word": shell.Word, "cron": shell.CronWord, "path": shell.Path, "cell": cell, "line": output.Inline,
		}).ParseFS(templates.FS, "*.tmpl"))
	})
	composed = sync.OnceValue(func() *template.Template {
		return template.Must(plain().Clone()).Funcs(template.FuncMap{
			"q": func(v string) string { return source.Quote(strings.ReplaceAll(v, "$", "$$")) },
		})
	})
)

// cell is a text for a cell of a table of Markdown.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func jsonText(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "null"
	}
	return strings.TrimSpace(b.String())
}

// owner gives the uid and gid of a service's process.
func (st *Stack) owner(service string) (uid, gid int) {
	u, g, ok := strings.Cut(st.Services[service].User, ":")
	if !ok {
		return -1, -1
	}
	uid, _ = strconv.Atoi(u)
	gid, _ = strconv.Atoi(g)
	return uid, gid
}

// finish adds to the bundle what the compose file says of other files: those that are copied, and the config hash of
// every service that is rendered, by what it reads. In the file each hash stands as hashMark until then.
func (b *Bundle) finish(compose *File) error {
	parsed, _ := source.Parse(compose.Path, compose.Data)
	if misfits := b.copies(parsed); len(misfits) > 0 {
		return misfits
	}
	fsys := b.FS()
	var hashes []string
	for role, s := range b.Stack.Services {
		// A file that is mounted and not rendered is an error of another rule.
		sum, _ := confighash.Of(fsys, confighash.Reads(parsed, s.Name), nil)
		hashes = append(hashes, hashMark(role), sum)
	}
	compose.Data = []byte(strings.NewReplacer(hashes...).Replace(string(compose.Data)))
	return b.hashExtra(compose, parsed, fsys)
}

// hashMark stands for the config hash of a service: a text that is found nowhere else.
func hashMark(service string) string {
	return "config-hash:" + manifest.Digest([]byte("config hash of "+service))
}

// FS is the bundle as a file system, for compose.Open, and more files beside it. Its files have the owners that they
// are meant for: where only root can hand them out, the one who renders is told how.
func (b *Bundle) FS(more ...memfs.File) *memfs.FS {
	files := make([]memfs.File, len(b.Files), len(b.Files)+len(more))
	for i, f := range b.Files {
		files[i] = memfs.File{Path: f.Path, Data: f.Data}
		if f.UID >= 0 {
			files[i].Owner = &memfs.Owner{UID: f.UID, GID: f.GID}
		}
	}
	return memfs.New(append(files, more...))
}
