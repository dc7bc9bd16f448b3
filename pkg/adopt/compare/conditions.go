package compare

import (
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
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

// noWorkers: Synapse is one process (synapse/config/redis.py: nothing else goes by it).
func noWorkers(s *side, _ fact) bool {
	return len(s.Workers) == 0 && s.every(func(c source.Value) bool { return len(c.At("modules").Items()) == 0 && !c.At("instance_map").Set() })
}

// relaysOnTheHost: the relay that runs now is on the network of the machine.
func relaysOnTheHost(s *side, _ fact) bool {
	return slices.ContainsFunc(s.Services, func(svc *deployment.Service) bool {
		return svc.Program == component.Coturn && svc.NetworkMode.Str() == "host"
	})
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

// led reports whether the configuration of a program may lead to a file in its container. To one that lies elsewhere than
// its configuration, or is code, something else may; and of a program that is not known everything.
func (s *side) led(about, name string) bool {
	var all []string
	known := false
	for _, syn := range s.Synapses {
		if s.whom(syn.Service) == about {
			known = slices.ContainsFunc(syn.ConfigPaths, func(c string) bool { return strings.HasPrefix(name, path.Dir(syn.Inside(c))+"/") }) && path.Ext(name) != ".py"
			all = append(all, texts(syn.Config.Root())...)
			for _, f := range syn.Registrations {
				all = append(all, f.Path)
			}
		}
	}
	return !known || slices.ContainsFunc(all, func(text string) bool {
		at := path.Join("/data", text)
		if strings.HasPrefix(text, "/") {
			at = path.Clean(text)
		}
		return at == name || strings.HasPrefix(name, at+"/") && strings.Count(at, "/") > 1
	})
}

// texts are all in a value.
func texts(v source.Value) (all []string) {
	if v.Kind() == source.Scalar && v.Str() != "" {
		all = append(all, v.Str())
	}
	for _, val := range v.Entries() {
		all = append(all, texts(val)...)
	}
	for _, item := range v.Items() {
		all = append(all, texts(item)...)
	}
	return all
}
