package render

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// Needs lists every secret that the stack of s has, in the order of secrets.yaml: the generated ones, and
// those that only a person can get.
func Needs(s *spec.Spec) []secret.Need {
	var needs []secret.Need
	off := unused(s)
	add := func(secrets []component.Secret, fill ...string) {
		for _, sec := range secrets {
			if !off[sec.Name] {
				needs = append(needs, need(sec, strings.NewReplacer(fill...)))
			}
		}
	}
	add(component.Of(component.Synapse).Secrets, "{user}", s.Email.User, "{host}", s.Email.Host)
	add(component.Of(component.MAS).Secrets, "{captcha}", s.Auth.Captcha.Service)
	for _, name := range slices.Sorted(maps.Keys(s.Auth.Upstream)) {
		u := s.Auth.Upstream[name]
		for _, sec := range component.Upstream {
			for _, theirs := range component.Of(component.Keycloak).Secrets {
				if keycloak(u) && theirs.Name == sec.Name {
					sec = theirs
				}
			}
			add([]component.Secret{sec}, "{name}", name, "{client}", u.ClientID, "{issuer}", u.Issuer)
		}
	}
	for _, sec := range component.Of(component.Postgres).Secrets {
		if !strings.Contains(sec.Name, "{role}") {
			add([]component.Secret{sec})
			continue
		}
		for _, p := range roles(s) {
			add([]component.Secret{sec}, "{role}", string(p))
		}
	}
	if len(s.Bridges) > 0 {
		add(component.DoublePuppet)
	}
	for c := range component.Bridges() {
		if b, ok := s.Bridges[string(c.Program)]; ok {
			needs = append(needs, bridgeNeeds(s, c, b)...)
		}
	}
	for _, n := range s.Containers() {
		needs = append(needs, containerNeeds(n)...)
	}
	add(component.Of(component.LiveKit).Secrets)
	add(component.Of(component.LkJwt).Secrets)
	add(component.Of(component.Coturn).Secrets)
	add(component.Of(component.Borgmatic).Secrets)
	return append(needs, named(s, needs)...)
}

// unused says of the secrets that not every stack has whether this one lacks them.
func unused(s *spec.Spec) map[string]bool {
	return map[string]bool{
		"email.password":             s.Email.User == "",
		"synapse.turn_shared_secret": len(s.Synapse.TURN.URIs) == 0,
		// What the chart makes itself.
		"synapse.signing_key":                s.ESS(),
		"synapse.old_signing_keys":           s.ESS(),
		"synapse.macaroon_secret_key":        s.ESS(),
		"synapse.form_secret":                s.ESS(),
		"synapse.replication_secret":         len(s.Synapse.Workers) == 0,
		"synapse.redis_password":             len(s.Synapse.Workers) == 0,
		"synapse.registration_shared_secret": s.MAS() || !s.Auth.Passwords,
		"auth.matrix_secret":                 !s.MAS() || s.ESS(),
		"auth.encryption":                    !s.MAS() || s.ESS(),
		"auth.key_rsa":                       !s.MAS() || s.ESS(),
		"auth.key_ec":                        !s.MAS() || s.ESS(),
		"auth.upstream.{name}.id":            !s.MAS(),
		"auth.pepper":                        !s.Auth.Pepper,
		"auth.captcha_secret_key":            s.Auth.Captcha.Service == "",
		"calls.livekit_key":                  !s.At("calls").Exists() || s.ESS(),
		"calls.livekit_secret":               !s.At("calls").Exists() || s.ESS(),
		"calls.as_token":                     !s.At("calls").Exists() || s.ESS(),
		"calls.hs_token":                     !s.At("calls").Exists() || s.ESS(),
		"calls.sender":                       !s.At("calls").Exists() || s.ESS(),
		"turn.shared_secret":                 !s.At("turn").Exists(),
		"database.postgres_password":         s.ExternalDatabase() || s.OnKubernetes() && s.KubernetesDatabase() == "cnpg", // the operator makes its own
		"backup.passphrase":                  len(s.Backup.Borgmatic.Repositories) == 0,
		"backup.heartbeat_url":               s.Backup.Borgmatic.Heartbeat == "",
	}
}

func bridgeNeeds(s *spec.Spec, c *component.Component, b spec.Bridge) []secret.Need {
	shape := dialect(c, b).Shape()
	secrets := slices.Clone(shape.Secrets)
	if relays(s, b) {
		secrets = append(secrets, shape.Relay...)
	}
	var needs []secret.Need
	for _, sec := range append(secrets, c.Secrets...) {
		n, name := need(sec, strings.NewReplacer()), "bridges."+string(c.Program)+"."
		n.Name = name + n.Name
		// A bridge that has tokens but no such key ran before its move, when the key stood in its code.
		if sec.Inherits && c.Forerunner() != "" {
			n.Inherit, n.Beside = c.Bridge.Move.PickleKey, name+"as_token"
		}
		needs = append(needs, n)
	}
	return needs
}

// containerNeeds are the secrets of a container by their full names.
func containerNeeds(n spec.Named) (needs []secret.Need) {
	if n.Appservice != nil {
		needs = append(needs, secret.Need{Name: n.Secret("as_token")}, secret.Need{Name: n.Secret("hs_token")})
	}
	if n.Redis {
		needs = append(needs, secret.Need{Name: n.Secret("redis_password")})
	}
	for _, name := range slices.Sorted(maps.Keys(n.Secrets)) {
		need := secret.Need{Name: n.Secret(name), Kind: n.Secrets[name].Kind()}
		if need.Kind == component.External {
			need.Where, need.Example = "whoever gave out what "+need.Name+" is to be", "placeholder-"+need.Name
		}
		needs = append(needs, need)
	}
	return needs
}

// need is a secret of a program as this stack has it.
func need(sec component.Secret, fill *strings.Replacer) secret.Need {
	n := secret.Need{
		Name: fill.Replace(sec.Name), Kind: sec.Kind, Where: fill.Replace(sec.Where), Breaks: fill.Replace(sec.Breaks),
		Kept: sec.Kept, Remembers: sec.Remembers, FormHelp: sec.FormHelp, Fake: sec.Fake, Example: sec.Example,
	}
	if sec.Form != "" {
		n.Form = regexp.MustCompile(sec.Form)
	}
	return n
}

// Extras gives the `extra` of every section that may name secrets.
func Extras(s *spec.Spec) []source.Value {
	sections := [][]string{spec.Section(component.Synapse), spec.Section(component.MAS), {"compose"}, spec.Section(component.Borgmatic), spec.Section(component.LiveKit)}
	for c := range component.Bridges() {
		sections = append(sections, spec.Section(c.Program))
	}
	for _, n := range s.Containers() {
		sections = append(sections, n.Section)
	}
	var extras []source.Value
	for _, section := range sections {
		if extra := s.At(append(section, "extra")...); extra.Set() {
			extras = append(extras, extra)
		}
	}
	return extras
}

// HideNamed has the set hide each secret that an extra names, where it stands in the rendered files: nothing else tells
// that the key is one of a secret.
func HideNamed(s *spec.Spec, set *secret.Set) {
	for _, extra := range Extras(s) {
		for _, v := range extra.Refs() {
			name, _ := v.Ref()
			keys := v.Keys()
			for i := range slices.Backward(keys) {
				if _, err := strconv.Atoi(keys[i]); err != nil { // of an item of a list, the key of the list
					_, key := source.Operator(keys[i])
					set.HideNamed(key, set.Get(name))
					break
				}
			}
		}
	}
}

// named are the secrets that an extra names as {secret: NAME} and that are not among the needs: only who
// wrote the spec knows what they are.
func named(s *spec.Spec, needs []secret.Need) []secret.Need {
	known := make(map[string]bool)
	for _, n := range needs {
		known[n.Name] = true
	}
	var own []secret.Need
	for _, extra := range Extras(s) {
		for _, v := range extra.Refs() {
			name, _ := v.Ref()
			if known[name] {
				continue
			}
			known[name] = true
			n := secret.Need{Name: name, Kind: component.External, Where: "whoever gave out what " + v.Path() + " in the spec is to be", Example: "placeholder-" + name}
			if near := secret.Nearest(name, needs); near != "" {
				n.Where += "; or write " + near + " there, if that is meant"
			}
			own = append(own, n)
		}
	}
	return own
}

// roles lists the roles of the stack besides the superuser, each by the first program that logs in as it, whose secret
// its password is.
func roles(s *spec.Spec) []component.Program {
	var programs []component.Program
	known := map[string]bool{superuser(s): !s.ExternalDatabase()}
	for _, p := range s.Databases() {
		if user := s.DatabaseOf(p).User; !known[user] {
			known[user] = true
			programs = append(programs, p)
		}
	}
	return programs
}

func superuser(s *spec.Spec) string { return cmp.Or(s.Database.Superuser, spec.DefaultSuperuser) }

// dialect follows the tag; spec.Load has refused tags without one.
func dialect(c *component.Component, b spec.Bridge) component.Dialect {
	d, _ := release(c.Program, b.Component).Dialect()
	return d
}

// release is the image of a section of the spec by the name of the program's own: what a tag means does not depend
// on the mirror that it comes from.
func release(p component.Program, c spec.Component) component.Ref {
	ref := c.Ref(p)
	ref.Repository = component.Of(p).Tested.Repository
	return ref
}

func keycloak(u spec.Upstream) bool { return strings.Contains(u.Issuer, "/realms/") }
