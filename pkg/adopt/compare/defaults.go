package compare

import (
	"maps"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
)

// defaults are what a program takes where its configuration does not say it: keys that are written all the same have no
// effect. Of Synapse 1.163 synapse/config, of MAS 1.22 crates/config/src/sections, of mautrix-go v0.32 bridgev2/bridgeconfig.
var defaults = []struct {
	program    component.Program
	key, value string
}{
	{component.Synapse, "report_stats", "false"},
	{component.Synapse, "listeners[**].tls", "false"},
	{component.Synapse, "listeners[**].x_forwarded", "false"},
	{component.Synapse, "listeners[**].bind_addresses[0.0.0.0]", "0.0.0.0"},
	{component.Synapse, "listeners[**].resources.compress**", "false"},
	{component.Synapse, "database.allow_unsafe_locale", "false"},
	{component.Synapse, "database.txn_limit", "0"},
	{component.Synapse, "app_service_config_files", "[]"},
	{component.Synapse, "oidc_providers[**].allow_existing_users", "false"},
	{component.Synapse, "oidc_providers[**].client_auth_method", "client_secret_basic"},
	{component.Synapse, "oidc_providers[**].discover", "true"},
	{component.MAS, "matrix.kind", "synapse"},
	{component.MAS, "passwords.enabled", "true"},
	{component.MAS, "passwords.schemes[0].version", "1"},
	{component.MAS, "passwords.schemes[0].algorithm", "argon2id"},
	{component.MAS, "passwords.minimum_complexity", "3"},
	{component.MAS, "account.password_registration_enabled", "false"},
	{component.MAS, "account.email_change_allowed", "true"},
	{component.MAS, "account.displayname_change_allowed", "true"},
	{component.MAS, "account.password_change_allowed", "true"},
	{component.MAS, "account.password_recovery_enabled", "false"},
	{component.MAS, "account.account_deactivation_allowed", "true"},
	{component.MAS, "email.transport", "blackhole"},
	{component.MAS, "upstream_oauth2.providers[**].scope", "openid"},
	{component.MAS, "upstream_oauth2.providers[**].token_endpoint_auth_method", "client_secret_basic"},
	{component.MAS, "upstream_oauth2.providers[**].on_backchannel_logout", "do_nothing"},
	{"bridge", "network", "null"},
	{"bridge", "homeserver.software", "standard"},
	{"bridge", "appservice.ephemeral_events", "true"},
	{"bridge", "database.type", "postgres"},
	{"bridge", "encryption.allow", "false"},
	{"bridge", "encryption.default", "false"},
	{"bridge", "encryption.require", "false"},
	{"bridge", "encryption.appservice", "false"},
	{"bridge", "encryption.msc4190", "false"},
	{"bridge", "encryption.self_sign", "false"},
	{"bridge", "bridge.encryption.allow", "false"},
	{"bridge", "bridge.encryption.default", "false"},
	{"bridge", "bridge.encryption.require", "false"},
	{"bridge", "bridge.encryption.appservice", "false"},
	{"bridge", "bridge.encryption.msc4190", "false"},
	{"bridge", "bridge.double_puppet_allow_discovery", "false"},
	{"bridge", "bridge.double_puppet_server_map", "{}"},
	{"bridge", "bridge.relay.enabled", "false"},
	{"bridge", "double_puppet.allow_discovery", "false"},
	{"bridge", "double_puppet.servers", "{}"},
}

// isDefault reports whether a program takes what one side says anyway: a value, or a list as a whole.
func (c *comparison) isDefault(k id, s *side) bool {
	f := s.facts[k]
	program, known := c.old.programs[k.about]
	if !known {
		program = c.ours.programs[k.about]
	}
	for _, d := range defaults {
		if (d.program == program || d.program == "bridge" && component.Of(program).Bridge != nil) && match(d.key, k.key) && d.value == f.shown {
			return true
		}
	}
	list, _, item := strings.Cut(k.key, "[")
	if base, order := strings.CutSuffix(k.key, inOrder); order {
		list, item = base, true
	}
	for _, is := range c.written(k.about, program) {
		if !item {
			if d, there := is[k.key]; there && sameDefault(d, f) {
				return true
			}
			continue
		}
		ours, theirs := make(map[string]fact), make(map[string]fact)
		for other, f := range s.facts {
			if other.about == k.about && other.doc == k.doc && partOf(other.key, list) {
				theirs[other.key] = f
			}
		}
		for key, f := range is {
			if partOf(key, list) {
				ours[key] = f
			}
		}
		if len(ours) > 0 && maps.EqualFunc(ours, theirs, sameDefault) {
			return true
		}
	}
	return false
}

// partOf reports whether a key is of an item of the list, or of the order of its items.
func partOf(key, list string) bool {
	return strings.HasPrefix(key, list+"[") || key == list+inOrder
}

// sameDefault holds a default against a value; a time or a size may be written in another unit.
func sameDefault(is, f fact) bool {
	def, text := is.text, f.text
	if plain, err := strconv.Unquote(text); err == nil {
		text = plain
		if plain, err := strconv.Unquote(def); err == nil {
			def = plain
		}
	}
	if deployment.IsDefault(def, text) {
		return true
	}
	for _, in := range []func(string) (string, bool){inMilliseconds, inBytes} {
		if a, ok := in(def); ok {
			if b, ok := in(text); ok && a == b {
				return true
			}
		}
	}
	return false
}

func inMilliseconds(text string) (string, bool) {
	n, ok := milliseconds(strings.TrimSuffix(text, " ms"))
	return strconv.FormatFloat(n, 'f', -1, 64), ok
}

func inBytes(text string) (string, bool) {
	n, ok := bytesOf(strings.TrimSuffix(text, " bytes"))
	return strconv.FormatInt(n, 10), ok
}

// written are the defaults that the program writes itself, or takes, by their keys: those of each file of them.
func (c *comparison) written(about string, program component.Program) []map[string]fact {
	if had, done := c.defaults[about]; done {
		return had
	}
	var dialect component.Dialect
	for _, b := range c.ours.Bridges {
		if c.ours.whom(b.Service) == about {
			dialect = b.Dialect
		}
	}
	var found []map[string]fact
	for _, f := range deployment.DefaultsOf(program, dialect) {
		s := &side{Deployment: c.old.Deployment, of: c.old.of, facts: make(map[id]fact), used: make(map[string]bool)}
		s.walk(document{about: f.Path, doc: "config", program: program}, "", f.Root())
		is := make(map[string]fact)
		for k, f := range s.facts {
			is[k.key] = f
		}
		found = append(found, is)
	}
	if c.defaults == nil {
		c.defaults = make(map[string][]map[string]fact)
	}
	c.defaults[about] = found
	return found
}
