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

var synapseVersionSupports = Rule{
	ID: "synapse-version-supports", Severity: finding.Error,
	Summary: "the Synapse of the image knows every key that is used, and has no known fault with them",
	Why:     "An older Synapse passes over what it does not know without a word: MAS, secrets from files and retention do nothing. A newer one stops on what it gave up: \"Support for the log_file configuration option … was removed\", \"Using direct TCP replication for workers is no longer supported\".",
	Fix:     "Take the version that the message names, or remove the key.",
	Source:  "git history of synapse/config; Synapse CHANGES.md, docs/upgrade.md",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			img := s.ImageAt
			v, tagged := s.Image.Version()
			var unknown string // what stands below it is not known either
			for _, k := range component.SynapseSince {
				for _, val := range deployment.Each(s.Config.Root(), k.Key) {
					if tagged && v.Less(k.First) && val.Set() && (unknown == "" || !strings.HasPrefix(k.Key, unknown+".")) {
						unknown = k.Key
						r.Fail(fmt.Sprintf("Synapse %s does not know %s, which begins with %s; %s", s.Image.Tag, val.Path(), k.First, k.Effect),
							s.ImageLine(newer(s.Image, k.First)), val.Site(""), img.Site("the version"))
					}
				}
			}
			for _, k := range component.SynapseGone {
				for _, val := range deployment.Each(s.Config.Root(), k.Key) {
					switch {
					case !val.Set():
					case !tagged && before(s, k.Since):
						r.NotChecked(fmt.Sprintf("which release of Synapse is in %s is not known; %s was removed in %s", s.Image.String(), val.Path(), k.Since), val.Site(""), img.Site(""))
					case !before(s, k.Since):
						r.Fail(fmt.Sprintf("%s was removed in Synapse %s; Synapse does not start", val.Path(), k.Since), k.Instead, val.Site(""), img.Site("the version"))
					}
				}
			}
			for i, l := range s.Config.At("listeners").Items() {
				if val := l.At("type"); val.Str() == "replication" && !olderThan(s, 67) {
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
	img := s.ImageAt
	fix := s.ImageLine(newer(s.Image, component.Version{}))
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
	if mode.Set() && !olderThan(s, 149) {
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
