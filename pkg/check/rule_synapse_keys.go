package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

func synapseKeyTree() source.Value { return knownKeys(component.Of(component.Synapse).Keys) }

var synapseKnownKeys = Rule{
	ID: "synapse-known-keys", Severity: finding.Warning,
	Summary: "Synapse knows every key of homeserver.yaml",
	Why:     "Synapse passes over a key that it does not know without a word: a misspelt limit limits nothing, a setting at the wrong level is not set.",
	Fix:     "Write the key as Synapse knows it, where Synapse knows it, or remove it.",
	Source:  "Synapse 1.136.0 to 1.163.2 synapse/config; docs/usage/configuration",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			var unknown []place
			config := place{value: s.Config.Root(), known: synapseKeyTree()}
			config.visit(func(p place) {
				// synapse-required-keys has the last two.
				if p.known.Exists() || p.path == "listeners[].resources[].name" || s.ArgsAstray().Set() && p.value.Pos() == s.ArgsAstray().Pos() {
					return
				}
				unknown = append(unknown, p)
			})
			severally(r, unknown, func(p place) []source.Site { return []source.Site{p.value.Site("")} }, func(r *Reporter, unknown []place) {
				failUnknown(r, s, config, unknown)
			})
		}
	},
}

// failUnknown names the keys of a configuration that Synapse does not know.
func failUnknown(r *Reporter, s *deployment.Synapse, config place, unknown []place) {
	var names, fixes []string
	var sites []source.Site
	for _, p := range unknown {
		names, sites = append(names, p.path), append(sites, p.value.Site(""))
		fix := cmp.Or(synapseMeant[p.value.Name()], renamed(config, p))
		if strings.HasPrefix(fix, "move it to ") && slices.Contains(anybodys, p.value.Name()) {
			fix = removeIt
		}
		fixes = append(fixes, fix)
	}
	if !synapseKeysRead(s) {
		r.NotChecked(fmt.Sprintf("whether %s reads %s, which no Synapse from %s to %s does", s.Image.String(), finding.Sentence(names, "or"),
			component.Of(component.Synapse).Oldest, component.Of(component.Synapse).Tested.Tag), sites...)
		return
	}
	fix := fixes[0]
	if len(names) > 1 {
		for i := range fixes {
			fixes[i] = names[i] + ": " + fixes[i]
		}
		fix = strings.Join(fixes, "\n")
	}
	r.Fail(fmt.Sprintf("Synapse knows no %s; it passes over %s without a word", finding.Sentence(names, "and no"), itOrThem(names)), fix, sites...)
}

// synapseMeant are names that people give to keys which Synapse calls something else.
var synapseMeant = map[string]string{
	"burst":                         "rename it to burst_count",
	"enable_captcha":                "rename it to enable_registration_captcha",
	"federation_ip_range_whitelist": "rename it to ip_range_whitelist",
	"recaptcha_secret_key":          "rename it to recaptcha_private_key",
	"recaptcha_site_key":            "rename it to recaptcha_public_key",
	"x_forwarded":                   "move it to listeners[].x_forwarded, below each listener that a proxy asks",
}

// anybodys are names that say nothing of the section that they were meant for.
var anybodys = []string{"database", "enabled", "host", "name", "password", "path", "port", "type", "url", "user", "username"}

func itOrThem(names []string) string {
	if len(names) > 1 {
		return "them"
	}
	return "it"
}

// keysRead reports whether the image is a release whose keys stand in the table.
func synapseKeysRead(s *deployment.Synapse) bool {
	v, ok := s.Image.Version()
	tested, _ := component.Of(component.Synapse).Tested.Version()
	return ok && !v.Less(component.Of(component.Synapse).Oldest) && !tested.Less(v)
}
