package render

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// governed says which key of the spec a rendered key comes from; of several the first that is written. What
// stands below a key has the same origin. * is any file or key, and in the spec the section of the bridge or
// service whose file or service it is.
var governed = []struct {
	file, key string
	spec      []string
}{
	{"config/matrix/homeserver.yaml", "server_name", []string{"server_name"}},
	{"config/matrix/homeserver.yaml", "public_baseurl", []string{"hosts.matrix", "server_name"}},
	{"config/matrix/homeserver.yaml", "presence", []string{"profile"}},
	{"config/matrix/homeserver.yaml", "caches", []string{"profile"}},
	{"config/matrix/homeserver.yaml", "max_upload_size", []string{"synapse.max_upload_size"}},
	{"docker-compose.yml", "services.*.labels", []string{"ingress.traefik"}},
	{"docker-compose.yml", "services.*.volumes", []string{"*.data"}},
	{"config/matrix/homeserver.yaml", "media_retention.local_media_lifetime", []string{"synapse.media_retention.local"}},
	{"config/matrix/homeserver.yaml", "media_retention.remote_media_lifetime", []string{"synapse.media_retention.remote"}},
	{"config/matrix/homeserver.yaml", "retention", []string{"synapse.retention"}},
	{"config/matrix/homeserver.yaml", "url_preview_enabled", []string{"synapse.url_preview"}},
	{"config/matrix/homeserver.yaml", "turn_uris", []string{"synapse.turn.uris"}},
	{"config/matrix/homeserver.yaml", "email.smtp_host", []string{"email.host"}},
	{"config/matrix/homeserver.yaml", "email.smtp_port", []string{"email.port", "email.mode", "email"}},
	{"config/matrix/homeserver.yaml", "email.smtp_user", []string{"email.user"}},
	{"config/matrix/homeserver.yaml", "email.notif_from", []string{"email.from"}},
	{"config/matrix/homeserver.yaml", "email", []string{"email"}},
	{"config/mas/config.yaml", "http.public_base", []string{"auth.public_url", "hosts.matrix", "server_name"}},
	{"config/mas/config.yaml", "matrix.homeserver", []string{"server_name"}},
	{"config/mas/config.yaml", "passwords.enabled", []string{"auth.passwords"}},
	{"config/mas/config.yaml", "captcha", []string{"auth.captcha"}},
	{"config/mas/config.yaml", "upstream_oauth2", []string{"auth.upstream"}},
	{"config/mas/config.yaml", "email.hostname", []string{"email.host"}},
	{"config/mas/config.yaml", "email.port", []string{"email.port", "email.mode", "email"}},
	{"config/mas/config.yaml", "email.username", []string{"email.user"}},
	{"config/mas/config.yaml", "email.from", []string{"email.from"}},
	{"config/mas/config.yaml", "email", []string{"email"}},
	{"config/*/config.yaml", "homeserver.domain", []string{"server_name"}},
	{"config/*/config.yaml", "bridge.permissions", []string{"*.permissions", "permissions"}},
	{"config/*/config.yaml", "encryption", []string{"*.encryption"}},
	{"config/*/config.yaml", "bridge.encryption", []string{"*.encryption"}},
	{"config/*/config.yaml", "appservice.id", []string{"*.id"}},
	{"config/*/config.yaml", "appservice.port", []string{"*.port"}},
	{"config/*/config.yaml", "appservice.bot.username", []string{"*.bot"}},
	{"config/*/config.yaml", "appservice.bot_username", []string{"*.bot"}},
	{"config/*/config.yaml", "appservice.username_template", []string{"*.username_prefix", "*.username_template"}},
	{"config/*/config.yaml", "bridge.username_template", []string{"*.username_prefix", "*.username_template"}},
	{"docker-compose.yml", "name", []string{"name"}},
	{"docker-compose.yml", "services.*.image", []string{"*.version", "*.image"}},
	{"docker-compose.yml", "services.*.user", []string{"*.user", "owner"}},
	{"config/matrix/homeserver.yaml", "database.args.host", []string{"database.external.host"}},
	{"config/matrix/homeserver.yaml", "database.args.port", []string{"database.external.port", "database.external"}},
	{"config/matrix/homeserver.yaml", "database.args.sslmode", []string{"database.external.sslmode", "database.external"}},
	{"config/matrix/homeserver.yaml", "database.args.user", []string{"database.names.synapse"}},
	{"config/matrix/homeserver.yaml", "database.args.dbname", []string{"database.names.synapse"}},
	{"config/mas/config.yaml", "database.username", []string{"database.names.mas"}},
	{"config/mas/config.yaml", "database.database", []string{"database.names.mas"}},
	{"docker-compose.yml", "services.*.environment.POSTGRES_USER", []string{"database.superuser"}},
	{"docker-compose.yml", "services.*.command", []string{"*.memory"}},
	{"docker-compose.yml", "services.*.shm_size", []string{"*.memory"}},
	{"docker-compose.yml", "services.*.container_name", []string{"*.container_name"}},
}

// Govern adds to each finding the line of the spec that governs the place to edit first: the very key of an
// extra block or of the spec where the value comes from one, otherwise the section of the component.
func (b *Bundle) Govern(findings []finding.Finding, d Places) {
	for i, f := range findings {
		for _, site := range f.Sites {
			j := slices.IndexFunc(b.Files, func(file File) bool { return file.Path == site.File })
			if j < 0 {
				continue
			}
			v := b.governor(b.Files[j], d.KeysAt(site.Pos))
			if b.Stack.Kubernetes != nil {
				v = b.governorOfManifest(site.Pos, d)
			}
			if v.Exists() {
				findings[i].Sites = append(findings[i].Sites, v.Site("from this part of the spec"))
				break
			}
		}
	}
}

// Places are those of a deployment: the keys at one, and of manifests the file in a Secret that is there.
type Places interface {
	KeysAt(source.Pos) []string
	HeldAt(source.Pos) (text []byte, keys []string)
}

// governorOfManifest is that of a place in a manifest: of a file in a Secret what governs the file of Compose that it is, of an object the
// section of its service.
func (b *Bundle) governorOfManifest(at source.Pos, d Places) source.Value {
	if text, keys := d.HeldAt(at); len(text) > 0 {
		if i := slices.IndexFunc(b.ofCompose, func(f File) bool { return bytes.Equal(f.Data, text) }); i >= 0 {
			return b.governor(b.ofCompose[i], keys)
		}
	}
	service := strings.TrimSuffix(path.Base(at.File), path.Ext(at.File))
	role := b.Stack.Role(service)
	if strings.HasPrefix(role, "synapse-") {
		return b.spec.At("synapse", "workers")
	}
	if c, _ := component.OfService(role); c.Program == component.Unknown && !slices.ContainsFunc(b.Stack.Containers, func(c Container) bool { return c.Name == service || c.Redis != nil && c.Redis.Name == service }) {
		return b.spec.At("kubernetes")
	}
	keys := d.KeysAt(at)
	key := ""
	if i := slices.Index(keys, "containers"); i >= 0 && i+2 < len(keys) {
		key = keys[i+2]
	}
	compose := File{Path: composeFile, spec: []string{"kubernetes"}}
	return b.governor(compose, []string{"services", service, key})
}

// governor is the value of the spec that the key of a file comes from; absent where none does.
func (b *Bundle) governor(f File, keys []string) source.Value {
	if f.spec == nil {
		return source.Value{}
	}
	if f.extra != nil {
		if e := laid(b.spec.At(f.extra...), f, keys); e.Exists() {
			return e
		}
	}
	section := f.spec
	if f.Path == "docker-compose.yml" && len(keys) > 1 && keys[0] == "services" {
		section = b.section(keys[1])
	}
	for _, g := range governed {
		if ok, _ := path.Match(g.file, f.Path); !ok || !below(strings.Split(g.key, "."), keys) {
			continue
		}
		for _, from := range g.spec {
			at := strings.Split(from, ".")
			if at[0] == "*" {
				at = append(slices.Clip(section), at[1:]...)
			}
			if v := b.spec.At(at...); v.Exists() {
				return v
			}
		}
	}
	if section[0] == "compose" { // it is only laid onto the file
		return source.Value{}
	}
	return b.spec.At(section...)
}

// section is where the spec speaks of a service.
func (b *Bundle) section(service string) []string {
	for _, c := range b.Stack.Containers {
		if c.Name == service || c.Redis != nil && c.Redis.Name == service {
			return c.Section
		}
	}
	program, _ := component.OfService(b.Stack.Role(service))
	return spec.Section(program.Program)
}

// below reports whether keys lead to what the pattern names, or below it.
func below(pattern, keys []string) bool {
	if len(keys) < len(pattern) {
		return false
	}
	for i, p := range pattern {
		if p != "*" && p != keys[i] {
			return false
		}
	}
	return true
}
