package compare

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// every reports whether each homeserver is like that. Without one nothing is known.
func (s *side) every(like func(config source.Value) bool) bool {
	for _, syn := range s.Synapses {
		if !like(syn.Config.Root()) {
			return false
		}
	}
	return len(s.Synapses) > 0
}

// nobodySent: Synapse sends nobody to an address of its own (public_baseurl in synapse/config and synapse/handlers of 1.163).
func nobodySent(s *side, now fact) bool {
	return sendsNoMail(s, now) && s.every(func(c source.Value) bool {
		return !slices.ContainsFunc([]string{
			"oidc_providers", "oidc_config", "cas_config", "saml2_config", "sso", "user_consent", "matrix_authentication_service", "account_threepid_delegates",
			"enable_registration_captcha", "modules", "password_providers", "registrations_require_3pid", "ui_auth", "templates",
		}, func(key string) bool {
			v := c.At(key)
			return v.Set() && (v.Kind() == source.Scalar || v.Len()+len(v.Items()) > 0)
		})
	})
}

// byName: the address is what Synapse makes of its name where none is written (synapse/config/server.py).
func byName(s *side, now fact) bool {
	return s.every(func(c source.Value) bool {
		return strings.TrimSuffix(now.shown, "/") == "https://"+c.At("server_name").Str()
	})
}

// sendsNoMail: Synapse has no server to send mails by (synapse/config/emailconfig.py).
func sendsNoMail(s *side, _ fact) bool {
	return s.every(func(c source.Value) bool {
		return !c.At("email", "smtp_host").Set() && !c.At("email", "notif_from").Set()
	})
}

// closed: nobody makes an account by himself (synapse/config/registration.py).
func closed(s *side, _ fact) bool {
	return len(s.MASs) == 0 && s.every(func(c source.Value) bool { return !c.At("enable_registration").True() })
}

// noGuests: Synapse lets no guests in (synapse/config/registration.py).
func noGuests(s *side, _ fact) bool {
	return s.every(func(c source.Value) bool { return !c.At("allow_guest_access").True() })
}

// namesServer: Element Web was told the name of the homeserver of this stack, and no other.
func namesServer(s *side, _ fact) bool {
	return len(s.Elements) > 0 && s.every(func(c source.Value) bool {
		for _, e := range s.Elements {
			for _, f := range e.Configs {
				if !strings.EqualFold(f.At("default_server_name").Str(), c.At("server_name").Str()) {
					return false
				}
			}
		}
		return true
	})
}
