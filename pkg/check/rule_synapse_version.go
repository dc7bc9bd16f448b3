package check

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// synapseKeys are the keys that came late: the first release whose synapse/config reads them, and what comes
// of a key that an older one passes over.
var synapseKeys = []struct {
	key    string
	first  component.Version
	effect string
}{
	{"matrix_authentication_service", component.Version{1, 136, 0}, "Synapse asks for passwords itself, and whoever logs in at MAS is refused"},
	{"matrix_authentication_service.force_http2", component.Version{1, 151, 0}, ignored},
	{"registration_shared_secret_path", component.Version{1, 67, 0}, secretIgnored},
	{"turn_shared_secret_path", component.Version{1, 116, 0}, "calls get no relay"},
	{"redis.password_path", component.Version{1, 117, 0}, "Synapse logs in to Redis without a password"},
	{"macaroon_secret_key_path", component.Version{1, 122, 0}, secretIgnored},
	{"form_secret_path", component.Version{1, 126, 0}, secretIgnored},
	{"worker_replication_secret_path", component.Version{1, 126, 0}, "workers talk to each other without a secret"},
	{"recaptcha_public_key_path", component.Version{1, 135, 0}, secretIgnored},
	{"recaptcha_private_key_path", component.Version{1, 135, 0}, secretIgnored},
	{"oidc_providers.*.client_secret_path", component.Version{1, 91, 0}, "Synapse does not start"},
	{"database.allow_unsafe_locale", component.Version{1, 56, 0}, ignored},
	{"media_retention", component.Version{1, 61, 0}, "no media is ever removed"},
	{"listeners.*.path", component.Version{1, 81, 0}, "Synapse does not start"},
	{"forget_rooms_on_leave", component.Version{1, 84, 0}, ignored},
	{"auto_accept_invites", component.Version{1, 109, 0}, ignored},
	{"enable_authenticated_media", component.Version{1, 112, 0}, ignored},
	{"max_event_delay_duration", component.Version{1, 116, 0}, "calls of Element X are left hanging when a phone drops out"},
	{"rc_presence", component.Version{1, 124, 0}, ignored},
	{"rc_delayed_event_mgmt", component.Version{1, 126, 0}, ignored},
	{"exclude_remote_users_from_search_results", component.Version{1, 130, 0}, ignored},
	{"user_types", component.Version{1, 132, 0}, ignored},
	{"rc_reports", component.Version{1, 133, 0}, ignored},
	{"media_upload_limits", component.Version{1, 135, 0}, ignored},
	{"rc_room_creation", component.Version{1, 136, 0}, ignored},
	{"matrix_rtc", component.Version{1, 140, 0}, "clients find no server for calls"},
	{"enable_local_media_storage", component.Version{1, 146, 0}, ignored},
	{"exclude_rooms_from_presence", component.Version{1, 157, 0}, ignored},
	{"push_rules", component.Version{1, 157, 2}, ignored},
	{"include_profile_updates_in_sync", component.Version{1, 159, 0}, ignored},
	{"redaction_allowed_period", component.Version{1, 161, 0}, ignored},
	{"matrix_rtc.transports.*.url", component.Version{1, 161, 0}, ignored},
	{"rc_profile", component.Version{1, 162, 0}, ignored},
	{"redis.username", component.Version{1, 162, 0}, "Synapse logs in to Redis without a user"},
	{"task_scheduler", component.Version{1, 163, 0}, ignored},
	{"experimental_features.msc4108_enabled", component.Version{1, 106, 0}, ignored},
	{"experimental_features.msc4388_mode", component.Version{1, 149, 0}, ignored},
}

const (
	ignored       = "it has no effect"
	secretIgnored = "Synapse goes on without the secret"
)

// synapseGone are the keys that Synapse refuses since a release.
var synapseGone = []struct {
	key   string
	since component.Version
	fix   string
}{
	{"log_file", component.Version{1, 8, 0}, "log_config: the path of a log configuration"},
	{"worker_replication_port", component.Version{1, 67, 0}, "remove the line; workers talk through Redis"},
	{"account_threepid_delegates.email", component.Version{1, 66, 0}, "remove the line"},
}

var synapseVersionSupports = Rule{
	ID: "synapse-version-supports", Severity: finding.Error,
	Summary: "the Synapse of the image knows every key that is used, and has no known fault with them",
	Why:     "An older Synapse passes over what it does not know without a word: MAS, secrets from files and retention do nothing. A newer one stops on what it gave up: \"Support for the log_file configuration option … was removed\", \"Using direct TCP replication for workers is no longer supported\".",
	Fix:     "Take the version that the message names, or remove the key.",
	Source:  "git history of synapse/config; Synapse CHANGES.md, docs/upgrade.md",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			img := s.Value.At("image")
			v, tagged := s.Image.Version()
			var unknown string // what stands below it is not known either
			for _, k := range synapseKeys {
				for _, val := range deployment.Each(s.Config.Root(), k.key) {
					if tagged && v.Less(k.first) && val.Set() && (unknown == "" || !strings.HasPrefix(k.key, unknown+".")) {
						unknown = k.key
						r.Fail(fmt.Sprintf("Synapse %s does not know %s, which begins with %s; %s", s.Image.Tag, val.Path(), k.first, k.effect),
							"image: "+newer(s.Image, k.first).String(), val.Site(""), img.Site("the version"))
					}
				}
			}
			for _, k := range synapseGone {
				for _, val := range deployment.Each(s.Config.Root(), k.key) {
					if (!tagged || !v.Less(k.since)) && val.Set() {
						r.Fail(fmt.Sprintf("%s was removed in Synapse %s; Synapse does not start", val.Path(), k.since), k.fix, val.Site(""), img.Site("the version"))
					}
				}
			}
			for i, l := range s.Config.At("listeners").Items() {
				if val := l.At("type"); val.Str() == "replication" && (!tagged || !v.Less(component.Version{1, 67, 0})) {
					r.Fail(fmt.Sprintf("listener %d has the type replication, which was removed in Synapse 1.67.0; Synapse does not start", i+1), "type: http, with the resource replication", val.Site(""), img.Site("the version"))
				}
			}
			checkKnownFaults(r, s)
			checkRefusals(r, s)
			checkRendezvous(r, s)
		}
	},
}

// newer is the image with the tag that stackgen was tested with, or a later one where that is too old.
func newer(ref component.Ref, first component.Version) component.Ref {
	ref.Tag, ref.Digest = component.Of(component.Synapse).Tested.Tag, ""
	if v, ok := ref.Version(); ok && v.Less(first) {
		ref.Tag = "v" + first.String()
	}
	return ref
}

var badSecretPath = regex.Of(`^v?1\.142\.0rc[123]$`)

// checkKnownFaults has releases with a fault that this configuration meets.
func checkKnownFaults(r *Reporter, s *deployment.Synapse) {
	img := s.Value.At("image")
	fix := "image: " + newer(s.Image, component.Version{}).String()
	v, _ := s.Image.Version()
	if val := s.Config.At("experimental_features"); v == (component.Version{1, 157, 0}) && val.Exists() && val.Kind() != source.Mapping {
		r.Fail("Synapse 1.157.0 stops on experimental_features without a value; it does not start", "remove the line, or take Synapse 1.157.2", val.Site(""), img.Site("the version"))
	}
	if val := s.Config.At("matrix_authentication_service", "endpoint"); v == (component.Version{1, 142, 0}) && s.Delegates() {
		if u, err := url.Parse(val.Str()); err == nil && strings.Trim(u.Path, "/") != "" {
			r.Fail("Synapse 1.142.0 leaves "+u.Path+" out when it asks MAS; every request with a token fails", fix, img.Site(""), val.Site("the endpoint"))
		}
	}
	for _, key := range []string{"msc4108_enabled", "msc4108_delegation_endpoint"} {
		if val := s.Config.At("experimental_features", key); v[0] == 1 && v[1] == 136 && s.Delegates() && val.Set() && !deployment.IsFalse(val) {
			r.Fail("Synapse "+s.Image.Tag+" takes "+key+" only with msc3861, and 1.137.0 with matrix_authentication_service, too; Synapse does not start", fix, img.Site(""), val.Site("is used here"))
		}
	}
	if val := s.Config.At("matrix_authentication_service", "secret_path"); badSecretPath().MatchString(s.Image.Tag) && val.Set() {
		r.Fail("Synapse "+s.Image.Tag+" cannot read matrix_authentication_service.secret_path, which 1.142.0rc4 can again; nobody can log in", fix, val.Site(""), img.Site("the version"))
	}
}

// checkRendezvous has the two ways to log in by QR code, which Synapse refuses where nothing else checks logins.
func checkRendezvous(r *Reporter, s *deployment.Synapse) {
	features := s.Config.At("experimental_features")
	on, delegated, mode := features.At("msc4108_enabled"), features.At("msc4108_delegation_endpoint"), features.At("msc4388_mode")
	modes := []string{"off", "open", "authenticated"}
	if on.True() && delegated.Set() {
		r.Fail("msc4108_enabled and msc4108_delegation_endpoint are both set; Synapse does not start", "remove one of the two", on.Site(""), delegated.Site(""))
	}
	if v, tagged := s.Image.Version(); mode.Set() && (!tagged || !v.Less(component.Version{1, 149, 0})) {
		fact := ""
		if !slices.Contains(modes, mode.Str()) {
			fact = fmt.Sprintf("msc4388_mode is %q, which is none of %s", mode.Str(), strings.Join(modes, ", "))
		} else if is := mode.ReadAs(source.PyYAML); is != "" { // off
			fact = "msc4388_mode stands there without quotes and reads as " + is
		}
		if fact != "" {
			r.Fail(fact+"; Synapse does not start", `msc4388_mode: "off"`, mode.Site(""))
			return
		}
	}
	for _, val := range []source.Value{on, delegated, mode} {
		used := val.Set() && !deployment.IsFalse(val) && val.Str() != "off"
		if used && !s.Delegates() && !features.At("msc3861", "enabled").True() && !s.Partial() {
			r.Fail(fmt.Sprintf("%s needs matrix_authentication_service, which is off; Synapse does not start", val.Path()), "remove the line", val.Site(""), s.Config.At("matrix_authentication_service").Site(""))
		}
	}
}
