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
func nobodySent(c *comparison, now fact) bool {
	return sendsNoMail(c, now) && c.old.every(func(conf source.Value) bool {
		return !slices.ContainsFunc([]string{
			"oidc_providers", "oidc_config", "cas_config", "saml2_config", "sso", "user_consent", "matrix_authentication_service", "account_threepid_delegates",
			"enable_registration_captcha", "modules", "password_providers", "registrations_require_3pid", "ui_auth", "templates",
		}, func(key string) bool {
			v := conf.At(key)
			return v.Set() && (v.Kind() == source.Scalar || v.Len()+len(v.Items()) > 0)
		})
	})
}

// byName: the address is what Synapse makes of its name where none is written (synapse/config/server.py).
func byName(c *comparison, now fact) bool {
	return c.old.every(func(conf source.Value) bool {
		return strings.TrimSuffix(now.shown, "/") == "https://"+conf.At("server_name").Str()
	})
}

// sendsNoMail: Synapse has no server to send mails by (synapse/config/emailconfig.py).
func sendsNoMail(c *comparison, _ fact) bool {
	return c.old.every(func(conf source.Value) bool {
		return !conf.At("email", "smtp_host").Set() && !conf.At("email", "notif_from").Set()
	})
}

// closed: nobody makes an account by himself (synapse/config/registration.py).
func closed(c *comparison, _ fact) bool {
	return len(c.old.MASs) == 0 && c.old.every(func(conf source.Value) bool { return !conf.At("enable_registration").True() })
}

// signsLittle: Synapse has signed nothing with macaroon_secret_key that somebody keeps (synapse/util/macaroons.py of 1.163:
// tokens of guests, links in mails, and logins that are under way).
func signsLittle(c *comparison, now fact) bool { return noGuests(c, now) && sendsNoMail(c, now) }

// uploadsInMemory: Synapse had /tmp in memory.
func uploadsInMemory(c *comparison, _ fact) bool {
	_, was := c.old.facts[id{"synapse", "mounts", "/tmp"}]
	return was
}

// redirectsNot: no label and no Traefik of ours sends who asks by http on to https.
func redirectsNot(c *comparison, _ fact) bool {
	for k := range c.ours.facts {
		if k.doc == "routing" && match("**.redirectscheme.scheme", k.key) {
			return false
		}
	}
	return !slices.ContainsFunc(c.ours.Services, func(svc *deployment.Service) bool { return svc.Program == component.Traefik })
}

// noWorkers: Synapse is one process (synapse/config/redis.py: nothing else goes by it).
func noWorkers(c *comparison, _ fact) bool {
	return len(c.old.Workers) == 0 && c.old.every(func(conf source.Value) bool {
		return len(conf.At("modules").Items()) == 0 && !conf.At("instance_map").Set()
	})
}

// replicates reports whether a key is of a listener of Synapse that is for its workers alone.
func (s *side) replicates(key string) bool {
	port, listener := strings.CutPrefix(key, "listeners[")
	if !listener {
		return false
	}
	port, _, _ = strings.Cut(port, "]")
	return slices.ContainsFunc(s.Synapses, func(syn *deployment.Synapse) bool {
		return slices.ContainsFunc(syn.Listeners(), func(l deployment.Listener) bool {
			return l.Port == port && slices.Equal(l.Resources, []string{"replication"})
		})
	})
}

// withWorkers: Synapse has processes besides the main one, before and from then on.
func withWorkers(c *comparison, _ fact) bool {
	return len(c.old.Workers) > 0 && len(c.ours.Workers) > 0
}

// relaysByTLS: coturn had a certificate, with which alone it answers over TLS.
func relaysByTLS(c *comparison, _ fact) bool {
	_, has := c.old.facts[id{"coturn", "config", "cert"}]
	_, not := c.old.facts[id{"coturn", "config", "no-tls"}]
	return has && !not
}

// relaysOnTheHost: the relay that runs now is on the network of the machine.
func relaysOnTheHost(c *comparison, _ fact) bool {
	return slices.ContainsFunc(c.old.Services, func(svc *deployment.Service) bool {
		return svc.Program == component.Coturn && svc.NetworkMode.Str() == "host"
	})
}

// noGuests: Synapse lets no guests in (synapse/config/registration.py).
func noGuests(c *comparison, _ fact) bool {
	return c.old.every(func(conf source.Value) bool { return !conf.At("allow_guest_access").True() })
}

// namesServer: Element Web was told the name of the homeserver of this stack, and no other.
func namesServer(c *comparison, _ fact) bool {
	return len(c.old.Elements) > 0 && c.old.every(func(conf source.Value) bool {
		for _, e := range c.old.Elements {
			for _, f := range e.Configs {
				if !strings.EqualFold(f.At("default_server_name").Str(), conf.At("server_name").Str()) {
					return false
				}
			}
		}
		return true
	})
}

// alone: Synapse is one process, whatever modules it has.
func alone(c *comparison, _ fact) bool {
	return len(c.old.Workers) == 0 && c.old.every(func(conf source.Value) bool { return !conf.At("instance_map").Set() })
}

// noTURN: LiveKit relays nothing by a TURN server of its own.
func noTURN(c *comparison, _ fact) bool {
	return !slices.ContainsFunc(c.old.LiveKits, func(l *deployment.LiveKit) bool { return l.Config != nil && l.Config.At("turn", "enabled").True() })
}

// leavesLogins: Synapse has logged users in itself, and is to leave that to MAS.
func leavesLogins(c *comparison, _ fact) bool { return len(c.old.MASs) == 0 && len(c.ours.MASs) > 0 }

// keepsLogins: Synapse goes on to log users in itself.
func keepsLogins(c *comparison, _ fact) bool { return len(c.ours.MASs) == 0 }

// oidcOff: the section that Synapse had for one provider is not on (synapse/config/oidc.py).
func oidcOff(c *comparison, _ fact) bool {
	return c.old.every(func(conf source.Value) bool { return !conf.At("oidc_config", "enabled").True() })
}

// ofMAS: users have their accounts at MAS from then on.
func ofMAS(c *comparison, _ fact) bool { return len(c.ours.MASs) > 0 }

// unrouted: what is asked for from outside could not be compared.
func unrouted(c *comparison, _ fact) bool { return !c.routed }

// published: no proxy is seen, and Synapse can be asked from other machines.
func published(c *comparison, _ fact) bool {
	return !c.routed && slices.ContainsFunc(c.ours.Synapses, func(syn *deployment.Synapse) bool {
		return syn.NetworkMode.Str() == "host" || slices.ContainsFunc(syn.Ports, func(p deployment.Port) bool { return !deployment.Loopback(p.IP) })
	})
}

// noDevices: no bridge has Synapse tell it of devices, which org.matrix.msc3202 is for (mautrix-go, encryption.appservice).
func noDevices(c *comparison, _ fact) bool {
	return !slices.ContainsFunc(c.old.Bridges, func(b *deployment.Bridge) bool {
		return b.Config.At("encryption", "appservice").True() || b.Config.At("bridge", "encryption", "appservice").True()
	})
}

// calling: calls go by LiveKit already.
func calling(c *comparison, _ fact) bool { return len(c.old.LiveKits) > 0 && len(c.ours.LiveKits) > 0 }

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
