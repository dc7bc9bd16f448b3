package check

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// masRead is the newest release whose keys stand in keys/mas.yaml.
var masRead = component.Version{1, 22, 0}

func masKeys() source.Value { return knownKeys(component.Of(component.MAS).Keys) }

var masKnownKeys = Rule{
	ID: "mas-known-keys", Severity: finding.Error,
	Summary: "MAS knows every key of its configuration, and every value has the type it wants",
	Why:     "A mistyped key changes nothing: MAS ignores it without a word and goes by its default. A value of the wrong type stops it: \"invalid type: found string …, expected a boolean\".",
	Fix:     "Write the key as MAS knows it, where MAS knows it.",
	Source:  "MAS crates/config/src/sections (no deny_unknown_fields), docs/config.schema.json, policies/*/*.rego",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, m := range d.MASs {
			report := func(known func(string, mend, ...source.Site)) func(string, mend, ...source.Site) {
				return func(message string, fix mend, sites ...source.Site) {
					if masFileRead(m, fix.text) {
						known(message, fix, sites...)
						return
					}
					r.Warn(message+", unless "+m.Image.String()+" has other keys than "+masRead.String(), fix.text, append(sites, m.ImageAt.Site("the image"))...)
				}
			}
			reading{
				d: d, program: "MAS",
				unknown:   "MAS ignores it and goes by its default",
				wrong:     "MAS does not start",
				misplaced: masMisplaced,
				report:    report(r.FailMend),
				ignored:   report(r.WarnMend),
				loose:     "policy.data", // a serde_json::Value; its own policies pass over what is of another kind
				passed:    ownPolicyData(m),
			}.check(place{value: m.Config.Root(), known: masKeys()})
			checkMASVariables(r, m)
			checkPolicySwitches(r, m)
		}
	},
}

// ownPolicyData are the places of the data for a policy of one's own, which may read whatever it likes.
func ownPolicyData(m *deployment.MAS) (places []source.Pos) {
	if !m.Config.At("policy", "wasm_module").Set() {
		return nil
	}
	data := place{value: m.Config.At("policy", "data"), known: masKeys().At("policy", "data")}
	data.visit(func(p place) { places = append(places, p.value.Pos()) })
	return places
}

// checkPolicySwitches has a text where MAS's policies look for true or false: to them every text is true (Rego).
func checkPolicySwitches(r *Reporter, m *deployment.MAS) {
	for _, key := range []string{"allow_insecure_uris", "allow_host_mismatch", "allow_missing_client_uri"} {
		v := m.Config.At("policy", "data", "client_registration", key)
		if slices.Contains([]string{"false", "no", "off", "n"}, strings.ToLower(v.Str())) && v.IsString() && !m.Config.At("policy", "wasm_module").Set() {
			r.FailMend(fmt.Sprintf("%s is the text %q, which MAS's policies take for true", v.Path(), v.Str()), set(v, "false"), v.Site(""))
		}
	}
}

// checkMASVariables has variables that look like a setting and are none.
func checkMASVariables(r *Reporter, m *deployment.MAS) {
	for _, v := range m.Variables {
		section, key, _ := strings.Cut(strings.ToLower(strings.TrimPrefix(v.Name, "MAS_")), "_")
		if strings.HasPrefix(v.Name, "MAS_") && strings.Contains(key, "_") && masKeys().At(section, key).Exists() {
			r.Warn(fmt.Sprintf("%s has no effect: MAS takes each underscore of a variable for a level, and looks for %s", v.Name, section+"."+strings.ReplaceAll(key, "_", ".")),
				section+": {"+key+": …} in its configuration file", v.At.Site(""))
		}
	}
}

// masMisplaced are keys that other programs call so, or that stand elsewhere under a name of another kind.
var masMisplaced = map[string]string{
	"registration":                         "account: {password_registration_enabled: true}",
	"policy.client_registration":           "move it to policy.data.client_registration",
	"client_registration":                  "move it to policy.data.client_registration",
	"policy.data.allow_host_mismatch":      "move it to policy.data.client_registration",
	"policy.data.allow_insecure_uris":      "move it to policy.data.client_registration",
	"policy.data.allow_missing_client_uri": "move it to policy.data.client_registration",
	"database.user":                        "rename it to username",
	"database.dbname":                      "rename it to database",
	"database.name":                        "rename it to database",
}

// read reports whether the image is a release whose keys are known: those of releases up to the one that is
// rendered are, but for keys that are like no other.
func masFileRead(m *deployment.MAS, fix string) bool {
	v, ok := m.Image.Version()
	tested, _ := component.Of(component.MAS).Tested.Version()
	return ok && !v.Less(component.Of(component.MAS).Oldest) && (!masRead.Less(v) || fix != removeIt && !tested.Less(v))
}

var masVersionSupports = Rule{
	ID: "mas-version-supports", Severity: finding.Error,
	Summary: "the tagged MAS has every key and every word that its configuration uses",
	Why:     "An older MAS ignores the key without a word, for instance a database.password_file, and then has no password; or it stops: \"unknown variant `set`\".",
	Fix:     "Take an image that has it, or configure it as that release does.",
	Source:  "MAS docs/config.schema.json of each tag; Synapse docs/upgrade.md (1.136)",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, m := range d.MASs {
			v, ok := m.Image.Version()
			if !ok {
				continue
			}
			place{value: m.Config.Root(), known: masKeys()}.visit(func(p place) { checkMASRelease(r, m, p, v) })
		}
		d.Pairs(func(s *deployment.Synapse, m *deployment.MAS) {
			if v, ok := m.Image.Version(); ok && v.Less(component.Version{0, 20, 0}) {
				r.Fail(fmt.Sprintf("Synapse's matrix_authentication_service needs MAS 0.20, and this is %s; every request with a token fails with 503", m.Image.Tag),
					m.ImageLine(component.Of(component.MAS).Tested), m.ImageAt.Site(""), s.Config.At("matrix_authentication_service").Site("Synapse relies on it"))
			}
		})
	},
}

func checkMASRelease(r *Reporter, m *deployment.MAS, p place, v component.Version) {
	tested := m.ImageLine(component.Of(component.MAS).Tested)
	words := strings.Split(p.known.Str(), "|")
	i := slices.IndexFunc(words, func(w string) bool { return fits(w, p.value) })
	if p.known.Kind() != source.Scalar || i < 0 {
		return // mas-known-keys says so
	}
	name, consequence := p.path, "MAS ignores it"
	if _, isType := valueTypes[wordsOf(p.known)[i]]; !isType {
		name += ": " + p.value.Str()
		if slices.ContainsFunc(words, func(w string) bool { first, _ := releases(w); return !v.Less(first) }) {
			consequence = "MAS does not start"
		}
	}
	first, gone := releases(words[i])
	switch {
	case v.Less(first):
		r.Fail(fmt.Sprintf("%s begins with MAS %s, and this is %s; %s", name, first, m.Image.Tag, consequence),
			tested, m.ImageAt.Site(""), p.value.Site("is used here"))
	case gone != component.Version{} && !v.Less(gone):
		r.Fail(fmt.Sprintf("%s is gone since MAS %s, and this is %s; %s", name, gone, m.Image.Tag, consequence),
			"remove the line", p.value.Site(""), m.ImageAt.Site("the image"))
	case strings.HasPrefix(p.path, masParameters) && strings.Contains(p.value.Str(), "{") && v.Less(component.Version{1, 22, 0}):
		r.Fail(fmt.Sprintf("%s is a template, which MAS knows here since 1.22.0, and this is %s; the provider gets it as it stands", name, m.Image.Tag),
			tested, m.ImageAt.Site(""), p.value.Site("is used here"))
	}
}

const masParameters = "upstream_oauth2.providers[].additional_authorization_parameters."
