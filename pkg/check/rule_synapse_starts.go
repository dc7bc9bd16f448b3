package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// synapseForms are the keys whose value has to have a form of its own, wherever Synapse reads them.
var synapseForms = []struct {
	form string
	keys []string
}{
	{"duration", []string{
		"delete_stale_devices_after", "federation.client_timeout", "federation.destination_max_retry_interval", "federation.destination_min_retry_interval",
		"federation.max_long_retry_delay", "federation.max_short_retry_delay", "forgotten_room_retention_period", "key_refresh_interval",
		"login_via_existing_session.token_timeout", "max_event_delay_duration", "media_retention.local_media_lifetime", "media_retention.remote_media_lifetime",
		"redaction_allowed_period", "redaction_retention_period", "turn_user_lifetime", "ui_auth.session_timeout", "user_ips_max_age",
	}},
	{"size", []string{
		"event_cache_size", "max_avatar_size", "max_image_pixels", "max_spider_size", "max_upload_size",
		"remote_media_download_burst_count", "remote_media_download_per_second",
	}},
	{"list", []string{"allowed_avatar_mimetypes", "next_link_domain_whitelist", "no_proxy_hosts", "trusted_key_servers"}},
	{"mapping", []string{"extra_well_known_client_content", "templates"}},
}

// durationForm and sizeForm are what Python's int takes, with the letter that Synapse knows behind it; otherNumber is
// what PyYAML reads as a number besides.
var (
	durationForm = regex.Of(`^\s*[-+]?\d+(?:_?\d+)*\s*[smhdwy]?$`)
	sizeForm     = regex.Of(`^\s*[-+]?\d+(?:_?\d+)*\s*[KMGT]?$`)
	otherNumber  = regex.Of(`^[-+]?(?:[1-9]\d*(?::[0-5]?\d)+|0[xb][0-9a-fA-F_]+)$`)
)

// formFits reports whether Synapse takes a value that has to be a duration or a size.
func formFits(form string, v source.Value) bool {
	if v.Kind() != source.Scalar {
		return false
	}
	if v.Plain() && otherNumber().MatchString(v.Str()) {
		return true
	}
	if form == "size" {
		return sizeForm().MatchString(v.Str())
	}
	return durationForm().MatchString(v.Str())
}

// formWords say what is wanted, and an example.
var formWords = map[string][2]string{
	"duration": {"a number, alone or with one of s, m, h, d, w and y behind it", "90d"},
	"size":     {"a number, alone or with one of K, M, G and T behind it", "50M"},
	"list":     {"a list", "[…]"},
	"mapping":  {"a mapping", "{…: …}"},
}

// synapseEither are keys that Synapse takes only where none of the others beside them stands.
var synapseEither = [][]string{
	{"database", "databases"},
	{"room_invite_state_types", "room_prejoin_state"},
	{"backup_media_store_path", "media_storage_providers"},
	{"restrict_public_rooms_to_local_users", "allow_public_rooms_without_auth", "allow_public_rooms_over_federation"},
}

var synapseStarts = Rule{
	ID: "synapse-starts", Severity: finding.Error,
	Summary: "Synapse takes the values of its settings, and those that stand side by side, and a duration has its unit",
	Why:     "Synapse does not start: \"You have enabled open registration without any verification\", \"Could not validate media_upload_limits entry\", \"'max_concurrent_tasks' must be a positive integer\", \"Must only specify one instance to handle `typing` messages.\", \"invalid literal for int() with base 10\". Or it starts, and removes media after 90 milliseconds where 90 days were meant.",
	Fix:     "Write what the message names.",
	Source:  "Synapse 1.163.2 synapse/config (each refusal was run)",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			stops := func(fact, fix string, at ...source.Value) {
				sites := make([]source.Site, len(at))
				for i, v := range at {
					sites[i] = v.Site("")
				}
				if len(at) > 0 && unfilled(at[0].Str()) { // config-variables says so
					return
				}
				r.Fail(fact+"; Synapse does not start", fix, sites...)
			}
			checkForms(s, stops)
			checkUnits(r, s)
			checkEither(s, stops)
			checkOpenRegistration(s, stops)
			checkUploadLimits(s, stops)
			checkLimits(s, stops)
			checkWriterCounts(s, stops)
			checkRooms(s, stops)
			checkWellKnownContent(s, stops)
			checkOIDCProviders(s, stops)
		}
	},
}

// stopFunc reports what keeps Synapse from starting.
type stopFunc = func(fact, fix string, at ...source.Value)

func checkForms(s *deployment.Synapse, stops stopFunc) {
	for _, f := range synapseForms {
		for _, key := range f.keys {
			v := s.Config.At(strings.Split(key, ".")...)
			if !v.Set() {
				continue
			}
			var ok bool
			switch f.form {
			case "list":
				ok = v.Kind() == source.Sequence
			case "mapping":
				ok = v.Kind() == source.Mapping
			default:
				ok = formFits(f.form, v)
			}
			if !ok {
				words := formWords[f.form]
				stops(fmt.Sprintf("%s must be %s", key, words[0]), "write it like "+words[1], v)
			}
		}
	}
}

// checkUnits has the durations whose unit was forgotten: Synapse takes a bare number for milliseconds, and none of them is meant
// to be shorter than a second, but for how long the first tries of a request to another server are apart.
func checkUnits(r *Reporter, s *deployment.Synapse) {
	for _, key := range synapseForms[0].keys {
		if key == "federation.max_short_retry_delay" {
			continue
		}
		v := s.Config.At(strings.Split(key, ".")...)
		if n, err := strconv.Atoi(v.Str()); err == nil && n > 0 && n < 1000 {
			r.Warn(fmt.Sprintf("%s has no unit: Synapse takes %d for milliseconds, and what it bounds is over at once", key, n), fmt.Sprintf("%[1]s: %[2]ds, %[2]dm, %[2]dh or %[2]dd, whichever is meant", v.Name(), n), v.Site(""))
		}
	}
}

func checkEither(s *deployment.Synapse, stops stopFunc) {
	for _, keys := range synapseEither {
		one := s.Config.At(keys[0])
		if !filled(one) && (!strings.HasPrefix(keys[0], "r") || !one.Exists()) {
			continue
		}
		var names []string
		var at []source.Value
		for _, key := range keys[1:] {
			// Of some it is enough that they stand there.
			if v := s.Config.At(key); filled(v) || strings.HasPrefix(keys[0], "restrict_") && v.Exists() {
				names, at = append(names, key), append(at, v)
			}
		}
		if len(names) > 0 {
			fact, fix := fmt.Sprintf("%s and %s stand side by side, and only one of the two may", keys[0], names[0]), "remove one of the two"
			if len(names) > 1 {
				fact, fix = fmt.Sprintf("%s may not stand beside %s", keys[0], finding.Sentence(names, "and")), "remove "+keys[0]+", or the others"
			}
			stops(fact, fix, append(at, one)...)
		}
	}
	features := s.Config.At("experimental_features")
	if v := features.At("msc3890_enabled"); v.True() && !features.At("msc3391_enabled").True() {
		stops("msc3890_enabled needs msc3391_enabled", "msc3391_enabled: true", v, features.At("msc3391_enabled"))
	}
}

// filled reports whether a value counts as one for Python: it is there and not empty.
func filled(v source.Value) bool {
	switch v.Kind() {
	case source.Mapping, source.Sequence:
		return v.Len() > 0
	default:
		return v.Set() && v.Str() != "" && !deployment.IsFalse(v)
	}
}

// checkOpenRegistration has registration that asks for nothing. Beside MAS, synapse-no-local-auth speaks of it.
func checkOpenRegistration(s *deployment.Synapse, stops stopFunc) {
	on := s.Config.At("enable_registration")
	if !on.True() || s.Delegates() || s.Partial() || s.Config.At("enable_registration_without_verification").True() {
		return
	}
	if olderThan(s, 59) { // it came with 1.59
		return
	}
	for _, key := range []string{"registrations_require_3pid", "registration_requires_token", "enable_registration_captcha"} {
		if filled(s.Config.At(key)) {
			return
		}
	}
	stops("enable_registration is on, and nothing asks those who register for anything", "registration_requires_token: true, or enable_registration: false", on)
}

// olderThan reports whether the image has, or may have, a Synapse before 1.MINOR.
func olderThan(s *deployment.Synapse, minor int) bool {
	return before(s, component.Version{1, minor, 0})
}

// before reports whether the image has, or may have, a release before that one. Synapse's own image has the newest where
// its tag says none; what is in somebody else's is not known then.
func before(s *deployment.Synapse, first component.Version) bool {
	if v, tagged := s.Image.Version(); tagged {
		return v.Less(first)
	}
	return !s.OwnImage()
}

// checkUploadLimits has the entries of media_upload_limits. Their two keys were always needed.
func checkUploadLimits(s *deployment.Synapse, stops stopFunc) {
	list := s.Config.At("media_upload_limits")
	if olderThan(s, 135) || !list.Set() {
		return
	}
	if list.Kind() != source.Sequence {
		stops("media_upload_limits is no list", "media_upload_limits: [{time_period: 1d, max_size: 1G}]", list)
	}
	for i, item := range list.Items() {
		what := fmt.Sprintf("entry %d of media_upload_limits", i+1)
		for _, key := range [][3]string{{"time_period", "duration", "1d"}, {"max_size", "size", "1G"}} {
			switch v := item.At(key[0]); {
			case !v.Exists():
				stops(what+" has no "+key[0], key[0]+": "+key[2], item)
			case !formFits(key[1], v):
				stops(fmt.Sprintf("%s of %s must be %s", key[0], what, formWords[key[1]][0]), key[0]+": "+key[2], v)
			}
		}
		if olderThan(s, 163) {
			continue
		}
		if v := item.At("info_uri"); v.Set() && !scheme().MatchString(v.Str()) {
			stops("info_uri of "+what+" is no URL", "info_uri: https://…", v)
		}
		if v := item.At("can_upgrade"); v.Exists() {
			if _, ok := v.Bool(); !ok {
				stops("can_upgrade of "+what+" is neither true nor false", "can_upgrade: false", v)
			}
		}
	}
}

// checkLimits has the numbers of task_scheduler and push_rules.
func checkLimits(s *deployment.Synapse, stops stopFunc) {
	if v := s.Config.At("task_scheduler"); filled(v) && !olderThan(s, 163) {
		n := v.At("max_concurrent_tasks")
		switch i, ok := n.Int(); {
		case v.Kind() != source.Mapping:
			stops("task_scheduler is no mapping", "task_scheduler: {max_concurrent_tasks: 5}", v)
		case n.Exists() && (!ok || i <= 0):
			stops("max_concurrent_tasks is no number above 0", "max_concurrent_tasks: 5", n)
		}
	}
	if olderThan(s, 158) {
		return
	}
	limits := s.Config.At("push_rules", "limits")
	for _, l := range []struct {
		key   string
		least int
	}{{"rule_count", 0}, {"rule_id_length", 1}} {
		if v := limits.At(l.key); v.Exists() {
			if i, ok := v.Int(); !ok || i < l.least {
				stops(fmt.Sprintf("%s in push_rules.limits is no number of at least %d", l.key, l.least), l.key+": "+strconv.Itoa(1000), v)
			}
		}
	}
	if v := limits.At("rule_size"); v.Exists() && !formFits("size", v) {
		stops("rule_size in push_rules.limits must be "+formWords["size"][0], "rule_size: 1024", v)
	}
}

// lacks reports whether a release before that one runs, or may run. Only a tag says that of one which is older than what
// is rendered for.
func lacks(s *deployment.Synapse, first component.Version) bool {
	_, tagged := s.Image.Version()
	return before(s, first) && (tagged || component.Of(component.Synapse).Oldest.Less(first))
}

// checkWriterCounts has each stream have as many writers as Synapse takes.
func checkWriterCounts(s *deployment.Synapse, stops stopFunc) {
	for _, w := range component.Streams {
		v := s.Config.At("stream_writers", w.Name)
		switch n := len(oneOrMore(v)); {
		case !v.Exists() || v.IsString() || lacks(s, w.Since):
		case v.Kind() != source.Sequence:
			stops("stream_writers."+w.Name+" is no list", w.Name+": [the name of a worker]", v)
		case n == 0:
			stops("nobody writes the stream "+w.Name, "remove the line", v)
		case n > 1 && (w.Several == component.Version{} || lacks(s, w.Several)):
			stops(fmt.Sprintf("%d processes write the stream %s, which one alone may", n, w.Name), w.Name+": the name of one of them", v)
		}
	}
}

// newestRoomVersion is the latest that Synapse knows.
const newestRoomVersion = 12

func checkRooms(s *deployment.Synapse, stops stopFunc) {
	v := s.Config.At("default_room_version")
	// A name with a domain in front is one of those that are tried out, which come and go.
	if n, err := strconv.Atoi(v.Str()); v.Exists() && !strings.Contains(v.Str(), "org.") && (err != nil || n < 1 || n > newestRoomVersion) {
		stops(fmt.Sprintf("Synapse knows no room version %q", v.Str()), "remove the line, or "+strconv.Quote(strconv.Itoa(newestRoomVersion)), v)
	}
	for _, alias := range s.Config.At("auto_join_rooms").Items() {
		if name, server, ok := strings.Cut(alias.Str(), ":"); !ok || !strings.HasPrefix(name, "#") || server == "" {
			stops(fmt.Sprintf("%q in auto_join_rooms is no alias of a room", alias.Str()), `- "#name:`+s.Config.At("server_name").Str()+`"`, alias)
		}
	}
	presets := []string{"public_chat", "private_chat", "trusted_private_chat"}
	preset := s.Config.At("autocreate_auto_join_room_preset")
	if filled(preset) && !deployment.IsFalse(s.Config.At("autocreate_auto_join_rooms")) && !slices.Contains(presets, preset.Str()) {
		stops(fmt.Sprintf("autocreate_auto_join_room_preset is %q, which is none of %s", preset.Str(), strings.Join(presets, ", ")), "autocreate_auto_join_room_preset: public_chat", preset)
	}
}

func checkWellKnownContent(s *deployment.Synapse, stops stopFunc) {
	for _, key := range [][2]string{{"m.homeserver", "public_baseurl"}, {"m.identity_server", "default_identity_server"}} {
		if v := s.Config.At("extra_well_known_client_content", key[0]); v.Exists() {
			stops(key[0]+" may not stand in extra_well_known_client_content", "remove the line; "+key[1]+" says so", v)
		}
	}
}

// checkOIDCProviders has what each provider needs. Beside MAS, synapse-no-local-auth speaks of them.
func checkOIDCProviders(s *deployment.Synapse, stops stopFunc) {
	if s.Delegates() {
		return
	}
	for i, provider := range s.Config.At("oidc_providers").Items() {
		for _, key := range []string{"idp_id", "idp_name", "issuer", "client_id"} {
			if provider.Kind() == source.Mapping && !provider.At(key).Exists() {
				stops(fmt.Sprintf("provider %d of oidc_providers has no %s", i+1, key), key+": …", provider)
			}
		}
	}
}
